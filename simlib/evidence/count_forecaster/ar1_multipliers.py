"""How much a series moves from month to month, with what its history can say of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from simlib.evidence.count_forecaster.count_fit import fit, weights_of
from simlib.evidence.count_forecaster.smoothing import Settings
from simlib.evidence.fitted import Fitted
from simlib.statistics.moments import beta, gamma, weighted_moments

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from simlib.evidence.panels import CountPanel

SDS = tuple(float(x) for x in np.round(np.geomspace(0.05, 2.5, 16), 3))
RHOS = tuple(float(x) for x in np.round(np.linspace(0.05, 0.95, 10), 3))
"""Grid of the posterior; alike before the counts (sd on the log scale)."""
_LEAST_WEIGHT = 1e-300
_STILL = 0.005
"""Drift of the national level where the multiplier is to carry all that moves."""
_DEFAULTS = Settings(first_sd=4.0, drift=_STILL)


@dataclass(frozen=True, slots=True)
class MultiplierEstimate:
    """What counts say of a log AR(1) multiplier.

    Attributes
    ----------
    sd, rho
        Posterior quantiles .05, .5 and .95 of the stationary standard deviation and of
        the monthly autocorrelation.
    weights
        Posterior probabilities, shape (len(SDS), len(RHOS)).
    """

    sd: tuple[float, float, float]
    rho: tuple[float, float, float]
    weights: NDArray[np.float64]
    n_months: int
    n_events: int

    def fitted(self, panel: CountPanel, what: str, as_of: dt.date) -> tuple[Fitted, Fitted]:
        """Spell sd and rho as a scenario's ``tempo``: a gamma and a beta of the same moments."""
        mean, variance = weighted_moments(np.array(SDS), self.weights.sum(axis=1))
        sd = gamma(mean, variance)
        mean, variance = weighted_moments(np.array(RHOS), self.weights.sum(axis=0))
        a, b = beta(mean, variance)
        rho = {"beta": {"a": a, "b": b}}
        data = f"{what}: {self.n_events} events in {self.n_months} months, {panel.vintage}"
        method = (
            "Posterior of a stationary log AR(1) multiplier on a constant level, over a grid, by"
            " the variational bound of over-dispersed Poisson counts."
        )
        return (
            Fitted("tempo.sd", sd, "log", data, method, as_of),
            Fitted("tempo.rho", rho, "per month", data, method, as_of),
        )


def estimate_multiplier(counts: NDArray[np.int64], dispersion: float = 1.5) -> MultiplierEstimate:
    """Estimate the AR(1) multiplier that units have from their monthly counts.

    Parameters
    ----------
    counts
        Shape (n_units, n_months): governorates, each with a multiplier of its own with the same
        sd and rho on a level of its own, or one row for a national total.
    dispersion
        Variance over mean of a month's count where its expectation is given.
    """
    base = replace(_DEFAULTS, dispersion=dispersion)
    rivals = [replace(base, sd=sd, rho=rho) for sd in SDS for rho in RHOS]
    weights = weights_of(fit(counts, rivals)).reshape(len(SDS), len(RHOS))
    return _estimate(weights, counts.shape[1], int(counts.sum()))


def pool_multipliers(estimates: Sequence[MultiplierEstimate]) -> MultiplierEstimate:
    """Pool what several series or stretches say of sd and rho that they share.

    Their counts must not overlap: likelihoods multiply, and so do, over a flat grid, the
    posterior weights.
    """
    logs = np.log(np.maximum([each.weights for each in estimates], _LEAST_WEIGHT)).sum(axis=0)
    weights = np.exp(logs - logs.max())
    return _estimate(
        weights / weights.sum(),
        sum(each.n_months for each in estimates),
        sum(each.n_events for each in estimates),
    )


def _estimate(weights: NDArray[np.float64], n_months: int, n_events: int) -> MultiplierEstimate:
    return MultiplierEstimate(
        _quantiles(np.array(SDS), weights.sum(axis=1)),
        _quantiles(np.array(RHOS), weights.sum(axis=0)),
        weights,
        n_months,
        n_events,
    )


def _quantiles(
    values: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[float, float, float]:
    middle = np.cumsum(weights) - 0.5 * weights
    low, median, high = np.interp((0.05, 0.5, 0.95), middle, values).tolist()
    return low, median, high
