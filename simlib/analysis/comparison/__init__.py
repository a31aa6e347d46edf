"""Options compared under common random numbers, forks, and what two scenarios differ by."""
