"""Monthly counts that come with simlib: figures of published releases, no events."""

from __future__ import annotations

import datetime as dt
import functools
from typing import TYPE_CHECKING

import numpy as np

from simlib.evidence.history.csv_text import HistoryError, LeakError
from simlib.evidence.history.event_files import Events
from simlib.evidence.history.mapping import load_mapping
from simlib.evidence.history.tallies import monthly_counts
from simlib.evidence.panels import CountPanel, Unit
from simlib.scenario import bundled
from simlib.scenario.wording import listed, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from simlib.evidence.history.mapping import EventMapping

COUNTS, COVERAGE = "monthly_counts.csv", "monthly_counts_coverage.csv"
COVERED = (
    *("vintage", "country", "series", "first_month", "last_month", "published"),
    *("events", "lethal_events", "located_events", "deaths"),
)
"""Columns of the table of what is covered."""


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
    """Return shipped counts by unit and month; no event file is needed.

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
    row_of = {unit: row for row, unit in enumerate(units)}
    array = np.zeros((len(units), len(months)), dtype=np.int64)
    position = (counts["month"].to_numpy().astype("datetime64[M]") - months[0]).astype(np.int64)
    measure = "lethal_events" if lethal else "events"
    columns = ("country", "series", "place", measure)
    rows = counts[list(columns)].itertuples(index=False, name=None)
    for (country, name, place, count), month in zip(rows, position, strict=True):
        if 0 <= month < len(months):
            array[row_of[Unit(country, name, place if places else "")], month] += count
    return CountPanel(units, months, array, vintage)


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
