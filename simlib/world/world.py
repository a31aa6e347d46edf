"""The world as agents see it: state, chance, timeline and what wakes them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from simlib.chance.philox import uniform
from simlib.errors import SimulationError
from simlib.world.clock import month_starts, to_date, to_days
from simlib.world.waiting import Cause, Wait, named_cause

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from simlib.journal import Channels, Decision, Incidents, Layout
    from simlib.scenario.schema import Scenario
    from simlib.world.clock import Clock, Process
    from simlib.world.timeline import Timeline
    from simlib.world.waiting import Occasion
    from simlib.world.watches import Watches


class IncidentEngine(Protocol):
    """What the world asks of the engine that lets incidents happen."""

    on_notable: Callable[[int], None]
    on_crossed: Callable[[list[int]], None]
    compiled_seconds: float
    state: NDArray[np.float64]

    def begin(self) -> None:
        """Draw the history and open the channels at the start."""

    def changed(self, where: int, opener: int) -> None:
        """Note that an agent changed one state variable."""

    def changed_many(self, positions: NDArray[np.int64], opener: int) -> None:
        """Note that an agent changed several state variables."""

    def wait(self, type_: int, by: int) -> None:
        """Add to the number of those who wait for a type of incident."""

    def count(
        self, channels: NDArray[np.bool_], since: float, least: tuple[tuple[int, float], ...]
    ) -> int:
        """Return the number of incidents on some channels since a time."""

    def row(self, number: int) -> tuple[float, int, tuple[int, int, int], NDArray[np.float64]]:
        """Return time, channel, address and marks of one incident."""

    def incidents(self) -> Incidents:
        """Return the journal of incidents."""

    def process(self) -> Process:
        """Let incidents happen between decisions, as a SimPy process."""


class World:
    """State and timeline of one replication, and the waits of its agents.

    Only the world changes, and only through its names.
    """

    def __init__(  # noqa: PLR0913
        self,
        scenario: Scenario,
        *,
        replication: int,
        parameters: Mapping[str, float],
        clock: Clock,
        layout: Layout,
        floor: NDArray[np.float64],
        watches: Watches,
        channels: Channels,
        types: tuple[str, ...],
        values: Callable[[Any], float],
    ) -> None:
        self.scenario, self.replication, self.parameters = scenario, replication, parameters
        self.clock, self.layout, self.watches = clock, layout, watches
        self._floor = floor
        self.channels, self.types, self.value_of = channels, types, values
        self.decisions: list[Decision] = []
        self.month_starts = month_starts(clock.now, to_days(scenario.end) + 1.0)
        self.postures: dict[str, list[tuple[float, str]]] = {
            name: [(clock.now, posture.start)] for name, posture in scenario.postures.items()
        }
        self.timeline: Timeline
        self.engine: IncidentEngine
        self.state: NDArray[np.float64]
        self._notices: list[list[Wait]] = [[] for _ in types]
        self._by_posture: dict[str, list[Wait]] = {name: [] for name in scenario.postures}
        self._by_milestone: dict[str, list[Wait]] = {name: [] for name in scenario.timeline}
        self._by_watch: dict[int, list[Wait]] = {}
        self._masks: dict[tuple[tuple[str, ...], str | None], NDArray[np.bool_]] = {}
        self._asked: set[tuple[int, Occasion]] = set()

    def connect(self, timeline: Timeline, engine: IncidentEngine) -> None:
        """Give the world its timeline and the engine of its incidents."""
        self.timeline, self.engine, self.state = timeline, engine, engine.state
        engine.on_notable, engine.on_crossed = self._hand_notice, self._cross

    # state

    def position(self, variable: str, place: str | None) -> int:
        """Return where a variable stands in the state vector."""
        try:
            return self.layout.positions[variable, place]
        except KeyError:
            raise SimulationError(f"no state variable {variable!r} at {place!r}") from None

    def change(self, where: int, value: float, opener: int) -> None:
        """Set one state variable; stocks stop at 0, signed variables do not.

        Raises
        ------
        SimulationError
            When the value is not a finite number.
        """
        if not math.isfinite(value):
            names = [key for key, p in self.layout.positions.items() if p == where]
            raise SimulationError(f"{names[0]} became {value} on {to_date(self.clock.now)}")
        self.state[where] = max(float(self._floor[where]), value)
        self.engine.changed(where, opener)
        if self.watches.is_watched[where]:
            self.watches.test(where, self.state[where])
            self._cross(self.watches.take_fired())

    def change_many(
        self, positions: NDArray[np.int64], values: NDArray[np.float64], opener: int
    ) -> None:
        """Set many state variables, as `change` does one."""
        values = np.maximum(values, self._floor[positions])
        if not math.isfinite(values.sum()):
            where = int(positions[~np.isfinite(values)][0])
            self.change(where, math.nan, opener)
        self.state[positions] = values
        self.engine.changed_many(positions, opener)
        if self.watches.is_watched[positions].any():
            for where in positions.tolist():
                self.watches.test(where, self.state[where])
            self._cross(self.watches.take_fired())

    def change_all(self, variable: str, values: NDArray[np.float64], opener: int) -> None:
        """Set a variable over all its places; those that stay as they are cost nothing."""
        span = self.layout.slice_of(variable)
        differs = (values != self.state[span]).nonzero()[0]
        if len(differs):
            self.change_many(differs + span.start, values[differs], opener)

    def enter(self, posture: str, state: str, cause: Cause, opener: int) -> None:
        """Let a posture enter a state, and wake who waits for it."""
        codes = list(self.scenario.postures[posture].states)
        self.change(self.position(posture, None), float(codes.index(state)), opener)
        self.postures[posture].append((self.clock.now, state))
        woken = Cause("posture", f"posture {posture} {state}", cause.occasion)
        for wait in tuple(self._by_posture[posture]):
            self.wake(wait, woken)

    # chance

    def uniform(self, name: int, occasion: Occasion) -> float:
        """Return the uniform that decides something on an occasion.

        Raises
        ------
        SimulationError
            When it has been asked for already: two decisions would share their luck.
        """
        if (name, occasion) in self._asked:
            raise SimulationError("two decisions of one name on one occasion; name them apart")
        self._asked.add((name, occasion))
        a0, a1, a2 = occasion
        return uniform(self.scenario.root_seed, self.replication, name ^ a0, a1, a2)

    # looking back

    def count_since(
        self,
        types: tuple[str, ...],
        country: str | None,
        since: float,
        least: tuple[tuple[int, float], ...],
    ) -> int:
        """Return how many incidents there were since a time, with marks of at least so."""
        key = (types, country)
        if key not in self._masks:
            homes = zip(self.channels.types, self.channels.countries, strict=True)
            chosen = [type_ in types and country in (None, home) for type_, home in homes]
            self._masks[key] = np.array(chosen, dtype=np.bool_)
        return self.engine.count(self._masks[key], since, least)

    # waking

    def wake(self, wait: Wait, cause: Cause) -> None:
        """End a wait now, unless something has ended it already."""
        if wait.cause is None and wait.event.callbacks is not None:
            wait.cause = cause
            self.clock.put(wait.event, self.clock.now, wait.rank)

    def arm(self, wait: Wait) -> None:
        """Register a wait with all that may end it."""
        for type_ in wait.notices:
            self._notices[type_].append(wait)
            self.engine.wait(type_, 1)
        if wait.posture:
            self._by_posture[wait.posture].append(wait)
        if wait.milestone:
            self._by_milestone[wait.milestone].append(wait)
        if wait.watch is not None:
            self._by_watch.setdefault(wait.watch, []).append(wait)

    def disarm(self, wait: Wait) -> None:
        """Forget a wait that has ended."""
        for type_ in wait.notices:
            self._notices[type_].remove(wait)
            self.engine.wait(type_, -1)
        if wait.posture:
            self._by_posture[wait.posture].remove(wait)
        if wait.milestone:
            self._by_milestone[wait.milestone].remove(wait)
        if wait.watch is not None:
            waits = self._by_watch[wait.watch]
            waits.remove(wait)
            if not waits:
                self.watches.disarm(wait.watch)

    def fall_due(self, milestone: str) -> None:
        """Wake who waits for a milestone whose date has come."""
        for wait in tuple(self._by_milestone[milestone]):
            self.wake(wait, named_cause("milestone", milestone))

    def _hand_notice(self, row: int) -> None:
        _, channel, address, _ = self.engine.row(row)
        type_ = self.channels.types[channel]
        text = f"incident {type_} {self.channels.places[channel]}"
        for wait in tuple(self._notices[self.types.index(type_)]):
            self.wake(wait, Cause("incident", text, address, row))

    def _cross(self, fired: list[int]) -> None:
        for watch in fired:
            for wait in tuple(self._by_watch.get(watch, ())):
                self.wake(wait, self.crossing(watch))

    def crossing(self, watch: int) -> Cause:
        """Return the cause that a watch's crossing is, today."""
        where, level = int(self.watches.integers[watch, 0]), self.watches.levels[watch]
        variable, place = next(k for k, p in self.layout.positions.items() if p == where)
        at = f" {place}" if place else ""
        return named_cause("threshold", f"{variable}{at} {level:g} on {to_date(self.clock.now)}")
