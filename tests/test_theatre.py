"""The base scenario agrees with the classes, the register and the first intensities."""

from __future__ import annotations

import ast
import csv
import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from simlib.agents.registry import agent_class, agent_names, parameters_read
from simlib.scenario import load
from simlib.scenario.bundled import folder
from simlib.scenario.expressions import compile_quantity, names
from simlib.scenario.parameter_values import typical
from simlib.scenario.schema import (
    IncidentGroup,
    Parameter,
    Posture,
    Scenario,
    StateVariable,
)
from simlib.theatre.agents import units

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from simlib.scenario.schema import Quantity

CENTRAL = {
    "isis.level_iraq": 5.0,
    "isis.level_syria": 58.7,
    "shift.government": 0.6,
    "shift.sdf": 1.2,
    "operations.level_iraq": 22.8,
    "operations.level_syria": 9.8,
    "turkiye.strike_level": 98.0,
    "pkk.attack_level": 1.7,
    "clash.deaths": 270.0,
    "hts.clash_level": 1.0,
    "israel.strike_level": 15.0,
    "strikes.share": 0.25,
    "ucdp.isis_initiated": 0.25,
    "ucdp.level_259": 5.348,
    "ucdp.level_354": 3.52,
    "ucdp.level_13604": 12.75,
    "ucdp.level_13616": 6.09,
    "ucdp.level_14803": 11.1,
    "strikes.level_iraq": 1.003,
}
"""Where the drawn levels equal those of seeds/initial_intensities.csv."""
ELSEWHERE = {"withdrawing_force"}
"""Agents of other bundled scenarios, tested in test_analogues.py."""


@pytest.fixture(scope="module")
def theatre() -> Scenario:
    return load("theatre")


