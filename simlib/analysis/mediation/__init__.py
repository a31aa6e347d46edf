"""Why two options differ: clamped paths, and chains of causes through the journals."""
