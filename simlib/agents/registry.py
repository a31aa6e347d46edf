"""Which agents there are, those that installed packages bring, and which parameters they read.

A package brings its agents by a table in its ``pyproject.toml``, names as in scenarios::

    [project.entry-points."simlib.agents"]
    tribes = "my_package.agents:Tribes"
"""

from __future__ import annotations

import ast
import functools
import inspect
import re
from typing import TYPE_CHECKING

from simlib.agents.base import Agent
from simlib.errors import SimulationError
from simlib.packages import brought, loaded, package_of, refused

if TYPE_CHECKING:
    from collections.abc import Iterable

GROUP = "simlib.agents"
"""Entry points of this name are agents."""


def agent_names() -> frozenset[str]:
    """The names of all agents that are installed."""
    return frozenset(brought(GROUP))


def agent_class(name: str) -> type[Agent]:
    """The class of an installed agent.

    Raises
    ------
    SimulationError
        No package brings it, or two do; or what a package brings is no agent of that name.
    """
    entries = brought(GROUP).get(name, ())
    if len(entries) != 1:
        packages = " and ".join(sorted(map(package_of, entries))) or "no package"
        raise SimulationError(f"agent {name}: must be brought by one package (got {packages})")
    found = loaded(entries[0])
    if not (isinstance(found, type) and issubclass(found, Agent)) or inspect.isabstract(found):
        raise refused(entries[0], "must be a subclass of simlib.Agent that lives", found)
    if found.name != name:
        raise refused(entries[0], f"must be a class with the name {name!r}", found.name)
    return found


def is_of_simlib(agent: type[Agent]) -> bool:
    """Whether simlib itself brings an agent, so that its version says what it does."""
    return agent.__module__.partition(".")[0] == __name__.partition(".")[0]


def parameters_read(agent: type[Agent], names: Iterable[str]) -> frozenset[str]:
    """Those of some names of parameters that the module of an agent's class reads.

    Nothing is found where its source cannot be read; ``parameter(f"beta.{ground}")`` reads all
    that begin so.
    """
    texts, patterns = _written(agent)
    return frozenset(
        name for name in names if name in texts or any(p.fullmatch(name) for p in patterns)
    )


def is_named_by(agent: type[Agent], name: str) -> bool:
    """Whether the module of an agent's class has a name as one of its texts."""
    return name in _written(agent)[0]


@functools.cache
def _written(agent: type[Agent]) -> tuple[frozenset[str], tuple[re.Pattern[str], ...]]:
    """The texts in a module, and as patterns the f-strings that parameters are read by."""
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
