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
from typing import TYPE_CHECKING

from simlib.packages import brought

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    sources = list(_sources(next(iter(modules))))
    texts = frozenset(text for source in sources for text in _texts(source))
    patterns = {pattern for source in sources for pattern in _patterns(source)}
    return Words(texts, tuple(re.compile(p) for p in sorted(patterns)))


def _sources(module: str) -> Iterator[ast.AST]:
    """The syntax trees of a module and of those beside it that it imports."""
    package = module.rpartition(".")[0]
    waiting, seen = [module], {module}
    while waiting:
        path = _ROOT.joinpath(*waiting.pop().split(".")[1:]).with_suffix(".py")
        tree = ast.parse(path.read_text(encoding="utf-8"))
        yield tree
        beside = {
            node.module
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            and (node.module or "").rpartition(".")[0] == package
        }
        found = sorted(name for name in beside if name and name not in seen)
        seen.update(found)
        waiting += found


def _texts(source: ast.AST) -> Iterator[str]:
    for node in ast.walk(source):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.keyword) and node.arg:
            yield node.arg


def _patterns(source: ast.AST) -> Iterator[str]:
    for node in ast.walk(source):
        if isinstance(node, ast.JoinedStr) and any(map(_is_telling, node.values)):
            yield "".join(map(_pattern, node.values))


def _is_telling(part: ast.expr) -> bool:
    return isinstance(part, ast.Constant) and bool(_TELLING.search(str(part.value)))


def _pattern(part: ast.expr) -> str:
    return re.escape(str(part.value)) if isinstance(part, ast.Constant) else r"[\w.]+"
