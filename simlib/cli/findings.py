"""What an analysis found, for people: sentences, a table, files that other tools open."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING

from simlib.cli.text import clean, say
from simlib.files import Output, csv_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def show(sentences: Iterable[str], table: pd.DataFrame | None = None, title: str = "") -> None:
    """Print sentences, then a table under its title."""
    for sentence in sentences:
        say(sentence)
    if table is not None:
        _show_table(title, [str(name) for name in table.columns], _rows(table))


def output_of(command: str, folder: Path | None, *, force: bool) -> Output | None:
    """Return where a command writes tables and figures, if it is to.

    Parameters
    ----------
    command
        Its name: what it wrote, it may replace.
    folder
        Made when it is not there.
    force
        Replace other files too.

    Raises
    ------
    StoreError
        Nothing can be written there.
    """
    if folder is None:
        return None
    output = Output(folder, command, force)
    output.refuse_unwritable()
    return output


def keep(
    output: Output,
    tables: Mapping[str, pd.DataFrame],
    figures: Mapping[str, Callable[[], Figure | Axes]] | None = None,
) -> None:
    """Write tables as CSV and figures as PNG to a folder, and say where.

    Parameters
    ----------
    output
        The folder.
    tables
        By name of the file, without its suffix.
    figures
        What draws each.

    Raises
    ------
    StoreError
        A file is there that the command did not write, or one cannot be written.
    """
    for name, table in tables.items():
        say(f"table: {output.write(f'{name}.csv', csv_bytes(table))}")
    for name, draw in (figures or {}).items():
        from simlib.plot.style import image

        say(f"figure: {output.write(f'{name}.png', image(draw()))}")


def _rows(table: pd.DataFrame) -> list[tuple[str, ...]]:
    return [tuple(map(_cell, row)) for row in table.itertuples(index=False, name=None)]


def _cell(value: object) -> str:
    from simlib.statistics.formatting import number

    if isinstance(value, float):
        return "" if math.isnan(value) else number(value)
    return clean(str(value))


def _show_table(title: str, head: Sequence[str], rows: Sequence[tuple[str, ...]]) -> None:
    if sys.stdout.isatty():
        _show_rich(title, head, rows)
        return
    if title:
        say(title)
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for line in (head, *rows):
        say("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _show_rich(title: str, head: Sequence[str], rows: Sequence[tuple[str, ...]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(title) if title else None, box=SIMPLE_HEAD, title_justify="left")
    for name in head:
        table.add_column(Text(name), overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    Console().print(table)
