"""The command on withdrawals elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simlib.cli.app import Force, Jobs, app, examples
from simlib.cli.findings import keep, output_of, show
from simlib.cli.progress import stopping
from simlib.cli.readings import as_date
from simlib.cli.text import say

if TYPE_CHECKING:
    from simlib.evidence.analogues.study import AnalogueStudy
    from simlib.files import Output


@app.command(
    epilog=examples(
        "simlib analogues",
        "simlib analogues -o analogues/",
        "simlib analogues --replications 0",
        "simlib analogues --as-of 2020-12-31",
    )
)
def analogues(
    as_of: Annotated[
        str, typer.Option(help="Read nothing published later than this date.")
    ] = "2024-12-31",
    replications: Annotated[
        int, typer.Option(help="Of each scenario and option; 0 simulates nothing.")
    ] = 400,
    record: Annotated[
        Path | None, typer.Option(help="Events by country and month; bundled when not given.")
    ] = None,
    jobs: Jobs = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Directory for results and figures.")
    ] = None,
    force: Force = False,  # noqa: FBT002
) -> None:
    """Say what withdrawals elsewhere tell of the effect of one, and how little that is."""
    from simlib.evidence.analogues.study import study_analogues
    from simlib.theatre.analogues.withdrawal import WITHDRAWALS

    kept = output_of("analogues", output, force=force)
    with stopping(output) as reporter:
        study = study_analogues(
            as_date(as_of),
            analogues=WITHDRAWALS,
            replications=replications,
            record=record,
            jobs=jobs,
            directory=output,
            progress=reporter,
        )
    show(study.sentences(), study.table(), "twelve months after an exit beside twelve before")
    if replications:
        show((), study.predicted(), "events after to events before, as simulated")
    show((), study.effects(), "effect of full exit (log), before and after the pooled cases")
    if kept is None:
        say("nothing is kept; give -o DIRECTORY to keep results, tables and figures")
    else:
        _keep(study, kept)


def _keep(study: AnalogueStudy, output: Output) -> None:
    from simlib.plot import analogue_panels

    tables = {"analogues": study.table(), "effects": study.effects()}
    if any(row.predictions for row in study.rows):
        tables["predicted"] = study.predicted()
    keep(output, tables, {"analogues": lambda: analogue_panels(study)})
