"""The command on event files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simlib.cli.app import app, examples
from simlib.cli.findings import keep, show
from simlib.cli.readings import as_date
from simlib.cli.text import say
from simlib.errors import Problem, ScenarioError

if TYPE_CHECKING:
    from simlib.evidence.history.event_files import Events

_LISTED = 20
"""Kinds of rows without a meaning that are listed; all of them go to a file."""


@app.command(
    epilog=examples(
        "simlib history GEDEvent_v24_1.csv.zip",
        "simlib history events.csv.gz --mapping mine.yaml --unmapped left.csv",
        "simlib history GEDEvent_v24_0_*.csv --as-of 2024-09-30 --leave-out",
        "simlib history GEDEvent_v24_0_*.csv -o counts/monthly_counts.csv",
    )
)
def history(
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
) -> None:
    """Read event files: events by series and year, and which rows have no meaning here."""
    from simlib.evidence.history.event_files import combine_events, load_events
    from simlib.evidence.history.mapping import load_mapping
    from simlib.evidence.history.shipped import tables_to_ship
    from simlib.evidence.history.tallies import yearly_counts

    if leave_out and as_of is None:
        raise ScenarioError([Problem("leave-out", "needs a date (got no --as-of)")])
    rules = load_mapping(mapping)
    events = combine_events([load_events(file, mapping=rules) for file in files])
    if as_of is not None:
        events = _behind(events, as_of, leave_out=leave_out)
    show((), yearly_counts(events), "events by series and year; located: share with a governorate")
    _say_unmapped(events)
    if unmapped is not None:
        keep(unmapped.parent, {unmapped.stem: events.unmapped})
    if output is not None:
        tables = tables_to_ship(events, rules)
        keep(output.parent, {output.stem + ending: table for ending, table in tables.items()})


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
