"""The command on the value of information."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simlib.cli.app import Jobs, ScenarioName, app, examples, load_scenario
from simlib.cli.findings import keep, show
from simlib.cli.progress import stopping
from simlib.cli.readings import as_date
from simlib.cli.text import say, tell

if TYPE_CHECKING:
    from collections.abc import Callable

    from simlib.analysis.decisions.informing import Information


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
) -> None:
    """Say which unknown, if learnt, would change the ranking of options, and by how much."""
    from simlib.analysis.decisions.information import value_of_information
    from simlib.ensemble.spreading import Spread

    with stopping(output) as reporter:
        loaded = load_scenario(scenario)
        tell(f"context of use: {loaded.context_of_use}")
        result = value_of_information(
            loaded,
            losses,
            dates=[as_date(part.strip()) for part in dates.split(",") if part.strip()],
            options=option or (),
            replications=replications,
            how=Spread(jobs, output, reporter),
        )
    show(result.sentences(), result.ranking(), "options, nothing learnt")
    show((), result.brief(), "value of learning, ± Monte Carlo standard error")
    if output is None:
        say("nothing is kept; give -o DIRECTORY to keep results, tables and figures")
    else:
        _keep(result, output)


def _keep(result: Information, output: Path) -> None:
    from simlib.plot import information
    from simlib.plot.style import save_axes

    figures: dict[str, Callable[[Path], object]] = {
        f"information-{name}": lambda path, name=name: save_axes(information(result, name), path)  # type: ignore[misc]
        for name in result.panel.losses
    }
    keep(output, {"information": result.table(), "ranking": result.ranking()}, figures)
