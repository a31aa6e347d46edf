"""Scenario simulation: agents that decide, incidents that happen, options compared.

>>> import simlib
>>> scenario = simlib.load("as_agreed")                               # doctest: +SKIP
>>> ensemble = simlib.run(scenario, replications=1000, root_seed=7)   # doctest: +SKIP
>>> ensemble.table()                                                  # doctest: +SKIP

Names load when they are first used: importing simlib loads nothing at all, not even of the
standard library, which ``python -m simlib.cli`` would take from the current folder.
"""

from simlib._version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from simlib import analysis, plot
    from simlib.agents.base import Agent
    from simlib.analysis.comparing.comparison import compare
    from simlib.analysis.comparing.forking import fork
    from simlib.ensemble import Ensemble, run
    from simlib.ensemble import open_results as open  # noqa: A004
    from simlib.errors import ScenarioError, SimlibError, SimulationError, StoreError
    from simlib.journal import Run
    from simlib.scenario import check, load, resolve
    from simlib.scenario.schema import Scenario
    from simlib.simulation import assemble, simulate

__all__ = [
    "Agent",
    "Ensemble",
    "Run",
    "Scenario",
    "ScenarioError",
    "SimlibError",
    "SimulationError",
    "StoreError",
    "__version__",
    "analysis",
    "assemble",
    "check",
    "compare",
    "fork",
    "load",
    "open",
    "plot",
    "resolve",
    "run",
    "simulate",
]

_HOMES = {
    "Agent": "simlib.agents.base",
    "Ensemble": "simlib.ensemble",
    "Run": "simlib.journal",
    "Scenario": "simlib.scenario.schema",
    "ScenarioError": "simlib.errors",
    "SimlibError": "simlib.errors",
    "SimulationError": "simlib.errors",
    "StoreError": "simlib.errors",
    "assemble": "simlib.simulation",
    "check": "simlib.scenario",
    "compare": "simlib.analysis.comparing.comparison",
    "fork": "simlib.analysis.comparing.forking",
    "load": "simlib.scenario",
    "open": "simlib.ensemble",
    "resolve": "simlib.scenario",
    "run": "simlib.ensemble",
    "simulate": "simlib.simulation",
}


def __getattr__(name: str) -> object:
    """Load a public name when it is first asked for."""
    import importlib

    if name in {"analysis", "plot"}:
        return importlib.import_module(f"simlib.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'simlib' has no attribute {name!r}")
    home = importlib.import_module(_HOMES[name])
    value: object = getattr(home, "open_results" if name == "open" else name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
