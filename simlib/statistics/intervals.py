"""Intervals of 95 %: of probabilities, of means, of ratios, and between blocks.

Where replications come in blocks that are independent of one another, but are not
independent within one (a Latin hypercube), errors are taken between the blocks: from the
spread of their means, with Student's t. Only whole blocks are balanced: a part of one
counts as a block too, and as a rule makes the error larger.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import bdtr, bdtrik

if TYPE_CHECKING:
    from numpy.typing import NDArray

Z95 = 1.959963984540054


def wilson(n_yes: int, n: int, z: float = Z95) -> tuple[float, float]:
    """The Wilson score interval of a probability.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
    JASA 22 (1927), doi:10.1080/01621459.1927.10502953.

    Examples
    --------
    >>> low, high = wilson(8, 10)
    >>> round(low, 4), round(high, 4)
    (0.4902, 0.9433)
    """
    if n == 0:
        return 0.0, 1.0
    share = n_yes / n
    scale = 1.0 + z * z / n
    center = (share + z * z / (2 * n)) / scale
    half = z / scale * math.sqrt(share * (1.0 - share) / n + z * z / (4 * n * n))
    return max(0.0, center - half), min(1.0, center + half)


def tango(n_up: int, n_down: int, n: int) -> tuple[float, float]:
    """The score interval of the difference of two paired probabilities.

    Of `n` pairs `n_up` are yes only under the counterfactual, `n_down` only under the
    baseline. T. Tango, "Equivalence test and confidence interval for the difference in
    proportions for the paired-sample design", Statistics in Medicine 17 (1998),
    doi:10.1002/(SICI)1097-0258(19980430)17:8<891::AID-SIM780>3.0.CO;2-B. It never has zero
    width: where no pair differs it is z^2 / (n + z^2) to either side.

    Examples
    --------
    >>> [round(x, 4) for x in tango(14, 5, 50)]
    [0.0098, 0.3435]
    """
    from scipy.optimize import bisect

    if not n:
        return -1.0, 1.0
    center = (n_up - n_down) / n

    def beyond(difference: float) -> float:
        return _tango_score(n_up, n_down, n, difference) - Z95

    # The score is infinite at the far ends, so that only bisection will do.
    low, high = (
        center if center == end else bisect(beyond, end, center, xtol=1e-15) for end in (-1.0, 1.0)
    )
    return low, high


def _tango_score(n_up: int, n_down: int, n: int, difference: float) -> float:
    """How many standard errors the sample lies off a difference of probabilities."""
    # The likeliest probability of "down" under that difference (Tango 1998, section 3).
    a, c = 2.0 * n, -n_down * difference * (1.0 - difference)
    b = -n_up - n_down + (2.0 * n - n_up + n_down) * difference
    down = max(0.0, -difference, (math.sqrt(max(0.0, b * b - 4.0 * a * c)) - b) / (2.0 * a))
    variance = n * (2.0 * down + difference * (1.0 - difference))
    off = abs(n_up - n_down - n * difference)
    return math.inf if variance <= 0.0 < off else off / math.sqrt(variance) if off else 0.0


def fieller(
    above: NDArray[np.float64],
    below: NDArray[np.float64],
    blocks: NDArray[np.integer] | None = None,
) -> tuple[float, float]:
    """The interval of a ratio of paired means; nan where it has no bound.

    E. C. Fieller, "Some problems in interval estimation", JRSS B 16 (1954),
    doi:10.1111/j.2517-6161.1954.tb00159.x. It has bounds exactly where the interval of
    the mean below excludes 0.

    Examples
    --------
    >>> low, high = fieller(np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 6.0]))
    >>> round(low, 9), round(high, 9)
    (0.5, 0.5)
    """
    units, z = np.stack([above, below]), Z95
    if blocks is not None:
        units = np.stack([block_means(each, blocks) for each in units])
    n = units.shape[1]
    if n < 2:
        return math.nan, math.nan
    if blocks is not None:
        z = student(n)
    # Ends of the ratios r at which (x - r y)^2 is z^2 times its variance: a quadratic in r.
    spread = z * z * np.cov(units) / n
    x, y = float(above.mean()), float(below.mean())
    a, b, c = y * y - spread[1, 1], x * y - spread[0, 1], x * x - spread[0, 0]
    if not a > 0.0:
        return math.nan, math.nan
    root = math.sqrt(max(0.0, b * b - a * c))
    return float((b - root) / a), float((b + root) / a)


def student(n: int) -> float:
    """Half the width of the interval of a mean of n numbers, in its standard errors.

    Examples
    --------
    >>> round(student(10), 4)
    2.2622
    """
    from scipy.special import stdtrit

    return float(stdtrit(n - 1, 0.975))


def standard_error(values: NDArray[np.float64]) -> float:
    """The standard error of a mean of independent numbers; nan of fewer than two."""
    n = len(values)
    return float(np.std(values, ddof=1)) / math.sqrt(n) if n > 1 else math.nan


def block_means(values: NDArray[np.float64], blocks: NDArray[np.integer]) -> NDArray[np.float64]:
    """The mean of the values of each block, in the order of the blocks' numbers."""
    _, place = np.unique(blocks, return_inverse=True)
    return np.asarray(np.bincount(place, weights=values) / np.bincount(place))


