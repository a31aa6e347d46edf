"""From a scenario to an ensemble: what is missing is simulated, written, and counted."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from simlib.ensemble import store
from simlib.ensemble.executors import InProcess, StartMethod, completed, n_cores, pack, pool
from simlib.ensemble.manifest import manifest_of, refuse_other
from simlib.ensemble.replications import Job, prepare, simulate_chunk, simulate_packed
from simlib.ensemble.results import Ensemble
from simlib.errors import Problem, ScenarioError
from simlib.scenario import load
from simlib.simulation import needs_compiling

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Executor

    from simlib.agents.base import Agent
    from simlib.ensemble.replications import Prepared
    from simlib.ensemble.store import Chunk, Directory
    from simlib.scenario.schema import Scenario

MAX_CHUNK = 64
_CHUNKS_A_WORKER = 4
_START_SECONDS = 3.0
"""What it takes until workers have loaded what they need."""
_WORTH_A_POOL = 6.0
"""Seconds of work below which starting workers takes longer than it saves."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is.

    Attributes
    ----------
    phase
        ``compiling`` (only where nothing is cached), ``running``, ``done``.
    n_done, n_total
        Replications simulated in this call, and to be simulated, over all options.
    n_failed
        How many of those done have failed.
    seconds
        Since the replications began.
    seconds_expected
        Expected time of all, from the first replication tried.
    jobs
        Number of workers.
    """

    phase: Literal["compiling", "running", "done"]
    n_done: int
    n_total: int
    n_failed: int = 0
    seconds: float = 0.0
    seconds_expected: float = 0.0
    jobs: int = 1


Listener: TypeAlias = "Callable[[Progress], None]"


@dataclass(frozen=True, slots=True)
class _Task:
    option: str
    replications: range


def run(  # noqa: PLR0913  (one door for every ensemble; all but the scenario have defaults)
    scenario: Scenario | str | os.PathLike[str],
    *,
    option: str | None = None,
    options: Sequence[str] | Literal["all"] | None = None,
    replications: int | range | None = None,
    root_seed: int | None = None,
    jobs: int | None = None,
    agents: Sequence[type[Agent]] = (),
    without: Sequence[str] = (),
    directory: str | os.PathLike[str] | None = None,
    progress: Listener | None = None,
    chunk_size: int | None = None,
    start_method: StartMethod = "loky",
) -> Ensemble:
    """Simulate an ensemble.

    Parameters
    ----------
    scenario
        A scenario, or the path or bundled name of one.
    option, options
        One option, or several (``"all"``: every one); the scenario as it is written
        when neither is given. Options share their luck replication by replication.
    replications
        How many (the scenario's number when not given), or which: ``range(100, 200)``.
    root_seed
        Replaces the scenario's.
    jobs
        Number of worker processes; by default one for each core, and none for an
        ensemble of a few seconds. It changes no number.
    agents, without
        Agent classes added to the scenario's, and names of its agents left out.
    directory
        Where results are kept. Results of the same scenario that are there already are
        completed, not redone. Without it they live as long as the ensemble returned.
    progress
        Called with a `Progress` when something is done.
    chunk_size
        Replications in one file; it changes no number.
    start_method
        ``loky``, ``spawn`` or ``fork``.

    Returns
    -------
    Ensemble
        All the results the directory holds.

    Raises
    ------
    ScenarioError
        The scenario is wrong or has no such option.
    StoreError
        The directory is that of another scenario or cannot be written.
    """
    wanted = _replications(scenario := _loaded(scenario), replications)
    scenario = _with(scenario, wanted.stop, root_seed)
    chosen = _options(scenario, option, options)
    job = Job(scenario, tuple(agents), tuple(without))
    prepared = {name: prepare(job, name) for name in chosen}
    jobs = _at_least_one("jobs", jobs)
    chunk_size = _at_least_one("chunk_size", chunk_size)
    target = _directory(directory, manifest_of(job, chosen))
    work = _Work(job, prepared, target, progress or (lambda _progress: None))
    work.do(wanted, jobs=jobs, chunk_size=chunk_size, start_method=start_method)
    return Ensemble(target)


@dataclass(frozen=True, slots=True)
class _Work:
    """One call of `run`: what is missing is simulated and written."""

    job: Job
    prepared: dict[str, Prepared]
    directory: Directory
    tell: Listener

    def do(
        self,
        wanted: range,
        *,
        jobs: int | None,
        chunk_size: int | None,
        start_method: StartMethod,
    ) -> None:
        gaps = [
            _Task(name, gap)
            for name in self.prepared
            for gap in self.directory.missing(name, wanted)
        ]
        n_total = sum(len(gap.replications) for gap in gaps)
        if not n_total:
            self.tell(Progress("done", 0, 0))
            return
        if needs_compiling():
            self.tell(Progress("compiling", 0, n_total))
        seconds_each = self._try(gaps[0])
        n_workers = _n_workers(jobs, n_total, seconds_each)
        size = chunk_size or _chunk_size(n_total, n_workers)
        tasks = [_Task(gap.option, part) for gap in gaps for part in _cut(gap.replications, size)]
        n_workers = min(n_workers, len(tasks))
        expected = n_total * seconds_each / n_workers + (_START_SECONDS if n_workers > 1 else 0)
        start = Progress("running", 0, n_total, seconds_expected=expected, jobs=n_workers)
        self.tell(start)
        with pool(n_workers, start_method) as executor:
            self._write(self._chunks(executor, tasks, n_workers), start)

    def _try(self, gap: _Task) -> float:
        """Simulate one replication to compile everything, and time one more.

        Compiling once in the parent fills the cache that all workers read.
        """
        first = gap.replications[:1]
        simulate_chunk(self.prepared[gap.option], gap.option, first)
        return simulate_chunk(self.prepared[gap.option], gap.option, first).seconds

    def _chunks(self, executor: Executor, tasks: list[_Task], jobs: int) -> Iterator[Chunk]:
        if isinstance(executor, InProcess):
            here = ((self.prepared[t.option], t.option, t.replications) for t in tasks)
            yield from completed(executor, simulate_chunk, here, jobs=1)
            return
        job = pack(self.job)
        there = ((job, t.option, t.replications.start, t.replications.stop) for t in tasks)
        yield from completed(executor, simulate_packed, there, jobs=jobs)

    def _write(self, chunks: Iterator[Chunk], start: Progress) -> None:
        began, n_done, n_failed = time.perf_counter(), 0, 0
        for chunk in chunks:
            self.directory.write(chunk)
            n_done += chunk.stop - chunk.first
            n_failed += chunk.n_failed
            seconds = time.perf_counter() - began
            phase: Literal["running", "done"] = "done" if n_done == start.n_total else "running"
            self.tell(
                Progress(
                    phase,
                    n_done,
                    start.n_total,
                    n_failed,
                    seconds,
                    start.seconds_expected,
                    start.jobs,
                )
            )


def _loaded(scenario: Scenario | str | os.PathLike[str]) -> Scenario:
    from simlib.scenario.schema import Scenario as Model

    return scenario if isinstance(scenario, Model) else load(scenario)


def _replications(scenario: Scenario, replications: int | range | None) -> range:
    wanted = scenario.replications if replications is None else replications
    chosen = wanted if isinstance(wanted, range) else range(wanted)
    if not len(chosen) or chosen.step != 1 or chosen.start < 0:
        rule = f"must be at least one replication from 0 on (got {replications})"
        raise ScenarioError([Problem("replications", rule)])
    return chosen


def _with(scenario: Scenario, replications: int, root_seed: int | None) -> Scenario:
    seed = scenario.root_seed if root_seed is None else root_seed
    if not 0 <= seed < 2**63:
        raise ScenarioError([Problem("root_seed", f"must be from 0 to 2**63 - 1 (got {seed})")])
    return scenario.model_copy(update={"replications": replications, "root_seed": seed})


def _options(
    scenario: Scenario, option: str | None, options: Sequence[str] | Literal["all"] | None
) -> tuple[str, ...]:
    if option is not None and options is not None:
        raise ScenarioError([Problem("options", "give option or options, not both")])
    if options == "all":
        return tuple(scenario.options) or ("",)
    chosen = tuple(dict.fromkeys(options or ([option] if option is not None else [""])))
    problems = [
        Problem(f"options.{name}", "no such option", f"one of {', '.join(scenario.options)}")
        for name in chosen
        if name and name not in scenario.options
    ]
    if problems:
        raise ScenarioError(problems)
    return chosen


def _at_least_one(name: str, value: int | None) -> int | None:
    if value is not None and value < 1:
        raise ScenarioError([Problem(name, f"must be 1 or more (got {value})")])
    return value


def _n_workers(jobs: int | None, n_total: int, seconds_each: float) -> int:
    if jobs is not None:
        return jobs
    return n_cores() if n_total * seconds_each > _WORTH_A_POOL else 1


def _chunk_size(n_total: int, jobs: int) -> int:
    return max(1, min(MAX_CHUNK, -(-n_total // (_CHUNKS_A_WORKER * jobs))))


def _cut(gap: range, size: int) -> list[range]:
    return [gap[i : i + size] for i in range(0, len(gap), size)]


def _directory(path: str | os.PathLike[str] | None, manifest: dict[str, Any]) -> Directory:
    if path is None:
        return store.create(None, manifest)
    where = Path(path)
    if store.is_free(where):
        return store.create(where, manifest)
    found = store.reopen(where)
    refuse_other(found, manifest)
    options = dict.fromkeys([*found.manifest["options"], *manifest["options"]])
    most = max(found.manifest["replications"], manifest["replications"])
    merged = {**found.manifest, "options": list(options), "replications": most}
    if merged != found.manifest:
        found.write_manifest(merged)
    return found
