"""The compiled kernel: every channel advanced exactly, from one decision to the next."""
