"""State: one flat vector, what it is at the start, and where a channel's variables stand in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simlib.errors import SimulationError
from simlib.journal import Layout

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simlib.scenario.schema import Scenario
    from simlib.world.quantities import Quantities

MONTH = "calendar.month"


def trend_name(type_: str, group: str) -> str:
    """The name of the multiplier that carries a group's trend."""
    return f"trend.{type_}.{group}"


def ar1_name(series: str) -> str:
    """The name of an AR(1) multiplier (``tempo`` in scenarios)."""
    return f"tempo.{series}"


def presence_name(agent: str) -> str:
    """The name of what tells whether an agent that may be removed is there (1) or not (0)."""
    return f"present.{agent}"


def _automatic(scenario: Scenario) -> set[str]:
    names = {MONTH, *scenario.postures, *map(presence_name, scenario.removable())}
    for type_, incident in scenario.incidents.items():
        for name, group in incident.groups.items():
            if group.trend:
                names.add(trend_name(type_, name))
            if group.tempo:
                names.add(ar1_name(group.tempo.series))
    return names


def lay_out(scenario: Scenario) -> Layout:
    """Where each state variable stands, in order of names."""
    over: dict[str, list[str]] = {"governorate": [], "base": [], "segment": [], "national": []}
    for place in sorted(scenario.places):
        over[scenario.places[place].kind].append(place)
    variables: dict[str, slice] = {}
    places: dict[str, tuple[str, ...]] = {}
    positions: dict[tuple[str, str | None], int] = {}
    n = 0
    for name in sorted({*scenario.state, *_automatic(scenario)}):
        own = tuple(over[scenario.state[name].over]) if name in scenario.state else ()
        keys: list[tuple[str, str | None]] = [(name, place) for place in own or (None,)]
        for key in keys:
            positions[key] = n
            n += 1
        variables[name] = slice(n - len(keys), n)
        places[name] = own
    return Layout(variables, places, positions)


class StartingState:
    """The state at the start, from the scenario's quantities.

    The floor of each variable is its least value: 0 for stocks, minus infinity for signed ones.
    """

    def __init__(self, scenario: Scenario, layout: Layout, quantities: Quantities) -> None:
        numbers = [quantities.number(0.0)] * len(layout.positions)
        for name, variable in scenario.state.items():
            for place in layout.places[name] or (None,):
                start = variable.start
                value = start.get(place or "", 0.0) if isinstance(start, dict) else start
                numbers[layout.positions[name, place]] = quantities.number(value)
        for name in _automatic(scenario):
            start_value = 0.0
            if name in scenario.postures:
                posture = scenario.postures[name]
                start_value = float(sorted(posture.states).index(posture.start))
            elif name != MONTH:
                start_value = 1.0
            numbers[layout.positions[name, None]] = quantities.number(start_value)
        self._numbers = np.array(numbers)
        self._layout = layout
        self.floor = np.zeros(len(numbers))
        for name, variable in scenario.state.items():
            if variable.signed:
                self.floor[layout.slice_of(name)] = -np.inf

    def evaluate(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The state vector for one replication's quantities.

        Raises `SimulationError` where a value is negative or not a number.
        """
        state: NDArray[np.float64] = values[self._numbers]
        allowed = state >= self.floor
        if not allowed.all():
            where = int(np.flatnonzero(~allowed)[0])
            message = f"{self._layout.name_of(where)}: must be 0 or more at the start"
            raise SimulationError(f"{message} (got {state[where]})")
        return state


class Geography:
    """Places of a scenario: which one a channel means by here, from, to, within or neighbor."""

    def __init__(self, scenario: Scenario, layout: Layout) -> None:
        self._places = scenario.places
        self._layout = layout
        self._neighbors: dict[str, set[str]] = {place: set() for place in scenario.places}
        for a, b in scenario.neighbors:
            self._neighbors[a].add(b)
            self._neighbors[b].add(a)

    def neighbors(self, place: str) -> tuple[str, ...]:
        """The neighbors of a place, sorted."""
        return tuple(sorted(self._neighbors[place]))

    def country(self, place: str) -> str:
        """A place's country: its governorate's, or its arrival end's."""
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
        """Where a channel's variable stands in the state vector.

        Raises `SimulationError` where it has no value there.
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
        """Where a variable stands at the neighbors of a place (its governorate)."""
        known = self._layout.places_of(variable)
        home = self._places[place].within or place
        return [self._layout.index(variable, p) for p in self.neighbors(home) if p in known]
