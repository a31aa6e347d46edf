"""Tables of chunks as NumPy arrays and as DataFrames, however they are cut into chunks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from simlib.ensemble.store.chunks import arrow, joined, positions
from simlib.journal import EPOCH, MARKS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from simlib.ensemble.store.entries import Entry

COLUMNS = {
    "monthly": ("month", "type", "place", "count"),
    "decisions": (
        *("time", "agent", "name", "place", "taken", "probability"),
        *("cause_kind", "cause", "cause_row", "value"),
    ),
    "milestones": ("milestone", "agreed", "date_moved", "classification", "completed_at"),
    "failures": ("agent", "date", "error", "traceback"),
    "incidents": ("row", "time", "type", "place", "target", "parent", "opener", *MARKS),
}
"""Columns beside ``replication``, for a table of no row: it may lack them in a file."""
DATES = {
    "decisions": {"time": "date"},
    "milestones": {"agreed": "agreed_on", "date_moved": "moved_to", "completed_at": "completed_on"},
    "incidents": {"time": "date"},
}
"""The day that stands beside each time of a table, by the time's column; it is not stored."""


def frame(table: str, parts: Iterable[Any]) -> pd.DataFrame:
    """Arrow tables, one below the other, as a DataFrame indexed by replication.

    The name of the table tells the columns where there is no row, and which are times: their
    days stand beside them.
    """
    filled = [part for part in parts if part.num_rows]
    rows = joined(filled) if filled else _empty(table)
    found = rows.to_pandas(use_threads=False)
    for name in found.columns[found.dtypes == "category"]:
        # Text as text: the categories of different chunks would not compare.
        found[name] = found[name].astype(str).where(found[name].notna(), None)
    # Pandas turns numbers in a row into a range of int64; a gap must not change the type.
    indexed = found.astype({"replication": np.int64}).set_index("replication")
    return with_dates(indexed, DATES.get(table, {}))


def with_dates(frame: pd.DataFrame, named: Mapping[str, str]) -> pd.DataFrame:
    """A table with the day of each of its times beside it; none where it never comes.

    Parameters
    ----------
    frame
        The table; times are days since 2000-01-01, infinite or nan where there is none.
    named
        The name of each day's column, by the column of its time.
    """
    days = {}
    for time, name in named.items():
        times = frame[time].to_numpy(dtype=np.float64)
        is_dated = np.isfinite(times)
        whole = np.floor(np.where(is_dated, times, 0.0)).astype(np.int64)
        dates = np.datetime64(EPOCH, "D") + whole
        days[name] = np.where(is_dated, dates, np.datetime64("NaT")).astype("datetime64[s]")
    return frame.assign(**days)


TOGETHER = 128
"""Tables that are put together at most, so that few rows each cost no more than many."""


def together(tables: Iterable[Any]) -> Iterator[Any]:
    """Iterate over tables put together, those that follow each other and have the same columns."""
    held: list[Any] = []
    for table in tables:
        if held and (len(held) == TOGETHER or table.schema != held[0].schema):
            yield joined(held)
            held = []
        held.append(table)
    if held:
        yield joined(held)


def numbers(rows: Any, name: str) -> NDArray[np.float64]:
    """A column of numbers; nan where it has no value or is not there."""
    column = _column(rows, name)
    if column is None:
        return np.full(rows.num_rows, np.nan)
    found: NDArray[np.float64] = column.to_numpy().astype(np.float64, copy=False)
    return found


def codes(rows: Any, name: str, known: dict[str, int]) -> NDArray[np.int32]:
    """The code of each entry of a column of text, which may be missing, and -1 for none.

    Text that is met for the first time is added to what is known.
    """
    found = np.full(rows.num_rows, -1, dtype=np.int32)
    column = _column(rows, name)
    if column is None or pa.types.is_floating(column.type):
        # A column without any text is one of missing numbers.
        return found
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    start = 0
    for part in column.chunks:
        texts = part.dictionary.to_pylist()
        # The last code is what a null points to.
        code = np.array([*(known.setdefault(text, len(known)) for text in texts), -1], np.int32)
        found[start : start + len(part)] = code[part.indices.fill_null(len(texts)).to_numpy()]
        start += len(part)
    return found


def kept(entry: Entry) -> NDArray[np.int32]:
    """The replications of a chunk that did not fail, in order; read only where some failed."""
    every = np.arange(entry.first, entry.stop, dtype=np.int32)
    if not entry.n_failed:
        return every
    return np.setdiff1d(every, entry.read("failures").column("replication").to_numpy())


def monthly_cells(
    rows: Any, places: Sequence[str], types: Sequence[str]
) -> tuple[NDArray[Any], ...]:
    """Rows of monthly counts as arrays; a table of no row may have no columns.

    They are the replication, the first day of the month, the positions of the place and of the
    type among all names there are, and the count.
    """
    if not rows.num_rows:
        rows = _empty("monthly")
    return (
        rows.column("replication").to_numpy(),
        rows.column("month").to_numpy().astype("datetime64[D]", copy=False),
        positions(rows.column("place"), places),
        positions(rows.column("type"), types),
        rows.column("count").to_numpy(),
    )


def _column(rows: Any, name: str) -> Any:
    # Not by `column_names`: that list of all columns is made anew each time.
    index = rows.schema.get_field_index(name)
    return None if index < 0 else rows.column(index)


def _empty(table: str) -> Any:
    return arrow(table, dict.fromkeys(("replication", *COLUMNS.get(table, ())), ()))
