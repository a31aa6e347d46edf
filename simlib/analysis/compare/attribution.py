"""The gap of outcomes between two scenarios, split over what differs between them."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from simlib.analysis.columns import Column, columns_of, numbers_of
from simlib.analysis.compare.scenario_changes import Changes, changes_between
from simlib.ensemble.map_runs import Arrays, map_runs
from simlib.errors import Problem, ScenarioError
from simlib.outcomes import plan
from simlib.outcomes.planning import kind_of, unit_of
from simlib.scenario import as_scenario, digest
from simlib.scenario.requests import whole
from simlib.scenario.schema import MOST_REPLICATIONS
from simlib.simulation import assemble, simulate
from simlib.statistics import shapley
from simlib.statistics.formatting import number
from simlib.statistics.intervals import Z95
from simlib.statistics.summaries import of_number

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from simlib.ensemble.execution import Execution
    from simlib.scenario.schema import Scenario
    from simlib.statistics.summaries import Summary


@dataclass(frozen=True, slots=True)
class Gap:
    """One outcome's gap between two scenarios, and each group's share of it.

    Attributes
    ----------
    column
        The outcome, or whether it ended in a class.
    unit
        Its unit; empty for yes/no and classes.
    before, after
        Means over replications in the first and in the second scenario.
    gap
        Mean paired difference, with its Monte Carlo error and 95 % interval.
    shares
        By group, the mean Shapley value with its error; they sum to the gap. Empty where
        the interval of the gap includes 0.
    """

    column: Column
    unit: str
    before: float
    after: float
    gap: Summary
    shares: dict[str, Summary]

    @property
    def is_clear(self) -> bool:
        """Whether the interval of the gap leaves 0 out."""
        return self.gap.low > 0.0 or self.gap.high < 0.0


@dataclass(frozen=True, slots=True)
class Attribution:
    """What differs between two scenarios and what it does to their outcomes."""

    names: tuple[str, str]
    changes: Changes
    gaps: tuple[Gap, ...]
    n: int
    """Replications of each hybrid; 0 where only the files were compared."""

    def gap(self, outcome: str) -> Gap:
        """Return the gap of an outcome (``OUTCOME`` or ``OUTCOME.CLASS``).

        Raises
        ------
        KeyError
            It was not compared.
        """
        for gap in self.gaps:
            if str(gap.column) == outcome:
                return gap
        raise KeyError(f"no outcome {outcome!r} was compared")

    def table(self) -> pd.DataFrame:
        """Return gaps and shares: a row for each outcome, and for each group's share of it.

        Columns ``outcome``, ``unit``, ``part`` (``gap`` or the group), ``mean``,
        ``mc_error``, ``low``, ``high`` (95 %), ``share_of_gap`` (nan for the gap), ``n``.
        """
        import pandas as pd

        rows = [
            {
                "outcome": str(gap.column),
                "unit": gap.unit,
                "part": part,
                "mean": found.mean,
                "mc_error": found.mc_error,
                "low": found.low,
                "high": found.high,
                "share_of_gap": math.nan if part == "gap" else found.mean / gap.gap.mean,
                "n": found.n,
            }
            for gap in self.gaps
            for part, found in {"gap": gap.gap, **gap.shares}.items()
        ]
        return pd.DataFrame(rows)

    def changes_table(self) -> pd.DataFrame:
        """Return what differs: ``group``, ``path``, ``before``, ``after``."""
        import pandas as pd

        rows = [
            (group.name, each.path, each.before, each.after)
            for group in self.changes.groups
            for each in self.changes.found
            if any(each.keys[: len(keys)] == keys for keys in group.changes)
        ]
        return pd.DataFrame(rows, columns=["group", "path", "before", "after"])

    def sentences(self) -> list[str]:
        """Return what the gaps say, clearest first, in words."""
        if not self.n:
            return []
        a, b = self.names
        said = [
            (
                f"{b} against {a}: {len(self.changes.groups)} groups of changes, {self.n:,} "
                "replications under the same luck; shares are Shapley values and sum to the gap"
            )
        ]
        clear = sorted((g for g in self.gaps if g.is_clear), key=lambda g: -_clearness(g))
        said += [_gap_sentence(gap) for gap in clear]
        n_unclear = len(self.gaps) - len(clear)
        if n_unclear:
            said.append(
                f"{n_unclear} of {len(self.gaps)} outcomes: the interval of the gap includes 0, "
                "so it is not split"
            )
        return said


def diff(
    before: Scenario | str | os.PathLike[str],
    after: Scenario | str | os.PathLike[str],
    *,
    outcomes: Sequence[str] | None = None,
    groups: Mapping[str, Sequence[str]] | None = None,
    replications: int = 100,
    **execution: Unpack[Execution],
) -> Attribution:
    """Compare two scenarios, and split the gap of their outcomes over what differs.

    Every set of groups is a scenario of its own: the first, with those groups as in the
    second. All are simulated under the luck and the root seed of the first, so a changed
    distribution swaps by quantile: a parameter stands at the same quantile of both. Shares
    are exact Shapley values over all sets, replication by replication.

    Parameters
    ----------
    before, after
        Scenarios, or paths or bundled names of them, compared in their explicit form.
    outcomes
        Which (``OUTCOME`` or ``OUTCOME.CLASS``), of those both declare alike; all of
        them when not given.
    groups
        Groups by name: the beginnings of the paths of their changes. By default changes
        are grouped by where they stand, in at most `changes.MOST_GROUPS` groups.
    replications
        Of each set of groups; 0 compares the files only.
    execution
        Where it runs: `simlib.ensemble.execution.Execution`.

    Raises
    ------
    ScenarioError
        A scenario is wrong, an outcome or a group is not there, or the two share no place
        or no outcome.
    """
    first, second = as_scenario(before), as_scenario(after)
    replications = whole("replications", replications, 0, MOST_REPLICATIONS)
    _refuse_strangers(first, second)
    changes = changes_between(first, second, groups)
    names = (first.name, second.name) if first.name != second.name else ("first", "second")
    common = changes.hybrid(())
    columns = columns_of(common, outcomes)
    if not replications or not changes.groups:
        return Attribution(names, changes, (), 0)
    if not columns:
        rule = f"{first.name} and {second.name} declare none alike: there is no gap to split"
        raise ScenarioError([Problem("outcomes", rule)])
    job = _Job(changes, columns, replications)
    found = map_runs(
        _valued,
        job,
        2 ** len(changes.groups) * replications,
        identity={
            "scenarios": [digest(first), digest(second)],
            "groups": [(group.name, group.changes) for group in changes.groups],
            "columns": [str(column) for column in columns],
            "replications": replications,
        },
        **execution,
    )
    worth = found["values"].reshape(-1, replications, len(columns))
    parts = [group.name for group in changes.groups]
    shares = shapley.exact(parts, lambda chosen: worth[_index(parts, chosen)])
    gaps = tuple(
        _gap(common, column, worth[[0, -1], :, i], {p: v[:, i] for p, v in shares.items()})
        for i, column in enumerate(columns)
        if not column.category or worth[[0, -1], :, i].any()
    )
    return Attribution(names, changes, gaps, replications)


def _refuse_strangers(first: Scenario, second: Scenario) -> None:
    """Refuse scenarios of different theatres: nothing of one has a counterpart in the other."""
    if first.places.keys().isdisjoint(second.places):
        rule = f"{first.name} and {second.name} share none: they cannot be compared"
        raise ScenarioError([Problem("places", rule)])


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    """What all hybrids share; a job is itself, so that a worker keeps what it made ready."""

    changes: Changes
    columns: tuple[Column, ...]
    replications: int


def _index(parts: Sequence[str], chosen: frozenset[str]) -> int:
    return sum(1 << i for i, part in enumerate(parts) if part in chosen)


def _valued(job: _Job, rows: range) -> Arrays:
    """Return the outcomes of some rows: set by set of groups, the replications of each."""
    values = np.empty((len(rows), len(job.columns)))
    for i, row in enumerate(rows):
        bits, replication = divmod(row, job.replications)
        blueprint, outcomes = _ready(job, bits)
        values[i] = numbers_of(job.columns, outcomes.evaluate(simulate(blueprint, replication)))
    return {"values": values}


@functools.lru_cache(maxsize=2)
def _ready(job: _Job, bits: int) -> tuple[Any, Any]:
    chosen = [group.name for i, group in enumerate(job.changes.groups) if bits >> i & 1]
    scenario = job.changes.hybrid(chosen)
    blueprint = assemble(scenario)
    return blueprint, plan(scenario, blueprint.channels.channels)


def _gap(
    scenario: Scenario,
    column: Column,
    ends: NDArray[np.float64],
    shares: Mapping[str, NDArray[np.float64]],
) -> Gap:
    """Sum up an outcome over the replications in which it was seen in every hybrid."""
    outcome = scenario.outcomes[column.outcome]
    unit = unit_of(outcome, scenario) if kind_of(outcome) == "number" else ""
    is_seen = ~np.isnan(sum(shares.values(), ends[0] + ends[1]))
    before, after = ends[0, is_seen], ends[1, is_seen]
    n_asked = ends.shape[1]
    gap = of_number(str(column), unit, after - before, n_asked)
    has_gap = gap.low > 0.0 or gap.high < 0.0
    split = {
        part: of_number(part, unit, values[is_seen], n_asked) for part, values in shares.items()
    }
    return Gap(
        column=column,
        unit=unit,
        before=float(before.mean()) if len(before) else math.nan,
        after=float(after.mean()) if len(after) else math.nan,
        gap=gap,
        shares=split if has_gap else {},
    )


def _clearness(gap: Gap) -> float:
    error = gap.gap.mc_error
    return abs(gap.gap.mean) / error if error > 0.0 else math.inf


def _gap_sentence(gap: Gap) -> str:
    unit = f" {gap.unit}" if gap.unit else ""
    head = (
        f"{gap.column}: {number(gap.before)} to {number(gap.after)}{unit}, a gap of "
        f"{gap.gap.mean:+.3g} ({gap.gap.low:.3g} to {gap.gap.high:.3g})"
    )
    parts = sorted(gap.shares.items(), key=lambda item: -abs(item[1].mean))
    told = [_share_text(name, share, gap.gap.mean) for name, share in parts if share.mean]
    return f"{head}; of it {', '.join(told)}"


def _share_text(name: str, share: Summary, whole: float) -> str:
    half = Z95 * share.mc_error / abs(whole)
    return f"{share.mean / whole:.0%} ± {half:.0%} {name}"


__all__ = ["Attribution", "Gap", "diff"]
