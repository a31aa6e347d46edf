"""What scenario files name, read fast and without judging them: for lists and completion."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from simlib.errors import ScenarioError
from simlib.scenario import bundled
from simlib.scenario.nodes import Mapping, Node, Scalar, Sequence, node_at
from simlib.scenario.yaml_text import Budget, read_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SUFFIXES = (".yaml", ".yml")
MOST_FILES = 40
"""Files that are read for the names of one scenario."""
MOST_LISTED = 200
"""Files of a folder that are looked at."""


class Title(NamedTuple):
    """A scenario's name, the question it answers, and its file."""

    name: str
    question: str
    file: Path


def titles(folder: Path) -> list[Title]:
    """The scenarios of a folder, sorted; other files are left out."""
    files = (path for path in sorted(folder.iterdir()) if path.suffix in SUFFIXES)
    found = (_title(path) for path, _ in zip(files, range(MOST_LISTED), strict=False))
    return [title for title in found if title is not None]


def bundled_titles() -> list[Title]:
    """The scenarios that come with simlib, by name."""
    found = (_title(file) for _, file in sorted(bundled.scenario_files().items()))
    return [title for title in found if title is not None]


def _title(file: Path) -> Title | None:
    try:
        root = read_file(file, str(file), Budget())
    except ScenarioError:
        return None
    if not {"simlib", "extends"} & root.items.keys():
        return None
    text = _text(node_at(root, ("question", "asks"))) or _text(root.items.get("context_of_use"))
    return Title(_text(root.items.get("name")) or file.stem, first_sentence(text), file)


def first_sentence(text: str) -> str:
    """The first sentence of a text.

    Examples
    --------
    >>> first_sentence("What if all leave? No forecast.")
    'What if all leave?'
    """
    found = re.match(r".+?[.?!](?=\s|$)", " ".join(text.split()))
    return found[0] if found else text


def names_in(source: Path, section: str) -> dict[str, str]:
    """What a scenario file and all that it extends or includes name in a section, described.

    Files that cannot be read name nothing: nothing is judged here.
    """
    found: dict[str, str] = {}
    for root in _trees(source):
        found = entries_of(root, section) | found
    return found


def entries_of(root: Mapping, section: str) -> dict[str, str]:
    """What a file alone names in a section, described."""
    entries = node_at(root, (section,))
    if not isinstance(entries, Mapping):
        return {}
    return {name: _described(entry) for name, entry in entries.items.items()}


def _trees(source: Path) -> Iterator[Mapping]:
    """The trees of a file and of those that it names, the file's own first."""
    budget = Budget()
    waiting = [source]
    seen: set[Path] = set()
    while waiting and len(seen) < MOST_FILES:
        path = waiting.pop(0)
        if path in seen:
            continue
        seen.add(path)
        try:
            root = read_file(path, str(path), budget)
        except ScenarioError:
            continue
        yield root
        waiting += _named_by(root, path.parent)


def _named_by(root: Mapping, folder: Path) -> Iterator[Path]:
    included = root.items.get("includes")
    if isinstance(included, Sequence):
        yield from (folder / _text(node) for node in included.items if _text(node))
    parent = _text(root.items.get("extends")).removesuffix(".yaml")
    if parent:
        own = folder / f"{parent}.yaml"
        yield own if own.is_file() else bundled.scenario_files().get(parent, own)


def _described(entry: Node) -> str:
    return _text(node_at(entry, ("label",))) or _text(node_at(entry, ("description",)))


def _text(node: Node | None) -> str:
    return node.text if isinstance(node, Scalar) else ""
