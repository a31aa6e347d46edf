"""What a sidecar says of one chunk, and the chunk's tables, checked before they are read."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simlib.ensemble.store.chunks import TABLES, decode, joined
from simlib.ensemble.store.digest import replication_digests
from simlib.errors import StoreError
from simlib.files import read_json, read_regular

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from simlib.ensemble.store.chunks import Chunk

MAX_FILE = 2**31
"""Size cap in bytes of a file of a chunk."""
_HEX = re.compile(r"[0-9a-f]{64}")


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
    n_lost: int
    seconds: float
    compiled_seconds: float

    def file(self, table: str) -> Path:
        """Return the path of a table."""
        root, option = self.sidecar.parents[2], self.sidecar.parent.name
        return root / table / option / f"{self.sidecar.stem}.parquet"

    def read(self, table: str, columns: Sequence[str] | None = None) -> Any:
        """Return a table as Arrow; one without rows may lack columns.

        Parameters
        ----------
        table
            Its name.
        columns
            Only these, as far as they are there.

        Raises
        ------
        StoreError
            The file is missing or does not have the checksum its sidecar states.
        """
        if table not in self.files:
            return joined([])
        path = self.file(table)
        data = read_regular(path, MAX_FILE, is_input=False)
        if hashlib.sha256(data).hexdigest() != self.files[table]:
            raise StoreError(f"{path}: damaged (its checksum differs); run again to redo it")
        try:
            return decode(data, columns)
        except ValueError as error:
            raise StoreError(f"{path}: is no table ({error})") from error

    def digests(self) -> list[str]:
        """Return the digest of each replication, as the sidecar states it."""
        try:
            return _digests(read_json(self.sidecar, MAX_FILE), self.stop - self.first)
        except (KeyError, TypeError, ValueError) as error:
            raise StoreError(f"{self.sidecar}: is no sidecar of a chunk ({error})") from error

    def fault(self) -> str:
        """Return what is wrong with its files, in words; empty when they are as stated."""
        for table, digest in self.files.items():
            try:
                data = read_regular(self.file(table), MAX_FILE, is_input=False)
            except StoreError as error:
                return str(error)
            if hashlib.sha256(data).hexdigest() != digest:
                return f"{self.file(table)}: damaged (its checksum differs)"
        return ""

    def recomputed(self) -> list[str]:
        """Return the digest of each replication, computed from the tables."""
        tables = {table: self.read(table) for table in self.files}
        return replication_digests(tables, range(self.first, self.stop))


def sidecar_of(chunk: Chunk) -> dict[str, Any]:
    """Return what the sidecar of a chunk says."""
    return {
        "option": chunk.option,
        "first": chunk.first,
        "stop": chunk.stop,
        "n_failed": chunk.n_failed,
        "n_lost": chunk.n_lost,
        "seconds": chunk.seconds,
        "compiled_seconds": chunk.compiled_seconds,
        "sha256": {t: hashlib.sha256(data).hexdigest() for t, data in chunk.tables.items()},
        "digests": chunk.digests,
    }


def entry_of(path: Path) -> Entry:
    """Return the entry that a sidecar describes.

    Raises
    ------
    StoreError
        It is no sidecar of a chunk.
    """
    said = read_json(path, MAX_FILE)
    try:
        first, stop = int(said["first"]), int(said["stop"])
        _refuse_misnamed(path, first, stop)
        _digests(said, stop - first)
        return Entry(
            option=str(said["option"]),
            first=first,
            stop=stop,
            sidecar=path,
            files={t: str(said["sha256"][t]) for t in TABLES if t in said["sha256"]},
            n_failed=int(said["n_failed"]),
            n_lost=int(said["n_lost"]),
            seconds=float(said["seconds"]),
            compiled_seconds=float(said["compiled_seconds"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(f"{path}: is no sidecar of a chunk ({error})") from error


def stem(first: int, stop: int) -> str:
    """Return the name of a chunk's files, without their ending."""
    return f"{first:08d}-{stop:08d}"


def _refuse_misnamed(path: Path, first: int, stop: int) -> None:
    if not 0 <= first < stop or path.stem != stem(first, stop):
        raise ValueError(f"replications {first} to {stop} under this name")


def _digests(said: dict[str, Any], n: int) -> list[str]:
    found = said["digests"]
    if len(found) != n or not all(_HEX.fullmatch(each) for each in found):
        raise ValueError(f"must have {n} digests")
    return [str(each) for each in found]