def _rows(name: str) -> list[dict[str, str]]:
    with (folder("seeds") / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_installed_agents_and_entries_match(theatre: Scenario) -> None:
    assert set(theatre.agents) == agent_names() - ELSEWHERE
    for name in agent_names():
        assert agent_class(name).name == name


KNOWN: dict[str, Callable[[Scenario], Collection[str]]] = {
    "parameter": lambda theatre: theatre.value_names(),
    "posture": lambda theatre: theatre.postures,
    "live_posture": lambda theatre: theatre.postures,
    "decides": lambda theatre: theatre.decisions,
    **dict.fromkeys(
        ("see", "see_all", "change", "change_all", "total", "places"), lambda theatre: theatre.state
    ),
}
"""What the first argument of an agent's methods names in a scenario."""


def _names(argument: ast.expr) -> list[str]:
    """Return the names that an argument may be: both of ``a if x else b``."""
    if isinstance(argument, ast.IfExp):
        return [*_names(argument.body), *_names(argument.orelse)]
    value = argument.value if isinstance(argument, ast.Constant) else None
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize("name", sorted(agent_names() - ELSEWHERE))
def test_what_a_class_names_is_in_the_scenario(theatre: Scenario, name: str) -> None:
    tree = ast.parse(inspect.getsource(inspect.getmodule(agent_class(name))))  # type: ignore[arg-type]
    named = [
        (node.func.attr, text)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args
        for text in _names(node.args[0])
        if node.func.attr in KNOWN
    ]
    assert [pair for pair in named if pair[1] not in KNOWN[pair[0]](theatre)] == []
    assert named


GUARD = 1e-9
"""Numbers below this keep logarithms finite and mean nothing."""


def bare_numbers(source: str) -> list[str]:
    """Return the numbers in a module that mean something: all but 0, 1, -1 and guards."""
    return [
        f"line {node.lineno}: {node.value}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, (int, float))
        and not isinstance(node.value, bool)
        and node.value not in {0, 1}
        and abs(node.value) > GUARD
    ]


def test_judgements_of_agents_stand_in_the_scenario() -> None:
    """What a party weighs is a parameter; units and windows are named in one module."""
    files = sorted(Path(inspect.getfile(units)).parent.glob("*.py"))
    found = {file.stem: bare_numbers(file.read_text(encoding="utf-8")) for file in files}
    assert len(files) > len(agent_names() - ELSEWHERE)
    assert found.pop("units")
    assert {name: numbers for name, numbers in found.items() if numbers} == {}


def test_a_bare_number_is_found() -> None:
    """Negative control: a judgement at the top, in a call and under a minus."""
    source = "KEPT = 0.7\ndef f(x=1, y=1e-12):\n    return min(-1, max(x, -2), flag=True)\n"
    assert bare_numbers(source) == ["line 1: 0.7", "line 3: 2"]


def test_every_parameter_says_where_it_comes_from(theatre: Scenario) -> None:
    register = {row["id"] for row in _rows("parameters.csv")}
    for name, parameter in theatre.parameters.items():
        assert parameter.register or parameter.judgement, name
        assert parameter.register is None or parameter.register in register, name


def test_every_group_and_state_variable_says_where_it_comes_from(theatre: Scenario) -> None:
    register = {row["id"] for row in _rows("parameters.csv")}
    groups = {f"{t}.{g}": x for t, i in theatre.incidents.items() for g, x in i.groups.items()}
    parts: dict[str, IncidentGroup | StateVariable | Posture] = {}
    parts.update(groups)
    parts.update(theatre.state)
    parts.update(theatre.postures)
    for name, part in parts.items():
        assert part.register or part.source or part.judgement, name
        assert part.register is None or part.register in register, name


def _numbers(text: str) -> list[float]:
    return sorted(float(x) for x in re.findall(r"-?\d+\.?\d*", re.sub(r"p95", "", text)))


def _disagreement(parameter: Parameter, row: dict[str, str]) -> str:
    if parameter.value is not None:
        return "" if float(row["central"]) == parameter.value else f"central {row['central']}"
    assert parameter.distribution is not None
    ((kind, arguments),) = parameter.distribution.items()
    text = row["note"] if kind == "dirichlet" else row["distribution"]
    found = _numbers(text.split("dirichlet")[-1].split(")")[0] if kind == "dirichlet" else text)
    wanted = sorted(arguments.values())
    return "" if found == wanted else f"{kind} {wanted} against {text!r}"


def test_registered_numbers_agree_with_the_register(theatre: Scenario) -> None:
    rows = {row["id"]: row for row in _rows("parameters.csv")}
    found = {
        name: _disagreement(parameter, rows[parameter.register])
        for name, parameter in theatre.parameters.items()
        if parameter.register
    }
    assert {name: text for name, text in found.items() if text} == {}
    assert len(found) > 30


def test_a_wrong_number_is_found() -> None:
    """Negative control: one end of a range moved by a tenth."""
    row = {"distribution": "triangular(1,2,3)", "central": "2", "note": ""}
    args = {"triangular": {"low": 1.0, "mode": 2.0, "high": 3.1}}
    assert _disagreement(Parameter(distribution=args, unit="x", register="Y"), row)


def _value(quantity: Quantity, parameters: dict[str, float]) -> float:
    return float(compile_quantity(quantity)(parameters))


def _lethal(group: IncidentGroup, place: str, parameters: dict[str, float]) -> float:
    given = group.marks["lethal"].probability
    quantity = given[place] if isinstance(given, dict) else given
    assert quantity is not None
    return _value(quantity, parameters)


def _expected(theatre: Scenario) -> dict[tuple[str, str, str], tuple[float, float]]:
    """Return all and lethal incidents a month by type, place and row target."""
    central = {n: Parameter(value=v, unit="x", judgement="x") for n, v in CENTRAL.items()}
    given = {**theatre.parameters, **central}
    parameters, _ = typical(theatre.model_copy(update={"parameters": given}))
    result: dict[tuple[str, str, str], tuple[float, float]] = {}
    for type_, incident in theatre.incidents.items():
        for group in incident.groups.values():
            if not group.source or "lethal" not in group.marks:
                continue
            for place, level in group.level.items():
                in_syria = theatre.places[place].country == "Syria"
                has_targets = type_ == "isis_attack" and in_syria
                # UCDP has strikes among the operations, and they are not counted as such.
                is_strike = type_ == "coalition_strike"
                key = (
                    "counter_isis_operation" if is_strike else type_,
                    place,
                    group.target if has_targets else "",
                )
                number = _value(level, parameters)
                lethal = number * _lethal(group, place, parameters)
                before = result.get(key, (0.0, 0.0))
                result[key] = (before[0] + (0.0 if is_strike else number), before[1] + lethal)
    return result


def test_levels_are_the_first_intensities(theatre: Scenario) -> None:
    """All and lethal incidents a month agree row by row within 2 % (rounding in the file)."""
    expected = _expected(theatre)
    for row in _rows("initial_intensities.csv"):
        key = (row["type"], row["place"], row["target"])
        number, lethal = expected[key]
        assert number == pytest.approx(float(row["all_per_month"]), rel=0.02, abs=0.002), key
        assert lethal == pytest.approx(float(row["lethal_per_month"]), rel=0.03, abs=0.004), key


def _quantities(value: object) -> set[str]:
    """Return the names in every expression below a part of the scenario."""
    if isinstance(value, str):
        try:
            return names(value)
        except Exception:  # noqa: BLE001  (a text, not an expression)
            return set()
    if isinstance(value, dict):
        return set().union(*map(_quantities, value.values())) if value else set()
    if isinstance(value, (list, tuple)):
        return set().union(*map(_quantities, value)) if value else set()
    return set()


def unused_parameters(scenario: Scenario) -> set[str]:
    """Return parameters that no expression and no agent uses."""
    dumped = scenario.model_dump(
        include={"state", "parameters", "incidents", "postures", "decisions", "series"}
    )
    used = _quantities(dumped)
    used |= {name.rsplit(".", 1)[0] for name in used}
    values = scenario.value_names()
    for name in scenario.agents:
        used |= {values[read] for read in parameters_read(agent_class(name), values)}
    return set(scenario.parameters) - used


def unused_state(scenario: Scenario) -> set[str]:
    """Return state variables that no incident, agent or outcome reads."""
    text = scenario.model_dump_json(include={"incidents"})
    source = "".join(
        inspect.getsource(inspect.getmodule(agent_class(name)))  # type: ignore[arg-type]
        for name in scenario.agents
    )
    patterns = [
        re.compile(re.sub(r"\\\{[^}]*\}", r"\\w+", re.escape(f)))
        for f in re.findall(r'f"([\w.]*\{[^"]*)"', source)
    ]
    return {
        name
        for name in scenario.state
        if f'"{name}"' not in text
        and f'"{name}"' not in source
        and not any(p.fullmatch(name) for p in patterns)
    }


def test_no_parameter_is_unused(theatre: Scenario) -> None:
    assert unused_parameters(theatre) == set()


def test_no_state_variable_is_unused(theatre: Scenario) -> None:
    assert unused_state(theatre) == set()


def test_an_unused_parameter_is_found(theatre: Scenario) -> None:
    """Negative control: a parameter nobody reads is refused."""
    idle = Parameter(value=1.0, unit="x", judgement="none")
    parameters = {**theatre.parameters, "idle.number": idle}
    assert unused_parameters(theatre.model_copy(update={"parameters": parameters})) == {
        "idle.number"
    }
