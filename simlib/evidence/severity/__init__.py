"""How deadly incidents are: the tail of deaths per lethal event."""
