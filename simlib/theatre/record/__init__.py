"""What is on record of this situation: regimes, fitters, and shipped counts."""
