"""The history that comes with simlib, as parts to be back-tested.

Each part is the lethal events of one vintage that are located in a governorate. Its units
are all governorates of the country for each of its series, those that never had an event
too: which units are scored looks at no count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from simlib.errors import Problem, ScenarioError
from simlib.evidence.backtest.origins import HistoryPart
from simlib.evidence.history.shipped import shipped_panel

if TYPE_CHECKING:
    from collections.abc import Sequence


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
    """Return parts of the history that comes with simlib.

    Parameters
    ----------
    names
        ``iraq``, ``syria``, ``2024``; all three when not given.

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
