"""What a worker does: simulate a few replications and pack what they leave behind."""

from __future__ import annotations

import functools
import gc
import operator
import threading
import time
import traceback
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from simlib.ensemble.environment import versions
from simlib.ensemble.executors import unpack
from simlib.ensemble.executors.crew import Part
from simlib.ensemble.store import Chunk, arrow, pack
from simlib.ensemble.store.chunks import incident_columns, joined, monthly_columns
from simlib.ensemble.surroundings import shortage
from simlib.errors import SimulationError
from simlib.outcomes import OutcomePlan, month_starts, plan
from simlib.simulation import assemble, simulate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from simlib.agents.base import Agent
    from simlib.journal import Run
    from simlib.scenario.schema import Scenario

_DECISION = ("time", "agent", "name", "place", "taken", "probability")
_CAUSE = ("cause_kind", "cause", "cause_row", "value")
_FAILURE = ("replication", "agent", "date", "error", "traceback")
_decision_row = operator.attrgetter(*_DECISION, *_CAUSE)
_one_at_a_time = threading.Lock()
"""A worker of several threads simulates one chunk at a time: Python would let no two
proceed together, and what is prepared is shared."""


@dataclass(frozen=True, slots=True)
class Job:
    """What every replication of an ensemble has in common."""

    scenario: Scenario
    agents: tuple[type[Agent], ...] = ()
    without: tuple[str, ...] = ()
    journals: bool = False
    """Whether incidents are kept, not only counted."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A job made ready for one option."""

    blueprint: Any
    plan: OutcomePlan
    months: NDArray[np.datetime64]
    journals: bool = False


def prepare(job: Job, option: str) -> Prepared:
    """Assemble an option (empty: the scenario as it is written) once, for all its replications."""
    blueprint = assemble(
        job.scenario, option=option or None, agents=job.agents, without=job.without
    )
    months = np.array(month_starts(job.scenario), dtype="datetime64[D]")
    outcomes = plan(job.scenario, blueprint.channels.channels)
    return Prepared(blueprint, outcomes, months, job.journals)


def simulate_chunk(prepared: Prepared, option: str, replications: range) -> Chunk:
    """Simulate some replications; one that fails is kept as data, and the rest go on.

    Where the surroundings lacked something there is no result but a `ShortageError`.
    """
    began = time.perf_counter()
    rows = _Rows()
    for replication in replications:
        try:
            run = simulate(prepared.blueprint, replication)
            values = prepared.plan.evaluate(run)
            counts = prepared.plan.monthly_cells(run)
        except Exception as error:
            part = Part(option, range(replication, replication + 1))
            if lacking := shortage(error, str(part)):
                raise lacking from error
            rows.fail(replication, error)
        else:
            rows.add(run, values, counts)
            if prepared.journals:
                rows.keep_journal(run)
    return pack(
        rows.tables(prepared),
        option=option,
        first=replications.start,
        stop=replications.stop,
        n_failed=len(rows.failures),
        seconds=time.perf_counter() - began,
        compiled_seconds=rows.compiled_seconds,
        versions=versions(),
    )


def simulate_packed(job: bytes, option: str, first: int, stop: int) -> Chunk:
    """Simulate replications ``first`` to ``stop - 1`` of a packed job, in a worker."""
    with _one_at_a_time:
        return simulate_chunk(_unpacked(job, option), option, range(first, stop))


@functools.lru_cache(maxsize=16)
def _unpacked(job: bytes, option: str) -> Prepared:
    prepared = prepare(unpack(job), option)
    # What a worker holds for good need not be looked at by every collection.
    gc.collect()
    gc.freeze()
    return prepared


@dataclass(slots=True)
class _Rows:
    """What a chunk has gathered so far."""

    replications: list[int] = field(default_factory=list)
    outcomes: list[dict[str, float | str]] = field(default_factory=list)
    parameters: list[dict[str, float]] = field(default_factory=list)
    counts: list[NDArray[np.int32]] = field(default_factory=list)
    decisions: list[tuple[Any, ...]] = field(default_factory=list)
    milestones: list[tuple[Any, ...]] = field(default_factory=list)
    failures: list[tuple[Any, ...]] = field(default_factory=list)
    n_decisions: list[int] = field(default_factory=list)
    journals: list[dict[str, Any]] = field(default_factory=list)
    compiled_seconds: float = 0.0

    def add(self, run: Run, values: dict[str, float | str], counts: NDArray[np.int32]) -> None:
        """Keep one replication."""
        self.replications.append(run.replication)
        self.outcomes.append(values)
        self.parameters.append(run.parameters)
        self.counts.append(counts)
        self.decisions.extend(map(_decision_row, run.decisions))
        self.n_decisions.append(len(run.decisions))
        for name, record in run.milestones.items():
            when = (record.agreed, record.date, record.classification, record.completed_at)
            self.milestones.append((run.replication, name, *when))
        self.compiled_seconds += run.compiled_seconds

    def keep_journal(self, run: Run) -> None:
        """Keep every incident of one replication."""
        self.journals.append(incident_columns(run))

    def fail(self, replication: int, error: Exception) -> None:
        """Keep what is known of a replication that failed."""
        text = "".join(traceback.format_exception(error))
        agent = error.agent if isinstance(error, SimulationError) else ""
        date = error.date if isinstance(error, SimulationError) else ""
        self.failures.append((replication, agent, date, f"{type(error).__name__}: {error}", text))

    def tables(self, prepared: Prepared) -> dict[str, Any]:
        """Every table as Arrow."""
        replication = np.array(self.replications, dtype=np.int32)
        decisions = {"replication": np.repeat(replication, self.n_decisions)}
        decisions.update(_columns((*_DECISION, *_CAUSE), self.decisions))
        monthly = monthly_columns(
            self.replications, self.counts, prepared.months, prepared.plan.cells
        )
        milestone = ("replication", "milestone", "agreed", "date_moved", "classification")
        tables = {
            "outcomes": _named(replication, self.outcomes),
            "parameters": _named(replication, self.parameters),
            "monthly": monthly,
            "decisions": decisions,
            "milestones": _columns((*milestone, "completed_at"), self.milestones),
        }
        found = {name: arrow(name, columns) for name, columns in tables.items()}
        found["failures"] = arrow("failures", _columns(_FAILURE, self.failures))
        if self.journals:
            found["incidents"] = joined([arrow("incidents", each) for each in self.journals])
        return found


def _named(replication: NDArray[np.int32], rows: list[dict[str, Any]]) -> dict[str, Any]:
    columns: dict[str, Any] = {"replication": replication}
    for name in rows[0] if rows else ():
        columns[name] = [row[name] for row in rows]
    return columns


def _columns(names: Iterable[str], rows: list[tuple[Any, ...]]) -> dict[str, Any]:
    names = tuple(names)
    columns = zip(*rows, strict=True) if rows else ((),) * len(names)
    return dict(zip(names, columns, strict=True))
