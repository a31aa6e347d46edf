"""Stored replications simulated again, before others are put beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simlib.ensemble.environment import changes, versions
from simlib.ensemble.replications import simulate_chunk
from simlib.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simlib.ensemble.replications import Prepared
    from simlib.ensemble.store import Directory, Entry

_FEW, _MANY = 2, 8
"""How many are probed where nothing has changed, and where something has."""


def probe(directory: Directory, prepared: Prepared, option: str) -> None:
    """Simulate some stored replications of an option again and compare.

    Raises
    ------
    StoreError
        One came out otherwise: results of before and now must not be mixed.
    """
    entries = directory.entries(option)
    if not entries:
        return
    n = _MANY if _changed(directory) else _FEW
    for entry, replication in _spread(entries, n):
        refuse_unequal(directory, entry, prepared, replication)


def refuse_unequal(
    directory: Directory, entry: Entry, prepared: Prepared, replication: int
) -> None:
    """Simulate one stored replication again and compare.

    Raises
    ------
    StoreError
        It came out otherwise.
    """
    again = simulate_chunk(prepared, entry.option, range(replication, replication + 1))
    if again.digests[0] != entry.digests()[replication - entry.first]:
        why = _changed(directory) or "nothing that is recorded has changed"
        raise StoreError(
            f"{directory.path}: replication {replication} does not come out as it is stored "
            f"({why}); continue with what made it, or give another directory"
        )


def _changed(directory: Directory) -> str:
    return changes(directory.manifest["made_by"][-1], versions())


def _spread(entries: list[Entry], n: int) -> Iterator[tuple[Entry, int]]:
    """Iterate over n replications from the first to the last."""
    steps = {round(i * (len(entries) - 1) / (n - 1)) for i in range(n)}
    for step in sorted(steps):
        entry = entries[step]
        yield entry, entry.first if step == 0 else entry.stop - 1
