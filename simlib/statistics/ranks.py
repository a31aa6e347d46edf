"""Ranks: correlations of them, and simulation-based calibration.

The latter says whether a fitter recovers what it is given: draw parameters from the prior,
simulate data from them, fit, and rank each truth among the draws of its posterior. If the
fitter is right the ranks are uniform (Talts, Betancourt, Simpson, Vehtari and Gelman 2018,
arXiv 1804.06788). Whether they are is read off their cumulative distribution and simultaneous
bands (Säilynoja, Bürkner and Vehtari 2022, doi 10.1007/s11222-022-10090-6).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simlib.chance.addresses import seed_of, uniforms_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_NEAR = 1e-12
"""How near the pointwise level is to where it would be too large."""


class Band(NamedTuple):
    """Bounds of a cumulative distribution, shape (n_values,), that hold everywhere at once.

    They are of the share of ranks below k, for k = 1 .. n_values, and belong to the band.
    """

    lower: NDArray[np.float64]
    upper: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Uniformity:
    """Ranks beside what uniform ranks would be.

    `share_below`, shape (n_values,), is the share of the ranks below 1 .. n_values; uniform
    ones lie in the band at all of them at once with its probability.
    """

    share_below: NDArray[np.float64]
    band: Band
    probability: float
    n_ranks: int

    @property
    def n_outside(self) -> int:
        """Values at which the share lies outside the band."""
        slack = 0.5 / self.n_ranks
        low = self.share_below < self.band.lower - slack
        return int((low | (self.share_below > self.band.upper + slack)).sum())

    @property
    def is_uniform(self) -> bool:
        """Whether the shares lie inside the band everywhere."""
        return self.n_outside == 0


def rank_correlations(
    values: NDArray[np.float64], outcome: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Spearman's correlation of columns, shape (n, n_columns), with an outcome; 0 of constants."""
    from scipy.stats import rankdata

    # Ranks with mean 0 and length 1, so that products are correlations.
    ranks: NDArray[np.float64] = rankdata(np.column_stack([values, outcome]), axis=0)
    ranks -= ranks.mean(axis=0)
    length = np.sqrt((ranks**2).sum(axis=0))
    ranks /= np.where(length > 0.0, length, 1.0)
    return ranks[:, :-1].T @ ranks[:, -1]


def noise_floor(n: int, n_values: int) -> float:
    """The size that the largest of many rank correlations exceeds in 1 of 20 ensembles.

    Of independent numbers none of which matters, each correlation is close to normal with
    variance 1 / (n - 1), and the largest of m stays below its (0.95 ** (1 / m)) point.

    Examples
    --------
    >>> round(noise_floor(400, 1), 3), round(noise_floor(400, 250), 3)
    (0.098, 0.186)
    """
    from scipy.special import ndtri

    one_sided = (1.0 - 0.95 ** (1.0 / n_values)) / 2.0
    return float(-ndtri(one_sided)) / math.sqrt(n - 1.0)


def rank_statistics(
    truths: NDArray[np.float64], draws: NDArray[np.float64], root_seed: int
) -> NDArray[np.int64]:
    """How many posterior draws lie below each truth, 0 .. n_draws; ties are broken by lot.

    Truths, shape (n,), are of one parameter, as drawn from the prior; draws, shape (n,
    n_draws), are independent, of its posterior.

    Raises
    ------
    ValueError
        Shapes do not fit.
    """
    if draws.ndim != 2 or truths.shape != draws.shape[:1]:
        raise ValueError(f"draws must have a row a truth (got {draws.shape} for {truths.shape})")
    below = (draws < truths[:, None]).sum(axis=1)
    ties = (draws == truths[:, None]).sum(axis=1)
    chosen = np.floor(uniforms_of(root_seed, "ties", len(truths)) * (ties + 1))
    return np.asarray(below + chosen, dtype=np.int64)


