"""What was found of the same question elsewhere: tables that other commands wrote into folders."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from simlib.errors import StoreError
from simlib.files import read_regular
from simlib.files.outputs import RECORD

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_MOST_BYTES = 2**24
MOST_ROWS, MOST_COLUMNS = 60, 12
"""Of a table of others that the report shows; what it leaves out it counts."""
_OWN = {"figures", "report"}
"""Commands whose files are pictures, or the report itself."""


@dataclass(frozen=True, slots=True)
class CompanionTable:
    """A table of a folder, as far as it is shown."""

    command: str
    file: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    n_rows: int
    n_columns: int


def companions_of(results: Path, given: Iterable[Path]) -> list[CompanionTable]:
    """Read the tables of folders: those given, and those that lie in the results' own.

    Raises
    ------
    StoreError
        A folder that is given holds no table that a command of simlib wrote, or one that
        cannot be read.
    """
    beside = sorted(folder for folder in results.iterdir() if (folder / RECORD).is_file())
    found = [table for folder in beside for table in _tables_of(folder)]
    for folder in given:
        tables = list(_tables_of(folder))
        if not tables:
            raise StoreError(
                f"{folder}: holds no table that a command wrote with -o, such as simlib "
                "sensitivity, diff or why"
            )
        found += tables
    return found


def _tables_of(folder: Path) -> Iterator[CompanionTable]:
    """Every table that is on record, by the last line of the record that names it."""
    record = folder / RECORD
    if not record.is_file():
        return
    commands: dict[str, str] = {}
    for line in read_regular(record, _MOST_BYTES).decode(errors="replace").splitlines():
        try:
            _, command, name = json.loads(line)
        except (ValueError, TypeError):
            continue  # a line that was cut off
        if str(name).endswith(".csv") and str(command) not in _OWN:
            commands[str(name)] = str(command)
    for name, command in commands.items():
        # A record that was edited could name a file elsewhere.
        if Path(name).name == name and (folder / name).is_file():
            yield _table_of(folder / name, command)


def _table_of(file: Path, command: str) -> CompanionTable:
    text = read_regular(file, _MOST_BYTES).decode("utf-8-sig", errors="replace")
    try:
        heads, *rows = list(csv.reader(io.StringIO(text))) or [[]]
    except csv.Error as error:
        raise StoreError(f"{file}: is no table ({error})") from error
    shown = tuple(tuple(row[:MOST_COLUMNS]) for row in rows[:MOST_ROWS])
    where = f"{file.parent.name}/{file.name}"
    return CompanionTable(command, where, tuple(heads[:MOST_COLUMNS]), shown, len(rows), len(heads))
