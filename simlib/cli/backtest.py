"""The command that back-tests forecasters on the history that comes with simlib."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simlib.cli.app import Force, Jobs, app, examples
from simlib.cli.findings import keep, output_of, show
from simlib.cli.progress import stopping
from simlib.cli.text import say
from simlib.errors import Problem, ScenarioError
from simlib.files import csv_bytes

if TYPE_CHECKING:
    from simlib.evidence.backtest.result import BackTest
    from simlib.files import Output


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
    from simlib.scenario.wording import shown
    from simlib.theatre.record.parts import shipped_parts

    every = [*CANDIDATES, *BASELINES]
    names = every if forecasters is None else list(dict.fromkeys(forecasters.split(",")))
    if candidate is None:
        candidate = next((name for name in names if name in CANDIDATES), None)
    elif candidate not in names:
        rule = f"must be one of {', '.join(names)} (got {shown(candidate)})"
        raise ScenarioError([Problem("candidate", rule)])
    if len(names) == 1:  # nothing stands beside it
        candidate = None
    parts = shipped_parts(None if part == "all" else [part])
    chosen = [forecaster(name) for name in names]
    kept = output_of("backtest", output, force=force)
    with stopping(output) as reporter:
        where = Execution(jobs=jobs, directory=output, progress=reporter)
        found = tested(parts, chosen, n_draws=draws, root_seed=root_seed, **where)
    _tell(found, candidate)
    if kept is None:
        say("nothing is kept; give -o DIRECTORY to keep tables and figures")
    else:
        _keep(found, candidate, kept)


def _tell(found: BackTest, candidate: str | None) -> None:
    from simlib.evidence.backtest import verdicts

    title = "mean CRPS in events, lower is better, with 95 % block-bootstrap intervals"
    show(verdicts.setting(found), verdicts.ranking(found), title)
    title = f"mean scores of units, parts: {verdicts.parts_of(found)[0]}"
    show((), verdicts.scoreboard(found), title)
    show((), verdicts.breakdown(found, "series"), "mean CRPS of units by country and series")
    if candidate is None:
        say("nothing is compared; --candidate NAME compares one with others, group by group")
        return
    title = f"mean CRPS, {candidate} minus baseline (negative: {candidate} is better)"
    show((), verdicts.verdict(found, candidate), title)
    title = f"units by country and series, {candidate} minus {verdicts.UNIT_BASELINE}"
    show((), verdicts.against_unit_baseline(found, candidate), title)
    show(verdicts.sentences(found, candidate))


def _keep(found: BackTest, candidate: str | None, output: Output) -> None:
    from simlib.evidence.backtest.results_page import page
    from simlib.plot import backtest_figures

    tables = {"scores": found.scores, "differences": found.differences}
    keep(output, tables, backtest_figures(found, candidate))
    cases = gzip.compress(csv_bytes(found.cases, float_format="%.6g"), mtime=0)
    say(f"table: {output.write('cases.csv.gz', cases)}")
    say(f"page: {output.write('results.md', page(found, candidate).encode())}")
