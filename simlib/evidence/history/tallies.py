"""Monthly counts of events by series and place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simlib.evidence.history.csv_text import HistoryError
from simlib.evidence.panels import CountPanel, Unit
from simlib.scenario.wording import listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from simlib.evidence.history.event_files import Events

MEASURES = ("events", "lethal_events", "one_death_events", "deaths")
BY = ("vintage", "country", "series", "place")


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
    if units is None:
        keys = (counted["country"], counted["series"], counted["place"])
        units = sorted({Unit(*key) for key in zip(*keys, strict=True)})
        rows = [_is_of(counted, unit, whole=False) for unit in units]
    else:
        rows = [_is_of(counted, unit, whole=True) for unit in units]
    position = (all_months[is_counted] - months[0]).astype(np.int64)
    is_inside = (position >= 0) & (position < len(months))
    counts = [np.bincount(position[row & is_inside], minlength=len(months)) for row in rows]
    shape = (len(units), len(months))
    array = np.array(counts, dtype=np.int64).reshape(shape)
    return CountPanel(tuple(units), months, array, str(table["vintage"].iloc[0]))


def _is_of(table: pd.DataFrame, unit: Unit, *, whole: bool) -> NDArray[np.bool_]:
    is_of: NDArray[np.bool_] = (
        (table["country"] == unit.country) & (table["series"] == unit.series)
    ).to_numpy()
    if unit.place or not whole:
        is_of = is_of & (table["place"] == unit.place).to_numpy()
    return is_of


def _of_vintage(table: pd.DataFrame, vintage: str | None) -> pd.DataFrame:
    met = sorted(set(table["vintage"]))
    if vintage is None and len(met) != 1:
        raise HistoryError(f"vintage: one must be chosen, they are never mixed (got {listed(met)})")
    if vintage is not None and vintage not in met:
        raise HistoryError(f"vintage: unknown (got {vintage!r}); known: {listed(met)}")
    return table if vintage is None else table[table["vintage"] == vintage]
