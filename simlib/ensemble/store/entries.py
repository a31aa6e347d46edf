"""What sidecars say of chunks, of one and of all of an option, checked before it is believed."""

from __future__ import annotations

import hashlib
import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from simlib.ensemble.store.chunks import TABLES, decode, joined
from simlib.ensemble.store.digest import replication_digests
from simlib.errors import StoreError
from simlib.files import SEAL, own_files, own_names, read_regular, read_sealed, slug

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from simlib.ensemble.store.chunks import Chunk


MAX_FILE = 2**31
"""Size cap in bytes of a table of a chunk."""
_MAX_SIDECAR, _MAX_LINE = 2**20, 128
"""Of a sidecar: what it says besides, and of each replication."""
_IDENTITY = ("scenario_digest", "root_seed", "agents", "without", "journals")
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
    seconds: float
    compiled_seconds: float
    made_of: dict[str, Any] | None
    """Scenario, root seed and agents; none where a version of before did not say."""

    @property
    def name(self) -> str:
        """Which replications, as the names of its files say."""
        return self.sidecar.stem

    def file(self, table: str) -> Path:
        """The path of a table."""
        root, option = self.sidecar.parents[2], self.sidecar.parent.name
        return root / table / option / f"{self.sidecar.stem}.parquet"

    def read(self, table: str, columns: Sequence[str] | None = None) -> Any:
        """A table, or some of its columns, as Arrow; one without rows may lack columns.

        Raises `StoreError` where the file is missing or has not the checksum its sidecar states.
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
        """The digest of each replication, as the sidecar states it."""
        try:
            return _digests(_said(self.sidecar), self.stop - self.first)
        except (KeyError, TypeError, ValueError) as error:
            raise StoreError(
                f"{self.sidecar}: damaged (is no sidecar of a chunk: {error})"
            ) from error

    def fault(self) -> str:
        """What is wrong with its files, in words; empty when they are as stated."""
        for table, digest in self.files.items():
            try:
                data = read_regular(self.file(table), MAX_FILE, is_input=False)
            except StoreError as error:
                return str(error)
            if hashlib.sha256(data).hexdigest() != digest:
                return f"{self.file(table)}: damaged (its checksum differs)"
        return ""

    def recomputed(self) -> list[str]:
        """The digest of each replication, computed from the tables.

        Raises
        ------
        StoreError
            A table cannot be read, or the replications in them are not just its own.
        """
        tables = {table: self.read(table) for table in self.files}
        try:
            self._refuse_other_rows(tables)
            return replication_digests(tables, range(self.first, self.stop))
        except (KeyError, TypeError, ValueError) as error:
            raise StoreError(
                f"{self.sidecar}: its tables are none of simlib's ({error})"
            ) from error

    def _refuse_other_rows(self, tables: dict[str, Any]) -> None:
        every = np.arange(self.first, self.stop)
        of = {table: rows.column("replication").to_numpy() for table, rows in tables.items()}
        done = [of[table] for table in ("outcomes", "failures") if table in of]
        # Each replication came out or failed, once; nobody else's rows are in any table.
        if not np.array_equal(np.sort(np.concatenate([every[:0], *done])), every):
            raise StoreError(f"{self.sidecar}: its tables do not hold each replication once")
        for table, rows in of.items():
            other = np.setdiff1d(rows, every)
            if len(other):
                raise StoreError(f"{self.file(table)}: holds rows of replication {other[0]}")


def sidecar_of(chunk: Chunk, made_of: Mapping[str, Any]) -> dict[str, Any]:
    """What the sidecar of a chunk says, made of what `identity_of` states."""
    return {
        **made_of,
        "option": chunk.option,
        "first": chunk.first,
        "stop": chunk.stop,
        "n_failed": chunk.n_failed,
        "seconds": chunk.seconds,
        "compiled_seconds": chunk.compiled_seconds,
        "sha256": {t: hashlib.sha256(data).hexdigest() for t, data in chunk.tables.items()},
        "digests": chunk.digests,
    }


def identity_of(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What makes replications of one address equal: all that a manifest says of it."""
    return {name: manifest.get(name) for name in _IDENTITY}


def entry_of(path: Path) -> Entry:
    """The entry that a sidecar describes.

    Raises `StoreError` where it is no sidecar of a chunk, or not as it was written.
    """
    said = _said(path)
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
            seconds=float(said["seconds"]),
            compiled_seconds=float(said["compiled_seconds"]),
            made_of={name: said[name] for name in _IDENTITY} if SEAL in said else None,
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise StoreError(f"{path}: damaged (is no sidecar of a chunk: {error})") from error


