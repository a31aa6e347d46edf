"""The commands that explore: discover, tripwires."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simlib.cli.app import Force, Jobs, ScenarioName, app, examples, is_folder, load_scenario
from simlib.cli.findings import keep, output_of, show
from simlib.cli.progress import stopping
from simlib.cli.text import say, tell

if TYPE_CHECKING:
    from simlib.ensemble import Ensemble
    from simlib.ensemble.execution import Listener

Folder = Annotated[
    Path | None,
    typer.Option("-o", "--output", help="Directory for tables, figures and what is simulated."),
]


@app.command(
    epilog=examples(
        "simlib discover out/ 'isis_attacks_iraq_year_1 > 60'",
        "simlib discover out/ 'iraq_end_class = slipped' -o boxes/",
        "simlib discover as_agreed 'isis_attacks_iraq_year_1 : extend_12m - as_agreed > 5' "
        "--replications 1000 -o boxes/",
    )
)
def discover(  # noqa: PLR0913, PLR0917  (options of a command line)
    results: Annotated[
        str,
        typer.Argument(metavar="RESULTS_OR_SCENARIO", help="A results directory, or what to run."),
    ],
    condition: Annotated[
        str,
        typer.Argument(help="OUTCOME > NUMBER, OUTCOME = CLASS, OUTCOME in worst 20 %, ..."),
    ],
    option: Annotated[str | None, typer.Option(help="Look at this option.")] = None,
    parameter: Annotated[
        list[str] | None, typer.Option(help="A drawn parameter to look at; may be repeated.")
    ] = None,
    boxes: Annotated[int, typer.Option(help="How many boxes at most.")] = 3,
    resamples: Annotated[int, typer.Option(help="How many resamples test the stability.")] = 100,
    replications: Annotated[
        int | None, typer.Option(help="Of a scenario: how many; its number when not given.")
    ] = None,
    jobs: Jobs = None,
    output: Folder = None,
    force: Force = False,  # noqa: FBT002
) -> None:
    """Find ranges of drawn parameters in which an outcome is often so."""
    from simlib import analysis

    kept = output_of("discover", output, force=force)
    with stopping(output) as reporter:
        ensemble = _ensemble(results, condition, option, (replications, jobs), (output, reporter))
        found = analysis.discover(
            ensemble, condition, parameters=parameter, max_boxes=boxes, resamples=resamples
        )
    show(found.sentences(), found.tree_table(), "leaves of the tree")
    if kept is not None:
        from simlib.plot import box, peeling

        tables = {
            "boxes": found.table(),
            "trajectory": found.trajectory_table(),
            "stability": found.stability_table(),
            "tree": found.tree_table(),
        }
        keep(kept, tables, {"peeling": lambda: peeling(found), "box": lambda: box(found)})


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
        typer.Argument(
            help="INCIDENT [MARK >= NUMBER] [in PLACE] [>= NUMBER a month], POSTURE = STATE, "
            "MILESTONE = CLASS, DECISION = TAKEN."
        ),
    ],
    ahead: Annotated[float, typer.Option(help="Weeks the event must be away at least.")] = 4.0,
    window: Annotated[float, typer.Option(help="Weeks after that in which it is told.")] = 12.0,
    most_false: Annotated[
        float, typer.Option(help="Greatest false-alarm rate where rules are searched, 0-1.")
    ] = 0.3,
    worth: Annotated[
        float | None, typer.Option(help="False alarms that a right one is worth.")
    ] = None,
    option: Annotated[str | None, typer.Option(help="With this option applied.")] = None,
    replications: Annotated[
        int | None, typer.Option(help="How many; the scenario's number when not given.")
    ] = None,
    jobs: Jobs = None,
    output: Folder = None,
    force: Force = False,  # noqa: FBT002
) -> None:
    """Search rules on published series that tell an event weeks ahead, and judge them."""
    from simlib import analysis
    from simlib.analysis.discovery.early_warning import Terms

    kept = output_of("tripwires", output, force=force)
    with stopping(output) as reporter:
        loaded = load_scenario(scenario)
        tell(f"context of use: {loaded.context_of_use}")
        found = analysis.tripwires(
            loaded,
            event,
            option=option,
            terms=Terms(ahead, window, most_false, worth),
            replications=replications,
            jobs=jobs,
            directory=output,
            progress=reporter,
        )
    show(found.sentences())
    if kept is None:
        say("nothing is kept; give -o DIRECTORY to keep tables and figures")
        return
    from simlib.plot import lead_times, tripwire

    figures = {"tripwire": lambda: tripwire(found), "lead": lambda: lead_times(found)}
    keep(kept, {"tripwires": found.table()}, figures)


def _ensemble(
    results: str,
    condition: str,
    option: str | None,
    size: tuple[int | None, int | None],
    where: tuple[Path | None, Listener],
) -> Ensemble:
    """Return results that are there, or those of the options that the condition is about."""
    import simlib.ensemble
    from simlib.analysis.discovery.conditions import options_named

    if is_folder(results):
        ensemble = simlib.ensemble.open_results(results)
        return ensemble if option is None else ensemble.of(option)
    scenario = load_scenario(results)
    tell(f"context of use: {scenario.context_of_use}")
    named = options_named(condition, scenario.options)
    output, progress = where
    return simlib.ensemble.run(
        scenario,
        options=[option] if option else list(named) or None,
        replications=size[0],
        jobs=size[1],
        directory=None if output is None else output / "results",
        progress=progress,
    )
