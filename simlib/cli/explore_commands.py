"""The commands that explore: sensitivity, discover, tripwires, readings, voi."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from simlib.cli import completion
from simlib.cli.app import (
    Folder,
    Force,
    Jobs,
    OneOption,
    Outcomes,
    Replications,
    ScenarioName,
    Source,
    app,
    examples,
)
from simlib.cli.driver import as_date, load_scenario, names, opened, output_of, present, running
from simlib.errors import Problem, ScenarioError

if TYPE_CHECKING:
    from simlib.ensemble import Ensemble
    from simlib.ensemble.execution import Execution
    from simlib.finding import Finding
    from simlib.scenario.schema import Scenario


@app.command(
    epilog=examples(
        "simlib sensitivity as_agreed --by kind -o out/",
        "simlib sensitivity as_agreed isis_attacks_iraq_year_1",
        "simlib sensitivity as_agreed isis_attacks_iraq_year_1 --by grade --samples 512",
        "simlib sensitivity as_agreed isis_attacks_iraq_year_1 --option as_agreed,extend_12m",
        "simlib sensitivity as_agreed isis_attacks_iraq_year_1 --method morris",
    )
)
def sensitivity(  # noqa: PLR0913, PLR0917  (options of a command line)
    scenario: ScenarioName,
    outcome: Annotated[
        list[str] | None,
        Argument(
            help="OUTCOME or OUTCOME.CLASS; all when none is given.",
            autocompletion=completion.outcomes,
        ),
    ] = None,
    option: Annotated[
        list[str] | None,
        Option(
            metavar="A[,B]",
            help="One option, or two whose difference B - A is split.",
            autocompletion=completion.options,
        ),
    ] = None,
    method: Annotated[
        str, Option(help="sobol: shares of the variance; morris: screening.")
    ] = "sobol",
    by: Annotated[
        str, Option(help="parameter, grade, kind, or parameters with commas between them.")
    ] = "parameter",
    samples: Annotated[
        int | None,
        Option(help="Points of the sequence, a power of 2 (256), or paths of morris (10)."),
    ] = None,
    jobs: Jobs = None,
    output: Folder = None,
    force: Force = False,  # noqa: FBT002
) -> None:
    """Say what drives an outcome, or the difference between two options."""
    if method not in {"sobol", "morris"}:
        raise ScenarioError([Problem("method", f"must be sobol or morris (got {method})")])
    kept = output_of("sensitivity", output, force=force)
    split = _screened if method == "morris" else functools.partial(_split, by=by)
    chosen = names(option) or None
    with running(output, jobs) as where:
        found = split(scenario, outcome, chosen, samples, where)
    present(kept, found)


def _screened(
    scenario: str,
    outcomes: list[str] | None,
    options: list[str] | None,
    paths: int | None,
    where: Execution,
) -> Finding:
    from simlib.analysis import screen

    n = 10 if paths is None else paths
    return screen(scenario, outcomes, options=options, trajectories=n, **where)


def _split(
    scenario: str,
    outcomes: list[str] | None,
    options: list[str] | None,
    samples: int | None,
    where: Execution,
    by: str,
) -> Finding:
    from simlib.analysis import sensitivity as split

    kind = by if by in {"parameter", "grade", "kind"} else by.split(",")
    n = 256 if samples is None else samples
    return split(scenario, outcomes, options=options, by=kind, samples=n, **where)


@app.command(
    epilog=examples(
        "simlib discover out/ 'isis_attacks_iraq_year_1 > 60'",
        "simlib discover out/ 'iraq_end_class = slipped' -o boxes/",
        "simlib discover as_agreed 'isis_attacks_iraq_year_1 : extend_12m - as_agreed > 5' "
        "--replications 1000 -o boxes/",
    )
)
def discover(  # noqa: PLR0913, PLR0917  (options of a command line)
    results: Source,
    condition: Annotated[
        str, Argument(help="OUTCOME > NUMBER, OUTCOME = CLASS, OUTCOME in worst 20 %, ...")
    ],
    option: OneOption = None,
    parameter: Annotated[
        list[str] | None,
        Option(
            metavar="NAME[,NAME]...",
            help="Drawn parameters to look at, repeated or with commas.",
            autocompletion=completion.parameters,
        ),
    ] = None,
    boxes: Annotated[int, Option(help="How many boxes at most.")] = 3,
    resamples: Annotated[int, Option(help="How many resamples test the stability.")] = 100,
    replications: Replications = None,
    jobs: Jobs = None,
    output: Folder = None,
    force: Force = False,  # noqa: FBT002
) -> None:
    """Find ranges of drawn parameters in which an outcome is often so."""
    from simlib.analysis import discover as discovered

    kept = output_of("discover", output, force=force)
    with running(None if output is None else output / "results", jobs) as where:
        ensemble = _ensemble(opened(results), condition, option, replications, where)
    found = discovered(
        ensemble,
        condition,
        parameters=names(parameter) or None,
        max_boxes=boxes,
        resamples=resamples,
    )
    present(kept, found)


def _ensemble(
    source: Scenario | Ensemble,
    condition: str,
    option: str | None,
    replications: int | None,
    where: Execution,
) -> Ensemble:
    """Results that are there, or those of the options that the condition is about."""
    from simlib.analysis.discovery.conditions import options_named, refuse_unreadable
    from simlib.analysis.discovery.scenario_discovery import LEAST_CASES
    from simlib.ensemble import Ensemble, run
    from simlib.scenario.requests import n_replications

    if isinstance(source, Ensemble):
        return source if option is None else source.of(option)
    chosen = [option] if option else list(options_named(condition, source.options))
    refuse_unreadable(condition, source, chosen)
    n = n_replications(replications, source.replications, 2 * LEAST_CASES)
    return run(source, options=chosen or None, replications=n, **where)


@app.command(
    epilog=examples(
        "simlib tripwires as_agreed 'sdf_damascus.posture = collapse' -o wires/",
        "simlib tripwires as_agreed 'detention_break escaped >= 300' --ahead 4 --window 12",
        "simlib tripwires as_agreed 'isis_attack in Iraq >= 15 a month' -o wires/",
    )
)
def tripwires(  # noqa: PLR0913, PLR0917  (options of a command line)
    scenario: ScenarioName,
    event: Annotated[
        str,
        Argument(
            help="INCIDENT [MARK >= NUMBER] [in PLACE] [>= NUMBER a month], POSTURE = STATE, "
            "MILESTONE = CLASS, DECISION = TAKEN."
        ),
    ],
    ahead: Annotated[float, Option(help="Weeks the event must be away at least.")] = 4.0,
    window: Annotated[float, Option(help="Weeks after that in which it is told.")] = 12.0,
    most_false: Annotated[
        float, Option(help="Greatest false-alarm rate where rules are searched, 0-1.")
    ] = 0.3,
    worth: Annotated[float | None, Option(help="False alarms that a right one is worth.")] = None,
    option: OneOption = None,
    replications: Replications = None,
    jobs: Jobs = None,
    output: Folder = None,
    force: Force = False,  # noqa: FBT002
) -> None:
    """Search rules on published series that tell an event weeks ahead, and judge them."""
    from simlib.analysis import tripwires as searched
    from simlib.analysis.discovery.early_warning import Terms

    kept = output_of("tripwires", output, force=force)
    terms = Terms(ahead, window, most_false, worth)
    with running(output, jobs) as where:
        found = searched(
            load_scenario(scenario),
            event,
            option=option,
            terms=terms,
            replications=replications,
            **where,
        )
    present(kept, found)


@app.command(
    epilog=examples(
        "simlib readings as_agreed --date 2025-06-30",
        "simlib readings as_agreed --date 2025-09-01 --slope 0,1.2 -o readings/",
        "simlib readings as_agreed --date 2025-06-30 --outcome isis_attacks_iraq_year_2",
    )
)
def readings(  # noqa: PLR0913, PLR0917  (options of a command line)
    scenario: ScenarioName,
    date: Annotated[str, Option(help="What is known by then is used: YYYY-MM-DD.")],
    outcome: Outcomes = None,
    slope: Annotated[
        str, Option(help="Weights of threat, with commas between; empty for none.")
    ] = "0,0.6,1.2",
    replications: Replications = None,
    jobs: Jobs = None,
    output: Folder = None,
    force: Force = False,  # noqa: FBT002
) -> None:
    """Tell "seen to be extended" from "made to be", and what is known beforehand."""
    from simlib.analysis import readings as read
    from simlib.theatre.questions.iraq_mission import EXTENSION

    kept = output_of("readings", output, force=force)
    with running(output, jobs) as where:
        found = read(
            load_scenario(scenario),
            as_date(date),
            question=EXTENSION,
            outcomes=names(outcome),
            slopes=_numbers(slope),
            replications=replications,
            **where,
        )
    present(kept, found)


def _numbers(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",") if part.strip()]
    except ValueError:
        rule = f"must be numbers with commas between (got {text!r})"
        raise ScenarioError([Problem("slope", rule)]) from None


@app.command(
    epilog=examples(
        "simlib voi as_agreed",
        "simlib voi as_agreed --losses mine.yaml -o voi/",
        "simlib voi as_agreed --date 2025-06-15 --option leave_early --replications 2000",
    )
)
def voi(  # noqa: PLR0913, PLR0917  (options of a command line)
    scenario: ScenarioName,
    losses: Annotated[
        Path | None, Option(help="A panel of losses; an illustrative one when not given.")
    ] = None,
    date: Annotated[
        list[str] | None,
        Option(
            metavar="DATE[,DATE]...",
            help="When it is decided, repeated or with commas; the meetings when not given.",
        ),
    ] = None,
    option: Annotated[
        list[str] | None,
        Option(
            metavar="NAME[,NAME]...",
            help="Options to compare too, repeated or with commas.",
            autocompletion=completion.options,
        ),
    ] = None,
    replications: Replications = None,
    jobs: Jobs = None,
    output: Folder = None,
    force: Force = False,  # noqa: FBT002
) -> None:
    """Say which unknown, if learnt, would change the ranking of options, and by how much."""
    from simlib.analysis import value_of_information
    from simlib.theatre.questions.iraq_mission import EXTENSION

    kept = output_of("voi", output, force=force)
    with running(output, jobs) as where:
        found = value_of_information(
            load_scenario(scenario),
            losses,
            question=EXTENSION,
            dates=[as_date(each) for each in names(date)],
            options=names(option),
            replications=replications,
            **where,
        )
    present(kept, found)
