"""Which agents there are: those that installed packages bring, simlib's own among them.

A package brings its agents by a table in its ``pyproject.toml``, names as in scenarios::

    [project.entry-points."simlib.agents"]
    tribes = "my_package.agents:Tribes"
"""

from __future__ import annotations

import functools
import inspect
import sys
from importlib import metadata
from typing import TYPE_CHECKING

from simlib.agents.base import Agent
from simlib.errors import SimulationError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "simlib.agents"
"""Entry points of this name are agents."""


def agent_names() -> frozenset[str]:
    """Return the names of all agents that are installed."""
    return frozenset(_entries(tuple(sys.path)))


def agent_class(name: str) -> type[Agent]:
    """Return the class of an installed agent.

    Raises
    ------
    SimulationError
        No package brings it, or two do; or what a package brings is no agent of that name.
    """
    entries = _entries(tuple(sys.path)).get(name, ())
    if len(entries) != 1:
        brought = " and ".join(sorted(map(_package, entries))) or "no package"
        raise SimulationError(f"agent {name}: must be brought by one package (got {brought})")
    found = _loaded(entries[0])
    if not (isinstance(found, type) and issubclass(found, Agent)) or inspect.isabstract(found):
        raise _refused(entries[0], "must be a subclass of simlib.Agent that lives", found)
    if found.name != name:
        raise _refused(entries[0], f"must be a class with the name {name!r}", found.name)
    return found


def is_of_simlib(agent: type[Agent]) -> bool:
    """Whether simlib itself brings an agent, so that its version says what it does."""
    return agent.__module__.partition(".")[0] == __name__.partition(".")[0]


@functools.cache
def _entries(_path: tuple[str, ...]) -> dict[str, tuple[EntryPoint, ...]]:
    """Return what packages bring, by name; `_path` says where they are looked for."""
    found = metadata.entry_points(group=GROUP)
    return {name: tuple(found.select(name=name)) for name in found.names}


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist else entry.value


def _loaded(entry: EntryPoint) -> object:
    try:
        return entry.load()
    except Exception as error:
        what = f"{type(error).__name__}: {error}"
        raise _refused(entry, "must be there to be imported", what) from error


def _refused(entry: EntryPoint, rule: str, got: object) -> SimulationError:
    where = f"{entry.value} of {_package(entry)}"
    return SimulationError(f"agent {entry.name}: {where}: {rule} (got {got})")
