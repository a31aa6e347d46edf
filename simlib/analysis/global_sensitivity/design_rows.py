"""Runs at the rows of a design: parameters at given uniforms, all other chance by one index.

A row gives every drawn value its uniform, and the index of the replication that keys all
chance that is no parameter. Options of a row share both, so that the difference between
options is taken under common random numbers.
"""

from __future__ import annotations

import functools
import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Unpack

import numpy as np

from simlib.analysis.columns import columns_of, labels_of, reader_of
from simlib.ensemble.map_runs import map_runs
from simlib.errors import Problem, ScenarioError, SimulationError
from simlib.files import distinct
from simlib.finding import Finding, plot_room
from simlib.outcomes import unit_of
from simlib.scenario import as_scenario, digest, option_scenario, with_design
from simlib.scenario.wording import near_or_all
from simlib.simulation import simulate

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from simlib.analysis.columns import Column, OutcomeReader
    from simlib.ensemble.execution import Execution
    from simlib.ensemble.map_runs import Arrays
    from simlib.scenario.schema import Parameter, Scenario

_N_REPLICATIONS = 2**31
"""Replication indices that chance is keyed by; uniforms of a design tell them apart."""
_SHOWN, _MOST_DRAWN = 30, 3
"""Rows of a table on a screen, and most outcomes that have a figure each."""


def salib(part: str) -> Any:
    """A module of SALib, loaded when first needed.

    Raises
    ------
    SimulationError
        SALib is not installed.
    """
    try:
        return importlib.import_module(f"SALib.{part}")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "SALib":
            raise
        raise SimulationError(
            "sensitivity needs SALib: pip install 'simlib-scenarios[analysis]'"
        ) from None


@dataclass(frozen=True, eq=False)
class VariedScenario:
    """What is varied, and what is read off: a scenario under one option, or two compared.

    The scenario's own design of the parameter draws plays no part. Options are one (empty: as
    it is written), or baseline and counterfactual. `owners` has the parameter of every value
    that is drawn under one of them; `parameters` those by name, the baseline's where options
    differ.
    """

    scenario: Scenario
    options: tuple[str, ...]
    columns: tuple[Column, ...]
    owners: dict[str, str]
    parameters: dict[str, Parameter]

    @property
    def label(self) -> str:
        """The option, or ``COUNTERFACTUAL - BASELINE``."""
        return " - ".join(reversed([option or "as written" for option in self.options]))

    @property
    def read(self) -> tuple[Column, ...]:
        """What is read off each run: the columns, and all classes of those that are of a class."""
        return columns_of(self.scenario, [column.outcome for column in self.columns])

    @property
    def units(self) -> dict[str, str]:
        """Unit of each outcome; empty for classes, yes/no and shares."""
        outcomes = self.scenario.outcomes
        return {str(c): unit_of(outcomes[c.outcome], self.scenario) for c in self.columns}

    @property
    def labels(self) -> dict[str, str]:
        """What people read in the place of each outcome's name."""
        return labels_of(self.scenario, self.columns)


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
    labels
        What people read in the place of the names of these, and of those left out.
    left_out
        Outcomes that allow no estimate, with the reason.
    """

    drawing: ClassVar[str]
    """Name of what draws one outcome (or, of None, all) in the room of figures."""

    scenario: str
    label: str
    n_runs: int
    units: dict[str, str]
    labels: dict[str, str]
    left_out: dict[str, str]

    @property
    def name(self) -> str:
        """The table's file, without suffix; differences and levels stand beside each other."""
        return f"{self.stem}-{'effect' if ' - ' in self.label else 'level'}"

    def brief(self) -> pd.DataFrame:
        """The first rows of the table, and of its columns those that the sentences lack."""
        said = {"options", "mean", "variance"}
        if len(self.units) < 2:
            said |= {"outcome", "unit"}
        rows = self.table().head(_SHOWN).drop(columns=list(said), errors="ignore")
        if "outcome" in said:
            return rows
        return rows.assign(outcome=rows["outcome"].map(self.labels))

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
        draw = getattr(plot_room(), self.drawing)
        names = distinct(self.units, as_they_are=True)
        return {
            f"{self.name}-{each}": functools.partial(draw, self, outcome)
            for outcome, each in names.items()
        }

    def left_out_sentences(self) -> list[str]:
        """Say which outcomes are left out, and why."""
        return [f"{self.labels[name]}: left out, {why}." for name, why in self.left_out.items()]


