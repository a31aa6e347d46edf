"""Screening: which of many drawn numbers move an outcome, by elementary effects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from simlib.analysis.global_sensitivity.design_rows import (
    DesignFinding,
    replications_at,
    salib,
    simulate_rows,
    varied,
)
from simlib.chance.addresses import name_hash
from simlib.chance.philox import uniform
from simlib.errors import Problem, ScenarioError
from simlib.scenario.requests import whole
from simlib.scenario.spelling import words
from simlib.statistics.formatting import number

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from simlib.analysis.global_sensitivity.design_rows import VariedScenario
    from simlib.ensemble.execution import Execution
    from simlib.scenario.schema import Scenario

MOST_TRAJECTORIES = 1000
_LEVELS = 4
LOWEST, HIGHEST = 0.125, 0.875
"""Outermost of the four levels a number stands at: middles of the quarters of probability."""
_RESAMPLES = 200
_SHOWN = 10
_CAVEAT = (
    "An effect is the change of the outcome while one number moves by half of its "
    "probability (two of its four quarters), all else and the luck of the path held "
    "fixed, scaled up to the way from its 12.5 % to its 87.5 % point: it measures "
    "numbers by how unsure they are, not by their own units. Where a number matters "
    "at all, the paths it leads to differ by chance too, which adds to its size; a "
    "number without a role has exactly 0."
)


@dataclass(frozen=True)
class ElementaryEffects:
    """Elementary effects of every drawn value on one outcome, by value.

    Attributes
    ----------
    mu
        Mean effect, in units of the outcome.
    mu_star, mu_star_half
        Mean of the effect's size, and half of its 95 % interval.
    sigma
        Standard deviation of the effect: not the same everywhere, or interactions.
    """

    mu: dict[str, float]
    mu_star: dict[str, float]
    mu_star_half: dict[str, float]
    sigma: dict[str, float]


@dataclass(frozen=True)
class Screening(DesignFinding):
    """What `screen` found.

    Attributes
    ----------
    trajectories
        Paths through the cube.
    effects
        By outcome, or ``OUTCOME.CLASS``.
    owners
        Parameter of each drawn value.
    spread
        Standard deviation of each outcome over the runs.
    """

    stem, drawing = "morris", "screening"

    trajectories: int
    effects: dict[str, ElementaryEffects]
    owners: dict[str, str]
    spread: dict[str, float]

    def ranking(self, outcome: str) -> list[str]:
        """The drawn values by the size of their effect, the largest first."""
        stars = self.effects[outcome].mu_star
        return sorted(stars, key=lambda name: (-stars[name], name))

    def parameters(self) -> list[str]:
        """The parameters by their largest effect relative to an outcome's spread."""
        size: dict[str, float] = dict.fromkeys(self.owners.values(), 0.0)
        for outcome, effects in self.effects.items():
            for name, star in effects.mu_star.items():
                if self.spread[outcome] > 0.0:
                    owner = self.owners[name]
                    size[owner] = max(size[owner], star / self.spread[outcome])
        return sorted(size, key=lambda name: (-size[name], name))

    def table(self) -> pd.DataFrame:
        """A row for each outcome and drawn value, the largest effects first."""
        import pandas as pd

        rows = [
            {
                "outcome": outcome,
                "unit": self.units[outcome],
                "options": self.label,
                "rank": rank,
                "value": name,
                "parameter": self.owners[name],
                "mu_star": effects.mu_star[name],
                "mu_star_half_95": effects.mu_star_half[name],
                "mu": effects.mu[name],
                "sigma": effects.sigma[name],
            }
            for outcome, effects in self.effects.items()
            for rank, name in enumerate(self.ranking(outcome), start=1)
        ]
        return pd.DataFrame(rows)

    def sentences(self) -> list[str]:
        """Say which numbers move each outcome most, and how many do not."""
        each = [self._sentence(outcome) for outcome in self.effects]
        return [*each, *self.left_out_sentences(), _CAVEAT]

    def _sentence(self, outcome: str) -> str:
        effects, unit = self.effects[outcome], self.units[outcome]
        top = self.ranking(outcome)[:_SHOWN]
        parts = [
            f"{words(name)} ({number(star)} ± {number(effects.mu_star_half[name])})"
            for name in top
            if (star := effects.mu_star[name]) > 0.0
        ]
        n_inert = sum(star == 0.0 for star in effects.mu_star.values())
        what = f"{self.labels[outcome]}, {self.label}" + (f", {unit}" if unit else "")
        moved = f"moved most by {', '.join(parts)}" if parts else "moved by no number"
        return (
            f"{what}: {moved}; {n_inert:,} of {len(effects.mu_star):,} drawn numbers do not "
            f"move it in any of {self.trajectories:,} paths."
        )


