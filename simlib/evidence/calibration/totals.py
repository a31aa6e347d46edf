"""What published totals tell: the level of a series, and its trend from changes between them.

Level: the mean multiplier of a period is that of the same AR(1) as in `level_fits`, averaged;
its logarithm is taken as normal with the moments of the average (Fenton 1960, IRE Transactions
on Communications Systems 8, 57-67). Given persistence and spread the level is then log-normal,
and both are integrated over a grid.

Trend: each change of the log rate is the slope times the months between, and a random step whose
variance grows with them: a random walk with drift. Changes of several sources may stand
together, because each is a change within its own source and levels never meet.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simlib.evidence.calibration.level_fits import Ar1Grid

PRIOR_SD = 1.5
"""Prior standard deviation of the log of a level: a factor of 19 from end to end (90 %)."""
_STEPS = 10
"""Steps a month on which the multiplier is averaged."""
SLOPE_PRIOR_SD = 0.1
"""Log per month: from a third to three times in a year is well inside."""
STEP_PRIOR_SD = 0.2
"""Half-normal prior of the monthly step: .7 over a year."""
_SLOPES = np.linspace(-0.35, 0.35, 281)
_STEP_SDS = np.linspace(0.005, 0.6, 120)


class PeriodTotal(NamedTuple):
    """A published total of incidents over some months, the first counted from any origin.

    The rate of the period is multiplied by exp(`pattern`): season or trend.
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
    grid: Ar1Grid,
    *,
    prior_median: float,
    fano: float = 1.0,
) -> LogLevel:
    """Fit the level of a series to its published totals.

    Periods must not overlap, and have ten incidents or more each. Weights of the grid are what
    other series say of persistence and spread. The level and its prior median are incidents a
    month; `fano` is variance over mean of a count at a known rate.
    """
    if not totals or any(total.incidents <= 0 or total.months <= 0 for total in totals):
        raise ValueError("must have at least one total, each above 0 over more than 0 months")
    # log rate = log level + log mean multiplier + noise of the count: normal with known moments
    # at each point of the grid, so that the level is conjugate there.
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
    # Weigh the points by their evidence, and take total mean and variance over them.
    weights = grid.prior * np.exp(np.array(evidence) - max(evidence))
    weights /= weights.sum()
    mean = float(weights @ means)
    variance = float(weights @ (np.array(variances) + (np.array(means) - mean) ** 2))
    return LogLevel(mean, float(np.sqrt(variance)))


def log_count(
    counts: NDArray[np.float64], fano: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Take mean and variance of the log of what is expected, given only a count of it.

    A count of variance over mean F tells as much as one F times smaller that is Poisson; the
    likelihood of the log of its mean has the moments of a log-gamma variable, which are enough
    from about ten on.
    """
    from scipy.special import digamma, polygamma

    effective = counts / fano
    return np.log(fano) + digamma(effective), polygamma(1, effective)


def multiplier_moments(
    totals: Sequence[PeriodTotal], rho: float, sd: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Take covariance and mean of the log of each period's mean multiplier.

    That of a log AR(1) with persistence `rho` from month to month and spread `sd`, whose multiplier
    has mean 1. Shapes (n, n) and (n,).
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
    # Fenton 1960: the log of an average of log-normals as a normal of the same two moments.
    covariance = np.log1p(products)
    return covariance, -np.diag(covariance) / 2.0


def _condition(
    rates: NDArray[np.float64], covariance: NDArray[np.float64], prior_mean: float
) -> tuple[float, float, float]:
    """Take mean, variance and log evidence of a normal mean under a normal prior."""
    # Every log rate is the same mean plus noise: the prior adds PRIOR_SD**2 to every covariance.
    total = covariance + PRIOR_SD**2
    ones = np.ones(len(rates))
    solved = np.linalg.solve(total, np.stack([rates - prior_mean, ones], axis=1))
    mean = prior_mean + PRIOR_SD**2 * float(solved[:, 0].sum())
    variance = PRIOR_SD**2 - PRIOR_SD**4 * float(solved[:, 1].sum())
    log_evidence = -0.5 * float((rates - prior_mean) @ solved[:, 0])
    return mean, variance, log_evidence - 0.5 * float(np.linalg.slogdet(total)[1])


class Change(NamedTuple):
    """A change within one source: the log of the later rate over the earlier one.

    So many months lie between the middles of the two periods. The variance is that of the log
    ratio, from the counts alone: one over each count.
    """

    log_ratio: float
    months: float
    variance: float


class LogSlope(NamedTuple):
    """Mean and standard deviation of a log slope per month."""

    mean: float
    sd: float


def change(earlier: float, later: float, *, months: float, lengths: tuple[float, float]) -> Change:
    """Take the change between two totals of one source, both above 0.

    The middles of the periods are so many months apart, the periods themselves of some lengths.
    """
    ratio = np.log((later / lengths[1]) / (earlier / lengths[0]))
    return Change(float(ratio), months, 1.0 / earlier + 1.0 / later)


def fit_slope(changes: Sequence[Change]) -> LogSlope:
    """Fit the slope of a random walk with drift to changes, its step integrated on a grid."""
    if not changes:
        raise ValueError("must have at least one change")
    ratios, months, noise = (np.array(column) for column in zip(*changes, strict=True))
    # A change over m months is normal: mean m times slope, variance m times step^2 plus noise.
    variances = _STEP_SDS[:, None] ** 2 * months + noise
    log_step = -(_STEP_SDS**2) / 2.0 / STEP_PRIOR_SD**2
    log_slope = -(_SLOPES**2) / 2.0 / SLOPE_PRIOR_SD**2
    deviations = (ratios - _SLOPES[:, None] * months)[:, None, :] ** 2 / variances
    log = log_slope[:, None] + log_step - 0.5 * (np.log(variances) + deviations).sum(axis=2)
    weights = np.exp(log - log.max()).sum(axis=1)
    weights /= weights.sum()
    mean = float(weights @ _SLOPES)
    return LogSlope(mean, float(np.sqrt(weights @ (_SLOPES - mean) ** 2)))


def damped_months(months: int, damping: float) -> float:
    """Tell how many undamped months a trend damped to a share d is worth: 1 + d + d^2 + ..."""
    return float(sum(damping**k for k in range(months)))
