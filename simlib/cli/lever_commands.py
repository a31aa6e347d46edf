"""The commands on what can be moved: list it, and begin a file that moves some of it."""

from __future__ import annotations

import json
import os
import shutil
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from simlib.cli.app import app, examples
from simlib.cli.driver import DEFAULT, Head, load_scenario, scenario_and_name, show_lines
from simlib.cli.streams import say
from simlib.errors import Problem, ScenarioError, StoreError
from simlib.files import write_file

if TYPE_CHECKING:
    from simlib.evidence.register.movables import Movable

_MOST_CARDS = 12
"""So many are shown in full; more as lines of a table."""
_WIDEST = 100

Names = Annotated[
    list[str] | None,
    Argument(
        metavar="[SCENARIO] [WORD]",
        help="A scenario (as_agreed when none is given), and a word in name, kind or meaning.",
    ),
]


@app.command(
    epilog=examples(
        "simlib levers",
        "simlib levers milestone",
        "simlib levers isis.level_iraq",
        "simlib levers mine.yaml troops --json",
    )
)
def levers(
    names: Names = None,
    as_json: Annotated[bool, Option("--json", help="Print them as JSON.")] = False,  # noqa: FBT002
) -> None:
    """List what can be moved: its meaning, its value today, a line that moves it."""
    from simlib.evidence.register.movables import movables

    name, word = scenario_and_name(names or [], "levers", "a word")
    found = movables(load_scenario(name, is_simulated=False), word)
    if as_json:
        sys.stdout.write(json.dumps([each.as_dict() for each in found], indent=2) + "\n")
    elif len(found) <= _MOST_CARDS:
        for each in found:
            _show(each)
    else:
        _show_table(found)


def _show(each: Movable) -> None:
    width = min(shutil.get_terminal_size().columns, _WIDEST)
    say(f"{each.name} ({each.kind})")
    for head, text in (("meaning", each.meaning), ("today", f"{each.today} {each.unit}".strip())):
        for i, line in enumerate(textwrap.wrap(text, width - 12)):
            say(f"  {'' if i else head:<8}  {line}")
    for i, line in enumerate(each.example.splitlines()):
        say(f"  {'' if i else 'example':<8}  {line}")


def _show_table(found: list[Movable]) -> None:
    columns = (
        Head("kind", {"no_wrap": True}),
        Head("lever", {"overflow": "fold"}),
        Head("today", {"overflow": "fold"}),
        Head("unit", {"overflow": "fold"}, is_first_to_go=True),
    )
    lines = [
        (each.kind, each.name, textwrap.shorten(each.today, 40, placeholder=" ..."), each.unit)
        for each in found
    ]
    note = f"{len(found):,} levers; with meaning and example: simlib levers WORD"
    show_lines(columns, lines, note=note)


@app.command(epilog=examples("simlib new mine.yaml", "simlib new mine.yaml --from regional_war"))
def new(
    path: Annotated[Path, Argument(help="The file to begin; another one there is left alone.")],
    base: Annotated[
        str, Option("--from", help="The scenario it extends: a bundled one, or a file beside it.")
    ] = DEFAULT,
) -> None:
    """Begin a scenario file over another, with the commonest levers as comments."""
    from simlib.evidence.register.new_scenario import new_scenario
    from simlib.scenario import load_text
    from simlib.theatre.questions.iraq_mission import LEVERS

    if path.suffix != ".yaml":
        raise ScenarioError([Problem("new", f"must end in .yaml (got {path})")])
    if os.path.lexists(path):
        raise StoreError(f"{path}: is there already; give another name")
    named = _extended(path, base)
    text = new_scenario(load_scenario(base, is_simulated=False), named, path.stem, LEVERS)
    load_text(text, file=str(path), base=path.parent)
    write_file(path, text.encode())
    say(f"{path}: extends {named} and changes nothing yet; simlib check {path}")


def _extended(path: Path, base: str) -> str:
    """What a scenario is called in a file that extends it."""
    is_file = Path(base).suffix in {".yaml", ".yml"}
    if not is_file:
        return base
    if Path(base).resolve().parent != path.resolve().parent:
        rule = f"must be a bundled scenario, or a file in the folder of {path} (got {base})"
        raise ScenarioError([Problem("from", rule)])
    return Path(base).name