def stem(first: int, stop: int) -> str:
    """The name of a chunk's files, without their ending."""
    return f"{first:08d}-{stop:08d}"


def _said(path: Path) -> dict[str, Any]:
    """What a sidecar says; its name bounds how much that can be."""
    first, _, stop = path.stem.partition("-")
    try:
        n = int(stop) - int(first)
    except ValueError as error:
        raise StoreError(f"{path}: damaged (is no name of a chunk)") from error
    return read_sealed(path, _MAX_SIDECAR + _MAX_LINE * max(0, n))


def _refuse_misnamed(path: Path, first: int, stop: int) -> None:
    if not 0 <= first < stop or path.stem != stem(first, stop):
        raise ValueError(f"replications {first} to {stop} under this name")


def _digests(said: dict[str, Any], n: int) -> list[str]:
    found = said["digests"]
    if len(found) != n or not all(map(_HEX.fullmatch, found)):
        raise ValueError(f"must have {n} digests")
    return [str(each) for each in found]


_NO_WAY_ROUND = "move the files of one out of the directory and run again"


@dataclass(frozen=True, slots=True)
class Listing:
    """Chunks by their sidecars, the tables behind them not looked at.

    The `entries`, by first replication, have a sidecar as it was written. Those that are
    `damaged` cannot be trusted, and it is said why: their chunks are made again. No run may count
    the `foreign`, a line each: of other results, or overlapping.
    """

    entries: list[Entry]
    damaged: dict[Path, str]
    foreign: list[str]

    def refuse_foreign(self) -> None:
        """Refuse, as a `StoreError`, chunks of other results and replications that count twice."""
        if self.foreign:
            n_more = len(self.foreign) - 1
            more = f" (and {n_more} more: simlib verify lists them)" if n_more else ""
            raise StoreError(f"{self.foreign[0]}{more}")


def listing(root: Path, option: str, made_of: Mapping[str, Any] | None) -> Listing:
    """Look at the chunks of an option below a results directory.

    `made_of` is what they must be made of; none for results that do not say.
    """
    entries, damaged, foreign = [], {}, []
    for path in own_files(root / "chunks" / f"option={slug(option)}"):
        if path.suffix != ".json":
            continue
        try:
            entry = entry_of(path)
        except StoreError as error:
            damaged[path] = str(error)
            continue
        if made_of is not None and entry.made_of is None:
            damaged[path] = f"{path}: damaged (it lost its hash)"
        elif rule := _foreign(entry, option, made_of):
            foreign.append(f"{path}: {rule}; move its files out of the directory and run again")
        else:
            entries.append(entry)
    entries.sort(key=lambda entry: entry.first)
    return Listing(entries, damaged, [*foreign, *_overlapping(entries)])


def orphans(root: Path, option: str) -> list[str]:
    """The names of chunks that have tables and no sidecar."""
    folder = f"option={slug(option)}"
    # Tables first: what is written meanwhile has its sidecar by the time that is looked for.
    tables = {name for table in TABLES for name in own_names(root / table / folder)}
    sidecars = set(own_names(root / "chunks" / folder))
    named = (name.removesuffix(".parquet") for name in tables if name.endswith(".parquet"))
    return sorted(name for name in named if f"{name}.json" not in sidecars)


def _foreign(entry: Entry, option: str, made_of: Mapping[str, Any] | None) -> str:
    """Why a chunk is not of these results; empty where it is."""
    if entry.option != option:
        there, here = (name or "(as written)" for name in (entry.option, option))
        return f"is of option {there}, in the folder of {here}"
    if made_of is None or entry.made_of == made_of:
        return ""
    names = [name for name, value in made_of.items() if (entry.made_of or {}).get(name) != value]
    words = {
        "scenario_digest": "another scenario",
        "root_seed": "another root seed",
        "agents": "other added agents",
        "without": "other agents left out",
        "journals": "results that keep journals otherwise",
    }
    return f"is a chunk of {' and '.join(words[name] for name in names)}"


def _overlapping(entries: list[Entry]) -> Iterator[str]:
    furthest: Entry | None = None
    for before, entry in itertools.pairwise(entries):
        furthest = before if furthest is None or before.stop > furthest.stop else furthest
        if entry.first < furthest.stop:
            last = min(entry.stop, furthest.stop) - 1
            yield (
                f"{entry.sidecar}: holds replications {entry.first} to {last}, and so does "
                f"{furthest.name}: they would count twice; {_NO_WAY_ROUND}"
            )
