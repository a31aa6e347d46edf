"""Events by country and month, as far as they were published on a date."""

from __future__ import annotations

import csv
import datetime as dt
import io
from pathlib import Path

import numpy as np

from simlib.errors import SimlibError
from simlib.evidence.panels import CountPanel, Unit
from simlib.files import read_regular
from simlib.scenario import bundled

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
    data = read_regular(file, MOST_BYTES, raising=_unreadable)
    try:
        reader = csv.DictReader(io.StringIO(data.decode(), newline=""))
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise AnalogueError(
                f"{file}: columns must be {', '.join(COLUMNS)} (got {reader.fieldnames})"
            )
        for row in reader:
            where = f"{file}:{reader.line_num}"
            key = (row["country"], _month(row["month"], where))
            if key in found:
                raise AnalogueError(f"{where}: {key[0]}, {key[1]} stands twice")
            found[key] = {name: _count(row[name], name, where) for name in COLUMNS[2:]}
    except UnicodeDecodeError:
        raise AnalogueError(f"{file}: is no UTF-8 text") from None
    except csv.Error as error:
        raise AnalogueError(f"{file}: is no table with commas ({error})") from None
    return found


def _unreadable(file: Path, rule: str) -> AnalogueError:
    return AnalogueError(f"{file}: {rule}")


def _month(text: str, where: str) -> np.datetime64:
    try:
        return np.datetime64(dt.date.fromisoformat(f"{text}-01"), "M")
    except ValueError:
        raise AnalogueError(f"{where}: month must be YYYY-MM (got {text!r})") from None


def _count(text: str | None, name: str, where: str) -> int:
    if text is None or not text.isdecimal():
        raise AnalogueError(f"{where}: {name} must be a whole number >= 0 (got {text!r})")
    return int(text)
