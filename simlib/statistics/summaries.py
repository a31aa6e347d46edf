"""What a set of replications says of an outcome, with its Monte Carlo error."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from simlib.statistics.formatting import estimate, share, supported
from simlib.statistics.intervals import (
    Z95,
    error_between,
    share_between,
    standard_error,
    wilson,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

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
        """The estimate as text, with its interval and no more digits than that supports.

        A probability that was never seen has only a bound. Where some are not settled, the
        median and the share of these stand instead of a mean of the others.
        """
        if not self.n:
            return "none observed"
        if self.kind != "number":
            is_never = self.mean == 0.0
            return f"< 3/{self.n}" if is_never else share(self.mean, self.low, self.high)
        return self._median_shown() if self.n_censored else estimate(self.mean, self.low, self.high)

    def _median_shown(self) -> str:
        n = self.n + self.n_censored
        still = share(self.n_censored / n, *wilson(self.n_censored, n))
        if math.isinf(self.q50):
            return f"half or more open: {still}"
        # The error of a median of normal numbers is sqrt(pi / 2) times that of their mean.
        half = Z95 * math.sqrt(math.pi / 2.0) * self.mc_error
        (middle,) = supported(-half, half, self.q50)
        return f"median {middle}; open: {still}"


def of_number(
    name: str,
    unit: str,
    values: NDArray[np.float64],
    n_asked: int,
    *,
    blocks: NDArray[np.integer] | None = None,
    is_later: bool = True,
) -> Summary:
    """Sum up a number; nan is censored. Given each value's block, errors are between blocks.

    What is censored `is_later` than everything seen, as a date is; else nothing is known of it.
    """
    is_seen = ~np.isnan(values)
    seen = values[is_seen]
    n_censored = len(values) - len(seen)
    n = len(seen)
    mean = float(np.mean(seen)) if n else math.nan
    if blocks is None:
        error = standard_error(seen)
        half = Z95 * error
    else:
        error, half = error_between(seen, blocks[is_seen])
    quantiles = [math.nan] * 3
    ranked = np.where(is_seen, values, np.inf) if is_later else seen
    if len(ranked):
        # What is censored comes later than everything seen; a quantile cannot lie between.
        is_mixed = is_later and n_censored
        method: Literal["inverted_cdf", "linear"] = "inverted_cdf" if is_mixed else "linear"
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
        error, half = error_between(is_yes.astype(np.float64), blocks)
        low, high = share_between(share, half, len(np.unique(blocks)))
    return Summary(*what, "", n, n_asked, n_censored, share, error, low, high)
