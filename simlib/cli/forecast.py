"""The commands on forecasts: freeze a ledger, print what publishers will, score what came."""

from __future__ import annotations

import contextlib
import datetime as dt
import enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simlib.cli.app import Force, Jobs, app, examples, load_scenario
from simlib.cli.findings import keep, output_of, show
from simlib.cli.progress import stopping
from simlib.cli.readings import as_date
from simlib.cli.text import say, tell
from simlib.errors import Problem, ScenarioError, StoreError
from simlib.files import csv_of_rows, refuse_unwritable, remove_own, write_file

if TYPE_CHECKING:
    from collections.abc import Iterator

_OF_A_RUN = ("manifest.json", ".lock", ".holder")
"""Files of a run that its folder has besides its parts."""
MONTHS_SHOWN = 12
"""Months of each series in the table that is printed where --months does not say."""


class Publisher(enum.StrEnum):
    """Whose series are forecast."""

    ucdp = "ucdp"
    press = "press"
    official = "official"
    monitors = "monitors"


@app.command(
    epilog=examples(
        "simlib forecast as_agreed --replications 2000 -o ledger.json",
        "simlib forecast as_agreed --questions mine.yaml -o mine.json",
        "simlib forecast as_agreed --as ucdp --months 6 -o ucdp.csv",
    )
)
def forecast(  # noqa: PLR0913, PLR0917  (options of a command line)
    output: Annotated[
        Path, typer.Option("-o", "--output", help="The ledger (JSON); with --as, a CSV file.")
    ],
    scenario: Annotated[
        str, typer.Argument(help="A scenario file, or the name of a bundled one.")
    ] = "as_agreed",
    published_by: Annotated[
        Publisher | None,
        typer.Option("--as", help="Forecast the monthly series of this publisher instead."),
    ] = None,
    questions: Annotated[
        Path | None, typer.Option(help="A file of questions; simlib's own when not given.")
    ] = None,
    results: Annotated[
        Path | None, typer.Option(help="Directory of results to freeze, or to keep the run in.")
    ] = None,
    replications: Annotated[
        int | None, typer.Option(help="How many; the scenario's number when not given.")
    ] = None,
    months: Annotated[
        int | None, typer.Option(help="With --as: months from the start; all when not given.")
    ] = None,
    vintage: Annotated[
        str, typer.Option(help="With --as: which release, such as final.")
    ] = "first",
    dated: Annotated[
        str | None, typer.Option(help="Day of writing, kept beside the hashes of a ledger.")
    ] = None,
    force: Force = False,  # noqa: FBT002
    jobs: Jobs = None,
) -> None:
    """Freeze a run as dated, hashed questions; or forecast what a publisher will print."""
    if published_by is not None:
        _refuse({"--questions": questions, "--dated": dated}, "--as")
        how = (replications, months, vintage, jobs)
        _publish(scenario, published_by.value, output, results, how, force=force)
        return
    _refuse({"--months": months, "--vintage": None if vintage == "first" else vintage}, "a ledger")
    _freeze(scenario, questions, output, results, (replications, dated, jobs), force=force)


@app.command(
    epilog=examples(
        "simlib score ledger.json outcomes.csv",
        "simlib score seeds/ledgers/as_agreed_2024-12-31.json outcomes.csv -o score/",
    )
)
def score(
    ledger: Annotated[Path, typer.Argument(help="A ledger that simlib forecast wrote.")],
    outcomes: Annotated[
        Path,
        typer.Argument(
            help="CSV: id,outcome[,resolved_on,source]; outcomes yes or no, a class, or a number."
        ),
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Directory for tables and figures.")
    ] = None,
    force: Force = False,  # noqa: FBT002
) -> None:
    """Say how good a ledger was, beside the base rate: Brier, log, CRPS and calibration."""
    from simlib.evidence.ledger.ledger_scores import score as scored
    from simlib.evidence.ledger.resolutions import read_resolutions
    from simlib.evidence.ledger.sealing import read_ledger

    kept = output_of("score", output, force=force)
    held = read_ledger(ledger)
    say(f"ledger: {held['scenario']} as of {held['as_of']}, hashes verified, {held['digest']}")
    scores = scored(held, read_resolutions(outcomes, held))
    show(scores.sentences(), scores.means(), "mean scores beside the base rate's; less is better")
    show((), scores.table(), "question by question")
    if kept is None:
        say("nothing is kept; give -o DIRECTORY to keep tables and figures")
        return
    keep(kept, dict(scores.tables()), scores.figures())


