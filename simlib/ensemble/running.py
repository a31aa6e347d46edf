"""From a scenario to an ensemble: what is missing is found, simulated, written and counted."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import shutil
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from simlib.agents.registry import agent_names
from simlib.chance import designs
from simlib.ensemble import executors, stopping, store
from simlib.ensemble.environment import changes, versions
from simlib.ensemble.execution import Progress, checked_jobs
from simlib.ensemble.executors import InProcess, StartMethod, Task, WorkerDied, n_cores
from simlib.ensemble.executors.crew import Part, carried_out
from simlib.ensemble.manifest import refuse_missing_agents
from simlib.ensemble.notebook_progress import usual_listener
from simlib.ensemble.opening import keeps_journals, opened
from simlib.ensemble.replications import Job, prepare, simulate_chunk, simulate_packed
from simlib.ensemble.results import Ensemble
from simlib.ensemble.stored_tables import Outcomes
from simlib.ensemble.surroundings import MOST_TRIES, once_more, shortage
from simlib.ensemble.verifying import probe
from simlib.errors import Problem, ScenarioError, SimlibError, SimulationError, StoreError, warn
from simlib.files import DiskFullError, size
from simlib.journal import SCENARIO
from simlib.scenario import as_scenario, load_text, with_root_seed
from simlib.scenario.requests import whole
from simlib.scenario.schema import MOST_REPLICATIONS
from simlib.scenario.wording import near_or_all
from simlib.simulation import needs_compiling, warm_up

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Sequence

    from simlib.agents.base import Agent
    from simlib.ensemble.execution import Listener
    from simlib.ensemble.executors import Crew
    from simlib.ensemble.replications import Prepared
    from simlib.ensemble.store import Chunk, Directory
    from simlib.scenario.schema import Scenario


def run(  # noqa: PLR0913  (one door for every ensemble; all but the scenario have defaults)
    scenario: Scenario | str | os.PathLike[str],
    *,
    option: str | None = None,
    options: Sequence[str] | Literal["all"] | None = None,
    replications: int | range | None = None,
    until: str | None = None,
    root_seed: int | None = None,
    jobs: int | None = None,
    scheduler: Any = None,
    agents: Sequence[type[Agent]] = (),
    without: Sequence[str] = (),
    directory: str | os.PathLike[str] | None = None,
    journals: bool = False,
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
    until
        Stop as soon as this holds, looking at sizes fixed in advance; `replications` is
        then the most (100,000 when not given). ``"OUTCOME[.CLASS] +- HALF_WIDTH"`` of the
        95 % interval, or ``"wrong ranking of OUTCOME[.CLASS] < PROBABILITY"`` of options.
    root_seed
        Replaces the scenario's.
    jobs
        Number of worker processes; by default one for each core, and none for an
        ensemble of a few seconds. It changes no number.
    scheduler
        Run on Dask workers instead: the address of a scheduler, a ``distributed.Client``,
        or ``"local"`` for `jobs` workers here. Needs the extra ``dask``.
    agents, without
        Agent classes added to the scenario's, and names of its agents left out.
    directory
        Where results are kept. Results of the same scenario that are there already are
        completed, not redone. Without it they live as long as the ensemble returned.
    journals
        Keep every incident of every replication too (much larger; `Ensemble.replay`
        makes any of them again without). Fixed when a directory is begun.
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
        The scenario is wrong or has no such option, or `until` is no rule.
    StoreError
        The directory is that of another scenario, is being written by another run, or
        cannot be written.
    SimulationError
        Two runs of one replication differ, or workers have other versions.
    """
    there = {*agent_names(), *(agent.name for agent in agents), *without}
    scenario = as_scenario(scenario, agents=there, is_closed=not agents)
    wanted = _replications(scenario, replications, until)
    if until is None:
        scenario = scenario.model_copy(update={"replications": wanted.stop})
    scenario = with_root_seed(scenario, root_seed)
    chosen = _options(scenario, option, options)
    path = None if directory is None else Path(directory)
    job = Job(scenario, tuple(agents), tuple(without), keeps_journals(path, asked=journals))
    workers = _workers(jobs, start_method, scheduler, chunk_size)
    return _simulated(job, chosen, wanted, path, until, workers, progress)


