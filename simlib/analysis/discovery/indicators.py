"""Indicators on published series: what could be read off them at a date, and rules on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simlib.statistics.formatting import number

if TYPE_CHECKING:
    from numpy.typing import NDArray

TRANSFORMS = {
    "level": "in the last month published",
    "sum_3": "over the last 3 months published",
    "change": "in the last month published, less those in the month before",
    "ratio_6": "over the last 3 months published, against the 3 months half a year before",
    "ratio_12": "over the last 3 months published, against the 3 months a year before",
}
"""Ratios have half an incident added above and below, so that none is divided by 0."""
_SIGNS = {"at_least": ">=", "at_most": "<="}


@dataclass(frozen=True, slots=True)
class Indicator:
    """A series, and what is computed from its months."""

    series: str
    transform: str


@dataclass(frozen=True, slots=True)
class Part:
    """An indicator and its threshold."""

    indicator: Indicator
    side: str
    """``at_least`` or ``at_most``."""
    threshold: float

    @property
    def shown(self) -> str:
        """The part as text."""
        words = f"{self.indicator.series} {TRANSFORMS[self.indicator.transform]}"
        return f"{words}, {_SIGNS[self.side]} {number(self.threshold)}"

    def holds(self, seen: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return where values meet it; where nothing is seen yet (nan) they do not."""
        met: NDArray[np.bool_]
        met = seen >= self.threshold if self.side == "at_least" else seen <= self.threshold
        return met


@dataclass(frozen=True, slots=True)
class Rule:
    """One part, or several that must hold at once."""

    parts: tuple[Part, ...]

    @property
    def shown(self) -> str:
        """The rule as text."""
        return " and ".join(part.shown for part in self.parts)


def by_month(published: NDArray[np.integer], transform: str) -> NDArray[np.float64]:
    """Return an indicator at each month from the counts up to it.

    Parameters
    ----------
    published
        Counts of one series, shape (n, n_months).
    transform
        One of `TRANSFORMS`.

    Returns
    -------
    Shape (n, n_months); nan in months that have too few before them.
    """
    counts: NDArray[np.float64] = published.astype(np.float64)
    if transform == "level":
        return counts
    if transform == "change":
        return _late(counts[:, 1:] - counts[:, :-1], counts)
    sums = counts[:, 2:] + counts[:, 1:-1] + counts[:, :-2]
    if transform == "sum_3":
        return _late(sums, counts)
    back = {"ratio_6": 6, "ratio_12": 12}[transform]
    return _late((sums[:, back:] + 0.5) / (sums[:, : max(0, sums.shape[1] - back)] + 0.5), counts)


def _late(values: NDArray[np.float64], counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return values as the last months of the counts, nan before."""
    padded = np.full(counts.shape, np.nan)
    if values.shape[1]:
        padded[:, -values.shape[1] :] = values
    return padded


def seen_at(
    values: NDArray[np.float64], known_at: NDArray[np.float64], dates: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return what could be read off a series at dates: its last month that was published.

    Parameters
    ----------
    values
        An indicator by month, shape (n, n_months).
    known_at
        When each month is published, in days, shape (n_months,).
    dates
        In days, shape (n_dates,).

    Returns
    -------
    Shape (n, n_dates); nan where no month was published yet.
    """
    n_known = np.searchsorted(known_at, dates, side="right")
    nothing = np.full((len(values), 1), np.nan)
    return np.hstack([nothing, values])[:, n_known]
