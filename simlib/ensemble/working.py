"""One call's work: what is missing is found, simulated by a crew, written and counted."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import shutil
import time
from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

from simlib.ensemble import executors
from simlib.ensemble.environment import changes, versions
from simlib.ensemble.executors import InProcess, StartMethod, Task, WorkerDied, completed, n_cores
from simlib.ensemble.probing import probe
from simlib.ensemble.progress import Progress
from simlib.ensemble.replications import Job, lost, simulate_chunk, simulate_packed
from simlib.errors import SimulationError, StoreError
from simlib.files import DiskFullError, size
from simlib.simulation import needs_compiling

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from simlib.ensemble.executors import Crew
    from simlib.ensemble.progress import Listener
    from simlib.ensemble.replications import Prepared
    from simlib.ensemble.store import Chunk, Directory

MAX_CHUNK = 1024
"""Replications in one chunk, at most."""
CHUNK_SECONDS = 2.0
"""About what a killed worker loses."""
MOST_DEATHS = 3
"""Deaths of workers over one replication after which it is given up."""
_CHUNKS_A_WORKER = 4
_START_SECONDS = 3.0
"""What it takes until workers have loaded what they need."""
_WORTH_A_POOL = 6.0
"""Seconds of work below which starting workers takes longer than it saves."""
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


@dataclass(frozen=True, slots=True)
class Part:
    """Replications of one option that are one task."""

    option: str
    replications: range
    n_deaths: int = 0

    def divided(self) -> list[Part]:
        """Return its replications one by one."""
        return [replace(self, replications=range(r, r + 1)) for r in self.replications]


@dataclass(frozen=True, slots=True)
class _Trial:
    """What a first look says of a replication: seconds, bytes, and bytes of a chunk's files."""

    seconds: float
    overhead: int
    n_bytes: int

    def bytes_of(self, n: int, chunk_size: int) -> float:
        """Return about how many bytes so many replications take."""
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
    _crew: Crew | None = None
    _trial: _Trial = field(default_factory=lambda: _Trial(0.0, 0, 0))
    _size: int = 1
    _began: float = 0.0
    _stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.__exit__(*error)  # type: ignore[arg-type]

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
            self._refuse_other_versions(chunk)
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
        """Tell that all is done."""
        self.tell(replace(self.so_far, phase="done"))

    def note(self, text: str) -> None:
        """Tell something in words."""
        self.tell(replace(self.so_far, phase="note", note=text))

    def _probe(self, options: Iterable[str]) -> None:
        """See that what is stored comes out again, and keep who goes on with it."""
        for option in options:
            probe(self.directory, self.prepared[option], option)
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
        self._trial = tried = self._try(parts[0])
        jobs = self.workers.jobs or _n_workers(n_total, tried.seconds)
        if self.workers.scheduler is not None:
            crew = self._stack.enter_context(
                executors.cluster(self.workers.scheduler, jobs=self.workers.jobs or n_cores())
            )
            jobs = crew.capacity
        self._size = self.workers.chunk_size or _chunk_size(n_total, jobs, tried.seconds)
        self._refuse_full_disk(tried.bytes_of(n_total, self._size))
        if self.workers.scheduler is None:
            jobs = min(jobs, -(-n_total // self._size))
            crew = self._stack.enter_context(executors.pool(jobs, self.workers.start_method))
        starting = _START_SECONDS if jobs > 1 else 0
        self._crew, self._began = crew, time.perf_counter()
        self.so_far = replace(
            self.so_far,
            seconds_expected=n_total * tried.seconds / jobs + starting,
            jobs=jobs,
            n_options=len(self.prepared),
        )
        self.tell(self.so_far)
        return crew

    def _try(self, part: Part) -> _Trial:
        """Simulate one replication, which compiles, and then two, which are timed."""
        prepared, two = self.prepared[part.option], part.replications[:2]
        one = simulate_chunk(prepared, part.option, two[:1])
        both = simulate_chunk(prepared, part.option, two)
        a_row = both.n_bytes - one.n_bytes if len(two) > 1 else one.n_bytes
        return _Trial(both.seconds / len(two), one.n_bytes - a_row, a_row)

    def _refuse_full_disk(self, n_bytes: float) -> None:
        free = shutil.disk_usage(self.directory.path).free
        if n_bytes > free:
            raise StoreError(
                f"{self.directory.path}: the results need about {size(n_bytes)} and "
                f"{size(free)} is free; free {size(n_bytes - free)} or give "
                "another directory"
            )

    def _chunks(self, crew: Crew, parts: list[Part]) -> Iterator[Chunk]:
        """Iterate over chunks as they come; a part whose worker dies is tried again.

        After two deaths its replications are tried one by one, and one over which a
        worker dies alone, the third time at least, is given up.
        """
        task_of = self._tasks(crew)
        waiting = deque(task_of(part) for part in parts)
        part_of = {task.key: part for task, part in zip(waiting, parts, strict=True)}
        for task, result in completed(crew, waiting):
            part = part_of[task.key]
            if not isinstance(result, WorkerDied):
                yield result
                continue
            part = replace(part, n_deaths=part.n_deaths + result.n_deaths)
            is_one = len(part.replications) == 1
            if is_one and part.n_deaths >= MOST_DEATHS:
                yield _given_up(part, result)
                continue
            is_suspect = part.n_deaths >= MOST_DEATHS - 1 and not is_one
            for again in part.divided() if is_suspect else [part]:
                retry = task_of(again)
                part_of[retry.key] = again
                waiting.append(retry)

    def _tasks(self, crew: Crew) -> Any:
        """Return the function that makes a task of a part."""
        if isinstance(crew, InProcess):
            return lambda part: Task(
                f"{part.option}-{part.replications.start}",
                simulate_chunk,
                (self.prepared[part.option], part.option, part.replications),
            )
        packed = executors.pack(self.job)
        job = crew.share(packed)
        name = hashlib.sha256(packed).hexdigest()[:16]

        def task_of(part: Part) -> Task:
            first, stop = part.replications.start, part.replications.stop
            key = f"simlib-{name}-{part.option}-{first}-{stop}-{part.n_deaths}"
            return Task(key, simulate_packed, (job, part.option, first, stop))

        return task_of

    def _refuse_other_versions(self, chunk: Chunk) -> None:
        if differing := changes(chunk.versions, versions()):
            raise SimulationError(f"a worker would mix versions in one ensemble: {differing}")

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
    """Return a part in pieces that end at multiples of a size, so that names recur."""
    first, stop = part.replications.start, part.replications.stop
    edges = [first, *range((first // size + 1) * size, stop, size), stop]
    ranges = [range(a, b) for a, b in itertools.pairwise(edges)]
    return [replace(part, replications=each) for each in ranges]


def _n_workers(n_total: int, seconds_each: float) -> int:
    return n_cores() if n_total * seconds_each > _WORTH_A_POOL else 1


def _chunk_size(n_total: int, jobs: int, seconds_each: float) -> int:
    """Return a power of two: some chunks for each worker, each of some seconds at most."""
    most = min(MAX_CHUNK, n_total / (_CHUNKS_A_WORKER * jobs), CHUNK_SECONDS / seconds_each)
    return 1 << max(0, int(most).bit_length() - 1)


def _given_up(part: Part, died: WorkerDied) -> Chunk:
    error = f"WorkerDied: {part.n_deaths} worker processes died over it ({died})"
    return lost(part.option, part.replications.start, error)
