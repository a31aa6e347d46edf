"""Events by country and month, as far as they were published on a date."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np

from simlib.errors import SimlibError
from simlib.evidence.history.csv_text import read_table
from simlib.evidence.history.parsing import counts_of, months_of
from simlib.evidence.history.refusals import HistoryError
from simlib.evidence.panels import CountPanel, Unit
from simlib.scenario import bundled
from simlib.scenario.wording import listed

ALL, STATE_BASED = "events", "state_based_events"
"""Series of the record: all organized violence; battles in which a state is a side."""
COLUMNS = ("country", "month", STATE_BASED, ALL)
PUBLISHED_IN = 7
"""Month of the year from which on the year before is taken as published."""
MOST_BYTES = 2**24
"""Largest record that is read."""
VINTAGE = "UCDP GED, final yearly release"


class AnalogueError(SimlibError):
    """The record of analogues is wrong, or says nothing about what is asked."""


def record_path() -> Path:
    """Return where the record stands, ``seeds/history/analogues_monthly.csv``."""
    return bundled.folder("seeds") / "history" / "analogues_monthly.csv"


def last_published(as_of: dt.date) -> np.datetime64:
    """Return the last month of which a yearly release tells on a date.

    Examples
    --------
    >>> str(last_published(dt.date(2024, 12, 31)))
    '2023-12'
    """
    years_ago = 1 if as_of.month >= PUBLISHED_IN else 2
    return np.datetime64(f"{as_of.year - years_ago:04d}-12", "M")


def read_record(as_of: dt.date, path: Path | None = None) -> CountPanel:
    """Return events by country, series and month that were published on a date.

    Parameters
    ----------
    as_of
        Nothing of a year whose release came later is returned.
    path
        A file of the same columns; the bundled record when not given.

    Raises
    ------
    AnalogueError
        The file cannot be read, a row is wrong, or nothing was published by then.
    """
    file = record_path() if path is None else path
    found = _rows(file)
    countries = sorted({country for country, _ in found})
    until = last_published(as_of)
    months = sorted({month for _, month in found if month <= until})
    if not months:
        raise AnalogueError(f"{file}: nothing was published by {as_of} (got no month to {until})")
    missing = [(c, m) for c in countries for m in months if (c, m) not in found]
    if missing:
        raise AnalogueError(f"{file}: no row of {missing[0][0]}, {missing[0][1]}")
    units = tuple(Unit(country, series, "") for country in countries for series in COLUMNS[2:])
    counts = np.array([[found[u.country, m][u.series] for m in months] for u in units])
    return CountPanel(units, np.array(months), counts, VINTAGE)


def _rows(file: Path) -> dict[tuple[str, np.datetime64], dict[str, int]]:
    found: dict[tuple[str, np.datetime64], dict[str, int]] = {}
    try:
        table = read_table(file, COLUMNS)
        if table.header != COLUMNS:
            got = listed(table.header)
            raise AnalogueError(f"{table.file}: columns must be {', '.join(COLUMNS)} (got {got})")
        keys = zip(table.columns["country"], months_of(table, "month"), strict=True)
        counts = {name: counts_of(table, name).tolist() for name in COLUMNS[2:]}
    except HistoryError as error:
        raise AnalogueError(str(error)) from None
    for i, key in enumerate(keys):
        if key in found:
            where = f"{table.file}: row {table.rows[i]}"
            raise AnalogueError(f"{where}: {key[0]}, {key[1]} stands twice")
        found[key] = {name: column[i] for name, column in counts.items()}
    return found
