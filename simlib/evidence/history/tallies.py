"""Monthly counts by series and place: of events, and those that come with simlib without events."""

from __future__ import annotations

import datetime as dt
import functools
from typing import TYPE_CHECKING

import numpy as np

from simlib.evidence.history.csv_text import HistoryError, LeakError
from simlib.evidence.history.event_files import Events
from simlib.evidence.history.mapping import load_mapping
from simlib.evidence.panels import CountPanel, Unit
from simlib.scenario import bundled
from simlib.scenario.wording import listed, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from simlib.evidence.history.mapping import EventMapping

MEASURES = ("events", "lethal_events", "one_death_events", "deaths")
BY = ("vintage", "country", "series", "place")
COUNTS, COVERAGE = "monthly_counts.csv", "monthly_counts_coverage.csv"
COVERED = (
    *("vintage", "country", "series", "first_month", "last_month", "published"),
    *("events", "lethal_events", "located_events", "deaths"),
)
"""Columns of the table of what is covered."""


def monthly_counts(events: Events, *, by: Sequence[str] = BY) -> pd.DataFrame:
    """Count events by month; months without any are left out.

    Parameters
    ----------
    events
        The history; rows of no series are left out.
    by
        Columns of `Events.table` to count by, such as ``incident`` and ``target``.

    Returns
    -------
    DataFrame
        ``by``, ``month`` (YYYY-MM of the first day of an event), ``events`` (rows),
        ``lethal_events`` (of one death or more), ``one_death_events`` and ``deaths``.
    """
    table = events.table[events.table["series"] != ""]
    deaths = table["deaths"]
    counted = table[list(by)].assign(
        month=table["date"].dt.strftime("%Y-%m"),
        events=1,
        lethal_events=(deaths >= 1.0).astype(np.int64),
        one_death_events=(deaths == 1.0).astype(np.int64),
        deaths=deaths.astype(np.int64),
    )
    return counted.groupby([*by, "month"], sort=True)[list(MEASURES)].sum().reset_index()


def yearly_counts(events: Events) -> pd.DataFrame:
    """Count events, deaths and the share with a governorate by vintage, series and year."""
    table = events.table[events.table["series"] != ""]
    counted = table[["vintage", "series"]].assign(
        year=table["date"].dt.year,
        events=1,
        lethal_events=(table["deaths"] >= 1.0).astype(np.int64),
        deaths=table["deaths"].astype(np.int64),
        located=(table["place"] != "").astype(np.float64),
    )
    sums = counted.groupby(["vintage", "series", "year"], sort=True).sum().reset_index()
    return sums.assign(located=sums["located"] / sums["events"])


def panel(
    events: Events,
    *,
    units: Sequence[Unit] | None = None,
    months: NDArray[np.datetime64] | None = None,
    vintage: str | None = None,
    lethal: bool = True,
) -> CountPanel:
    """Count by unit and month, months without events as zeros.

    Parameters
    ----------
    events
        The history.
    units
        What to count; a unit without a place counts the whole country. Every series and
        place met when not given, and an empty place is then what could not be located.
    months
        Consecutive months; from the first to the last with any row of the vintage, mapped
        or not, when not given.
    vintage
        Which one; may be left out where there is one.
    lethal
        Count events with a death or more, or all rows.

    Raises
    ------
    HistoryError
        There are several vintages and none is chosen, or there is no such one.
    """
    table = _of_vintage(events.table, vintage)
    all_months = table["date"].to_numpy().astype("datetime64[M]")
    if months is None:
        months = np.arange(all_months.min(), all_months.max() + 1)
    is_counted = (table["series"] != "").to_numpy()
    if lethal:
        is_counted = is_counted & (table["deaths"] >= 1.0).to_numpy()
    counted = table[is_counted]
    whole = units is not None
    if units is None:
        keys = (counted["country"], counted["series"], counted["place"])
        units = sorted({Unit(*key) for key in zip(*keys, strict=True)})
    at = (all_months[is_counted], months)
    array = _tallied(counted, units, at, np.ones(len(counted), np.int64), whole=whole)
    return CountPanel(tuple(units), months, array, str(table["vintage"].iloc[0]))


