"""The command on event files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simlib.cli.app import Force, app, examples
from simlib.cli.findings import show
from simlib.cli.readings import as_date
from simlib.cli.text import say
from simlib.errors import Problem, ScenarioError
from simlib.files import csv_bytes, refuse_unwritable, write_file

if TYPE_CHECKING:
    from simlib.evidence.history.event_files import Events

_LISTED = 20
"""Kinds of rows without a meaning that are listed; all of them go to a file."""
_UNMAPPED = "unmapped"


@app.command(
    epilog=examples(
        "simlib history GEDEvent_v24_1.csv.zip",
        "simlib history events.csv.gz --mapping mine.yaml --unmapped left.csv",
        "simlib history GEDEvent_v24_0_*.csv --as-of 2024-09-30 --leave-out",
        "simlib history GEDEvent_v24_0_*.csv -o counts/monthly_counts.csv",
    )
)
def history(  # noqa: PLR0913, PLR0917  (options of a command line)
    files: Annotated[
        list[Path], typer.Argument(help="Event files, as UCDP or ACLED publish them.")
    ],
    mapping: Annotated[
        Path | None, typer.Option(help="What rows mean; simlib's own mapping when not given.")
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(help="Refuse rows that are dated or published later: YYYY-MM-DD."),
    ] = None,
    leave_out: Annotated[  # noqa: FBT002
        bool, typer.Option("--leave-out", help="Leave later rows out instead, and count them.")
    ] = False,
    unmapped: Annotated[
        Path | None, typer.Option(help="CSV file for every row that was not mapped.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="CSV file for monthly counts; coverage beside it."),
    ] = None,
    force: Force = False,  # noqa: FBT002
) -> None:
    """Read event files: events by series and year, and which rows have no meaning here."""
    from simlib.evidence.history.event_files import combine_events, load_events
    from simlib.evidence.history.mapping import load_mapping
    from simlib.evidence.history.tallies import tables_to_ship, yearly_counts

    if leave_out and as_of is None:
        raise ScenarioError([Problem("leave-out", "needs a date (got no --as-of)")])
    written = _files(output, unmapped)
    refuse_unwritable(*written.values(), inputs=files if mapping is None else [*files, mapping])
    rules = load_mapping(mapping)
    events = combine_events([load_events(file, mapping=rules) for file in files])
    if as_of is not None:
        events = _behind(events, as_of, leave_out=leave_out)
    show((), yearly_counts(events), "events by series and year; located: share with a governorate")
    _say_unmapped(events)
    tables = {} if output is None else tables_to_ship(events, rules)
    for what, file in written.items():
        table = events.unmapped if what == _UNMAPPED else tables[what]
        write_file(file, csv_bytes(table), force=force)
        say(f"table: {file}")


def _files(output: Path | None, unmapped: Path | None) -> dict[str, Path]:
    """Return the file of each table, by the ending of its name."""
    found = {} if unmapped is None else {_UNMAPPED: unmapped}
    if output is None:
        return found
    refuse_unwritable(output)  # so it has a name
    for ending in ("", "_coverage", "_incidents"):
        found[ending] = output.with_name(f"{output.stem}{ending}{output.suffix}")
    return found


def _behind(events: Events, as_of: str, *, leave_out: bool) -> Events:
    """Return events behind the as-of barrier."""
    from simlib.evidence.history.barrier import known, require_known

    date = as_date(as_of)
    if not leave_out:
        require_known(events, date)
        say(f"every row is dated and was published by {date}")
        return events
    kept = known(events, date)
    n_all = len(events.table)
    say(f"{kept.n_left_out:,} of {n_all:,} rows left out: dated or published after {date}")
    return kept.events


def _say_unmapped(events: Events) -> None:
    n_ours = int((events.table["series"] != "").sum())
    n_typed = int((events.table["incident"] != "").sum())
    say(f"{len(events.table):,} rows: {n_ours:,} in a series, {n_typed:,} of a known incident type")
    counts = events.unmapped_counts()
    if not counts.empty:
        show((), counts.head(_LISTED), "not mapped")
        rest = len(counts) - _LISTED
        if rest > 0:
            say(f"and {rest} more kinds; --unmapped FILE.csv lists every row")
