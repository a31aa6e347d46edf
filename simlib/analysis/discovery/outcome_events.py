"""Dated events of a run, as people write them: ``jailbreak escaped >= 100``."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simlib.errors import Problem, ScenarioError
from simlib.outcomes.windows import month_edges, within
from simlib.scenario.event_conditions import (
    ConditionError,
    DecisionCondition,
    IncidentCondition,
    MilestoneCondition,
    PostureCondition,
    read_condition,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simlib.journal import Run
    from simlib.scenario.schema import Scenario


@dataclass(frozen=True, slots=True)
class IncidentEvent:
    """An incident of a type; or so many of them within a calendar month.

    It counts in some places, with marks of a least value. More than one make the event at the
    last of them; a level of 1: every incident is one.
    """

    type: str
    marks: tuple[tuple[str, float], ...]
    places: frozenset[str]
    level: int
    edges: tuple[float, ...]

    def first_at(self, run: Run) -> float:
        """When it first happens in a run, in days; infinity when it does not."""
        times = self._times(run)
        if self.level == 1:
            return float(times[0]) if len(times) else math.inf
        month = np.searchsorted(self.edges[1:-1], times, side="right")
        # As many rows earlier in order of time, and still in the same month.
        is_reached = month[self.level - 1 :] == month[: max(0, len(month) - self.level + 1)]
        reached = times[self.level - 1 :][is_reached]
        return float(reached[0]) if len(reached) else math.inf

    def _times(self, run: Run) -> NDArray[np.float64]:
        incidents, channels = run.incidents, run.incidents.channels
        fits = np.array(
            [
                of_type == self.type and place in self.places
                for of_type, place in zip(channels.types, channels.places, strict=True)
            ],
            dtype=np.bool_,
        )
        chosen = fits[incidents.channel] & (incidents.time >= run.start)
        chosen &= incidents.time <= run.horizon
        for mark, least in self.marks:
            chosen &= incidents.mark(mark) >= least
        times: NDArray[np.float64] = incidents.time[chosen]
        return times


@dataclass(frozen=True, slots=True)
class PostureEvent:
    """A posture that enters a state; one that it starts in is not entered."""

    posture: str
    state: str

    def first_at(self, run: Run) -> float:
        """When it first happens in a run, in days; infinity when it does not."""
        entered = (time for time, state in run.postures[self.posture][1:] if state == self.state)
        return next(entered, math.inf)


@dataclass(frozen=True, slots=True)
class MilestoneEvent:
    """A milestone that is completed, as one of its classes; dated on its completion."""

    milestone: str
    classification: str

    def first_at(self, run: Run) -> float:
        """When it happens in a run, in days; infinity when it does not."""
        record = run.milestones[self.milestone]
        if record.classification != self.classification or math.isnan(record.completed_at):
            return math.inf
        return record.completed_at if record.completed_at <= run.horizon else math.inf


@dataclass(frozen=True, slots=True)
class DecisionEvent:
    """A decision of a name that is taken one way."""

    decision: str
    taken: str

    def first_at(self, run: Run) -> float:
        """When it first happens in a run, in days; infinity when it does not."""
        taken = (
            decision.time
            for decision in run.decisions
            if (decision.name, decision.taken) == (self.decision, self.taken)
        )
        return next(taken, math.inf)


Event = IncidentEvent | PostureEvent | MilestoneEvent | DecisionEvent


def read_event(text: str, scenario: Scenario) -> Event:
    """Read an event that is dated in every run.

    It is a condition as `read_condition` reads it, but none on a state variable, and dated on
    the incident (the last of so many), on entering a state after the start, on the completion
    of a milestone, or on the decision. The scenario has its option applied.

    Raises
    ------
    ScenarioError
        It cannot be read, or names what the scenario does not have.
    """
    try:
        condition = read_condition(text, scenario)
    except ConditionError as error:
        raise _wrong(text, str(error), error.hint) from None
    match condition:
        case IncidentCondition(type_, where, marks, level):
            places, edges = within(scenario, where or None), tuple(month_edges(scenario).tolist())
            return IncidentEvent(type_, marks, places, level, edges)
        case PostureCondition(posture, state):
            return PostureEvent(posture, state)
        case MilestoneCondition(milestone, classification):
            return MilestoneEvent(milestone, classification)
        case DecisionCondition(decision, taken):
            return DecisionEvent(decision, taken)
    raise _wrong(text, "a state variable is not dated by what a run records")


def _wrong(text: str, rule: str, hint: str = "") -> ScenarioError:
    return ScenarioError([Problem(f"event {text!r}", rule, hint)])
