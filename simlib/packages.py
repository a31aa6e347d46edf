"""What installed packages bring: simlib finds it by the entry points of their distributions."""

from __future__ import annotations

import functools
import sys
from importlib import metadata
from typing import TYPE_CHECKING

from simlib.errors import SimulationError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


def brought(group: str) -> dict[str, tuple[EntryPoint, ...]]:
    """Return the entry points of a group by name: more than one where packages share a name."""
    return _brought(group, tuple(sys.path))


@functools.cache
def _brought(group: str, _path: tuple[str, ...]) -> dict[str, tuple[EntryPoint, ...]]:
    """Look for them once: `_path` says where they are looked for."""
    found = metadata.entry_points(group=group)
    return {name: tuple(found.select(name=name)) for name in sorted(found.names)}


def loaded(entry: EntryPoint) -> object:
    """What stands at an entry point.

    Raises
    ------
    SimulationError
        It cannot be imported.
    """
    try:
        return entry.load()
    except Exception as error:
        what = f"{type(error).__name__}: {error}"
        raise refused(entry, "must be there to be imported", what) from error


def refused(entry: EntryPoint, rule: str, got: object) -> SimulationError:
    """Return the error of an entry point that is not what its group asks for."""
    where = f"{entry.name} = {entry.value} of {package_of(entry)}"
    return SimulationError(f"{where}: {rule} (got {got})")


def package_of(entry: EntryPoint) -> str:
    """Return the name of the distribution that brings something."""
    return entry.dist.name if entry.dist else entry.value
