"""The commands on what there is: the scenarios at hand, and what may stand in one."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

from typer import Option

from simlib.cli.app import app, examples
from simlib.cli.driver import Head, show_lines
from simlib.cli.streams import say
from simlib.scenario.skimming import Title, bundled_titles, titles

_COLUMNS = (
    Head("scenario", {"no_wrap": True}),
    Head("question", {"overflow": "fold"}),
)


@app.command("list", epilog=examples("simlib list", "simlib list --json"))
def list_scenarios(
    as_json: Annotated[bool, Option("--json", help="Print them as JSON.")] = False,  # noqa: FBT002
) -> None:
    """List the scenarios at hand, each with its question."""
    bundled, here = bundled_titles(), titles(Path())
    if as_json:
        every = [*bundled, *here]
        named = [each._replace(file=str(each.file))._asdict() for each in every]  # type: ignore[arg-type]
        sys.stdout.write(json.dumps(named, indent=2, ensure_ascii=False) + "\n")
        return
    _show(bundled, "bundled")
    if here:
        _show([each._replace(name=str(each.file)) for each in here], "in this folder")
    say("to run one: simlib run NAME; to begin one over it: simlib new mine.yaml --from NAME")


@app.command(epilog=examples("simlib schema > simlib.schema.json"))
def schema() -> None:
    """Print the JSON Schema of scenario files, for editors: keys and what they mean."""
    from simlib.scenario.file_schema import file_schema

    sys.stdout.write(json.dumps(file_schema(), indent=1, ensure_ascii=False) + "\n")


def _show(found: list[Title], title: str) -> None:
    show_lines(_COLUMNS, [(each.name, each.question) for each in found], title)
