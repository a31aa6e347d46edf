"""Parallel map over rows, in pieces; finished pieces can be kept, and are not redone.

An ensemble of a scenario's options is `running`'s. This is for what analyses simulate
besides: runs with parameters of a design, with clamped paths, with redrawn groups.
"""

from __future__ import annotations

import functools
import hashlib
import io
import json
import time
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, Unpack

import numpy as np
from numpy.typing import NDArray

from simlib.ensemble.environment import versions
from simlib.ensemble.execution import Execution, Progress, checked_jobs, execution_of
from simlib.ensemble.executors import (
    InProcess,
    Task,
    WorkerDied,
    cluster,
    n_cores,
    pack,
    pool,
    unpack,
)
from simlib.ensemble.executors.crew import Part, carried_out
from simlib.ensemble.notebook_progress import usual_listener
from simlib.ensemble.surroundings import once_more
from simlib.errors import StoreError
from simlib.files import read_regular, refuse_links, write_whole
from simlib.scenario.requests import whole
from simlib.simulation import needs_compiling, warm_up

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from simlib.ensemble.execution import Listener
    from simlib.ensemble.executors import Crew

MOST_ROWS = 100_000_000
"""Most rows of one piece of work: replications of all that an analysis simulates."""

Arrays: TypeAlias = dict[str, NDArray[Any]]
"""What a piece of work returns: named arrays of plain numbers, a row for each of its rows."""


_LABEL = "simlib_piece"
_MAX_PIECE = 2**31
"""Size cap in bytes of a piece that is read back, packed and unpacked."""


def map_runs(
    call: Callable[[Any, range], Arrays],
    job: Any,
    n_rows: int,
    *,
    identity: Mapping[str, Any],
    each: int = 20,
    **execution: Unpack[Execution],
) -> Arrays:
    """Call a function on every piece of ``range(n_rows)`` and join what it returns.

    Parameters
    ----------
    call
        A module's function of the job and a range of rows: pure, and the same for a row
        whichever piece it is in. It returns arrays with one row for each of its rows.
    job
        What all pieces share; sent to each worker once.
    n_rows
        Number of rows.
    identity
        What the numbers depend on, as JSON can say it: pieces that are kept are taken
        for this work only where it is the same.
    each
        Rows in a piece.
    execution
        Where it runs; it changes no number.

    Raises
    ------
    ScenarioError
        There is no row or there are too many, or the number of workers is out of bounds.
    StoreError
        A piece cannot be written, or workers died over one.
    SimulationError
        No worker could be started, or the surroundings lacked something each time.
    """
    where = execution_of(execution)
    given = where.get("jobs")
    jobs = n_cores() if given is None else checked_jobs(given)
    n_rows = whole("replications", n_rows, 1, MOST_ROWS)
    directory = where.get("directory")
    kept = _Pieces(None if directory is None else Path(directory), call, identity)
    pieces = [range(first, min(first + each, n_rows)) for first in range(0, n_rows, each)]
    done = {piece.start: found for piece in pieces if (found := kept.read(piece)) is not None}
    missing = [piece for piece in pieces if piece.start not in done]
    report = _Report(where.get("progress") or usual_listener(), sum(map(len, missing)), jobs)
    scheduler, n_workers = where.get("scheduler"), min(jobs, max(1, len(missing)))
    crew = pool(n_workers) if scheduler is None else cluster(scheduler, jobs=n_workers)
    for piece, found in _computed(call, job, missing, crew, report.tell):
        kept.write(piece, found)
        done[piece.start] = found
        report.add(len(piece))
    first = done[0]
    return {name: np.concatenate([done[p.start][name] for p in pieces]) for name in first}


