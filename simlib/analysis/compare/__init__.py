"""Options compared on the same luck, and forks."""
