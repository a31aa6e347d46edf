"""The command that says what drives an outcome, or the difference between two options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from simlib.cli.app import Force, Jobs, ScenarioName, app, examples
from simlib.cli.findings import keep, output_of, show
from simlib.cli.progress import stopping
from simlib.errors import Problem, ScenarioError


@app.command(
    epilog=examples(
        "simlib sensitivity as_agreed --by kind -o out/",
        "simlib sensitivity as_agreed isis_attacks_iraq_year_1",
        "simlib sensitivity as_agreed isis_attacks_iraq_year_1 --by grade --samples 512",
        "simlib sensitivity as_agreed isis_attacks_iraq_year_1 --options as_agreed,extend_12m",
        "simlib sensitivity as_agreed isis_attacks_iraq_year_1 --method morris",
    )
)
def sensitivity(  # noqa: PLR0913, PLR0917  (options of a command line)
    scenario: ScenarioName,
    outcome: Annotated[
        list[str] | None, typer.Argument(help="OUTCOME or OUTCOME.CLASS; all when none is given.")
    ] = None,
    options: Annotated[
        str | None,
        typer.Option(metavar="A[,B]", help="One option, or two whose difference B - A is split."),
    ] = None,
    method: Annotated[
        str, typer.Option(help="sobol: shares of the variance; morris: screening.")
    ] = "sobol",
    by: Annotated[
        str, typer.Option(help="parameter, grade, kind, or parameters with commas between them.")
    ] = "parameter",
    samples: Annotated[
        int | None,
        typer.Option(help="Points of the sequence, a power of 2 (256), or paths of morris (10)."),
    ] = None,
    jobs: Jobs = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Directory that keeps what is found.")
    ] = None,
    force: Force = False,  # noqa: FBT002
) -> None:
    """Say what drives an outcome, or the difference between two options."""
    from simlib.ensemble.execution import Execution

    if method not in {"sobol", "morris"}:
        raise ScenarioError([Problem("method", f"must be sobol or morris (got {method})")])
    chosen = None if options is None else options.split(",")
    kept = output_of("sensitivity", output, force=force)
    with stopping(output) as reporter:
        where = Execution(jobs=jobs, directory=output, progress=reporter)
        if method == "morris":
            from simlib.analysis import screen

            n = 10 if samples is None else samples
            found: Any = screen(scenario, outcome, options=chosen, trajectories=n, **where)
        else:
            from simlib.analysis import sensitivity as split

            kind = by if by in {"parameter", "grade", "kind"} else by.split(",")
            n = 256 if samples is None else samples
            found = split(scenario, outcome, options=chosen, by=kind, samples=n, **where)
    show(found.sentences())
    for title, table in found.briefs().items():
        show((), table, title)
    if kept is not None:
        keep(kept, found.tables(), found.figures())
