"""What was found of the same question elsewhere: tables that other commands wrote into folders."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from simlib.errors import StoreError
from simlib.files import csv_bytes, read_regular
from simlib.files.outputs import RECORD

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from simlib.finding import Finding

_MOST_BYTES = 2**24
MOST_ROWS, MOST_COLUMNS = 60, 12
"""Of a table of others that the report shows; what it leaves out it counts."""
_OF_PARAMETERS = ("parameter", "group")
"""Columns that may name parameters of the scenario."""
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


def companions_of(
    results: Path, given: Iterable[Finding | Path], grades: Mapping[str, str]
) -> list[CompanionTable]:
    """The tables of findings and folders: those given, and those in the results' own folders.

    A table of parameters gets a column that says what each rests on.

    Parameters
    ----------
    results
        The directory of results.
    given
        Findings, and folders elsewhere.
    grades
        What each parameter of the scenario rests on.

    Raises
    ------
    StoreError
        A folder that is given holds no table that a command of simlib wrote, or one that
        cannot be read.
    """
    beside = sorted(folder for folder in results.iterdir() if (folder / RECORD).is_file())
    found = [table for folder in beside for table in _tables_of(folder, grades)]
    for each in given:
        if isinstance(each, Path):
            found += _refuse_none(each, list(_tables_of(each, grades)))
        else:
            found += [
                _parsed(csv_bytes(table).decode("utf-8-sig"), each.stem, name, grades)
                for name, table in each.tables().items()
            ]
    return found


def _refuse_none(folder: Path, tables: list[CompanionTable]) -> list[CompanionTable]:
    if not tables:
        raise StoreError(
            f"{folder}: holds no table that a command wrote with -o, such as simlib "
            "sensitivity, diff or why"
        )
    return tables


def _tables_of(folder: Path, grades: Mapping[str, str]) -> Iterator[CompanionTable]:
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
            text = read_regular(folder / name, _MOST_BYTES).decode("utf-8-sig", errors="replace")
            yield _parsed(text, command, f"{folder.name}/{name}", grades)


def _parsed(text: str, command: str, where: str, grades: Mapping[str, str]) -> CompanionTable:
    try:
        heads, *rows = list(csv.reader(io.StringIO(text))) or [[]]
    except csv.Error as error:
        raise StoreError(f"{where}: is no table ({error})") from error
    named = next((heads.index(name) for name in _OF_PARAMETERS if name in heads), None)
    if named is not None and any(len(row) > named and row[named] in grades for row in rows):
        for row, grade in zip([heads, *rows], _grades(rows, named, grades), strict=True):
            row.insert(named + 1, grade)
    shown = tuple(tuple(row[:MOST_COLUMNS]) for row in rows[:MOST_ROWS])
    return CompanionTable(command, where, tuple(heads[:MOST_COLUMNS]), shown, len(rows), len(heads))


def _grades(rows: list[list[str]], named: int, grades: Mapping[str, str]) -> Iterator[str]:
    yield "grade"
    for row in rows:
        yield grades.get(row[named], "") if len(row) > named else ""
