"""The commands on one ensemble: run, extend, verify, replay, check, resolve."""

from __future__ import annotations

import math
import shlex
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Option

from simlib.cli import completion
from simlib.cli.app import (
    FAILED,
    DaskLocal,
    Every,
    Folder,
    Force,
    Jobs,
    OneOption,
    Replications,
    Results,
    RootSeed,
    ScenarioName,
    Scheduler,
    Until,
    app,
    examples,
)
from simlib.cli.driver import draw, load_scenario, names, output_of, workers
from simlib.cli.progress import checking, stopping
from simlib.cli.result_display import PEOPLE, Csv, Form, Json, form_of, show_results
from simlib.cli.streams import say, tell
from simlib.errors import ScenarioError, SimulationError, StoreError
from simlib.files import refuse_unwritable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simlib.ensemble import Ensemble
    from simlib.ensemble.replications import Job
    from simlib.files import Output
    from simlib.journal import Decision, Run
    from simlib.scenario.schema import Scenario

Design = Annotated[
    str | None, Option(help="Of the parameter draws: random, sobol or latin_hypercube.")
]
Options = Annotated[
    list[str] | None,
    Option(
        "--option",
        metavar="NAME[,NAME]...",
        help="Options, repeated or with commas; all: every one.",
        autocompletion=completion.options,
    ),
]
HOME = Path("simlib-results")
"""Where results are kept that are given no folder: each in one named after its scenario."""
LONG_RUN = 1000
"""Replications beside which the hundred short ones that measure how much is prior are few."""
Without = Annotated[
    list[str] | None,
    Option(
        metavar="NAME[,NAME]...",
        help="Agents that never act, repeated or with commas.",
        autocompletion=completion.agents,
    ),
]
Remove = Annotated[
    list[str] | None,
    Option(
        metavar="NAME[,NAME]...",
        help="Actors that are not there at all, repeated or with commas.",
        autocompletion=completion.agents,
    ),
]
Journals = Annotated[bool, Option("--journals", help="Keep every incident too; much larger.")]
Figures = Annotated[bool, Option(help="Draw figures beside the results.")]


@app.command(
    epilog=examples(
        "simlib run as_agreed",
        "simlib run mine.yaml -o out/ --replications 5000 --root-seed 7 --jobs 4",
        "simlib run as_agreed -o out/ --option as_agreed,extend_12m",
        "simlib run as_agreed -o out/ --option all",
        "simlib run as_agreed -o out/ --until 'iraq_end_class.formally_extended +- 0.01'",
        "simlib run as_agreed -o out/ --option as_agreed,extend_12m "
        "--until 'wrong ranking of isis_attacks_iraq_year_1 < 0.05'",
        "simlib run as_agreed -o out/ --scheduler tcp://10.0.0.1:8786",
    )
)
def run(  # noqa: PLR0913, PLR0917  (options of a command line)
    scenario: ScenarioName,
    output: Folder = None,
    replications: Replications = None,
    until: Until = None,
    root_seed: RootSeed = None,
    design: Design = None,
    jobs: Jobs = None,
    scheduler: Scheduler = None,
    dask_local: DaskLocal = None,
    option: Options = None,
    without: Without = None,
    remove: Remove = None,
    journals: Journals = False,  # noqa: FBT002
    figures: Figures = True,  # noqa: FBT002
    force: Force = False,  # noqa: FBT002
    every: Every = False,  # noqa: FBT002
    as_json: Json = False,  # noqa: FBT002
    as_csv: Csv = False,  # noqa: FBT002
) -> None:
    """Simulate a scenario; run again to resume or to add replications."""
    from simlib.ensemble import run as simulated
    from simlib.ensemble.replications import Job
    from simlib.scenario import with_changes, with_design, with_root_seed
    from simlib.scenario.schema import several

    form = form_of(every=every, as_json=as_json, as_csv=as_csv)
    with stopping(output) as reporter:
        loaded = load_scenario(scenario)
        if design is not None:
            loaded = with_design(loaded, design)
        if remove:
            loaded = with_changes(loaded, {"remove": [*several(loaded.remove), *names(remove)]})
        loaded = with_root_seed(loaded, root_seed)
        job = Job(loaded, (), tuple(names(without)), journals)
        output = reporter.output = output or _usual_folder(job)
        drawn = _figures(output, figures=figures, force=force)
        ensemble = simulated(
            loaded,
            options="all" if "all" in names(option) else names(option) or None,
            replications=replications,
            until=until,
            **workers(jobs, scheduler, dask_local),
            without=job.without,
            directory=output,
            journals=journals,
            progress=reporter,
        )
    _show(ensemble, form)
    if form in PEOPLE:
        _show_committee(loaded, ensemble.n)
    _finish(ensemble, output, drawn, jobs, form)


