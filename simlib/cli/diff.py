"""The command that compares two scenarios and says what their differences do."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simlib.cli.app import Force, Jobs, app, examples
from simlib.cli.findings import keep, output_of, show
from simlib.cli.progress import stopping
from simlib.cli.text import say
from simlib.errors import Problem, ScenarioError
from simlib.files import distinct

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes

    from simlib.analysis.compare.attribution import Attribution


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
    for line in result.changes.listed:
        say(f"changes no number: {line}")
    if not result.changes.found:
        say("no difference that a number rests on")
        return
    show((), result.changes_table(), "what differs")
    show(result.sentences())
    if kept is not None:
        tables = {"changes": result.changes_table()}
        keep(kept, tables | ({"gaps": result.table()} if result.n else {}), _figures(result))


def _groups(given: list[str]) -> dict[str, list[str]]:
    found = {}
    for text in given:
        name, equals, paths = text.partition("=")
        if not equals or not name or not paths:
            raise ScenarioError([Problem("group", f"must be NAME=PATH[,PATH...] (got {text!r})")])
        found[name] = paths.split(",")
    return found


def _figures(result: Attribution) -> dict[str, Callable[[], Axes]]:
    """Return what draws the clear gaps: their whole way, group by group."""
    from simlib.plot import attribution

    names = distinct((str(gap.column) for gap in result.gaps if gap.is_clear), as_they_are=True)
    return {f"gap_{name}": partial(attribution, result, each) for each, name in names.items()}
