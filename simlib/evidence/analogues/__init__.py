"""Withdrawals elsewhere, beside months without one: what they tell, which is little."""