def _usual_folder(job: Job) -> Path:
    """Where results are kept that nobody gave a folder for."""
    from simlib.ensemble.opening import own_folder

    folder = own_folder(HOME, job)
    tell(f"results are kept in {folder}; -o DIRECTORY keeps them elsewhere")
    return folder


@app.command(
    epilog=examples(
        "simlib extend out/ --replications 5000",
        "simlib extend out/ --option extend_12m",
        "simlib extend out/ --until 'iraq_end_class.formally_extended +- 0.01'",
    )
)
def extend(  # noqa: PLR0913, PLR0917  (options of a command line)
    results: Results,
    replications: Annotated[
        int | None,
        Option("--replications", "-n", help="How many there shall be in all, of each option."),
    ] = None,
    option: Options = None,
    until: Until = None,
    jobs: Jobs = None,
    scheduler: Scheduler = None,
    dask_local: DaskLocal = None,
    figures: Figures = True,  # noqa: FBT002
    force: Force = False,  # noqa: FBT002
) -> None:
    """Add replications or options to results; those there are stay as they are."""
    from simlib.ensemble import open_results

    drawn = _figures(results, figures=figures, force=force)
    with stopping(results) as reporter:
        if replications is None and until is None and not option:
            raise StoreError("say how many replications there shall be, or until what to go on")
        ensemble = open_results(results).extend(
            replications, options=names(option), until=until, progress=reporter,
            **workers(jobs, scheduler, dask_local),
        )  # fmt: skip
    _show(ensemble, "short")
    _finish(ensemble, results, drawn, jobs, "short")


@app.command(
    epilog=examples("simlib show out/", "simlib show out/ --all", "simlib show out/ --csv")
)
def show(
    results: Results,
    every: Every = False,  # noqa: FBT002
    as_json: Json = False,  # noqa: FBT002
    as_csv: Csv = False,  # noqa: FBT002
) -> None:
    """Show results again: the answer in sentences, and the outcome table."""
    from simlib.ensemble import open_results

    form = form_of(every=every, as_json=as_json, as_csv=as_csv)
    ensemble = open_results(results)
    if form in PEOPLE:
        tell(f"context of use: {ensemble.manifest['context_of_use']}")
    _show(ensemble, form)


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
        "simlib replay out/ --replication 17",
        "simlib replay out/ --replication 17 --option extend_12m --journal 17.csv --figure 17.png",
    )
)
def replay(
    results: Results,
    replication: Annotated[int, Option(help="Which replication.")],
    option: OneOption = None,
    journal: Annotated[
        Path | None, Option(help="Write every incident and decision to this CSV file.")
    ] = None,
    figure: Annotated[
        Path | None, Option(help="Draw its timeline to this file: .png, .svg or .pdf.")
    ] = None,
    force: Force = False,  # noqa: FBT002
) -> None:
    """Regenerate one replication exactly and print its decisions."""
    from simlib.ensemble import open_results
    from simlib.ensemble.replaying import write_journal

    if figure is not None:
        from simlib.plot.style import format_of

        format_of(figure)
    written = {"journal": journal, "figure": figure}
    files = {what: file for what, file in written.items() if file is not None}
    refuse_unwritable(*files.values(), inputs=[results])
    replayed = _replayed(open_results(results), replication, option)
    if journal is not None:
        write_journal(replayed, journal, overwrite=force)
    if figure is not None:
        from simlib.plot import save_timeline

        save_timeline(replayed, figure, overwrite=force)
    for line in _decision_lines(replayed):
        say(line)
    for what, file in files.items():
        say(f"{what}: {file}")


def _replayed(ensemble: Ensemble, replication: int, option: str | None) -> Run:
    try:
        return ensemble.replay(replication, option=option)
    except SimulationError as error:
        # What failed fails again: with the lines of code it failed at.
        tell("".join(traceback.format_exception(error)))
        raise typer.Exit(FAILED) from None


