"""Figures by their names, and those that are arithmetic on others, re-derived.

``seeds/derivations.yaml`` names figures so:

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

import functools
import os
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from simlib.errors import Problem, ScenarioError, SimulationError
from simlib.scenario import load
from simlib.scenario.bundled import folder, scenario_names, seed_table
from simlib.scenario.expressions import ExpressionError, compile_quantity
from simlib.scenario.fitting import read_model
from simlib.scenario.register_rows import POINTS, register_rows
from simlib.scenario.schema import Model
from simlib.scenario.wording import near, shown

if TYPE_CHECKING:
    from simlib.scenario.schema import Parameter, Quantity, Scenario

_BASE = "theatre"
"""The bundled scenario that derivations are about."""
_COLUMNS = ("central", "low", "high", "mean", *POINTS)
_NAMED = re.compile(r"\[([^\[\]]+)\]")
_SLACK = 1e-9
"""Of a tolerance: what binary fractions lose at a figure's last digit."""


class Derivation(Model):
    """How one figure follows from others.

    The expression is arithmetic over numbers and over figures in brackets, by their names.
    """

    figure: str
    expression: str
    tolerance: float | None = None
    """Largest difference that rounding explains; half of the last digit when not given."""
    note: str = ""
    apart: bool = False
    """The arithmetic that is told with the figure does not give it, and `note` says why."""


class Underived(Model):
    """Rows of basis D that nothing here re-derives, each with the reason."""

    why: str
    rows: tuple[str, ...]


class Derivations(Model):
    """What ``seeds/derivations.yaml`` holds."""

    derivations: tuple[Derivation, ...]
    underived: tuple[Underived, ...] = ()


@dataclass(frozen=True, slots=True)
class Rederived:
    """A derivation, worked out: the figure as it is written, and what its expression gives.

    The tolerance is the largest difference that rounding explains.
    """

    derivation: Derivation
    stated: float
    found: float
    tolerance: float

    @property
    def agrees(self) -> bool:
        """Whether the two differ by no more than rounding explains."""
        return abs(self.stated - self.found) <= self.tolerance * (1 + _SLACK)

    def sentence(self) -> str:
        """The arithmetic and what it gives, in words."""
        text = f"{self.derivation.expression} = {self.found:.4g}"
        if self.derivation.apart:
            text += f", not {self.stated:.6g}"
        return f"{text} ({self.derivation.note})" if self.derivation.note else text


@functools.cache
def _read(path: Path) -> Derivations:
    found, log = read_model(Derivations, path)
    log.refuse()
    return found


def load_derivations(path: str | os.PathLike[str] | None = None) -> Derivations:
    """The derivations of a file, those that come with simlib when none is given.

    Raises
    ------
    ScenarioError
        With every problem that was found.
    """
    return _read(folder("seeds") / "derivations.yaml" if path is None else Path(path))


def rederive(derivation: Derivation, scenario: Scenario) -> Rederived:
    """Work out a derivation.

    Raises
    ------
    ScenarioError
        A figure is not there, or the expression cannot be worked out.
    """
    values: dict[str, float] = {}

    def symbol(found: re.Match[str]) -> str:
        name = f"figure{len(values)}"
        values[name] = figure_value(found[1], scenario)
        return name

    written = figure_text(derivation.figure, scenario)
    try:
        found = compile_quantity(_NAMED.sub(symbol, derivation.expression))(values)
    except (ExpressionError, SimulationError) as error:
        place = f"derivations: {derivation.figure}"
        raise ScenarioError([Problem(place, str(error))]) from None
    tolerance = derivation.tolerance
    if tolerance is None:
        tolerance = 0.5 * 10.0 ** -len(written.partition(".")[2])
    return Rederived(derivation, float(written), found, tolerance)


def figures_named(derivation: Derivation) -> list[str]:
    """The figures that an expression names, in its order, each once."""
    return list(dict.fromkeys(_NAMED.findall(derivation.expression)))


def derivations_of_the_rest(scenario: Scenario) -> dict[str, list[str]]:
    """The arithmetic, in words, of figures of the base that have no card, by figure.

    Nothing where the scenario does not rest on the bundled base.
    """
    base = _resting(scenario)
    found = arithmetic(base)
    return {
        name: sentences
        for name, sentences in found.items()
        if name not in register_rows() and (base is None or name not in base.parameters)
    }


def arithmetic(base: Scenario | None) -> dict[str, list[str]]:
    """The arithmetic, in words, by the row, parameter or figure that it gives."""
    found: dict[str, list[str]] = {}
    if base is None:
        return found
    for derivation in load_derivations().derivations:
        own = owner(derivation.figure, base)
        part = derivation.figure.removeprefix(own).lstrip(".")
        words = rederive(derivation, base).sentence()
        found.setdefault(own or derivation.figure, []).append(
            f"{part} = {words}" if own and part else f"= {words}"
        )
    return found


def derivations_apart(scenario: Scenario) -> list[tuple[Derivation, str]]:
    """The derivations that do not give their figure as it is told, each in words."""
    base = _resting(scenario)
    if base is None:
        return []
    apart = [each for each in load_derivations().derivations if each.apart]
    return [(each, rederive(each, base).sentence()) for each in apart]


def base_of(scenario: Scenario) -> Scenario | None:
    """The scenario that derivations are about; none where it is not there."""
    if scenario.name == _BASE:
        return scenario
    return _loaded_base() if _BASE in scenario_names() else None


def _resting(scenario: Scenario) -> Scenario | None:
    """The base where a scenario has all its parameters."""
    base = base_of(scenario)
    rests = base is not None and base.parameters.keys() <= scenario.parameters.keys()
    return base if rests else None


@functools.cache
def _loaded_base() -> Scenario:
    return load(_BASE)


def owner(figure: str, scenario: Scenario) -> str:
    """The row of the register or the scenario parameter a figure belongs to, or nothing."""
    if figure in register_rows() or figure in scenario.parameters:
        return figure
    stem = figure.rpartition(".")[0]
    return stem if stem in register_rows() or stem in scenario.parameters else ""


def figure_text(figure: str, scenario: Scenario) -> str:
    """A figure as it is written, from which its last digit can be read.

    Raises
    ------
    ScenarioError
        There is no such figure.
    """
    stem, _, column = figure.rpartition(".")
    if figure in register_rows():
        stem, column = figure, "central"
    try:
        if stem in register_rows() and column in _COLUMNS[:3]:
            return register_rows()[stem].text(column)
        return f"{_number(figure, stem, column, scenario):.12g}"
    except (IndexError, KeyError, StopIteration, ValueError):
        known = [*register_rows(), *scenario.parameters]
        rule = f"no such figure (got {shown(figure)})"
        raise ScenarioError([Problem("derivations", rule, near(figure, known))]) from None


def figure_value(figure: str, scenario: Scenario) -> float:
    """A figure as a number, refused as `figure_text` refuses it."""
    return float(figure_text(figure, scenario))


def _number(figure: str, stem: str, column: str, scenario: Scenario) -> float:
    if stem in register_rows():
        return register_rows()[stem].point(column)
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
    """The probability of each next state of a row of ``seeds/posture_hazards.csv``."""
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
