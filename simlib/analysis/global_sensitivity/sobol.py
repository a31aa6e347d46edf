"""What drives an outcome, or the difference between two options: shares of the variance.

First index: share of the variance that goes on average when a group is known. Total index:
share that is left on average when all but the group is known; it counts every interaction
the group takes part in. Design and estimators are those of A. Saltelli, P. Annoni, I. Azzini,
F. Campolongo, M. Ratto and S. Tarantola (2010), doi:10.1016/j.cpc.2009.09.018, on a scrambled
sequence of Sobol's, through SALib; intervals are bootstrapped over the sequence's points,
which takes them for independent and so makes intervals too wide rather than too narrow.

Chance is a column of its own: its uniform is the index of the replication that keys all
chance which is no parameter. So the indices of parameters are free of chance, and chance
has indices like any group.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, Unpack

import numpy as np

from simlib.analysis.global_sensitivity.design_rows import (
    DesignFinding,
    replications_at,
    salib,
    simulate_rows,
    varied,
)
from simlib.analysis.global_sensitivity.morris import screen
from simlib.chance.addresses import name_hash
from simlib.errors import Problem, ScenarioError
from simlib.finding import plot_room
from simlib.scenario.register_rows import GRADES, grade_of
from simlib.scenario.requests import whole
from simlib.scenario.spelling import words
from simlib.scenario.wording import near, shown
from simlib.statistics.intervals import Z95

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from simlib.analysis.global_sensitivity.design_rows import VariedScenario
    from simlib.ensemble.execution import Execution
    from simlib.scenario.schema import Scenario

By: TypeAlias = Literal["parameter", "grade", "kind"]

CHANCE = "chance"
OTHERS = "others"
STRUCTURE, PARAMETERS = "structure", "parameters"
_PREFIX = "structure."
TOP = 10
"""Parameters that a screening leaves on their own."""
TRAJECTORIES = 10
_RESAMPLES = 200
FEWEST_SAMPLES = 16
MOST_SAMPLES = 65_536
FEWEST_DIFFERENT = 20
"""Runs that must differ from the commonest value, for indices that are more than noise."""
_LEAST = 0.01
"""Total index below which a parameter is not named in a sentence."""


@dataclass(frozen=True)
class Design:
    """Rows of uniforms from which indices of groups of columns are estimated.

    The columns of a group are exchanged together. Of so many points of the sequence there are
    ``samples * (groups + 2)`` rows; another address draws another sequence and bootstrap.

    Raises
    ------
    ScenarioError
        The number of samples is no power of 2, or too small.
    """

    groups: tuple[str, ...]
    samples: int
    address: str

    def __post_init__(self) -> None:
        n = whole("samples", self.samples, FEWEST_SAMPLES, MOST_SAMPLES)
        if n & (n - 1):
            rule = f"must be a power of 2, {FEWEST_SAMPLES} to {MOST_SAMPLES} (got {n})"
            raise ScenarioError([Problem("samples", rule)])

    @property
    def names(self) -> tuple[str, ...]:
        """The groups, each once, in the order of their first columns."""
        return tuple(dict.fromkeys(self.groups))

    @property
    def problem(self) -> dict[str, Any]:
        """The columns as SALib describes them."""
        n = len(self.groups)
        names = [f"{i}" for i in range(n)]
        found = {"num_vars": n, "names": names, "bounds": [[0.0, 1.0]] * n}
        return {**found, "groups": list(self.groups)} if len(self.names) > 1 else found

    def rows(self) -> NDArray[np.float64]:
        """The uniforms, shape (rows, columns)."""
        # SALib asks whether there are groups: with one group there must be one column.
        if len(self.names) == 1 and len(self.groups) > 1:
            raise ValueError("a design needs two groups, or one column")
        found: NDArray[np.float64] = salib("sample.sobol").sample(
            self.problem,
            self.samples,
            calc_second_order=False,
            seed=name_hash(f"{self.address}|sequence"),
        )
        return found


@dataclass(frozen=True)
class Indices:
    """Indices of one outcome: shares of its variance, each with half of its 95 % interval.

    Attributes
    ----------
    mean, variance
        Of the outcome, over the runs.
    first, first_half, total, total_half
        By group. Estimates below 0 or above 1 are noise.
    remainder, remainder_half
        What the first indices leave of 1: interactions between groups.
    """

    mean: float
    variance: float
    first: dict[str, float]
    first_half: dict[str, float]
    total: dict[str, float]
    total_half: dict[str, float]
    remainder: float
    remainder_half: float

    def first_text(self, group: str) -> str:
        """The first index of a group in per cent, with its interval."""
        return _share(self.first[group], self.first_half[group])

    def total_text(self, group: str) -> str:
        """The total index likewise."""
        return _share(self.total[group], self.total_half[group])


def indices(design: Design, values: NDArray[np.float64]) -> Indices:
    """Estimate the indices from an outcome's value at every row of a design.

    The values are finite, and not all the same.
    """
    names = design.names
    found = salib("analyze.sobol").analyze(
        design.problem,
        values,
        calc_second_order=False,
        num_resamples=_RESAMPLES,
        keep_resamples=True,
        # SALib takes the seed 0 for none.
        seed=name_hash(f"{design.address}|bootstrap") or 1,
    )
    # Of a point's rows A, A with the columns of a group from B, ..., B only A and B are
    # independent draws: the mixed rows would count the same uniforms again.
    independent = values.reshape(design.samples, len(names) + 2)[:, [0, -1]]

    def by_group(key: str) -> dict[str, float]:
        return dict(zip(names, map(float, found[key]), strict=True))

    return Indices(
        mean=float(independent.mean()),
        variance=float(independent.var()),
        first=by_group("S1"),
        first_half=by_group("S1_conf"),
        total=by_group("ST"),
        total_half=by_group("ST_conf"),
        # First indices and interactions of groups sum to 1 (the variance decomposition).
        remainder=1.0 - float(np.sum(found["S1"])),
        remainder_half=Z95 * float(found["S1_conf_all"].sum(axis=1).std(ddof=1)),
    )


def why_not(design: Design, values: NDArray[np.float64]) -> str:
    """Why values allow no indices, or nothing."""
    n_unseen = int(np.isnan(values).sum())
    if n_unseen:
        return f"not seen by the horizon in {n_unseen:,} of {len(values):,} runs"
    independent = values.reshape(design.samples, len(design.names) + 2)[:, [0, -1]]
    _, counts = np.unique(independent, return_counts=True)
    n_different = int(counts.sum() - counts.max())
    if n_different < FEWEST_DIFFERENT:
        return f"differs from its commonest value in {n_different:,} of {counts.sum():,} runs"
    return ""


@dataclass(frozen=True)
class Sensitivity(DesignFinding):
    """What `sensitivity` found.

    Attributes
    ----------
    is_effect
        Whether the variance is that of a difference between two options.
    by
        ``parameter``, ``grade`` or ``kind``.
    members
        Parameters of each group; chance has none.
    samples
        Points of the sequence.
    indices
        By outcome, or ``OUTCOME.CLASS``; its variance is in the square of the unit.
    """

    stem, drawing = "sobol", "sensitivity"

    is_effect: bool
    by: str
    members: dict[str, tuple[str, ...]]
    samples: int
    indices: dict[str, Indices]

    def table(self) -> pd.DataFrame:
        """A row for each outcome and group; indices are shares of the variance."""
        import pandas as pd

        rows = [
            {
                "outcome": outcome,
                "options": self.label,
                "group": group,
                "n_parameters": len(self.members[group]),
                "first": found.first[group],
                "first_half_95": found.first_half[group],
                "total": found.total[group],
                "total_half_95": found.total_half[group],
                "mean": found.mean,
                "variance": found.variance,
                "unit": self.units[outcome],
            }
            for outcome, found in self.indices.items()
            for group in self.members
        ]
        return pd.DataFrame(rows)

    def sentences(self) -> list[str]:
        """Say which share of the variance goes with each group."""
        by = {"grade": self._by_grade, "kind": self._by_kind}.get(self.by, self._by_parameter)
        each = [by(outcome) for outcome in self.indices]
        caveat = (
            f"Shares are of the variance over {self.n_runs:,} runs, each with its 95 % interval. "
            "First: what knowing it would take away on average. Total: the same with every "
            "interaction it takes part in, so totals may sum to more than 100 %. Estimates below "
            "0 or above 100 % are noise; more samples narrow the intervals."
        )
        return [*each, *self.left_out_sentences(), caveat]

    def figures(self) -> dict[str, Callable[[], Axes]]:
        """What draws each outcome, and all beside each other where there are several."""
        found = super().figures()
        if len(self.indices) > 1:
            found[self.name] = functools.partial(plot_room().sensitivity, self)
        return found

    def _of(self, outcome: str) -> str:
        return f"the variance of {self.labels[outcome]}, {self.label}"

    def _by_kind(self, outcome: str) -> str:
        found = self.indices[outcome]
        parts = [f"{group} {found.first_text(group)}" for group in self.members]
        rest = _share(found.remainder, found.remainder_half)
        return f"Of {self._of(outcome)}: {', '.join(parts)}; interactions between them {rest}."

    def _by_grade(self, outcome: str) -> str:
        found = self.indices[outcome]
        judged = GRADES["J"]
        others = [f"{group} {found.total_text(group)}" for group in self.members if group != judged]
        if judged not in found.total:
            first = f"No judgement-grade number is drawn in {self.label}."
        else:
            total = found.total_text(judged)
            alone = found.first_text(judged)
            first = (
                f"Judgement-grade numbers carry {total} of {self._of(outcome)}, "
                f"interactions included, and {alone} alone."
            )
        return f"{first} Totals of the other groups: {', '.join(others)}." if others else first

    def _by_parameter(self, outcome: str) -> str:
        found = self.indices[outcome]
        parts = [
            f"{words(name)} {found.total_text(name)}"
            for name in sorted(found.total, key=lambda name: (-found.total[name], name))
            if name not in {CHANCE, OTHERS} and found.total[name] >= _LEAST
        ]
        rest = [
            f"{self._worded(name)} {found.total_text(name)}"
            for name in (OTHERS, CHANCE)
            if name in found.total
        ]
        most = ", ".join(parts) if parts else "no parameter 1 % or more"
        return f"Of {self._of(outcome)}, interactions included: {most}; {', '.join(rest)}."

    def _worded(self, group: str) -> str:
        n = len(self.members[group])
        return f"the {n:,} other parameters together" if group == OTHERS else group


def _share(value: float, half: float) -> str:
    low, high = 100.0 * (value - half), 100.0 * (value + half)
    return f"{100.0 * value:.0f} % ({low:.0f} to {high:.0f})"


def sensitivity(
    scenario: Scenario | str | os.PathLike[str],
    outcomes: Sequence[str] | str | None = None,
    *,
    options: Sequence[str] | str | None = None,
    by: By | Sequence[str] = "parameter",
    samples: int = 256,
    **execution: Unpack[Execution],
) -> Sensitivity:
    """Split the variance of outcomes, or of their differences between two options.

    Parameters
    ----------
    scenario
        A scenario, or the path or bundled name of one.
    outcomes
        Outcomes, or ``OUTCOME.CLASS``; all when not given. They come from the same runs.
    options
        One option, or a baseline and a counterfactual: then the variance is that of the
        difference, both under common random numbers. The scenario as it is written when
        not given.
    by
        ``kind``: structure (parameters named ``structure.*``), other parameters, chance.
        ``grade``: parameters by the grade of their evidence. ``parameter``: the `TOP` that
        a screening finds largest for the outcomes, and the others together. Or names of
        parameters, to be told apart from the others.
    samples
        Points of the sequence, a power of 2; each takes two runs more than there are groups.
    execution
        Where it runs: `simlib.ensemble.execution.Execution`.

    Raises
    ------
    ScenarioError
        There is no such option, outcome or parameter, or the number of samples is not one.
    SimulationError
        A run fails, or SALib is not installed.
    """
    study = varied(scenario, options, outcomes)
    Design((CHANCE,), samples, "")  # refused before a screening is run
    if by == "parameter" and len(study.parameters) > TOP:
        first = screen(
            study.scenario,
            [str(column) for column in study.columns],
            options=study.options,
            trajectories=TRAJECTORIES,
            **execution,
        )
        groups = _named(study, first.parameters()[:TOP])
    else:
        groups = _groups(study, by)
    kind = by if isinstance(by, str) else "parameter"
    return _split(study, groups, kind, samples, execution)


def _groups(study: VariedScenario, by: By | Sequence[str]) -> dict[str, str]:
    """The group of each parameter."""
    if by == "kind":
        return {p: STRUCTURE if p.startswith(_PREFIX) else PARAMETERS for p in study.parameters}
    if by == "grade":
        return {name: grade_of(name, each) for name, each in study.parameters.items()}
    if by == "parameter":
        return _named(study, list(study.parameters))
    if isinstance(by, str):
        rule = f"must be parameter, grade, kind or names of parameters (got {shown(by)})"
        raise ScenarioError([Problem("by", rule)])
    return _named(study, by)


def _named(study: VariedScenario, names: Sequence[str]) -> dict[str, str]:
    problems = [
        Problem(f"parameters.{name}", "not drawn from a distribution", near(name, study.parameters))
        for name in names
        if name not in study.parameters
    ]
    if problems:
        raise ScenarioError(problems)
    return {name: name if name in names else OTHERS for name in study.parameters}


def _split(
    study: VariedScenario, groups: dict[str, str], by: str, samples: int, execution: Execution
) -> Sensitivity:
    """Simulate the design of groups of parameters and chance, and estimate the indices."""
    seed = study.scenario.root_seed
    columns = (*(groups[owner] for owner in study.owners.values()), CHANCE)
    design = Design(columns, samples, f"sensitivity|{seed}")
    rows = design.rows()
    identity = {"design": "sensitivity", "groups": columns, "samples": samples, "seed": seed}
    values = simulate_rows(
        study, rows[:, :-1], replications_at(rows[:, -1]), identity=identity, **execution
    )
    reasons = {name: why_not(design, each) for name, each in values.items()}
    kept = [name for name in values if not reasons[name]]
    return Sensitivity(
        scenario=study.scenario.name,
        label=study.label,
        is_effect=len(study.options) > 1,
        by=by,
        members={g: tuple(p for p in groups if groups[p] == g) for g in _ordered(design, by)},
        samples=samples,
        n_runs=len(rows) * len(study.options),
        indices={name: indices(design, values[name]) for name in kept},
        units={name: study.units[name] for name in kept},
        labels=study.labels,
        left_out={name: why for name, why in reasons.items() if why},
    )


def _ordered(design: Design, by: str) -> list[str]:
    """The groups as they are listed: grades from the firmest on, chance last."""
    known = {
        "kind": [STRUCTURE, PARAMETERS],
        "grade": list(GRADES.values()),
    }.get(by, [])
    last = [OTHERS, CHANCE]
    free = [name for name in design.names if name not in known and name not in last]
    return [name for name in (*known, *free, *last) if name in design.names]
