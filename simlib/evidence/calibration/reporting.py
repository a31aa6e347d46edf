"""Reporting factors: how much of the same thing one source counts beside another.

Two models, both with their spread between pairs integrated on a grid: ratios of two counts
of the same thing in the same place and period (log-normal), and shares of one source's
incidents that another mentions (beta-binomial). Pairs are few, so what is returned is the
predictive distribution of another pair, not that of the mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import betaln, gammaln, softmax

from simlib.evidence.calibration.totals import log_count
from simlib.statistics.moments import beta

if TYPE_CHECKING:
    from numpy.typing import NDArray

RATIO_SPREAD_PRIOR_SD = 0.3
"""Half-normal prior of the spread of log ratios between pairs."""
RATIO_PRIOR_SD = 1.0
"""Prior standard deviation of the mean log ratio, about none."""
_MEAN_SHARES = np.linspace(0.005, 0.995, 100)
_PRECISIONS = np.geomspace(1.0, 300.0, 40)
_QUANTILES = np.array([0.05, 0.25, 0.5, 0.75, 0.95])
_SHARES = (np.arange(200) + 0.5) / 200


class CountPair(NamedTuple):
    """Incidents, a month or in all, of the same thing, place and period by two sources."""

    numerator: float
    denominator: float


class BetaShare(NamedTuple):
    """A beta distribution of a share."""

    a: float
    b: float


def fit_ratio(pairs: Sequence[CountPair], fano: float = 1.0) -> BetaShare:
    """Fit the ratio of two sources' counts, as the share one sees of the other's.

    Counts are above 0; `fano` is variance over mean of both at known rates. What is returned is the
    beta nearest to another pair's ratio, given that it is below 1.
    """
    if not pairs or any(min(pair) <= 0 for pair in pairs):
        raise ValueError("must have at least one pair of counts above 0")
    counts = np.array(pairs, dtype=np.float64)
    logs, variance = log_count(counts, fano)
    ratios, noise = logs[:, 0] - logs[:, 1], variance.sum(axis=1)
    # Log ratios are normal about their mean with the spread between pairs and the counts' noise;
    # mean and spread stand on a grid with their priors (Gelman et al., BDA, 3rd ed., section 5.4).
    means = np.linspace(-3.0, 3.0, 121)
    spreads = np.linspace(0.01, 1.2, 30)
    variances = spreads[:, None] ** 2 + noise
    log = -(means[:, None] ** 2) / 2.0 / RATIO_PRIOR_SD**2 - spreads**2 / (
        2.0 * RATIO_SPREAD_PRIOR_SD**2
    )
    deviations = (ratios - means[:, None])[:, None, :] ** 2 / variances
    log = log - 0.5 * (np.log(variances) + deviations).sum(axis=2)
    weights = np.asarray(softmax(log))
    # Another pair's ratio: the log-normals of all points, averaged, on shares from 0 to 1.
    log_shares = np.log(_SHARES)
    z = (log_shares[None, None, :] - means[:, None, None]) / spreads[None, :, None]
    density = np.exp(-(z**2) / 2.0) / spreads[None, :, None] / _SHARES
    return _beta((weights[:, :, None] * density).sum(axis=(0, 1)))


def fit_share(pairs: Sequence[CountPair]) -> BetaShare:
    """Fit the share of one source's incidents that another mentions: that of another pair."""
    if not pairs or any(not 0 <= p.numerator <= p.denominator for p in pairs):
        raise ValueError("must have at least one pair, numerators within denominators")
    hits, of = (np.array(column)[:, None, None] for column in zip(*pairs, strict=True))
    # Beta-binomial likelihood on a grid of mean and precision a + b (BDA, section 5.3).
    a = _MEAN_SHARES[:, None] * _PRECISIONS
    b = (1.0 - _MEAN_SHARES)[:, None] * _PRECISIONS
    choices = gammaln(of + 1.0) - gammaln(hits + 1.0) - gammaln(of - hits + 1.0)
    log = (choices + betaln(a + hits, b + of - hits) - betaln(a, b)).sum(axis=0)
    weights = np.asarray(softmax(log))
    # Moments of another pair's share: those of a beta at each point, averaged.
    mean = float((weights * _MEAN_SHARES[:, None]).sum())
    second = a * (a + 1.0) / (a + b) / (a + b + 1.0)
    return BetaShare(*beta(mean, float((weights * second).sum()) - mean**2))


def _beta(density: NDArray[np.float64]) -> BetaShare:
    """Find the beta distribution nearest to a density on `_SHARES` at five quantiles.

    Matching two moments would be off in the middle, because the density has longer tails.
    """
    from scipy.optimize import least_squares
    from scipy.special import betainc

    weights = density / density.sum()
    mean = float(weights @ _SHARES)
    start = beta(mean, float(weights @ (_SHARES - mean) ** 2))
    edges = _SHARES + 0.5 / len(_SHARES)
    points = np.interp(_QUANTILES, np.cumsum(weights), edges)

    def misses(logs: NDArray[np.float64]) -> NDArray[np.float64]:
        a, b = np.exp(logs)
        return np.asarray(betainc(a, b, points) - _QUANTILES)

    a, b = np.exp(least_squares(misses, np.log(start)).x)
    return BetaShare(float(a), float(b))
