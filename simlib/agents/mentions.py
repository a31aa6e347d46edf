"""Which parameters an agent reads: its source writes their names out."""

from __future__ import annotations

import ast
import functools
import inspect
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simlib.agents.base import Agent


def parameters_read(agent: type[Agent], names: Iterable[str]) -> frozenset[str]:
    """Return those of some names of parameters that the module of an agent's class reads.

    Parameters
    ----------
    agent
        The class. Nothing is found where its source cannot be read.
    names
        Names of parameters; ``parameter(f"beta.{ground}")`` reads all that begin so.
    """
    texts, patterns = _written(agent)
    return frozenset(
        name for name in names if name in texts or any(p.fullmatch(name) for p in patterns)
    )


@functools.cache
def _written(agent: type[Agent]) -> tuple[frozenset[str], tuple[re.Pattern[str], ...]]:
    """Return the texts in a module, and as patterns the f-strings that parameters are read by."""
    try:
        tree = ast.parse(inspect.getsource(inspect.getmodule(agent) or agent))
    except (OSError, TypeError, SyntaxError):
        return frozenset(), ()
    nodes = list(ast.walk(tree))
    texts = {n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    formats = {
        "".join(map(_pattern, argument.values))
        for n in nodes
        if isinstance(n, ast.Call) and getattr(n.func, "attr", "") == "parameter"
        for argument in n.args
        if isinstance(argument, ast.JoinedStr)
    }
    return frozenset(texts), tuple(re.compile(f) for f in sorted(formats))


def _pattern(part: ast.expr) -> str:
    return re.escape(str(part.value)) if isinstance(part, ast.Constant) else r"\w+"
