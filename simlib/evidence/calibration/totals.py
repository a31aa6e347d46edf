"""Levels of published series of which only totals over periods are known.

The mean multiplier of a period is that of the same AR(1) as in
`level_fits`, averaged; its logarithm is taken as normal with the moments
of the average (Fenton 1960, IRE Transactions on Communications Systems 8, 57-67). Given persistence
and spread the level is then log-normal, and both are integrated over a grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simlib.evidence.calibration.level_fits import TempoGrid

PRIOR_SD = 1.5
"""Prior standard deviation of the log of a level: a factor of 19 from end to end (90 %)."""
_STEPS = 10
"""Steps a month on which the multiplier is averaged."""


class PeriodTotal(NamedTuple):
    """A published total.

    Attributes
    ----------
    first_month
        Start in months from any origin.
    months
        Length.
    incidents
        Incidents counted.
    pattern
        Log of what the period's rate is multiplied by: season or trend.
    """

    first_month: float
    months: float
    incidents: float
    pattern: float = 0.0


class LogLevel(NamedTuple):
    """Mean and standard deviation of the log of a level."""

    mean: float
    sd: float


def fit_totals(
    totals: Sequence[PeriodTotal],
    grid: TempoGrid,
    *,
    prior_median: float,
    fano: float = 1.0,
) -> LogLevel:
    """Fit the level of a series to its published totals.

    Parameters
    ----------
    totals
        Periods that do not overlap, of ten incidents or more each.
    grid
        Points of persistence and spread; its prior weights are what other series say of them.
    prior_median
        Prior median of the level, incidents a month.
    fano
        Variance over mean of a count at a known rate.

    Raises
    ------
    ValueError
        There is no total, or one is not positive.
    """
    if not totals or any(total.incidents <= 0 or total.months <= 0 for total in totals):
        raise ValueError("must have at least one total, each above 0 over more than 0 months")
    logs, noise = log_count(np.array([t.incidents for t in totals]), fano)
    rates = logs - np.array([np.log(t.months) + t.pattern for t in totals])
    means, variances, evidence = [], [], []
    for rho, sd in zip(grid.rho, grid.sd, strict=True):
        covariance, shift = multiplier_moments(totals, rho, sd)
        covariance = covariance + np.diag(noise)
        mean, variance, log_evidence = _condition(
            rates - shift, covariance, float(np.log(prior_median))
        )
        means.append(mean)
        variances.append(variance)
        evidence.append(log_evidence)
    weights = grid.prior * np.exp(np.array(evidence) - max(evidence))
    weights /= weights.sum()
    mean = float(weights @ means)
    variance = float(weights @ (np.array(variances) + (np.array(means) - mean) ** 2))
    return LogLevel(mean, float(np.sqrt(variance)))


def log_count(
    counts: NDArray[np.float64], fano: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and variance of the log of what is expected, given only a count of it.

    A count of variance over mean F tells as much as one F times smaller that is Poisson; the
    likelihood of the log of its mean has the moments of a log-gamma variable.

    Parameters
    ----------
    counts
        Above 0; the two moments are enough from about ten on.
    fano
        Variance over mean at a known rate.
    """
    from scipy.special import digamma, polygamma

    effective = counts / fano
    return np.log(fano) + digamma(effective), polygamma(1, effective)


def multiplier_moments(
    totals: Sequence[PeriodTotal], rho: float, sd: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return covariance and mean of the log of each period's mean multiplier.

    Parameters
    ----------
    totals
        Periods.
    rho, sd
        Persistence from month to month and spread of the log AR(1), whose multiplier has mean 1.

    Returns
    -------
    covariance, mean
        Shapes (n, n) and (n,).
    """
    times = [
        t.first_month + (np.arange(max(1, round(_STEPS * t.months))) + 0.5) / _STEPS for t in totals
    ]
    n_totals = len(totals)
    products = np.empty((n_totals, n_totals))
    for i, first in enumerate(times):
        for j, second in enumerate(times):
            # Values are constant within a calendar month: steps of one month are one.
            gap = np.abs(np.floor(first)[:, None] - np.floor(second)[None, :])
            products[i, j] = np.expm1(sd**2 * rho**gap).mean()
    covariance = np.log1p(products)
    return covariance, -np.diag(covariance) / 2.0


def _condition(
    rates: NDArray[np.float64], covariance: NDArray[np.float64], prior_mean: float
) -> tuple[float, float, float]:
    """Return mean, variance and log evidence of a normal mean under a normal prior."""
    total = covariance + PRIOR_SD**2
    ones = np.ones(len(rates))
    solved = np.linalg.solve(total, np.stack([rates - prior_mean, ones], axis=1))
    mean = prior_mean + PRIOR_SD**2 * float(solved[:, 0].sum())
    variance = PRIOR_SD**2 - PRIOR_SD**4 * float(solved[:, 1].sum())
    log_evidence = -0.5 * float((rates - prior_mean) @ solved[:, 0])
    return mean, variance, log_evidence - 0.5 * float(np.linalg.slogdet(total)[1])