def _decision_lines(run: Run) -> Iterator[str]:
    """Iterate over the decisions of a run, a line each, with what woke the agent; in words."""
    from simlib.journal import to_date
    from simlib.scenario.spelling import words

    for decision in run.decisions:
        place = f" in {decision.place}" if decision.place else ""
        what = words(f"{decision.agent}: {decision.name}{place}: {decision.taken}")
        yield (
            f"{to_date(decision.time)}  {what}{_value(decision)} "
            f"(probability {decision.probability:.3g}; woken by {words(decision.cause)})"
        )


def _value(decision: Decision) -> str:
    """The value of a decision with what it is, as its agent says; empty where there is none."""
    from simlib.agents.registry import agent_class, agent_names
    from simlib.statistics.formatting import signed

    if math.isnan(decision.value):
        return ""
    is_known = decision.agent in agent_names()
    said = agent_class(decision.agent).values if is_known else {}
    text = signed(decision.value).removeprefix("+")
    what = said.get(decision.name, "as its value")
    return f", {text} {what}"


@app.command(epilog=examples("simlib check mine.yaml"))
def check(scenario: ScenarioName) -> None:
    """Name every mistake of a scenario, with its line."""
    from simlib.scenario import examined

    problems, warnings = examined(scenario)
    if problems:
        raise ScenarioError(problems)
    for warning in warnings:
        tell(f"warning: {warning}")
    say(f"{scenario}: no mistake found")


@app.command(epilog=examples("simlib resolve as_agreed > explicit.yaml"))
def resolve(
    scenario: ScenarioName,
    option: OneOption = None,
) -> None:
    """Print the fully explicit form of a scenario."""
    from simlib.scenario import option_scenario
    from simlib.scenario import resolve as text_of

    loaded = load_scenario(scenario, is_simulated=False)
    chosen = option_scenario(loaded, option) if option else loaded
    sys.stdout.write(text_of(chosen))


def _show(ensemble: Ensemble, form: Form) -> None:
    """Write answer and table, and, for people, the result digest and why a run stopped."""
    show_results(ensemble, form)
    if form not in PEOPLE:
        return
    say(f"digest: {ensemble.digest}")
    stopped = ensemble.manifest.get("stopped")
    if stopped:
        say(f"stopped at {stopped['replications']:,} replications: {stopped['why']}")


def _show_committee(scenario: Scenario, n: int) -> None:
    """Print the committee's class means and, where it adds little time, how much is prior."""
    if "committee.pi" not in scenario.parameters or "committee" not in scenario.agents:
        return
    from simlib.theatre.questions.committee_choices import answer_at_zero, share_due_to_pi

    answer = sorted(answer_at_zero(scenario, 1000).items(), key=lambda item: -item[1])
    classes = ", ".join(f"{name.replace('_', ' ')} {p:.2f}" for name, p in answer)
    say(f"committee before its grounds are weighed: {classes}")
    if n < LONG_RUN:
        return
    share = share_due_to_pi(scenario)
    say(
        f"{share:.0%} of the variance of P(extension) is due to how deadlines end in general, "
        "which rests on three past ones; most of the rest is judgement too"
    )


def _figures(results: Path, *, figures: bool, force: bool) -> Output | None:
    """Where figures go, beside the results, if they are drawn."""
    folder = results / "figures" if figures else None
    return output_of("figures", folder, force=force)


def _finish(
    ensemble: Ensemble, output: Path, drawn: Output | None, jobs: int | None, form: Form = "short"
) -> None:
    # What a script reads has the output to itself.
    note = say if form in PEOPLE else tell
    note(f"results: {output}")
    if drawn is not None:
        draw(ensemble, drawn, jobs=jobs, note=note)
    if ensemble.n_failed:
        _end_with_failures(ensemble, output)


def _end_with_failures(ensemble: Ensemble, output: Path) -> None:
    """Say what repeats the first failure; that there are some was warned of."""
    first = ensemble.failures.reset_index().iloc[0]
    again = ["simlib", "replay", str(output), "--replication", str(first["replication"])]
    if first.get("option"):
        again += ["--option", str(first["option"])]
    tell(f"to reproduce it: {shlex.join(again)}")
    raise typer.Exit(FAILED)
