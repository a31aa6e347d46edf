"""Priors of a record's scenario as fitters need them, and what they return of a parameter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simlib.chance.distributions import quantile
from simlib.evidence.fitted import Fitted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from simlib.evidence.calibration.published_record import Record

N_POINTS = 12
"""Points that stand for a prior: its quantiles, equally weighted."""


def fitted(
    record: Record, name: str, distribution: Mapping[str, Mapping[str, float]], *texts: str
) -> Fitted:
    """Return what a fit says of a parameter, numbers rounded to four digits.

    Parameters
    ----------
    record
        What was read.
    name, distribution
        The parameter and its distribution.
    texts
        Data and method.
    """
    data, method = texts
    rounded = {
        kind: {key: float(f"{value:.4g}") for key, value in arguments.items()}
        for kind, arguments in distribution.items()
    }
    return Fitted(name, rounded, record.base.parameters[name].unit, data, method, record.as_of)


def prior_points(record: Record, name: str) -> NDArray[np.float64]:
    """Return the middle quantiles of a parameter's prior, each of weight 1 / N_POINTS."""
    ((kind, arguments),) = (record.base.parameters[name].distribution or {}).items()
    shares = (np.arange(N_POINTS) + 0.5) / N_POINTS
    return np.array([quantile(kind, arguments, float(u)) for u in shares])


def prior_median(record: Record, name: str) -> float:
    """Return the median of a parameter's prior."""
    ((kind, arguments),) = (record.base.parameters[name].distribution or {}).items()
    return quantile(kind, arguments, 0.5)


def support(record: Record, name: str) -> tuple[float, float]:
    """Return the ends of a bounded prior."""
    (arguments,) = (record.base.parameters[name].distribution or {}).values()
    return arguments["low"], arguments["high"]


def gamma(mean: float, variance: float) -> dict[str, dict[str, float]]:
    """Return the gamma distribution with a mean and a variance, as a scenario spells it."""
    return {"gamma": {"shape": mean**2 / variance, "mean": mean}}
