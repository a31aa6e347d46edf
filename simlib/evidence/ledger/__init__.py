"""The forecast ledger: questions frozen with their forecasts, and scored when they resolve."""
