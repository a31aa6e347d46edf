"""One situation: Iraq and Syria, the parties there and the questions about them."""
