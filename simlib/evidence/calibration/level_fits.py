"""Levels of monthly series that drift: a Poisson rate times a log AR(1), filtered on a grid.

The rate of a month is a level times what no one models, the exponential of a stationary
AR(1) with mean multiplier 1, as `simlib` simulates it (`tempo`). The AR(1) is followed on a grid
of its standardized values (Kitagawa 1987, JASA 82, 1032-1041), so the likelihood of level,
persistence and spread is exact up to the grid. Series share persistence and spread.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import gammaln, logsumexp, softmax, xlogy

from simlib.statistics.moments import weighted_moments

if TYPE_CHECKING:
    from numpy.typing import NDArray

STATES = np.linspace(-3.5, 3.5, 29)
"""Standardized log deviations that are followed."""


@dataclass(frozen=True, slots=True)
class Ar1Grid:
    """Points of persistence and spread with their prior weights, each of shape (n_points,).

    `rho` is from month to month, `sd` the stationary one of the log; weights sum to 1.
    """

    rho: NDArray[np.float64]
    sd: NDArray[np.float64]
    prior: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MonthlySeries:
    """A monthly count series with what its level is believed to be beforehand.

    Attributes
    ----------
    counts
        Events a month, shape (n_months,).
    prior_mean
        Mean of the exponential prior of the level, events a month.
    fano
        Variance over mean of a month's count at a known rate; 1 is Poisson.
    pattern
        What a month's rate is multiplied by, shape (n_months,); ones when not given.
    """

    counts: NDArray[np.int64]
    prior_mean: float
    fano: float = 1.0
    pattern: NDArray[np.float64] | None = None

    def levels(self) -> NDArray[np.float64]:
        """Lay the grid of levels: a factor of six either way of the mean count, in its log."""
        middle = (self.counts.sum() + 0.5) / len(self.counts)
        return np.asarray(np.geomspace(middle / 6.0, middle * 6.0, 61))


@dataclass(frozen=True, slots=True)
class LevelPosterior:
    """The joint posterior of persistence and spread, and of the levels of several series.

    `weights` are of the points of the grid, shape (n_points,). Levels, events a month, stand on a
    grid by series, whose posterior weights sum to 1.
    """

    grid: Ar1Grid
    weights: NDArray[np.float64]
    levels: Mapping[str, NDArray[np.float64]]
    level_weights: Mapping[str, NDArray[np.float64]]

    def moments(self, name: str) -> tuple[float, float]:
        """Take mean and variance of a level."""
        return weighted_moments(self.levels[name], self.level_weights[name])


def fit_levels(series: Mapping[str, MonthlySeries], grid: Ar1Grid) -> LevelPosterior:
    """Fit the levels of one or more series that share persistence and spread, over a grid."""
    if not series:
        raise ValueError("must have at least one series")
    # Given persistence and spread, series are independent: their evidences multiply, and the
    # posterior of each level is an average over the grid.
    tables = {name: log_likelihood(one, grid) + _log_prior(one) for name, one in series.items()}
    log_weights = np.log(grid.prior)
    for table in tables.values():
        log_weights = log_weights + logsumexp(table, axis=1)
    weights = softmax(log_weights)
    level_weights = {}
    for name, table in tables.items():
        given = np.exp(table - logsumexp(table, axis=1)[:, None])
        level_weights[name] = weights @ given
    return LevelPosterior(grid, weights, {n: s.levels() for n, s in series.items()}, level_weights)


def log_likelihood(series: MonthlySeries, grid: Ar1Grid) -> NDArray[np.float64]:
    """Filter a series at every point of the grid and level, shape (n_points, n_levels)."""
    # The AR(1)'s standardized value starts stationary; its multiplier has mean 1, hence -sd^2 / 2.
    levels = series.levels()
    total = np.zeros((len(grid.rho), len(levels)))
    stationary = np.exp(-(STATES**2) / 2.0)
    alpha = np.broadcast_to(stationary / stationary.sum(), (*total.shape, len(STATES)))
    multiplier = np.exp(grid.sd[:, None] * STATES - grid.sd[:, None] ** 2 / 2.0)
    transitions = np.stack([_transition(rho) for rho in grid.rho])
    pattern = np.ones(len(series.counts)) if series.pattern is None else series.pattern
    for month, count in enumerate(series.counts.tolist()):
        # Predict by the transition, update by the month's count, keep the normalizing constant: the
        # forward recursion of a hidden Markov chain, whose log likelihood is the constants' sum.
        if month:
            alpha = alpha @ transitions
        rates = pattern[month] * levels[None, :, None] * multiplier[:, None, :]
        alpha = alpha * _count_probability(count, rates, series.fano)
        scale = alpha.sum(axis=2)
        total += np.log(scale)
        alpha = alpha / scale[:, :, None]
    return total


def pattern_weights(
    series: MonthlySeries,
    grid: Ar1Grid,
    amplitudes: NDArray[np.float64],
    shape: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Weigh the amplitudes of a pattern by a series, level and AR(1) integrated.

    Amplitudes are equally likely beforehand, shape (n_amplitudes,). A month's rate is multiplied
    by one plus amplitude times `shape`, which has the shape (n_months,).
    """
    log_weights = []
    for amplitude in amplitudes.tolist():
        one = replace(series, pattern=1.0 + amplitude * shape)
        table = log_likelihood(one, grid) + _log_prior(one) + np.log(grid.prior)[:, None]
        log_weights.append(float(logsumexp(table)))
    return np.asarray(softmax(np.array(log_weights)))


def _transition(rho: float) -> NDArray[np.float64]:
    density = np.exp(-((STATES[None, :] - rho * STATES[:, None]) ** 2) / 2.0 / (1.0 - rho**2))
    return np.asarray(density / density.sum(axis=1, keepdims=True))


def _count_probability(count: int, rates: NDArray[np.float64], fano: float) -> NDArray[np.float64]:
    """Take the probability of a count: Poisson, or negative binomial of a variance ratio."""
    if fano <= 1.0:
        return np.asarray(np.exp(xlogy(count, rates) - rates - gammaln(count + 1.0)))
    # Negative binomial with mean `rates` and variance `fano` times the mean: success 1 / fano.
    sizes = rates / (fano - 1.0)
    log = gammaln(sizes + count) - gammaln(sizes) - gammaln(count + 1.0)
    return np.asarray(np.exp(log - sizes * np.log(fano) + count * np.log1p(-1.0 / fano)))


def _log_prior(series: MonthlySeries) -> NDArray[np.float64]:
    """Take the log of the exponential prior of a level on its logarithmic grid."""
    levels = series.levels()
    return np.asarray(np.log(levels / series.prior_mean) - levels / series.prior_mean)
