"""What a set of replications says of an outcome, with its Monte Carlo error.

Where replications come in blocks that are independent of one another, but are not
independent within one (a Latin hypercube), errors are taken between the blocks: from the
spread of their means, with Student's t. Only whole blocks are balanced: a part of one
counts as a block too, and as a rule makes the error larger.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Z95 = 1.959963984540054
QUANTILES = (0.05, 0.5, 0.95)


@dataclass(frozen=True, slots=True)
class Summary:
    """One line of an outcome table.

    Attributes
    ----------
    outcome, category
        The outcome; the class, for outcomes that are classes, else empty.
    kind
        ``number``, ``flag`` or ``class``.
    n, n_asked
        Replications it rests on; replications asked for, with those that failed.
    n_censored
        Replications in which it was not settled by the horizon (nan).
    mean
        Mean, or probability; nan where nothing was observed.
    mc_error
        Its Monte Carlo standard error.
    low, high
        95 % interval of the mean (normal) or of the probability (Wilson); between blocks
        Student's.
    q05, q50, q95
        Quantiles over replications; infinite where they fall among the censored.
    """

    outcome: str
    category: str
    kind: str
    unit: str
    n: int
    n_asked: int
    n_censored: int
    mean: float
    mc_error: float
    low: float
    high: float
    q05: float = math.nan
    q50: float = math.nan
    q95: float = math.nan

    @property
    def shown(self) -> str:
        """The estimate as text: a probability that was never seen has only a bound."""
        if self.kind == "number" or not self.n:
            return with_error(self.mean, self.mc_error) if self.n else "none observed"
        if self.mean == 0.0:
            return f"< 3/{self.n}"
        return f"{self.mean:.3f} ({self.low:.3f} to {self.high:.3f})"


def wilson(n_yes: int, n: int, z: float = Z95) -> tuple[float, float]:
    """Return the Wilson score interval of a probability.

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


def of_number(
    name: str,
    unit: str,
    values: NDArray[np.float64],
    n_asked: int,
    *,
    blocks: NDArray[np.integer] | None = None,
) -> Summary:
    """Sum up a number; nan is censored.

    Parameters
    ----------
    blocks
        Block of each value, where errors are to be taken between blocks.
    """
    is_seen = ~np.isnan(values)
    seen = values[is_seen]
    n_censored = len(values) - len(seen)
    n = len(seen)
    mean = float(np.mean(seen)) if n else math.nan
    if blocks is None:
        error = float(np.std(seen, ddof=1)) / math.sqrt(n) if n > 1 else math.nan
        half = Z95 * error
    else:
        error, half = _between(seen, blocks[is_seen])
    quantiles = [math.nan] * 3
    if len(values):
        # What is censored comes later than everything seen; a quantile cannot lie between.
        ranked = np.where(np.isnan(values), np.inf, values)
        method: Literal["inverted_cdf", "linear"] = "inverted_cdf" if n_censored else "linear"
        quantiles = [float(np.quantile(ranked, q, method=method)) for q in QUANTILES]
    return Summary(
        name, "", "number", unit, n, n_asked, n_censored,
        mean, error, mean - half, mean + half, *quantiles,
    )  # fmt: skip


def of_flag(
    name: str,
    values: NDArray[np.float64],
    n_asked: int,
    *,
    blocks: NDArray[np.integer] | None = None,
) -> Summary:
    """Sum up a yes/no kept as 1/0; `blocks` as in `of_number`."""
    is_seen = ~np.isnan(values)
    is_yes = values[is_seen] != 0
    own_blocks = None if blocks is None else blocks[is_seen]
    n_censored = len(values) - len(is_yes)
    return _probability((name, "", "flag"), is_yes, own_blocks, n_asked, n_censored)


def of_classes(
    name: str,
    classes: Sequence[str],
    values: Sequence[str],
    n_asked: int,
    *,
    blocks: NDArray[np.integer] | None = None,
) -> list[Summary]:
    """Sum up an outcome that is a class: a line for each class, declared ones first.

    `blocks` is as in `of_number`.
    """
    others = sorted(set(values) - set(classes))
    rows = []
    for category in (*classes, *others):
        is_yes = np.array([value == category for value in values], dtype=np.bool_)
        rows.append(_probability((name, category, "class"), is_yes, blocks, n_asked, 0))
    return rows


def number(value: float) -> str:
    """Return a number as short text: whole, or with three significant digits.

    Examples
    --------
    >>> number(1234.5), number(12.34), number(12.0), number(0.01234), number(float("inf"))
    ('1,234', '12.3', '12', '0.0123', '> end')
    """
    if math.isnan(value):
        return "-"
    if math.isinf(value):
        return "> end"
    if abs(value) >= 100 or value == round(value):
        return f"{value:,.0f}"
    return f"{value:,.{_decimals(value, 3)}f}"


def with_error(mean: float, error: float) -> str:
    """Return a mean with its error, both to the error's second digit.

    Examples
    --------
    >>> with_error(29.9849, 1.1722), with_error(8123.4, 219.0), with_error(3.0, 0.0)
    ('30.0 ± 1.2', '8,123 ± 219', '3 ± 0')
    """
    if math.isnan(error) or error == 0.0:
        return f"{number(mean)} ± {number(error)}"
    decimals = _decimals(error, 2)
    return f"{mean:,.{decimals}f} ± {error:,.{decimals}f}"


def _decimals(value: float, digits: int) -> int:
    return min(max(digits - 1 - math.floor(math.log10(abs(value))), 0), 8)


def _probability(
    what: tuple[str, str, str],
    is_yes: NDArray[np.bool_],
    blocks: NDArray[np.integer] | None,
    n_asked: int,
    n_censored: int,
) -> Summary:
    n, n_yes = len(is_yes), int(np.count_nonzero(is_yes))
    share = n_yes / n if n else math.nan
    if blocks is None:
        error = math.sqrt(share * (1.0 - share) / n) if n else math.nan
        low, high = wilson(n_yes, n)
    else:
        error, half = _between(is_yes.astype(np.float64), blocks)
        low, high = _share_between(share, half, len(np.unique(blocks)))
    return Summary(*what, "", n, n_asked, n_censored, share, error, low, high)


def _between(values: NDArray[np.float64], blocks: NDArray[np.integer]) -> tuple[float, float]:
    """Return the error of a mean by the spread of block means, and half of its interval."""
    _, place = np.unique(blocks, return_inverse=True)
    sizes = np.bincount(place)
    n_blocks = len(sizes)
    if n_blocks < 2:
        return math.nan, math.nan
    from scipy.special import stdtrit

    means = np.bincount(place, weights=values) / sizes
    error = float(np.std(means, ddof=1)) / math.sqrt(n_blocks)
    return error, float(stdtrit(n_blocks - 1, 0.975)) * error


def _share_between(share: float, half: float, n_blocks: int) -> tuple[float, float]:
    """Return the interval of a probability between blocks.

    Blocks that all say never (or always) have no spread. They are then yes/no's of their
    own: the probability is at most that of a block with a yes in it.
    """
    if math.isnan(half):
        return 0.0, 1.0
    if share in {0.0, 1.0}:
        return wilson(int(share) * n_blocks, n_blocks)
    return max(0.0, share - half), min(1.0, share + half)
