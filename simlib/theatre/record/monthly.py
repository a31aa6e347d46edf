"""The monthly counts that parameters are sought by, and the world as it was when they were made."""

from __future__ import annotations

SCORED = ("ucdp_13604", "ucdp_13616", "ucdp_259", "ucdp_354")
"""Series whose dyads lived through the year; the others hang on postures that moved."""
BEFORE_DECEMBER = {"shift.government": 1.0, "shift.sdf": 1.0}
"""The levels of ISIS's attacks before 8 December 2024, the last day the counts know."""
