"""Published tables read into columns that know their row; the first bad value is named."""

from __future__ import annotations

import csv
import gzip
import io
import lzma
import re
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simlib.errors import SimlibError
from simlib.files import read_regular
from simlib.scenario.wording import bare, shown

if TYPE_CHECKING:
    from collections.abc import Container, Iterator
    from pathlib import Path

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

MOST_BYTES = 2**30
"""Largest table that is read, unpacked."""
MOST = 10**10
"""Largest number that is read; seconds since 1970 are the largest there are."""
YEARS = 1900, 2200
"""First and last year a date may be of."""
_SPAN = f"from {YEARS[0]} to {YEARS[1]}"
_MONTH = r"\d{4}-\d{2}"
_ISO = re.compile(r"^(\d{4}-\d{2}-\d{2})(?:[ T]\d{2}:\d{2}.*)?$")


class HistoryError(SimlibError):
    """An event file, or what is asked of it, is wrong."""


class LeakError(SimlibError):
    """Something was not known yet: it is dated or published after the date of the forecast."""


@dataclass(frozen=True, slots=True)
class TextTable:
    """Columns of text, read as what they hold; every refusal names file, row and value.

    ``rows`` are the lines of the file that records end on, the header being line 1. ``header``
    names all columns, ``columns`` holds the wanted ones; ``error`` is what a refusal is raised as.
    """

    file: str
    rows: list[int]
    header: tuple[str, ...]
    columns: dict[str, list[str]]
    error: type[SimlibError]

    def require(self, *names: str) -> None:
        """Refuse a table without one of some columns."""
        for name in names:
            if name not in self.columns:
                raise self.error(f"{self.file}: row 1: column must be given: {name}")

    def refuse(self, name: str, is_bad: NDArray[np.bool_], rule: str) -> None:
        """Refuse the first bad value of a column."""
        if is_bad.any():
            i = int(is_bad.argmax())
            got = shown(self.columns[name][i])
            raise self.error(f"{self.file}: row {self.rows[i]}: {name}: {rule} (got {got})")

    def whole(self, name: str) -> pd.Series[float]:
        """Read whole numbers from 0 to `MOST`."""
        numbers, is_good = _whole_numbers(self.columns[name])
        self.refuse(name, (~is_good).to_numpy(), f"must be a whole number from 0 to {MOST:g}")
        return numbers

    def counts(self, name: str) -> NDArray[np.int64]:
        """Read whole numbers from 0 to `MOST` as integers, shape (n_rows,)."""
        return self.whole(name).to_numpy().astype("int64")

    def months(self, name: str) -> NDArray[np.datetime64]:
        """Read months of `YEARS` written YYYY-MM, shape (n_rows,)."""
        import pandas as pd

        texts = pd.Series(self.columns[name], dtype="object")
        days = _days((texts.where(texts.str.fullmatch(_MONTH), "") + "-01").tolist())
        self.refuse(name, days.isna().to_numpy(), f"must be a month, YYYY-MM, {_SPAN}")
        return days.to_numpy().astype("datetime64[M]")

    def dates(self, name: str) -> pd.Series[pd.Timestamp]:
        """Read days of `YEARS`; times of day are left out."""
        dates = _days(self.columns[name])
        rule = "must be a date, as 2024-01-31 or 31 January 2024"
        self.refuse(name, dates.isna().to_numpy(), rule)
        return dates

    def instants(self, name: str) -> pd.Series[pd.Timestamp]:
        """Read the days of instants in seconds since 1970, or of dates."""
        import pandas as pd

        seconds, is_whole = _whole_numbers(self.columns[name])
        days = pd.to_datetime(seconds.where(is_whole), unit="s", errors="coerce")
        days = days.dt.normalize().astype("datetime64[s]").fillna(_days(self.columns[name]))
        self.refuse(name, days.isna().to_numpy(), "must be seconds since 1970 or a date")
        return days

    def by_month(self, key: str, *counts: str) -> dict[tuple[str, np.datetime64], tuple[int, ...]]:
        """Read counts by a key and the column ``month``, which stand together once."""
        months = self.months("month")
        columns = [self.counts(name).tolist() for name in counts]
        found: dict[tuple[str, np.datetime64], tuple[int, ...]] = {}
        for row, name, month, *values in zip(
            self.rows, self.columns[key], months, *columns, strict=True
        ):
            if (name, month) in found:
                raise self.error(f"{self.file}: row {row}: {name}, {month} stands twice")
            found[name, month] = tuple(values)
        return found


