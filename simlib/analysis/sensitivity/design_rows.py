"""Runs at the rows of a design: parameters at given uniforms, all other chance by one index.

A row gives every drawn value its uniform, and *luck*: the index of the replication that
keys all chance that is no parameter. Options of a row share both, so that the difference
between options is taken under common random numbers.
"""

from __future__ import annotations

import functools
from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from simlib.ensemble.map_runs import map_runs
from simlib.errors import Problem, ScenarioError
from simlib.files import distinct
from simlib.finding import Finding
from simlib.outcomes import kind_of, plan, unit_of
from simlib.scenario import as_scenario, digest, option_scenario, with_design
from simlib.scenario.parameter_order import value_names
from simlib.scenario.wording import near_or_all
from simlib.simulation import assemble, simulate

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from simlib.ensemble.execution import Execution
    from simlib.ensemble.map_runs import Arrays
    from simlib.outcomes import OutcomePlan
    from simlib.scenario.schema import Parameter, Scenario
    from simlib.simulation import Blueprint

_N_LUCKS = 2**31
"""Replication indices that chance is keyed by; uniforms of a design tell them apart."""
_SHOWN, _MOST_DRAWN = 30, 3
"""Rows of a table on a screen, and most outcomes that have a figure each."""


@dataclass(frozen=True)
class Study:
    """What is varied, and what is read off: a scenario under one option, or two compared.

    Attributes
    ----------
    scenario
        The scenario; its own design of the parameter draws plays no part.
    options
        One option (empty: as it is written), or baseline and counterfactual.
    owners
        Parameter of every value that is drawn under one of the options, by its name.
    parameters
        The parameters behind `owners`, by name; the baseline's where options differ.
    """

    scenario: Scenario
    options: tuple[str, ...]
    owners: dict[str, str]
    parameters: dict[str, Parameter]

    @property
    def label(self) -> str:
        """The option, or ``COUNTERFACTUAL - BASELINE``."""
        return " - ".join(reversed([option or "as written" for option in self.options]))


@dataclass(frozen=True)
class Outputs:
    """What runs at the rows of a design came to.

    Attributes
    ----------
    columns
        By outcome, or ``OUTCOME.CLASS`` (1 where it is that class, else 0), an array
        with a number for each row: of the one option, or counterfactual less baseline.
    units
        Unit of each; empty for classes, yes/no and shares.
    """

    columns: dict[str, NDArray[np.float64]]
    units: dict[str, str]


@dataclass(frozen=True)
class DesignFinding(Finding):
    """What is estimated from runs at the rows of a design; see `screen` and `sensitivity`.

    Attributes
    ----------
    scenario, label
        Name of the scenario; the option, or ``COUNTERFACTUAL - BASELINE``.
    n_runs
        Simulated runs.
    units
        Unit of each outcome (or ``OUTCOME.CLASS``) that something is estimated of.
    left_out
        Outcomes that allow no estimate, with the reason.
    """

    scenario: str
    label: str
    n_runs: int
    units: dict[str, str]
    left_out: dict[str, str]

    @property
    def name(self) -> str:
        """The table's file, without suffix; differences and levels stand beside each other."""
        return f"{self.stem}-{'effect' if ' - ' in self.label else 'level'}"

    def brief(self) -> pd.DataFrame:
        """The first rows of the table."""
        return self.table().head(_SHOWN)

    def briefs(self) -> dict[str, pd.DataFrame]:
        """The first rows, with how many there are."""
        return {f"largest of {len(self.table()):,} rows": self.brief()}

    def tables(self) -> dict[str, pd.DataFrame]:
        """The table, under its name."""
        return {self.name: self.table()}

    def figures(self) -> dict[str, Callable[[], Axes]]:
        """What draws each outcome; none where there are too many to look at."""
        if len(self.units) > _MOST_DRAWN:
            return {}
        names = distinct(self.units, as_they_are=True)
        return {
            f"{self.name}-{each}": functools.partial(self.draw, outcome)
            for outcome, each in names.items()
        }

    @abstractmethod
    def draw(self, outcome: str | None) -> Axes:
        """Draw one outcome, or all together."""

    def left_out_sentences(self) -> list[str]:
        """Say which outcomes are left out, and why."""
        return [f"{name}: left out, {why}." for name, why in self.left_out.items()]


def study_of(
    scenario: Scenario | str | os.PathLike[str], options: Sequence[str] | str | None
) -> Study:
    """Return what is varied, checked.

    Raises
    ------
    ScenarioError
        There is no such option, or there are more than two.
    """
    scenario = as_scenario(scenario)
    chosen = (options,) if isinstance(options, str) else tuple(options or ("",))
    if len(chosen) > 2 or len(set(chosen)) != len(chosen):
        rule = f"must be one, or a baseline and another (got {', '.join(chosen)})"
        raise ScenarioError([Problem("options", rule)])
    problems = [
        Problem(f"options.{name}", "no such option", f"one of {', '.join(scenario.options)}")
        for name in chosen
        if name and name not in scenario.options
    ]
    if problems:
        raise ScenarioError(problems)
    scenario = with_design(scenario, "random")
    owners: dict[str, str] = {}
    parameters: dict[str, Parameter] = {}
    for option in reversed(chosen):
        changed = option_scenario(scenario, option) if option else scenario
        drawn = {n: p for n, p in changed.parameters.items() if p.distribution is not None}
        owners.update(value_names(drawn))
        parameters.update(drawn)
    return Study(scenario, chosen, dict(sorted(owners.items())), parameters)


