"""Where a series stands by its known counts: an approximate posterior of its levels.

Counts are over-dispersed Poisson about exp(log level): the log-likelihood of a count y at
log level z is (y z - exp(z)) / dispersion. The posterior is approximated by the normal
distribution that maximizes the evidence lower bound, found by conjugate-computation
steps: M. E. Khan and W. Lin (2017), "Conjugate-computation variational inference",
AISTATS. Under a normal z with mean m and variance v the expected count is exp(m + v / 2),
so that fitted counts add up to what was counted, which a normal approximation about the
mode does not bring about where counts are few.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import softmax

from simlib.evidence.count_forecaster.smoothing import Smoothed, field_of, smooth

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from simlib.evidence.count_forecaster.settings import Settings

_MOST_STEPS = 20
_STEP = 0.7
_CLOSE = 0.05
"""Change of the bound (nats) below which it has settled: no odds move by more than 5 %."""
_LEAST_PRECISION = 1e-4


class Posterior(NamedTuple):
    """What the counts of a series say under some settings.

    Attributes
    ----------
    settings
        Under which.
    mean, covariance
        Of (a, b, c) in the last known month, shape (1 + 2 n_units,) and square.
    bound
        Lower bound of the log evidence.
    """

    settings: Settings
    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]
    bound: float


def fit(counts: NDArray[np.int64], rivals: Sequence[Settings]) -> tuple[Posterior, ...]:
    """Return the posterior of a series under each of some settings.

    Parameters
    ----------
    counts
        Shape (n_units, n_months), one month or more.
    rivals
        How the series may behave.
    """
    y = counts.T.astype(np.float64)
    field = field_of(rivals, *y.shape)
    share = 1.0 / np.array([each.dispersion for each in rivals])[:, None, None]
    expected = 0.5 * (y + y.mean()) + 0.1
    precision = share * expected
    weighted = precision * np.log(expected) + share * (y - expected)
    before = np.full(len(rivals), -np.inf)
    for _ in range(_MOST_STEPS):
        found = smooth(weighted / precision, precision, field)
        expected = np.exp(np.clip(found.mean + 0.5 * found.variance, -20.0, 15.0))
        fitted = (share * (y * found.mean - expected)).sum(axis=(1, 2))
        bound = found.log_evidence + fitted - _of_stand_ins(found, precision, weighted)
        if (np.abs(bound - before) < _CLOSE).all():
            break
        before = bound
        wanted = np.maximum(share * expected, _LEAST_PRECISION)
        target = wanted * found.mean + share * (y - expected)
        precision = (1.0 - _STEP) * precision + _STEP * wanted
        weighted = (1.0 - _STEP) * weighted + _STEP * target
    columns = (rivals, found.last_mean, found.last_covariance, bound.tolist())
    return tuple(Posterior(*each) for each in zip(*columns, strict=True))


def _of_stand_ins(
    found: Smoothed, precision: NDArray[np.float64], weighted: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the expected log density of the normal observations that stand for counts."""
    away = (weighted / precision - found.mean) ** 2 + found.variance
    logs = np.log(precision / (2.0 * math.pi)) - precision * away
    return np.asarray(0.5 * logs.sum(axis=(1, 2)))


def weights_of(posteriors: Sequence[Posterior]) -> NDArray[np.float64]:
    """Return the probability of each of some rival settings, alike before the counts."""
    bounds = np.array([each.bound for each in posteriors])
    return np.asarray(softmax(bounds))
