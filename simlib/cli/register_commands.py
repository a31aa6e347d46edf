"""The command on the numbers a scenario rests on: a card for each, and the page of all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from simlib.cli.app import Force, Jobs, Outcomes, app, examples
from simlib.cli.driver import load_scenario, running, scenario_and_name, show
from simlib.cli.driver import names as listed
from simlib.cli.streams import say
from simlib.errors import Problem, ScenarioError
from simlib.files import refuse_unwritable, write_file

if TYPE_CHECKING:
    from simlib.evidence.register.cards import Card
    from simlib.evidence.register.correlations import Correlations
    from simlib.evidence.register.register_page import RegisterPage
    from simlib.scenario.schema import Scenario

_SHOWN = 20


Names = Annotated[
    list[str] | None,
    Argument(
        metavar="[SCENARIO] [PARAMETER_OR_ID]",
        help="A scenario (as_agreed when none is given), a parameter or a register row's id.",
    ),
]


@app.command(
    epilog=examples(
        "simlib register isis.stock",
        "simlib register A27",
        "simlib register as_agreed --replications 400",
        "simlib register as_agreed --results out/ -o register.md",
        "simlib register mine.yaml isis.stock --results out/ --outcome isis_attacks_iraq_2025",
    )
)
def register(  # noqa: PLR0913, PLR0917  (options of a command line)
    names: Names = None,
    results: Annotated[
        Path | None, Option(help="Results of simlib run: how outcomes go with the numbers.")
    ] = None,
    replications: Annotated[
        int | None,
        Option(
            "--replications",
            "-n",
            min=1,
            help="Simulate so many for that instead; 400 see what matters most.",
        ),
    ] = None,
    outcome: Outcomes = None,
    jobs: Jobs = None,
    output: Annotated[
        Path | None, Option("-o", "--output", help="Write the page (Markdown, .md).")
    ] = None,
    force: Force = False,  # noqa: FBT002
) -> None:
    """Show what a number rests on, where it is used and how outcomes go with it."""
    from simlib.evidence.register.cards import cards, find
    from simlib.evidence.register.register_page import page_of
    from simlib.scenario.bundled import scenario_names

    _refuse_suffix(output)
    scenario_name, name = scenario_and_name(names or [], "register", "a parameter")
    scenario = load_scenario(scenario_name, is_simulated=replications is not None, is_told=False)
    if output is not None:
        refuse_unwritable(output, inputs=[] if results is None else [results])
    card = find(cards(scenario), name, scenario_names()) if name else None
    known = _correlations(scenario, results, replications, listed(outcome), jobs)
    if card is not None:
        _show(card if known is None else find(cards(scenario, known), name), known)
    if output is not None:
        page = page_of(scenario, known)
        again = _again(scenario_name, results, replications, outcome)
        write_file(output, page.markdown(f"{again} -o {output}").encode(), force=force)
        say(f"page: {output}, {len(page.cards):,} cards")
    elif card is None:
        _summarize(page_of(scenario, known))


def _refuse_suffix(output: Path | None) -> None:
    if output is not None and output.suffix != ".md":
        hint = "HTML is no longer built" if output.suffix == ".html" else ""
        raise ScenarioError([Problem("output", f"must end in .md (got {output})", hint)])


def _correlations(
    scenario: Scenario,
    results: Path | None,
    replications: int | None,
    outcomes: list[str] | None,
    jobs: int | None,
) -> Correlations | None:
    """What stored or simulated replications say; nothing where none are asked for."""
    from simlib.evidence.register.correlations import correlations_of
    from simlib.theatre.questions.iraq_mission import HEADLINES

    if results is not None and replications is not None:
        raise ScenarioError([Problem("results", "give one of --results and --replications")])
    if results is not None:
        from simlib.ensemble import open_results

        ensemble = open_results(results)
        return correlations_of(ensemble, scenario, outcomes, headlines=HEADLINES)
    if replications is None:
        if outcomes:
            hint = "give --results DIRECTORY or --replications N"
            raise ScenarioError([Problem("outcome", "needs replications", hint)])
        return None
    from simlib.ensemble import run
    from simlib.evidence.register.correlations import FEWEST
    from simlib.scenario.requests import n_replications

    n_replications(replications, FEWEST, FEWEST)
    with running(None, jobs) as where:
        ensemble = run(scenario, replications=replications, **where)
    return correlations_of(ensemble, scenario, outcomes, headlines=HEADLINES)


def _show(card: Card, known: Correlations | None) -> None:
    for sentence in card.sentences():
        say(sentence)
    if known is None:
        say("  goes with   give --results DIRECTORY or --replications N to see")
    elif not card.correlations:
        say("  goes with   nothing: it is not varied")
    for each in card.correlations:
        size = f"{each.rho:.2f} ({each.low:.2f} to {each.high:.2f})"
        what = size if each.is_clear else f"indistinguishable from none (below {each.floor:.2f})"
        value = "" if each.value == card.name else f", by {each.value}"
        say(f"  goes with   {each.outcome}: {what}{value}")
    if known is not None:
        say(f"  rank correlations with 95 % intervals, {known.label}")


def _summarize(page: RegisterPage) -> None:
    for sentence in page.sentences():
        say(sentence)
    show(page.brief())
    if page.correlations is not None:
        show(page.index().head(_SHOWN))
    say("a card: simlib register PARAMETER_OR_ID; all of them: -o register.md")


def _again(
    scenario: str, results: Path | None, replications: int | None, outcomes: list[str] | None
) -> str:
    """What renders the page again."""
    parts = ["simlib register", scenario]
    parts += [] if results is None else [f"--results {results}"]
    parts += [] if replications is None else [f"--replications {replications}"]
    return " ".join([*parts, *(f"--outcome {name}" for name in outcomes or ())])
