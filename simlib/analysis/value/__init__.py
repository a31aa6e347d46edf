"""Two readings of an extension, and what would be worth knowing before it is decided."""
