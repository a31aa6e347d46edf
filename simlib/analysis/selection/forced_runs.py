"""Runs in which an agent decides on a deadline, and the same with its answer forced."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from simlib.analysis.selection.forced_ends import HELD
from simlib.analysis.selection.observables import plan_observables
from simlib.ensemble.map_runs import map_runs
from simlib.outcomes import plan
from simlib.outcomes.planning import kind_of
from simlib.scenario import resolve
from simlib.simulation import assemble, simulate

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from simlib.analysis.selection.decision_questions import Question
    from simlib.analysis.selection.forced_ends import Deadline
    from simlib.ensemble.execution import Execution
    from simlib.ensemble.map_runs import Arrays
    from simlib.journal import Run
    from simlib.scenario.schema import Scenario
    from simlib.simulation import Blueprint

NEVER = 0
"""Months of an extension that is not granted."""


@dataclass(frozen=True, slots=True)
class Forced:
    """One replication with the answer given.

    Attributes
    ----------
    replication
        Its index.
    at
        The meeting it is forked at; nobody knows of anything before.
    months
        Length of the extension; `NEVER` holds to the end as agreed.
    """

    replication: int
    at: dt.date
    months: int


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    """What all rows share. Compared by identity, so that it is prepared once a worker."""

    scenario: Scenario
    question: Question
    given: Mapping[str, float]
    times: tuple[float, ...] = ()
    rows: tuple[Forced, ...] = ()


@dataclass(frozen=True, slots=True)
class Decided:
    """Runs in which the agent decided, in the order of replications.

    Attributes
    ----------
    outcomes
        Numbers and yes/no's, shape (n, n_outcomes), in the order of `numbers_of`.
    months
        Length of the extension, shape (n,); `NEVER` where there is none.
    decided_at
        When it was agreed (days), shape (n,); nan where there is none.
    known
        What was known at each time asked for, shape (n, n_times, n_observables).
    """

    outcomes: NDArray[np.float64]
    months: NDArray[np.int64]
    decided_at: NDArray[np.float64]
    known: NDArray[np.float64] = field(repr=False)

    @property
    def is_extended(self) -> NDArray[np.bool_]:
        """Which replications were extended."""
        found: NDArray[np.bool_] = self.months != NEVER
        return found


def numbers_of(scenario: Scenario) -> tuple[str, ...]:
    """Return the outcomes that are numbers or yes/no's."""
    return tuple(name for name, o in scenario.outcomes.items() if kind_of(o) != "class")


def decided(
    scenario: Scenario,
    n: int,
    question: Question,
    *,
    given: Mapping[str, float],
    times: Sequence[float] = (),
    **execution: Unpack[Execution],
) -> Decided:
    """Simulate replications in which the agent decides.

    Parameters
    ----------
    scenario
        A resolved scenario with the agent, taken as it is written.
    n
        Number of replications.
    question
        The deadline, and what is known of it.
    given
        Parameters that replace drawn ones.
    times
        Instants (days) at which to note what is known.
    execution
        Where it runs: `simlib.ensemble.execution.Execution`.
    """
    job = _Job(scenario, question, dict(given), tuple(times))
    found = map_runs(_decided, job, n, identity=_identity(job), **execution)
    return Decided(found["outcomes"], found["months"], found["decided_at"], found["known"])


def forced(
    scenario: Scenario,
    rows: Sequence[Forced],
    question: Question,
    *,
    given: Mapping[str, float],
    **execution: Unpack[Execution],
) -> NDArray[np.float64]:
    """Simulate replications with the answer given.

    The agent is frozen from the start: it holds to the end as agreed up to the fork,
    and to what is given after it.

    Parameters
    ----------
    scenario, question, given, how
        As in `decided`.
    rows
        What is simulated.

    Returns
    -------
    Outcomes, shape (len(rows), n_outcomes), in the order of `numbers_of`.
    """
    job = _Job(scenario, question, dict(given), rows=tuple(rows))
    return map_runs(_forced, job, len(rows), identity=_identity(job), **execution)["outcomes"]


