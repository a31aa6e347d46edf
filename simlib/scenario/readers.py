"""Which names simlib's own agents read, as their source says.

Only the source of simlib's own agents is looked at: what an agent of somebody else reads, its
entry in the catalogue says (``parameters``, ``decisions``), or else it is not known.
"""

from __future__ import annotations

import ast
import functools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from simlib.packages import brought

GROUP = "simlib.agents"
"""Entry points of this name are agents."""
_ROOT = Path(__file__).parents[1]
_TELLING = re.compile(r"[^\W\d_]{2}")
"""What the fixed part of an f-string holds at least, to be the name of something."""


@dataclass(frozen=True, slots=True)
class Words:
    """The texts in some source, and as patterns its f-strings."""

    texts: frozenset[str]
    patterns: tuple[re.Pattern[str], ...] = ()

    def hold(self, name: str) -> bool:
        """Whether a name is one of the texts, or one that an f-string may become."""
        return name in self.texts or any(p.fullmatch(name) for p in self.patterns)


@functools.cache
def words_of(agent: str) -> Words | None:
    """What stands in the source of an agent that simlib brings; None of any other.

    Modules beside it that it imports are part of it.
    """
    entries = brought(GROUP).get(agent, ())
    modules = {entry.value.partition(":")[0] for entry in entries}
    if len(modules) != 1 or next(iter(modules)).partition(".")[0] != _ROOT.name:
        return None
    waiting, seen = list(modules), set(modules)
    sources = []
    while waiting:
        sources.append(_source(waiting.pop()))
        found = sorted(sources[-1].beside - seen)
        seen.update(found)
        waiting += found
    patterns = {pattern for source in sources for pattern in source.patterns}
    texts = frozenset[str]().union(*(source.texts for source in sources))
    return Words(texts, tuple(re.compile(p) for p in sorted(patterns)))


class _ModuleText(NamedTuple):
    """What stands in a module: texts, f-strings as patterns, and what it imports beside it."""

    texts: set[str]
    patterns: set[str]
    beside: set[str]


@functools.cache
def _source(module: str) -> _ModuleText:
    path = _ROOT.joinpath(*module.split(".")[1:]).with_suffix(".py")
    package = module.rpartition(".")[0]
    source = _ModuleText(set(), set(), set())
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            source.texts.add(node.value)
        elif isinstance(node, ast.keyword) and node.arg:
            source.texts.add(node.arg)
        elif isinstance(node, ast.JoinedStr) and any(map(_is_telling, node.values)):
            source.patterns.add("".join(map(_pattern, node.values)))
        elif isinstance(node, ast.ImportFrom):
            source.beside.update(_beside(node.module or "", package))
    return source


def _beside(module: str, package: str) -> set[str]:
    return {module} if module.rpartition(".")[0] == package else set()


def _is_telling(part: ast.expr) -> bool:
    return isinstance(part, ast.Constant) and bool(_TELLING.search(str(part.value)))


def _pattern(part: ast.expr) -> str:
    return re.escape(str(part.value)) if isinstance(part, ast.Constant) else r"[\w.]+"
