"""What differs between two scenarios, and what it does."""
