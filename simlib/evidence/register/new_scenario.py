"""A file over a scenario that changes nothing yet, with the commonest levers as comments."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from simlib.evidence.register.movables import movables

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from simlib.evidence.register.movables import Movable
    from simlib.scenario.schema import Scenario

_WIDTH = 92
_EACH = {"parameter": 3, "state": 2, "decision": 1, "agent": 1, "posture": 1, "milestone": 2}
"""How many levers of a kind there are in the file: ten in all."""
_HEAD = """# What if ...? A scenario over {base} that changes nothing yet.
#
# Take the "# " away from a line that moves something and from the name of its section.
#   simlib check {file}: every mistake, with its line
#   simlib diff {base} {file}: what it changes, and by how much
#   simlib compare {file} --option ONE,OTHER: what two options differ in
#   simlib levers {file} WORD: what else can be moved
extends: {base}
name: {name}
"""


def new_scenario(scenario: Scenario, base: str, name: str, preferred: Collection[str] = ()) -> str:
    """Return the text of a file over a scenario, ten levers of it as comments.

    Parameters
    ----------
    scenario
        The scenario that is extended.
    base, name
        What it is called in ``extends``, and what the new one is called.
    preferred
        Names to show where the scenario has them, before others of their kind.
    """
    head = _HEAD.format(base=base, name=name, file=f"{name}.yaml")
    return head + "".join(f"{line}\n" for line in _sections(scenario, preferred))


def _sections(scenario: Scenario, preferred: Collection[str]) -> Iterator[str]:
    chosen = _chosen(movables(scenario), preferred)
    sections: dict[str, list[tuple[Movable, str]]] = {}
    for each in chosen:
        section, _, line = each.example.partition(": {")
        sections.setdefault(section, []).append((each, line.removesuffix("}")))
    for section, levers in sections.items():
        yield "#"
        yield f"# {section}:"
        for i, (each, line) in enumerate(levers, start=1):
            today = f"Today {each.today} {each.unit}".strip()
            about = textwrap.shorten(f"{today}. {each.meaning}", _WIDTH, placeholder=" ...")
            yield f"#   # {about}"
            yield f"#   {_numbered(line, i)}"


def _numbered(line: str, i: int) -> str:
    """A line of an option or event with a name of its own, where there are several."""
    for name in ("moved", "change"):
        line = line.replace(f"{name}: ", f"{name}_{i}: ", 1) if line.startswith(name) else line
    return line


def _chosen(every: Sequence[Movable], preferred: Collection[str]) -> Iterator[Movable]:
    """Iterate over some of each kind whose example is one line, the preferred ones first."""
    rank = {name: i for i, name in enumerate(preferred)}
    for kind, n in _EACH.items():
        own = [m for m in every if m.kind == kind and "\n" not in m.example]
        own.sort(key=lambda m: rank.get(m.name, len(rank)))
        yield from own[:n]
