"""A results directory: create, lock, resume, write a chunk, read chunks back.

::

    manifest.json                           the scenario and all that fixed the results
    TABLE/option=OPTION/FIRST-STOP.parquet  immutable tables of a few replications
    chunks/option=OPTION/FIRST-STOP.json    their checksums; written last, so it vouches
    corrupt/...                             what was found damaged

A file is written under a temporary name, flushed to the disk and renamed, so what bears a
final name is whole. What no sidecar vouches for is not read, and is removed by the next
run. Every table is a folder of Parquet files with Hive partitions, which pandas, DuckDB
and R open as one.
"""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from simlib.ensemble.store.chunks import TABLES, Chunk
from simlib.ensemble.store.entries import Entry, entry_of, sidecar_of, stem
from simlib.errors import SimulationError, StoreError
from simlib.files import as_json, make_folder, read_json, read_regular, slug, write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator

MANIFEST = "manifest.json"
FORMAT = 2
MAX_MANIFEST = 2**26
"""Size cap in bytes: a scenario of the largest size in its explicit form takes a tenth."""
_LOCK, _HOLDER = ".lock", ".holder"


class Directory:
    """A results directory that exists.

    Parameters
    ----------
    path
        Where it is.
    manifest
        What its manifest says.
    is_temporary
        Remove it when nothing refers to this object any more.
    """

    def __init__(self, path: Path, manifest: dict[str, Any], *, is_temporary: bool = False) -> None:
        self.path = path
        self.manifest = manifest
        self.is_temporary = is_temporary
        if is_temporary:
            weakref.finalize(self, shutil.rmtree, path, ignore_errors=True)

    def entries(self, option: str) -> list[Entry]:
        """Return the chunks of an option, by their first replication."""
        found = self._folder("chunks", option).glob("[0-9]*.json")
        return sorted((entry_of(path) for path in found), key=lambda entry: entry.first)

    def tables(self, option: str, table: str) -> Iterator[Any]:
        """Iterate over the Arrow tables of an option, by replication."""
        for entry in self.entries(option):
            yield entry.read(table)

    def write(self, chunk: Chunk) -> bool:
        """Write a chunk; it counts from the moment its sidecar has its name.

        Returns
        -------
        bool
            Whether it is new: one that comes a second time, and is equal, is not.

        Raises
        ------
        SimulationError
            The same replications are there already, and came out otherwise.
        StoreError
            It cannot be written.
        """
        name = stem(chunk.first, chunk.stop)
        sidecar = self._folder("chunks", chunk.option) / f"{name}.json"
        if sidecar.exists() and _is_known(entry_of(sidecar), chunk):
            return False
        is_flushed = not self.is_temporary
        for table, data in chunk.tables.items():
            file = self._folder(table, chunk.option) / f"{name}.parquet"
            write_whole(file, data, is_flushed=is_flushed)
        write_whole(sidecar, as_json(sidecar_of(chunk)), is_flushed=is_flushed)
        return True

    def write_manifest(self, manifest: dict[str, Any]) -> None:
        """Replace the manifest."""
        self.manifest = manifest
        write_whole(self.path / MANIFEST, as_json(manifest), is_flushed=not self.is_temporary)

    def missing(self, option: str, wanted: range) -> tuple[list[range], list[str]]:
        """Return the replications wanted that no whole chunk holds, and what was found.

        Checksums are trusted, never that a file is there. A damaged chunk is set aside as
        ``.corrupt``; one whose worker died over it is removed, to be tried again. Both
        count as missing, and each is told in a line.
        """
        gaps, notes = [wanted], []
        for entry in self.entries(option):
            if entry.stop <= wanted.start or entry.first >= wanted.stop:
                continue
            if entry.n_lost:
                self.remove(entry)
                notes.append(f"replication {entry.first} was given up before; it is tried again")
            elif fault := entry.fault():
                self.set_aside(entry)
                notes.append(f"{fault}; set aside in corrupt/ and simulated again")
            else:
                gaps = [part for gap in gaps for part in _without(gap, entry.first, entry.stop)]
        return gaps, notes

    def set_aside(self, entry: Entry) -> None:
        """Move the files of a damaged chunk out of the way, sidecar first."""
        for path in (entry.sidecar, *(entry.file(table) for table in entry.files)):
            if path.exists():
                aside = self.path / "corrupt" / path.relative_to(self.path)
                aside.parent.mkdir(parents=True, exist_ok=True)
                path.replace(aside.with_name(f"{aside.name}.corrupt"))

    def remove(self, entry: Entry) -> None:
        """Remove a chunk, sidecar first."""
        entry.sidecar.unlink()
        for table in entry.files:
            entry.file(table).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove what an interrupted run left and no sidecar vouches for."""
        for folder in self.path.glob("chunks/option=*"):
            vouched = {path.stem for path in folder.glob("[0-9]*.json")}
            for part in (folder, *(self.path / table / folder.name for table in TABLES)):
                for path in part.iterdir() if part.is_dir() else ():
                    if path.name.startswith(".") or path.stem not in vouched:
                        path.unlink(missing_ok=True)
        for table in TABLES:
            for folder in self.path.glob(f"{table}/option=*"):
                if not (self.path / "chunks" / folder.name).exists():
                    shutil.rmtree(folder)
        for path in self.path.glob(".*.tmp"):
            path.unlink(missing_ok=True)

    def _folder(self, table: str, option: str) -> Path:
        return self.path / table / f"option={slug(option)}"


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a folder for writing; the lock goes with the process that holds it.

    Raises
    ------
    StoreError
        Another run holds it; the message names that one.
    """
    lock, holder = FileLock(path / _LOCK, timeout=0), path / _HOLDER
    try:
        lock.acquire()
    except Timeout:
        raise StoreError(f"{path}: is being written by {_named(holder)}") from None
    except OSError as error:
        raise StoreError(f"{path}: cannot be written ({error.strerror})") from error
    try:
        write_whole(holder, f"process {os.getpid()} on {platform.node()}".encode())
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def create(path: Path | None, manifest: dict[str, Any]) -> Directory:
    """Make a results directory; without a path, a temporary one that removes itself."""
    if path is None:
        directory = Directory(Path(tempfile.mkdtemp(prefix="simlib-")), manifest, is_temporary=True)
    else:
        make_folder(path)
        directory = Directory(path, manifest)
    directory.write_manifest(manifest)
    return directory