def extend(  # noqa: PLR0913  (what `run` takes, less what the directory knows)
    ensemble: Ensemble,
    replications: int | None = None,
    *,
    options: Sequence[str] = (),
    until: str | None = None,
    jobs: int | None = None,
    scheduler: Any = None,
    agents: Sequence[type[Agent]] = (),
    progress: Listener | None = None,
) -> Ensemble:
    """Simulate more replications, or options, of a kept ensemble; see `Ensemble.extend`."""
    manifest = ensemble.manifest
    refuse_missing_agents(manifest, agents)
    scenario = load_text(manifest["scenario"], file=str(ensemble.path / store.MANIFEST))
    if options and replications is None:
        replications = manifest["replications"]
    added = _options(scenario, None, options) if options else ()
    chosen = tuple(dict.fromkeys((*ensemble.options, *added)))
    wanted = _replications(scenario, replications, until)
    if until is None:
        scenario = scenario.model_copy(update={"replications": wanted.stop})
    job = Job(scenario, tuple(agents), tuple(manifest["without"]), manifest["journals"])
    workers = _workers(jobs, "loky", scheduler, None)
    return _simulated(job, chosen, wanted, ensemble.path, until, workers, progress)


def _simulated(  # noqa: PLR0913, PLR0917
    job: Job,
    options: tuple[str, ...],
    wanted: range,
    path: Path | None,
    until: str | None,
    workers: Workers,
    progress: Listener | None,
) -> Ensemble:
    """The ensemble of a directory in which nothing is missing any more."""
    rule = None if until is None else stopping.rule_of(until, job.scenario, options)
    prepared = {name: prepare(job, name) for name in options}
    tell = progress or usual_listener()
    with (
        opened(path, job, options, tell) as directory,
        Work(job, prepared, directory, tell, workers) as work,
    ):
        work.survey(wanted)
        if rule is None:
            work.do(wanted.stop)
        else:
            _until(rule, str(until), work, wanted.stop)
        work.finish()
    return Ensemble(directory)


def _until(rule: stopping.Rule, text: str, work: Work, most: int) -> None:
    """Simulate up to the first size at which a rule holds, and keep why it stopped."""
    for look, n in enumerate(stopping.looks(work.job.scenario.design, most), start=1):
        work.do(n)
        directory = work.directory
        first = {
            option: Outcomes(directory.entries(option), directory.manifest, before=n)
            for option in work.prepared
        }
        verdict = rule.judge(first, n, look)
        if verdict.is_met or n == most:
            break
        work.note(f"going on: {verdict.text}")
    why = verdict.text if verdict.is_met else f"the most asked for; {verdict.text}"
    work.note(f"stopped: {why}")
    stopped = {"until": text, "replications": n, "is_met": verdict.is_met, "why": why}
    work.directory.write_manifest({**work.directory.manifest, "stopped": stopped})


def _replications(scenario: Scenario, replications: int | range | None, until: str | None) -> range:
    """Which replications are wanted, at most."""
    usual = scenario.replications if until is None else stopping.MOST
    wanted = usual if replications is None else replications
    if not isinstance(wanted, range):
        wanted = range(whole("replications", wanted, 1, MOST_REPLICATIONS))
    chosen = wanted
    rule = ""
    if not chosen or chosen.step != 1 or chosen.start < 0:
        rule = f"must be at least one replication from 0 on (got {replications})"
    elif chosen.stop > MOST_REPLICATIONS:
        rule = f"must be replications below {MOST_REPLICATIONS} (got {replications})"
    elif until is not None and chosen.start:
        rule = f"must begin with 0 where a rule says when to stop (got {replications})"
    for edge in (chosen.start, chosen.stop):
        rule = rule or designs.broken_rule(scenario.design, edge)
    if rule:
        raise ScenarioError([Problem("replications", rule)])
    return chosen


def _options(
    scenario: Scenario, option: str | None, options: Sequence[str] | Literal["all"] | None
) -> tuple[str, ...]:
    if option is not None and options is not None:
        raise ScenarioError([Problem("options", "give option or options, not both")])
    if options == "all":
        return tuple(scenario.options) or ("",)
    chosen = tuple(dict.fromkeys(options or ([option] if option is not None else [""])))
    problems = [
        Problem(f"options.{name}", "no such option", near_or_all(name, scenario.options))
        for name in chosen
        if name and name not in scenario.options
    ]
    if problems:
        raise ScenarioError(problems)
    return chosen


def _workers(
    jobs: int | None, start_method: StartMethod, scheduler: Any, chunk_size: int | None
) -> Workers:
    if jobs is not None:
        jobs = checked_jobs(jobs)
    if chunk_size is not None:
        chunk_size = whole("chunk_size", chunk_size, 1, MOST_REPLICATIONS)
    return Workers(jobs, start_method, scheduler, chunk_size)


