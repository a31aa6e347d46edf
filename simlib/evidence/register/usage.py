"""Where numbers are used: every part of a scenario that names a parameter or a register row."""

from __future__ import annotations

import functools
import re
import types
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin

from simlib.agents.mentions import parameters_read
from simlib.agents.registry import agent_class, agent_names
from simlib.evidence.register.derivations import figures_named, load_derivations
from simlib.evidence.register.figures import owner
from simlib.evidence.register.register_rows import rows
from simlib.scenario.bundled import folder, seed_table
from simlib.scenario.expressions import names
from simlib.scenario.parameter_order import value_names
from simlib.scenario.schema import Model

if TYPE_CHECKING:
    from simlib.scenario.schema import Scenario

_ID = re.compile(r"(?<![\w-])[A-E][0-9][\w-]*")
_CARRIED = re.compile(r"^  - \{id: (\w+),.*\bregister: ([\w-]+)", re.MULTILINE)
_TABLES = {
    "initial_intensities.csv": (("type", "country", "target"), ("method",)),
    "posture_hazards.csv": (("process", "state"), ("known_by_2024_12_31",)),
}
"""Tables of ``seeds`` that may name rows of the register: what to call a line, which columns."""


def uses_of_parameters(scenario: Scenario) -> dict[str, tuple[str, ...]]:
    """Return, by parameter, every part of a scenario that names it.

    A level at ten places is one part. What an expression names is used by the parameter
    that it gives, whose own uses follow after an arrow.
    """
    direct = _direct_uses(scenario)
    through = {
        name: [
            f"{other} -> {place}" for other in _takers(name, scenario) for place in direct[other]
        ]
        for name in scenario.parameters
    }
    return {name: tuple(dict.fromkeys((*direct[name], *through[name]))) for name in direct}


def _takers(name: str, scenario: Scenario) -> list[str]:
    """Return the parameters that follow from one, the nearest first."""
    found: list[str] = []
    waiting = [name]
    while waiting:
        current = waiting.pop(0)
        for other in _expressions(scenario).get(current, ()):
            if other not in found:
                found.append(other)
                waiting.append(other)
    return found


def _expressions(scenario: Scenario) -> dict[str, list[str]]:
    """Return, by parameter, those whose expressions name it."""
    givers = value_names(scenario.parameters)
    found: dict[str, list[str]] = {}
    for name, parameter in scenario.parameters.items():
        for value in sorted(names(parameter.expression or 0.0)):
            takers = found.setdefault(givers.get(value, value), [])
            if name not in takers:
                takers.append(name)
    return found


def _direct_uses(scenario: Scenario) -> dict[str, list[str]]:
    counted: dict[str, Counter[str]] = {name: Counter() for name in scenario.parameters}
    for name, place in _mentions(scenario):
        counted.setdefault(name, Counter())[place] += 1
    return {
        name: [
            *(place if n == 1 else f"{place} ({n} times)" for place, n in places.items()),
            *_outcomes(places, scenario),
        ]
        for name, places in counted.items()
    }


def _mentions(scenario: Scenario) -> Iterator[tuple[str, str]]:
    """Yield parameter and place for every time that one is named."""
    givers = value_names(scenario.parameters)
    for name, takers in _expressions(scenario).items():
        yield from ((name, f"parameter {taker}") for taker in takers)
    for place, quantity in _quantities(scenario):
        yield from ((givers[value], place) for value in sorted(names(quantity)) if value in givers)
    for agent, entry in scenario.agents.items():
        read = parameters_read(agent_class(agent), givers) if agent in agent_names() else ()
        told = {*entry.parameters, *(givers[value] for value in read)}
        yield from ((name, f"agent {agent}") for name in sorted(told))
    for option, changes in scenario.options.items():
        yield from ((name, f"option {option} replaces it") for name in changes.parameters)


def _outcomes(places: Mapping[str, int], scenario: Scenario) -> list[str]:
    """Return the outcomes that read one of the series among some places."""
    told = [place.partition(":")[0] for place in places]
    series = {name.removeprefix("series ") for name in told if name.startswith("series ")}
    return [f"outcome {name}" for name, o in scenario.outcomes.items() if o.series in series]


