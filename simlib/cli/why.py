"""The command that says why two options differ."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from simlib.cli.app import Force, Jobs, app, examples, is_folder, load_scenario
from simlib.cli.findings import keep, output_of, show
from simlib.cli.progress import stopping
from simlib.errors import Problem, ScenarioError


@app.command(
    epilog=examples(
        "simlib why as_agreed isis_attacks_iraq_year_1 --options as_agreed,extend_12m",
        "simlib why out/ isis_attacks_iraq_year_1 --options as_agreed,leave_early --by mechanism",
        "simlib why as_agreed iraq_end_class --options as_agreed,extend_12m "
        "--replications 500 -o why/",
    )
)
def why(  # noqa: PLR0913, PLR0917  (options of a command line)
    source: Annotated[
        str, typer.Argument(help="A results directory, a scenario file, or a bundled scenario.")
    ],
    outcome: Annotated[list[str], typer.Argument(help="An outcome, or OUTCOME.CLASS; or several.")],
    options: Annotated[str, typer.Option(help="Baseline and counterfactual: A,B.")],
    by: Annotated[str, typer.Option(help="Split over: agent, mechanism or place.")] = "agent",
    replications: Annotated[
        int | None, typer.Option(help="Pairs; as many as the source has when not given.")
    ] = None,
    orders: Annotated[int, typer.Option(help="Pairs of orders drawn in each replication.")] = 1,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Directory for tables and figures.")
    ] = None,
    jobs: Jobs = None,
    force: Force = False,  # noqa: FBT002
) -> None:
    """Say why two options differ: what carries the effect, and where pairs part."""
    from simlib.analysis import why as explain

    names = [name.strip() for name in options.split(",")]
    if len(names) != 2:
        raise ScenarioError([Problem("options", f"must be two options A,B (got {options!r})")])
    kept = output_of("why", output, force=force)
    with stopping(output) as reporter:
        found = explain(
            _source(source),
            outcome,
            baseline=names[0],
            counterfactual=names[1],
            by=by,  # type: ignore[arg-type]  # it says what it may be
            replications=replications,
            n_pairs=orders,
            jobs=jobs,
            directory=output,
            progress=reporter,
        )
    show(found.sentences())
    for title, table in found.briefs().items():
        show((), table, title)
    if kept is not None:
        keep(kept, found.tables(), found.figures())


def _source(text: str) -> Any:
    """Return the results of a directory, or else the scenario."""
    if is_folder(text):
        from simlib.ensemble import open_results

        return open_results(text)
    load_scenario(text)
    return text
