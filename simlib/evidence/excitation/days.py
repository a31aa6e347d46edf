"""Counts by day of one series in one regime."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simlib.errors import SimlibError

if TYPE_CHECKING:
    from numpy.typing import NDArray


class ExcitationError(SimlibError):
    """Daily counts that no excitation can be fitted to."""


@dataclass(frozen=True, slots=True)
class DailyCounts:
    """Events by calendar day.

    Attributes
    ----------
    series
        Such as ``raids_north``.
    regime
        What kept together: a name for the period.
    vintage
        Release of the events.
    first
        First day, ``datetime64[D]``.
    counts
        Events on each consecutive day, shape (n_days,).
    """

    series: str
    regime: str
    vintage: str
    first: np.datetime64
    counts: NDArray[np.int64]

    def __post_init__(self) -> None:
        """Refuse counts without events.

        Raises
        ------
        ExcitationError
            There are fewer than two events, or a count is negative.
        """
        if self.counts.ndim != 1 or (self.counts < 0).any() or self.counts.sum() < 2:
            raise ExcitationError(
                f"{self.series} {self.regime}: counts must be >= 0, with two events or more "
                f"(got {int(self.counts.sum())} events in {self.counts.shape} days)"
            )

    @property
    def n_events(self) -> int:
        """Events in all."""
        return int(self.counts.sum())

    @property
    def days(self) -> NDArray[np.datetime64]:
        """Calendar days, shape (n_days,)."""
        return self.first + np.arange(len(self.counts))

    def blocks(self, months: int) -> NDArray[np.int64]:
        """Return the block of each day, numbered from 0, of so many calendar months each.

        Parameters
        ----------
        months
            Calendar months in a block, at least 1.
        """
        month = self.days.astype("datetime64[M]").astype(np.int64)
        return np.asarray((month - month[0]) // months, dtype=np.int64)


def daily_counts(
    dates: NDArray[np.datetime64],
    span: tuple[np.datetime64, np.datetime64],
    *,
    series: str,
    regime: str,
    vintage: str,
) -> DailyCounts:
    """Count dates by day.

    Parameters
    ----------
    dates
        One for each event; those outside the span are left out.
    span
        First and last day.
    series, regime, vintage
        What the counts are of.

    Raises
    ------
    ExcitationError
        Fewer than two events are left.
    """
    first, last = np.array(span, dtype="datetime64[D]")
    n_days = int((last - first).astype(np.int64)) + 1
    place = (dates.astype("datetime64[D]") - first).astype(np.int64)
    inside = place[(place >= 0) & (place < n_days)]
    counts = np.bincount(inside, minlength=n_days).astype(np.int64)
    return DailyCounts(series, regime, vintage, first, counts)
