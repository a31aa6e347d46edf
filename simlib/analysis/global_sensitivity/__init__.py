"""What drives outcomes and effects: variance, screening, grades of evidence."""
