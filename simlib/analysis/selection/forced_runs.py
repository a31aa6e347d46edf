"""Runs in which an agent decides on a deadline, and the same with its answer forced."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Unpack

import numpy as np

from simlib.analysis.selection.deadlines import HELD
from simlib.analysis.selection.observables import Observables, plan_observables
from simlib.ensemble.map_runs import map_runs
from simlib.outcomes import plan
from simlib.outcomes.planning import OutcomePlan, kind_of
from simlib.scenario import resolve
from simlib.simulation import Blueprint, assemble, simulate

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from simlib.analysis.selection.deadlines import Deadline, DecisionQuestion
    from simlib.ensemble.execution import Execution
    from simlib.ensemble.map_runs import Arrays
    from simlib.journal import Run
    from simlib.scenario.schema import Scenario

NEVER = 0
"""Months of an extension that is not granted."""


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """A replication, and who answers in it.

    Forced are `months` of extension, `NEVER` of which hold to the end as agreed; None: the
    agent decides. It is forked at the meeting `at`; nobody knows of anything before.
    """

    replication: int
    months: int | None = None
    at: dt.date | None = None


@dataclass(frozen=True, slots=True)
class AnsweredRuns:
    """What came of runs, in the order of the answers.

    Outcomes are numbers and yes/no's, shape (n, n_outcomes), in the order of `numbers_of`.
    The agent chose an extension of so many months (`NEVER`: none), and decided at that time
    in days (nan: never). What was known at each time asked for has shape (n, n_times,
    n_observables).
    """

    outcomes: NDArray[np.float64]
    months: NDArray[np.int64]
    decided_at: NDArray[np.float64]
    known: NDArray[np.float64] = field(repr=False)

    @property
    def is_extended(self) -> NDArray[np.bool_]:
        """Which replications the agent extended."""
        found: NDArray[np.bool_] = self.months != NEVER
        return found


@dataclass(frozen=True, slots=True, eq=False)
class _AnswerJob:
    """What all rows share. Compared by identity, so that it is prepared once a worker."""

    scenario: Scenario
    answers: tuple[GivenAnswer, ...]
    question: DecisionQuestion
    given: Mapping[str, float]
    times: tuple[float, ...]


def numbers_of(scenario: Scenario) -> tuple[str, ...]:
    """The outcomes that are numbers or yes/no's."""
    return tuple(name for name, o in scenario.outcomes.items() if kind_of(o) != "class")


def simulate_answers(
    scenario: Scenario,
    answers: Sequence[GivenAnswer],
    question: DecisionQuestion,
    *,
    given: Mapping[str, float] | None = None,
    times: Sequence[float] = (),
    **execution: Unpack[Execution],
) -> AnsweredRuns:
    """Simulate replications in which the agent decides, or is given the answer.

    Where the answer is given, the agent is frozen from the start: it holds to the end as
    agreed up to the fork, and to what is given after it. The scenario is taken as it is
    written, but that `given` parameters replace drawn ones. What is known is noted at
    `times`, instants in days; of a scenario without outcomes nothing is simulated after the last.
    """
    job = _AnswerJob(scenario, tuple(answers), question, dict(given or {}), tuple(times))
    identity = {
        # How many there are to be changes no row.
        "scenario": resolve(scenario.model_copy(update={"replications": 1})),
        "given": dict(sorted(job.given.items())),
        "times": list(times),
        "rows": [[each.replication, each.months, str(each.at)] for each in answers],
    }
    found = map_runs(_answered, job, len(answers), identity=identity, **execution)
    return AnsweredRuns(**found)


@functools.lru_cache(maxsize=2)
def _prepared(job: _AnswerJob) -> tuple[Blueprint, OutcomePlan, Observables]:
    """Assemble the scenario once; forks differ in their timeline only."""
    held = job.question.deadline.held(job.scenario)
    blueprint = assemble(job.scenario.model_copy(update={"options": {HELD: held}}))
    if job.times and not job.scenario.outcomes:
        last = max(job.times) + 1.0  # a day later, so that nothing is at the edge
        blueprint = replace(blueprint, horizon=min(blueprint.horizon, last))
    channels = blueprint.channels.channels
    observables = plan_observables(job.scenario, channels, job.question.public)
    return blueprint, plan(job.scenario, channels), observables


def _answered(job: _AnswerJob, rows: range) -> Arrays:
    blueprint, outcomes, observables = _prepared(job)
    names, deadline = numbers_of(job.scenario), job.question.deadline
    firsts = (time for time in blueprint.calendar.times if time < blueprint.horizon)
    observe = sorted({*firsts, blueprint.horizon, *job.times})
    values, chosen, known = [], [], []
    # The same replication under another answer has the same luck: differences are paired.
    for answer in (job.answers[row] for row in rows):
        run = simulate(
            _forked(blueprint, answer, deadline),
            answer.replication,
            parameters=job.given,
            observe=observe,
        )
        found = outcomes.evaluate(run)
        values.append([float(found[name]) for name in names])
        chosen.append(_chosen(run, deadline))
        known.append([observables.at(run, time) for time in job.times])
    # Without times or outcomes, an array of no columns still has its rows.
    shape = (len(rows), len(job.times), len(observables.all))
    return {
        "outcomes": np.array(values).reshape(len(rows), len(names)),
        "months": np.array([months for months, _ in chosen], dtype=np.int64),
        "decided_at": np.array([time for _, time in chosen]),
        "known": np.array(known).reshape(shape),
    }


def _chosen(run: Run, deadline: Deadline) -> tuple[int, float]:
    """Months and time of the extension that the agent chose, if any."""
    if run.milestones[deadline.milestone].classification == deadline.extended:
        for decision in run.decisions:
            if (decision.agent, decision.name) == (deadline.agent, deadline.decision):
                return int(decision.taken), decision.time
    return NEVER, math.nan


def _forked(blueprint: Blueprint, answer: GivenAnswer, deadline: Deadline) -> Blueprint:
    """A blueprint with another timeline; nothing else of it depends on the option."""
    if answer.months is None:
        return blueprint
    if answer.months == NEVER or answer.at is None:
        return replace(blueprint, option=HELD)
    extension = deadline.extension(answer.months, answer.at)
    options = {**blueprint.scenario.options, "extended": extension}
    scenario = blueprint.scenario.model_copy(update={"options": options})
    return replace(blueprint, scenario=scenario, option="extended")
