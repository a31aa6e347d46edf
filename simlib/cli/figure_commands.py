"""The command that draws: all figures of results, or those that are asked for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Option

from simlib.cli import completion
from simlib.cli.app import Force, Jobs, Results, app, examples
from simlib.cli.driver import draw, names, output_of
from simlib.cli.streams import say
from simlib.errors import Problem, ScenarioError

if TYPE_CHECKING:
    from simlib.ensemble import Ensemble

Figures = Annotated[
    list[str] | None,
    Option(
        "--outcome",
        metavar="NAME[,NAME]...",
        help="Figures by name: an outcome, a type of incidents, map-TYPE; --list names all.",
        autocompletion=completion.outcomes,
    ),
]
Some = Annotated[
    list[str] | None,
    Option(
        "--option",
        metavar="NAME[,NAME]...",
        help="These options only; all that there are when not given.",
        autocompletion=completion.options,
    ),
]


@app.command(
    epilog=examples(
        "simlib plot out/",
        "simlib plot out/ --list",
        "simlib plot out/ --outcome isis_attacks_iraq_year_1 --format svg",
        "simlib plot out/ --outcome map-isis_attack --option as_agreed -o figures/",
    )
)
def plot(  # noqa: PLR0913, PLR0917  (options of a command line)
    results: Results,
    outcome: Figures = None,
    option: Some = None,
    kind: Annotated[str, Option("--format", help="png, svg or pdf.")] = "png",
    output: Annotated[
        Path | None, Option("-o", "--output", help="Where; RESULTS/figures by default.")
    ] = None,
    is_list: Annotated[bool, Option("--list", help="Name what can be drawn.")] = False,  # noqa: FBT002
    jobs: Jobs = None,
    force: Force = False,  # noqa: FBT002
) -> None:
    """Draw figures of results: all, or some by name; what is there and current is left."""
    from simlib.ensemble import Ensemble, open_results

    ensemble = open_results(results)
    if wanted := names(option):
        for name in wanted:
            ensemble.of(name)
        ensemble = Ensemble(ensemble.directory, wanted)
    if is_list:
        _list(ensemble)
        return
    if kind not in {"png", "svg", "pdf"}:
        raise ScenarioError([Problem("format", f"must be png, svg or pdf (got {kind!r})")])
    kept = output_of("figures", output or results / "figures", force=force)
    assert kept is not None  # noqa: S101  (a folder was given)
    files = draw(ensemble, kept, names(outcome), kind=kind, jobs=jobs)
    for file in files if outcome else ():
        say(f"figure: {file}")


def _list(ensemble: Ensemble) -> None:
    """Name every figure, those that are written beside a run first."""
    from simlib.plot import one_by_one, pages_of

    labels = ensemble.labels
    say("beside a run:")
    for name in pages_of(ensemble):
        say(f"  {name}")
    say("one by one:")
    for name in one_by_one(ensemble):
        say(f"  {name}{': ' + labels[name] if name in labels else ''}")
