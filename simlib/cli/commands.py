"""The commands on one ensemble: run, extend, verify, plot, replay, check, resolve."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simlib.cli.app import (
    FAILED,
    DaskLocal,
    Force,
    Jobs,
    Results,
    ScenarioName,
    Scheduler,
    Until,
    app,
    examples,
    load_scenario,
    workers,
)
from simlib.cli.findings import output_of
from simlib.cli.progress import checking, stopping
from simlib.cli.text import say, tell
from simlib.errors import ScenarioError, SimulationError, StoreError
from simlib.files import refuse_unwritable

if TYPE_CHECKING:
    from simlib.ensemble import Ensemble
    from simlib.files import Output
    from simlib.scenario.schema import Scenario


@app.command(
    epilog=examples(
        "simlib run as_agreed -o out/",
        "simlib run mine.yaml -o out/ --replications 5000 --root-seed 7 --jobs 4",
        "simlib run as_agreed -o out/ --option as_agreed --option extend_12m",
        "simlib run as_agreed -o out/ --option all",
        "simlib run as_agreed -o out/ --until 'iraq_end_class.formally_extended +- 0.01'",
        "simlib run as_agreed -o out/ --option as_agreed --option extend_12m "
        "--until 'wrong ranking of isis_attacks_iraq_year_1 < 0.05'",
        "simlib run as_agreed -o out/ --scheduler tcp://10.0.0.1:8786",
    )
)
def run(  # noqa: PLR0913, PLR0917  (options of a command line)
    scenario: ScenarioName,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Directory that keeps the results.")
    ] = None,
    replications: Annotated[
        int | None, typer.Option(help="How many; the scenario's number when not given.")
    ] = None,
    until: Until = None,
    root_seed: Annotated[int | None, typer.Option(help="Replaces the scenario's.")] = None,
    design: Annotated[
        str | None,
        typer.Option(help="Of the parameter draws: random, sobol or latin_hypercube."),
    ] = None,
    jobs: Jobs = None,
    scheduler: Scheduler = None,
    dask_local: DaskLocal = None,
    option: Annotated[
        list[str] | None, typer.Option(help="An option; may be repeated; all: every one.")
    ] = None,
    without: Annotated[
        list[str] | None, typer.Option(help="An agent to leave out; may be repeated.")
    ] = None,
    journals: Annotated[  # noqa: FBT002
        bool, typer.Option("--journals", help="Keep every incident too; much larger.")
    ] = False,
    figures: Annotated[bool, typer.Option(help="Draw figures beside the results.")] = True,  # noqa: FBT002
    force: Force = False,  # noqa: FBT002
) -> None:
    """Simulate a scenario; run again to resume or to add replications."""
    import simlib.ensemble
    from simlib.cli.tables import show_committee

    drawn = _figures(output, figures=figures, force=force)
    with stopping(output) as reporter:
        loaded = _designed(load_scenario(scenario), design)
        tell(f"context of use: {loaded.context_of_use}")
        ensemble = simlib.ensemble.run(
            loaded,
            options="all" if option and "all" in option else option,
            replications=replications,
            until=until,
            root_seed=root_seed,
            **workers(jobs, scheduler, dask_local),
            without=without or (),
            directory=output,
            journals=journals,
            progress=reporter,
        )
    _show(ensemble)
    show_committee(loaded)
    _finish(ensemble, output, drawn)


@app.command(
    epilog=examples(
        "simlib extend out/ --replications 5000",
        "simlib extend out/ --until 'iraq_end_class.formally_extended +- 0.01'",
    )
)
def extend(  # noqa: PLR0913, PLR0917  (options of a command line)
    results: Results,
    replications: Annotated[
        int | None, typer.Option(help="How many there shall be in all, of each option.")
    ] = None,
    until: Until = None,
    jobs: Jobs = None,
    scheduler: Scheduler = None,
    dask_local: DaskLocal = None,
    figures: Annotated[bool, typer.Option(help="Draw figures beside the results.")] = True,  # noqa: FBT002
    force: Force = False,  # noqa: FBT002
) -> None:
    """Add replications to results; those there are stay as they are."""
    from simlib.ensemble import open_results

    drawn = _figures(results, figures=figures, force=force)
    with stopping(results) as reporter:
        if replications is None and until is None:
            raise StoreError("say how many replications there shall be, or until what to go on")
        ensemble = open_results(results).extend(
            replications, until=until, progress=reporter, **workers(jobs, scheduler, dask_local)
        )
    _show(ensemble)
    _finish(ensemble, results, drawn)


@app.command(epilog=examples("simlib verify out/"))
def verify(results: Results) -> None:
    """Hash every file of the results again, and print their digest."""
    from simlib.ensemble import open_results

    ensemble = open_results(results)
    with checking() as progress:
        found = ensemble.verify(progress)
    for line in (*found.faults, *found.missing):
        tell(line)
    if not found.is_whole:
        tell(f"faults: {len(found.faults):,}; what is damaged is simulated again by the next run")
        raise typer.Exit(FAILED)
    counted = f"{found.n_replications:,} replications in {found.n_chunks:,} chunks"
    if ensemble.n_failed:
        counted += f", {ensemble.n_failed:,} failed"
    say(f"{counted}: every file and every digest as stated")
    say(f"digest: {found.digest}")


@app.command(
    epilog=examples(
        "simlib plot out/",
        "simlib plot out/ -o figures/",
    )
)
def plot(
    results: Results,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Where; RESULTS/figures by default.")
    ] = None,
    force: Force = False,  # noqa: FBT002
) -> None:
    """Draw the figures of a results directory."""
    from simlib.ensemble import open_results

    folder = output or results / "figures"
    output_of("figures", folder, force=force)
    _draw(open_results(results), folder, force=force)


@app.command(
    epilog=examples(
        "simlib replay out/ --replication 17",
        "simlib replay out/ --replication 17 --option extend_12m --journal 17.csv --figure 17.png",
    )
)
def replay(
    results: Results,
    replication: Annotated[int, typer.Option(help="Which replication.")],
    option: Annotated[
        str | None, typer.Option(help="Which option, where there are several.")
    ] = None,
    journal: Annotated[
        Path | None, typer.Option(help="Write every incident and decision to this CSV file.")
    ] = None,
    figure: Annotated[
        Path | None, typer.Option(help="Draw its timeline to this file: .png, .svg or .pdf.")
    ] = None,
    force: Force = False,  # noqa: FBT002
) -> None:
    """Regenerate one replication exactly and print its decisions."""
    from simlib.cli.tables import decision_lines
    from simlib.ensemble import open_results
    from simlib.ensemble.replaying import write_journal

    if figure is not None:
        from simlib.plot.style import format_of

        format_of(figure)
    written = {"journal": journal, "figure": figure}
    files = {what: file for what, file in written.items() if file is not None}
    refuse_unwritable(*files.values(), inputs=[results])
    ensemble = open_results(results)
    try:
        replayed = ensemble.replay(replication, option=option)
    except SimulationError as error:
        # What failed fails again: with the lines of code it failed at.
        tell("".join(traceback.format_exception(error)))
        raise typer.Exit(FAILED) from None
    if journal is not None:
        write_journal(replayed, journal, overwrite=force)
    if figure is not None:
        from simlib.plot import save_timeline

        save_timeline(replayed, figure, overwrite=force)
    for line in decision_lines(replayed):
        say(line)
    for what, file in files.items():
        say(f"{what}: {file}")


@app.command(
    epilog=examples(
        "simlib check mine.yaml",
    )
)
def check(scenario: ScenarioName) -> None:
    """Name every mistake of a scenario, with its line."""
    from simlib.scenario import check as problems_of

    problems = problems_of(scenario)
    if problems:
        raise ScenarioError(problems)
    say(f"{scenario}: no mistake found")


@app.command(
    epilog=examples(
        "simlib resolve as_agreed > explicit.yaml",
    )
)
def resolve(
    scenario: ScenarioName,
    option: Annotated[str | None, typer.Option(help="With this option applied.")] = None,
) -> None:
    """Print the fully explicit form of a scenario."""
    from simlib.scenario import option_scenario
    from simlib.scenario import resolve as text_of

    loaded = load_scenario(scenario, is_simulated=False)
    chosen = option_scenario(loaded, option) if option else loaded
    sys.stdout.write(text_of(chosen))


def _designed(scenario: Scenario, design: str | None) -> Scenario:
    from simlib.scenario import with_design

    return scenario if design is None else with_design(scenario, design)


def _show(ensemble: Ensemble) -> None:
    from simlib.cli.tables import show_tables

    show_tables(ensemble)
    stopped = ensemble.manifest.get("stopped")
    if stopped:
        say(f"stopped at {stopped['replications']:,} replications: {stopped['why']}")


def _figures(results: Path | None, *, figures: bool, force: bool) -> Output | None:
    """Return where figures go, beside the results, if they are drawn."""
    folder = None if results is None or not figures else results / "figures"
    return output_of("figures", folder, force=force)


def _finish(ensemble: Ensemble, output: Path | None, drawn: Output | None) -> None:
    if output is None:
        say("results are not kept; give -o DIRECTORY to keep them")
    else:
        say(f"results: {output}")
        if drawn is not None:
            _draw(ensemble, drawn.folder, force=drawn.force)
    _end_with_failures(ensemble, output)


def _draw(ensemble: Ensemble, folder: Path, *, force: bool) -> None:
    from simlib.plot import figures

    say(f"figures: {folder} ({len(figures(ensemble, folder, overwrite=force))} files)")


def _end_with_failures(ensemble: Ensemble, output: Path | None) -> None:
    if not ensemble.n_failed:
        return
    first = ensemble.failures.reset_index().iloc[0]
    where = f"agent {first['agent']} on {first['date']}: " if first["agent"] else ""
    tell(
        f"{ensemble.n_failed:,} of {ensemble.n:,} replications failed; the first is "
        f"replication {first['replication']}: {where}{first['error']}"
    )
    if output is not None:
        tell(f"to reproduce it: simlib replay {output} --replication {first['replication']}")
    raise typer.Exit(FAILED)
