"""What every command does: load a scenario or results, say what was found, keep it."""

from __future__ import annotations

import contextlib
import math
import os
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from simlib.cli.folding import fitting, paragraph, side_by_side, width
from simlib.cli.progress import checking, stopping
from simlib.cli.streams import clean, say, tell
from simlib.errors import Problem, ScenarioError
from simlib.files import Output

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    import pandas as pd

    from simlib.ensemble import Ensemble
    from simlib.ensemble.execution import Execution
    from simlib.finding import Finding
    from simlib.scenario.schema import Scenario

_KINDS = {".png": "figure", ".md": "page", ".txt": "sentences"}
DEFAULT = "as_agreed"
"""The scenario that is meant where none is named."""
HINT = "nothing is kept; give -o DIRECTORY to keep it with tables and figures"


def load_scenario(scenario: str, *, is_simulated: bool = True, is_told: bool = True) -> Scenario:
    """A scenario by its file or bundled name.

    Simulating it takes its agents; what it is for is then told.
    """
    from simlib.agents.registry import agent_names
    from simlib.scenario import load

    installed = agent_names() if is_simulated else None
    loaded = load(scenario, agents=installed, is_closed=is_simulated)
    if is_simulated and is_told:
        tell(f"context of use: {loaded.context_of_use}")
    return loaded


def scenario_and_name(names: list[str], command: str, what: str) -> tuple[str, str]:
    """The scenario and the name in it that a command is asked for; empty for all names."""
    from simlib.scenario.bundled import scenario_names

    if len(names) > 2:
        rule = f"must be a scenario and {what} at most (got {', '.join(names)})"
        raise ScenarioError([Problem(command, rule)])
    if len(names) == 2:
        return names[0], names[1]
    if not names:
        return DEFAULT, ""
    suffix = os.path.splitext(names[0])[1]  # noqa: PTH122  (a name of any length)
    if suffix in {".yaml", ".yml", ".json"} or names[0] in scenario_names():
        return names[0], ""
    return DEFAULT, names[0]


def is_folder(source: str) -> bool:
    """Whether a source is a folder, of results then: text of any length may be asked about."""
    return os.path.isdir(source)  # noqa: PTH112  (a path raises where a name is too long)


def opened(source: str, *, is_told: bool = True) -> Scenario | Ensemble:
    """The results of a directory, or else a scenario that is to be simulated."""
    if is_folder(source):
        from simlib.ensemble import open_results

        return open_results(source)
    return load_scenario(source, is_told=is_told)


def names(given: Iterable[str] | None) -> list[str]:
    """Names that are given one by one, or with commas between them; a lone empty one is kept."""
    every = [name.strip() for text in given or () for name in text.split(",")]
    return [name for name in every if name] or every[:1]  # nothing given is not all


def as_date(text: str) -> dt.date:
    """A date, or the complaint that it is none."""
    from simlib.scenario.requests import day

    return day("date", text)


def workers(jobs: int | None, scheduler: str | None, dask_local: int | None) -> dict[str, Any]:
    """Where replications run, as `simlib.run` takes it."""
    if sum(given is not None for given in (jobs, scheduler, dask_local)) > 1:
        raise ScenarioError([Problem("jobs", "give one of --jobs, --scheduler and --dask-local")])
    if dask_local is not None:
        return {"jobs": dask_local, "scheduler": "local"}
    return {"jobs": jobs, "scheduler": scheduler}


@contextlib.contextmanager
def running(directory: Path | None, jobs: int | None) -> Iterator[Execution]:
    """Say where work runs; its progress is told, and what is kept when it is stopped."""
    with stopping(directory) as reporter:
        yield {"jobs": jobs, "directory": directory, "progress": reporter}


def output_of(command: str, folder: Path | None, *, force: bool) -> Output | None:
    """Where a command writes tables and figures, if it is to: a folder that is made if needed.

    What the command wrote before it may replace; other files only by force.

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


def present(kept: Output | None, *found: Finding, hint: str = HINT) -> None:
    """Print what was found, in sentences and brief tables; write its tables and figures.

    Where nothing is written, the hint is said.

    Raises
    ------
    StoreError
        A file is there that the command did not write, or one cannot be written.
    """
    for each in found:
        for sentence in each.sentences():
            paragraph(sentence, more="  ")
        for title, table in each.briefs().items():
            show(table, title)
    if kept is None and hint:
        say(hint)
    if kept is not None:
        for path in (path for each in found for path in each.write(kept)):
            say(f"{_KINDS.get(path.suffix, 'table')}: {path}")


def draw(
    ensemble: Ensemble,
    output: Output,
    names: Iterable[str] = (),
    *,
    kind: str = "png",
    jobs: int | None = None,
    note: Callable[[str], None] = say,
) -> list[Path]:
    """Draw figures by workers, note how many were there already, and return their files."""
    from simlib.ensemble.execution import checked_jobs
    from simlib.ensemble.executors import n_cores
    from simlib.plot import draw as drawn

    n_workers = n_cores() if jobs is None else checked_jobs(jobs)
    with checking("figures drawn", is_told=True) as progress:
        found = drawn(ensemble, output, names, kind=kind, jobs=n_workers, progress=progress)
    n = len(found.files)
    there = f", {n - found.n_new} of them there already" if found.n_new < n else ""
    if n and not found.n_new:
        there = ", all there already: nothing is drawn"
    note(f"figures: {output.folder} ({n} {'file' if n == 1 else 'files'}{there})")
    return found.files


def show(table: pd.DataFrame, title: str = "") -> None:
    """Print a table under its title."""
    lines = [tuple(map(_cell, row)) for row in table.itertuples(index=False, name=None)]
    show_lines([Head(str(name)) for name in table.columns], lines, title)


def _cell(value: object) -> str:
    from simlib.statistics.formatting import number

    if isinstance(value, float):
        return "" if math.isnan(value) else number(value)
    return str(value)


class Head(NamedTuple):
    """The head of a column, and how a terminal has the column."""

    name: str
    how: dict[str, Any] | None = None
    """As rich takes it; it is folded when not given."""
    is_first_to_go: bool = False
    """Whether it is left out where the terminal is narrow."""


_WIDE = 120
"""Columns of a terminal that hold a whole table."""


def show_lines(
    columns: Sequence[Head], lines: Iterable[Sequence[str]], title: str = "", note: str = ""
) -> None:
    """Print lines of cells: as a table on a terminal, as aligned text elsewhere."""
    lines = [[clean(cell) for cell in line] for line in lines]
    if sys.stdout.isatty():
        _show_rich(columns, lines, title, note)
        return
    if title:
        say(title)
    rows = [[column.name for column in columns], *lines]
    widths = fitting(rows, width(_WIDE, _WIDE))
    for line in (line for row in rows for line in side_by_side(row, widths)):
        say(line)
    if note:
        say(note)


def _show_rich(
    columns: Sequence[Head], lines: Iterable[Sequence[str]], title: str, note: str
) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    shown = [not column.is_first_to_go or console.width >= _WIDE for column in columns]
    table = Table(
        title=Text(title) if title else None, caption=Text(note) if note else None,
        box=SIMPLE_HEAD, title_justify="left",
    )  # fmt: skip
    for column, is_shown in zip(columns, shown, strict=True):
        if is_shown:
            table.add_column(Text(column.name), **(column.how or {"overflow": "fold"}))
    for line in lines:
        cells = zip(line, shown, strict=True)
        table.add_row(*(Text(cell) for cell, is_shown in cells if is_shown))
    console.print(table)
