"""Outcomes read off what a run recorded: state, milestones, postures, decisions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simlib.journal import DAYS_PER_MONTH, to_days
from simlib.outcomes.windows import month_edges, window, within
from simlib.scenario.event_conditions import OPEN

if TYPE_CHECKING:
    import datetime as dt

    from simlib.journal import Decision, Run
    from simlib.scenario.schema import Outcome, Scenario


@dataclass(frozen=True, slots=True)
class StateOutcome:
    """A state variable at one snapshot, over some places."""

    variable: str
    places: frozenset[str]
    time: float
    reduce: str

    def evaluate(self, run: Run) -> float:
        """The value; nan where the run has no such snapshot, or no place has it."""
        row = int(np.searchsorted(run.snapshot_times, self.time))
        if row == len(run.snapshot_times) or run.snapshot_times[row] != self.time:
            return math.nan
        layout = run.layout
        names = layout.places_of(self.variable)
        values = run.snapshots[row, layout.slice_of(self.variable)].tolist()
        if names:
            values = [v for v, p in zip(values, names, strict=True) if p in self.places]
        return _reduced(values, self.reduce)


def _reduced(values: list[float], reduce: str) -> float:
    if not values:
        return math.nan
    if reduce == "min":
        return min(values)
    if reduce == "max":
        return max(values)
    total = math.fsum(values)
    return total / len(values) if reduce == "mean" else total


@dataclass(frozen=True, slots=True)
class MilestoneOutcome:
    """What became of a milestone: its class, or when it was completed."""

    milestone: str
    measure: str

    def evaluate(self, run: Run) -> float | str:
        """The class, or a number that is nan while it is not completed."""
        record = run.milestones[self.milestone]
        if self.measure == "class":
            return record.classification or OPEN
        completed = record.completed_at
        if math.isnan(completed) or completed > run.horizon:
            return math.nan
        if self.measure == "months_late":
            if record.agreed == math.inf:  # done, and nobody ever said when
                return math.nan
            # From the end of the agreed day: what is done on the day itself is on time.
            days = completed - record.agreed
            return (days - min(max(days, 0.0), 1.0)) / DAYS_PER_MONTH
        if self.measure == "months_from_start":
            return (completed - run.start) / DAYS_PER_MONTH
        return (run.horizon - completed) / (run.horizon - run.start)


@dataclass(frozen=True, slots=True)
class PostureOutcome:
    """Whether a posture was in one of the states at some time in the window."""

    posture: str
    states: frozenset[str]
    first: float
    last: float

    def evaluate(self, run: Run) -> float:
        """1 or 0."""
        history = run.postures[self.posture]
        ends = [began for began, _ in history[1:]]
        ends.append(math.inf)
        # What begins at the horizon itself still happens.
        last = math.nextafter(self.last, math.inf) if self.last >= run.horizon else self.last
        return float(
            any(
                state in self.states and began < last and end > self.first
                for (began, state), end in zip(history, ends, strict=True)
            )
        )


@dataclass(frozen=True, slots=True)
class DecisionOutcome:
    """How often a decision was taken in the window."""

    decision: str
    taken: frozenset[str]
    places: frozenset[str] | None
    first: float
    last: float

    def evaluate(self, run: Run) -> float:
        """The number of decisions."""
        named = (decision for decision in run.decisions if decision.name == self.decision)
        return float(sum(self.counts(decision, run) for decision in named))

    def counts(self, decision: Decision, run: Run) -> bool:
        """Whether a decision of a run counts."""
        last = math.nextafter(self.last, math.inf) if self.last >= run.horizon else self.last
        return (
            decision.name == self.decision
            and decision.taken in self.taken
            and self.first <= decision.time < last
            and (self.places is None or decision.place in self.places)
        )


Recorded = StateOutcome | MilestoneOutcome | PostureOutcome | DecisionOutcome


def plan_recorded(scenario: Scenario, outcome: Outcome) -> Recorded:
    """Prepare an outcome that is not counted over incidents."""
    if outcome.state is not None:
        places = within(scenario, outcome.place)
        return StateOutcome(outcome.state, places, _snapshot(outcome, scenario), outcome.reduce)
    if outcome.milestone is not None:
        measure = "class" if outcome.classes else outcome.measure or "class"
        return MilestoneOutcome(outcome.milestone, measure)
    first, last = window(outcome, scenario)
    if outcome.posture is not None:
        return PostureOutcome(outcome.posture, frozenset(outcome.states), first, last)
    if outcome.decision is not None:
        taken = frozenset(outcome.states) or frozenset({"yes"})
        where = None if outcome.place is None else within(scenario, outcome.place)
        return DecisionOutcome(outcome.decision, taken, where, first, last)
    raise ValueError("an outcome says what it counts or reads")


def has_snapshot(scenario: Scenario, date: dt.date | None) -> bool:
    """Whether state is kept on a date (or the date is past the end: then it is censored)."""
    if date is None or date > scenario.end:
        return True
    kept = month_edges(scenario)
    return bool(np.isin([to_days(date), to_days(date) + 1.0], kept).any())


def _snapshot(outcome: Outcome, scenario: Scenario) -> float:
    """The snapshot an outcome reads: the first instant of its date, or the last.

    State is kept at the start, at the first instant of each month and at the horizon, so
    the last day of a month stands for the instant that ends it.
    """
    if outcome.on is None:
        return to_days(scenario.end) + 1.0
    kept = set(month_edges(scenario).tolist())
    begins = to_days(outcome.on)
    return begins if begins in kept else begins + 1.0
