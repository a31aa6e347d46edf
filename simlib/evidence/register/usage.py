"""Where numbers are used: every part of a scenario that names a parameter or a register row."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from simlib.agents.registry import agent_class, agent_names, parameters_read
from simlib.evidence.register.figures import figures_named, load_derivations, owner
from simlib.scenario.bundled import folder, seed_table
from simlib.scenario.canonical import explicit
from simlib.scenario.expressions import names
from simlib.scenario.fitting import fitted
from simlib.scenario.nodes import from_python
from simlib.scenario.register_rows import register_rows
from simlib.scenario.schema import Model

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from simlib.scenario.nodes import Path
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
    direct, following = _direct_uses(scenario), _following(scenario)
    through = {
        name: [
            f"{other} -> {place}" for other in _reached(name, following) for place in direct[other]
        ]
        for name in scenario.parameters
    }
    return {name: tuple(dict.fromkeys((*direct[name], *through[name]))) for name in direct}


def _reached(name: str, following: Mapping[str, Sequence[str]]) -> list[str]:
    """The parameters that follow from one, over others too, the nearest first."""
    found = list(following.get(name, ()))
    for other in found:  # it grows meanwhile
        found += [each for each in following.get(other, ()) if each not in found]
    return found


def _following(scenario: Scenario) -> dict[str, list[str]]:
    """Return, by parameter, those whose expressions name it."""
    givers = scenario.value_names()
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
    givers = scenario.value_names()
    for name, takers in _following(scenario).items():
        yield from ((name, f"parameter {taker}") for taker in takers)
    for place, quantity in _quantities(scenario):
        yield from ((givers[value], place) for value in sorted(names(quantity)) if value in givers)
    for agent, entry in scenario.agents.items():
        read = parameters_read(agent_class(agent), givers) if agent in agent_names() else ()
        known = {*entry.parameters, *(givers[value] for value in read)}
        yield from ((name, f"agent {agent}") for name in sorted(known))
    for option, changes in scenario.options.items():
        yield from ((name, f"option {option} replaces it") for name in changes.parameters)


def _outcomes(places: Mapping[str, int], scenario: Scenario) -> list[str]:
    """The outcomes that read one of the series among some places."""
    parts = [place.partition(":")[0] for place in places]
    series = {part.removeprefix("series ") for part in parts if part.startswith("series ")}
    return [f"outcome {name}" for name, o in scenario.outcomes.items() if o.series in series]


def _quantities(scenario: Scenario) -> Iterator[tuple[str, str]]:
    """Yield every expression outside the parameters, with what to call its place."""
    _, log = fitted(type(scenario), from_python(explicit(scenario)))
    for path, expression in log.expressions.items():
        yield _place(scenario, path), expression


def _place(scenario: Scenario, path: Path) -> str:
    """Name the field that an expression stands in: ``incident raid: group main: level``."""
    value: Any = scenario
    words: list[str] = []
    for step in path:
        if isinstance(value, Model):
            value = getattr(value, str(step))
            words.append(str(step))
        elif isinstance(item := value[step], Model):
            # What stands in a list is called by its first field: the type it excites.
            first = next(iter(type(item).model_fields))
            name = step if isinstance(step, str) else getattr(item, first)
            words[-1] = f"{_singular(words[-1])} {name}"
            value = item
        else:
            break  # a level at ten places is one part
    return ": ".join(words)


def _singular(field: str) -> str:
    return field if field in {"series", "excites"} else field.removesuffix("s")


def uses_of_rows(scenario: Scenario) -> dict[str, tuple[str, ...]]:
    """Return, by register row, what names its id: the scenario, seeds, other rows, arithmetic."""
    found: dict[str, dict[str, None]] = {name: {} for name in register_rows()}
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
    for section in ("parameters", "state", "postures", "decisions", "series", "timeline"):
        named = getattr(scenario, section).items()
        parts |= {f"{_singular(section)} {name}": part for name, part in named}
    for kind, incident in scenario.incidents.items():
        parts |= {f"incident {kind}: group {name}": x for name, x in incident.groups.items()}
    for place, part in parts.items():
        for field in ("register_id", "source", "judgement", "fitted", "note"):
            yield place, getattr(part, field, None) or ""
    for file, (called, columns) in _TABLES.items():
        for line in seed_table(file):
            place = " ".join(line[column] for column in called if line[column])
            yield f"{file}: {place}", " ".join(line[column] for column in columns)
    for name, row in register_rows().items():
        yield f"row {name}", f"{row.source} {row.note}"
    article = (folder("seeds") / "article.yaml").read_text(encoding="utf-8")
    for found in _CARRIED.finditer(article):
        yield f"article.yaml: {found[1]}", found[2]
