"""Dated events of a run, as people write them: ``jailbreak escaped >= 100``."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simlib.errors import Problem, ScenarioError
from simlib.journal import MARKS
from simlib.outcomes.recorded import OPEN
from simlib.outcomes.windows import month_edges, within

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simlib.journal import Run
    from simlib.scenario.schema import Scenario

_HOW = (
    "write INCIDENT, INCIDENT MARK >= NUMBER, INCIDENT in PLACE, "
    "INCIDENT in PLACE >= NUMBER a month, POSTURE = STATE, MILESTONE = CLASS or DECISION = TAKEN"
)
_MONTHLY = re.compile(r"^(?P<what>.+?)\s*>=\s*(?P<level>\d+)\s+a\s+month$")
_MARKED = re.compile(r"^(?P<what>.+?)\s+(?P<mark>\w+)\s*>=\s*(?P<level>[\d.]+)$")
_PLACED = re.compile(r"^(?P<what>.+?)\s+in\s+(?P<place>.+)$")
_STATED = re.compile(r"^(?P<what>[^=<>]+?)\s*=\s*(?P<state>[^=<>]+)$")


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

    ``jailbreak``, ``jailbreak escaped >= 100``, ``raid in North`` (an incident, by the least
    value of a mark, in a country or place); ``raid in North >= 30 a month`` (dated on the
    thirtieth of a calendar month); ``truce.posture = collapse`` (entered after the start);
    ``handover = slipped`` (a milestone completed as that class, dated on its completion);
    ``opens_campaign = yes`` (a decision). The scenario has its option applied.

    Raises
    ------
    ScenarioError
        It cannot be read, or names what the scenario does not have.
    """
    written = " ".join(text.split())
    stated = _STATED.match(written)
    if stated is not None:
        return _stated(text, stated["what"], stated["state"].strip(), scenario)
    return _incident(text, written, scenario)


def _stated(text: str, what: str, state: str, scenario: Scenario) -> Event:
    if what in scenario.postures:
        states = tuple(scenario.postures[what].states)
        if state not in states:
            raise _wrong(text, f"{what} has no state {state!r}", f"one of {', '.join(states)}")
        return PostureEvent(what, state)
    if what in scenario.timeline:
        _refuse_class(text, what, state, scenario)
        return MilestoneEvent(what, state)
    decisions = {*scenario.decisions, *(d for a in scenario.agents.values() for d in a.decisions)}
    if what in decisions:
        return DecisionEvent(what, state)
    known = ", ".join([*scenario.postures, *scenario.timeline])
    raise _wrong(text, f"no posture, milestone or decision {what!r}", f"there are {known}")


def _refuse_class(text: str, milestone: str, state: str, scenario: Scenario) -> None:
    """Refuse a class that no outcome of the milestone names, where one names its classes."""
    classes = {
        name
        for outcome in scenario.outcomes.values()
        if outcome.milestone == milestone
        for name in outcome.classes
    }
    if state == OPEN:
        raise _wrong(text, f"a milestone that is {OPEN} has no date")
    if classes and state not in classes:
        names = ", ".join(sorted(classes))
        raise _wrong(text, f"{milestone} has no class {state!r}", f"one of {names}")


def _incident(text: str, written: str, scenario: Scenario) -> IncidentEvent:
    monthly = _MONTHLY.match(written)
    what, level = (monthly["what"], int(monthly["level"])) if monthly else (written, 1)
    placed = _PLACED.match(what)
    places = within(scenario, None)
    marks: list[tuple[str, float]] = []
    if placed is not None:
        what, (where, at_least) = placed["what"], _place(placed["place"])
        places = within(scenario, where)
        if not places:
            raise _wrong(text, f"no place or country {where!r}")
        what += at_least
    while (marked := _MARKED.match(what)) is not None:
        what = marked["what"]
        marks.append(_mark(text, marked["mark"], marked["level"]))
    if what not in scenario.incidents:
        hint = _HOW if not what.isidentifier() else f"there are {', '.join(scenario.incidents)}"
        raise _wrong(text, f"no incident type {what!r}", hint)
    if level < 1:
        raise _wrong(text, f"at least 1 a month (got {level})")
    edges = tuple(month_edges(scenario).tolist())
    return IncidentEvent(what, tuple(sorted(marks)), places, level, edges)


def _place(written: str) -> tuple[str, str]:
    """A place, and what is written of marks after it."""
    marked = _MARKED.match(written)
    return (marked["what"], written[len(marked["what"]) :]) if marked else (written, "")


def _mark(text: str, mark: str, level: str) -> tuple[str, float]:
    if mark not in MARKS:
        raise _wrong(text, f"unknown mark {mark!r}", f"one of {', '.join(MARKS)}")
    try:
        return mark, float(level)
    except ValueError:
        raise _wrong(text, f"{mark} is compared with a number (got {level!r})") from None


def _wrong(text: str, rule: str, hint: str = "") -> ScenarioError:
    return ScenarioError([Problem(f"event {text!r}", rule, hint)])