def _quantities(scenario: Scenario) -> Iterator[tuple[str, str]]:
    """Yield every expression outside the parameters, with what to call its place."""
    for name, state in scenario.state.items():
        yield from _within(f"state {name}", state)
    for kind, incident in scenario.incidents.items():
        for group, channels in incident.groups.items():
            yield from _within(f"incident {kind}, {group}", channels)
        for excitation in incident.excites:
            yield from _within(f"incident {kind}, excites {excitation.type}", excitation)
    for kind, parts in (("posture", scenario.postures), ("decision", scenario.decisions)):
        for name, part in parts.items():
            yield from _within(f"{kind} {name}", part)
    for name, series in scenario.series.items():
        yield from _within(f"series {name}", series)


def _within(place: str, model: Model) -> Iterator[tuple[str, str]]:
    for field in type(model).model_fields:
        value = getattr(model, field)
        if field in _quantity_fields(type(model)):
            for text in _texts(value):
                yield (f"{place}: {field}" if _is_told(model, field) else place), text
        else:
            yield from _parts(place, field, value)


def _parts(place: str, field: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield the expressions of models below a field: one, several, or several by name."""
    if isinstance(value, Model):
        yield from _within(f"{place}: {field}", value)
    elif isinstance(value, tuple):
        for item in value:
            if isinstance(item, Model):
                yield from _within(f"{place}: {_singular(field)}", item)
    elif isinstance(value, Mapping):
        for name, item in value.items():
            if isinstance(item, Model):
                yield from _within(f"{place}: {_singular(field)} {name}", item)


def _singular(field: str) -> str:
    return field.removesuffix("s") if field in {"factors", "marks", "effects", "states"} else field


def _is_told(model: Model, field: str) -> bool:
    """Return whether a field's name tells more than the model it stands in."""
    n_fields = len(_quantity_fields(type(model)))
    return n_fields > 1 or field == "level"


@functools.cache
def _quantity_fields(model: type[Model]) -> frozenset[str]:
    """Return the fields of a model that hold numbers or expressions."""
    return frozenset(
        name for name, field in model.model_fields.items() if _holds_quantity(field.annotation)
    )


def _holds_quantity(annotation: Any) -> bool:
    arguments = get_args(annotation)
    if get_origin(annotation) in {Union, types.UnionType} and {float, str} <= set(arguments):
        return True
    return any(_holds_quantity(argument) for argument in arguments)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, tuple):
        for item in value:
            yield from _texts(item)


def uses_of_rows(scenario: Scenario) -> dict[str, tuple[str, ...]]:
    """Return, by register row, what names its id: the scenario, seeds, other rows, arithmetic."""
    found: dict[str, dict[str, None]] = {name: {} for name in rows()}
    for place, text in _naming(scenario):
        for name in _ID.findall(text):
            if name in found and place != f"row {name}":
                found[name][place] = None
    for derivation in load_derivations().derivations:
        for figure in figures_named(derivation):
            name = owner(figure, scenario)
            if name in found and owner(derivation.figure, scenario) != name:
                found[name][f"derives {derivation.figure}"] = None
    return {name: tuple(places) for name, places in found.items()}


def _naming(scenario: Scenario) -> Iterator[tuple[str, str]]:
    """Yield texts that may name rows of the register, with what to call their place."""
    parts: dict[str, Model] = {}
    parts.update({f"parameter {name}": x for name, x in scenario.parameters.items()})
    parts.update({f"state {name}": x for name, x in scenario.state.items()})
    for kind, incident in scenario.incidents.items():
        parts.update({f"incident {kind}, {name}": x for name, x in incident.groups.items()})
    parts.update({f"posture {name}": x for name, x in scenario.postures.items()})
    parts.update({f"decision {name}": x for name, x in scenario.decisions.items()})
    parts.update({f"series {name}": x for name, x in scenario.series.items()})
    parts.update({f"timeline {name}": x for name, x in scenario.timeline.items()})
    for place, part in parts.items():
        for field in ("register_id", "source", "judgement", "fitted", "note"):
            yield place, getattr(part, field, None) or ""
    for file, (called, columns) in _TABLES.items():
        for line in seed_table(file):
            place = " ".join(line[column] for column in called if line[column])
            yield f"{file}: {place}", " ".join(line[column] for column in columns)
    for name, row in rows().items():
        yield f"row {name}", f"{row.source} {row.note}"
    article = (folder("seeds") / "article.yaml").read_text(encoding="utf-8")
    for found in _CARRIED.finditer(article):
        yield f"article.yaml: {found[1]}", found[2]
