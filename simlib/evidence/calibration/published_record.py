"""What a calibration may read: counts, register rows and dates known by a date, nothing later."""

from __future__ import annotations

import calendar
import datetime as dt
import os
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from simlib.chance.distributions import quantile
from simlib.errors import SimlibError
from simlib.evidence.fitted import Fitted
from simlib.evidence.history.barrier import calibration_events
from simlib.evidence.history.csv_text import LeakError
from simlib.evidence.history.shipped import shipped_panel
from simlib.evidence.history.tallies import panel
from simlib.scenario import load
from simlib.scenario.bundled import REGISTER, seed_table
from simlib.statistics.moments import digits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simlib.evidence.panels import CountPanel
    from simlib.scenario.schema import Scenario

RECENT = "Candidate 24.0"
N_POINTS = 12
"""Points that stand for a prior: its quantiles, equally weighted."""
LEAST_RELEASES = 3
"""Dated releases that a series must have for its lag to be measured."""
PAIRS, DATES = "history/reporting_pairs.csv", "history/publication_dates.csv"


class CalibrationError(SimlibError):
    """A calibration cannot be made from what it is given."""


@dataclass(frozen=True, eq=False)
class Record:
    """Everything a calibration reads.

    Attributes
    ----------
    as_of
        Nothing dated or published later is in it.
    base
        The scenario whose parameters are fitted; its distributions are the priors.
    lethal, rows
        Recent counts by unit and month: with a death or more, and all.
    """

    as_of: dt.date
    base: Scenario
    lethal: CountPanel
    rows: CountPanel

    @property
    def months(self) -> int:
        """Number of months of the recent counts."""
        return len(self.lethal.months)

    def monthly(self, series: str, *, lethal: bool = True) -> NDArray[np.int64]:
        """Sum the recent counts of a series over all places, shape (n_months,)."""
        source = self.lethal if lethal else self.rows
        is_of = [unit.series == series for unit in source.units]
        return np.asarray(source.counts[is_of].sum(axis=0))

    def by_place(self, series: str, places: Sequence[str]) -> NDArray[np.float64]:
        """Sum the recent lethal counts of a series at some places, shape (n_places,)."""
        return by_place(self.lethal, series, places)

    def figure(self, row_id: str) -> float:
        """Look up the central value of a row of the register."""
        for number, row in enumerate(seed_table(REGISTER), start=2):
            if row["id"] == row_id:
                _require(row["date"], self.as_of, f"{REGISTER}: row {number}: {row_id}")
                return float(row["central"])
        raise CalibrationError(f"{REGISTER}: no row {row_id}")

    def pairs(self, factor: str) -> list[tuple[float, float, str]]:
        """List numerator, denominator and label of a reporting factor's pairs."""
        found = []
        for number, row in enumerate(seed_table(PAIRS), start=2):
            if row["factor"] == factor:
                _require(row["published"], self.as_of, f"{PAIRS}: row {number}")
                label = f"{row['numerator']}/{row['denominator']} ({row['place']}, {row['period']})"
                found.append((float(row["numerator"]), float(row["denominator"]), label))
        return found

    def publications(self, series: str) -> list[tuple[dt.date, dt.date, dt.date]]:
        """List first month, last month and date of publication of a series' releases."""
        found = []
        for number, row in enumerate(seed_table(DATES), start=2):
            if row["series"] == series:
                _require(row["published"], self.as_of, f"{DATES}: row {number}")
                first, last = (
                    dt.date.fromisoformat(f"{row[key]}-01")
                    for key in ("period_start", "period_end")
                )
                found.append((first, last, dt.date.fromisoformat(row["published"])))
        return found

    def fitted(
        self, name: str, distribution: Mapping[str, Mapping[str, float]], data: str, method: str
    ) -> Fitted:
        """State what a fit says of a parameter, numbers rounded to four digits."""
        rounded = {
            kind: {key: digits(value) for key, value in arguments.items()}
            for kind, arguments in distribution.items()
        }
        unit = self.base.parameters[name].unit
        return Fitted(name, rounded, unit, data, method, self.as_of)

    def prior_points(self, name: str) -> NDArray[np.float64]:
        """Take the middle quantiles of a parameter's prior, each of weight 1 / N_POINTS."""
        kind, arguments = self._prior(name)
        shares = (np.arange(N_POINTS) + 0.5) / N_POINTS
        return np.array([quantile(kind, arguments, float(u)) for u in shares])

    def prior_median(self, name: str) -> float:
        """Take the median of a parameter's prior."""
        return quantile(*self._prior(name), 0.5)

    def support(self, name: str) -> tuple[float, float]:
        """Give the ends of a bounded prior."""
        _, arguments = self._prior(name)
        return arguments["low"], arguments["high"]

    def _prior(self, name: str) -> tuple[str, dict[str, float]]:
        ((kind, arguments),) = (self.base.parameters[name].distribution or {}).items()
        return kind, arguments

    def lags(self) -> dict[str, tuple[float, str]]:
        """Measure the median lag in days of each dated series, and say what it rests on."""
        found = {}
        for series in sorted({row["series"] for row in seed_table(DATES)}):
            releases = self.publications(series)
            if len(releases) >= LEAST_RELEASES:
                days = month_lags(releases)
                text = (
                    f"Median of {len(days)} months in {len(releases)} dated releases, "
                    f"{min(days)} to {max(days)} days; as of {self.as_of}."
                )
                found[series] = (float(statistics.median(days)), text)
        return found


