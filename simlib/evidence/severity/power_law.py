"""Discrete power law above a threshold that the data choose.

A. Clauset, C. R. Shalizi and M. E. J. Newman (2009), doi 10.1137/070710111: the threshold is
where the Kolmogorov-Smirnov distance is least, the exponent that of the density,
P(X = k) = k^-alpha / zeta(alpha, xmin), by its exact likelihood. The powerlaw library (Alstott,
Bullmore and Plenz 2014, doi 10.1371/journal.pone.0085777) agrees to 1e-4 where its approximation
for discrete data is off and the exponent is below 3; it is not used for the fit because
release 2.0 ends there, and gives up on samples of 50 that a bootstrap is full of.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simlib.chance.addresses import seed_of, uniforms_of
from simlib.errors import SimlibError

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_TAIL = 20
"""Events above the threshold without which no exponent is estimated."""
_EXPONENT_BOUNDS = (1.01, 12.0)
_EXPONENTS = np.linspace(1.5, 6.0, 901)


class SeverityError(SimlibError):
    """Deaths to which no law can be fitted."""


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """A power law above a threshold.

    Attributes
    ----------
    exponent
        Of the density, one more than that of the cumulative distribution.
    threshold
        Smallest size in the tail.
    distance
        Kolmogorov-Smirnov distance in the tail.
    n_tail, n_events
        Events at or above the threshold, and all.
    """

    exponent: float
    threshold: int
    distance: float
    n_tail: int
    n_events: int

    def survival(self, sizes: NDArray[np.float64]) -> NDArray[np.float64]:
        """Take P(X >= size | X >= threshold) for sizes at or above the threshold.

        Examples
        --------
        >>> tail = PowerLaw(2.4, 12, 0.0, 1, 1)
        >>> tail.survival(np.array([100.0])).round(6).tolist()
        [0.048806]
        """
        from scipy.special import zeta

        share = zeta(self.exponent, sizes) / zeta(self.exponent, self.threshold)
        return np.asarray(share, dtype=np.float64)


def fit_power_law(sizes: NDArray[np.int64], threshold: int | None = None) -> PowerLaw:
    """Fit exponent and, unless given, threshold.

    Parameters
    ----------
    sizes
        Deaths per lethal event, each at least 1.
    threshold
        Smallest size in the tail; chosen among those that leave 20 events when not given.

    Raises
    ------
    SeverityError
        A size is below 1, fewer than 20 events are in the tail, or all of them are of one size.
    """
    ordered = np.sort(sizes)
    if len(ordered) < LEAST_TAIL or ordered[0] < 1:
        raise SeverityError(
            f"sizes must be {LEAST_TAIL} or more, each >= 1 (got {len(ordered)}, "
            f"least {ordered[0] if len(ordered) else 'none'})"
        )
    most = int(ordered[-LEAST_TAIL])
    wanted = np.unique(ordered[: 1 - LEAST_TAIL]) if threshold is None else [threshold]
    if (threshold is not None and threshold > most) or most == ordered[-1]:
        raise SeverityError(
            f"fewer than {LEAST_TAIL} events, or events of one size only, are at or above "
            f"{most if threshold is None else threshold}"
        )
    fits = (_fit_tail(ordered, int(start)) for start in wanted)
    return min(fits, key=lambda fit: fit.distance)


def _fit_tail(ordered: NDArray[np.int64], threshold: int) -> PowerLaw:
    from scipy.optimize import minimize_scalar
    from scipy.special import zeta

    tail = ordered[np.searchsorted(ordered, threshold) :]
    mean_log = float(np.log(tail).mean())
    # The exact likelihood of P(X = k), per event and with its sign turned.
    best = minimize_scalar(
        lambda exponent: np.log(zeta(exponent, threshold)) + exponent * mean_log,
        bounds=_EXPONENT_BOUNDS,
        method="bounded",
        options={"xatol": 1e-7},
    )
    exponent = float(best.x)
    values, counts = np.unique(tail, return_counts=True)
    up_to = np.cumsum(counts) / len(tail)
    whole = zeta(exponent, threshold)
    at = 1.0 - zeta(exponent, values + 1.0) / whole
    # Between two sizes that occur the law goes on rising.
    below = 1.0 - zeta(exponent, values.astype(np.float64)) / whole
    distance = max(np.abs(up_to - at).max(), np.abs(below - np.append(0.0, up_to[:-1])).max())
    return PowerLaw(exponent, threshold, float(distance), len(tail), len(ordered))


def goodness_of_fit(
    sizes: NDArray[np.int64], fitted: PowerLaw, root_seed: int, n_bootstrap: int = 100
) -> float:
    """Return how often a true power law would lie farther from its own fit.

    Semi-parametric bootstrap: sizes below the threshold are resampled, those above drawn from
    the law, and threshold and exponent are fitted anew (section 4.1 of Clauset, Shalizi and
    Newman). Below .1 the law is ruled out.

    Parameters
    ----------
    sizes
        Deaths per lethal event.
    fitted
        Their fit, its threshold chosen by it.
    root_seed
        Makes the bootstrap repeatable.
    n_bootstrap
        Samples; the standard error of p is at most .5 / sqrt(n_bootstrap).
    """
    body = sizes[sizes < fitted.threshold]
    farther = 0
    for number in range(n_bootstrap):
        seed = seed_of(root_seed, "bootstrap", number)
        # Below the threshold as counted, above it from the law, each in its share.
        in_tail = uniforms_of(seed, "tail", len(sizes)) < fitted.n_tail / len(sizes)
        chosen = (uniforms_of(seed, "body", int((~in_tail).sum())) * len(body)).astype(np.int64)
        tail = power_law_sizes(fitted.exponent, fitted.threshold, int(in_tail.sum()), seed)
        try:
            again = fit_power_law(np.concatenate([body[chosen], tail]))
        except SeverityError:
            continue
        farther += again.distance >= fitted.distance
    return farther / n_bootstrap


def power_law_sizes(
    exponent: float, threshold: int, n_sizes: int, root_seed: int
) -> NDArray[np.int64]:
    """Draw sizes from a discrete power law, exactly, by bisection (their appendix D)."""
    from scipy.special import zeta

    left = (1.0 - uniforms_of(root_seed, "sizes", n_sizes)) * zeta(exponent, threshold)
    # Double until P(X >= high) is below the uniform, then halve: the size is the largest integer
    # that still has as much above it.
    low = np.full(n_sizes, float(threshold))
    high = 2.0 * low
    while (growing := zeta(exponent, high) >= left).any():
        low, high = np.where(growing, high, low), np.where(growing, 2.0 * high, high)
    while (high - low > 1.0).any():
        middle = np.floor((low + high) / 2.0)
        above = zeta(exponent, middle) >= left
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return low.astype(np.int64)


def exponent_posterior(sizes: NDArray[np.int64], threshold: int) -> NDArray[np.float64]:
    """Take the 5, 50 and 95 % quantiles of the exponent, its prior uniform on 1.5 to 6, shape (3,).

    Parameters
    ----------
    sizes
        Deaths per lethal event.
    threshold
        Smallest size in the tail.
    """
    from scipy.special import zeta

    tail = sizes[sizes >= threshold]
    logs = -len(tail) * np.log(zeta(_EXPONENTS, threshold)) - _EXPONENTS * np.log(tail).sum()
    weights = np.exp(logs - logs.max())
    cumulative = np.cumsum(weights) / weights.sum()
    return np.asarray(np.interp([0.05, 0.5, 0.95], cumulative, _EXPONENTS), dtype=np.float64)
