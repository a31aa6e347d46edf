"""The observation model: incidents become the monthly series that sources publish."""
