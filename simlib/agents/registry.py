"""Which agents there are: those that installed packages bring, simlib's own among them.

A package brings its agents by a table in its ``pyproject.toml``, names as in scenarios::

    [project.entry-points."simlib.agents"]
    tribes = "my_package.agents:Tribes"
"""

from __future__ import annotations

import inspect

from simlib.agents.base import Agent
from simlib.errors import SimulationError
from simlib.packages import brought, loaded, package_of, refused

GROUP = "simlib.agents"
"""Entry points of this name are agents."""


def agent_names() -> frozenset[str]:
    """Return the names of all agents that are installed."""
    return frozenset(brought(GROUP))


def agent_class(name: str) -> type[Agent]:
    """Return the class of an installed agent.

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
