"""Scenario simulation: agents that decide, incidents that happen, options compared.

>>> import simlib
>>> scenario = simlib.load("as_agreed")                               # doctest: +SKIP
>>> ensemble = simlib.run(scenario, replications=1000, root_seed=7)   # doctest: +SKIP
>>> ensemble.table()                                                  # doctest: +SKIP

Names stand in ``__init__.pyi``, and load when they are first used: importing simlib loads
nothing at all, which ``python -m simlib.cli`` would take from the current folder.
"""

from simlib._version import __version__  # noqa: F401  (as the stub has it)


def __getattr__(name: str) -> object:
    """Load a public name when it is first asked for, and lazy_loader no sooner."""
    import lazy_loader

    load, _, names = lazy_loader.attach_stub(__name__, __file__)
    return names if name == "__all__" else load(name)


def __dir__() -> object:
    return __getattr__("__all__")
