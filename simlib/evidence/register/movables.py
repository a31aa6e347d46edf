"""What can be moved in a scenario: meaning, unit, value today, and a line that moves it."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from simlib.chance.distributions import quantile
from simlib.errors import Problem, ScenarioError
from simlib.evidence.register.usage import uses_of_parameters
from simlib.scenario.canonical import written
from simlib.scenario.expressions import compile_quantity
from simlib.scenario.parameter_values import typical
from simlib.scenario.register_rows import register_rows
from simlib.scenario.relative_changes import is_share
from simlib.scenario.wording import near, shown
from simlib.statistics.formatting import number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from simlib.scenario.schema import (
        AgentEntry,
        DecisionLogit,
        Milestone,
        Parameter,
        Posture,
        Quantity,
        Registered,
        Scenario,
        StateVariable,
    )

_ENDS = (0.05, 0.95)
_MOST_USES = 3
_WIDTH = 74
_LENGTH = "6 months"


@dataclass(frozen=True, slots=True)
class Movable:
    """One thing that a file over a scenario can move."""

    kind: str
    """``parameter``, ``state``, ``posture``, ``milestone``, ``decision`` or ``agent``."""
    name: str
    meaning: str
    unit: str
    today: str
    """Its value in the scenario: of what is drawn, the mean and the 5 and 95 % points."""
    example: str
    """YAML that moves it in a file that extends the scenario."""

    def as_dict(self) -> dict[str, str]:
        """Return its parts by name."""
        return asdict(self)


def movables(scenario: Scenario, word: str = "") -> list[Movable]:
    """Return what can be moved in a scenario, or what of it has a word in name, kind or meaning.

    Raises
    ------
    ScenarioError
        Nothing has the word.
    """
    every = list(_Movables(scenario).all())
    wanted = word.casefold()
    exact = [each for each in every if each.name.casefold() == wanted]
    found = exact or [each for each in every if _mentions(each, wanted)]
    if not found:
        hint = near(word, {each.name for each in every})
        raise ScenarioError([Problem("word", f"nothing is called so (got {shown(word)})", hint)])
    return found


def _mentions(each: Movable, wanted: str) -> bool:
    texts = (each.name, each.kind, each.meaning, each.unit)
    return any(wanted in text.casefold() for text in texts)


class _Movables:
    """All that can be moved in one scenario."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._means, _ = typical(scenario)
        self._uses = uses_of_parameters(scenario)
        half_way = scenario.start + (scenario.end - scenario.start) / 4
        self._day = dt.date(half_way.year, half_way.month, 1)
        self._day = max(self._day, scenario.start)
        """A date on which something may happen in examples."""

    def all(self) -> Iterator[Movable]:
        """Iterate over everything, by kind and then as the scenario has it."""
        sections: tuple[tuple[Mapping[str, Any], Callable[[str, Any], Movable]], ...] = (
            (self._scenario.timeline, self._milestone),
            (self._scenario.postures, self._posture),
            (self._scenario.agents, self._agent),
            (self._scenario.decisions, self._decision),
            (self._scenario.state, self._state),
            (self._scenario.parameters, self._parameter),
        )
        for entries, made in sections:
            yield from (made(name, entry) for name, entry in entries.items())

    def _milestone(self, name: str, milestone: Milestone) -> Movable:
        change = {"shift": _LENGTH} if milestone.date else {"date": self._day}
        example = {"options": {"moved": {"timeline": {name: change}}}}
        today = str(milestone.date or "no date yet")
        meaning = milestone.note or _cited(milestone.source)
        meaning = meaning or ("" if milestone.date else "a step that nobody has agreed on yet")
        return Movable("milestone", name, meaning, "", today, _yaml(example))

    def _posture(self, name: str, posture: Posture) -> Movable:
        others = [state for state in posture.states if state != posture.start]
        goal = others[0] if others else posture.start
        example = self._event(enter={name: goal})
        states = f"of {posture.owner}: {', '.join(posture.states)}"
        return Movable("posture", name, _meaning(posture, states), "", posture.start, example)

    def _agent(self, name: str, entry: AgentEntry) -> Movable:
        example: dict[str, Any] = {"agents": {name: {"active": False}}}
        if entry.active and entry.on_removal:
            example = {"options": {"moved": {"remove": [name]}}}
        today = "decides" if entry.active else "left out"
        return Movable("agent", name, entry.description, "", today, _yaml(example))

    def _decision(self, name: str, logit: DecisionLogit) -> Movable:
        weights = ", ".join(logit.weights) or "nothing"
        meaning = _meaning(logit, f"yes or no, weighing {weights}")
        today = number(self._value(logit.intercept))
        example = {"decisions": {name: {"intercept": {"add": 1.0}}}}
        return Movable("decision", name, meaning, "log-odds of a yes", today, _yaml(example))

    def _state(self, name: str, variable: StateVariable) -> Movable:
        places = variable.start if isinstance(variable.start, dict) else {}
        values = [self._value(quantity) for quantity in places.values()]
        total = math.fsum(values) if places else self._value(variable.start)  # type: ignore[arg-type]
        over = f"over {len(places)} places" if places else f"in each {variable.over}"
        over = "" if variable.over == "national" else over
        if "start" in variable.model_fields_set and total:
            example = _yaml({"state": {name: {"start": {"times": 0.5}}}})
        else:
            amount = 1.0 if variable.over == "national" else {"each": 1.0}
            example = self._event(add={name: amount})
        meaning = _meaning(variable, over)
        return Movable("state", name, meaning, variable.unit, number(total), example)

    def _parameter(self, name: str, parameter: Parameter) -> Movable:
        uses = list(dict.fromkeys(self._uses.get(name, ())))
        enters = f"enters {', '.join(uses[:_MOST_USES])}" if uses else ""
        if len(uses) > _MOST_USES:
            enters += f" and {len(uses) - _MOST_USES} more"
        example = {"parameters": {name: _moved(parameter)}}
        meaning = _meaning(parameter, enters)
        today = self._today(name, parameter)
        return Movable("parameter", name, meaning, parameter.unit, today, _yaml(example))

    def _today(self, name: str, parameter: Parameter) -> str:
        ((kind, args),) = (parameter.distribution or {"": {}}).items()
        if kind == "dirichlet":
            parts = (f"{part} {number(self._means[f'{name}.{part}'])}" for part in args)
            return ", ".join(parts)
        mean = number(self._means[name])
        if not kind:
            return mean
        low, high = (number(quantile(kind, args, u)) for u in _ENDS)
        return f"{mean} ({low} to {high})"

    def _value(self, quantity: Quantity) -> float:
        return compile_quantity(quantity)(self._means)

    def _event(self, **does: dict[str, Any]) -> str:
        return _yaml({"events": {"change": {"on": self._day, **does}}})


