"""Tables for people, as CSV in which no cell is a formula."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd


_HARMLESS = re.compile(r"[+-][\d., %()±to+-]*")
"""Text that begins with a sign and is an interval or a number: no name, nothing to call."""


def cell(value: Any) -> Any:
    """A value so that no spreadsheet takes it for a formula.

    Text that begins with ``=``, ``+``, ``-``, ``@``, a tab or a line break gets an apostrophe
    in front, as spreadsheets themselves mark text (OWASP, *CSV Injection*). Line breaks
    become those that are quoted: else what follows one would begin a row.

    Examples
    --------
    >>> cell("=1+1"), cell("@SUM(A1)"), cell("-3.1 to 2"), cell(-3.1)
    ("'=1+1", "'@SUM(A1)", '-3.1 to 2', -3.1)
    """
    if not isinstance(value, str):
        return value
    text = value.replace("\r\n", "\n").replace("\r", "\n")
    if not text.startswith(("=", "+", "-", "@", "\t", "\n")) or _HARMLESS.fullmatch(text):
        return text
    return f"'{text}"


def csv_bytes(table: pd.DataFrame, *, float_format: str | None = None) -> bytes:
    """A table as CSV in UTF-8, without its index; numbers with all digits or as ``%.6g`` says."""
    safe = table.rename(columns=cell)
    texts = [position for position, kind in enumerate(safe.dtypes) if kind.kind == "O"]
    for position in texts:  # by position: names may recur
        safe.isetitem(position, safe.iloc[:, position].map(cell, na_action="ignore").to_numpy())
    return safe.to_csv(index=False, float_format=float_format, lineterminator="\n").encode(
        errors="surrogatepass"
    )


def csv_of_rows(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """Rows under their heading as CSV in UTF-8."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([cell(name) for name in head])
    writer.writerows([cell(value) for value in row] for row in rows)
    return text.getvalue().encode(errors="surrogatepass")
