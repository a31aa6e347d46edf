"""Text in a given number of columns: nothing is cut off, and what belongs together stays so."""

from __future__ import annotations

import shutil
import textwrap
from typing import TYPE_CHECKING

from simlib.cli.streams import say
from simlib.statistics.formatting import tied

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NARROWEST, WIDEST = 60, 100
"""Columns that text is set in: never fewer, whatever the terminal has, and never more."""
LEAST = 8
"""Columns that a column of a table keeps."""
_TIE = "\N{WORD JOINER}"


def width(usual: int = 80, most: int = WIDEST) -> int:
    """Columns that text is set in; as many as are usual where there is no terminal."""
    return min(max(shutil.get_terminal_size((usual, 24)).columns, NARROWEST), most)


def folded(text: str, columns: int, indent: str = "", more: str | None = None) -> list[str]:
    """Text in lines of so many columns; a number stays with its sign, and n with its number.

    Lines after the first have an indent of their own: two columns more, where none is given.
    """
    more = (indent + "  " if indent else "") if more is None else more
    lines = textwrap.wrap(
        tied(text, _TIE), max(columns, 1), initial_indent=indent, subsequent_indent=more,
        break_on_hyphens=False,
    )  # fmt: skip
    return [line.replace(_TIE, " ") for line in lines]


def paragraph(text: str, indent: str = "", more: str | None = None) -> None:
    """Write text in lines that fit; a line that is a command stays whole, to be copied."""
    for part in text.splitlines():
        is_command = part.startswith("simlib ")
        for line in [part] if is_command else folded(part, width(), indent, more):
            say(line)


def side_by_side(cells: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    """Iterate over the lines of a row whose cells are folded to their columns."""
    columns = [
        folded(cell, n) if len(cell) > n else [cell] for cell, n in zip(cells, widths, strict=True)
    ]
    for i in range(max(map(len, columns))):
        parts = [lines[i] if i < len(lines) else "" for lines in columns]
        yield "  ".join(part.ljust(n) for part, n in zip(parts, widths, strict=True)).rstrip()


def fitting(rows: Sequence[Sequence[str]], columns: int) -> list[int]:
    """The widths of a table's columns: as wide as its cells, the widest narrower until all fit.

    Examples
    --------
    >>> fitting([["name", "a" * 50], ["x", "b"]], 60), fitting([["name", "a" * 80]], 60)
    ([4, 50], [4, 54])
    """
    cells = list(zip(*rows, strict=True))
    widths = [max(map(len, column)) for column in cells]
    words = [
        max((len(word) for cell in column for word in cell.split()), default=1) for column in cells
    ]
    # Whole words first; where even these do not fit, they are broken.
    for least in (words, [LEAST] * len(widths)):
        room = [width - low for width, low in zip(widths, least, strict=True)]
        while sum(widths) + 2 * (len(widths) - 1) > columns and max(room) > 0:
            widest = max((i for i, free in enumerate(room) if free > 0), key=widths.__getitem__)
            widths[widest] -= 1
            room[widest] -= 1
    return widths
