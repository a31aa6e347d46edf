"""The command on the value of information."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simlib.cli.app import Force, Jobs, ScenarioName, app, examples, load_scenario
from simlib.cli.findings import keep, output_of, show
from simlib.cli.progress import stopping
from simlib.cli.readings import as_date
from simlib.cli.text import say, tell
from simlib.files import distinct

if TYPE_CHECKING:
    from simlib.analysis.value.information import Information
    from simlib.files import Output


@app.command(
    epilog=examples(
        "simlib voi as_agreed",
        "simlib voi as_agreed --losses mine.yaml -o voi/",
        "simlib voi as_agreed --dates 2025-06-15 --option leave_early --replications 2000",
    )
)
def voi(  # noqa: PLR0913, PLR0917  (options of a command line)
    scenario: ScenarioName,
    losses: Annotated[
        Path | None, typer.Option(help="A panel of losses; an illustrative one when not given.")
    ] = None,
    dates: Annotated[
        str, typer.Option(help="When it is decided, with commas; the meetings when not given.")
    ] = "",
    option: Annotated[
        list[str] | None, typer.Option(help="An option to compare too; may be repeated.")
    ] = None,
    replications: Annotated[
        int | None, typer.Option(help="How many; the scenario's number when not given.")
    ] = None,
    jobs: Jobs = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Directory for results and figures.")
    ] = None,
    force: Force = False,  # noqa: FBT002
) -> None:
    """Say which unknown, if learnt, would change the ranking of options, and by how much."""
    from simlib.analysis.value.information import value_of_information
    from simlib.theatre.questions.iraq_mission import EXTENSION

    kept = output_of("voi", output, force=force)
    with stopping(output) as reporter:
        loaded = load_scenario(scenario)
        tell(f"context of use: {loaded.context_of_use}")
        result = value_of_information(
            loaded,
            losses,
            question=EXTENSION,
            dates=[as_date(part.strip()) for part in dates.split(",") if part.strip()],
            options=option or (),
            replications=replications,
            jobs=jobs,
            directory=output,
            progress=reporter,
        )
    show(result.sentences(), result.ranking, "options, nothing learnt")
    show((), result.brief(), "value of learning, ± Monte Carlo standard error")
    if kept is None:
        say("nothing is kept; give -o DIRECTORY to keep results, tables and figures")
    else:
        _keep(result, kept)


def _keep(result: Information, output: Output) -> None:
    from simlib.plot import information

    figures = {
        f"information-{name}": partial(information, result, each)
        for each, name in distinct(result.panel.losses, as_they_are=True).items()
    }
    keep(output, {"information": result.table(), "ranking": result.ranking}, figures)