def _computed(
    call: Callable[[Any, range], Arrays],
    job: Any,
    pieces: list[range],
    opened: AbstractContextManager[Crew],
    tell: Callable[[str], None],
) -> Any:
    if not pieces:
        return
    if needs_compiling():  # once here, not in every worker
        warm_up()
    with opened as crew:
        is_here = isinstance(crew, InProcess)
        shared = job if is_here else crew.share(once_more(pack, (call, job)))
        parts = [Part("", piece, rows="row") for piece in pieces]

        def task_of(part: Part) -> Task:
            key = f"{part.replications.start}-{part.n_tries}"
            return Task(
                key,
                call if is_here else _call,
                (shared, part.replications),
                what=str(part),
                n_tries=part.n_tries,
                is_alone=part.is_alone,
            )

        for part, found in carried_out(crew, parts, task_of, tell, divides=False):
            if isinstance(found, WorkerDied):
                raise StoreError(f"{part}: workers died over it ({found}); run again to go on")
            yield part.replications, found


def _call(packed: bytes, piece: range) -> Arrays:
    call, job = _unpacked(packed)
    found: Arrays = call(job, piece)
    return found


@functools.lru_cache(maxsize=2)
def _unpacked(packed: bytes) -> Any:
    return unpack(packed)


class _Pieces:
    """Pieces in a folder named by what their numbers depend on.

    Each says what it is: one that was put under the name of another, or changed, is none.
    """

    def __init__(
        self, directory: Path | None, call: Callable[..., Any], identity: Mapping[str, Any]
    ) -> None:
        whole = {"call": f"{call.__module__}.{call.__qualname__}", **identity}
        whole["versions"] = versions()
        text = json.dumps(whole, sort_keys=True, default=str)
        self._of = hashlib.sha256(text.encode()).hexdigest()
        name = f"{call.__name__.strip('_')}-{self._of[:16]}"
        self._folder = None if directory is None else directory / "pieces" / name
        if directory is not None and directory.exists():
            refuse_links(directory)

    def read(self, piece: range) -> Arrays | None:
        """A piece that is kept; one that is damaged or another's is made again."""
        path = self._path(piece)
        if path is None or not path.exists():
            return None
        data = read_regular(path, _MAX_PIECE, is_input=False)
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as held:
                if sum(part.file_size for part in held.zip.infolist()) > _MAX_PIECE:
                    return None
                found = {name: held[name] for name in held.files}
        except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error):
            return None
        label = found.pop(_LABEL, None)
        is_whole = label is not None and label.tolist() == self._label(piece, found)
        return found if is_whole else None

    def write(self, piece: range, found: Arrays) -> None:
        """Keep a piece: whole or not at all."""
        path = self._path(piece)
        if path is None:
            return
        sink = io.BytesIO()
        arrays: dict[str, Any] = {**found, _LABEL: np.array(self._label(piece, found))}
        np.savez_compressed(sink, **arrays)
        write_whole(path, sink.getvalue())

    def _label(self, piece: range, found: Arrays) -> list[str]:
        """What a piece says of itself: of which work, which rows, and their hash."""
        total = hashlib.sha256()
        for name, array in sorted(found.items()):
            total.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
            total.update(np.ascontiguousarray(array).tobytes())
        return [self._of, f"{piece.start} to {piece.stop - 1}", total.hexdigest()]

    def _path(self, piece: range) -> Path | None:
        return self._folder and self._folder / f"{piece.start:08}-{piece.stop:08}.npz"


class _Report:
    """Tells how far the work is."""

    def __init__(self, listener: Listener, n_total: int, jobs: int) -> None:
        self._listener, self._n_total, self._jobs = listener, n_total, jobs
        self._n_done, self._began = 0, time.monotonic()

    def add(self, n: int) -> None:
        """Note rows that are done."""
        self._n_done += n
        seconds = time.monotonic() - self._began
        self._listener(
            Progress("running", self._n_done, self._n_total, seconds=seconds, jobs=self._jobs)
        )

    def tell(self, text: str) -> None:
        """Tell something in words."""
        self._listener(Progress("note", self._n_done, self._n_total, note=text))
