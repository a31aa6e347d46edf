"""What a few replications of one option leave behind, packed as Parquet bytes.

A worker packs, so that what travels to the parent is small and ready to be written. No
pickle is ever written: Parquet and JSON open without simlib and run no code.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from simlib.ensemble.store.digest import replication_digests
from simlib.journal import MARKS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simlib.journal import Run

Columns: TypeAlias = dict[str, Any]
"""Columns of one table by name: lists or arrays of one length."""

TABLES = ("outcomes", "parameters", "monthly", "decisions", "milestones", "failures", "incidents")
"""``incidents`` is kept on request only. A table without rows has no file."""
MAX_ROWS = 2**28
"""Most rows of a file that is read back: a forged one must not fill the memory."""

_TYPES = {
    "replication": pa.int32(),
    "month": pa.date32(),
    "count": pa.int32(),
    "cause_row": pa.int64(),
    "row": pa.int32(),
    "parent": pa.int32(),
    "opener": pa.int32(),
    "type": pa.dictionary(pa.int32(), pa.string()),
    "place": pa.dictionary(pa.int32(), pa.string()),
    "target": pa.dictionary(pa.int32(), pa.string()),
    "agent": pa.dictionary(pa.int32(), pa.string()),
    "name": pa.dictionary(pa.int32(), pa.string()),
    "taken": pa.dictionary(pa.int32(), pa.string()),
    "cause_kind": pa.dictionary(pa.int32(), pa.string()),
    "milestone": pa.dictionary(pa.int32(), pa.string()),
    "classification": pa.dictionary(pa.int32(), pa.string()),
    "cause": pa.string(),
    "date": pa.string(),
    "error": pa.string(),
    "traceback": pa.string(),
}
"""Types of the columns whose meaning is fixed. In outcomes and parameters, which the
scenario names, text is text and everything else a float64."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Replications ``first`` to ``stop - 1`` of one option."""

    option: str
    first: int
    stop: int
    tables: dict[str, bytes]
    """A Parquet file for each table that has rows."""
    digests: list[str]
    """The digest of each replication."""
    n_failed: int = 0
    seconds: float = 0.0
    compiled_seconds: float = 0.0
    versions: dict[str, str] = field(default_factory=dict)
    """Of the libraries that simulated it."""

    @property
    def n_bytes(self) -> int:
        """Size of its files."""
        return sum(map(len, self.tables.values()))


def arrow(table: str, columns: Columns) -> Any:
    """One of `TABLES` as Arrow; ``replication`` is among its columns."""
    return pa.table({name: _array(table, name, values) for name, values in columns.items()})


def pack(tables: dict[str, Any], **about: Any) -> Chunk:
    """The Arrow tables of a chunk, rows by replication, as files with each replication's digest.

    `about` has the other attributes of `Chunk`.
    """
    replications = range(about["first"], about["stop"])
    files = {name: encode(rows) for name, rows in tables.items() if rows.num_rows}
    return Chunk(tables=files, digests=replication_digests(tables, replications), **about)


def encode(rows: Any) -> bytes:
    """An Arrow table as the bytes of a Parquet file."""
    # Numbers drawn are all different: a dictionary of them costs time and saves no space.
    repeating = [field.name for field in rows.schema if not pa.types.is_floating(field.type)]
    sink = io.BytesIO()
    pq.write_table(
        rows,
        sink,
        compression="zstd",
        use_dictionary=repeating,
        write_statistics=False,
    )
    return sink.getvalue()


def decode(data: bytes, columns: Sequence[str] | None = None) -> Any:
    """The Arrow table that a Parquet file holds, or some columns of it.

    Raises `ValueError` where it is no such file, or too large a table.
    """
    file = pq.ParquetFile(pa.BufferReader(data), pre_buffer=False)
    if file.metadata.num_rows > MAX_ROWS:
        raise ValueError(f"has more than {MAX_ROWS:,} rows")
    # No threads and no prefetch: a thread that outlives the interpreter aborts the process.
    return file.read(columns, use_threads=False)


