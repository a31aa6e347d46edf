"""Milestones: when they are due, as publicly known now, and what became of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from simlib.errors import SimulationError
from simlib.journal import MilestoneRecord, to_date, to_days
from simlib.scenario.schema import shifted
from simlib.world.clock import MILESTONE_RANK

if TYPE_CHECKING:
    import simpy

    from simlib.scenario.schema import Milestone, MilestoneChange, Option, Scenario
    from simlib.world.clock import Clock


def changed_date(milestone: Milestone, change: MilestoneChange) -> float:
    """The date (days) a milestone has under an option's change."""
    if change.cancel:
        return math.inf
    if change.date:
        return to_days(change.date)
    if milestone.date is None:
        return math.inf
    if change.extend:
        return to_days(max(shifted(milestone.date, change.extend), milestone.date))
    if change.shift:
        return to_days(shifted(milestone.date, change.shift))
    return to_days(milestone.date)


class MilestoneState:
    """One milestone as it stands now; times are in days.

    Attributes
    ----------
    agreed, date
        When it was first agreed for, and is publicly known to be due now; infinity while
        nobody has given it a date.
    classification
        What class it has ended in, if it has.
    completed_at
        nan while it is not completed.
    is_forced
        Whether an announced option forces it, so that nobody decides it.
    """

    def __init__(self, milestone: Milestone) -> None:
        self.agreed = self.date = math.inf if milestone.date is None else to_days(milestone.date)
        self.classification: str | None = None
        self.completed_at = math.nan
        self.condition = milestone.conditional_on
        self.is_forced = False
        self.is_held_up = False
        self.due: simpy.Event | None = None


class Timeline:
    """The milestones of one replication under one option.

    The options are those it goes on from and then itself. `on_due` is called with the name of a
    milestone on its date.
    """

    def __init__(
        self,
        clock: Clock,
        scenario: Scenario,
        options: Iterable[Option],
        on_due: Callable[[str], None],
    ) -> None:
        self._clock, self._on_due = clock, on_due
        self._start = to_days(scenario.start)
        self._entries: dict[str, MilestoneState] = {}
        for name in sorted(scenario.timeline):
            self._entries[name] = MilestoneState(scenario.timeline[name])
            self._arm(name)
        for option in options:
            for name in sorted(option.timeline):
                known = [date for date in (option.timeline[name].announced, option.at) if date]
                at = max(map(to_days, known), default=self._start)
                self._announce(name, scenario.timeline[name], option.timeline[name], at)

    def _announce(
        self, name: str, milestone: Milestone, change: MilestoneChange, at: float
    ) -> None:
        """Let a change be known from a time on; nobody sees any of it before."""

        def apply() -> None:
            entry = self._entries[name]
            if not math.isnan(entry.completed_at):  # what is done cannot be moved any more
                return
            entry.is_forced = change.forced
            entry.condition = change.conditional_on or entry.condition
            self.move(name, changed_date(milestone, change))

        if at <= self._start:
            apply()
        else:
            self._clock.call_at(at, MILESTONE_RANK, apply)

    def of(self, name: str) -> MilestoneState:
        """A milestone as it stands now."""
        try:
            return self._entries[name]
        except KeyError:
            raise SimulationError(f"no milestone {name!r}") from None

    def _disarm(self, name: str) -> None:
        entry = self._entries[name]
        if entry.due is not None and entry.due.callbacks is not None:
            entry.due.callbacks = None  # type: ignore[assignment]
        entry.due = None

    def _arm(self, name: str) -> None:
        self._disarm(name)
        entry = self._entries[name]
        if self._clock.now <= entry.date < math.inf:
            entry.due = self._clock.at(entry.date, MILESTONE_RANK)
            assert entry.due.callbacks is not None  # noqa: S101
            entry.due.callbacks.append(lambda _event: self._fall_due(name))

    def _fall_due(self, name: str) -> None:
        condition = self._entries[name].condition
        if condition and not self.of(condition).completed_at <= self._clock.now:
            self._entries[name].is_held_up = True
            return
        self._entries[name].is_held_up = False
        self._on_due(name)

    def move(self, name: str, to: float) -> None:
        """Move a milestone to another date (days); infinity cancels it."""
        entry = self.of(name)
        if math.isnan(to):
            raise SimulationError(f"milestone {name!r} cannot move to nan")
        if to < self._clock.now:
            raise SimulationError(f"milestone {name!r} cannot move to the past ({to_date(to)})")
        entry.date = to
        if entry.agreed == math.inf:  # the first date it gets
            entry.agreed = to
        self._arm(name)

    def drop(self, name: str) -> None:
        """Date a milestone now, and let nobody be woken by it any more."""
        self._disarm(name)
        self.of(name).date = self._clock.now

    def settle(self, name: str, classification: str) -> None:
        """Say what class a milestone ends in."""
        self.of(name).classification = classification

    def complete(self, name: str) -> None:
        """Say that a milestone is done, now; what only waited for it falls due."""
        self.of(name).completed_at = self._clock.now
        for other, entry in self._entries.items():
            if entry.is_held_up and entry.condition == name:
                self._fall_due(other)

    def records(self) -> dict[str, MilestoneRecord]:
        """The end of each milestone, as the journal has it."""
        return {
            name: MilestoneRecord(e.agreed, e.date, e.classification, e.completed_at)
            for name, e in self._entries.items()
        }
