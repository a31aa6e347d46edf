"""The withdrawals that are looked at, and events by country and month as published on a date."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from simlib.errors import SimlibError
from simlib.evidence.history.csv_text import read_table
from simlib.evidence.panels import CountPanel, Unit
from simlib.scenario import bundled
from simlib.scenario.wording import listed

ALL, STATE_BASED = "events", "state_based_events"
"""Series of the record: all organized violence; battles in which a state is a side."""
COLUMNS = ("country", "month", STATE_BASED, ALL)
PUBLISHED_IN = 7
"""Month of the year from which on the year before is taken as published."""
VINTAGE = "UCDP GED, final yearly release"


class AnalogueError(SimlibError):
    """The record of analogues is wrong, or says nothing about what is asked."""


def record_path() -> Path:
    """Tell where the record stands, ``seeds/history/analogues_monthly.csv``."""
    return bundled.folder("seeds") / "history" / "analogues_monthly.csv"


def last_published(as_of: dt.date) -> np.datetime64:
    """Tell the last month that a yearly release of a date holds.

    Examples
    --------
    >>> str(last_published(dt.date(2024, 12, 31)))
    '2023-12'
    """
    years_ago = 1 if as_of.month >= PUBLISHED_IN else 2
    return np.datetime64(f"{as_of.year - years_ago:04d}-12", "M")


def read_record(as_of: dt.date, path: Path | None = None) -> CountPanel:
    """Read events by country, series and month that were published on a date.

    From a file of the columns `COLUMNS`, the bundled record when not given. It is refused when
    it cannot be read, a row is wrong, or nothing was published by then.
    """
    file = record_path() if path is None else path
    table = read_table(file, COLUMNS, AnalogueError)
    if table.header != COLUMNS:
        got = listed(table.header)
        raise AnalogueError(f"{table.file}: columns must be {', '.join(COLUMNS)} (got {got})")
    found = table.by_month("country", *COLUMNS[2:])
    countries = sorted({country for country, _ in found})
    until = last_published(as_of)
    months = sorted({month for _, month in found if month <= until})
    if not months:
        raise AnalogueError(f"{file}: nothing was published by {as_of} (got no month to {until})")
    missing = [(c, m) for c in countries for m in months if (c, m) not in found]
    if missing:
        raise AnalogueError(f"{file}: no row of {missing[0][0]}, {missing[0][1]}")
    units = tuple(Unit(country, series, "") for country in countries for series in COLUMNS[2:])
    by_country = [np.array([found[country, m] for m in months]).T for country in countries]
    return CountPanel(units, np.array(months), np.concatenate(by_country), VINTAGE)


@dataclass(frozen=True, slots=True)
class Case:
    """A withdrawal of a foreign force from a country.

    Attributes
    ----------
    name
        Name of its scenario, or of the case where it has none.
    country
        As the record spells it.
    exit_on
        The day of the exit; its month belongs neither to before nor to after.
    has_scenario
        Whether a bundled scenario of that name describes it.
    is_pooled
        Whether it informs the effect of a withdrawal.
    is_exit
        Whether windows around it are kept out of the placebos.
    why
        Why it is pooled, or not.
    """

    name: str
    country: str
    exit_on: dt.date
    has_scenario: bool
    is_pooled: bool
    is_exit: bool
    why: str

    @property
    def month(self) -> np.datetime64:
        """The calendar month of the exit."""
        return np.datetime64(self.exit_on, "M")


@dataclass(frozen=True, slots=True)
class Analogues:
    """What is looked at, and what is believed of a withdrawal here beforehand.

    Attributes
    ----------
    cases
        In the order of tables.
    prior
        Of the effect, as a scenario spells it.
    unseen
        Another prior: as if the cases had not been looked at.
    year_sd
        Log-sd of one observed year here about its mean.
    """

    cases: tuple[Case, ...]
    prior: Mapping[str, Mapping[str, float]]
    unseen: Mapping[str, Mapping[str, float]]
    year_sd: float
