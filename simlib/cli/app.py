"""The application that every command joins, and the options that commands share."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from simlib._version import __version__
from simlib.cli import completion
from simlib.cli.streams import say

FAILED = 1
AS_OF = "2024-12-31"
"""The date as of which the bundled scenarios know the record."""

_COMMANDS = (
    *("catalog", "run", "figure", "report", "compare", "explore", "evidence", "forecast"),
    "register",
    "lever",
)
"""Modules ``..._commands`` that join the application as they are imported."""


app = typer.Typer(
    name="simlib",
    help="Simulate scenarios: agents decide, incidents happen, outcomes are counted.",
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def examples(*lines: str) -> str:
    """Lines of a command's help that show it at work."""
    # The backspace keeps the lines as they are.
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])


ScenarioName = Annotated[
    str,
    Argument(
        help="A scenario file, or the name of a bundled one (simlib list).",
        autocompletion=completion.scenarios,
    ),
]
Results = Annotated[
    Path,
    Argument(help="A results directory that simlib run wrote.", autocompletion=completion.results),
]
Source = Annotated[
    str,
    Argument(
        help="A scenario file, the name of a bundled one, or a results directory.",
        autocompletion=completion.sources,
    ),
]
Replications = Annotated[
    int | None,
    Option(
        "--replications",
        "-n",
        help="How many; as many as the scenario or the results say when not given.",
    ),
]
Until = Annotated[
    str | None,
    Option(
        help="Stop when this holds: 'OUTCOME[.CLASS] +- HALF_WIDTH' or, of several options, "
        "'wrong ranking of OUTCOME < P'. --replications is then the most (100,000)."
    ),
]
RootSeed = Annotated[int | None, Option(help="Replaces the scenario's.")]
Outcomes = Annotated[
    list[str] | None,
    Option(
        "--outcome",
        metavar="OUTCOME[.CLASS]",
        help="Of these outcomes only; repeated, or with commas.",
        autocompletion=completion.outcomes,
    ),
]
Every = Annotated[bool, Option("--all", help="Every row of the table, with names of outcomes.")]
AsOf = Annotated[str, Option(metavar="DATE", help="Nothing dated or published later is used.")]
Jobs = Annotated[
    int | None,
    Option("--jobs", "-j", help="Worker processes; one for each core when not given."),
]
OneOption = Annotated[
    str | None, Option(help="Under this option.", autocompletion=completion.options)
]
Scheduler = Annotated[
    str | None,
    Option(metavar="ADDRESS", help="Run on the workers of this Dask scheduler."),
]
DaskLocal = Annotated[
    int | None,
    Option(metavar="N", help="Run on N Dask workers started on this machine."),
]
Folder = Annotated[
    Path | None,
    Option("-o", "--output", help="Directory for what is simulated, tables and figures."),
]
Force = Annotated[
    bool,
    Option("--force", help="Replace files that it did not write too; never an input."),
]


@app.callback(invoke_without_command=True)
def _version(
    version: Annotated[bool, Option("--version", help="Print the version.")] = False,  # noqa: FBT002
) -> None:
    if version:
        say(f"simlib {__version__}")
        raise typer.Exit


for _name in _COMMANDS:
    importlib.import_module(f"simlib.cli.{_name}_commands")
