"""The command that back-tests forecasters on the history that comes with simlib."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simlib.cli.app import Force, Jobs, app, examples
from simlib.cli.findings import output_of, show
from simlib.cli.progress import stopping
from simlib.cli.text import say

if TYPE_CHECKING:
    from simlib.evidence.backtest.result import BackTest


_KINDS = {".png": "figure", ".md": "page"}


@app.command(
    epilog=examples(
        "simlib backtest -o out/backtest",
        "simlib backtest --part syria --draws 400",
        "simlib backtest --forecasters negative_binomial,conflictology --candidate conflictology",
    )
)
def backtest(  # noqa: PLR0913, PLR0917  (options of a command line)
    part: Annotated[str, typer.Option(help="iraq, syria, 2024 or all.")] = "all",
    draws: Annotated[int, typer.Option(help="Draws of each forecast, 2 to 20,000.")] = 1000,
    forecasters: Annotated[
        str | None, typer.Option(metavar="A[,B...]", help="What forecasts; all when not given.")
    ] = None,
    candidate: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="What is compared with every baseline, group by group."),
    ] = None,
    root_seed: Annotated[int, typer.Option(help="Makes every number repeatable.")] = 1,
    jobs: Jobs = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Directory for tables and figures.")
    ] = None,
    force: Force = False,  # noqa: FBT002
) -> None:
    """Score forecasts of lethal events at past months, beside the field's baselines."""
    from simlib.ensemble.execution import Execution
    from simlib.evidence.backtest.forecasters import BASELINES, CANDIDATES, forecaster
    from simlib.evidence.backtest.result import backtest as tested
    from simlib.theatre.record.monthly import shipped_parts

    every = [*CANDIDATES, *BASELINES]
    names = every if forecasters is None else list(dict.fromkeys(forecasters.split(",")))
    parts = shipped_parts(None if part == "all" else [part])
    chosen = [forecaster(name) for name in names]
    kept = output_of("backtest", output, force=force)
    with stopping(output) as reporter:
        where = Execution(jobs=jobs, directory=output, progress=reporter)
        found = tested(
            parts, chosen, candidate=candidate, n_draws=draws, root_seed=root_seed, **where
        )
    _tell(found)
    if kept is None:
        say("nothing is kept; give -o DIRECTORY to keep tables and figures")
        return
    for path in found.save(kept.folder, overwrite=force):
        say(f"{_KINDS.get(path.suffix, 'table')}: {path}")


def _tell(found: BackTest) -> None:
    from simlib.evidence.backtest.result import UNIT_BASELINE

    title = "mean CRPS in events, lower is better, with 95 % block-bootstrap intervals"
    show(found.setting(), found.brief(), title)
    show((), found.scoreboard(), f"mean scores of units, parts: {found.part_names[0]}")
    show((), found.breakdown("series"), "mean CRPS of units by country and series")
    if not found.candidate:
        say("nothing is compared; --candidate NAME compares one with others, group by group")
        return
    title = f"mean CRPS, {found.candidate} minus baseline (negative: {found.candidate} is better)"
    show((), found.verdict(), title)
    title = f"units by country and series, {found.candidate} minus {UNIT_BASELINE}"
    show((), found.against_unit_baseline(), title)
    show(found.aims())
