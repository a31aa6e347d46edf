"""Outcomes as columns of numbers: a class is a column for each of its classes.

This is how every analysis that simulates reads its runs: `OutcomeReader`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from simlib.errors import Problem, ScenarioError
from simlib.outcomes import kind_of, label_of, plan
from simlib.outcomes.windows import last_look
from simlib.scenario.spelling import words
from simlib.scenario.wording import near_or_all, shown
from simlib.simulation import assemble

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from simlib.agents.base import Agent
    from simlib.journal import Run
    from simlib.outcomes import OutcomePlan
    from simlib.scenario.schema import Scenario
    from simlib.simulation import Blueprint

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
    """A column for each outcome, and for each class of one that is a class.

    Of all outcomes, or of those given as ``OUTCOME`` or ``OUTCOME.CLASS``.

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


def labels_of(scenario: Scenario, columns: Iterable[Column]) -> dict[str, str]:
    """What people read in the place of each column's name, by it."""
    terms = {} if scenario.question is None else scenario.question.terms
    endings = {name: term.label for name, term in terms.items()}
    outcomes = scenario.outcomes
    return {
        str(c): label_of(c.outcome, outcomes[c.outcome].label, endings.get(c.category, c.category))
        for c in columns
    }


def in_words(table: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """A table as a screen shows it: labels in the place of names that have one, else words."""
    return table.map(
        lambda cell: labels.get(cell) or words(cell) if isinstance(cell, str) else cell
    )


def numbers_of(columns: Sequence[Column], values: Mapping[str, float | str]) -> NDArray[np.float64]:
    """A replication's outcomes as numbers, nan where not seen, shape (n_columns,)."""
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


@dataclass(frozen=True, slots=True)
class OutcomeReader:
    """A scenario under one option, ready to run, and what is read off each of its runs."""

    blueprint: Blueprint
    columns: tuple[Column, ...]
    outcomes: OutcomePlan

    def numbers(self, run: Run) -> NDArray[np.float64]:
        """The outcomes of a run as numbers, nan where not seen, shape (n_columns,)."""
        return numbers_of(self.columns, self.outcomes.evaluate(run))


def reader_of(
    scenario: Scenario,
    option: str = "",
    columns: tuple[Column, ...] | None = None,
    *,
    agents: Sequence[type[Agent]] = (),
    without: Sequence[str] = (),
) -> OutcomeReader:
    """An option (empty: the scenario as it is written) made ready to run and be read.

    All outcomes are read off where no columns are given; all else as `simlib.assemble` takes it.
    Runs end a day after the last instant that one of the columns looks at: what would be later
    changes none of them, and nothing is at the edge.
    """
    blueprint = assemble(scenario, option or None, agents=agents, without=without)
    columns = columns_of(scenario) if columns is None else columns
    read = {column.outcome: scenario.outcomes[column.outcome] for column in columns}
    last = max((last_look(each, scenario) for each in read.values()), default=blueprint.horizon)
    return OutcomeReader(
        replace(blueprint, horizon=min(blueprint.horizon, last + 1.0)),
        columns,
        plan(scenario.model_copy(update={"outcomes": read}), blueprint.channels.channels),
    )
