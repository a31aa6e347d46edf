"""Reporting lags: how long after a month its count is published."""

from __future__ import annotations

import calendar
import datetime as dt
import statistics
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simlib.evidence.calibration.published_record import Record

LEAST = 3
"""Dated releases that a series must have for its lag to be measured."""


def month_lags(releases: Sequence[tuple[dt.date, dt.date, dt.date]]) -> list[int]:
    """Return days from the end of each month to the release that counts it.

    Parameters
    ----------
    releases
        First month, last month and date of publication of each.
    """
    return [
        (published - end).days
        for first, last, published in releases
        for end in _month_ends(first, last)
    ]


def fit_lags(record: Record) -> dict[str, tuple[float, str]]:
    """Return the median lag in days of each measured series, and what it rests on."""
    found = {}
    for series in record.dated_series():
        releases = record.publications(series)
        if len(releases) >= LEAST:
            days = month_lags(releases)
            text = (
                f"Median of {len(days)} months in {len(releases)} dated releases, "
                f"{min(days)} to {max(days)} days; as of {record.as_of}."
            )
            found[series] = (float(statistics.median(days)), text)
    return found


def _month_ends(first: dt.date, last: dt.date) -> list[dt.date]:
    ends = []
    year, month = first.year, first.month
    while (year, month) <= (last.year, last.month):
        ends.append(dt.date(year, month, calendar.monthrange(year, month)[1]))
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
    return ends
