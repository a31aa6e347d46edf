"""How incidents follow incidents: branching ratio and decay from daily counts."""
