"""Totals by country and month, and since when each year was out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from simlib.evidence.history.csv_text import read_table
from simlib.evidence.history.mapping import EventMapping, load_mapping
from simlib.evidence.history.parsing import counts_of, months_of
from simlib.evidence.history.refusals import HistoryError, LeakError

if TYPE_CHECKING:
    import datetime as dt
    import os
    from collections.abc import Mapping

    import pandas as pd

COUNTS = (
    *("events", "deaths_best", "deaths_high", "deaths_civilians"),
    *("state_based_events", "non_state_events", "one_sided_events"),
)


def load_country_months(
    path: str | os.PathLike[str],
    *,
    as_of: dt.date | None = None,
    mapping: EventMapping | Mapping[str, Any] | str | os.PathLike[str] | None = None,
) -> pd.DataFrame:
    """Read totals of the final yearly release by country and month.

    Parameters
    ----------
    path
        A table with the columns ``country``, ``month`` (YYYY-MM) and `COUNTS`.
    as_of
        Refuse what was not known by then. A year counts as published when its final release
        came out (``final_release`` of the mapping, in the next year), in whatever later
        release it is read.
    mapping
        See `load_mapping`.

    Returns
    -------
    DataFrame
        ``row``, ``country``, ``month`` (first day), `COUNTS`, ``published``.

    Raises
    ------
    HistoryError
        The table is wrong.
    LeakError
        A row is of a later month, or of a year that was not out in final form.
    """
    import pandas as pd

    text = read_table(Path(path), {"country", "month", *COUNTS})
    missing = [name for name in ("country", "month", *COUNTS) if name not in text.columns]
    if missing:
        raise HistoryError(f"{text.file}: row 1: column must be given: {missing[0]}")
    frame = pd.DataFrame({"row": text.rows, "country": text.columns["country"]})
    frame["month"] = pd.Series(months_of(text, "month").astype("datetime64[s]"))
    for name in COUNTS:
        frame[name] = counts_of(text, name)
    final_day = load_mapping(mapping).final_release
    next_year = (frame["month"].dt.year + 1).astype(str)
    frame["published"] = pd.to_datetime(next_year + "-" + final_day)
    if as_of is not None:
        _require_known(text.file, frame, as_of)
    return frame


def _require_known(file: str, frame: pd.DataFrame, as_of: dt.date) -> None:
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
