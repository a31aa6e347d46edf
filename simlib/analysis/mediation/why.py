"""Why two options differ in an outcome: which mediators carry the effect, and how.

The effect is split over groups of acts by clamping them to the other option's path: Shapley
values, which sum to it (L. S. Shapley 1953; as `simlib.statistics.shapley`). Beside it stands
a description of where the pairs part, which attributes nothing.
"""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from simlib.analysis.columns import columns_of
from simlib.analysis.mediation.explanation import Explanation
from simlib.analysis.mediation.mediated_effects import MediatedEffect, MediatedShare, share_of
from simlib.analysis.mediation.mediators import KINDS, Clamping, PairJob, contributions
from simlib.analysis.mediation.path_description import (
    DescribeJob,
    Description,
    described,
    description,
    first_divergences,
)
from simlib.chance import designs
from simlib.ensemble import Ensemble
from simlib.ensemble.manifest import manifest_of, refuse_missing_agents
from simlib.ensemble.map_runs import map_runs
from simlib.ensemble.replications import Job
from simlib.errors import Problem, ScenarioError
from simlib.outcomes import kind_of, unit_of
from simlib.scenario import load, load_text
from simlib.scenario.requests import n_replications, whole
from simlib.scenario.wording import shown
from simlib.statistics.summaries import of_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from simlib.agents.base import Agent
    from simlib.analysis.columns import Column
    from simlib.analysis.mediation.mediators import By
    from simlib.ensemble.execution import Execution
    from simlib.scenario.schema import Scenario

_EACH = 5
MOST_PAIRS = 1000
"""Most pairs of orders in a replication."""
"""Replications in a piece: each comes to a few dozen simulations."""


def why(  # noqa: PLR0913  (one door; all but the options have defaults)
    source: Ensemble | Scenario | str | os.PathLike[str],
    outcomes: str | Sequence[str],
    *,
    baseline: str,
    counterfactual: str,
    by: By = "agent",
    replications: int | None = None,
    n_pairs: int = 1,
    agents: Sequence[type[Agent]] = (),
    **execution: Unpack[Execution],
) -> Explanation:
    """Say why two options differ.

    Parameters
    ----------
    source
        A scenario, the path or bundled name of one, or an ensemble, of which the scenario
        is taken.
    outcomes
        One outcome or several: several cost hardly more. Of an outcome that is a class,
        each class is looked at; ``OUTCOME.CLASS`` is one of them.
    baseline, counterfactual
        Two options; empty for the scenario as it is written.
    by
        What the effect is split over: each ``agent``, each ``mechanism`` (a state variable,
        posture or milestone that agents change), or each ``place`` where they change
        something.
    replications
        How many pairs; as many as the ensemble or the scenario has when not given.
    n_pairs
        Pairs of orders of groups that are drawn in each replication; more make intervals
        narrower, as far as chance in the orders is what makes them wide.
    agents
        Agent classes added to the scenario's.
    execution
        Where it runs: `simlib.ensemble.execution.Execution`.

    Raises
    ------
    ScenarioError
        There is no such outcome or option, or a number is out of range.
    StoreError
        The ensemble does not come out again as it is stored, or a piece cannot be written.
    """
    names = (outcomes,) if isinstance(outcomes, str) else tuple(outcomes)
    pair, most, results = _pair(source, (baseline, counterfactual), by, n_pairs, tuple(agents))
    n = n_replications(replications, most)
    if results is not None and n > most:  # what is named must be there to be replayed
        rule = f"the results have {most:,} of both options (got {n:,})"
        raise ScenarioError([Problem("replications", rule, "simlib extend adds to them")])
    clamping = Clamping(pair)
    wanted = columns_of(pair.scenario, names)
    if results is not None:
        _refuse_changed(results, pair)
    identity = _identity(pair)
    grouped = {**identity, "by": by, "n_pairs": n_pairs}
    found = map_runs(contributions, pair, n, identity=grouped, each=_EACH, **execution)
    kinds = tuple(dict.fromkeys(column.outcome for column in wanted))
    job = DescribeJob(pair, kinds)
    told = map_runs(described, job, n, identity={**identity, "outcomes": kinds}, **execution)
    whence = (_called(source, pair.scenario), "" if results is None else str(results.path))
    return _explained(clamping, wanted, found, list(told["text"]), whence)


def _called(source: Any, scenario: Scenario) -> str:
    return os.fspath(source) if isinstance(source, (str, os.PathLike)) else scenario.name