Fitter: TypeAlias = Callable[[Record], Sequence[Fitted]]
"""Returns what a record says of parameters."""


def read_record(
    files: Sequence[str | os.PathLike[str]],
    as_of: dt.date,
    base: Scenario | str | os.PathLike[str] = "theatre",
) -> Record:
    """Read what a calibration may know: anything later than `as_of` is refused.

    Parameters
    ----------
    files
        Event files for the recent counts; the shipped counts of 2024 when there are none.
        Of several vintages the one that reaches furthest is taken; vintages are never mixed.
    as_of
        Date of the forecast.
    base
        The scenario whose parameters are fitted.
    """
    if files:
        events = calibration_events([Path(file) for file in files], as_of)
        last = events.table.groupby("vintage")["date"].max()
        vintage = str(last.idxmax())
        lethal = panel(events, vintage=vintage)
        rows = panel(events, vintage=vintage, lethal=False)
    else:
        lethal = shipped_panel(vintage=RECENT, as_of=as_of)
        rows = shipped_panel(vintage=RECENT, lethal=False, as_of=as_of)
    scenario = load(base) if isinstance(base, str | os.PathLike) else base
    return Record(as_of, scenario, lethal, rows)


def by_place(counts: CountPanel, series: str, places: Sequence[str]) -> NDArray[np.float64]:
    """Return the counts of a series at some places over all months, shape (n_places,)."""
    totals = {
        unit.place: int(row.sum())
        for unit, row in zip(counts.units, counts.counts, strict=True)
        if unit.series == series
    }
    return np.array([totals.get(place, 0) for place in places], dtype=np.float64)


def month_lags(releases: Sequence[tuple[dt.date, dt.date, dt.date]]) -> list[int]:
    """Count days from the end of each month of a release (first, last, published) to it."""
    return [
        (published - end).days
        for first, last, published in releases
        for end in _month_ends(first, last)
    ]


def _month_ends(first: dt.date, last: dt.date) -> list[dt.date]:
    ends = []
    year, month = first.year, first.month
    while (year, month) <= (last.year, last.month):
        ends.append(dt.date(year, month, calendar.monthrange(year, month)[1]))
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
    return ends


def _require(date: str, as_of: dt.date, where: str) -> None:
    if dt.date.fromisoformat(date) > as_of:
        raise LeakError(f"{where}: dated {date}, later than {as_of}")
