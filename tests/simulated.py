"""A large results directory made of one real chunk, written again under other names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from simlib.ensemble import store
from simlib.ensemble.manifest import manifest_of
from simlib.ensemble.replications import Job, prepare, simulate_chunk
from simlib.ensemble.store import arrow, pack
from simlib.ensemble.store.chunks import decode
from simlib.scenario import load_text
from small_scenarios import TEXT

if TYPE_CHECKING:
    from pathlib import Path

CHUNK = 500
MANY_OUTCOMES = "".join(f"  raids_{i}: {{count: raid, unit: incidents}}\n" for i in range(40))


def simulated(path: Path, n: int) -> None:
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
