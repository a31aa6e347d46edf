"""The record's monthly counts: parts to be back-tested, what was usual, what is sought by them.

A part is the lethal events of one vintage that are located in a governorate. Its units are all
governorates of the country for each of its series, those that never had an event too: which
units are scored looks at no count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simlib.errors import Problem, ScenarioError
from simlib.evidence.backtests.origins import HistoryPart
from simlib.evidence.history.tallies import shipped_panel
from simlib.scenario.bundled import seed_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from simlib.evidence.observation_model import Publications

SCORED = ("ucdp_13604", "ucdp_13616", "ucdp_259", "ucdp_354")
"""Series whose dyads lived through the year; the others hang on postures that moved."""
BEFORE_DECEMBER = {"shift.government": 1.0, "shift.sdf": 1.0}
"""The levels of ISIS's attacks before 8 December 2024, the last day the counts know."""


class _Source(NamedTuple):
    vintage: str
    series: tuple[str, ...]
    n_known: int


_IRAQ = ("isf_isis_iraq", "turkiye_pkk_iraq")
_SYRIA = ("government_isis_syria", "government_sdf_syria", "isis_sdf_syria", "sna_sdf_syria")
SHIPPED = {
    "iraq": _Source("GED 19.1", _IRAQ, 24),
    "syria": _Source("GED 2016-18 + candidate 2019", _SYRIA, 12),
    "2024": _Source("Candidate 24.0", (*_IRAQ, *_SYRIA), 3),
}
"""Vintage, series and months that the first forecast knows, by name of the part."""


def shipped_parts(names: Sequence[str] | None = None) -> tuple[HistoryPart, ...]:
    """Cut ``iraq``, ``syria`` and ``2024``, or those named, out of the shipped history.

    Raises
    ------
    ScenarioError
        There is no part of that name.
    """
    found = []
    for name in SHIPPED if names is None else names:
        if name not in SHIPPED:
            known = ", ".join(SHIPPED)
            raise ScenarioError([Problem("part", f"must be one of {known} (got {name})")])
        vintage, series, n_known = SHIPPED[name]
        panel = shipped_panel(series, vintage=vintage)
        located = [unit for unit in panel.units if unit.place]
        found.append(HistoryPart(name, panel.of(located), n_known))
    return tuple(found)


def usual(published: Publications) -> dict[str, float]:
    """Take the monthly mean of 2024, by published name, of the series that have one.

    UCDP's are of its candidate release, January to November (seeds/history); the others' are
    what their publishers counted over the months they told of (seeds/history/series_2024.csv).
    """
    monthly = ucdp_2024()
    told = {
        row["series"]: float(row["events"]) / float(row["months"])
        for row in seed_table("history/series_2024.csv")
    }
    found = {}
    for key, name in zip(published.keys, published.series, strict=True):
        if key in monthly:
            found[name] = float(monthly[key].mean())
        elif key in told:
            found[name] = told[key]
    return found


def ucdp_2024() -> dict[str, NDArray[np.int64]]:
    """Read UCDP's candidate events of January to November 2024 by series."""
    months: dict[str, list[int]] = {}
    for row in seed_table("history/ucdp_2024_monthly.csv"):
        months.setdefault(f"ucdp_{row['conflict_id']}", []).append(int(row["events"]))
    return {series: np.array(events) for series, events in months.items()}
