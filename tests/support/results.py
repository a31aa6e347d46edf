"""Results directories: a large one, and what somebody or a bad disk may do to one."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from simlib.ensemble import store
from simlib.ensemble.manifest import manifest_of
from simlib.ensemble.replications import Job, prepare, simulate_chunk
from simlib.ensemble.store import arrow, pack
from simlib.ensemble.store.chunks import decode
from simlib.files import SEAL, sealed_json
from simlib.scenario import load_text
from support.scenarios import TEXT


def reseal(file: Path, **changes: Any) -> None:
    """Change a manifest or a sidecar and renew its hash, as a forger would."""
    said = {**json.loads(file.read_text(encoding="utf-8")), **changes}
    file.write_bytes(sealed_json(said))


def as_format_2(directory: Path) -> None:
    """Turn results into those of the format before: nothing carries a hash of itself."""
    for file in (directory / "manifest.json", *directory.glob("chunks/*/*.json")):
        said = json.loads(file.read_text(encoding="utf-8"))
        del said[SEAL]
        if file.name == "manifest.json":
            said["simlib_results"] = 2
        else:
            for name in ("scenario_digest", "root_seed", "agents", "without", "journals"):
                del said[name]
            said["n_lost"] = 0
        file.write_text(json.dumps(said, indent=1), encoding="utf-8")


def sidecars(directory: Path, option: str = "*") -> list[Path]:
    """Return the sidecars of chunks, by option and replication."""
    return sorted(directory.glob(f"chunks/option={option}/*.json"))


def chunk_files(directory: Path, sidecar: Path) -> list[Path]:
    """Return a chunk's sidecar and tables."""
    tables = directory.glob(f"*/{sidecar.parent.name}/{sidecar.stem}.parquet")
    return [sidecar, *sorted(tables)]


def copy_chunk(there: Path, here: Path, number: int = 0) -> Path:
    """Copy a chunk of one directory into another, and return its sidecar there."""
    sidecar = sidecars(there)[number]
    for file in chunk_files(there, sidecar):
        to = here / file.relative_to(there)
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, to)
    return here / sidecar.relative_to(there)


def swap(one: Path, other: Path) -> None:
    """Exchange two files or folders."""
    aside = one.with_name("aside")
    one.rename(aside)
    other.rename(one)
    aside.rename(other)


def flip(file: Path, share: float = 0.5) -> None:
    """Flip one bit of a file, at a share of its length."""
    data = bytearray(file.read_bytes())
    data[int(len(data) * share)] ^= 1
    file.write_bytes(bytes(data))


def link(name: str) -> Callable[[Path, Path], None]:
    """Return what puts a link to a folder of somebody else's under a name in the results."""

    def attack(directory: Path, victim: Path) -> None:
        path = directory / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(victim)

    return attack


def pipe(name: str) -> Callable[[Path, Path], None]:
    """Return what puts a pipe under a name in the results."""

    def attack(directory: Path, _victim: Path) -> None:
        path = directory / name
        path.unlink(missing_ok=True)
        os.mkfifo(path)

    return attack


def grown(name: str, n_bytes: int) -> Callable[[Path, Path], None]:
    """Return what makes a file of the results huge, with a hole."""

    def attack(directory: Path, _victim: Path) -> None:
        with (directory / name).open("r+b") as file:
            file.truncate(n_bytes)

    return attack


CHUNK = 500
MANY_OUTCOMES = "".join(f"  raids_{i}: {{count: raid, unit: incidents}}\n" for i in range(40))


def write_large_results(path: Path, n: int) -> None:
    """Write results of `n` replications of the small scenario; each chunk repeats the first."""
    job = Job(load_text(TEXT + MANY_OUTCOMES))
    first = simulate_chunk(prepare(job, ""), "", range(CHUNK))
    tables = {name: decode(data) for name, data in first.tables.items()}
    directory = store.create(path, manifest_of(job, ("",)))
    for start in range(0, n, CHUNK):
        size = min(CHUNK, n - start)
        again = {name: _moved(name, rows, start, size) for name, rows in tables.items()}
        directory.write(pack(again, option="", first=start, stop=start + size))


def _moved(table: str, rows: pa.Table, start: int, size: int) -> pa.Table:
    """Return the rows of the first `size` replications as those from `start` on."""
    rows = rows.filter(pa.array(rows.column("replication").to_numpy() < size))
    columns = {name: rows.column(name).combine_chunks() for name in rows.column_names}
    columns["replication"] = rows.column("replication").to_numpy() + np.int32(start)
    return arrow(table, columns)