def joined(tables: list[Any]) -> Any:
    """Several Arrow tables one below the other."""
    if not tables:
        return pa.table({"replication": pa.array([], pa.int32())})
    return pa.concat_tables(tables, promote_options="permissive")


def positions(column: Any, names: Sequence[str]) -> np.ndarray[Any, np.dtype[np.intp]]:
    """The position in `names` of each entry of a text column of an Arrow table."""
    position = {name: index for index, name in enumerate(names)}
    parts = [
        np.array([position[name] for name in part.dictionary.to_pylist()], dtype=np.intp)[
            part.indices.to_numpy()
        ]
        for part in column.chunks
    ]
    return np.concatenate([np.zeros(0, dtype=np.intp), *parts])


def monthly_columns(
    replications: list[int],
    counts: list[np.ndarray[Any, np.dtype[np.int32]]],
    months: np.ndarray[Any, np.dtype[np.datetime64]],
    cells: tuple[tuple[str, str], ...],
) -> Columns:
    """Monthly counts as columns; months without an incident have no row.

    Counts are by month (given by its first day) and cell (incident type, place).
    """
    dense = np.array(counts, dtype=np.int32).ravel()
    # Three times as fast as np.nonzero of the cube.
    found = np.flatnonzero(dense != 0)
    row_month, cell = np.divmod(found, max(1, len(cells)))
    row, month = np.divmod(row_month, len(months))
    types = sorted({of_type for of_type, _ in cells})
    places = sorted({place for _, place in cells})
    type_codes = np.array([types.index(of_type) for of_type, _ in cells], dtype=np.int32)
    place_codes = np.array([places.index(place) for _, place in cells], dtype=np.int32)
    return {
        "replication": np.array(replications, dtype=np.int32)[row],
        "month": months[month],
        "type": pa.DictionaryArray.from_arrays(type_codes[cell], pa.array(types, pa.string())),
        "place": pa.DictionaryArray.from_arrays(place_codes[cell], pa.array(places, pa.string())),
        "count": dense[found],
    }


def incident_columns(run: Run) -> Columns:
    """The journal of incidents of one run as columns.

    ``parent`` is the row of the incident that excited it, ``opener`` the row of the
    decision that opened its channel, each within the replication, else -1.
    """
    incidents, channels = run.incidents, run.incidents.channels
    n = len(incidents)
    named = {"type": channels.types, "place": channels.places, "target": channels.targets}
    return {
        "replication": np.full(n, run.replication, dtype=np.int32),
        "row": np.arange(n, dtype=np.int32),
        "time": incidents.time,
        **{name: _coded(values, incidents.channel) for name, values in named.items()},
        "parent": incidents.parent,
        "opener": incidents.opener,
        **{mark: incidents.mark(mark) for mark in MARKS},
    }


def _coded(of_channel: Sequence[str], channel: np.ndarray[Any, np.dtype[np.int32]]) -> Any:
    """A text of each incident's channel, as a dictionary column."""
    texts = sorted(set(of_channel))
    codes = np.array([texts.index(text) for text in of_channel], dtype=np.int32)
    return pa.DictionaryArray.from_arrays(codes[channel], pa.array(texts, pa.string()))


def _array(table: str, name: str, values: Any) -> Any:
    if isinstance(values, pa.Array):
        return values
    is_named_by_scenario = table in {"outcomes", "parameters"} and name != "replication"
    if not is_named_by_scenario:
        # A number without an entry of its own: probability, value, time.
        return pa.array(values, type=_TYPES.get(name, pa.float64()), from_pandas=False)
    is_text = bool(len(values)) and isinstance(values[0], str)
    kind = pa.dictionary(pa.int32(), pa.string()) if is_text else pa.float64()
    return pa.array(values, type=kind, from_pandas=False)
