"""The as-of barrier: what was not known on a date is not read.

A forecast made on a date may use what is dated and published by then and nothing else. The
barrier refuses; it never drops a row by itself. To drop is a choice of its own, `known`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from simlib.evidence.history.csv_text import LeakError, read_table
from simlib.evidence.history.event_files import Events, combine_events, load_events
from simlib.evidence.history.mapping import MappingLike, load_mapping

if TYPE_CHECKING:
    import datetime as dt
    import os
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray


COUNTRY_COUNTS = (
    *("events", "deaths_best", "deaths_high", "deaths_civilians"),
    *("state_based_events", "non_state_events", "one_sided_events"),
)


@dataclass(frozen=True, slots=True)
class Known:
    """What of a history was known on a date, and how many rows were not."""

    events: Events
    n_left_out: int


def calibration_events(
    paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    as_of: dt.date,
    *,
    mapping: MappingLike | None = None,
) -> Events:
    """Read event files for a calibration: the one way in.

    Parameters
    ----------
    paths
        A file, or several that do not overlap.
    as_of
        The date of the forecast.
    mapping
        What rows mean; see `load_mapping`.

    Raises
    ------
    LeakError
        A row is dated or published later than `as_of`, or nobody knows when it came out.
    HistoryError
        A file is wrong.
    """
    many = [paths] if isinstance(paths, str) or not hasattr(paths, "__iter__") else paths
    events = combine_events([load_events(path, mapping=mapping) for path in many])
    require_known(events, as_of)
    return events


def require_known(events: Events, as_of: dt.date) -> None:
    """Refuse events that were not known on a date.

    Raises
    ------
    LeakError
        Names the first such row: file, row, event, and which of its dates is too late.
    """
    is_late = _late(events.table, as_of)
    if is_late.any():
        row = events.table.iloc[int(is_late.argmax())]
        rest = int(is_late.sum()) - 1
        more = f"; {rest} more rows" if rest else ""
        raise LeakError(
            f"{row['file']}: row {row['row']}: event {row['event']} {_reason(row, as_of)}{more}"
        )


def known(events: Events, as_of: dt.date) -> Known:
    """Leave out what was not known on a date, and say how many rows that is."""
    is_late = _late(events.table, as_of)
    table = events.table[~is_late].reset_index(drop=True)
    left = events.table.loc[is_late, ["file", "row"]]
    gone = set(zip(left["file"], left["row"], strict=True))
    pairs = zip(events.unmapped["file"], events.unmapped["row"], strict=True)
    is_kept = [pair not in gone for pair in pairs]
    unmapped = events.unmapped[is_kept].reset_index(drop=True)
    return Known(Events(table, unmapped), int(is_late.sum()))


def as_if_published(events: Events, lag_months: int) -> Events:
    """Date events as if each month had come out a fixed number of months after its end.

    Back-tests stand at dates before the release at hand was out. What they assume instead is
    stated in ``vintage``: a later, better release is read as if it had come month by month.

    Parameters
    ----------
    events
        The history.
    lag_months
        Months from the end of an event's month to its publication, >= 0.

    Raises
    ------
    ValueError
        The lag is negative.
    """
    if lag_months < 0:
        raise ValueError(f"lag_months must be >= 0 (got {lag_months})")
    months = events.table["date_end"].to_numpy().astype("datetime64[M]")
    after = (months + np.timedelta64(lag_months + 1, "M")).astype("datetime64[D]")
    table = events.table.assign(
        published=(after - np.timedelta64(1, "D")).astype("datetime64[s]"),
        vintage=events.table["vintage"] + f", as if published after {lag_months} months",
    )
    return Events(table, events.unmapped)


def _late(table: pd.DataFrame, as_of: dt.date) -> NDArray[np.bool_]:
    """Tell which rows are dated or published later; unknown publication is later."""
    day = np.datetime64(as_of)
    is_dated_later = (table["date"] > day) | (table["date_end"] > day)
    is_known: NDArray[np.bool_] = (~is_dated_later & (table["published"] <= day)).to_numpy()
    return ~is_known


def _reason(row: pd.Series[Any], as_of: dt.date) -> str:
    day = np.datetime64(as_of)
    reasons = []
    if row["date"] > day:
        reasons.append(f"is dated {row['date'].date()}")
    elif row["date_end"] > day:
        reasons.append(f"is dated to end {row['date_end'].date()}")
    if row["published"] > day:
        reasons.append(f"was published {row['published'].date()}")
    if reasons:
        return f"{' and '.join(reasons)}, later than {as_of}"
    return "has no known date of publication; name its release in the mapping"


def load_country_months(
    path: str | os.PathLike[str],
    *,
    as_of: dt.date | None = None,
    mapping: MappingLike | None = None,
) -> pd.DataFrame:
    """Read totals of the final yearly release by country and month.

    Parameters
    ----------
    path
        A table with the columns ``country``, ``month`` (YYYY-MM) and `COUNTRY_COUNTS`.
    as_of
        Refuse what was not known by then. A year counts as published when its final release
        came out (``final_release`` of the mapping, in the next year), in whatever later
        release it is read.
    mapping
        See `load_mapping`.

    Returns
    -------
    DataFrame
        ``row``, ``country``, ``month`` (first day), `COUNTRY_COUNTS`, ``published``.

    Raises
    ------
    HistoryError
        The table is wrong.
    LeakError
        A row is of a later month, or of a year that was not out in final form.
    """
    import pandas as pd

    text = read_table(Path(path), {"country", "month", *COUNTRY_COUNTS})
    text.require("country", "month", *COUNTRY_COUNTS)
    frame = pd.DataFrame({"row": text.rows, "country": text.columns["country"]})
    frame["month"] = pd.Series(text.months("month").astype("datetime64[s]"))
    for name in COUNTRY_COUNTS:
        frame[name] = text.counts(name)
    final_day = load_mapping(mapping).final_release
    next_year = (frame["month"].dt.year + 1).astype(str)
    frame["published"] = pd.to_datetime(next_year + "-" + final_day)
    if as_of is not None:
        _require_final(text.file, frame, as_of)
    return frame


def _require_final(file: str, frame: pd.DataFrame, as_of: dt.date) -> None:
    months = frame["month"].to_numpy().astype("datetime64[M]")
    is_future = months >= np.datetime64(as_of) + 1
    is_late = is_future | (frame["published"] > np.datetime64(as_of)).to_numpy()
    if is_late.any():
        row = frame.iloc[int(is_late.argmax())]
        name = f"{row['country']} {row['month']:%Y-%m}"
        raise LeakError(
            f"{file}: row {row['row']}: {name} was published in final form "
            f"{row['published'].date()}, later than {as_of}; {int(is_late.sum()) - 1} more rows"
        )
