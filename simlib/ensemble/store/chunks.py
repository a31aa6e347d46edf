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

if TYPE_CHECKING:
    from collections.abc import Sequence

Columns: TypeAlias = dict[str, Any]
"""Columns of one table by name: lists or arrays of one length."""

TABLES = ("outcomes", "parameters", "monthly", "decisions", "milestones", "failures")

_TYPES = {
    "replication": pa.int32(),
    "month": pa.date32(),
    "count": pa.int32(),
    "cause_row": pa.int64(),
    "type": pa.dictionary(pa.int32(), pa.string()),
    "place": pa.dictionary(pa.int32(), pa.string()),
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
    """One Parquet file for each table."""
    n_failed: int
    seconds: float
    compiled_seconds: float
    digests: dict[str, str] = field(default_factory=dict)


def encode(table: str, columns: Columns) -> bytes:
    """Return one table as the bytes of a Parquet file.

    Parameters
    ----------
    table
        One of `TABLES`.
    columns
        Its columns; ``replication`` is one of them.
    """
    arrays = {name: _array(table, name, values) for name, values in columns.items()}
    # Numbers drawn are all different: a dictionary of them costs time and saves no space.
    repeating = [name for name, array in arrays.items() if not pa.types.is_floating(array.type)]
    sink = io.BytesIO()
    pq.write_table(
        pa.table(arrays),
        sink,
        compression="zstd",
        use_dictionary=repeating,
        write_statistics=False,
    )
    return sink.getvalue()


def decode(data: bytes) -> Any:
    """Return the Arrow table that a Parquet file holds."""
    # No threads and no prefetch: a thread that outlives the interpreter aborts the process.
    return pq.read_table(pa.BufferReader(data), use_threads=False, pre_buffer=False)


def joined(tables: list[Any]) -> Any:
    """Return several Arrow tables one below the other."""
    if not tables:
        return pa.table({"replication": pa.array([], pa.int32())})
    return pa.concat_tables(tables, promote_options="permissive")


def positions(column: Any, names: Sequence[str]) -> np.ndarray[Any, np.dtype[np.intp]]:
    """Return the position in `names` of each entry of a text column of an Arrow table."""
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
    """Return monthly counts as columns; months without an incident have no row.

    Parameters
    ----------
    replications
        Which replications.
    counts
        For each, incidents by month and cell.
    months
        First days of the months.
    cells
        The pairs (incident type, place).
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
