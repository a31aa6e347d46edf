"""The command on clustering and severity of events."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from simlib.cli.app import Force, app, examples
from simlib.cli.findings import keep, output_of, show
from simlib.cli.readings import as_date
from simlib.cli.text import say, tell


@app.command(
    epilog=examples(
        "simlib excitation events_*.csv.gz -o fits/",
        "simlib excitation events_*.csv.gz --as-of 2024-12-31 -o fits/",
    )
)
def excitation(
    files: Annotated[
        list[Path], typer.Argument(help="Event files of UCDP that hold the regimes of the record.")
    ],
    as_of: Annotated[
        str, typer.Option(help="Refuse rows that are dated or published later.")
    ] = "2024-12-31",
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Directory for tables and figure.")
    ] = None,
    force: Force = False,  # noqa: FBT002
) -> None:
    """Fit branching ratio, decay and severity to the regimes of the record, day by day."""
    from simlib.evidence.excitation.excitation_regimes import fit_regimes
    from simlib.evidence.excitation.shipped_fits import ExcitationFits
    from simlib.evidence.history.barrier import calibration_events
    from simlib.evidence.severity import severity_tails
    from simlib.theatre.record.fitters import POOLS, REGIMES

    kept = output_of("excitation", output, force=force)
    events = calibration_events(files, as_date(as_of))
    fits = fit_regimes(
        events, REGIMES, notice=lambda regime: tell(f"{regime.name} {regime.label} ...")
    )
    results = (ExcitationFits(tuple(fits), POOLS), severity_tails(events, REGIMES))
    for result in results:
        for title, table in result.briefs().items():
            show((), table, title)
    if kept is None:
        say("nothing is kept; give -o DIRECTORY to keep tables and figure")
        return
    for result in results:
        keep(kept, dict(result.tables()), result.figures())