def screen(
    scenario: Scenario | str | os.PathLike[str],
    outcomes: Sequence[str] | str | None = None,
    *,
    options: Sequence[str] | str | None = None,
    trajectories: int = 10,
    **execution: Unpack[Execution],
) -> Screening:
    """Screen all drawn numbers by their elementary effects on outcomes, or on differences.

    M. D. Morris (1991), doi:10.1080/00401706.1991.10484804; the mean size of the effects
    is that of F. Campolongo, J. Cariboni and A. Saltelli (2007),
    doi:10.1016/j.envsoft.2006.10.004. Each part of a Dirichlet has an effect of its own.

    Parameters
    ----------
    scenario
        A scenario, or the path or bundled name of one.
    outcomes
        Outcomes, or ``OUTCOME.CLASS``; all when not given. They come from the same runs.
    options
        One option, or a baseline and a counterfactual whose difference is screened; the
        scenario as it is written when not given.
    trajectories
        Paths through the cube, 2 to `MOST_TRAJECTORIES`; each takes one run more than there
        are numbers.
    execution
        Where it runs: `simlib.ensemble.execution.Execution`.

    Raises
    ------
    ScenarioError
        There is no such option or outcome, or nothing is drawn.
    SimulationError
        A run fails, or SALib is not installed.
    """
    study = varied(scenario, options, outcomes)
    trajectories = whole("trajectories", trajectories, 2, MOST_TRAJECTORIES)
    if not study.owners:
        raise ScenarioError([Problem("parameters", "none is drawn: there is nothing to screen")])
    return _screened(study, trajectories, execution)


def _screened(study: VariedScenario, trajectories: int, execution: Execution) -> Screening:
    seed = study.scenario.root_seed
    paths = Paths(len(study.owners), trajectories, f"screening|{seed}")
    rows = paths.rows()
    # One replication a path: else the chance of its runs would pass for effects.
    keys = np.array(
        [uniform(seed, path, name_hash("screening|luck")) for path in range(trajectories)]
    )
    replications = np.repeat(replications_at(keys), len(study.owners) + 1)
    identity = {"design": "screening", "trajectories": trajectories, "seed": seed}
    values = simulate_rows(study, rows, replications, identity=identity, **execution)
    unseen = {name: int(np.isnan(each).sum()) for name, each in values.items()}
    seen = {name: each for name, each in values.items() if not unseen[name]}
    return Screening(
        scenario=study.scenario.name,
        label=study.label,
        trajectories=trajectories,
        n_runs=len(rows) * len(study.options),
        effects={name: paths.effects(tuple(study.owners), rows, v) for name, v in seen.items()},
        units={name: study.units[name] for name in seen},
        labels=study.labels,
        owners=study.owners,
        spread={name: float(each.std()) for name, each in seen.items()},
        left_out={
            name: f"not seen by the horizon in {n:,} of {len(rows):,} runs"
            for name, n in unseen.items()
            if n
        },
    )


@dataclass(frozen=True)
class Paths:
    """Paths through the cube on which one column after another takes a step."""

    n_columns: int
    trajectories: int
    address: str

    @property
    def problem(self) -> dict[str, Any]:
        """The columns as SALib describes them."""
        names = [f"{i}" for i in range(self.n_columns)]
        bounds = [[LOWEST, HIGHEST]] * self.n_columns
        return {"num_vars": self.n_columns, "names": names, "bounds": bounds, "groups": names}

    def rows(self) -> NDArray[np.float64]:
        """The uniforms, path by path, shape (paths * (columns + 1), columns)."""
        found: NDArray[np.float64] = salib("sample.morris").sample(
            self.problem,
            self.trajectories,
            num_levels=_LEVELS,
            seed=name_hash(f"{self.address}|paths"),
        )
        return found

    def effects(
        self, names: Sequence[str], rows: NDArray[np.float64], values: NDArray[np.float64]
    ) -> ElementaryEffects:
        """The effects of columns, by their names, from a value at every row."""
        found = salib("analyze.morris").analyze(
            self.problem,
            rows,
            values,
            num_resamples=_RESAMPLES,
            num_levels=_LEVELS,
            seed=name_hash(f"{self.address}|bootstrap"),
        )
        keys = ("mu", "mu_star", "mu_star_conf", "sigma")
        by_name = (dict(zip(names, map(float, found[key]), strict=True)) for key in keys)
        return ElementaryEffects(*by_name)
