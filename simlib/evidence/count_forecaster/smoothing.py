"""How a series behaves, and its exact smoothing under several settings at once.

A month's state is x[t] = (a[t], b[1, t], ..., b[U, t]) as in `Settings`; c[1..U] does not
change. They are a Gaussian Markov field, whose joint precision is block-tridiagonal in the
months, bordered by c: months are eliminated forwards and their variances found backwards, and
c by its Schur complement (H. Rue and L. Held (2005), "Gaussian Markov random fields", sections
2.3 and 2.4). Leading axes are rivals; they share nothing but the loop.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Settings:
    """How a series behaves: monthly counts of units u at months t.

    The logarithm of the expected count is ``a[t] + c[u] + b[u, t]``: a national random
    walk, what sets a governorate apart, and its own multiplier, a log AR(1).

    Attributes
    ----------
    first_mean, first_sd
        National log level in the first month, before any count. Low: a series of which
        nothing is known is rare.
    drift
        Standard deviation of a month's step of the national log level.
    between
        Standard deviation of `c` between governorates.
    rho, sd
        Monthly autocorrelation and stationary standard deviation of a governorate's AR(1).
    dispersion
        Variance over mean of a month's count where its expectation is given: what
        excitation adds to chance.
    """

    first_mean: float = -4.0
    first_sd: float = 2.0
    drift: float = 0.1
    between: float = 1.5
    rho: float = 0.85
    sd: float = 1.0
    dispersion: float = 1.5


class Field(NamedTuple):
    """The prior of the states of a series, under each of the rivals.

    Attributes
    ----------
    own
        Diagonal of the precision of x, shape (n_rivals, n_months, 1 + n_units).
    coupling
        Minus its entries between a month and the next, shape (n_rivals, 1 + n_units).
    between
        Precision of c, shape (n_rivals,).
    first
        Mean of a in the first month times its precision there, shape (n_rivals,).
    log_norm
        Half the log determinant of the precision less half of mean * `first`, shape (n_rivals,).
    """

    own: NDArray[np.float64]
    coupling: NDArray[np.float64]
    between: NDArray[np.float64]
    first: NDArray[np.float64]
    log_norm: NDArray[np.float64]


class Smoothed(NamedTuple):
    """What observations of log levels say, under each of the rivals.

    Attributes
    ----------
    mean, variance
        Of every log level, given all months, shape (n_rivals, n_months, n_units).
    last_mean, last_covariance
        Of (x, c) in the last month, shape (n_rivals, 1 + 2 n_units) and square.
    log_evidence
        Log density of the observations, shape (n_rivals,).
    """

    mean: NDArray[np.float64]
    variance: NDArray[np.float64]
    last_mean: NDArray[np.float64]
    last_covariance: NDArray[np.float64]
    log_evidence: NDArray[np.float64]


def field_of(rivals: Sequence[Settings], n_months: int, n_units: int) -> Field:
    """State the prior of a series: precisions of a random walk and of stationary AR(1)s."""
    names = ("first_mean", "first_sd", "drift", "between", "rho", "sd")
    columns = np.array([[getattr(each, name) for name in names] for each in rivals]).T
    first_mean, first_sd, drift, between, rho, sd = columns
    own = np.zeros((len(rivals), n_months, 1 + n_units))
    later = n_months - 1
    # A random walk: a step adds its precision to both months it joins, and minus it between.
    own[:, 0, 0] = first_sd**-2
    own[:, 1:, 0] += drift[:, None] ** -2
    own[:, :-1, 0] += drift[:, None] ** -2
    # An AR(1): the innovation's precision, 1 for the later month, rho**2 for the earlier one and
    # -rho between them (Rue and Held, section 1.1); the first month is stationary.
    step = 1.0 / (sd**2 * (1.0 - rho**2))
    own[:, 0, 1:] = sd[:, None] ** -2
    own[:, 1:, 1:] += step[:, None, None]
    own[:, :-1, 1:] += (rho**2 * step)[:, None, None]
    coupling = np.repeat((rho * step)[:, None], 1 + n_units, axis=1)
    coupling[:, 0] = drift**-2
    # The prior is a product of conditionals, so its log determinant is a sum over their sds.
    log_norm = -np.log(first_sd) - later * np.log(drift) - n_units * np.log(between)
    log_norm -= n_units * (np.log(sd) - 0.5 * later * np.log(step))
    first = first_mean / first_sd**2
    return Field(own, coupling, between**-2, first, log_norm - 0.5 * first * first_mean)


def smooth(observed: NDArray[np.float64], precision: NDArray[np.float64], field: Field) -> Smoothed:
    """Condition all log levels on noisy observations of them.

    Observations and their precisions, > 0, have the shape (n_rivals, n_months, n_units).
    """
    n_units = observed.shape[2]
    weighted = observed * precision
    inverse, border, log_determinant = _eliminate(weighted, precision, field)
    solved, spread = _substitute(inverse, border, field.coupling)
    # What a unit of c moves the log levels by once x has answered it, and their means at c = 0:
    # a log level is the first row of x (national) plus the unit's own row.
    moved = np.eye(n_units) - (solved[:, :, :1, :-1] + solved[:, :, 1:, :-1])
    alone = solved[:, :, 0, -1:] + solved[:, :, 1:, -1]
    # c by its Schur complement: the precision that is left of c when x is integrated out.
    schur = np.einsum("rtu,rtuv->ruv", precision, moved)
    schur += field.between[:, None, None] * np.eye(n_units)
    right = (weighted - precision * alone).sum(axis=1)
    covariance = np.linalg.inv(0.5 * (schur + schur.swapaxes(1, 2)))
    c = np.einsum("ruv,rv->ru", covariance, right)
    # Law of total variance: that of x given c, and what c's own moves the log levels by.
    mean = alone + np.einsum("rtuv,rv->rtu", moved, c)
    own = spread[:, :, :1, 0] + np.diagonal(spread, axis1=2, axis2=3)[:, :, 1:]
    own = own + 2.0 * spread[:, :, 0, 1:]
    variance = own + ((moved @ covariance[:, None]) * moved).sum(axis=3)
    # The last month jointly with c: Cov(x, c) = -response Cov(c).
    last, response = solved[:, -1, :, -1], solved[:, -1, :, :-1]
    last_mean = np.concatenate([last - np.einsum("rkv,rv->rk", response, c), c], axis=1)
    across = -response @ covariance
    last_covariance = np.concatenate(
        [
            np.concatenate([spread[:, -1] - across @ response.swapaxes(1, 2), across], axis=2),
            np.concatenate([across.swapaxes(1, 2), covariance], axis=2),
        ],
        axis=1,
    )
    # Density of the observations: prior over posterior density, both at the posterior mean;
    # the quadratic forms come to half of (right-hand side times mean).
    start = solved[:, 0, 0, -1] - np.einsum("rv,rv->r", solved[:, 0, 0, :-1], c)
    fit = (weighted * (mean - observed)).sum(axis=(1, 2)) + field.first * start
    log_evidence = field.log_norm + 0.5 * fit - 0.5 * log_determinant
    log_evidence -= 0.5 * np.linalg.slogdet(schur)[1]
    log_evidence += 0.5 * np.log(precision / (2.0 * math.pi)).sum(axis=(1, 2))
    return Smoothed(mean, variance, last_mean, last_covariance, log_evidence)


def _eliminate(
    weighted: NDArray[np.float64], precision: NDArray[np.float64], field: Field
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Eliminate the months forwards.

    Returns the inverse of each month's pivot; each month's columns for c and its right-hand side,
    with what earlier months add; and the log determinant of all pivots, shape (n_rivals,).
    """
    # An observation sees a + b[u] + c[u]: its precision enters all nine pairs of the three.
    n_rivals, n_months, n_units = weighted.shape
    unit = np.arange(n_units)
    pivot = np.zeros((n_rivals, n_months, 1 + n_units, 1 + n_units))
    border = np.zeros((n_rivals, n_months, 1 + n_units, n_units + 1))
    diagonal = np.arange(1 + n_units)
    pivot[:, :, diagonal, diagonal] = field.own
    pivot[:, :, 0, 0] += precision.sum(axis=2)
    pivot[:, :, 1 + unit, 1 + unit] += precision
    pivot[:, :, 0, 1:] = pivot[:, :, 1:, 0] = precision
    border[:, :, 0, :-1] = precision
    border[:, :, 1 + unit, unit] = precision
    border[:, :, 0, -1] = weighted.sum(axis=2)
    border[:, :, 1:, -1] = weighted
    border[:, 0, 0, -1] += field.first
    # Block Cholesky forwards: a month's pivot is what the months before leave of its precision.
    coupling = field.coupling[:, :, None]
    both = coupling * field.coupling[:, None]
    inverse = np.empty_like(pivot)
    for month in range(n_months):
        if month:
            pivot[:, month] -= both * inverse[:, month - 1]
            border[:, month] += coupling * (inverse[:, month - 1] @ border[:, month - 1])
        inverse[:, month] = np.linalg.inv(pivot[:, month])
    return inverse, border, np.linalg.slogdet(pivot)[1].sum(axis=1)


def _substitute(
    inverse: NDArray[np.float64], border: NDArray[np.float64], coupling: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Solve all months backwards, with the covariance of x within each, given c."""
    # Backwards: the variance within a month from that of the next (Takahashi's recursion, Rue
    # and Held, section 2.3.5).
    solved, spread = np.empty_like(border), np.empty_like(inverse)
    columns = coupling[:, :, None]
    both = columns * coupling[:, None]
    for month in range(inverse.shape[1] - 1, -1, -1):
        own = inverse[:, month]
        if month == inverse.shape[1] - 1:
            solved[:, month], spread[:, month] = own @ border[:, month], own
        else:
            solved[:, month] = own @ (border[:, month] + columns * solved[:, month + 1])
            spread[:, month] = own + own @ (both * spread[:, month + 1]) @ own
    return solved, spread