def _whole_numbers(values: list[str]) -> tuple[pd.Series[float], pd.Series[bool]]:
    """Give numbers, and which of them are whole and from 0 to `MOST`."""
    import pandas as pd

    texts = pd.Series(values, dtype="object")
    numbers = pd.to_numeric(texts, errors="coerce").astype("float64")
    return numbers, (numbers >= 0.0) & (numbers <= MOST) & (numbers % 1.0 == 0.0)


def _days(values: list[str]) -> pd.Series[pd.Timestamp]:
    """Give days, missing where a text is none of `YEARS`; times of day are left out."""
    import pandas as pd

    texts = pd.Series(values, dtype="object").str.strip()
    figures = texts.str.extract(_ISO, expand=False)
    days = pd.to_datetime(figures, format="%Y-%m-%d", errors="coerce")
    days = days.fillna(pd.to_datetime(texts, format="%d %B %Y", errors="coerce"))
    days = days.astype("datetime64[s]")
    first, last = YEARS
    return days.where((days.dt.year >= first) & (days.dt.year <= last))


def read_table(
    path: Path, wanted: Container[str], error: type[SimlibError] = HistoryError
) -> TextTable:
    """Read a table with commas; ``.gz`` and ``.zip`` are unpacked.

    Only the wanted columns are kept: published tables have long texts that nothing here reads. The
    error is raised when the file cannot be read, is empty, is no UTF-8 text, is no table with
    commas, or a record has another number of values than the header.
    """
    name = bare(path.name)
    data = _unpacked(path, name, error)
    if not data.strip():
        raise error(f"{name}: must hold a table (got an empty file)")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as bad:
        row = data.count(b"\n", 0, bad.start) + 1
        value = f"0x{data[bad.start]:02x}"
        raise error(f"{name}: row {row}: must be UTF-8 text (got byte {value})") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        return TextTable(*_columns(reader, name, wanted, error), error)
    except csv.Error as bad:
        where = f"{name}: row {reader.line_num}"
        raise error(f"{where}: is no table with commas ({bare(str(bad))})") from None


_DAMAGED = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError,
    # A password is wanted; a way of packing that is not known.
    RuntimeError, NotImplementedError,
)  # fmt: skip
"""What unpacking ends in where an archive is damaged or closed."""


def _unpacked(path: Path, name: str, error: type[SimlibError]) -> bytes:
    data = read_regular(path, MOST_BYTES, refuse=lambda _path, rule: error(f"{name}: {rule}"))
    try:
        if path.suffix == ".zip":
            data = _from_zip(data, name, error)
        elif path.suffix == ".gz":
            with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
                data = packed.read(MOST_BYTES + 1)
    except _DAMAGED as bad:
        raise error(f"{name}: cannot be unpacked ({bare(str(bad).lower())})") from None
    if len(data) > MOST_BYTES:
        raise error(f"{name}: must be at most {MOST_BYTES} bytes, unpacked")
    return data


def _from_zip(data: bytes, name: str, error: type[SimlibError]) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        members = [member for member in packed.namelist() if member.lower().endswith(".csv")]
        if len(members) != 1:
            raise error(f"{name}: must hold one CSV file (got {len(members)})")
        with packed.open(members[0]) as file:
            return file.read(MOST_BYTES + 1)


def _columns(
    reader: Any, name: str, wanted: Container[str], error: type[SimlibError]
) -> tuple[str, list[int], tuple[str, ...], dict[str, list[str]]]:
    """Split a table into name, lines, header and the wanted columns."""
    header = tuple(column.strip() for column in next(reader))
    for rule in _header_problems(header):
        raise error(f"{name}: row 1: {rule}")
    kept = [i for i, column in enumerate(header) if column in wanted]
    columns: list[list[str]] = [[] for _ in kept]
    rows: list[int] = []
    for record in filter(None, reader):
        if len(record) != len(header):
            got = f"must have {len(header)} values (got {len(record)})"
            raise error(f"{name}: row {reader.line_num}: {got}")
        rows.append(reader.line_num)
        for column, i in zip(columns, kept, strict=True):
            column.append(record[i])
    if not rows:
        raise error(f"{name}: must hold a row below the header (got none)")
    return name, rows, header, {header[i]: column for i, column in zip(kept, columns, strict=True)}


def _header_problems(header: tuple[str, ...]) -> Iterator[str]:
    if len(header) < 2:
        yield f"is no table with commas (got {shown(header[0]) if header else 'nothing'})"
    for column in header:
        if header.count(column) > 1:
            yield f"column stands twice (got {shown(column)})"
