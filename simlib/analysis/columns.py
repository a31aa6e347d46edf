"""Outcomes as columns of numbers: a class is a column for each of its classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simlib.errors import Problem, ScenarioError
from simlib.outcomes.planning import kind_of
from simlib.scenario.wording import near_or_all, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from simlib.scenario.schema import Scenario

OPEN, ELSE = "open", "else"
"""Classes nobody declares: not settled by the horizon, and any that was not named."""


@dataclass(frozen=True, slots=True)
class Column:
    """A number per replication: an outcome, or whether it ended in one of its classes."""

    outcome: str
    category: str = ""

    def __str__(self) -> str:
        return f"{self.outcome}.{self.category}" if self.category else self.outcome


def columns_of(scenario: Scenario, outcomes: Iterable[str] | None = None) -> tuple[Column, ...]:
    """Return a column for each outcome, and for each class of one that is a class.

    Parameters
    ----------
    scenario
        The scenario that declares the outcomes.
    outcomes
        Which, ``OUTCOME`` or ``OUTCOME.CLASS``; all of them when not given.

    Raises
    ------
    ScenarioError
        There is no such outcome, or none is named.
    """
    every: list[Column] = []
    for name, outcome in scenario.outcomes.items():
        is_class = kind_of(outcome) == "class"
        categories = dict.fromkeys((*outcome.classes, OPEN, ELSE)) if is_class else ("",)
        every += [Column(name, category) for category in categories]
    if outcomes is None:
        return tuple(every)
    chosen: list[Column] = []
    problems = []
    for name in outcomes:
        fits = [column for column in every if name in {column.outcome, str(column)}]
        chosen += fits
        if not fits:
            hint = near_or_all(name, scenario.outcomes)
            problems.append(Problem("outcomes", f"no such outcome (got {shown(name)})", hint))
    if not chosen and not problems:
        problems.append(Problem("outcomes", "must name at least one outcome"))
    if problems:
        raise ScenarioError(problems)
    return tuple(dict.fromkeys(chosen))


def numbers_of(columns: Sequence[Column], values: Mapping[str, float | str]) -> NDArray[np.float64]:
    """Return a replication's outcomes as numbers, nan where not seen, shape (n_columns,)."""
    known = {(column.outcome, column.category) for column in columns}
    row = np.empty(len(columns))
    for i, column in enumerate(columns):
        value = values[column.outcome]
        if column.category:
            met = str(value) if (column.outcome, str(value)) in known else ELSE
            row[i] = met == column.category
        else:
            row[i] = value
    return row
