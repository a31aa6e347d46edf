"""Options as they were spelled before: they work for one release, with a line that says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simlib.cli.streams import tell
from simlib.errors import Problem, ScenarioError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

RENAMED = {
    "--options": "--option",
    "--parameters": "--parameter",
    "--dates": "--date",
    "--forecasters": "--forecaster",
    "--slopes": "--slope",
    "--freeze": "--without",
}
"""Names are given by a word in the singular, repeated or with commas between them."""
REFUSED = {
    "--agent": (
        "an agent is not loaded by its path: an installed package brings it, and a scenario names "
        "it; five lines show how: docs/agents.md#agents-in-a-package"
    ),
}
"""Options that are missed, and what does what they would do."""


def respelled(arguments: Sequence[str]) -> list[str]:
    """Arguments as options are spelled now.

    Raises `ScenarioError` for an option that is not there on purpose, with what is there instead.
    """
    said: set[str] = set()
    found = list(_each(arguments, said))
    for name in sorted(said):
        tell(f"warning: {name} is spelled {RENAMED[name]} now; the next release has only that")
    return found


def _each(arguments: Sequence[str], said: set[str]) -> Iterator[str]:
    is_option = True
    for argument in arguments:
        name, equals, value = argument.partition("=")
        is_option = is_option and argument != "--"
        if is_option and name in REFUSED:
            raise ScenarioError([Problem(name.removeprefix("--"), REFUSED[name])])
        if is_option and name in RENAMED:
            said.add(name)
            yield f"{RENAMED[name]}{equals}{value}"
        else:
            yield argument