def _pair(
    source: Ensemble | Scenario | str | os.PathLike[str],
    options: tuple[str, str],
    by: By,
    n_pairs: int,
    agents: tuple[type[Agent], ...],
) -> tuple[PairJob, int, Ensemble | None]:
    problems = []
    if by not in KINDS:
        problems.append(Problem("by", f"must be one of {', '.join(KINDS)} (got {shown(str(by))})"))
    if problems:
        raise ScenarioError(problems)
    n_pairs = whole("n_pairs", n_pairs, 1, MOST_PAIRS)
    if isinstance(source, Ensemble):
        refuse_missing_agents(source.manifest, agents)
        scenario = load_text(source.manifest["scenario"], file=str(source.path))
        without = tuple(source.manifest["without"])
        n = min(_n_held(source.of(option)) for option in options)
        return PairJob(scenario, options, agents, without, by, n_pairs), n, source
    scenario = load(source) if isinstance(source, (str, os.PathLike)) else source
    return PairJob(scenario, options, agents, (), by, n_pairs), scenario.replications, None


def _n_held(results: Ensemble) -> int:
    """Return how many replications there are from the first on, without a gap."""
    n = 0
    for entry in sorted(results.entries(), key=lambda entry: entry.first):
        if entry.first > n:
            break
        n = max(n, entry.stop)
    return n


def _refuse_changed(results: Ensemble, pair: PairJob) -> None:
    """Refuse results that do not come out again: what is explained is what is stored."""
    for option in pair.options:
        part = next(results.of(option).parts("outcomes"))
        if len(part):
            results.replay(int(part.index[0]), option=option, agents=pair.agents)


def _identity(pair: PairJob) -> dict[str, Any]:
    manifest = manifest_of(Job(pair.scenario, pair.agents, pair.without), pair.options)
    kept = ("scenario_digest", "root_seed", "options", "agents", "without")
    return {key: manifest[key] for key in kept}


def _explained(
    clamping: Clamping,
    wanted: Sequence[Column],
    found: dict[str, NDArray[Any]],
    texts: list[bytes],
    whence: tuple[str, str],
) -> Explanation:
    scenario, pair = clamping.job.scenario, clamping.job
    replications = np.arange(len(texts), dtype=np.int32)
    blocks = designs.blocks(scenario.design, replications)
    findings = []
    told: dict[str, Description] = {}
    for column in wanted:
        at = clamping.columns.index(column)
        numbers = (found["baseline"][:, at], found["counterfactual"][:, at])
        if column.category and not any(np.nansum(each) for each in numbers):
            continue  # a class that neither option has ended in
        shares = found["shares"][:, :, at]
        outcome = scenario.outcomes[column.outcome]
        unit = "" if column.category else unit_of(outcome, scenario)
        kind = "share" if kind_of(outcome) != "number" else "number"
        if column.outcome not in told:
            told[column.outcome] = description(texts, column.outcome)
        findings.append(
            _finding(
                (str(column), kind, unit),
                numbers,
                shares,
                (clamping.groups, blocks),
                told[column.outcome],
            )
        )
    first = first_divergences(texts)
    return Explanation(
        scenario=scenario.name,
        source=whence[0],
        baseline=pair.options[0],
        counterfactual=pair.options[1],
        by=pair.by,
        n_asked=len(texts),
        n_failed=int(found["failed"].sum()),
        results=whence[1],
        findings=tuple(findings),
        first=first,
    )


def _finding(
    what: tuple[str, str, str],
    numbers: tuple[NDArray[np.float64], NDArray[np.float64]],
    shares: NDArray[np.float64],
    grouped: tuple[Sequence[str], NDArray[np.int32] | None],
    told: Description,
) -> MediatedEffect:
    """Sum up one outcome over the pairs in which all of it was observed."""
    groups, blocks = grouped
    is_seen = ~(np.isnan(shares).any(axis=1) | np.isnan(numbers[0]) | np.isnan(numbers[1]))
    own = None if blocks is None else blocks[is_seen]
    before, after = (each[is_seen] for each in numbers)
    effect = of_number(what[0], what[2], after - before, len(is_seen), blocks=own)
    has_effect = effect.low > 0.0 or effect.high < 0.0
    rows: list[MediatedShare] = []
    if has_effect:
        for i, group in enumerate(groups):
            added = shares[is_seen, i]
            if added.any():
                rows.append(share_of(group, added, after - before, own))
    rows.sort(key=lambda share: -abs(share.mean))
    return MediatedEffect(
        outcome=what[0],
        kind=what[1],
        unit=what[2],
        n=int(is_seen.sum()),
        before=float(before.mean()) if len(before) else math.nan,
        after=float(after.mean()) if len(after) else math.nan,
        effect=effect,
        is_same=bool((before == after).all()),
        shares=tuple(rows),
        told=told,
    )
