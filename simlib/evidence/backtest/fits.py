"""Two one-dimensional maximum-likelihood fits, of many units at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

SMALLEST_SIZE, LARGEST_SIZE = 1e-2, 1e3
"""Bounds of a negative binomial's size; a larger one cannot be told from a Poisson."""
STEEPEST = 0.5
"""Bound of an exponential trend's growth a month, either way, in logarithms."""
_HALVINGS = 50


def size_of(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the maximum-likelihood size of a negative binomial for each row of counts.

    The mean's estimate is the sample mean whatever the size; the likelihood of the size
    has one maximum where the sample variance (divisor n) exceeds the mean, and none
    elsewhere: the size is then infinite, a Poisson (B. Levin and J. Reeds, Annals of
    Statistics 5, 1977, doi:10.1214/aos/1176343741).

    Parameters
    ----------
    counts
        Shape (n_units, n_months).

    Returns
    -------
    ndarray
        Shape (n_units,), `SMALLEST_SIZE` to `LARGEST_SIZE`, or infinite.
    """
    mean = counts.mean(axis=1)

    def slope(log_size: NDArray[np.float64]) -> NDArray[np.float64]:
        size = np.exp(log_size)[:, None]
        terms = special.digamma(counts + size) - special.digamma(size)
        return np.asarray(terms.mean(axis=1) - np.log1p(mean / size[:, 0]))

    low, high = np.log(SMALLEST_SIZE), np.log(LARGEST_SIZE)
    size = np.exp(_root(slope, len(counts), low, high))
    is_wide = counts.var(axis=1) > mean
    return np.asarray(np.where(is_wide, size, np.inf))


def trend_of(counts: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return level and growth of the exponential trend of each row of counts.

    The maximum-likelihood fit of Poisson counts with mean ``level * exp(growth * t)``,
    t = 0 in the last month and -1 in the one before. At its maximum the mean month under
    the trend is the mean month of the events, and the trend's total is theirs.

    Parameters
    ----------
    counts
        Shape (n_units, n_months).

    Returns
    -------
    tuple
        Level in the last month, events, and growth a month in logarithms, within
        ``-STEEPEST`` to ``STEEPEST``; each of shape (n_units,).
    """
    month = np.arange(1 - counts.shape[1], 1, dtype=np.float64)
    total = counts.sum(axis=1)
    wanted = (counts * month).sum(axis=1) / np.maximum(total, 1)

    def too_early(growth: NDArray[np.float64]) -> NDArray[np.float64]:
        weight = np.exp(growth[:, None] * month)
        return np.asarray(wanted - (weight * month).sum(axis=1) / weight.sum(axis=1))

    growth = np.where(total > 0, _root(too_early, len(counts), -STEEPEST, STEEPEST), 0.0)
    level = total / np.exp(growth[:, None] * month).sum(axis=1)
    return level, growth


def _root(
    falling: Callable[[NDArray[np.float64]], NDArray[np.float64]], n: int, low: float, high: float
) -> NDArray[np.float64]:
    """Return where functions that fall through zero do so, or the bound beyond which they do."""
    lows, highs = np.full(n, low), np.full(n, high)
    for _ in range(_HALVINGS):
        middle = (lows + highs) / 2
        is_right = falling(middle) > 0
        lows, highs = np.where(is_right, middle, lows), np.where(is_right, highs, middle)
    return np.asarray((lows + highs) / 2)
