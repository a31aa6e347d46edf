"""A results directory: create, resume, write a chunk, read chunks back.

::

    manifest.json                            the scenario and all that fixed the results
    chunks/OPTION/FIRST-STOP.TABLE.parquet   immutable tables of a few replications
    chunks/OPTION/FIRST-STOP.json            their checksums; written last, so it vouches

A file is written under a temporary name, flushed to the disk and renamed, so what bears a
final name is whole; what a sidecar does not vouch for is not read.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simlib.ensemble.store.chunks import TABLES, Chunk, decode
from simlib.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

MANIFEST = "manifest.json"
FORMAT = 1
_DEVICES = {"con", "prn", "aux", "nul"} | {
    f"{port}{i}" for port in ("com", "lpt") for i in range(10)
}
"""Names that are devices on Windows, where no folder can bear them."""
MAX_FILE = 2**31
"""Size cap in bytes of any file that is read back."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a sidecar says of one chunk."""

    option: str
    first: int
    stop: int
    sidecar: Path
    files: dict[str, str]
    """SHA-256 of each table's file."""
    n_failed: int
    seconds: float
    compiled_seconds: float

    def file(self, table: str) -> Path:
        """Return the path of a table."""
        return self.sidecar.with_name(f"{self.sidecar.stem}.{table}.parquet")

    def read(self, table: str) -> Any:
        """Return a table as Arrow.

        Raises
        ------
        StoreError
            The file is missing or does not have the checksum its sidecar states.
        """
        path = self.file(table)
        data = _read(path)
        if hashlib.sha256(data).hexdigest() != self.files[table]:
            raise StoreError(f"{path}: damaged (its checksum differs); run again to redo it")
        return decode(data)

    def is_whole(self) -> bool:
        """Whether every file is there with the checksum stated."""
        try:
            return all(
                hashlib.sha256(_read(self.file(table))).hexdigest() == digest
                for table, digest in self.files.items()
            )
        except StoreError:
            return False


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
        found = self._folder(option).glob("*.json")
        return sorted((_entry(path) for path in found), key=lambda entry: entry.first)

    def tables(self, option: str, table: str) -> Iterator[Any]:
        """Iterate over the Arrow tables of an option, by replication."""
        for entry in self.entries(option):
            yield entry.read(table)

    def write(self, chunk: Chunk) -> None:
        """Write a chunk; it counts from the moment its sidecar has its name."""
        folder = self._folder(chunk.option)
        folder.mkdir(parents=True, exist_ok=True)
        stem = f"{chunk.first:07d}-{chunk.stop:07d}"
        for table, data in chunk.tables.items():
            self._write(folder / f"{stem}.{table}.parquet", data)
        files = {t: hashlib.sha256(data).hexdigest() for t, data in chunk.tables.items()}
        sidecar = {
            "option": chunk.option,
            "first": chunk.first,
            "stop": chunk.stop,
            "n_failed": chunk.n_failed,
            "seconds": chunk.seconds,
            "compiled_seconds": chunk.compiled_seconds,
            "sha256": files,
        }
        self._write(folder / f"{stem}.json", _json(sidecar))

    def write_manifest(self, manifest: dict[str, Any]) -> None:
        """Replace the manifest."""
        self.manifest = manifest
        self._write(self.path / MANIFEST, _json(manifest))

    def missing(self, option: str, wanted: range) -> list[range]:
        """Return the replications wanted that no whole chunk holds.

        A damaged chunk is set aside as ``.corrupt``, and counts as missing.
        """
        gaps = [wanted]
        for entry in self.entries(option):
            if not entry.is_whole():
                set_aside(entry)
                continue
            gaps = [part for gap in gaps for part in _without(gap, entry.first, entry.stop)]
        return gaps

    def _folder(self, option: str) -> Path:
        return self.path / "chunks" / slug(option)

    def _write(self, path: Path, data: bytes) -> None:
        try:
            write_whole(path, data, is_flushed=not self.is_temporary)
        except OSError as error:
            raise StoreError(f"{path}: cannot be written ({error.strerror})") from error


def create(path: Path | None, manifest: dict[str, Any]) -> Directory:
    """Make a results directory; without a path, a temporary one that removes itself."""
    if path is None:
        directory = Directory(Path(tempfile.mkdtemp(prefix="simlib-")), manifest, is_temporary=True)
    else:
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{path}: cannot be made ({error.strerror})") from error
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
    if any(path.iterdir()):
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
    manifest = _load(file)
    if manifest.get("simlib_results") != FORMAT:
        found = manifest.get("simlib_results")
        raise StoreError(f"{file}: results of format {FORMAT} can be read (got {found!r})")
    return Directory(path, manifest)


def slug(option: str) -> str:
    """Return a folder name for an option: plain where the name is, else with a hash.

    Examples
    --------
    >>> slug("extend_12m"), slug("")
    ('extend_12m', '_')
    >>> slug("../Con")
    'con-d586e099'
    """
    plain = re.sub(r"[^a-z0-9_]+", "-", option.lower()).strip("-")[:40]
    if plain == option and plain and plain not in _DEVICES:
        return plain
    if not option:
        return "_"
    return f"{plain}-{hashlib.blake2b(option.encode(), digest_size=4).hexdigest()}"


def write_whole(path: Path, data: bytes, *, is_flushed: bool = True) -> None:
    """Write a file so that its name never stands for a part of it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            if is_flushed:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def set_aside(entry: Entry) -> None:
    """Rename the files of a damaged chunk, sidecar first, so that they are not read."""
    for path in (entry.sidecar, *(entry.file(table) for table in entry.files)):
        if path.exists():
            path.replace(path.with_name(f"{path.name}.corrupt"))


def _without(gap: range, first: int, stop: int) -> list[range]:
    parts = [range(gap.start, min(gap.stop, first)), range(max(gap.start, stop), gap.stop)]
    return [part for part in parts if len(part)]


def _entry(path: Path) -> Entry:
    sidecar = _load(path)
    try:
        files = {table: str(sidecar["sha256"][table]) for table in TABLES}
        return Entry(
            option=str(sidecar["option"]),
            first=int(sidecar["first"]),
            stop=int(sidecar["stop"]),
            sidecar=path,
            files=files,
            n_failed=int(sidecar["n_failed"]),
            seconds=float(sidecar["seconds"]),
            compiled_seconds=float(sidecar["compiled_seconds"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(f"{path}: is no sidecar of a chunk ({error})") from error


def _load(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(_read(path))
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{path}: is no JSON ({error})") from error
    if not isinstance(found, dict):
        raise StoreError(f"{path}: holds no mapping")
    return found


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_FILE:
            raise StoreError(f"{path}: is larger than {MAX_FILE} bytes")
        return path.read_bytes()
    except OSError as error:
        raise StoreError(f"{path}: cannot be read ({error.strerror})") from error


def _json(content: dict[str, Any]) -> bytes:
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()