def _freeze(
    scenario: str,
    questions: Path | None,
    output: Path,
    results: Path | None,
    how: tuple[int | None, str | None, int | None],
    *,
    force: bool,
) -> None:
    from simlib.evidence.ledger.freezing import freeze, frozen_table
    from simlib.evidence.ledger.sealing import refuse_overwriting, write_ledger

    replications, dated, jobs = how
    loaded = load_scenario(scenario)
    refuse_overwriting(output, overwrite=force)
    _refuse_unwritable(output, results, questions)
    tell(f"context of use: {loaded.context_of_use}")
    day: dt.date | None = None if dated is None else as_date(dated)
    with _kept(output, results) as folder, stopping(folder) as reporter:
        ledger = freeze(
            loaded,
            questions,
            directory=folder,
            replications=replications,
            dated=day,
            jobs=jobs,
            progress=reporter,
        )
        write_ledger(ledger, output, overwrite=force)
    n, n_failed = ledger["replications"], ledger["failed"]
    say(
        f"{len(ledger['questions'])} questions of {ledger['scenario']} as of {ledger['as_of']}, "
        f"from {n - n_failed:,} of {n:,} replications"
    )
    show((), frozen_table(ledger), "what is frozen; numbers: median (90 % interval)")
    say(f"ledger: {output}")
    say(f"digest: {ledger['digest']}")


def _publish(
    scenario: str,
    publisher: str,
    output: Path,
    results: Path | None,
    how: tuple[int | None, int | None, str, int | None],
    *,
    force: bool,
) -> None:
    from simlib.evidence.observation_model import publications
    from simlib.theatre.record.monthly import ucdp_2024, usual

    replications, months, vintage, jobs = how
    loaded = load_scenario(scenario)
    _refuse_unwritable(output, results)
    tell(f"context of use: {loaded.context_of_use}")
    with _kept(output, results) as folder, stopping(folder) as reporter:
        found = publications(
            loaded,
            publisher,
            months=months,
            replications=replications,
            vintage=vintage,
            jobs=jobs,
            directory=folder,
            progress=reporter,
        )
        head = ("series", "month", "replication", "count")
        write_file(output, csv_of_rows(head, found.rows()), force=force)
    table = found.table(usual(found))
    if months is None and len(found.months) > MONTHS_SHOWN:
        table = table[table["month"].isin([str(m) for m in found.months[:MONTHS_SHOWN]])]
        tell(f"the first {MONTHS_SHOWN} months are shown; the file has all {len(found.months)}")
    release = "first release" if vintage == "first" else f"release {vintage}"
    show((), table, f"monthly counts as {publisher} will print them, {release}; 90 % intervals")
    judged = found.beside(ucdp_2024(), "2024")
    if len(judged):
        show((), judged, "the months of 2024 and as many of the forecast; below: share with less")
    say(f"forecast: {output}")


def _refuse_unwritable(output: Path, results: Path | None, questions: Path | None = None) -> None:
    """Refuse before the run what could not be written after it."""
    given = [each for each in (results, questions) if each is not None]
    refuse_unwritable(output, inputs=given)
    if results is None:
        parts = _parts(output)
        if parts.is_symlink():
            raise StoreError(f"{parts}: is a link; remove it, or give --results DIRECTORY")
        refuse_unwritable(parts / _OF_A_RUN[0])


@contextlib.contextmanager
def _kept(output: Path, results: Path | None) -> Iterator[Path]:
    """Yield where the run is kept: beside the output it goes once that is written."""
    if results is not None:
        yield results
        return
    yield _parts(output)
    remove_own(_parts(output), also=_OF_A_RUN)


def _parts(output: Path) -> Path:
    return output.with_name(f"{output.name}.parts")


def _refuse(given: dict[str, object], what: str) -> None:
    """Refuse options that mean nothing here."""
    for name, value in given.items():
        if value is not None:
            raise ScenarioError([Problem(name, f"means nothing with {what}")])