def wanted(scenario: Scenario, outcomes: Sequence[str] | str | None) -> tuple[str, ...]:
    """Return the outcomes asked for, all when none is named.

    Raises
    ------
    ScenarioError
        There is no such outcome.
    """
    chosen = (outcomes,) if isinstance(outcomes, str) else tuple(outcomes or scenario.outcomes)
    problems = [
        Problem(f"outcomes.{name}", "no such outcome", near_or_all(name, scenario.outcomes))
        for name in chosen
        if not _is_known(scenario, name)
    ]
    if problems:
        raise ScenarioError(problems)
    return chosen


def _is_known(scenario: Scenario, name: str) -> bool:
    if name in scenario.outcomes:
        return True
    stem = scenario.outcomes.get(name.rpartition(".")[0])
    return stem is not None and kind_of(stem) == "class"


def chosen_columns(outputs: Outputs, outcomes: Sequence[str]) -> tuple[str, ...]:
    """Return the columns of outcomes: a class outcome has one for each class that was met."""
    found = [c for name in outcomes for c in outputs.columns if c == name or _stem(c) == name]
    return tuple(dict.fromkeys(found))


def _stem(column: str) -> str:
    return column.rpartition(".")[0]


def luck_at(uniforms: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the index of the replication that a uniform in [0, 1) stands for."""
    return np.floor(uniforms * _N_LUCKS).astype(np.int64)


def simulate_rows(
    study: Study,
    uniforms: NDArray[np.float64],
    luck: NDArray[np.int64],
    *,
    identity: Mapping[str, Any],
    **execution: Unpack[Execution],
) -> Outputs:
    """Simulate every row under each option.

    Parameters
    ----------
    study
        What is varied.
    uniforms
        Uniform of each drawn value in the order of `Study.owners`, shape (rows, values).
    luck
        Index of the replication that keys all other chance, one for each row.
    identity
        What made the rows, as JSON can say it.
    execution
        Where it runs: `simlib.ensemble.execution.Execution`.
    """
    whole = {
        **identity,
        "scenario": digest(study.scenario),
        "options": study.options,
        "values": tuple(study.owners),
    }
    job = _Job(study.scenario, study.options, tuple(study.owners), uniforms, luck)
    found = map_runs(_simulate_rows, job, len(luck), identity=whole, **execution)
    return _outputs(study, found)


@dataclass(frozen=True, eq=False)
class _Job:
    scenario: Scenario
    options: tuple[str, ...]
    names: tuple[str, ...]
    uniforms: NDArray[np.float64]
    luck: NDArray[np.int64]


def _simulate_rows(job: _Job, rows: range) -> Arrays:
    """Return numbers, shape (rows, options, numeric outcomes), and classes likewise."""
    numeric, classes = _split(job.scenario)
    numbers = np.empty((len(rows), len(job.options), len(numeric)))
    texts = [[[""] * len(classes) for _ in job.options] for _ in rows]
    for i, row in enumerate(rows):
        for j, (blueprint, outcomes, places) in enumerate(_prepared(job)):
            parameters = blueprint.parameters.at(job.uniforms[row, places])
            run = simulate(blueprint, int(job.luck[row]), parameters=parameters)
            values = outcomes.evaluate(run)
            numbers[i, j] = [values[name] for name in numeric]
            texts[i][j] = [str(values[name]) for name in classes]
    held = np.array(texts, dtype=np.str_).reshape(len(rows), len(job.options), len(classes))
    return {"numbers": numbers, "classes": held}


@functools.lru_cache(maxsize=1)
def _prepared(job: _Job) -> list[tuple[Blueprint, OutcomePlan, NDArray[np.intp]]]:
    """Return each option ready to run, with the places of its values in a row."""
    place = {name: i for i, name in enumerate(job.names)}
    prepared = []
    for option in job.options:
        blueprint = assemble(job.scenario, option or None)
        outcomes = plan(job.scenario, blueprint.channels.channels)
        places = np.array([place[name] for name in blueprint.parameters.drawn], dtype=np.intp)
        prepared.append((blueprint, outcomes, places))
    return prepared


def _split(scenario: Scenario) -> tuple[list[str], list[str]]:
    classes = [name for name, o in scenario.outcomes.items() if kind_of(o) == "class"]
    return [name for name in scenario.outcomes if name not in classes], classes


def _outputs(study: Study, found: Arrays) -> Outputs:
    """Return a column for each number, yes/no and class that was met."""
    scenario = study.scenario
    numeric, classes = _split(scenario)
    values: dict[str, NDArray[np.float64]] = {}
    units: dict[str, str] = {}
    for name, outcome in scenario.outcomes.items():
        if name in numeric:
            columns = {name: found["numbers"][:, :, numeric.index(name)]}
        else:
            texts = found["classes"][:, :, classes.index(name)]
            met = [str(each) for each in np.unique(texts)]
            columns = {f"{name}.{each}": (texts == each).astype(np.float64) for each in met}
        for column, held in columns.items():
            values[column] = held[:, 0] if len(study.options) == 1 else held[:, 1] - held[:, 0]
            units[column] = unit_of(outcome, scenario)
    return Outputs(values, units)
