"""Places: which one a channel means by here, from, to, within or neighbor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simlib.errors import SimulationError

if TYPE_CHECKING:
    from simlib.journal import Layout
    from simlib.scenario.schema import Scenario


class Geography:
    """Places of a scenario, their neighbors and countries."""

    def __init__(self, scenario: Scenario, layout: Layout) -> None:
        self._places = scenario.places
        self._layout = layout
        self._neighbors: dict[str, set[str]] = {place: set() for place in scenario.places}
        for a, b in scenario.neighbors:
            self._neighbors[a].add(b)
            self._neighbors[b].add(a)

    def neighbors(self, place: str) -> tuple[str, ...]:
        """Return the neighbors of a place, sorted."""
        return tuple(sorted(self._neighbors[place]))

    def country(self, place: str) -> str:
        """Return a place's country: its governorate's, or its arrival end's."""
        entry = self._places[place]
        if entry.country:
            return entry.country
        if entry.within:
            return self.country(entry.within)
        return self.country(entry.ends[1]) if entry.ends else ""

    def _place_at(self, place: str, at: str) -> str | None:
        entry = self._places[place]
        if at == "within":
            return entry.within
        if at in {"from", "to"}:
            return entry.ends[at == "to"] if entry.ends else None
        return place

    def position(self, variable: str, place: str, at: str) -> int:
        """Return where a channel's variable stands in the state vector.

        Raises
        ------
        SimulationError
            When the variable has no value there.
        """
        if variable not in self._layout.places:
            raise SimulationError(f"{place}: no state variable {variable!r}")
        known = self._layout.places_of(variable)
        if not known:
            return self._layout.index(variable)
        here = self._place_at(place, at)
        if here not in known and at == "here":
            here = self._places[place].within
        if here not in known:
            raise SimulationError(f"{variable} has no value at {place!r} ({at})")
        return self._layout.index(variable, here)

    def neighbor_positions(self, variable: str, place: str) -> list[int]:
        """Return where a variable stands at the neighbors of a place (its governorate)."""
        known = self._layout.places_of(variable)
        home = self._places[place].within or place
        return [self._layout.index(variable, p) for p in self.neighbors(home) if p in known]
