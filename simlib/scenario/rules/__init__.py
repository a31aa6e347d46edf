"""Rules that the parts of a scenario keep with one another, one module for each part."""
