"""Figures by their names: what derivations stand on and lead to.

=====================================  =====================================================
``B4-2024``, ``B4-2024.low``           a row of the register: its central value, or ``low``,
                                       ``high``; of what it draws ``mean``, ``q05`` to ``q95``
``raids.level.mode``                   an argument of a scenario parameter's distribution
``report.sohr``                        a scenario parameter that is one number
``initial:TYPE/COUNTRY/COLUMN``        ``seeds/initial_intensities.csv``: the sum of the rows
                                       of a type that have these countries, places, targets
``postures:PROCESS/STATE/COLUMN``      ``seeds/posture_hazards.csv``; ``next.STATE`` for the
                                       probability of what follows
``ucdp:CONFLICT/COLUMN``               ``seeds/history/ucdp_2024_monthly.csv``: the sum over
                                       the months of a conflict
``mark:TYPE/GROUP/MARK``               a scenario's mark: its probability; ``/PLACE`` where it
                                       differs by place, ``/ARGUMENT`` of a count's law
``level:TYPE/GROUP/PLACE``             a scenario's level with every parameter at 1
=====================================  =====================================================
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING

from simlib.errors import Problem, ScenarioError
from simlib.evidence.register.register_rows import POINTS, rows
from simlib.scenario.bundled import seed_table
from simlib.scenario.expressions import compile_quantity
from simlib.scenario.wording import near, shown

if TYPE_CHECKING:
    from simlib.scenario.schema import Parameter, Quantity, Scenario

_COLUMNS = ("central", "low", "high", "mean", *POINTS)


def owner(figure: str, scenario: Scenario) -> str:
    """Return the row of the register or the scenario parameter a figure belongs to, or nothing."""
    if figure in rows() or figure in scenario.parameters:
        return figure
    stem = figure.rpartition(".")[0]
    return stem if stem in rows() or stem in scenario.parameters else ""


def figure_text(figure: str, scenario: Scenario) -> str:
    """Return a figure as it is written, from which its last digit can be read.

    Raises
    ------
    ScenarioError
        There is no such figure.
    """
    stem, _, column = figure.rpartition(".")
    if figure in rows():
        stem, column = figure, "central"
    try:
        if stem in rows() and column in _COLUMNS[:3]:
            return rows()[stem].text(column)
        return f"{_number(figure, stem, column, scenario):.12g}"
    except (IndexError, KeyError, StopIteration, ValueError):
        known = [*rows(), *scenario.parameters]
        rule = f"no such figure (got {shown(figure)})"
        raise ScenarioError([Problem("derivations", rule, near(figure, known))]) from None


def figure_value(figure: str, scenario: Scenario) -> float:
    """Return a figure.

    Raises
    ------
    ScenarioError
        There is no such figure.
    """
    return float(figure_text(figure, scenario))


def _number(figure: str, stem: str, column: str, scenario: Scenario) -> float:
    if stem in rows():
        return rows()[stem].point(column)
    file, colon, path = figure.partition(":")
    if colon:
        parts = path.split("/")
        return {
            "initial": lambda: _initial(parts),
            "postures": lambda: _posture(parts),
            "ucdp": lambda: _ucdp(parts),
            "mark": lambda: _mark(parts, scenario),
            "level": lambda: _level(parts, scenario),
        }[file]()
    if figure in scenario.parameters:
        return _given(scenario.parameters[figure])
    distribution = scenario.parameters[stem].distribution or {}
    return next(iter(distribution.values()))[column]


def _given(parameter: Parameter) -> float:
    if parameter.value is None:
        raise KeyError("value")
    return parameter.value


def _initial(parts: list[str]) -> float:
    kind, *where, column = parts
    found = [
        float(line[f"{column}_per_month"])
        for line in seed_table("initial_intensities.csv")
        if line["type"] == kind and set(where) <= {line["country"], line["place"], line["target"]}
    ]
    if not found:
        raise KeyError(kind)
    return sum(found)


def _posture(parts: list[str]) -> float:
    process, state, column = parts
    line = next(
        line
        for line in seed_table("posture_hazards.csv")
        if (line["process"], line["state"]) == (process, state)
    )
    following = column.removeprefix("next.")
    return float(line[column]) if following == column else next_states(line)[following]


def next_states(line: Mapping[str, str]) -> dict[str, float]:
    """Return the probability of each next state of a row of ``seeds/posture_hazards.csv``."""
    pairs = (pair.split(":") for pair in line["next_probs"].split())
    return {state: float(probability) for state, probability in pairs}


def _ucdp(parts: list[str]) -> float:
    conflict, column = parts
    counts = seed_table("history/ucdp_2024_monthly.csv")
    lines = [line for line in counts if line["conflict_id"] == conflict]
    if not lines:
        raise KeyError(conflict)
    return sum(float(line[column]) for line in lines)


def _mark(parts: list[str], scenario: Scenario) -> float:
    kind, group, name, *which = parts
    mark = scenario.incidents[kind].groups[group].marks[name]
    if mark.law is not None:
        return _constant(next(iter(mark.law.values()))[which[0]])
    given = mark.probability
    return _constant(given[which[0]] if isinstance(given, dict) else given)


def _constant(quantity: Quantity | None) -> float:
    if quantity is None or isinstance(quantity, str):
        raise KeyError(quantity)
    return float(quantity)


def _level(parts: list[str], scenario: Scenario) -> float:
    kind, group, place = parts
    ones: Mapping[str, float] = defaultdict(lambda: 1.0)
    return compile_quantity(scenario.incidents[kind].groups[group].level[place])(ones)