def known_when_held(
    scenario: Scenario,
    n: int,
    times: Sequence[float],
    question: Question,
    **execution: Unpack[Execution],
) -> NDArray[np.float64]:
    """Return what is known at some times when the end is held as agreed.

    Shape (n, n_times, n_observables): the past that all forks of `HELD` share.
    """
    job = _Job(scenario, question, {}, tuple(times))
    return map_runs(_known_when_held, job, n, identity=_identity(job), **execution)["known"]


def _identity(job: _Job) -> dict[str, Any]:
    # How many there are to be changes no row.
    scenario = job.scenario.model_copy(update={"replications": 1})
    rows = [[row.replication, str(row.at), row.months] for row in job.rows]
    return {
        "scenario": resolve(scenario),
        "given": dict(sorted(job.given.items())),
        "times": list(job.times),
        "rows": rows,
    }


@functools.lru_cache(maxsize=2)
def _prepared(job: _Job) -> tuple[Blueprint, Any, Any]:
    """Assemble the held scenario once; forks differ in their timeline only."""
    held = job.question.deadline.held(job.scenario)
    scenario = job.scenario.model_copy(update={"options": {HELD: held}})
    blueprint = assemble(scenario)
    channels = blueprint.channels.channels
    observables = plan_observables(job.scenario, channels, job.question.public)
    return blueprint, plan(job.scenario, channels), observables


def _simulated(blueprint: Blueprint, job: _Job, replication: int) -> Run:
    months = [*blueprint.calendar.times, blueprint.horizon]
    observe = sorted({*months, *job.times})
    return simulate(blueprint, replication, parameters=job.given, observe=observe)


def _values(plan_of_outcomes: Any, names: Sequence[str], run: Run) -> list[float]:
    values = plan_of_outcomes.evaluate(run)
    return [float(values[name]) for name in names]


def _decided(job: _Job, replications: range) -> Arrays:
    blueprint, outcomes, observables = _prepared(job)
    names = numbers_of(job.scenario)
    rows, months, decided_at, known = [], [], [], []
    for replication in replications:
        run = _simulated(blueprint, job, replication)
        rows.append(_values(outcomes, names, run))
        agreed = _agreed(run, job.question.deadline)
        months.append(agreed[0])
        decided_at.append(agreed[1])
        known.append([observables.at(run, time) for time in job.times])
    shape = (len(rows), len(job.times), len(observables.all))
    return {
        "outcomes": np.array(rows).reshape(len(rows), len(names)),
        "months": np.array(months, dtype=np.int64),
        "decided_at": np.array(decided_at),
        "known": np.array(known).reshape(shape),
    }


def _agreed(run: Run, deadline: Deadline) -> tuple[int, float]:
    """Return months and time of the extension that was agreed, if any."""
    if run.milestones[deadline.milestone].classification == deadline.extended:
        for decision in run.decisions:
            if (decision.agent, decision.name) == (deadline.agent, deadline.decision):
                return int(decision.taken), decision.time
    return NEVER, math.nan


def _forced(job: _Job, rows: range) -> Arrays:
    blueprint, outcomes, _ = _prepared(job)
    names = numbers_of(job.scenario)
    found = []
    for row in rows:
        one = job.rows[row]
        run = _simulated(_forked(blueprint, one, job.question.deadline), job, one.replication)
        found.append(_values(outcomes, names, run))
    return {"outcomes": np.array(found).reshape(len(rows), len(names))}


def _known_when_held(job: _Job, replications: range) -> Arrays:
    blueprint, _, observables = _prepared(job)
    at_end = replace(blueprint, option=HELD)
    known = []
    for replication in replications:
        run = _simulated(at_end, job, replication)
        known.append([observables.at(run, time) for time in job.times])
    shape = (len(known), len(job.times), len(observables.all))
    return {"known": np.array(known).reshape(shape)}


def _forked(blueprint: Blueprint, row: Forced, deadline: Deadline) -> Blueprint:
    """Return a blueprint with another timeline; nothing else of it depends on the option."""
    if row.months == NEVER:
        return replace(blueprint, option=HELD)
    options = {**blueprint.scenario.options, "extended": deadline.extension(row.months, row.at)}
    scenario = blueprint.scenario.model_copy(update={"options": options})
    return replace(blueprint, scenario=scenario, option="extended")
