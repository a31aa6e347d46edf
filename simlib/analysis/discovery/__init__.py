"""Under which parameters an outcome comes about, and which published series warn of it."""
