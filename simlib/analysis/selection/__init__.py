"""Effects as observed and by intervention, and the effect of selection between them."""
