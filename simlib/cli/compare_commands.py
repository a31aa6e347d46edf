"""The commands that compare: options with compare, fork and why, scenarios with diff."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Argument, Option

from simlib.cli import completion
from simlib.cli.app import (
    FAILED,
    Every,
    Folder,
    Force,
    Jobs,
    Outcomes,
    Replications,
    RootSeed,
    ScenarioName,
    Source,
    app,
    examples,
)
from simlib.cli.driver import HINT, is_folder, names, opened, output_of, present, running
from simlib.errors import Problem, ScenarioError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simlib.analysis.comparison.comparison import Comparison
    from simlib.ensemble.execution import Execution
    from simlib.files import Output


@app.command(
    epilog=examples(
        "simlib compare as_agreed --option as_agreed,extend_12m -o out/",
        "simlib compare out/ --option as_agreed,extend_12m --outcome isis_attacks_iraq_year_1",
        "simlib compare mine.yaml --option short,long --baseline long --replications 500",
    )
)
def compare(  # noqa: PLR0913, PLR0917  (options of a command line)
    source: Source,
    option: Annotated[
        list[str],
        Option(
            metavar="A,B[,...]",
            help="What is compared, repeated or with commas; the first is the baseline.",
            autocompletion=completion.options,
        ),
    ],
    baseline: Annotated[
        str | None,
        Option(
            help="Compare with this option instead of the first.",
            autocompletion=completion.options,
        ),
    ] = None,
    replications: Replications = None,
    root_seed: RootSeed = None,
    jobs: Jobs = None,
    outcome: Outcomes = None,
    every: Every = False,  # noqa: FBT002
    output: Folder = None,
    force: Force = False,  # noqa: FBT002
) -> None:
    """Compare options on the same luck: paired effects, intervals, what pairing saves."""
    from simlib.analysis.comparison.comparison import compare as compared

    kept = _beside("compare", output, force=force)
    with running(output, jobs) as where:
        # Of results nothing is simulated that could be kept.
        here: Execution = {"jobs": jobs} if is_folder(source) else where
        comparison = compared(
            opened(source),
            names(option),
            baseline=baseline,
            replications=replications,
            root_seed=root_seed,
            **here,
        )
    _finish(comparison.whole() if every else comparison, outcome, kept)


@app.command(
    epilog=examples(
        "simlib fork as_agreed --at 2025-06-30 --option extend_12m,leave_early --of as_agreed",
        "simlib fork out/ --at 2025-06-30 --option extend_12m -o forked/",
        "simlib fork out/ --at 2025-03-31 --option leave_early --replication 17",
    )
)
def fork(  # noqa: PLR0913, PLR0917  (options of a command line)
    source: Source,
    at: Annotated[str, Option(metavar="DATE", help="The date up to which the past is one.")],
    option: Annotated[
        list[str],
        Option(
            metavar="A[,B]...",
            help="What to continue under, repeated or with commas.",
            autocompletion=completion.options,
        ),
    ],
    of: Annotated[
        str | None,
        Option(
            help="Whose past it is; of the only one, or as written.",
            autocompletion=completion.options,
        ),
    ] = None,
    replication: Annotated[int | None, Option(help="Continue this replication alone.")] = None,
    replications: Replications = None,
    root_seed: RootSeed = None,
    jobs: Jobs = None,
    outcome: Outcomes = None,
    every: Every = False,  # noqa: FBT002
    output: Folder = None,
    force: Force = False,  # noqa: FBT002
) -> None:
    """Continue replications from a date on under other options, and compare."""
    from simlib.analysis.comparison.forks import fork as forked
    from simlib.scenario.requests import day

    if replication is not None and replications is not None:
        raise ScenarioError([Problem("replications", "give --replication or --replications")])
    wanted = replications if replication is None else range(replication, replication + 1)
    kept = _beside("fork", output, force=force)
    with running(output, jobs) as where:
        comparison = forked(
            opened(source),
            day("at", at),
            names(option),
            of=of,
            replications=wanted,
            root_seed=root_seed,
            **where,
        )
    _finish(comparison.whole() if every else comparison, outcome, kept)


def _beside(command: str, output: Path | None, *, force: bool) -> Output | None:
    """Where tables and figures go: beside the results."""
    return output_of(command, None if output is None else output / "comparison", force=force)


def _finish(comparison: Comparison, outcomes: Iterable[str] | None, kept: Output | None) -> None:
    """Say what was found of some outcomes or all; failed replications are a failure."""
    present(kept, comparison.showing(names(outcomes)))
    options = (comparison.baseline, *comparison.options)
    parts = [comparison.ensemble.of(name) for name in options]
    if any(part.n_failed for part in parts):
        raise typer.Exit(FAILED)


@app.command(
    epilog=examples(
        "simlib why as_agreed isis_attacks_iraq_year_1 --option as_agreed,extend_12m",
        "simlib why out/ isis_attacks_iraq_year_1 --option as_agreed,leave_early --by mechanism",
        "simlib why as_agreed iraq_end_class --option as_agreed,extend_12m "
        "--replications 500 -o why/",
    )
)
def why(  # noqa: PLR0913, PLR0917  (options of a command line)
    source: Source,
    outcome: Annotated[
        list[str],
        Argument(
            help="An outcome, or OUTCOME.CLASS; or several.", autocompletion=completion.outcomes
        ),
    ],
    option: Annotated[
        list[str],
        Option(
            metavar="A,B",
            help="Baseline and counterfactual.",
            autocompletion=completion.options,
        ),
    ],
    by: Annotated[str, Option(help="Split over: agent, mechanism or place.")] = "agent",
    replications: Replications = None,
    orders: Annotated[int, Option(help="Pairs of orders drawn in each replication.")] = 1,
    output: Folder = None,
    jobs: Jobs = None,
    force: Force = False,  # noqa: FBT002
) -> None:
    """Say why two options differ: what carries the effect, and where pairs part."""
    from simlib.analysis import why as explain

    both = names(option)
    if len(both) != 2:
        got = ", ".join(both) or "none"
        raise ScenarioError([Problem("option", f"must be two options A,B (got {got})")])
    kept = output_of("why", output, force=force)
    with running(output, jobs) as where:
        found = explain(
            opened(source, is_told=False),
            outcome,
            baseline=both[0],
            counterfactual=both[1],
            by=by,  # type: ignore[arg-type]  # it says what it may be
            replications=replications,
            n_pairs=orders,
            **where,
        )
    present(kept, found)


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
    before: ScenarioName,
    after: Annotated[
        str,
        Argument(
            help="The other; gaps are of it less the first.", autocompletion=completion.scenarios
        ),
    ],
    outcome: Outcomes = None,
    replications: Annotated[
        int,
        Option(
            "--replications",
            "-n",
            min=1,
            help="Of each set of changes: 2 ** groups sets are simulated.",
        ),
    ] = 100,
    group: Annotated[
        list[str] | None, Option(help="NAME=PATH[,PATH...]: changes that are taken together.")
    ] = None,
    runs: Annotated[  # noqa: FBT002
        bool, Option(help="Simulate; without, only what differs is listed.")
    ] = True,
    every: Every = False,  # noqa: FBT002
    jobs: Jobs = None,
    output: Folder = None,
    force: Force = False,  # noqa: FBT002
) -> None:
    """Say what differs between two scenarios, and split the gap of outcomes over it."""
    from simlib.analysis.comparison.attribution import diff as compared

    kept = output_of("diff", output, force=force)
    with running(output, jobs) as where:
        found = compared(
            before,
            after,
            outcomes=names(outcome) or None,
            groups=_groups(group or []),
            replications=replications if runs else 0,
            **where,
        )
    found = found.whole() if every else found
    hint = HINT if found.changes.found else ""
    present(kept if hint else None, found, hint=hint)


def _groups(given: list[str]) -> dict[str, list[str]]:
    found = {}
    for text in given:
        name, equals, paths = text.partition("=")
        if not equals or not name or not paths:
            raise ScenarioError([Problem("group", f"must be NAME=PATH[,PATH...] (got {text!r})")])
        found[name] = paths.split(",")
    return found
