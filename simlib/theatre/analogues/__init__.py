"""Withdrawals elsewhere, and what is believed of one here."""
