"""The commands on forecasts: freeze a ledger, print what publishers will, score what came."""

from __future__ import annotations

import contextlib
import enum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from simlib.cli.app import Folder, Force, Jobs, Replications, ScenarioName, app, examples
from simlib.cli.driver import as_date, load_scenario, output_of, present, running, show
from simlib.cli.streams import say, tell
from simlib.errors import Problem, ScenarioError, StoreError
from simlib.files import csv_of_rows, refuse_unwritable, remove_own, write_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from simlib.ensemble.execution import Execution
    from simlib.evidence.observation_model import Publications

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


PublishedBy = Annotated[
    Publisher | None, Option("--as", help="Forecast the monthly series of this publisher instead.")
]
Questions = Annotated[Path | None, Option(help="A file of questions; simlib's own when not given.")]
Kept = Annotated[Path | None, Option(help="Directory of results to freeze, or to keep the run in.")]
Months = Annotated[int | None, Option(help="With --as: months from the start; all when not given.")]
Dated = Annotated[str | None, Option(help="Day of writing, kept beside the hashes of a ledger.")]


@app.command(
    epilog=examples(
        "simlib forecast as_agreed --replications 2000 -o ledger.json",
        "simlib forecast as_agreed --questions mine.yaml -o mine.json",
        "simlib forecast as_agreed --as ucdp --months 6 -o ucdp.csv",
    )
)
def forecast(  # noqa: PLR0913, PLR0917  (options of a command line)
    output: Annotated[
        Path, Option("-o", "--output", help="The ledger (JSON); with --as, a CSV file.")
    ],
    scenario: ScenarioName = "as_agreed",
    published_by: PublishedBy = None,
    questions: Questions = None,
    results: Kept = None,
    replications: Replications = None,
    months: Months = None,
    vintage: Annotated[str, Option(help="With --as: which release, such as final.")] = "first",
    dated: Dated = None,
    force: Force = False,  # noqa: FBT002
    jobs: Jobs = None,
) -> None:
    """Freeze a run as dated, hashed questions; or forecast what a publisher will print."""
    if published_by is not None:
        _refuse({"--questions": questions, "--dated": dated}, "--as")
    else:
        from simlib.evidence.ledger.sealing import refuse_overwriting

        later = None if vintage == "first" else vintage
        _refuse({"--months": months, "--vintage": later}, "a ledger")
        refuse_overwriting(output, overwrite=force)
    loaded = load_scenario(scenario)
    _refuse_unwritable(output, results, questions)
    kept = _kept(output, results, jobs)
    if published_by is not None:
        from simlib.evidence.observation_model import publications

        work = partial(publications, loaded, published_by.value, months=months, vintage=vintage)
        publish = partial(work, replications=replications)
        _publish(publish, kept, output, force=force, is_cut=months is None)
    else:
        from simlib.evidence.ledger.freezing import freeze

        day = None if dated is None else as_date(dated)
        frozen = partial(freeze, loaded, questions, dated=day, replications=replications)
        _freeze(frozen, kept, output, force=force)


@app.command(
    epilog=examples(
        "simlib score ledger.json outcomes.csv",
        "simlib score seeds/ledgers/as_agreed_v2_2024-12-31.json outcomes.csv -o score/",
    )
)
def score(
    ledger: Annotated[Path, Argument(help="A ledger that simlib forecast wrote.")],
    outcomes: Annotated[
        Path,
        Argument(
            help="CSV: id,outcome[,resolved_on,source]; outcomes yes or no, a class, or a number."
        ),
    ],
    output: Folder = None,
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
    present(kept, scores)


def _freeze(
    freeze: Callable[..., dict[str, Any]],
    kept: AbstractContextManager[Execution],
    output: Path,
    *,
    force: bool,
) -> None:
    from simlib.evidence.ledger.freezing import frozen_table
    from simlib.evidence.ledger.sealing import write_ledger

    with kept as where:
        ledger = freeze(**where)
        write_ledger(ledger, output, overwrite=force)
    n, n_failed = ledger["replications"], ledger["failed"]
    say(
        f"{len(ledger['questions'])} questions of {ledger['scenario']} as of {ledger['as_of']}, "
        f"from {n - n_failed:,} of {n:,} replications"
    )
    show(frozen_table(ledger), "what is frozen; numbers: median (90 % interval)")
    say(f"ledger: {output}")
    say(f"digest: {ledger['digest']}")


def _publish(
    publish: Callable[..., Publications],
    kept: AbstractContextManager[Execution],
    output: Path,
    *,
    force: bool,
    is_cut: bool,
) -> None:
    from simlib.theatre.record.monthly import ucdp_2024, usual

    with kept as where:
        found = publish(**where)
        head = ("series", "month", "replication", "count")
        write_file(output, csv_of_rows(head, found.rows()), force=force)
    table = found.table(usual(found))
    if is_cut and len(found.months) > MONTHS_SHOWN:
        table = table[table["month"].isin([str(m) for m in found.months[:MONTHS_SHOWN]])]
        tell(f"the first {MONTHS_SHOWN} months are shown; the file has all {len(found.months)}")
    release = "first release" if found.vintage == "first" else f"release {found.vintage}"
    show(table, f"monthly counts as {found.publisher} will print them, {release}; 90 % intervals")
    judged = found.beside(ucdp_2024(), "2024")
    if len(judged):
        show(judged, "the months of 2024 and as many of the forecast; below: share with less")
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
def _kept(output: Path, results: Path | None, jobs: int | None) -> Iterator[Execution]:
    """Say where it runs, and is kept: beside the output it goes once that is written."""
    with running(results or _parts(output), jobs) as where:
        yield where
    if results is None:
        remove_own(_parts(output), also=_OF_A_RUN)


def _parts(output: Path) -> Path:
    return output.with_name(f"{output.name}.parts")


def _refuse(given: dict[str, object], what: str) -> None:
    """Refuse options that mean nothing here."""
    for name, value in given.items():
        if value is not None:
            raise ScenarioError([Problem(name, f"means nothing with {what}")])