def varied(
    scenario: Scenario | str | os.PathLike[str],
    options: Sequence[str] | str | None,
    outcomes: Sequence[str] | str | None,
) -> VariedScenario:
    """Check what is to be varied and read off.

    Raises
    ------
    ScenarioError
        There is no such option or outcome, or there are more than two options.
    """
    scenario = as_scenario(scenario)
    chosen = (options,) if isinstance(options, str) else tuple(options or ("",))
    if len(chosen) > 2 or len(set(chosen)) != len(chosen):
        rule = f"must be one, or a baseline and another (got {', '.join(chosen)})"
        raise ScenarioError([Problem("options", rule)])
    problems = [
        Problem(f"options.{name}", "no such option", near_or_all(name, scenario.options))
        for name in chosen
        if name and name not in scenario.options
    ]
    if problems:
        raise ScenarioError(problems)
    columns = columns_of(scenario, (outcomes,) if isinstance(outcomes, str) else outcomes or None)
    scenario = with_design(scenario, "random")
    owners: dict[str, str] = {}
    parameters: dict[str, Parameter] = {}
    for option in reversed(chosen):
        changed = option_scenario(scenario, option) if option else scenario
        drawn = {n: p for n, p in changed.parameters.items() if p.distribution is not None}
        owners |= {value: name for name, p in drawn.items() for value in p.value_names(name)}
        parameters.update(drawn)
    return VariedScenario(scenario, chosen, columns, dict(sorted(owners.items())), parameters)


def replications_at(uniforms: NDArray[np.float64]) -> NDArray[np.int64]:
    """The indices of the replications that uniforms in [0, 1) stand for."""
    return np.floor(uniforms * _N_REPLICATIONS).astype(np.int64)


def simulate_rows(
    study: VariedScenario,
    uniforms: NDArray[np.float64],
    replications: NDArray[np.int64],
    *,
    identity: Mapping[str, Any],
    **execution: Unpack[Execution],
) -> dict[str, NDArray[np.float64]]:
    """Simulate every row under each option.

    A row has a uniform for each drawn value, in the order of `VariedScenario.owners`, and the
    index of the replication that keys all other chance. The identity is what made the rows,
    as JSON can say it. Returned is, by outcome or class that was met, a number for each row:
    of the one option, or counterfactual less baseline.
    """
    whole = {
        **identity,
        "scenario": digest(study.scenario),
        "options": study.options,
        "values": tuple(study.owners),
        "read": [str(column) for column in study.read],
    }
    job = (study, uniforms, replications)
    held = map_runs(_read_rows, job, len(uniforms), identity=whole, **execution)["numbers"]
    found = {}
    for column in study.columns:
        own = held[:, :, study.read.index(column)]
        if not column.category or own.any():
            found[str(column)] = own[:, 0] if len(study.options) == 1 else own[:, 1] - own[:, 0]
    return found


def _read_rows(
    job: tuple[VariedScenario, NDArray[np.float64], NDArray[np.int64]], rows: range
) -> Arrays:
    """The outcomes as numbers, shape (rows, options, columns)."""
    study, uniforms, replications = job
    numbers = [
        [
            reader.numbers(
                simulate(
                    reader.blueprint,
                    int(replications[row]),
                    parameters=reader.blueprint.parameters.at(uniforms[row, places]),
                )
            )
            for reader, places in _prepared(study)
        ]
        for row in rows
    ]
    return {"numbers": np.array(numbers)}


@functools.lru_cache(maxsize=1)
def _prepared(study: VariedScenario) -> list[tuple[OutcomeReader, NDArray[np.intp]]]:
    """Each option ready to run, with the places of its values in a row."""
    place = {name: i for i, name in enumerate(study.owners)}
    prepared = []
    for option in study.options:
        reader = reader_of(study.scenario, option, study.read)
        drawn = reader.blueprint.parameters.drawn
        prepared.append((reader, np.array([place[name] for name in drawn], dtype=np.intp)))
    return prepared
