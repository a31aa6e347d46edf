"""The result digest: of content, in one canonical form, replication by replication.

Each replication has a digest of its own: of its rows in every table, as 64-bit words in
little-endian order (integers and dates as they are, numbers as IEEE doubles with one NaN,
text as a hash of its UTF-8 bytes). The result digest is of options, replications and their
digests. So it depends on nothing but the values: not on chunks, files, versions, times or
the text of tracebacks; two results that differ say in which replications; and the first N
replications of a larger ensemble have the digest of the smaller one.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

LEFT_OUT = frozenset({("failures", "traceback"), ("failures", "error")})
"""Columns that name files, lines and addresses in memory."""
TABLES_LEFT_OUT = frozenset({"incidents"})
"""Journals are kept on request; asking for them changes no result."""
_NONE = b"\xff"
"""Stands for no text: no UTF-8 has this byte."""


def replication_digests(tables: Mapping[str, Any], replications: range) -> list[str]:
    """The SHA-256 of each replication in hexadecimal, in order.

    Tables are by name, rows by replication; one without rows may be left out.
    """
    hashes = [hashlib.sha256() for _ in replications]
    for name in sorted(tables.keys() - TABLES_LEFT_OUT):
        _hash_table(name, tables[name], replications, hashes)
    return [each.hexdigest() for each in hashes]


def digest_of(parts: Iterable[tuple[str, int, Iterable[str]]]) -> str:
    """The SHA-256 of results, in hexadecimal.

    Parts are (option, first replication, digests of consecutive replications), options in order
    of their names, replications in theirs; how they are cut into parts does not matter.
    """
    total = hashlib.sha256()
    before: str | None = None
    for option, first, digests in parts:
        if option != before:
            # The length first: no choice of names makes two options one text.
            total.update(f"{len(option)}:{option}\n".encode())
            before = option
        lines = (f"{replication}={each}\n" for replication, each in enumerate(digests, first))
        total.update("".join(lines).encode())
    return total.hexdigest()


def _hash_table(name: str, rows: Any, replications: range, hashes: list[Any]) -> None:
    """Add each replication's rows of one table to its hash."""
    if rows.num_rows == 0:
        return
    names = [
        column
        for column in sorted(rows.column_names)
        if column != "replication" and (name, column) not in LEFT_OUT
    ]
    words = np.empty((rows.num_rows, len(names)), dtype="<u8")
    for position, column in enumerate(names):
        words[:, position] = _words(rows.column(column))
    edges = np.searchsorted(
        rows.column("replication").to_numpy(), np.arange(replications.start, replications.stop + 1)
    ).tolist()
    head = "".join(f"{len(text)}:{text}" for text in (name, *names))
    for each, first, stop in zip(hashes, edges[:-1], edges[1:], strict=True):
        if stop > first:
            each.update(f"{head}={stop - first}\n".encode())
            each.update(words[first:stop].data)


def _words(column: Any) -> NDArray[np.uint64]:
    """A column of any type as words of 64 bits."""
    kind = column.type
    if pa.types.is_dictionary(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _text_words(column)
    if pa.types.is_floating(kind):
        values = column.to_numpy().astype("<f8", copy=True)
        values[np.isnan(values)] = np.nan
        found: NDArray[np.uint64] = values.view("<u8")
        return found
    whole = column.cast(pa.int32()) if pa.types.is_date(kind) else column
    integers: NDArray[np.uint64] = whole.to_numpy().astype("<i8").view("<u8")
    return integers


def _text_words(column: Any) -> NDArray[np.uint64]:
    """The first 64 bits of the BLAKE2b of each text."""
    column = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    parts = [np.zeros(0, dtype="<u8")]
    for part in column.chunks if isinstance(column, pa.ChunkedArray) else [column]:
        texts = [_NONE if t is None else t.encode() for t in part.dictionary.to_pylist()]
        hashed = [hashlib.blake2b(text, digest_size=8).digest() for text in (*texts, _NONE)]
        table = np.frombuffer(b"".join(hashed), dtype="<u8")
        # A text that is missing has no index; it is read as the last entry.
        parts.append(table[pc.fill_null(part.indices, len(texts)).to_numpy()])
    return np.concatenate(parts)
