"""What a shell completes: names of scenarios, and what a scenario or results name."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from simlib.errors import ScenarioError
from simlib.scenario import bundled
from simlib.scenario.skimming import SUFFIXES, bundled_titles, entries_of, names_in
from simlib.scenario.yaml_text import Budget, read_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Completed = list[tuple[str, str]]
"""Each word with what it means."""
_MANIFEST = "manifest.json"
_DEFAULT = "as_agreed"
_TYPED = ("COMP_WORDS", "_TYPER_COMPLETE_ARGS")
"""What shells keep the line in that is being typed."""


def scenarios(incomplete: str) -> Completed:
    """Bundled scenarios, and scenario files where the word leads."""
    named = [(title.name, title.question) for title in bundled_titles()]
    files = [(str(path), "") for path in _beside(incomplete) if path.suffix in SUFFIXES]
    return _fitting([*named, *files], incomplete)


def results(incomplete: str) -> Completed:
    """Results directories where the word leads."""
    there = (path for path in _beside(incomplete) if (path / _MANIFEST).is_file())
    return _fitting([(str(path), "results") for path in there], incomplete)


def sources(incomplete: str) -> Completed:
    """Scenarios and results directories."""
    return [*scenarios(incomplete), *results(incomplete)]


def _beside(incomplete: str) -> Iterator[Path]:
    """What lies in the folder that a word leads to."""
    folder = Path(incomplete) if incomplete.endswith("/") else Path(incomplete).parent
    try:
        yield from sorted(folder.iterdir())
    except OSError:
        return


def _fitting(words: Iterable[tuple[str, str]], incomplete: str) -> Completed:
    return [word for word in words if word[0].startswith(incomplete)]


def _among(section: str) -> Callable[[str], Completed]:
    """What completes a name, or the last of several with commas, of a section of a scenario."""

    def complete(incomplete: str) -> Completed:
        before, comma, last = incomplete.rpartition(",")
        known = _known(_source(), section)
        return [
            (f"{before}{comma}{name}", meaning)
            for name, meaning in known.items()
            if name.startswith(last)
        ]

    return complete


options = _among("options")
outcomes = _among("outcomes")
agents = _among("agents")
parameters = _among("parameters")


def _source() -> Path:
    """The scenario file or results directory that the line names; else the usual scenario.

    The line itself is looked at: parsed parameters end before an option without its value.
    """
    files = bundled.scenario_files()
    for word in _typed()[2:]:
        path = Path(word)
        if path.suffix in SUFFIXES or (path / _MANIFEST).is_file():
            return path
        if word in files:
            return files[word]
    return files[_DEFAULT]


def _typed() -> list[str]:
    line = next((os.environ[name] for name in _TYPED if name in os.environ), "")
    try:
        return shlex.split(line)
    except ValueError:  # a quote that is still open
        return line.split()


def _known(source: Path, section: str) -> dict[str, str]:
    """What a scenario, or that of a results directory, names in a section."""
    if not source.is_dir():
        return names_in(source, section)
    try:
        text = json.loads((source / _MANIFEST).read_text(encoding="utf-8"))["scenario"]
        root = read_text(text, str(source), Budget())
    except (OSError, ValueError, KeyError, ScenarioError):
        return {}
    return entries_of(root, section)
