"""What other analyses found: what commands wrote into folders, and findings themselves."""

from __future__ import annotations

import base64
import csv
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from simlib.errors import StoreError
from simlib.files import csv_bytes, read_regular
from simlib.files.outputs import RECORD
from simlib.plot.style import image

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from simlib.finding import Finding

_MOST_BYTES = 2**24
MOST_ROWS, MOST_COLUMNS = 60, 12
"""Of each table that stands beside results; what is left out is counted."""
MOST_CELLS = 8_000
"""Of all tables of a page that is of an analysis alone."""
MOST_PICTURED = 600_000
"""Bytes of all its figures."""
_SHADES = 64
"""Colours of a figure: what is flat needs no more, and takes a third of the bytes."""
_OF_PARAMETERS = ("parameter", "group")
"""Columns that may name parameters of the scenario."""
_OWN = {"figures", "report"}
"""Commands whose files are pictures of results, or the report itself."""


@dataclass(frozen=True, slots=True)
class CompanionTable:
    """A table, as far as it is shown."""

    file: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    n_rows: int
    n_columns: int

    @property
    def is_number(self) -> tuple[bool, ...]:
        """Of each column whether it holds numbers and nothing else."""
        columns = (list(filter(None, column)) for column in zip(*self.rows, strict=True))
        return tuple(bool(column) and all(map(_is_number, column)) for column in columns)


class PicturedFigure(NamedTuple):
    """A figure, as the page has it."""

    file: str
    data: str
    """In base 64."""
    width: int


@dataclass(frozen=True, slots=True)
class Companion:
    """What an analysis found: in sentences, tables and figures."""

    command: str
    folder: str
    sentences: tuple[str, ...]
    tables: tuple[CompanionTable, ...]
    figures: tuple[PicturedFigure, ...] = ()
    n_figures: int = 0


def companions_of(
    results: Path, given: Iterable[Finding | Path], grades: Mapping[str, str]
) -> list[Companion]:
    """What stands beside results: findings and folders given, and what lies in their own folder.

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
    beside = [results, *sorted(each for each in results.iterdir() if each.is_dir())]
    found = [companion for folder in beside for companion in _kept_in(folder, grades)]
    for each in given:
        found += companions_in(each, grades)
    return found


def companions_in(
    given: Finding | Path, grades: Mapping[str, str] | None = None, *, is_alone: bool = False
) -> list[Companion]:
    """What a finding says, or what commands left in a folder.

    What stands alone on its page has figures, and more of its tables.

    Raises
    ------
    StoreError
        The folder holds no table that a command of simlib wrote, or one that cannot be read.
    """
    if not isinstance(given, Path):
        files = {f"{name}.csv": csv_bytes(table) for name, table in given.tables().items()}
        if is_alone:
            files |= {f"{name}.png": image(draw()) for name, draw in given.figures().items()}
        made = _Files(given.stem, "", tuple(given.sentences()), files)
        return [_companion(made, grades or {}, is_alone=is_alone)]
    if found := list(_kept_in(given, grades or {}, is_alone=is_alone)):
        return found
    raise StoreError(
        f"{given}: holds no table that a command wrote with -o, such as simlib "
        "sensitivity, diff or why"
    )


class _Files(NamedTuple):
    """What a command wrote into a folder."""

    command: str
    folder: str
    sentences: tuple[str, ...]
    content: Mapping[str, bytes]


def _kept_in(
    folder: Path, grades: Mapping[str, str], *, is_alone: bool = False
) -> Iterator[Companion]:
    """What each command left, by the last line of the folder's record that names a file."""
    record = folder / RECORD
    if not record.is_file():
        return
    commands: dict[str, str] = {}
    for line in read_regular(record, _MOST_BYTES).decode(errors="replace").splitlines():
        try:
            _, command, name = json.loads(line)
        except (ValueError, TypeError):
            continue  # a line that was cut off
        commands[str(name)] = str(command)
    for command in dict.fromkeys(each for each in commands.values() if each not in _OWN):
        # A record that was edited could name a file elsewhere.
        names = [n for n, c in commands.items() if c == command and Path(n).name == n]
        content = {
            name: read_regular(folder / name, _MOST_BYTES)
            for name in names
            if Path(name).suffix in {".txt", ".csv", ".png"} and (folder / name).is_file()
        }
        said = [data.decode(errors="replace") for n, data in content.items() if n.endswith(".txt")]
        sentences = tuple(line for text in said for line in text.splitlines() if line.strip())
        made = _Files(command, folder.name, sentences, content)
        if any(name.endswith(".csv") for name in content):
            yield _companion(made, grades, is_alone=is_alone)


def _companion(made: _Files, grades: Mapping[str, str], *, is_alone: bool) -> Companion:
    texts = {n: data.decode("utf-8-sig", errors="replace")
             for n, data in made.content.items() if n.endswith(".csv")}  # fmt: skip
    room = MOST_CELLS // max(len(texts), 1) if is_alone else 0
    tables = tuple(_parsed(text, name, grades, room) for name, text in texts.items())
    figures = {n: data for n, data in made.content.items() if n.endswith(".png")}
    pictures = tuple(_pictured(figures)) if is_alone else ()
    return Companion(made.command, made.folder, made.sentences, tables, pictures, len(figures))


def _parsed(text: str, file: str, grades: Mapping[str, str], room: int) -> CompanionTable:
    """A table, up to so many cells; up to `MOST_ROWS` and `MOST_COLUMNS` where there is no room."""
    try:
        heads, *rows = list(csv.reader(io.StringIO(text))) or [[]]
    except csv.Error as error:
        raise StoreError(f"{file}: is no table ({error})") from error
    named = next((heads.index(name) for name in _OF_PARAMETERS if name in heads), None)
    if named is not None and any(len(row) > named and row[named] in grades for row in rows):
        for row, grade in zip([heads, *rows], _grades(rows, named, grades), strict=True):
            row.insert(named + 1, grade)
    n_columns = len(heads)
    columns = n_columns if room else MOST_COLUMNS
    most = max(room // max(n_columns, 1), MOST_ROWS)
    # What was cut short or has cells too many is shown as wide as its head.
    shown = tuple(tuple((row + [""] * n_columns)[:n_columns][:columns]) for row in rows[:most])
    return CompanionTable(file, tuple(heads[:columns]), shown, len(rows), n_columns)


def _grades(rows: list[list[str]], named: int, grades: Mapping[str, str]) -> Iterator[str]:
    yield "grade"
    for row in rows:
        yield grades.get(row[named], "") if len(row) > named else ""


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _pictured(figures: Mapping[str, bytes]) -> Iterator[PicturedFigure]:
    """Figures in few colours, as many as a page has room for."""
    from PIL import Image

    left = MOST_PICTURED
    for name, data in figures.items():
        try:
            with Image.open(io.BytesIO(data), formats=["PNG"]) as drawn:
                width = drawn.width
                few = drawn.convert("RGB").quantize(_SHADES)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            raise StoreError(f"{name}: is no picture ({error})") from error
        content = io.BytesIO()
        few.save(content, "PNG", optimize=True)
        encoded = base64.b64encode(content.getvalue()).decode()
        left -= len(encoded)
        if left >= 0:
            yield PicturedFigure(name, encoded, width)