def _tallied(
    table: pd.DataFrame,
    units: Sequence[Unit],
    at: tuple[NDArray[np.datetime64], NDArray[np.datetime64]],
    counts: NDArray[np.int64],
    *,
    whole: bool = True,
) -> NDArray[np.int64]:
    """Add up counts of rows (of months, of all months) by unit and month.

    Where a unit has no place the whole country counts, or else what has none itself.
    """
    of_row, months = at
    position = (of_row - months[0]).astype(np.int64)
    is_inside = (position >= 0) & (position < len(months))
    array = np.zeros((len(units), len(months)), dtype=np.int64)
    for row, unit in enumerate(units):
        is_of = is_inside & (table["country"] == unit.country) & (table["series"] == unit.series)
        if unit.place or not whole:
            is_of &= table["place"] == unit.place
        np.add.at(array[row], position[is_of], counts[is_of])
    return array


def _of_vintage(table: pd.DataFrame, vintage: str | None) -> pd.DataFrame:
    met = sorted(set(table["vintage"]))
    if vintage is None and len(met) != 1:
        raise HistoryError(f"vintage: one must be chosen, they are never mixed (got {listed(met)})")
    if vintage is not None and vintage not in met:
        raise HistoryError(f"vintage: unknown (got {vintage!r}); known: {listed(met)}")
    return table if vintage is None else table[table["vintage"] == vintage]


@functools.cache
def _table(name: str) -> pd.DataFrame:
    import pandas as pd

    path = bundled.folder("seeds") / "history" / name
    return pd.read_csv(path, keep_default_na=False)


def shipped_counts() -> pd.DataFrame:
    """Give the counts that come with simlib, months with events only.

    Returns
    -------
    DataFrame
        ``vintage``, ``country``, ``series``, ``place`` (empty: not located), ``month``,
        ``events``, ``lethal_events``, ``one_death_events``, ``deaths``.
    """
    return _table(COUNTS).copy()


def shipped_coverage() -> pd.DataFrame:
    """Tell what the shipped counts cover: a month inside without a row is a zero.

    Returns
    -------
    DataFrame
        The columns `COVERED`.
    """
    return _table(COVERAGE).copy()


def shipped_panel(
    series: str | Sequence[str] | None = None,
    *,
    vintage: str,
    places: bool = True,
    lethal: bool = True,
    as_of: dt.date | None = None,
) -> CountPanel:
    """Tally shipped counts by unit and month; no event file is needed.

    Parameters
    ----------
    series
        One or more; all of the vintage when not given.
    vintage
        Which release; see `shipped_coverage`. Vintages are never mixed.
    places
        A unit for every governorate of the country, and one with an empty place for events
        that could not be located where there are any; else a unit for the country.
    lethal
        Count events with a death or more, or all rows.
    as_of
        Refuse what was not published yet; nothing is refused when not given, as back-tests
        need that stand earlier and declare a lag.

    Raises
    ------
    HistoryError
        There is no such vintage, or the series is not covered by it.
    LeakError
        The vintage came out after `as_of`.
    """
    coverage = _covered(series, vintage)
    if as_of is not None:
        _require_published(coverage, as_of)
    first, last = coverage["first_month"].max(), coverage["last_month"].min()
    months = np.arange(np.datetime64(first, "M"), np.datetime64(last, "M") + 1)
    counts = _table(COUNTS)
    counts = counts[(counts["vintage"] == vintage) & counts["series"].isin(coverage["series"])]
    units = _units(coverage, counts, places=places)
    measure = counts["lethal_events" if lethal else "events"].to_numpy()
    at = counts["month"].to_numpy().astype("datetime64[M]")
    return CountPanel(
        units, months, _tallied(counts, units, (at, months), measure, whole=not places), vintage
    )