def error_between(values: NDArray[np.float64], blocks: NDArray[np.integer]) -> tuple[float, float]:
    """The error of a mean by the spread of block means, and half of its interval."""
    means = block_means(values, blocks)
    error = standard_error(means)
    return error, error if math.isnan(error) else student(len(means)) * error


def share_between(share: float, half: float, n_blocks: int) -> tuple[float, float]:
    """The interval of a probability between blocks.

    Blocks that all say never (or always) have no spread. They are then yes/no's of their
    own: the probability is at most that of a block with a yes in it.
    """
    if math.isnan(half):
        return 0.0, 1.0
    if share in {0.0, 1.0}:
        return wilson(int(share) * n_blocks, n_blocks)
    return max(0.0, share - half), min(1.0, share + half)


def rank_correlation_interval(rho: float, n: int) -> tuple[float, float]:
    """The interval of Spearman's correlation of n pairs, after Fisher's transform.

    Its variance there is (1 + rho^2 / 2) / (n - 3): D. G. Bonett and T. A. Wright (2000),
    doi:10.1007/BF02294183.
    """
    inside = min(max(rho, -1.0 + 1e-12), 1.0 - 1e-12)
    half = Z95 * math.sqrt((1.0 + rho**2 / 2.0) / (n - 3.0))
    return math.tanh(math.atanh(inside) - half), math.tanh(math.atanh(inside) + half)


def median_between(values: NDArray[np.float64]) -> tuple[float, float]:
    """The interval of a median by order statistics; infinite where it ends among the censored.

    H. A. David and H. N. Nagaraja, "Order Statistics" (2003), section 7.1: of n sorted values
    that of rank k and the one as far from the other end hold the median between them with at
    least the probability that a binomial of n and a half lies from k to n - k.

    Examples
    --------
    >>> median_between(np.arange(1.0, 101.0))
    (40.0, 61.0)
    """
    ranked = np.sort(values)
    n = len(ranked)
    if n == 0:
        return -math.inf, math.inf
    # The least k at which the binomial's distribution function is 2.5 %: by its inverse, which
    # rounding may leave one too far. (The distributions of scipy.stats take .4 s to import.)
    rank = math.ceil(bdtrik(0.025, n, 0.5))
    if rank > 0 and bdtr(rank - 1, n, 0.5) >= 0.025:
        rank -= 1
    if rank == 0:
        return -math.inf, math.inf
    return float(ranked[rank - 1]), float(ranked[n - rank])
