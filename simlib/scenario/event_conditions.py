"""Conditions on what happens, as people write them: ``jailbreak escaped >= 100``.

The same language dates the event that tripwires look ahead to, and tells when an event of a
scenario comes about.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from simlib.journal import MARKS
from simlib.scenario.wording import near

if TYPE_CHECKING:
    from simlib.scenario.schema import Scenario

OPEN = "open"
"""The class of a milestone that is not settled by the horizon."""

_HOW = (
    "write INCIDENT, INCIDENT MARK >= NUMBER, INCIDENT in PLACE, "
    "INCIDENT in PLACE >= NUMBER a month, POSTURE = STATE, MILESTONE = CLASS or DECISION = TAKEN"
)
_MONTHLY = re.compile(r"^(?P<what>.+?)\s*>=\s*(?P<level>\d+)\s+a\s+month$")
_MARKED = re.compile(r"^(?P<what>.+?)\s+(?P<mark>\w+)\s*>=\s*(?P<level>[\d.]+)$")
_PLACED = re.compile(r"^(?P<what>.+?)\s+in\s+(?P<place>.+)$")
_STATED = re.compile(r"^(?P<what>[^=<>]+?)\s*=\s*(?P<state>[^=<>]+)$")
_VALUED = re.compile(r"^(?P<what>[^=<>]+?)\s*(?P<sign>>=|<=)\s*(?P<level>-?[\d.]+)$")


class ConditionError(ValueError):
    """A condition cannot be read; the message is the rule, `hint` what to do."""

    def __init__(self, rule: str, hint: str = "") -> None:
        super().__init__(rule)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class IncidentCondition:
    """An incident of a type in a place (empty: anywhere), with marks of a least value.

    A level of more than 1: so many of them within a calendar month.
    """

    type: str
    where: str
    marks: tuple[tuple[str, float], ...]
    level: int


@dataclass(frozen=True, slots=True)
class PostureCondition:
    """A posture that enters a state."""

    posture: str
    state: str


@dataclass(frozen=True, slots=True)
class MilestoneCondition:
    """A milestone that is completed, as one of its classes."""

    milestone: str
    classification: str


@dataclass(frozen=True, slots=True)
class DecisionCondition:
    """A decision of a name that is taken one way."""

    decision: str
    taken: str


@dataclass(frozen=True, slots=True)
class StateCondition:
    """A state variable, summed over places (empty: all), that reaches a level."""

    variable: str
    where: str
    sign: Literal[">=", "<="]
    level: float


Condition: TypeAlias = (
    IncidentCondition | PostureCondition | MilestoneCondition | DecisionCondition | StateCondition
)


def read_condition(text: str, scenario: Scenario) -> Condition:
    """Read a condition.

    ``jailbreak``, ``jailbreak escaped >= 100``, ``raid in North`` (an incident, by the least
    value of a mark, in a country or place); ``raid in North >= 30 a month`` (the thirtieth of
    a calendar month); ``truce.posture = collapse`` (entered); ``handover = slipped`` (a
    milestone completed as that class); ``opens_campaign = yes`` (a decision); ``guards in
    North <= 50`` (a state variable).

    Raises `ConditionError` where it cannot be read, or names what the scenario does not have.
    """
    written = " ".join(text.split())
    stated = _STATED.match(written)
    if stated is not None:
        return _stated(stated["what"], stated["state"].strip(), scenario)
    return _valued(written, scenario) or _incident(written, scenario)


def _stated(what: str, state: str, scenario: Scenario) -> Condition:
    if what in scenario.postures:
        states = tuple(scenario.postures[what].states)
        if state not in states:
            raise ConditionError(f"{what} has no state {state!r}", f"one of {', '.join(states)}")
        return PostureCondition(what, state)
    if what in scenario.timeline:
        _refuse_class(what, state, scenario)
        return MilestoneCondition(what, state)
    decisions = {*scenario.decisions, *(d for a in scenario.agents.values() for d in a.decisions)}
    if what in decisions:
        return DecisionCondition(what, state)
    known = [*scenario.postures, *scenario.timeline]
    guess = near(what, {*known, *decisions}) or f"there are {', '.join(known)}"
    raise ConditionError(f"no posture, milestone or decision {what!r}", guess)


def _refuse_class(milestone: str, state: str, scenario: Scenario) -> None:
    """Refuse a class that no outcome of the milestone names, where one names its classes."""
    classes = {
        name
        for outcome in scenario.outcomes.values()
        if outcome.milestone == milestone
        for name in outcome.classes
    }
    if state == OPEN:
        raise ConditionError(f"a milestone that is {OPEN} has no date")
    if classes and state not in classes:
        names = ", ".join(sorted(classes))
        raise ConditionError(f"{milestone} has no class {state!r}", f"one of {names}")


def _valued(written: str, scenario: Scenario) -> StateCondition | None:
    """A condition on a state variable, or None where it names none."""
    valued = _VALUED.match(written)
    placed = _PLACED.match(valued["what"]) if valued else None
    what = placed["what"] if placed else valued["what"] if valued else ""
    if valued is None or what not in scenario.state:
        return None
    where = placed["place"] if placed else ""
    _refuse_place(where, scenario)
    sign: Literal[">=", "<="] = ">=" if valued["sign"] == ">=" else "<="
    return StateCondition(what, where, sign, _number(what, valued["level"]))


def _incident(written: str, scenario: Scenario) -> IncidentCondition:
    monthly = _MONTHLY.match(written)
    what, level = (monthly["what"], int(monthly["level"])) if monthly else (written, 1)
    placed = _PLACED.match(what)
    where = ""
    marks: list[tuple[str, float]] = []
    if placed is not None:
        what, (where, at_least) = placed["what"], _place(placed["place"])
        _refuse_place(where, scenario)
        what += at_least
    while (marked := _MARKED.match(what)) is not None:
        what = marked["what"]
        marks.append(_mark(marked["mark"], marked["level"]))
    if what not in scenario.incidents:
        name = re.split(r"\s*[<>]", what)[0]
        guess = near(name, scenario.incidents)
        hint = guess or f"there are {', '.join(scenario.incidents)}"
        if name != what or not what.isidentifier():
            hint = f"{guess} {_HOW}".strip()
        raise ConditionError(f"no incident type {name!r}", hint)
    if level < 1:
        raise ConditionError(f"at least 1 a month (got {level})")
    _refuse_idle(what, where, [mark for mark, _ in marks], scenario)
    return IncidentCondition(what, where, tuple(sorted(marks)), level)


def _refuse_idle(type_: str, where: str, marks: list[str], scenario: Scenario) -> None:
    """Refuse incidents that nothing there brings about: the condition would never hold."""
    groups = [
        group
        for group in scenario.incidents[type_].groups.values()
        if any(not where or where in scenario.regions_of(place) for place in group.level)
    ]
    if not groups:
        raise ConditionError(f"never holds: there is no {type_} in {where}")
    there = f" in {where}" if where else ""
    for mark in marks:
        if not any(mark in group.marks for group in groups):
            raise ConditionError(f"never holds: no {type_}{there} has the mark {mark}")


def _refuse_place(where: str, scenario: Scenario) -> None:
    if where and not any(where in scenario.regions_of(place) for place in scenario.places):
        raise ConditionError(f"no place or country {where!r}")


def _place(written: str) -> tuple[str, str]:
    """A place, and what is written of marks after it."""
    marked = _MARKED.match(written)
    return (marked["what"], written[len(marked["what"]) :]) if marked else (written, "")


def _mark(mark: str, level: str) -> tuple[str, float]:
    if mark not in MARKS:
        raise ConditionError(f"unknown mark {mark!r}", f"one of {', '.join(MARKS)}")
    return mark, _number(mark, level)


def _number(what: str, level: str) -> float:
    try:
        found = float(level)
    except ValueError:
        found = math.nan
    if math.isnan(found):
        raise ConditionError(f"{what} is compared with a number (got {level!r})")
    return found
