"""What is stored, looked at again: files hashed, digests computed, replications simulated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simlib.ensemble.environment import changes, versions
from simlib.ensemble.replications import simulate_chunk
from simlib.ensemble.results import Verification
from simlib.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from simlib.ensemble.replications import Prepared
    from simlib.ensemble.results import Ensemble
    from simlib.ensemble.store import Directory, Entry


def verify(ensemble: Ensemble, progress: Callable[[int, int], None] | None = None) -> Verification:
    """Hash every file again and compute every digest again; see `Ensemble.verify`."""
    directory = ensemble.directory
    listings = {option: directory.listing(option) for option in ensemble.options}
    faults = directory.strangers()
    for option, found in listings.items():
        faults += [*found.foreign, *found.damaged.values(), *directory.orphaned(option)]
        faults += directory.unlisted(option, found.entries)
    entries = [entry for found in listings.values() for entry in found.entries]
    for n_done, entry in enumerate(entries, start=1):
        faults += [fault] if (fault := _fault(entry)) else []
        if progress is not None:
            progress(n_done, len(entries))
    n = sum(entry.stop - entry.first for entry in entries)
    n_damaged = sum(len(found.damaged) + len(found.foreign) for found in listings.values())
    return Verification(
        n_chunks=len(entries) + n_damaged,
        n_replications=n,
        faults=tuple(dict.fromkeys(faults)),
        missing=tuple(_missing(ensemble, {o: each.entries for o, each in listings.items()})),
        digest="" if faults else ensemble.digest,
    )


def _missing(ensemble: Ensemble, entries: dict[str, list[Entry]]) -> Iterator[str]:
    n_asked = ensemble.manifest["replications"]
    for option, found in entries.items():
        n = sum(entry.stop - entry.first for entry in found)
        if n < n_asked:
            of = f" of option {option}" if option else ""
            yield f"{n:,} of {n_asked:,} replications{of} are there; run again for the others"


def _fault(entry: Entry) -> str:
    """What is wrong with a chunk, in words; empty when it is as stated."""
    try:
        if entry.recomputed() != entry.digests():
            return f"{entry.sidecar}: its digests are not those of its tables"
    except StoreError as error:
        return str(error)
    return ""


_FEW, _MANY = 2, 8
"""How many are probed where nothing has changed, and where something has."""


def probe(directory: Directory, prepared: Prepared, option: str) -> None:
    """Simulate some stored replications of an option again and compare.

    One that came out otherwise is a `StoreError`: results of before and now must not be mixed.
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
    """Simulate one stored replication again; raises `StoreError` where it comes out otherwise."""
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
