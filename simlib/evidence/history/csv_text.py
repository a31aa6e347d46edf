"""Bytes of a published table to columns of text that know their row."""

from __future__ import annotations

import csv
import gzip
import io
import lzma
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simlib.evidence.history.refusals import HistoryError
from simlib.files import read_regular
from simlib.scenario.wording import bare, shown

if TYPE_CHECKING:
    from collections.abc import Container
    from pathlib import Path

MOST_BYTES = 2**30
"""Largest table that is read, unpacked."""


@dataclass(frozen=True, slots=True)
class TextTable:
    """Columns of text.

    Attributes
    ----------
    file
        Name of the file, for messages.
    rows
        Line of the file each record ends on; the header is line 1.
    header
        Names of all columns.
    columns
        Values of the wanted columns by name, each as long as ``rows``.
    """

    file: str
    rows: list[int]
    header: tuple[str, ...]
    columns: dict[str, list[str]]


def read_table(path: Path, wanted: Container[str]) -> TextTable:
    """Read a table with commas; ``.gz`` and ``.zip`` are unpacked.

    Parameters
    ----------
    path
        The file.
    wanted
        Columns to keep: published tables have long texts that nothing here reads.

    Raises
    ------
    HistoryError
        It cannot be read, is empty, is no UTF-8 text, is no table with commas, or a record
        has another number of values than the header.
    """
    name = bare(path.name)
    data = _unpacked(path, name)
    if not data.strip():
        raise HistoryError(f"{name}: must hold a table (got an empty file)")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        value = f"0x{data[error.start]:02x}"
        raise HistoryError(f"{name}: row {row}: must be UTF-8 text (got byte {value})") from None
    return _split(text, name, wanted)


def _unpacked(path: Path, name: str) -> bytes:
    data = read_regular(
        path, MOST_BYTES, refuse=lambda _path, rule: HistoryError(f"{name}: {rule}")
    )
    try:
        if path.suffix == ".zip":
            data = _from_zip(data, name)
        elif path.suffix == ".gz":
            with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
                data = packed.read(MOST_BYTES + 1)
    except _DAMAGED as error:
        raise HistoryError(f"{name}: cannot be unpacked ({bare(str(error).lower())})") from None
    if len(data) > MOST_BYTES:
        raise HistoryError(f"{name}: must be at most {MOST_BYTES} bytes, unpacked")
    return data


_DAMAGED = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError,
    # A password is wanted; a way of packing that is not known.
    RuntimeError, NotImplementedError,
)  # fmt: skip
"""What unpacking ends in where an archive is damaged or closed."""


def _from_zip(data: bytes, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        members = [member for member in packed.namelist() if member.lower().endswith(".csv")]
        if len(members) != 1:
            raise HistoryError(f"{name}: must hold one CSV file (got {len(members)})")
        with packed.open(members[0]) as file:
            return file.read(MOST_BYTES + 1)


def _split(text: str, name: str, wanted: Container[str]) -> TextTable:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[int] = []
    try:
        header = tuple(column.strip() for column in next(reader))
        _check_header(header, name)
        kept = [i for i, column in enumerate(header) if column in wanted]
        columns: list[list[str]] = [[] for _ in kept]
        for record in reader:
            if not record:
                continue
            if len(record) != len(header):
                got = f"must have {len(header)} values (got {len(record)})"
                raise HistoryError(f"{name}: row {reader.line_num}: {got}")
            rows.append(reader.line_num)
            for column, i in zip(columns, kept, strict=True):
                column.append(record[i])
    except csv.Error as error:
        where = f"{name}: row {reader.line_num}"
        raise HistoryError(f"{where}: is no table with commas ({bare(str(error))})") from None
    if not rows:
        raise HistoryError(f"{name}: must hold a row below the header (got none)")
    values = {header[i]: column for i, column in zip(kept, columns, strict=True)}
    return TextTable(name, rows, header, values)


def _check_header(header: tuple[str, ...], name: str) -> None:
    if len(header) < 2:
        met = shown(header[0]) if header else "nothing"
        raise HistoryError(f"{name}: row 1: is no table with commas (got {met})")
    twice = next((column for column in header if header.count(column) > 1), None)
    if twice is not None:
        raise HistoryError(f"{name}: row 1: column stands twice (got {shown(twice)})")
