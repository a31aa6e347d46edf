"""Cards: what is known of each number, in one place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simlib.chance.distributions import quantile
from simlib.errors import Problem, ScenarioError
from simlib.evidence.register.figures import arithmetic, base_of
from simlib.evidence.register.usage import uses_of_parameters, uses_of_rows
from simlib.scenario.register_rows import POINTS, grade_of, register_rows
from simlib.scenario.wording import near, shown
from simlib.statistics.formatting import number
from simlib.world.quantities import ParameterPlan

if TYPE_CHECKING:
    from simlib.evidence.register.correlations import Correlation, Correlations
    from simlib.scenario.register_rows import RegisterRow
    from simlib.scenario.schema import Parameter, Scenario

_N_DRAWS = 400
"""Draws from which the points of a parameter that follows from others are read."""


@dataclass(frozen=True)
class Card:
    """What is known of one number.

    Attributes
    ----------
    name
        The scenario parameter, or the id of the register row.
    title
        In words; empty where the name says it.
    value, points
        As it is written; the 5, 50 and 95 % points of what is drawn.
    row
        The row it is, or that a parameter names; nothing where it names none.
    derivations
        The arithmetic that gives it.
    uses
        What names it; empty where nothing does.
    correlations
        How outcomes go with it; empty where that was not looked at.
    """

    name: str
    is_parameter: bool
    subject: str
    title: str
    value: str
    points: str
    unit: str
    grade: str
    row: RegisterRow | None
    notes: tuple[str, ...]
    derivations: tuple[str, ...]
    uses: tuple[str, ...]
    correlations: tuple[Correlation, ...] = ()

    @property
    def row_id(self) -> str:
        """Id of the register row that a parameter names; empty for none."""
        return self.row.id if self.is_parameter and self.row is not None else ""

    def sentences(self) -> list[str]:
        """Say what is known of the number, but for how outcomes go with it."""
        lines = [("value", f"{self.value} {self.unit}")]
        if self.points:
            lines.append(("5, 50, 95 %", self.points))
        lines.append(("grade", self.grade + (f", row {self.row_id}" if self.row_id else "")))
        if self.row is not None:
            url = f" {self.row.url}" if self.row.url else ""
            lines.append(("source", f"{self.row.source}, {self.row.date}{url}"))
        lines += [("note", note) for note in self.notes]
        lines += [("arithmetic", text) for text in self.derivations]
        lines += [("used", text) for text in self.uses or ("not used",)]
        head = f"{self.name}: {self.title}" if self.title else self.name
        return [head, *(f"  {title:<12}{text}" for title, text in lines)]


def cards(scenario: Scenario, correlations: Correlations | None = None) -> dict[str, Card]:
    """A card for every parameter of a scenario, then for every row of the register.

    Parameters
    ----------
    scenario
        Resolved: what a later file replaces is what stands.
    correlations
        How outcomes go with the parameters; cards say nothing of it when not given.
    """
    base = base_of(scenario)
    derived = arithmetic(base)
    replaced = {} if base is None else _replaced(scenario, base)
    uses = uses_of_parameters(scenario)
    points = _points(scenario)
    found = {}
    for name, parameter in sorted(scenario.parameters.items()):
        row = register_rows()[parameter.register_id] if parameter.register_id else None
        found[name] = Card(
            name=name,
            is_parameter=True,
            subject=name.partition(".")[0],
            title="",
            value=_written(parameter),
            points=points.get(name, ""),
            unit=parameter.unit,
            grade=grade_of(name, parameter),
            row=row,
            notes=_notes(parameter, row, replaced.get(name, "")),
            derivations=() if name in replaced else tuple(derived.get(name, ())),
            uses=uses[name],
            correlations=correlations.by_parameter.get(name, ()) if correlations else (),
        )
    return found | _row_cards(scenario, derived, correlations)


def _row_cards(
    scenario: Scenario, derived: Mapping[str, list[str]], correlations: Correlations | None
) -> dict[str, Card]:
    uses = uses_of_rows(scenario)
    through = _through(scenario, correlations) if correlations else {}
    return {
        name: Card(
            name=name,
            is_parameter=False,
            subject=row.agent,
            title=_title(row),
            value=_row_value(row),
            points="" if row.distribution is None else _spread(*row.distribution),
            unit=row.unit,
            grade=row.grade,
            row=row,
            notes=(row.note,) if row.note else (),
            derivations=tuple(derived.get(name, ())),
            uses=uses[name],
            correlations=through.get(name, ()),
        )
        for name, row in register_rows().items()
    }


def _through(scenario: Scenario, correlations: Correlations) -> dict[str, tuple[Correlation, ...]]:
    """The correlations of the parameters that name each row."""
    found: dict[str, tuple[Correlation, ...]] = {}
    for name, parameter in scenario.parameters.items():
        if parameter.register_id:
            known = found.get(parameter.register_id, ())
            found[parameter.register_id] = (*known, *correlations.by_parameter.get(name, ()))
    return found


def find(found: Mapping[str, Card], name: str, also: Iterable[str] = ()) -> Card:
    """The card of a parameter or of a row; `also` has other names that may have been meant.

    Raises
    ------
    ScenarioError
        There is none of that name.
    """
    if name not in found:
        rule = f"no such parameter, nor a row of the register (got {shown(name)})"
        raise ScenarioError([Problem("register", rule, near(name, [*found, *also]))])
    return found[name]


def _replaced(scenario: Scenario, base: Scenario) -> dict[str, str]:
    """Say, by parameter, what of the base a scenario replaces."""
    before = {name: _written(each) for name, each in base.parameters.items()}
    return {
        name: f"Replaces {before[name]} of {base.name}."
        for name, each in scenario.parameters.items()
        if name in before and before[name] != _written(each)
    }


def _written(parameter: Parameter) -> str:
    if parameter.value is not None:
        return f"{parameter.value:g}"
    if parameter.expression is not None:
        return " ".join(parameter.expression.split())
    ((kind, arguments),) = (parameter.distribution or {}).items()
    return _spelt(kind, arguments)


def _spelt(kind: str, arguments: Mapping[str, float]) -> str:
    return f"{kind}({', '.join(f'{name} {value:g}' for name, value in arguments.items())})"


def _title(row: RegisterRow) -> str:
    is_named = not row.place or row.place in row.quantity
    return row.quantity if is_named else f"{row.quantity}, {row.place}"


def _row_value(row: RegisterRow) -> str:
    text = row.central
    if row.low or row.high:
        text = f"{text} ({row.low} to {row.high})" if text else f"{row.low} to {row.high}"
    if row.distribution is not None:
        text += f"; {_spelt(*row.distribution)}"
    return text


def _notes(parameter: Parameter, row: RegisterRow | None, before: str) -> tuple[str, ...]:
    texts = (parameter.fitted, parameter.note, parameter.judgement, row.note if row else "", before)
    return tuple(dict.fromkeys(text.strip() for text in texts if text))


def _spread(kind: str, arguments: Mapping[str, float]) -> str:
    return _joined([quantile(kind, arguments, u) for u in POINTS.values()])


def _joined(values: list[float]) -> str:
    return " / ".join(map(number, values))


def _points(scenario: Scenario) -> dict[str, str]:
    """The 5, 50 and 95 % points of every drawn or derived parameter."""
    import numpy as np

    found = {}
    derived = [name for name, p in scenario.parameters.items() if p.expression is not None]
    for name, parameter in scenario.parameters.items():
        for kind, arguments in (parameter.distribution or {}).items():
            found[name] = _of_parts(arguments) if kind == "dirichlet" else _spread(kind, arguments)
    if derived:
        plan = ParameterPlan(scenario)
        draws = [plan.draw(replication, {}) for replication in range(_N_DRAWS)]
        for name in derived:
            at = np.quantile([values[name] for values in draws], tuple(POINTS.values()))
            found[name] = _joined([float(value) for value in at])
    return found


def _of_parts(weights: Mapping[str, float]) -> str:
    """The points of each part of a Dirichlet: they are beta."""
    total = sum(weights.values())
    return "; ".join(
        f"{part} {_spread('beta', {'a': weight, 'b': total - weight})}"
        for part, weight in weights.items()
    )
