"""The command that fits parameters to the record."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simlib.cli.app import Force, app, examples
from simlib.cli.findings import keep, output_of, show
from simlib.cli.readings import as_date
from simlib.cli.text import say
from simlib.files import refuse_unwritable, write_file

if TYPE_CHECKING:
    from simlib.evidence.calibration.collecting import Calibration
    from simlib.files import Output


@app.command(
    epilog=examples(
        "simlib calibrate --as-of 2024-12-31",
        "simlib calibrate --as-of 2024-12-31 --standardize 1500 -o scenarios/fitted.yaml",
        "simlib calibrate GEDEvent_v24_0_*.csv --as-of 2024-12-31 --report calibration/",
    )
)
def calibrate(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILES]...", help="Event files; the shipped counts when none."),
    ] = None,
    as_of: Annotated[
        str, typer.Option(help="Nothing dated or published later is read.")
    ] = "2024-12-31",
    standardize: Annotated[
        int,
        typer.Option(min=0, help="Replications to measure the committee's constants on; 0: not."),
    ] = 0,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Scenario file to write.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Directory for the table and the figures.")
    ] = None,
    force: Force = False,  # noqa: FBT002
) -> None:
    """Fit the numbers that data reach, and write them as a scenario."""
    from simlib.evidence.calibration.collecting import calibrate as fit
    from simlib.theatre.record.published import FITTERS

    kept = output_of("calibrate", report, force=force)
    if output is not None:
        refuse_unwritable(output, inputs=files or [])
    result = fit(files or [], as_of=as_date(as_of), fitters=FITTERS)
    show(result.sentences(), result.brief(), "prior and posterior, 5, 50 and 95 % points")
    show((), result.sources(), "what each was fitted to")
    if output is not None:
        _write(result, standardize, output, force=force)
    if kept is not None:
        _report(result, kept)
    if output is None and report is None:
        say("nothing is kept; give -o FILE for a scenario, --report DIRECTORY for a table")


def _write(result: Calibration, replications: int, output: Path, *, force: bool) -> None:
    from simlib.theatre.questions.standardizing import committee_constants

    constants = committee_constants(result, replications) if replications else {}
    write_file(output, result.scenario_text(constants).encode(), force=force)
    say(f"scenario: {output}")


def _report(result: Calibration, output: Output) -> None:
    from simlib.plot import calibration

    figures = {
        "calibration": lambda: calibration(result),
        "calibration-places": lambda: calibration(result, shares=True),
    }
    keep(output, {"calibration": result.table()}, figures)
