"""Why two options differ: mediators, and chains of causes through the journals."""
