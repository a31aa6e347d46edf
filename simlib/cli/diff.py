"""The command that compares two scenarios and says what their differences do."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from simlib.cli.app import Force, Jobs, app, examples
from simlib.cli.findings import keep, output_of, show
from simlib.cli.progress import stopping
from simlib.errors import Problem, ScenarioError


@app.command(
    epilog=examples(
        "simlib diff withdrawal_changes_nothing withdrawal_raises_attacks",
        "simlib diff as_agreed mine.yaml --no-runs",
        "simlib diff as_agreed mine.yaml --outcome isis_attacks_iraq_year_1 --replications 200 "
        "-o out/diff",
        "simlib diff as_agreed mine.yaml --group effect=parameters.withdrawal "
        "--group borders=state.border,parameters.border",
    )
)
def diff(  # noqa: PLR0913, PLR0917  (options of a command line)
    before: Annotated[str, typer.Argument(help="A scenario file, or a bundled name.")],
    after: Annotated[str, typer.Argument(help="The other; gaps are of it less the first.")],
    outcome: Annotated[
        list[str] | None,
        typer.Option(help="OUTCOME or OUTCOME.CLASS; may be repeated; all when not given."),
    ] = None,
    replications: Annotated[
        int, typer.Option(min=1, help="Of each set of changes: 2 ** groups sets are simulated.")
    ] = 100,
    group: Annotated[
        list[str] | None,
        typer.Option(help="NAME=PATH[,PATH...]: changes that are taken together."),
    ] = None,
    runs: Annotated[  # noqa: FBT002
        bool, typer.Option(help="Simulate; without, only what differs is listed.")
    ] = True,
    jobs: Jobs = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Directory for tables and figures.")
    ] = None,
    force: Force = False,  # noqa: FBT002
) -> None:
    """Say what differs between two scenarios, and split the gap of outcomes over it."""
    from simlib.analysis.compare.attribution import diff as compared

    kept = output_of("diff", output, force=force)
    with stopping(output) as reporter:
        result = compared(
            before,
            after,
            outcomes=outcome or None,
            groups=_groups(group or []),
            replications=replications if runs else 0,
            jobs=jobs,
            directory=output,
            progress=reporter,
        )
    show(result.sentences())
    for title, table in result.briefs().items():
        show((), table, title)
    if kept is not None and result.changes.found:
        keep(kept, result.tables(), result.figures())


def _groups(given: list[str]) -> dict[str, list[str]]:
    found = {}
    for text in given:
        name, equals, paths = text.partition("=")
        if not equals or not name or not paths:
            raise ScenarioError([Problem("group", f"must be NAME=PATH[,PATH...] (got {text!r})")])
        found[name] = paths.split(",")
    return found
