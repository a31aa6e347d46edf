"""The command on both readings of "extended"."""

from __future__ import annotations

import datetime as dt
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simlib.cli.app import Force, Jobs, ScenarioName, app, examples, load_scenario
from simlib.cli.findings import keep, output_of, show
from simlib.cli.progress import stopping
from simlib.cli.text import say, tell
from simlib.errors import Problem, ScenarioError
from simlib.files import distinct

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes

    from simlib.analysis.selection.observational import Readings
    from simlib.files import Output


@app.command(
    epilog=examples(
        "simlib readings as_agreed --date 2025-06-30",
        "simlib readings as_agreed --date 2025-09-01 --slopes 0,1.2 -o readings/",
        "simlib readings as_agreed --date 2025-06-30 --outcome isis_attacks_iraq_year_2",
    )
)
def readings(  # noqa: PLR0913, PLR0917  (options of a command line)
    scenario: ScenarioName,
    date: Annotated[str, typer.Option(help="What is known by then is used: YYYY-MM-DD.")],
    outcome: Annotated[
        list[str] | None, typer.Option(help="An outcome to speak of; may be repeated.")
    ] = None,
    slopes: Annotated[
        str, typer.Option(help="Weights of threat, with commas between; empty for none.")
    ] = "0,0.6,1.2",
    replications: Annotated[
        int | None, typer.Option(help="How many; the scenario's number when not given.")
    ] = None,
    jobs: Jobs = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Directory for tables and figures.")
    ] = None,
    force: Force = False,  # noqa: FBT002
) -> None:
    """Tell "seen to be extended" from "made to be", and what is known beforehand."""
    from simlib.analysis.selection.observational import readings as compare
    from simlib.theatre.questions.iraq_mission import EXTENSION

    kept = output_of("readings", output, force=force)
    with stopping(output) as reporter:
        loaded = load_scenario(scenario)
        tell(f"context of use: {loaded.context_of_use}")
        result = compare(
            loaded,
            as_date(date),
            question=EXTENSION,
            outcomes=outcome or (),
            slopes=_numbers(slopes),
            replications=replications,
            jobs=jobs,
            directory=output,
            progress=reporter,
        )
    show(result.sentences(), result.brief(), "± Monte Carlo standard error")
    show((), result.forecast.groups, "P(extension) by what is known")
    show((), result.forecast.coefficients.head(12), "logistic regression, largest coefficients")
    show((), result.forecast.calibration, "forecasts against what came")
    if kept is None:
        say("nothing is kept; give -o DIRECTORY to keep tables and figures")
    else:
        _keep(result, kept)


def as_date(text: str) -> dt.date:
    """Return a date.

    Raises
    ------
    ScenarioError
        It is none.
    """
    from simlib.scenario.requests import day

    return day("date", text)


def _numbers(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",") if part.strip()]
    except ValueError:
        rule = f"must be numbers with commas between (got {text!r})"
        raise ScenarioError([Problem("slopes", rule)]) from None


def _keep(result: Readings, output: Output) -> None:
    from simlib.plot import extension_forecast
    from simlib.plot import readings as draw

    tables = {
        "selection_gap": result.table(),
        "extension_by_observable": result.forecast.groups,
        "extension_coefficients": result.forecast.coefficients,
        "extension_calibration": result.forecast.calibration,
    }
    figures: dict[str, Callable[[], Axes]] = {
        f"selection_gap-{name}": partial(draw, result, each)
        for each, name in distinct(result.headlines, as_they_are=True).items()
    }
    figures["extension_forecast"] = lambda: extension_forecast(result.forecast)
    keep(output, tables, figures)
