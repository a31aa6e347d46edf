"""The commands that compare options: compare, fork."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simlib.cli.app import FAILED, Force, Jobs, app, examples, is_folder, load_scenario
from simlib.cli.findings import keep, output_of, show
from simlib.cli.progress import stopping
from simlib.cli.text import say, tell
from simlib.errors import Problem, ScenarioError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simlib.analysis.compare.comparison import Comparison
    from simlib.ensemble import Ensemble
    from simlib.files import Output
    from simlib.scenario.schema import Scenario

Source = Annotated[
    str,
    typer.Argument(help="A scenario file, the name of a bundled one, or a results directory."),
]
Folder = Annotated[
    Path | None,
    typer.Option("-o", "--output", help="Keeps results; tables and figures in comparison/."),
]
Outcome = Annotated[
    list[str] | None,
    typer.Option(
        metavar="OUTCOME[.CLASS]", help="Show and draw this outcome only; may be repeated."
    ),
]
RootSeed = Annotated[int | None, typer.Option(help="Replaces the scenario's.")]


@app.command(
    epilog=examples(
        "simlib compare as_agreed --options as_agreed,extend_12m -o out/",
        "simlib compare out/ --options as_agreed,extend_12m --outcome isis_attacks_iraq_year_1",
        "simlib compare mine.yaml --options short,long --baseline long --replications 500",
    )
)
def compare(  # noqa: PLR0913, PLR0917  (options of a command line)
    source: Source,
    options: Annotated[str, typer.Option(help="Names with commas; the first is the baseline.")],
    baseline: Annotated[
        str | None, typer.Option(help="Compare with this option instead of the first.")
    ] = None,
    replications: Annotated[
        int | None, typer.Option(help="How many pairs; the scenario's number when not given.")
    ] = None,
    root_seed: RootSeed = None,
    jobs: Jobs = None,
    outcome: Outcome = None,
    output: Folder = None,
    force: Force = False,  # noqa: FBT002
) -> None:
    """Compare options on the same luck: paired effects, intervals, what pairing saves."""
    from simlib.analysis.compare.comparison import compare as compared

    kept = _kept("compare", output, force=force)
    with stopping(output) as reporter:
        found, is_kept = _source(source)
        asked: dict[str, Any] = {"root_seed": root_seed, "jobs": jobs}
        if not is_kept:
            asked |= {"directory": output, "progress": reporter}
        comparison = compared(
            found, _names(options), baseline=baseline, replications=replications, **asked
        )
    _finish(comparison, outcome, kept, is_kept=is_kept or output is not None)


@app.command(
    epilog=examples(
        "simlib fork as_agreed --at 2025-06-30 --options extend_12m,leave_early --of as_agreed",
        "simlib fork out/ --at 2025-06-30 --options extend_12m -o forked/",
        "simlib fork out/ --at 2025-03-31 --options leave_early --replication 17",
    )
)
def fork(  # noqa: PLR0913, PLR0917  (options of a command line)
    source: Source,
    at: Annotated[str, typer.Option(metavar="DATE", help="The date up to which the past is one.")],
    options: Annotated[str, typer.Option(help="What to continue under: names with commas.")],
    of: Annotated[
        str | None,
        typer.Option(
            help="The option whose past it is; the only one, or as written, if not given."
        ),
    ] = None,
    replication: Annotated[
        int | None, typer.Option(help="Continue this replication alone.")
    ] = None,
    replications: Annotated[
        int | None, typer.Option(help="How many; those of the source when not given.")
    ] = None,
    root_seed: RootSeed = None,
    jobs: Jobs = None,
    outcome: Outcome = None,
    output: Folder = None,
    force: Force = False,  # noqa: FBT002
) -> None:
    """Continue replications from a date on under other options, and compare."""
    from simlib.analysis.compare.forks import fork as forked
    from simlib.scenario.requests import day

    if replication is not None and replications is not None:
        raise ScenarioError([Problem("replications", "give --replication or --replications")])
    wanted = replications if replication is None else range(replication, replication + 1)
    kept = _kept("fork", output, force=force)
    with stopping(output) as reporter:
        found, _ = _source(source)
        comparison = forked(
            found,
            day("at", at),
            _names(options),
            of=of,
            replications=wanted,
            root_seed=root_seed,
            jobs=jobs,
            directory=output,
            progress=reporter,
        )
    _finish(comparison, outcome, kept, is_kept=output is not None)


def _kept(command: str, output: Path | None, *, force: bool) -> Output | None:
    """Return where tables and figures go: beside the results."""
    return output_of(command, None if output is None else output / "comparison", force=force)


def _source(source: str) -> tuple[Scenario | Ensemble, bool]:
    """Return the results of a directory, or a scenario, and whether it is results."""
    if is_folder(source):
        from simlib.ensemble import open_results

        return open_results(source), True
    loaded = load_scenario(source)
    tell(f"context of use: {loaded.context_of_use}")
    return loaded, False


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _finish(
    comparison: Comparison, outcomes: Iterable[str] | None, output: Output | None, *, is_kept: bool
) -> None:
    found = comparison.showing(outcomes or ())
    show(found.sentences())
    for title, table in found.briefs().items():
        show((), table, title)
    if output is not None:
        keep(output, found.tables(), found.figures())
    if not is_kept:
        say("results are not kept; give -o DIRECTORY to keep them")
    _end_with_failures(comparison)


def _end_with_failures(comparison: Comparison) -> None:
    compared = [comparison.ensemble.of(name) for name in (comparison.baseline, *comparison.options)]
    n_failed = sum(part.n_failed for part in compared)
    if n_failed:
        tell(f"{n_failed:,} of {sum(part.n for part in compared):,} replications failed")
        raise typer.Exit(FAILED)