MAX_CHUNK = 1024
"""Replications in one chunk, at most."""
CHUNK_SECONDS = 2.0
"""About what a killed worker loses."""
_CHUNKS_A_WORKER = 4
_SHOWN = 5
"""Replications that are missing, named in a line."""
_START_SECONDS = 3.0
"""What it takes until workers have loaded what they need."""
_WORTH_A_POOL = 6.0
"""Seconds of work below which starting workers takes longer than it saves."""
_UNTRIED_SECONDS = 10.0
"""What a replication takes at most, as far as is known before one is tried."""
_SPACE_MARGIN = 1.1
_MANY_CHUNKS = 1000
"""Chunks whose checksums take more than a second or so."""


@dataclass(frozen=True, slots=True)
class Workers:
    """Where replications run; it changes no number."""

    jobs: int | None = None
    start_method: StartMethod = "loky"
    scheduler: Any = None
    """Of Dask: an address, a client, or ``local``."""
    chunk_size: int | None = None

    def __post_init__(self) -> None:
        executors.refuse_bootstrapping()


@dataclass(frozen=True, slots=True)
class _Trial:
    """What a first look says of a replication: seconds, bytes, and bytes of a chunk's files."""

    seconds: float
    overhead: int
    n_bytes: int

    def bytes_of(self, n: int, chunk_size: int) -> float:
        """About how many bytes so many replications take."""
        return (n * self.n_bytes + -(-n // chunk_size) * self.overhead) * _SPACE_MARGIN


@dataclass(slots=True)
class Work:
    """The replications of one call that are missing, and those who simulate them."""

    job: Job
    prepared: dict[str, Prepared]
    directory: Directory
    tell: Listener
    workers: Workers
    gaps: list[Part] = field(default_factory=list)
    so_far: Progress = field(default_factory=lambda: Progress("running", 0, 0))
    missing: list[Part] = field(default_factory=list)
    """What is left out, because workers died over it each time."""
    _died: WorkerDied | None = None
    _crew: Crew | None = None
    _trial: _Trial = field(default_factory=lambda: _Trial(_UNTRIED_SECONDS, 0, 0))
    _size: int = 1
    _began: float = 0.0
    _stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """End the workers; what the surroundings lacked in between is one `ShortageError`."""
        self._stack.__exit__(kind, error, trace)  # type: ignore[arg-type]
        if isinstance(error, Exception) and not isinstance(error, SimlibError):
            found = shortage(error)
            if found is not None:
                raise found from error

    def survey(self, wanted: range) -> None:
        """Find what is missing; what is damaged is set aside and missing too."""
        self.tell(Progress("checking", 0, 0))
        n_chunks = sum(map(self.directory.n_chunks, self.prepared))
        if n_chunks > _MANY_CHUNKS:
            self.note(f"checking {n_chunks:,} chunks that are there ...")
        for option in self.prepared:
            missing, notes = self.directory.missing(option, wanted)
            self.gaps.extend(Part(option, gap) for gap in missing)
            for note in notes:
                self.note(note)

    def do(self, stop: int) -> None:
        """Simulate and write what is missing of the replications before one."""
        now = [part for gap in self.gaps if (part := _before(gap, stop))]
        self.gaps = [part for gap in self.gaps if (part := _from(gap, stop))]
        n_now = sum(len(part.replications) for part in now)
        if not n_now:
            return
        self.so_far = replace(self.so_far, phase="running", n_total=self.so_far.n_total + n_now)
        crew = self._crew or self._prepare(now)
        tasks = [cut for part in now for cut in _cut(part, self._size)]
        for chunk in self._chunks(crew, tasks):
            if differing := changes(chunk.versions, versions()):
                raise SimulationError(f"a worker would mix versions in one ensemble: {differing}")
            if self._write(chunk):
                self._count(chunk)

    def _write(self, chunk: Chunk) -> bool:
        try:
            return self.directory.write(chunk)
        except DiskFullError as error:
            n_left = self.so_far.n_total - self.so_far.n_done
            needed = size(self._trial.bytes_of(n_left, self._size))
            raise StoreError(
                f"{error}; {self.so_far.n_done:,} of {self.so_far.n_total:,} replications are "
                f"kept; free about {needed} for the others, and run again to go on"
            ) from error

    def finish(self) -> None:
        """Tell that all is done, what is missing of it, and what failed.

        Raises
        ------
        SimulationError
            Nothing came of any replication.
        """
        missing = self._told_missing()
        unseen = tuple(self._unseen_events())
        for text in unseen:
            self.note(text)
        self.tell(replace(self.so_far, phase="done"))
        self._tell_failed()
        for text in (*unseen, missing):
            if text:
                warn(text)

    def _told_missing(self) -> str:
        """Tell what is missing, and return it; empty where all is there."""
        if not self.missing:
            return ""
        text = (
            f"{_listed(self.missing)}: missing, because {MOST_TRIES} workers died over each "
            f"({self._died}); run again to try once more"
        )
        self.so_far = replace(self.so_far, n_missing=len(self.missing))
        self.note(text)
        return text

    def _tell_failed(self) -> None:
        """Warn of failed replications of the directory, or raise where there is nothing else."""
        entries = [each for option in self.prepared for each in self.directory.entries(option)]
        n = sum(entry.stop - entry.first for entry in entries)
        n_failed = sum(entry.n_failed for entry in entries)
        if not n and not self.missing:
            raise StoreError(
                f"{self.directory.path}: its chunks are gone; was it moved or removed?"
            )
        if not n:
            raise SimulationError(
                f"nothing could be simulated: {MOST_TRIES} workers died over each of "
                f"{_listed(self.missing)} ({self._died})"
            )
        if not n_failed:
            return
        entry = next(entry for entry in entries if entry.n_failed)
        columns = ["replication", "agent", "date", "error"]
        first = entry.read("failures", columns).slice(0, 1).to_pylist()[0]
        number, error = first["replication"], first["error"].partition("\n")[0]
        who = f"agent {first['agent']} on {first['date']}: " if first["agent"] else ""
        who = "" if who in error else who
        part = Part(entry.option, range(number, number + 1))
        text = f"{n_failed:,} of {n:,} replications failed; the first is {part}: {who}{error}"
        if n_failed == n:
            raise SimulationError(text)
        warn(text)

    def _unseen_events(self) -> Iterator[str]:
        """Events whose condition came to hold in no replication of an option."""
        for option, prepared in self.prepared.items():
            events = prepared.blueprint.scenario.events
            unseen, n = {name for name, event in events.items() if event.when is not None}, 0
            for entry in self.directory.entries(option) if unseen else ():
                taken = entry.read("decisions", ["agent", "name"]).to_pydict()
                agents, names = (taken.get(column, ()) for column in ("agent", "name"))
                decided = zip(agents, names, strict=True)
                unseen -= {name for agent, name in decided if agent == SCENARIO}
                n += entry.stop - entry.first
            for name in sorted(unseen):
                under = f" under {option}" if option else ""
                yield f"event {name}{under}: {events[name].when}: in none of {n:,} replications"

    def note(self, text: str) -> None:
        """Tell something in words."""
        self.tell(replace(self.so_far, phase="note", note=text))

    def _probe(self, options: Iterable[str]) -> None:
        """See that what is stored comes out again, and keep who goes on with it."""
        for option in options:
            once_more(probe, self.directory, self.prepared[option], option)
        made_by = self.directory.manifest["made_by"]
        if changed := changes(made_by[-1], versions()):
            self.note(f"going on with other versions, with which stored ones agree: {changed}")
            manifest = {**self.directory.manifest, "made_by": [*made_by, versions()]}
            self.directory.write_manifest(manifest)

    def _prepare(self, parts: list[Part]) -> Crew:
        """Try one replication, and gather workers for the rest.

        Compiling once in the parent fills the cache that all workers read.
        """
        n_total = self.so_far.n_total
        if needs_compiling():
            self.tell(Progress("compiling", 0, n_total))
        self._probe(dict.fromkeys(part.option for part in parts))
        crew = self._asked_for()
        self._trial = tried = self._tried(crew, parts[0])
        few = n_total * tried.seconds <= _WORTH_A_POOL
        jobs = crew.capacity if crew else 1 if few else n_cores()
        self._size = self.workers.chunk_size or _chunk_size(n_total, jobs, tried.seconds)
        self._refuse_full_disk(tried.bytes_of(n_total, self._size))
        jobs = min(jobs, -(-n_total // self._size))
        if crew is None:
            crew = self._stack.enter_context(executors.pool(jobs, self.workers.start_method))
        starting = _START_SECONDS if jobs > 1 else 0
        self._crew, self._began = crew, time.perf_counter()
        self.so_far = replace(
            self.so_far,
            seconds_expected=n_total * tried.seconds / jobs + starting if tried.n_bytes else 0.0,
            jobs=jobs,
            n_options=len(self.prepared),
        )
        self.tell(self.so_far)
        return crew

    def _asked_for(self) -> Crew | None:
        """The crew that was asked for; none where the trial is to say how large it is."""
        if self.workers.scheduler is not None:
            jobs = self.workers.jobs or n_cores()
            opened = executors.cluster(self.workers.scheduler, jobs=jobs)
        elif self.workers.jobs is not None:
            opened = executors.pool(self.workers.jobs, self.workers.start_method)
        else:
            return None
        crew = self._stack.enter_context(opened)
        if needs_compiling() and not isinstance(crew, InProcess):  # not in every worker
            once_more(warm_up)
        return crew

    def _tried(self, crew: Crew | None, part: Part) -> _Trial:
        """Simulate one replication, which compiles, and then two, which are timed.

        In a worker, where there are any: what it dies over does not end this process.
        """
        two = part.replications[:2]
        parts = [replace(part, replications=wanted) for wanted in dict.fromkeys((two[:1], two))]
        crew = InProcess() if crew is None else crew
        results = carried_out(crew, parts, self._tasks(crew), self.note)
        chunks = [each for _, each in results if not isinstance(each, WorkerDied)]
        if not chunks:
            return self._trial
        chunks.sort(key=lambda chunk: chunk.stop - chunk.first)
        one, last = chunks[0], chunks[-1]
        n = last.stop - last.first
        a_row = last.n_bytes - one.n_bytes if n > 1 else one.n_bytes
        return _Trial(last.seconds / n, one.n_bytes - a_row, a_row)

    def _refuse_full_disk(self, n_bytes: float) -> None:
        try:
            free = shutil.disk_usage(self.directory.path).free
        except OSError as error:
            raise StoreError(
                f"{self.directory.path}: cannot be written ({error.strerror})"
            ) from error
        if n_bytes > free:
            raise StoreError(
                f"{self.directory.path}: the results need about {size(n_bytes)} and "
                f"{size(free)} is free; free {size(n_bytes - free)} or give "
                "another directory"
            )

    def _chunks(self, crew: Crew, parts: list[Part]) -> Iterator[Chunk]:
        """Iterate over chunks as they come; what workers die over each time is left out."""
        for part, result in carried_out(crew, parts, self._tasks(crew), self.note):
            if isinstance(result, WorkerDied):
                self.missing.append(part)
                self._died = result
            else:
                yield result

    def _tasks(self, crew: Crew) -> Any:
        """The function that makes a task of a part."""
        # Workers that share a core take longer than the one that was tried.
        seconds = self._trial.seconds * max(1.0, self.so_far.jobs / n_cores())
        is_here = isinstance(crew, InProcess)
        packed = b"" if is_here else once_more(executors.pack, self.job)
        job = crew.share(packed)
        name = hashlib.sha256(packed).hexdigest()[:16]

        def task_of(part: Part) -> Task:
            option, wanted = part.option, part.replications
            first, stop = wanted.start, wanted.stop
            return Task(
                f"simlib-{name}-{option}-{first}-{stop}-{part.n_tries}",
                simulate_chunk if is_here else simulate_packed,
                (self.prepared[option], option, wanted) if is_here else (job, option, first, stop),
                what=str(part),
                seconds=seconds * len(wanted),
                n_tries=part.n_tries,
                is_alone=part.is_alone,
            )

        return task_of

    def _count(self, chunk: Chunk) -> None:
        self.so_far = replace(
            self.so_far,
            n_done=self.so_far.n_done + chunk.stop - chunk.first,
            n_failed=self.so_far.n_failed + chunk.n_failed,
            seconds=time.perf_counter() - self._began,
        )
        self.tell(self.so_far)


def _before(part: Part, stop: int) -> Part | None:
    inside = range(part.replications.start, min(part.replications.stop, stop))
    return replace(part, replications=inside) if inside else None


def _from(part: Part, stop: int) -> Part | None:
    outside = range(max(part.replications.start, stop), part.replications.stop)
    return replace(part, replications=outside) if outside else None


def _cut(part: Part, size: int) -> list[Part]:
    """A part in pieces that end at multiples of a size, so that names recur."""
    first, stop = part.replications.start, part.replications.stop
    edges = [first, *range((first // size + 1) * size, stop, size), stop]
    ranges = [range(a, b) for a, b in itertools.pairwise(edges)]
    return [replace(part, replications=each) for each in ranges]


def _chunk_size(n_total: int, jobs: int, seconds_each: float) -> int:
    """A power of two: some chunks for each worker, each of some seconds at most."""
    most = min(MAX_CHUNK, n_total / (_CHUNKS_A_WORKER * jobs), CHUNK_SECONDS / seconds_each)
    return 1 << max(0, int(most).bit_length() - 1)


def _listed(parts: list[Part]) -> str:
    shown = ", ".join(map(str, parts[:_SHOWN]))
    return f"{shown} and {len(parts) - _SHOWN} more" if len(parts) > _SHOWN else shown
