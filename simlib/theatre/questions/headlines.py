"""The outcomes that are shown where none are asked for."""

from __future__ import annotations

HEADLINES = (
    "extension_probability_june",
    "isis_attacks_iraq_year_1",
    "isis_attacks_syria_2025",
    "turkish_strikes_2025",
    "ucdp_259_2025",
    "detention_breaks",
)
"""Outcomes of `as_agreed` that cards of the register show."""
