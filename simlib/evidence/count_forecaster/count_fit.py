"""Where a series stands by its known counts: an approximate posterior, and draws from it.

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
from scipy.special import ndtri, softmax

from simlib.chance.addresses import name_hash
from simlib.chance.philox import uniforms
from simlib.evidence.count_forecaster.smoothing import Settings, Smoothed, field_of, smooth

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MIDDLE = 6
"""Months ahead at which a drawn slope has moved a level as far as its random walk would."""
_MOST_STEPS = 20
_STEP = 0.7
_CLOSE = 0.05
"""Change of the bound (nats) below which it has settled: no odds move by more than 5 %."""
_LEAST_PRECISION = 1e-4
_LEAST_UNIFORM = 2.0**-54


class Posterior(NamedTuple):
    """What the counts of a series say under some settings.

    Mean and covariance are of (a, b, c) in the last known month, shape (1 + 2 n_units,) and
    square; `bound` is a lower bound of the log evidence.
    """

    settings: Settings
    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]
    bound: float

    @property
    def root(self) -> NDArray[np.float64]:
        """A square root of the covariance, which may be singular but for rounding."""
        values, vectors = np.linalg.eigh(self.covariance)
        return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))

    @property
    def slope_sd(self) -> float:
        """The sd of s at which s (1 - rho**k) / (1 - rho) has that of k steps, k `MIDDLE`."""
        drift, rho = self.settings.drift, self.settings.rho
        return float(drift * np.sqrt(MIDDLE) * (1.0 - rho) / (1.0 - rho**MIDDLE))


class Drawn(NamedTuple):
    """Draws of one series: which of the rival settings, and where it stands.

    In the last known month `lasting` is a + c and `passing` b, shape (n_units, n_draws); `slope`,
    of the national log level, and `settings` have the shape (n_draws,).
    """

    settings: NDArray[np.intp]
    lasting: NDArray[np.float64]
    passing: NDArray[np.float64]
    slope: NDArray[np.float64]


class FittedSeries(NamedTuple):
    """A series of a panel with what its counts say: a weighed posterior for each rival settings.

    Its name, country and series, is the incident type; `highest` is the highest known count of a
    unit in a month.
    """

    name: str
    rows: tuple[int, ...]
    highest: int
    posteriors: tuple[Posterior, ...]
    weights: NDArray[np.float64]

    def draw(self, n_draws: int, root_seed: int) -> Drawn:
        """Draw where the series stands, from the mixture of its posteriors.

        More draws change none of the first ones.
        """
        n_units = len(self.rows)
        which = self._uniforms("settings", 1, n_draws, root_seed)[0]
        settings = np.searchsorted(np.cumsum(self.weights)[:-1], which, side="right")
        normal = ndtri(self._uniforms("state", 2 * n_units + 2, n_draws, root_seed))
        state, slope = np.empty((1 + 2 * n_units, n_draws)), np.empty(n_draws)
        for number, posterior in enumerate(self.posteriors):
            own = settings == number
            state[:, own] = posterior.mean[:, None] + posterior.root @ normal[:-1, own]
            slope[own] = posterior.slope_sd * normal[-1, own]
        passing, between = state[1 : n_units + 1], state[n_units + 1 :]
        return Drawn(settings, state[0] + between, passing, slope)

    def _uniforms(self, what: str, n: int, n_draws: int, root_seed: int) -> NDArray[np.float64]:
        # "layer" is part of the address, and so of every forecast that has been scored.
        names = (f"layer|{what}|{self.name}|{i}" for i in range(n))
        hashes = np.array([name_hash(name) for name in names], dtype=np.uint64)
        drawn = uniforms(root_seed, 0, hashes, np.arange(n_draws, dtype=np.uint64))
        return np.maximum(drawn, _LEAST_UNIFORM)


def fit(counts: NDArray[np.int64], rivals: Sequence[Settings]) -> tuple[Posterior, ...]:
    """Find the posterior of counts, shape (n_units, n_months), under each of some settings."""
    y = counts.T.astype(np.float64)
    field = field_of(rivals, *y.shape)
    share = 1.0 / np.array([each.dispersion for each in rivals])[:, None, None]
    # Counts are stood for by normal observations of log levels. The first are those of a Poisson
    # count linearized at its log, drawn halfway to the series' mean where it is 0.
    expected = 0.5 * (y + y.mean()) + 0.1
    precision = share * expected
    weighted = precision * np.log(expected) + share * (y - expected)
    before = np.full(len(rivals), -np.inf)
    for _ in range(_MOST_STEPS):
        found = smooth(weighted / precision, precision, field)
        expected = np.exp(np.clip(found.mean + 0.5 * found.variance, -20.0, 15.0))
        # The bound is E[log p(y | z)] - KL; by conjugacy the KL divergence is what the stand-ins
        # say on average less their log evidence (Khan and Lin 2017, section 3).
        fitted = (share * (y * found.mean - expected)).sum(axis=(1, 2))
        bound = found.log_evidence + fitted - _of_stand_ins(found, precision, weighted)
        if (np.abs(bound - before) < _CLOSE).all():
            break
        before = bound
        # A natural-gradient step: toward the stand-ins whose natural parameters are the gradients
        # of E[log p(y | z)] in mean and variance; a part of the way, so that it does not swing.
        wanted = np.maximum(share * expected, _LEAST_PRECISION)
        target = wanted * found.mean + share * (y - expected)
        precision = (1.0 - _STEP) * precision + _STEP * wanted
        weighted = (1.0 - _STEP) * weighted + _STEP * target
    columns = (rivals, found.last_mean, found.last_covariance, bound.tolist())
    return tuple(Posterior(*each) for each in zip(*columns, strict=True))


def _of_stand_ins(
    found: Smoothed, precision: NDArray[np.float64], weighted: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Average the log density of the normal observations that stand for counts."""
    away = (weighted / precision - found.mean) ** 2 + found.variance
    logs = np.log(precision / (2.0 * math.pi)) - precision * away
    return np.asarray(0.5 * logs.sum(axis=(1, 2)))


def weights_of(posteriors: Sequence[Posterior]) -> NDArray[np.float64]:
    """Weigh rival settings, alike before the counts, by their evidence."""
    return np.asarray(softmax([each.bound for each in posteriors]))
