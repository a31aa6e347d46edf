"""What drives an outcome, or the difference between two options: shares of the variance.

Chance is a column of its own: its uniform is the index of the replication that keys all
chance which is no parameter. So the indices of parameters are free of chance, and chance
has indices like any group.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, Unpack

from simlib.analysis.sensitivity.design_rows import (
    DesignFinding,
    chosen_columns,
    luck_at,
    simulate_rows,
    study_of,
    wanted,
)
from simlib.analysis.sensitivity.evidence_grades import GRADES, grade_of
from simlib.analysis.sensitivity.morris import screen
from simlib.analysis.sensitivity.variance_shares import Design, Indices, indices, why_not
from simlib.errors import Problem, ScenarioError
from simlib.finding import plot_room
from simlib.scenario.wording import near, shown

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    import pandas as pd
    from matplotlib.axes import Axes

    from simlib.analysis.sensitivity.design_rows import Study
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
_LEAST = 0.01
"""Total index below which a parameter is not named in a sentence."""


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

    stem = "sobol"

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
        together = {self.name: functools.partial(self.draw, None)} if len(self.indices) > 1 else {}
        return super().figures() | together

    def draw(self, outcome: str | None) -> Axes:
        """Draw the shares of one outcome, or first indices of all."""
        drawn: Axes = plot_room().sensitivity(self, outcome)
        return drawn

    def _of(self, outcome: str) -> str:
        return f"the variance of {outcome}, {self.label}"

    def _by_kind(self, outcome: str) -> str:
        found = self.indices[outcome]
        parts = [
            f"{group} {_share(found.first[group], found.first_half[group])}"
            for group in self.members
        ]
        rest = _share(found.remainder, found.remainder_half)
        return f"Of {self._of(outcome)}: {', '.join(parts)}; interactions between them {rest}."

    def _by_grade(self, outcome: str) -> str:
        found = self.indices[outcome]
        judged = GRADES["J"]
        others = [
            f"{group} {_share(found.total[group], found.total_half[group])}"
            for group in self.members
            if group != judged
        ]
        if judged not in found.total:
            first = f"No judgement-grade number is drawn in {self.label}."
        else:
            total = _share(found.total[judged], found.total_half[judged])
            alone = _share(found.first[judged], found.first_half[judged])
            first = (
                f"Judgement-grade numbers carry {total} of {self._of(outcome)}, "
                f"interactions included, and {alone} alone."
            )
        return f"{first} Totals of the other groups: {', '.join(others)}." if others else first

    def _by_parameter(self, outcome: str) -> str:
        found = self.indices[outcome]
        parts = [
            f"{name} {_share(found.total[name], found.total_half[name])}"
            for name in sorted(found.total, key=lambda name: (-found.total[name], name))
            if name not in {CHANCE, OTHERS} and found.total[name] >= _LEAST
        ]
        rest = [
            f"{self._worded(name)} {_share(found.total[name], found.total_half[name])}"
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
        difference, both with the same parameters and the same luck. The scenario as it
        is written when not given.
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
    study = study_of(scenario, options)
    chosen = wanted(study.scenario, outcomes)
    Design((CHANCE,), samples, "")  # refused before a screening is run
    if by == "parameter" and len(study.parameters) > TOP:
        first = screen(
            study.scenario, chosen, options=study.options, trajectories=TRAJECTORIES, **execution
        )
        groups = _named(study, first.parameters()[:TOP])
    else:
        groups = _groups(study, by)
    return _split(
        study, chosen, by if isinstance(by, str) else "parameter", (groups, samples, execution)
    )


def _groups(study: Study, by: By | Sequence[str]) -> dict[str, str]:
    """Return the group of each parameter."""
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


def _named(study: Study, names: Sequence[str]) -> dict[str, str]:
    problems = [
        Problem(f"parameters.{name}", "not drawn from a distribution", near(name, study.parameters))
        for name in names
        if name not in study.parameters
    ]
    if problems:
        raise ScenarioError(problems)
    return {name: name if name in names else OTHERS for name in study.parameters}


def _split(
    study: Study,
    chosen: Sequence[str],
    by: str,
    design_of: tuple[dict[str, str], int, Execution],
) -> Sensitivity:
    groups, samples, execution = design_of
    seed = study.scenario.root_seed
    columns = (*(groups[owner] for owner in study.owners.values()), CHANCE)
    design = Design(columns, samples, f"sensitivity|{seed}")
    rows = design.rows()
    identity = {"design": "sensitivity", "groups": columns, "samples": samples, "seed": seed}
    outputs = simulate_rows(
        study, rows[:, :-1], luck_at(rows[:, -1]), identity=identity, **execution
    )
    names = chosen_columns(outputs, chosen)
    reasons = {name: why_not(design, outputs.columns[name]) for name in names}
    kept = [name for name in names if not reasons[name]]
    return Sensitivity(
        scenario=study.scenario.name,
        label=study.label,
        is_effect=len(study.options) > 1,
        by=by,
        members={g: tuple(p for p in groups if groups[p] == g) for g in _ordered(design, by)},
        samples=samples,
        n_runs=len(rows) * len(study.options),
        indices={name: indices(design, outputs.columns[name]) for name in kept},
        units={name: outputs.units[name] for name in kept},
        left_out={name: why for name, why in reasons.items() if why},
    )


def _ordered(design: Design, by: str) -> list[str]:
    """Return the groups as they are listed: grades from the firmest on, chance last."""
    known = {
        "kind": [STRUCTURE, PARAMETERS],
        "grade": list(GRADES.values()),
    }.get(by, [])
    last = [OTHERS, CHANCE]
    free = [name for name in design.names if name not in known and name not in last]
    return [name for name in (*known, *free, *last) if name in design.names]