def is_free(path: Path) -> bool:
    """Whether results may be started there: nothing is in the way, or an empty directory.

    Raises
    ------
    StoreError
        Something else than results is in the way.
    """
    if not path.exists():
        return True
    if not path.is_dir():
        raise StoreError(f"{path}: is a file; give a directory for the results")
    if (path / MANIFEST).exists():
        return False
    if any(not _is_ours(other) for other in path.iterdir()):
        raise StoreError(
            f"{path}: is not empty and holds no simlib results; give another directory"
        )
    return True


def reopen(path: Path) -> Directory:
    """Open a results directory.

    Raises
    ------
    StoreError
        There are no results, or not in a form this version reads.
    """
    file = path / MANIFEST
    if not file.is_file():
        raise StoreError(f"{path}: holds no simlib results ({MANIFEST} is missing)")
    manifest = read_json(file, MAX_MANIFEST)
    if manifest.get("simlib_results") != FORMAT:
        found = manifest.get("simlib_results")
        raise StoreError(f"{file}: results of format {FORMAT} can be read (got {found!r})")
    return Directory(path, manifest)


def _is_ours(path: Path) -> bool:
    """Whether a run that was killed before it wrote its manifest may have left this."""
    return path.name in {_LOCK, _HOLDER} or path.name.startswith(f".{MANIFEST}.")


def _without(gap: range, first: int, stop: int) -> list[range]:
    parts = [range(gap.start, min(gap.stop, first)), range(max(gap.start, stop), gap.stop)]
    return [part for part in parts if len(part)]


def _is_known(entry: Entry, chunk: Chunk) -> bool:
    """Whether a chunk that comes a second time is what is there."""
    if entry.n_lost or entry.fault():
        return False
    pairs = zip(entry.digests(), chunk.digests, strict=True)
    differing = [chunk.first + i for i, (there, here) in enumerate(pairs) if there != here]
    if differing:
        option = f" of option {chunk.option}" if chunk.option else ""
        raise SimulationError(
            f"not deterministic: replication {differing[0]}{option} was simulated twice and "
            f"came out differently ({len(differing)} of {len(chunk.digests)} in its chunk)"
        )
    return True


def _named(holder: Path) -> str:
    try:
        return read_regular(holder, 1000, is_input=False).decode(errors="replace")
    except StoreError:
        return "another process"
