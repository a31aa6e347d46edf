"""The result digest: of content, in one canonical form.

Every column is hashed on its own, rows by replication: integers and dates as
little-endian int64, numbers as little-endian float64 with one NaN, text as lengths and
UTF-8 bytes. The digest is of the columns' names and hashes, sorted. So it depends on
nothing but the values: not on chunks, files, versions, times or the text of tracebacks.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

LEFT_OUT = frozenset({("failures", "traceback"), ("failures", "error")})
"""Columns that name files, lines and addresses in memory."""


def digest_of(parts: Iterable[tuple[str, str, Any]]) -> str:
    """Return the digest of results.

    Parameters
    ----------
    parts
        (option, table name, Arrow table), with each option's rows of each table in the
        order of their replications; how they are cut into parts does not matter.

    Returns
    -------
    str
        64 hexadecimal digits (SHA-256).
    """
    hashes: defaultdict[tuple[str, str, str, str], Any] = defaultdict(hashlib.sha256)
    for option, table, rows in parts:
        if rows.num_rows == 0:
            continue
        for name in rows.column_names:
            if (table, name) not in LEFT_OUT:
                for kind, data in _canonical(rows.column(name)):
                    hashes[option, table, name, kind].update(data)
    total = hashlib.sha256()
    for key in sorted(hashes):
        # Lengths first: no choice of names makes two keys one text.
        line = "".join(f"{len(part)}:{part}" for part in key)
        total.update(f"{line}={hashes[key].hexdigest()}\n".encode())
    return total.hexdigest()


def _canonical(column: Any) -> list[tuple[str, bytes]]:
    """Return what is hashed of a column, each part with its kind."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(pa.string())
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return [("length", _lengths(column).tobytes()), ("text", _text(column))]
    if pa.types.is_floating(column.type):
        return [("number", _numbers(column).tobytes())]
    if pa.types.is_date(column.type):
        column = column.cast(pa.int32())
    return [("integer", column.to_numpy().astype("<i8").tobytes())]


def _lengths(column: Any) -> NDArray[np.int64]:
    """Return the length of each text in bytes, -1 for none."""
    lengths = pc.fill_null(pc.binary_length(column), -1)
    found: NDArray[np.int64] = lengths.to_numpy().astype("<i8")
    return found


def _text(column: Any) -> bytes:
    whole = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], pa.string())
    joined = pc.binary_join(pa.ListArray.from_arrays([0, len(whole)], pc.fill_null(whole, "")), "")
    data: bytes = joined[0].as_buffer().to_pybytes()
    return data


def _numbers(column: Any) -> NDArray[np.float64]:
    values: NDArray[np.float64] = column.to_numpy().astype("<f8", copy=True)
    values[np.isnan(values)] = np.nan
    return values
