"""Why two options differ in an outcome: which mediators carry the effect, and how.

The effect is split over mediators, groups of acts, that take the path of the other option:
Shapley values, which sum to it (L. S. Shapley 1953; as `simlib.statistics.shapley`). Beside
it stands a description of where the pairs part, which attributes nothing.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Unpack

import numpy as np

from simlib.analysis.columns import columns_of, labels_of
from simlib.analysis.mediation.explanation import Explanation, mediated_effect
from simlib.analysis.mediation.mediators import KINDS, Mediation, contributions
from simlib.analysis.mediation.path_description import (
    describe_outcome,
    describe_pairs,
    first_divergences,
)
from simlib.chance import designs
from simlib.ensemble import Ensemble
from simlib.ensemble.manifest import manifest_of, refuse_missing_agents
from simlib.ensemble.map_runs import map_runs
from simlib.ensemble.replications import Job
from simlib.errors import Problem, ScenarioError
from simlib.outcomes import kind_of, unit_of
from simlib.scenario import as_scenario, load_text
from simlib.scenario.requests import n_replications, whole
from simlib.scenario.wording import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simlib.agents.base import Agent
    from simlib.analysis.columns import Column
    from simlib.analysis.mediation.explanation import MediatedEffect
    from simlib.analysis.mediation.mediators import By
    from simlib.ensemble.execution import Execution
    from simlib.ensemble.map_runs import Arrays
    from simlib.scenario.schema import Scenario

_EACH = 5
"""Replications in a piece: each comes to a few dozen simulations."""
MOST_PAIRS = 1000
"""Most pairs of orders in a replication."""


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
    if by not in KINDS:
        rule = f"must be one of {', '.join(KINDS)} (got {shown(str(by))})"
        raise ScenarioError([Problem("by", rule)])
    n_pairs = whole("n_pairs", n_pairs, 1, MOST_PAIRS)
    options = (baseline, counterfactual)
    scenario, without, most = _taken(source, options, agents)
    wanted = columns_of(scenario, (outcomes,) if isinstance(outcomes, str) else outcomes)
    names = tuple(dict.fromkeys(column.outcome for column in wanted))
    mediation = Mediation(scenario, options, tuple(agents), without, by, n_pairs, names)
    n = n_replications(replications, most)
    results = ""
    if isinstance(source, Ensemble):
        _refuse_changed(source, mediation, n, most)
        results = str(source.path)
    found = _simulated(mediation, n, execution)
    texts = list(found["text"])
    return Explanation(
        scenario=scenario.name,
        source=os.fspath(source) if isinstance(source, (str, os.PathLike)) else scenario.name,
        baseline=baseline,
        counterfactual=counterfactual,
        by=by,
        n_asked=n,
        n_failed=int(found["failed"].sum()),
        results=results,
        findings=tuple(_effects(mediation, wanted, found, texts)),
        first=first_divergences(texts),
    )


def _taken(
    source: Ensemble | Scenario | str | os.PathLike[str],
    options: tuple[str, str],
    agents: Sequence[type[Agent]],
) -> tuple[Scenario, tuple[str, ...], int]:
    """The scenario, the agents it is run without, and how many pairs there are."""
    if not isinstance(source, Ensemble):
        scenario = as_scenario(source)
        return scenario, (), scenario.replications
    refuse_missing_agents(source.manifest, agents)
    scenario = load_text(source.manifest["scenario"], file=str(source.path))
    n = min(_n_held(source.of(option)) for option in options)
    return scenario, tuple(source.manifest["without"]), n


def _n_held(results: Ensemble) -> int:
    """How many replications there are from the first on, without a gap."""
    n = 0
    for entry in sorted(results.entries(), key=lambda entry: entry.first):
        if entry.first > n:
            break
        n = max(n, entry.stop)
    return n


def _refuse_changed(results: Ensemble, mediation: Mediation, n: int, most: int) -> None:
    """Refuse results that lack a pair or do not come out again: what is named is replayed."""
    if n > most:
        rule = f"the results have {most:,} of both options (got {n:,})"
        raise ScenarioError([Problem("replications", rule, "simlib extend adds to them")])
    for option in mediation.options:
        part = next(results.of(option).parts("outcomes"))
        if len(part):
            results.replay(int(part.index[0]), option=option, agents=mediation.agents)


def _simulated(mediation: Mediation, n: int, execution: Execution) -> Arrays:
    """Simulate: each mediator's contributions in each pair, and its differences as JSON."""
    job = Job(mediation.scenario, mediation.agents, mediation.without)
    manifest = manifest_of(job, mediation.options)
    kept = ("scenario_digest", "root_seed", "options", "agents", "without")
    own = {"by": mediation.by, "n_pairs": mediation.n_pairs, "outcomes": mediation.outcomes}
    identity = {key: manifest[key] for key in kept} | own
    return map_runs(_explained, mediation, n, identity=identity, each=_EACH, **execution)


def _explained(mediation: Mediation, replications: range) -> Arrays:
    """Split the effect of some replications and describe their pairs, each recorded once."""
    pairs = mediation.record_all(replications)
    text = describe_pairs(mediation, pairs)
    return {**contributions(mediation, pairs), "text": text}


def _effects(
    mediation: Mediation, wanted: Sequence[Column], found: Arrays, texts: list[bytes]
) -> Iterator[MediatedEffect]:
    """Sum up each outcome; a class that neither option has ended in is left out."""
    scenario = mediation.scenario
    blocks = designs.blocks(scenario.design, np.arange(len(texts), dtype=np.int32))
    labels = labels_of(scenario, wanted)
    descriptions = {name: describe_outcome(texts, name) for name in mediation.outcomes}
    for column in wanted:
        at = mediation.columns.index(column)
        ends = (found["baseline"][:, at], found["counterfactual"][:, at])
        if column.category and not any(np.nansum(each) for each in ends):
            continue
        outcome = scenario.outcomes[column.outcome]
        unit = "" if column.category else unit_of(outcome, scenario)
        kind = "share" if kind_of(outcome) != "number" else "number"
        yield mediated_effect(
            (str(column), labels[str(column)], kind, unit),
            ends,
            found["shares"][:, :, at],
            mediation.groups,
            blocks=blocks,
            description=descriptions[column.outcome],
        )
