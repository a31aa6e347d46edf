"""The command that says why two options differ."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simlib.cli.app import Force, Jobs, app, examples, is_folder, load_scenario
from simlib.cli.findings import keep, output_of, show
from simlib.cli.progress import stopping
from simlib.errors import Problem, ScenarioError
from simlib.files import distinct

if TYPE_CHECKING:
    from simlib.analysis import Explanation
    from simlib.files import Output

_LONGEST = 15
"""Rows of a table that are printed; files have all."""


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
    _tell(found)
    if kept is not None:
        _keep(found, kept)


def _source(text: str) -> Any:
    """Return the results of a directory, or else the scenario."""
    if is_folder(text):
        from simlib.ensemble import open_results

        return open_results(text)
    load_scenario(text)
    return text


def _tell(found: Explanation) -> None:
    show(found.sentences(), found.effects(), "effects")
    shares = found.table()
    if len(shares):
        show((), shares, f"shares by {found.by}, with 95 % intervals")
    paths = found.paths().drop(columns="example").head(_LONGEST)
    if len(paths):
        show((), paths, "paths that differ most (description)")


def _keep(found: Explanation, output: Output) -> None:
    from simlib.plot import shares_and_paths

    tables = {
        "effects": found.effects(),
        "shares": found.table(),
        "paths": found.paths(),
        "ranking": found.ranking(),
        "divergences": found.divergences(),
    }
    outcomes = distinct((finding.outcome for finding in found.findings), as_they_are=True)
    figures = {
        f"why-{name}": partial(shares_and_paths, found, outcome)
        for outcome, name in outcomes.items()
    }
    keep(output, {f"why-{name}": table for name, table in tables.items()}, figures)
