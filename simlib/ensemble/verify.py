"""Every file of a results directory hashed again, every digest computed again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simlib.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from simlib.ensemble.results import Ensemble
    from simlib.ensemble.store import Entry


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found in a results directory.

    Attributes
    ----------
    n_chunks, n_replications
        How many were looked at.
    faults
        A line for each chunk, table or folder that is not what it should be.
    missing
        A line for each option of which fewer replications are there than were asked for.
    digest
        The result digest, of the digests that the sidecars state; empty where there is a
        fault.
    """

    n_chunks: int
    n_replications: int
    faults: tuple[str, ...]
    missing: tuple[str, ...]
    digest: str

    @property
    def is_whole(self) -> bool:
        """Whether everything is as stated."""
        return not self.faults


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
    """Return what is wrong with a chunk, in words; empty when it is as stated."""
    try:
        if entry.recomputed() != entry.digests():
            return f"{entry.sidecar}: its digests are not those of its tables"
    except StoreError as error:
        return str(error)
    return ""
