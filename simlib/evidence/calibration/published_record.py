"""What a calibration may read: counts, register rows and dates known by a date, nothing later."""

from __future__ import annotations

import datetime as dt
import os
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from simlib.chance.distributions import quantile
from simlib.errors import SimlibError
from simlib.evidence.fitted import Fitted
from simlib.evidence.history.barrier import calibration_events
from simlib.evidence.history.csv_text import LeakError
from simlib.evidence.history.tallies import panel, shipped_panel
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

    def figure(self, row_id: str) -> float:
        """Look up the central value of a row of the register."""
        for row in self._rows(REGISTER, "id", row_id, dated="date"):
            return float(row["central"])
        raise CalibrationError(f"{REGISTER}: no row {row_id}")

    def pairs(self, factor: str) -> list[tuple[float, float, str]]:
        """List numerator, denominator and label of a reporting factor's pairs."""
        return [
            (
                float(row["numerator"]),
                float(row["denominator"]),
                f"{row['numerator']}/{row['denominator']} ({row['place']}, {row['period']})",
            )
            for row in self._rows(PAIRS, "factor", factor)
        ]

    def publications(self, series: str) -> list[tuple[dt.date, dt.date, dt.date]]:
        """List first month, last month and date of publication of a series' releases."""
        texts = (
            (f"{row['period_start']}-01", f"{row['period_end']}-01", row["published"])
            for row in self._rows(DATES, "series", series)
        )
        day = dt.date.fromisoformat
        return [(day(first), day(last), day(published)) for first, last, published in texts]

    def _rows(
        self, table: str, column: str, value: str, dated: str = "published"
    ) -> Iterator[Mapping[str, str]]:
        """Iterate over the rows of a table of the seeds that have a value; none may be later."""
        for number, row in enumerate(seed_table(table), start=2):
            if row[column] == value:
                if dt.date.fromisoformat(row[dated]) > self.as_of:
                    which = f"{table}: row {number}{f': {value}' if table == REGISTER else ''}"
                    raise LeakError(f"{which}: dated {row[dated]}, later than {self.as_of}")
                yield row

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

    Recent counts are those of the event files, the shipped ones of 2024 where there are none. Of
    several vintages the one that reaches furthest is taken; vintages are never mixed.
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


def month_lags(releases: Sequence[tuple[dt.date, dt.date, dt.date]]) -> list[int]:
    """Count days from the end of each month of a release (first, last, published) to it."""
    lags: list[int] = []
    for first, last, published in releases:
        following = np.arange(np.datetime64(first, "M"), np.datetime64(last, "M") + 1) + 1
        ends = following.astype("datetime64[D]") - 1
        lags += (np.datetime64(published) - ends).astype(np.int64).tolist()
    return lags
