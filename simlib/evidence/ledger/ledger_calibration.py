"""Whether what was said to be probable came that often, with bands for so few questions.

A forecaster who says what is true is inside the bands, each of which holds with 90 %: the
number of yes in a bin is a sum of independent yes/no with the stated probabilities (Poisson's
binomial law, computed exactly), as Bröcker and Smith (2007, doi:10.1175/WAF993.1) ask. Classes of
one question, and questions about one run of events, are not independent: true bands are wider.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

N_BINS = 5
BAND = (0.05, 0.95)


@dataclass(frozen=True, slots=True)
class Reliability:
    """Stated probabilities in bins of equal width that hold any.

    Attributes
    ----------
    stated
        Mean stated probability, shape (n_bins,).
    came
        Share that came.
    count
        Statements in the bin.
    low, high
        90 % band of the share where the stated probabilities are true.
    """

    stated: NDArray[np.float64]
    came: NDArray[np.float64]
    count: NDArray[np.int64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    @property
    def n_outside(self) -> int:
        """How many bins lie outside their band."""
        return int(((self.came < self.low) | (self.came > self.high)).sum())


def reliability(pairs: NDArray[np.float64], n_bins: int = N_BINS) -> Reliability:
    """Return how often what was stated came.

    Parameters
    ----------
    pairs
        Stated probability and whether it came (1 or 0), shape (n, 2).
    n_bins
        Bins of equal width; those without a statement are left out.
    """
    place = np.minimum((pairs[:, 0] * n_bins).astype(np.intp), n_bins - 1)
    rows = []
    for held in range(n_bins):
        stated, came = pairs[place == held].T
        if len(stated):
            low, high = band(stated.tolist())
            rows.append((stated.mean(), came.mean(), len(stated), low, high))
    columns = np.array(rows, dtype=np.float64).reshape(-1, 5).T
    return Reliability(columns[0], columns[1], columns[2].astype(np.int64), columns[3], columns[4])


def band(probabilities: Sequence[float]) -> tuple[float, float]:
    """Return the 90 % band of the share of yes among independent yes/no, 0-1.

    Examples
    --------
    >>> band([0.5] * 10)
    (0.2, 0.8)
    """
    law = np.ones(1)
    for probability in probabilities:
        law = np.convolve(law, [1.0 - probability, probability])
    low, high = np.searchsorted(np.cumsum(law), BAND)
    n = len(probabilities)
    return float(low) / n, float(min(high, n)) / n


def pit_counts(
    places: NDArray[np.float64], n_bins: int = N_BINS
) -> tuple[NDArray[np.int64], tuple[float, float]]:
    """Return how many numbers fell in each part of their forecasts, and the 90 % band.

    Parameters
    ----------
    places
        Where each number fell, 0-1, shape (n,).
    n_bins
        Parts of equal probability.

    Returns
    -------
    counts
        Shape (n_bins,).
    band
        Of each count, where forecasts are calibrated: binomial.
    """
    counts, _ = np.histogram(places, bins=n_bins, range=(0.0, 1.0))
    n = len(places)
    low, high = band([1.0 / n_bins] * n) if n else (0.0, 0.0)
    return counts.astype(np.int64), (low * n, high * n)
