"""Figures as files: drawn by workers side by side, and never twice.

Beside the figures lies a record of what each was drawn from (``.simlib-drawn``): the digest of
the results and the version that drew. A figure that is there as it was written, from the same, is
not drawn again.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import matplotlib as mpl

from simlib.ensemble.environment import versions
from simlib.ensemble.executors import NotStarted, Task, completed, pack, pool, unpack
from simlib.errors import StoreError
from simlib.files import Output, read_regular, write_file
from simlib.plot.outcome_panels import gather
from simlib.plot.pages import chosen, pages_of
from simlib.plot.style import image

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from simlib.ensemble import Ensemble

RECORD = ".simlib-drawn"
_MOST_BYTES = 2**28
_MOST_TRIES = 3
_FORMATS = ("png", "svg", "pdf")


class DrawnFigures(NamedTuple):
    """What came of figures that were asked for."""

    files: list[Path]
    """All of them, in the order in which they were asked for."""
    n_new: int
    """How many were drawn now; the others were there."""


def figures(
    ensemble: Ensemble, directory: str | os.PathLike[str], *, overwrite: bool = False
) -> list[Path]:
    """Write the figures of an ensemble: topics, months, exit curves, maps.

    What is there already, drawn from the same results, is left as it is.

    Parameters
    ----------
    ensemble
        The results; options stand together in each figure, but each has maps of its own.
    directory
        Where the PNG files go; it is made if needed.
    overwrite
        Replace files of these names that this did not write, or that were changed since.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    StoreError
        Another file is there, or one cannot be written.
    """
    return draw(ensemble, Output(Path(directory), "figures", overwrite)).files


def draw(
    ensemble: Ensemble,
    output: Output,
    names: Iterable[str] = (),
    *,
    kind: str = "png",
    jobs: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> DrawnFigures:
    """Write figures by name, or the usual ones, as PNG, SVG or PDF, by so many workers.

    Parameters
    ----------
    ensemble
        The results.
    output
        Where they go, and what may be replaced there.
    names
        Which of `pages_of` and `one_by_one`; those of `pages_of` when none is given.
    kind
        ``png``, ``svg`` or ``pdf``.
    jobs
        How many workers draw.
    progress
        Called with how many are drawn, and how many are to be.

    Raises
    ------
    ScenarioError
        There is no figure of a name.
    StoreError
        Another file is there, one cannot be written, or workers died over one.
    """
    if kind not in _FORMATS:
        raise StoreError(f"figures are {', '.join(_FORMATS)} (got {kind})")
    wanted = list(chosen(ensemble, names) if names else pages_of(ensemble))
    record = _Record(output, ensemble)
    missing = [name for name in wanted if not record.is_current(name, kind)]
    for n_done, (name, data) in enumerate(_drawn(ensemble, missing, kind, jobs), start=1):
        output.write(f"{name}.{kind}", data)
        record.add(name, kind, data)
        if progress is not None:
            progress(n_done, len(missing))
    return DrawnFigures([output.folder / f"{name}.{kind}" for name in wanted], len(missing))


def _drawn(
    ensemble: Ensemble, names: Sequence[str], kind: str, jobs: int
) -> Iterator[tuple[str, bytes]]:
    """Iterate over figures as they are drawn."""
    if jobs == 1 or len(names) < 2:
        for name in names:
            yield name, _image_of(ensemble, name, kind)
        return
    _read_once(ensemble)
    with pool(min(jobs, len(names))) as crew:
        shared = crew.share(pack(ensemble))

        def task_of(name: str, n_tries: int) -> Task:
            key = f"{name}-{n_tries}"
            return Task(key, _at_worker, (shared, name, kind), what=name, n_tries=n_tries)

        waiting = deque(task_of(name, 0) for name in names)
        for task, found in completed(crew, waiting):
            if isinstance(found, bytes):
                yield task.what, found
            elif isinstance(found, NotStarted) or task.n_tries + 1 < _MOST_TRIES:
                waiting.append(task_of(task.what, task.n_tries + 1))
            else:
                raise StoreError(f"figure {task.what}: workers died over it ({found})")


def _read_once(ensemble: Ensemble) -> None:
    """Read here what figures show, so that not every worker has to."""
    gather(ensemble)
    for part in map(ensemble.of, ensemble.options):
        part.monthly_totals()
        part.place_counts()


def _at_worker(packed: bytes, name: str, kind: str) -> bytes:
    return _image_of(_unpacked(packed), name, kind)


@functools.lru_cache(maxsize=1)
def _unpacked(packed: bytes) -> Ensemble:
    """Results with what was read of them, held by a worker for all figures that it draws."""
    found: Ensemble = unpack(packed)
    return found


def _image_of(ensemble: Ensemble, name: str, kind: str) -> bytes:
    return image(chosen(ensemble, [name])[name](), kind)


class _Record:
    """What each figure of a folder was drawn from."""

    def __init__(self, output: Output, ensemble: Ensemble) -> None:
        self._folder = output.folder
        self._file = output.folder / RECORD
        drawn_by = versions()["source"], mpl.__version__, ensemble.digest, *ensemble.options
        self._from = hashlib.sha256("\n".join(drawn_by).encode()).hexdigest()
        self._known: dict[str, list[str]] = self._read()

    def _read(self) -> dict[str, list[str]]:
        if not self._file.is_file():
            return {}
        try:
            found = json.loads(read_regular(self._file, _MOST_BYTES, is_input=False))
        except (ValueError, RecursionError):  # it was cut off or changed: all is drawn again
            return {}
        return found if isinstance(found, dict) else {}

    def is_current(self, name: str, kind: str) -> bool:
        """Whether a figure is there as it would be drawn now."""
        file = self._folder / f"{name}.{kind}"
        if self._known.get(file.name, [""])[0] != self._from or not file.is_file():
            return False
        data = read_regular(file, _MOST_BYTES, is_input=False)
        return self._known[file.name] == [self._from, hashlib.sha256(data).hexdigest()]

    def add(self, name: str, kind: str, data: bytes) -> None:
        """Put a figure that was written on record."""
        self._known[f"{name}.{kind}"] = [self._from, hashlib.sha256(data).hexdigest()]
        text = json.dumps(self._known, indent=1, sort_keys=True)
        write_file(self._file, text.encode(), force=True)
