"""The commands on evidence: history, calibrate, excitation, invert, backtest, analogues."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from simlib.cli import completion
from simlib.cli.app import AS_OF, AsOf, Folder, Force, Jobs, ScenarioName, app, examples
from simlib.cli.driver import (
    as_date,
    load_scenario,
    names,
    output_of,
    present,
    running,
    show,
)
from simlib.cli.progress import Generations, stopping_between_runs
from simlib.cli.streams import say, tell
from simlib.errors import Problem, ScenarioError
from simlib.files import csv_bytes, refuse_unwritable, write_file

if TYPE_CHECKING:
    from simlib.evidence.calibration.collecting import Calibration
    from simlib.evidence.history.event_files import Events

_LISTED = 20
"""Kinds of rows without a meaning that are listed; all of them go to a file."""
_UNMAPPED = "unmapped"


Barrier = Annotated[
    str | None, Option(help="Refuse rows that are dated or published later: YYYY-MM-DD.")
]


@app.command(
    epilog=examples(
        "simlib history GEDEvent_v24_1.csv.zip",
        "simlib history events.csv.gz --mapping mine.yaml --unmapped left.csv",
        "simlib history GEDEvent_v24_0_*.csv --as-of 2024-09-30 --leave-out",
        "simlib history GEDEvent_v24_0_*.csv -o counts/monthly_counts.csv",
    )
)
def history(  # noqa: PLR0913, PLR0917  (options of a command line)
    files: Annotated[list[Path], Argument(help="Event files, as UCDP or ACLED publish them.")],
    mapping: Annotated[
        Path | None, Option(help="What rows mean; simlib's own mapping when not given.")
    ] = None,
    as_of: Barrier = None,
    leave_out: Annotated[  # noqa: FBT002
        bool, Option("--leave-out", help="Leave later rows out instead, and count them.")
    ] = False,
    unmapped: Annotated[
        Path | None, Option(help="CSV file for every row that was not mapped.")
    ] = None,
    output: Annotated[
        Path | None,
        Option("-o", "--output", help="CSV file for monthly counts; coverage beside it."),
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
    show(yearly_counts(events), "events by series and year; located: share with a governorate")
    _say_unmapped(events)
    tables = {} if output is None else tables_to_ship(events, rules)
    for what, file in written.items():
        table = events.unmapped if what == _UNMAPPED else tables[what]
        write_file(file, csv_bytes(table), force=force)
        say(f"table: {file}")


def _files(output: Path | None, unmapped: Path | None) -> dict[str, Path]:
    """The file of each table, by the ending of its name."""
    found = {} if unmapped is None else {_UNMAPPED: unmapped}
    if output is None:
        return found
    refuse_unwritable(output)  # so it has a name
    for ending in ("", "_coverage", "_incidents"):
        found[ending] = output.with_name(f"{output.stem}{ending}{output.suffix}")
    return found


def _behind(events: Events, as_of: str, *, leave_out: bool) -> Events:
    """Events behind the as-of barrier."""
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
        show(counts.head(_LISTED), "not mapped")
        rest = len(counts) - _LISTED
        if rest > 0:
            say(f"and {rest} more kinds; --unmapped FILE.csv lists every row")


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
        Argument(metavar="[FILES]...", help="Event files; the shipped counts when none."),
    ] = None,
    as_of: AsOf = AS_OF,
    standardize: Annotated[
        int, Option(min=0, help="Replications to solve the committee's constants on; 0: not.")
    ] = 0,
    output: Annotated[Path | None, Option("-o", "--output", help="Scenario file to write.")] = None,
    report: Annotated[Path | None, Option(help="Directory for the table and the figures.")] = None,
    force: Force = False,  # noqa: FBT002
) -> None:
    """Fit the numbers that data reach, and write them as a scenario."""
    from simlib.evidence.calibration.collecting import calibrate as fit
    from simlib.theatre.record.published import FITTERS

    kept = output_of("calibrate", report, force=force)
    if output is not None:
        refuse_unwritable(output, inputs=files or [])
    result = fit(files or [], as_of=as_date(as_of), fitters=FITTERS)
    hint = "nothing is kept; give -o FILE for a scenario, --report DIRECTORY for a table"
    present(kept, result, hint=hint if output is None else "")
    if output is not None:
        _write(result, standardize, output, force=force)


def _write(result: Calibration, replications: int, output: Path, *, force: bool) -> None:
    from simlib.theatre.questions.standardizing import committee_constants

    constants = committee_constants(result, replications) if replications else {}
    write_file(output, result.scenario_text(constants).encode(), force=force)
    say(f"scenario: {output}")


@app.command(
    epilog=examples(
        "simlib excitation events_*.csv.gz -o fits/",
        "simlib excitation events_*.csv.gz --as-of 2024-12-31 -o fits/",
    )
)
def excitation(
    files: Annotated[
        list[Path], Argument(help="Event files of UCDP that hold the regimes of the record.")
    ],
    as_of: AsOf = AS_OF,
    output: Folder = None,
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
    present(kept, ExcitationFits(tuple(fits), POOLS), severity_tails(events, REGIMES))


@app.command(
    epilog=examples(
        "simlib invert theatre --parameter tempo.sd,tempo.rho -o inverted/",
        "simlib invert theatre --parameter tempo.sd -o inverted/ --population 500 --generations 8",
        "simlib invert theatre --parameter tempo.sd --counts mine.csv -o inverted/",
    )
)
def invert(  # noqa: PLR0913, PLR0917  (options of a command line)
    scenario: ScenarioName,
    parameter: Annotated[
        list[str],
        Option(
            metavar="NAME[,NAME]...",
            help="Drawn parameters to find, repeated or with commas.",
            autocompletion=completion.parameters,
        ),
    ],
    output: Annotated[Path, Option("-o", "--output", help="Directory; run again to go on there.")],
    counts: Annotated[
        Path | None,
        Option(help="Monthly counts (conflict_id, month, events); UCDP 2024 when not given."),
    ] = None,
    as_of: AsOf = AS_OF,
    population: Annotated[int, Option(help="Accepted runs of each generation.")] = 200,
    generations: Annotated[int, Option(help="How many generations.")] = 6,
    force: Force = False,  # noqa: FBT002
) -> None:
    """Find parameters whose simulated months look like counted ones (ABC-SMC, resumable)."""
    from simlib.evidence.abc_smc.forecaster_problem import forecaster_problem, ucdp_counts
    from simlib.evidence.abc_smc.populations import Effort
    from simlib.evidence.abc_smc.populations import invert as inverted_by
    from simlib.theatre.record.monthly import BEFORE_DECEMBER, SCORED

    date = as_date(as_of)
    loaded = load_scenario(scenario)
    observed = ucdp_counts(counts, SCORED, date)
    problem = forecaster_problem(loaded, names(parameter), observed, BEFORE_DECEMBER)
    kept = output_of("invert", output, force=force)
    standing = Generations(output)
    with stopping_between_runs(standing) as stop:
        problem = replace(problem, simulator=stop.unless_asked(problem.simulator))
        found = inverted_by(
            problem, Effort(population, generations), directory=output, progress=standing
        )
    n_series = len(observed.series)
    say(f"observed: {observed.source}, {len(observed.counts)} months of {n_series} series")
    present(kept, found)


@app.command(
    epilog=examples(
        "simlib backtest -o out/backtest",
        "simlib backtest --part syria --draws 400",
        "simlib backtest --forecaster negative_binomial,conflictology --candidate conflictology",
    )
)
def backtest(  # noqa: PLR0913, PLR0917  (options of a command line)
    part: Annotated[str, Option(help="iraq, syria, 2024 or all.")] = "all",
    draws: Annotated[int, Option(help="Draws of each forecast, 2 to 20,000.")] = 1000,
    forecaster: Annotated[
        list[str] | None,
        Option(metavar="A[,B...]", help="What forecasts; all when not given."),
    ] = None,
    candidate: Annotated[
        str | None,
        Option(metavar="NAME", help="What is compared with every baseline, group by group."),
    ] = None,
    root_seed: Annotated[int, Option(help="Makes every number repeatable.")] = 1,
    jobs: Jobs = None,
    output: Folder = None,
    force: Force = False,  # noqa: FBT002
) -> None:
    """Score forecasts of lethal events at past months, beside the field's baselines."""
    from simlib.evidence.backtests.forecasters import BASELINES, CANDIDATES
    from simlib.evidence.backtests.forecasters import forecaster as named
    from simlib.evidence.backtests.result import backtest as tested
    from simlib.theatre.record.monthly import shipped_parts

    every = [*CANDIDATES, *BASELINES]
    asked = list(dict.fromkeys(names(forecaster))) or every
    parts = shipped_parts(None if part == "all" else [part])
    chosen = [named(name) for name in asked]
    kept = output_of("backtest", output, force=force)
    with running(output, jobs) as where:
        found = tested(
            parts, chosen, candidate=candidate, n_draws=draws, root_seed=root_seed, **where
        )
    if not found.candidate:
        say("nothing is compared; --candidate NAME compares one with others, group by group")
    present(kept, found)


@app.command(
    epilog=examples(
        "simlib analogues",
        "simlib analogues -o analogues/",
        "simlib analogues --replications 0",
        "simlib analogues --as-of 2020-12-31",
    )
)
def analogues(
    as_of: AsOf = AS_OF,
    replications: Annotated[
        int,
        Option("--replications", "-n", help="Of each scenario and option; 0 simulates nothing."),
    ] = 400,
    record: Annotated[
        Path | None, Option(help="Events by country and month; bundled when not given.")
    ] = None,
    jobs: Jobs = None,
    output: Folder = None,
    force: Force = False,  # noqa: FBT002
) -> None:
    """Say what withdrawals elsewhere tell of the effect of one, and how little that is."""
    from simlib.evidence.analogues.study import study_analogues
    from simlib.theatre.analogues.withdrawal import WITHDRAWALS

    kept = output_of("analogues", output, force=force)
    with running(output, jobs) as where:
        study = study_analogues(
            as_date(as_of),
            analogues=WITHDRAWALS,
            replications=replications,
            record=record,
            **where,
        )
    present(kept, study)
