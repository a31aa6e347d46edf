"""A results directory: create, lock, resume, write a chunk, read chunks back.

::

    manifest.json                           the scenario and all that fixed the results
    TABLE/option=OPTION/FIRST-STOP.parquet  immutable tables of a few replications
    chunks/option=OPTION/FIRST-STOP.json    what they were made of, and their checksums;
                                            written last, so it vouches
    corrupt/...                             what was found damaged

A file is written under a temporary name, flushed to the disk and renamed, so what bears a
final name is whole. Manifest and sidecars carry the hash of their own text. What no sidecar
vouches for is not read, and is set aside by the next run. Every table is a folder of
Parquet files with Hive partitions, which pandas, DuckDB and R open as one.
"""

from __future__ import annotations

import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simlib.ensemble.store.chunks import TABLES, Chunk
from simlib.ensemble.store.entries import (
    Entry,
    Listing,
    entry_of,
    identity_of,
    listing,
    orphans,
    sidecar_of,
    stem,
)
from simlib.ensemble.store.locking import HOLDER, LOCK, is_being_written, is_holder, lock_of
from simlib.ensemble.surroundings import is_of_surroundings
from simlib.errors import SimulationError, StoreError
from simlib.files import (
    SEAL,
    is_own,
    make_folder,
    move_file,
    own_files,
    read_sealed,
    refuse_links,
    remove_file,
    remove_folder,
    sealed_json,
    slug,
    temporary_folder,
    write_whole,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

MANIFEST = "manifest.json"
FORMAT = 3
BEFORE = 2
"""The format whose manifest and sidecars carry no hash of themselves."""
MAX_MANIFEST = 2**26
"""Size cap in bytes: a scenario of the largest size in its explicit form takes a tenth."""


class Directory:
    """A results directory that exists, and what its manifest says.

    A temporary one is removed when nothing refers to this object any more.
    """

    def __init__(self, path: Path, manifest: dict[str, Any], *, is_temporary: bool = False) -> None:
        self.path = path
        self.manifest = manifest
        self.is_temporary = is_temporary
        self._lock = lock_of(path)
        if is_temporary:
            weakref.finalize(self, remove_folder, path)

    def entries(self, option: str) -> list[Entry]:
        """The chunks of an option, by their first replication.

        Raises `StoreError` where one is damaged, of other results, holds replications that another
        holds, or has lost its sidecar: nothing is counted twice, and nothing left out in silence.
        """
        found = self.listing(option)
        found.refuse_foreign()
        faults = [*found.damaged.values(), *self.orphaned(option)]
        if faults:
            more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
            raise StoreError(f"{faults[0]}{more}; run again to set it aside and simulate it again")
        return found.entries

    def listing(self, option: str) -> Listing:
        """What there is of an option, sound or not."""
        made_of = None if self.manifest["simlib_results"] == BEFORE else identity_of(self.manifest)
        return listing(self.path, option, made_of)

    def n_chunks(self, option: str) -> int:
        """How many chunks of an option there are, by their names."""
        return sum(path.suffix == ".json" for path in own_files(self._folder("chunks", option)))

    def tables(self, option: str, table: str) -> Iterator[Any]:
        """Iterate over the Arrow tables of an option, by replication."""
        for entry in self.entries(option):
            yield entry.read(table)

    def write(self, chunk: Chunk) -> bool:
        """Write a chunk; it counts from the moment its sidecar has its name.

        Whether it is new is returned: one that comes a second time, and is equal, is not.

        Raises
        ------
        SimulationError
            The same replications are there already, and came out otherwise.
        StoreError
            It cannot be written, or the directory is not held any more.
        """
        self._refuse_unheld()
        name = stem(chunk.first, chunk.stop)
        sidecar = self._folder("chunks", chunk.option) / f"{name}.json"
        if sidecar.exists() and _is_known(entry_of(sidecar), chunk):
            return False
        is_flushed = not self.is_temporary
        written = []
        try:
            for table, data in chunk.tables.items():
                written.append(self._folder(table, chunk.option) / f"{name}.parquet")
                write_whole(written[-1], data, is_flushed=is_flushed)
            said = sidecar_of(chunk, identity_of(self.manifest))
            write_whole(sidecar, sealed_json(said), is_flushed=is_flushed)
        except BaseException:
            # Stopped between the tables and what vouches for them: they go, and are made again.
            if not sidecar.exists():
                for file in written:
                    remove_file(file)
            raise
        return True

    def write_manifest(self, manifest: dict[str, Any]) -> None:
        """Replace the manifest."""
        self._refuse_unheld()
        self.manifest = manifest
        is_flushed = not self.is_temporary
        write_whole(self.path / MANIFEST, sealed_json(manifest), is_flushed=is_flushed)

    def seal(self, entry: Entry) -> None:
        """Let the sidecar of a chunk of the format before say what it was made of."""
        said = read_sealed(entry.sidecar, MAX_MANIFEST)
        content = {**said, **identity_of(self.manifest)}
        write_whole(entry.sidecar, sealed_json(content), is_flushed=not self.is_temporary)

    def missing(self, option: str, wanted: range) -> tuple[list[range], list[str]]:
        """The replications wanted that no whole chunk holds, and what was found.

        Checksums are trusted, never that a file is there. A damaged chunk is set aside as
        ``.corrupt``, and so is one in which replications failed for want of memory, disk
        or a worker. Both count as missing, and each is told in a line. A chunk of other results, or
        of replications that another holds, is a `StoreError`.
        """
        found = self.listing(option)
        found.refuse_foreign()
        notes = []
        for sidecar, fault in found.damaged.items():
            self._set_aside(option, sidecar.stem)
            notes.append(_made_again(fault))
        gaps = [wanted]
        for entry in found.entries:
            if entry.stop <= wanted.start or entry.first >= wanted.stop:
                continue
            if note := self._why_again(entry):
                self._set_aside(option, entry.name)
                notes.append(note)
            else:
                gaps = [part for gap in gaps for part in _without(gap, entry.first, entry.stop)]
        return gaps, notes

    def _why_again(self, entry: Entry) -> str:
        """Why a chunk is simulated again; empty where it is sound."""
        if fault := entry.fault():
            return _made_again(fault)
        if not entry.n_failed:
            return ""
        failures = entry.read("failures")
        names = ("replication", "error", "traceback")
        rows = zip(*(failures.column(name).to_pylist() for name in names), strict=True)
        # None of the scenario's, by its text or that of a cause.
        lost = {
            number: error
            for number, error, trace in rows
            if is_of_surroundings(str(error)) or is_of_surroundings(str(trace))
        }
        if not lost:
            return ""
        first, error = next(iter(lost.items()))
        n = len(lost)
        what = f"replication {first}" if n == 1 else f"{n} replications from {first} on"
        return f"{what} failed for want of something here ({error}); simulated again"

    def sweep(self) -> list[str]:
        """Put away what an interrupted run left; return what was set aside, a line each.

        Unfinished files go, by their name; tables that no sidecar vouches for are set aside.
        """
        tables = ("chunks", *TABLES)
        folders = [each for table in tables for each in self.path.glob(f"{table}/option=*")]
        for folder in (self.path, *folders):
            for path in own_files(folder):
                if path.suffix == ".tmp":
                    remove_file(path)
        notes = []
        for option in self.manifest["options"]:
            for name in orphans(self.path, option):
                self._set_aside(option, name)
                notes.append(_made_again(self._orphan(option, name)))
        return notes

    def orphaned(self, option: str) -> list[str]:
        """A line for each chunk whose sidecar is lost.

        A run that writes now has a chunk whose sidecar is still to come: that one is not lost.
        """
        if not orphans(self.path, option) or is_being_written(self.path):
            return []
        # A run may have ended since the first look: what it wrote last is whole now.
        return [self._orphan(option, name) for name in orphans(self.path, option)]

    def strangers(self) -> list[str]:
        """A line for each folder of an option that the manifest does not name."""
        known = {self._folder("chunks", option).name for option in self.manifest["options"]}
        every = ("chunks", *TABLES)
        found = {path for table in every for path in self.path.glob(f"{table}/option=*")}
        return [
            f"{path}: is of no option of these results; move it out of the directory"
            for path in sorted(found)
            if path.name not in known
        ]

    def unlisted(self, option: str, entries: list[Entry]) -> list[str]:
        """A line for each table that no sidecar lists: others' tools read it as well."""
        listed = {entry.file(table) for entry in entries for table in entry.files}
        sound = {entry.name for entry in entries}
        told = {path.stem for path in own_files(self._folder("chunks", option))} - sound
        told |= set(orphans(self.path, option))
        tables = (self._folder(table, option).glob("*.parquet") for table in TABLES)
        return [
            f"{path}: is listed by no chunk; move it out of the directory"
            for path in sorted(path for table in tables for path in table)
            if path not in listed and path.stem not in told
        ]

    def _orphan(self, option: str, name: str) -> str:
        return f"{self._folder('chunks', option) / name}.json: is missing beside its tables"

    def _set_aside(self, option: str, name: str) -> None:
        """Move the files of a chunk out of the way, sidecar first."""
        tables = (self._folder(table, option) / f"{name}.parquet" for table in TABLES)
        for path in (self._folder("chunks", option) / f"{name}.json", *tables):
            if path.exists():
                aside = self.path / "corrupt" / path.relative_to(self.path)
                move_file(path, aside.with_name(f"{aside.name}.corrupt"))

    def _folder(self, table: str, option: str) -> Path:
        folder = self.path / table / f"option={slug(option)}"
        # Looked for when results are opened, and again where something is to be written.
        if folder.is_symlink() or folder.parent.is_symlink():
            raise StoreError(
                f"{folder}: is a link, or in one; nothing in a folder of results may be"
            )
        return folder

    def _refuse_unheld(self) -> None:
        """Refuse to write where another run may write, too: the lock went, or the folder."""
        if not self.is_temporary and lock_of(self.path) != self._lock:
            raise StoreError(
                f"{self.path}: was moved, or its lock removed, while it was written; what is "
                "finished is kept, run again to go on"
            )


def create(path: Path | None, manifest: dict[str, Any]) -> Directory:
    """Make a results directory; without a path, a temporary one that removes itself."""
    if path is None:
        directory = Directory(temporary_folder("simlib-"), manifest, is_temporary=True)
    else:
        make_folder(path)
        directory = Directory(path, manifest)
    directory.write_manifest(manifest)
    return directory


def is_free(path: Path) -> bool:
    """Whether results may be started there: nothing is in the way, or an empty directory.

    Raises `StoreError` where something else is in the way, or results that hold a link.
    """
    if path.is_symlink() and not path.exists():
        raise StoreError(f"{path}: is a link to nothing; give a directory for the results")
    if not path.exists():
        return True
    if not path.is_dir():
        raise StoreError(f"{path}: is a file; give a directory for the results")
    refuse_links(path)
    if (path / MANIFEST).exists():
        return False
    others = [other for other in path.iterdir() if not _is_ours(other)]
    if (path / "chunks").is_dir():
        return False
    if others:
        raise StoreError(
            f"{path}: is not empty and holds no simlib results; give another directory"
        )
    return True


def has_lost_manifest(path: Path) -> bool:
    """Whether chunks are there without a manifest: a run of their scenario writes it anew."""
    return (path / "chunks").is_dir() and not (path / MANIFEST).exists()


def reopen(path: Path) -> Directory:
    """Open a results directory.

    Raises
    ------
    StoreError
        There are no results, or not in a form this version reads; or anything in it is a
        link, or the manifest is not as it was written.
    """
    file = path / MANIFEST
    if not path.is_dir():
        raise StoreError(f"{path}: holds no simlib results (it is no directory)")
    refuse_links(path)
    if not file.exists():
        saved = f"; {SAVED}" if has_lost_manifest(path) else ""
        raise StoreError(f"{path}: holds no simlib results ({MANIFEST} is missing){saved}")
    try:
        manifest = read_sealed(file, MAX_MANIFEST)
    except StoreError as error:
        if (path / "chunks").is_dir():
            raise StoreError(f"{error}; move it away, and {SAVED}") from error
        raise
    found = manifest.get("simlib_results")
    if found not in {BEFORE, FORMAT}:
        raise StoreError(f"{file}: results of format {FORMAT} can be read (got {found!r})")
    if found == FORMAT and SEAL not in manifest:
        raise StoreError(f"{file}: damaged (it lost its hash); move it away, and {SAVED}")
    return Directory(path, {key: value for key, value in manifest.items() if key != SEAL})


SAVED = (
    "simlib run with the scenario, options and agents that made the results writes it anew "
    "and keeps every chunk"
)


def _is_ours(path: Path) -> bool:
    """Whether a run that was killed before it wrote its manifest may have left this."""
    if path.name == HOLDER:
        return is_holder(path)
    return path.name == LOCK or is_own(path.name)


def _made_again(fault: str) -> str:
    return f"{fault}; set aside in corrupt/ and simulated again"


def _without(gap: range, first: int, stop: int) -> list[range]:
    parts = [range(gap.start, min(gap.stop, first)), range(max(gap.start, stop), gap.stop)]
    return [part for part in parts if len(part)]


def _is_known(entry: Entry, chunk: Chunk) -> bool:
    """Whether a chunk that comes a second time is what is there."""
    if entry.fault():
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
