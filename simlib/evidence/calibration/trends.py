"""The trend of a series from the changes between its published totals.

Each change of the log rate is the slope times the months between, and a random step whose
variance grows with them: a random walk with drift. Changes of several sources may stand
together, because each is a change within its own source and levels never meet.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

SLOPE_PRIOR_SD = 0.1
"""Log per month: from a third to three times in a year is well inside."""
STEP_PRIOR_SD = 0.2
"""Half-normal prior of the monthly step: .7 over a year."""
_SLOPES = np.linspace(-0.35, 0.35, 281)
_STEPS = np.linspace(0.005, 0.6, 120)


class Change(NamedTuple):
    """A change of a log rate within one source.

    Attributes
    ----------
    log_ratio
        Log of the later rate over the earlier.
    months
        Between the middles of the two periods.
    variance
        Of the log ratio, from the counts alone: one over each count.
    """

    log_ratio: float
    months: float
    variance: float


class Slope(NamedTuple):
    """Mean and standard deviation of a log slope per month."""

    mean: float
    sd: float


def change(earlier: float, later: float, *, months: float, lengths: tuple[float, float]) -> Change:
    """Return the change between two totals of one source.

    Parameters
    ----------
    earlier, later
        Incidents counted, above 0.
    months
        Between the middles of the periods.
    lengths
        Length of the two periods in months.
    """
    ratio = np.log((later / lengths[1]) / (earlier / lengths[0]))
    return Change(float(ratio), months, 1.0 / earlier + 1.0 / later)


def fit_slope(changes: Sequence[Change]) -> Slope:
    """Fit the slope of a random walk with drift to changes, its step integrated on a grid.

    Parameters
    ----------
    changes
        At least one.

    Raises
    ------
    ValueError
        There is none.
    """
    if not changes:
        raise ValueError("must have at least one change")
    ratios, months, noise = (np.array(column) for column in zip(*changes, strict=True))
    variances = _STEPS[:, None] ** 2 * months + noise
    log_step = -(_STEPS**2) / 2.0 / STEP_PRIOR_SD**2
    log_slope = -(_SLOPES**2) / 2.0 / SLOPE_PRIOR_SD**2
    deviations = (ratios - _SLOPES[:, None] * months)[:, None, :] ** 2 / variances
    log = log_slope[:, None] + log_step - 0.5 * (np.log(variances) + deviations).sum(axis=2)
    weights = np.exp(log - log.max()).sum(axis=1)
    weights /= weights.sum()
    mean = float(weights @ _SLOPES)
    return Slope(mean, float(np.sqrt(weights @ (_SLOPES - mean) ** 2)))


def damped_months(months: int, damping: float) -> float:
    """Return how many undamped months a damped trend is worth: 1 + d + d^2 + ...

    Parameters
    ----------
    months
        How long it acts.
    damping
        Share of the slope kept from month to month, 0 to 1.
    """
    return float(sum(damping**k for k in range(months)))
