"""The application that every command joins, and what commands share."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simlib._version import __version__
from simlib.cli.text import say
from simlib.errors import Problem, ScenarioError

if TYPE_CHECKING:
    from simlib.scenario.schema import Scenario

FAILED = 1

_COMMANDS = (
    *("analogues", "backtest", "calibrate", "commands", "comparing", "diff", "excitation"),
    *("exploring", "forecast", "history", "invert", "readings", "register", "sensitivity"),
    *("voi", "why"),
)
"""Modules whose commands join the application as they are imported."""


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
    """Return lines of a command's help that show it at work."""
    # The backspace keeps the lines as they are.
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])


ScenarioName = Annotated[str, typer.Argument(help="A scenario file, or the name of a bundled one.")]
Until = Annotated[
    str | None,
    typer.Option(
        help="Stop when this holds: 'OUTCOME[.CLASS] +- HALF_WIDTH' or, of several options, "
        "'wrong ranking of OUTCOME < P'. --replications is then the most (100,000)."
    ),
]
Jobs = Annotated[
    int | None, typer.Option(help="Worker processes; one for each core when not given.")
]
Scheduler = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="Run on the workers of this Dask scheduler."),
]
DaskLocal = Annotated[
    int | None,
    typer.Option(metavar="N", help="Run on N Dask workers started on this machine."),
]
Force = Annotated[
    bool,
    typer.Option("--force", help="Replace files that it did not write too; never an input."),
]
Results = Annotated[Path, typer.Argument(help="A results directory that simlib run wrote.")]


@app.callback(invoke_without_command=True)
def _version(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,  # noqa: FBT002
) -> None:
    if version:
        say(f"simlib {__version__}")
        raise typer.Exit


def is_folder(source: str) -> bool:
    """Whether a source is a folder, of results then: text of any length may be asked about."""
    return os.path.isdir(source)  # noqa: PTH112  (a path raises where a name is too long)


def load_scenario(scenario: str, *, is_simulated: bool = True) -> Scenario:
    """Return a scenario by its file or bundled name; simulating it takes its agents."""
    from simlib.agents.registry import agent_names
    from simlib.scenario import load

    return load(scenario, agents=agent_names() if is_simulated else None)


def workers(jobs: int | None, scheduler: str | None, dask_local: int | None) -> dict[str, Any]:
    """Return where replications run, as `simlib.run` takes it."""
    if sum(given is not None for given in (jobs, scheduler, dask_local)) > 1:
        raise ScenarioError([Problem("jobs", "give one of --jobs, --scheduler and --dask-local")])
    if dask_local is not None:
        return {"jobs": dask_local, "scheduler": "local"}
    return {"jobs": jobs, "scheduler": scheduler}


for _name in _COMMANDS:
    importlib.import_module(f"simlib.cli.{_name}")
