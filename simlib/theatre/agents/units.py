"""Spans and units that the parties reckon in; what they weigh stands in the scenario."""

from __future__ import annotations

import math

from simlib.journal import DAYS_PER_MONTH

QUARTER, YEAR = 3, 12
"""In months."""
QUARTER_DAYS, HALF_YEAR_DAYS, YEAR_DAYS = 91.0, 180.0, 365.0
"""Windows in which the parties look back."""
TENTHS = 10.0
"""Tenths of control, as decisions weigh them."""
CAMP_UNIT = 10_000.0
"""People in camps that `isis.camp_recruits` is told of."""


def months(number: float) -> float:
    """Months in days."""
    return number * DAYS_PER_MONTH


def left_after_a_month(halving: float) -> float:
    """The share that is left after a month of what halves in so many months."""
    return float(0.5 ** (1.0 / halving))


def logistic(score: float) -> float:
    """The probability of a log-odds."""
    return 1.0 / (1.0 + math.exp(-max(-700.0, score)))


def twofold(ratio: float) -> float:
    """A level that is 0 where there is nothing and 1 at the usual, and grows by the logarithm."""
    return math.log2(1.0 + ratio)