def simultaneous_band(n_ranks: int, n_values: int, probability: float = 0.95) -> Band:
    """Bounds that hold uniform ranks at every value at once.

    The bounds at a value are the same two quantiles of its binomial; the level of these is
    the largest with which a path of counts stays inside everywhere with `probability` (or
    more, as counts are whole). That is worked out as Säilynoja, Bürkner and Vehtari (2022) do
    for one sample, by following the distribution of the cumulative count from value to value.
    Here the steps are Poisson: given their sum, independent Poisson counts are multinomial.
    There is one value more than posterior draws.

    Raises
    ------
    ValueError
        An argument is out of range.
    """
    if n_ranks < 1 or n_values < 2 or not 0.0 < probability < 1.0:
        raise ValueError(
            "n_ranks must be >= 1, n_values >= 2 and probability in (0, 1) "
            f"(got {n_ranks}, {n_values}, {probability})"
        )
    from scipy.optimize import bisect

    def excess(level: float) -> float:
        return _coverage(*_counts(n_ranks, n_values, level), n_ranks) - probability

    # Coverage falls in steps as the level grows: the level is the last before it is too small.
    level = 1.0 if excess(1.0) >= 0.0 else bisect(excess, _NEAR, 1.0, xtol=_NEAR) - _NEAR
    lower, upper = _counts(n_ranks, n_values, level)
    return Band(lower / n_ranks, upper / n_ranks)


def uniformity(ranks: NDArray[np.int64], n_values: int, probability: float = 0.95) -> Uniformity:
    """Ranks, 0 .. n_values - 1, beside the band that uniform ones would keep.

    Raises
    ------
    ValueError
        A rank is out of range.
    """
    if len(ranks) == 0 or ranks.min() < 0 or ranks.max() >= n_values:
        raise ValueError(f"ranks must be in 0 .. {n_values - 1}, and there must be some")
    share = np.cumsum(np.bincount(ranks, minlength=n_values)) / len(ranks)
    band = simultaneous_band(len(ranks), n_values, probability)
    return Uniformity(share, band, probability, len(ranks))


def simulated_ranks(
    experiment: Callable[[int], tuple[NDArray[np.float64], NDArray[np.float64]]],
    n_ranks: int,
    root_seed: int,
) -> NDArray[np.int64]:
    """Ranks of truths in fits to data simulated from them, shape (n_parameters, n_ranks).

    An experiment, given a seed of its own, draws parameters from the prior, simulates data
    and fits. It returns the parameters, shape (n_parameters,), and independent posterior
    draws, shape (n_parameters, n_draws): as many draws every time.
    """
    pairs = [experiment(seed_of(root_seed, "experiment", number)) for number in range(n_ranks)]
    return np.array(
        [
            rank_statistics(
                np.array([truths[row] for truths, _ in pairs]),
                np.array([draws[row] for _, draws in pairs]),
                seed_of(root_seed, "ties", row),
            )
            for row in range(len(pairs[0][0]))
        ]
    )


def _counts(
    n_ranks: int, n_values: int, level: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The two binomial quantiles of each cumulative count."""
    from scipy.stats import binom

    shares = np.arange(1, n_values + 1) / n_values
    lower = binom.ppf(level / 2.0, n_ranks, shares)
    upper = binom.isf(level / 2.0, n_ranks, shares)
    lower[-1] = upper[-1] = n_ranks
    return lower.astype(np.int64), np.maximum(lower, upper).astype(np.int64)


def _coverage(lower: NDArray[np.int64], upper: NDArray[np.int64], n_ranks: int) -> float:
    """The probability that all cumulative counts lie inside at once."""
    from scipy.stats import poisson

    steps = poisson.pmf(np.arange(n_ranks + 1), n_ranks / len(lower))
    chance, first = np.ones(1), 0
    for low, high in zip(lower.tolist(), upper.tolist(), strict=True):
        walked = np.convolve(chance, steps[: high - first + 1])
        chance, first = walked[low - first : high - first + 1], low
    return float(chance[0] / poisson.pmf(n_ranks, n_ranks))