def _covered(series: str | Sequence[str] | None, vintage: str) -> pd.DataFrame:
    coverage = _table(COVERAGE)
    of_vintage = coverage[coverage["vintage"] == vintage]
    if of_vintage.empty:
        names = listed(set(coverage["vintage"]))
        raise HistoryError(f"vintage: unknown (got {shown(vintage)}); known: {names}")
    if series is None:
        return of_vintage
    wanted = [series] if isinstance(series, str) else list(series)
    for name in wanted:
        if name not in set(of_vintage["series"]):
            names = listed(set(of_vintage["series"]))
            raise HistoryError(
                f"series: not covered by {vintage} (got {shown(name)}); covered: {names}"
            )
    return of_vintage[of_vintage["series"].isin(wanted)]


def _require_published(coverage: pd.DataFrame, as_of: dt.date) -> None:
    for line in coverage.itertuples():
        if dt.date.fromisoformat(str(line.published)) > as_of:
            raise LeakError(
                f"{COVERAGE}: row {int(str(line.Index)) + 2}: {line.vintage} was published "
                f"{line.published}, later than {as_of}"
            )


def _units(coverage: pd.DataFrame, counts: pd.DataFrame, *, places: bool) -> tuple[Unit, ...]:
    pairs = list(zip(coverage["country"], coverage["series"], strict=True))
    if not places:
        return tuple(sorted(Unit(country, name, "") for country, name in pairs))
    nowhere = counts[counts["place"] == ""]
    lost = set(zip(nowhere["country"], nowhere["series"], strict=True))
    governorates = load_mapping().places
    return tuple(
        sorted(
            Unit(country, name, place)
            for country, name in pairs
            for place in (*governorates[country], *([""] if (country, name) in lost else []))
        )
    )


def tables_to_ship(events: Events, mapping: EventMapping) -> dict[str, pd.DataFrame]:
    """Make the tables that a history is shipped as: figures, no events.

    By ending of the file's name: counts by series and place (empty ending), what they
    cover (``_coverage``), and counts by incident type, of events whose type can be told
    (``_incidents``).
    """
    is_told = events.table["incident"] != ""
    told = Events(events.table[is_told], events.unmapped)
    by_type = ("vintage", "country", "incident", "target", "place")
    return {
        "": monthly_counts(events),
        "_coverage": coverage_of(events, mapping),
        "_incidents": monthly_counts(told, by=by_type),
    }


def coverage_of(events: Events, mapping: EventMapping) -> pd.DataFrame:
    """Tell what a history covers, as `shipped_coverage` has it.

    A country is covered from the first to the last month with a row of the vintage there,
    mapped or not. A series is left out where the files cannot tell it: its rules ask for
    names of sides and the files have none.
    """
    import pandas as pd

    lines = []
    for (vintage, country), part in events.table.groupby(["vintage", "country"], sort=True):
        months = part["date"].dt.strftime("%Y-%m")
        published = part["published"].max()  # unknown where the file's name tells no release
        for name in _told(part, str(country), mapping):
            of_series = part[part["series"] == name]
            deaths = of_series["deaths"]
            lines.append(
                {
                    "vintage": vintage,
                    "country": country,
                    "series": name,
                    "first_month": months.min(),
                    "last_month": months.max(),
                    "published": "" if pd.isna(published) else published.strftime("%Y-%m-%d"),
                    "events": len(of_series),
                    "lethal_events": int((deaths >= 1.0).sum()),
                    "located_events": int((of_series["place"] != "").sum()),
                    "deaths": int(deaths.sum()),
                }
            )
    return pd.DataFrame(lines, columns=list(COVERED))


def _told(part: pd.DataFrame, country: str, mapping: EventMapping) -> list[str]:
    source = part["source"].iloc[0]
    has_sides = source == "ACLED" or bool(part["deaths_a"].notna().all())
    return sorted(
        {
            rule.series
            for rule in mapping.rules
            if rule.source == source and country in rule.country and (rule.conflict or has_sides)
        }
    )
