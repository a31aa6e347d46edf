"""What a scenario's events do: an agent that decides nothing and is journalled like any other."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from simlib.agents.base import Agent, Life
from simlib.chance.addresses import name_hash
from simlib.errors import SimulationError
from simlib.journal import MARKS, SCENARIO, to_date, to_days
from simlib.outcomes.windows import within
from simlib.scenario.event_conditions import (
    DecisionCondition,
    IncidentCondition,
    MilestoneCondition,
    PostureCondition,
    read_condition,
)
from simlib.scenario.schema import EACH, RELATIVE, TOTAL, Event, moved, several
from simlib.world.state import presence_name
from simlib.world.waiting import Cause

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from simlib.scenario.event_conditions import Condition, StateCondition
    from simlib.scenario.schema import Amount

    Change = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]


class ScenarioEvents(Agent):
    """Lets the scenario's events happen, at each instant before anybody decides.

    Dated events happen at the first instant of their date. A posture that is entered, a
    decision and a completed milestone bring an event about at once; incidents and state are
    looked at when a day begins.
    """

    name = SCENARIO

    def live(self) -> Life:
        """Let what happens at the start happen, the rest come in processes of their own."""
        for name, event in self._world.scenario.events.items():
            if event.on is not None and to_days(event.on) <= self.now:
                self._happen(name, event, 0)
            else:
                self.start(self._come(name, event))
        yield from ()

    # when

    def _come(self, name: str, event: Event) -> Life:
        """Wait until an event is known, then until it happens."""
        if event.announced is not None:
            yield from self._until(event.announced)
        if event.on is None:
            yield from self._come_when(name, event)
            return
        if self.now < to_days(event.on) and event.announced is not None:
            self._begin(name, event, "announced", 0)
            self._move(event)
        yield from self._until(event.on)
        self._happen(name, event, 0)

    def _until(self, date: dt.date) -> Life:
        if self.now < to_days(date):
            yield self.wait(until=to_days(date))

    def _come_when(self, name: str, event: Event) -> Life:
        condition = read_condition(event.when or "", self._world.scenario)
        n_times = 0
        while n_times == 0 or event.every:
            yield from self._until_true(condition, is_first=n_times == 0)
            self._happen(name, event, n_times)
            n_times += 1

    def _until_true(self, condition: Condition, *, is_first: bool) -> Life:
        """Wait until a condition comes to hold, once more where it is not the first time."""
        match condition:
            case PostureCondition(posture, state):
                yield self.wait(posture=posture)
                while self.posture(posture) != state:
                    yield self.wait(posture=posture)
            case MilestoneCondition(milestone, classification):
                yield self._hear(("completion", milestone))
                while self.class_of(milestone) != classification:
                    yield self._hear(("completion", milestone))
            case DecisionCondition(decision, taken):
                yield from self._until_taken(decision, taken)
            case IncidentCondition():
                yield from self._until_counted(condition)
            case _:
                yield from self._until_level(condition, is_first=is_first)

    def _until_taken(self, decision: str, taken: str) -> Life:
        decisions = self._world.decisions
        is_taken = False
        while not is_taken:
            n_before = len(decisions)
            yield self._hear(("decision", decision))
            new = decisions[n_before:]
            is_taken = any((d.name, d.taken) == (decision, taken) for d in new)

    def _until_counted(self, condition: IncidentCondition) -> Life:
        """Wait for so many incidents within a calendar month, or for a single one."""
        world, armed = self._world, self.now
        places = within(world.scenario, condition.where or None)
        named = zip(world.channels.types, world.channels.places, strict=True)
        chosen = np.array([type_ == condition.type and place in places for type_, place in named])
        least = tuple((MARKS.index(mark), value) for mark, value in condition.marks)
        n = 0
        while n < condition.level:
            # Whoever looks as a day begins counts in the month of the day that has ended.
            month = to_days(to_date(self.now).replace(day=1))
            yield self.wait(until=math.floor(self.now) + 1.0)
            n = world.engine.count(chosen, max(armed, month), least)

    def _until_level(self, condition: StateCondition, *, is_first: bool) -> Life:
        """Wait for a level; where it has been reached before, for what is not there first."""
        positions, _ = self._where(condition.variable, condition.where or None)
        sign = 1.0 if condition.sign == ">=" else -1.0
        can_count = is_first
        while True:
            yield self.wait(until=math.floor(self.now) + 1.0)
            total = math.fsum(self._world.state[positions].tolist())
            is_reached = sign * total >= sign * condition.level
            if is_reached and can_count:
                return
            can_count = can_count or not is_reached

    # what

    def _begin(self, name: str, event: Event, taken: str, n_times: int) -> None:
        """Journal an event; all it wakes and changes has it as its cause."""
        text = SCENARIO if event.when is None else f"when {event.when}"
        address = name_hash(f"{SCENARIO}|{name}|{taken}")
        self._cause = Cause("scenario", text, (0, address, n_times))
        places = several(event.place)
        self.records(name, taken=taken, place=places[0] if len(places) == 1 else None)

    def _happen(self, name: str, event: Event, n_times: int) -> None:
        self._begin(name, event, "yes", n_times)
        for agent in several(event.remove):
            self._remove(agent)
        back = [a for a in several(event.admit) if self.see(presence_name(a)) == 0.0]
        for agent in back:
            self._open_to(agent)
        self._change_numbers(event)
        for posture, state in event.enter.items():
            if posture in self._world.resting:
                raise SimulationError(f"{posture} rests while an actor is away")
            if self.posture(posture) != state:
                self._enter(posture, state, self._cause)
        self._change_timeline(event)
        # Whoever comes back sees all that the event has changed.
        for agent in back:
            for life in self._world.lives.get(agent, [])[-1:]:
                life.return_anew()

    # milestones

    def _change_timeline(self, event: Event) -> None:
        if event.on is None or event.announced is None or event.announced >= event.on:
            self._move(event)
        for milestone in several(event.complete):
            if not self.is_complete(milestone):
                self._finish(milestone)

    def _finish(self, milestone: str) -> None:
        """Complete a milestone that nobody is to act on any more."""
        world = self._use()
        if self.class_of(milestone) is None:
            self.settle(milestone, "met")
        if self.now < self.date_of(milestone):
            if world.recorder is not None:
                world.recorder.note(self.name, "move", milestone, self.now)
            world.timeline.drop(milestone)
        self.complete(milestone)

    def _move(self, event: Event) -> None:
        """Move milestones that are not done; a shift counts from where they stand."""
        dates = {milestone: self._goal(milestone, to) for milestone, to in event.move.items()}
        for milestone, date in (dates | dict.fromkeys(several(event.cancel), math.inf)).items():
            if not self.is_complete(milestone):
                entry = self._use().timeline.of(milestone)
                entry.is_forced = entry.is_forced or event.forced
                self.move_milestone(milestone, max(date, self.now))

    def _goal(self, milestone: str, to: str) -> float:
        date = self.date_of(milestone)
        goal = moved(to_date(date) if date < math.inf else None, to)
        return math.inf if goal is None else to_days(goal)

    # who is there

    def _remove(self, agent: str) -> None:
        """Take an actor away, with its stocks, what recurs by it, and what moves its postures."""
        world = self._use()
        removal = world.scenario.agents[agent].on_removal
        for life in world.lives.get(agent, ()):
            life.leave()
        self._set(presence_name(agent), 0.0)
        assert removal is not None  # noqa: S101  (or it is refused before it runs)
        for variable in removal.zero:
            self._set(variable, 0.0)
        self._change_numbers(Event(set=removal.set))
        for posture, state in removal.rest.items():
            if self.posture(posture) != state:
                self._enter(posture, state, self._cause)
        self._hold(agent)

    def _open_to(self, agent: str) -> None:
        """Let what recurs by an actor recur, and its postures move."""
        self._set(presence_name(agent), 1.0)
        before = self._world.resting
        self._hold(agent)
        for posture in sorted(before - self._world.resting):
            self._world.tell(("release", posture))

    def _hold(self, agent: str) -> None:
        world = self._use()
        if world.recorder is not None:
            world.recorder.note(self.name, "hold", presence_name(agent))
        world.hold()

    def _set(self, variable: str, value: float) -> None:
        positions, _ = self._where(variable, None)
        self._write(positions, np.full(len(positions), value))

    # numbers

    def _change_numbers(self, event: Event) -> None:
        for parameter, amount in event.parameter.items():
            self._revise(parameter, amount)
        kinds: tuple[tuple[Mapping[str, Amount], Change], ...] = (
            (event.set, lambda _now, amount: amount),
            (event.times, lambda now, amount: now * amount),
            (event.add, lambda now, amount: now + amount),
        )
        for amounts, change in kinds:
            for variable, amount in amounts.items():
                positions, numbers = self._amounts(variable, amount, event)
                self._write(positions, change(self._world.state[positions], numbers))

    def _revise(self, parameter: str, amount: Amount) -> None:
        world = self._use()
        if isinstance(amount, dict):
            times, add = (world.value_of(amount.get(key, usual)) for key, usual in RELATIVE)
            value = world.parameters[parameter] * times + add
        else:
            value = world.value_of(amount)
        if value == world.parameters[parameter]:
            return
        if world.recorder is not None:
            opener = self._opener()
            world.recorder.note(self.name, "revise", parameter, value, decision=opener)
        world.revise({parameter: value}, self._opener())

    def _where(
        self, variable: str, place: str | tuple[str, ...] | None
    ) -> tuple[NDArray[np.int64], tuple[str, ...]]:
        """Where a variable stands in some places, and these; no places where it is national."""
        layout = self._world.layout
        chosen = within(self._world.scenario, place)
        names = tuple(p for p in layout.places_of(variable) if p in chosen)
        return np.array([layout.index(variable, p) for p in names or (None,)]), names

    def _amounts(
        self, variable: str, amount: Amount, event: Event
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Where an event changes a variable, and by what number at each place."""
        if not isinstance(amount, dict):
            amount = {EACH: amount}
        numbers = {key: self._world.value_of(quantity) for key, quantity in amount.items()}
        if EACH in numbers or TOTAL in numbers:
            positions, _ = self._where(variable, event.place)
            if TOTAL in numbers:
                return positions, numbers[TOTAL] * self._shares(positions)
            return positions, np.full(len(positions), numbers[EACH])
        positions, names = self._where(variable, tuple(numbers))
        return positions, np.array([numbers[name] for name in names])

    def _shares(self, positions: NDArray[np.int64]) -> NDArray[np.float64]:
        """Each place's share of a total: of what is there, or was at the start, else equal."""
        for state in (self._world.state, self._world.start_state):
            there: NDArray[np.float64] = state[positions]
            if there.sum() > 0.0:
                return np.asarray(there / there.sum())
        return np.full(len(positions), 1.0 / len(positions))

    def _write(self, positions: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        """Set state where it changes."""
        world = self._use()
        differs = values != world.state[positions]
        if not differs.any():
            return
        positions, values = positions[differs], values[differs]
        if world.recorder is not None:
            world.recorder.write(self.name, positions, values, self._opener())
        world.change_many(positions, values, self._opener())