def _yaml(content: dict[str, Any]) -> str:
    """A mapping as people write it: ``on`` and lengths of time need no quotes."""
    text = written(content, _WIDTH).replace('"on": ', "on: ")
    return text.replace(f'"{_LENGTH}"', _LENGTH)


def _moved(parameter: Parameter) -> dict[str, Any]:
    """What moves a parameter visibly and leaves it possible: twice a rate, half of the rest."""
    if "dirichlet" in (parameter.distribution or {}):
        return {"distribution": parameter.distribution, "judgement": "a what-if"}
    is_rate = " per " in parameter.unit and not is_share(parameter.unit)
    return {"times": 2.0 if is_rate else 0.5}


def _meaning(entry: Registered, more: str) -> str:
    """What the register, or else the scenario, says of something, and more."""
    ids = (entry.register_id or "").replace(",", " ").split()
    rows = [register_rows().get(name) for name in ids]
    said = [row.quantity for row in rows if row is not None][:1]
    words = [getattr(entry, key, None) for key in ("judgement", "fitted", "note")]
    said = said or [_first_sentence(text) for text in words if text][:1]
    return "; ".join(part for part in (*said, more) if part)


def _first_sentence(text: str) -> str:
    return " ".join(text.split()).partition(". ")[0].rstrip(".")


def _cited(source: str | None) -> str:
    return f"source: {source}" if source else ""
