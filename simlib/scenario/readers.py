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
    module = _module_of(agent)
    if module is None:
        return None
    waiting, seen = [module], {module}
    sources = []
    while waiting:
        sources.append(_source(waiting.pop()))
        found = sorted(sources[-1].beside - seen)
        seen.update(found)
        waiting += found
    patterns = {pattern for source in sources for pattern in source.patterns}
    texts = frozenset[str]().union(*(source.texts for source in sources))
    return Words(texts, tuple(re.compile(p) for p in sorted(patterns)))


def classes_of(agent: str) -> list[ast.ClassDef]:
    """The classes in the module of an agent that simlib brings; none of any other."""
    module = _module_of(agent)
    body = _tree(module).body if module else []
    return [node for node in body if isinstance(node, ast.ClassDef)]


def text_pattern(node: ast.expr) -> str | None:
    """A pattern of the text that stands for something; None where it tells nothing."""
    if isinstance(node, ast.Constant):
        return re.escape(str(node.value))
    if isinstance(node, ast.JoinedStr) and any(map(_is_telling, node.values)):
        return "".join(map(_pattern, node.values))
    return None


def _module_of(agent: str) -> str | None:
    modules = {entry.value.partition(":")[0] for entry in brought(GROUP).get(agent, ())}
    if len(modules) != 1 or next(iter(modules)).partition(".")[0] != _ROOT.name:
        return None
    return modules.pop()


def _tree(module: str) -> ast.Module:
    path = _ROOT.joinpath(*module.split(".")[1:]).with_suffix(".py")
    return ast.parse(path.read_text(encoding="utf-8"))


class _ModuleText(NamedTuple):
    """What stands in a module: texts, f-strings as patterns, and what it imports beside it."""

    texts: set[str]
    patterns: set[str]
    beside: set[str]


@functools.cache
def _source(module: str) -> _ModuleText:
    package = module.rpartition(".")[0]
    source = _ModuleText(set(), set(), set())
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            source.texts.add(node.value)
        elif isinstance(node, ast.keyword) and node.arg:
            source.texts.add(node.arg)
        elif isinstance(node, ast.JoinedStr) and (pattern := text_pattern(node)) is not None:
            source.patterns.add(pattern)
        elif isinstance(node, ast.ImportFrom):
            source.beside.update(_beside(node.module or "", package))
    return source


def _beside(module: str, package: str) -> set[str]:
    return {module} if module.rpartition(".")[0] == package else set()


def _is_telling(part: ast.expr) -> bool:
    return isinstance(part, ast.Constant) and bool(_TELLING.search(str(part.value)))


def _pattern(part: ast.expr) -> str:
    return re.escape(str(part.value)) if isinstance(part, ast.Constant) else r"[\w.]+"
