"""The commands: run, plot, replay, check, resolve."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simlib._version import __version__
from simlib.cli.progress import INTERRUPTED, stopping
from simlib.cli.text import say, tell
from simlib.errors import ScenarioError, SimlibError

if TYPE_CHECKING:
    from simlib.ensemble import Ensemble
    from simlib.scenario.schema import Scenario

_FAILED, _WRONG = 1, 2

app = typer.Typer(
    name="simlib",
    help="Simulate scenarios: agents decide, incidents happen, outcomes are counted.",
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _examples(*lines: str) -> str:
    # The backspace keeps the lines as they are.
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])


_Scenario = Annotated[str, typer.Argument(help="A scenario file, or the name of a bundled one.")]
_Results = Annotated[Path, typer.Argument(help="A results directory that simlib run wrote.")]


def main() -> None:
    """Run the command line; errors that simlib raises on purpose are one text and status 2."""
    try:
        app()
    except SimlibError as error:
        tell(str(error))
        sys.exit(_WRONG)
    except KeyboardInterrupt:
        tell("interrupted")
        sys.exit(INTERRUPTED)


@app.callback(invoke_without_command=True)
def _version(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,  # noqa: FBT002
) -> None:
    if version:
        say(f"simlib {__version__}")
        raise typer.Exit


@app.command(
    epilog=_examples(
        "simlib run as_agreed -o out/",
        "simlib run mine.yaml -o out/ --replications 5000 --root-seed 7 --jobs 4",
        "simlib run as_agreed -o out/ --option as_agreed --option extend_12m",
        "simlib run as_agreed -o out/ --option all",
    )
)
def run(  # noqa: PLR0913, PLR0917  (options of a command line)
    scenario: _Scenario,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Directory that keeps the results.")
    ] = None,
    replications: Annotated[
        int | None, typer.Option(help="How many; the scenario's number when not given.")
    ] = None,
    root_seed: Annotated[int | None, typer.Option(help="Replaces the scenario's.")] = None,
    jobs: Annotated[
        int | None, typer.Option(help="Worker processes; one for each core when not given.")
    ] = None,
    option: Annotated[
        list[str] | None, typer.Option(help="An option; may be repeated; all: every one.")
    ] = None,
    without: Annotated[
        list[str] | None, typer.Option(help="An agent to leave out; may be repeated.")
    ] = None,
    figures: Annotated[bool, typer.Option(help="Draw figures beside the results.")] = True,  # noqa: FBT002
) -> None:
    """Simulate a scenario; run again to resume or to add replications."""
    import simlib.ensemble
    from simlib.cli.tables import show_committee, show_tables

    with stopping(output) as reporter:
        loaded = _load(scenario)
        tell(f"context of use: {loaded.context_of_use}")
        ensemble = simlib.ensemble.run(
            loaded,
            options="all" if option and "all" in option else option,
            replications=replications,
            root_seed=root_seed,
            jobs=jobs,
            without=without or (),
            directory=output,
            progress=reporter,
        )
    show_tables(ensemble)
    show_committee(loaded)
    if output is not None:
        say(f"results: {output}")
        if figures:
            _draw(ensemble, output / "figures")
    else:
        say("results are not kept; give -o DIRECTORY to keep them")
    _end_with_failures(ensemble, output)


@app.command(
    epilog=_examples(
        "simlib plot out/",
        "simlib plot out/ -o figures/",
    )
)
def plot(
    results: _Results,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Where; RESULTS/figures by default.")
    ] = None,
) -> None:
    """Draw the figures of a results directory."""
    from simlib.ensemble import open_results

    _draw(open_results(results), output or results / "figures")


@app.command(
    epilog=_examples(
        "simlib replay out/ --replication 17",
        "simlib replay out/ --replication 17 --option extend_12m --journal 17.csv --figure 17.png",
    )
)
def replay(
    results: _Results,
    replication: Annotated[int, typer.Option(help="Which replication.")],
    option: Annotated[
        str | None, typer.Option(help="Which option, where there are several.")
    ] = None,
    journal: Annotated[
        Path | None, typer.Option(help="Write every incident and decision to this CSV file.")
    ] = None,
    figure: Annotated[Path | None, typer.Option(help="Draw its timeline to this PNG file.")] = None,
) -> None:
    """Regenerate one replication exactly and print its decisions."""
    from simlib.cli.tables import decision_lines
    from simlib.ensemble import open_results
    from simlib.ensemble.replaying import write_journal

    replayed = open_results(results).replay(replication, option=option)
    if journal is not None:
        write_journal(replayed, journal)
    if figure is not None:
        from simlib.plot import save_timeline

        save_timeline(replayed, figure)
    for line in decision_lines(replayed):
        say(line)
    for what, file in (("journal", journal), ("figure", figure)):
        if file is not None:
            say(f"{what}: {file}")


@app.command(
    epilog=_examples(
        "simlib check mine.yaml",
    )
)
def check(scenario: _Scenario) -> None:
    """Name every mistake of a scenario, with its line."""
    from simlib.scenario import check as problems_of

    problems = problems_of(scenario)
    if problems:
        raise ScenarioError(problems)
    say(f"{scenario}: no mistake found")


@app.command(
    epilog=_examples(
        "simlib resolve as_agreed > explicit.yaml",
    )
)
def resolve(
    scenario: _Scenario,
    option: Annotated[str | None, typer.Option(help="With this option applied.")] = None,
) -> None:
    """Print the fully explicit form of a scenario."""
    from simlib.scenario import option_scenario
    from simlib.scenario import resolve as text_of

    loaded = _load(scenario)
    chosen = option_scenario(loaded, option) if option else loaded
    sys.stdout.write(text_of(chosen))


def _load(scenario: str) -> Scenario:
    from simlib.scenario import load

    return load(scenario)


def _draw(ensemble: Ensemble, folder: Path) -> None:
    from simlib.plot import figures

    say(f"figures: {folder} ({len(figures(ensemble, folder))} files)")


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
    raise typer.Exit(_FAILED)
