"""Effects as observed and as brought about, and the selection between them."""
