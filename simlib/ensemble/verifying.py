"""Every file of a results directory hashed again, every digest computed again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simlib.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

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
        A line for each chunk that is not what its sidecar states.
    digest
        The result digest, of the digests that the sidecars state.
    """

    n_chunks: int
    n_replications: int
    faults: tuple[str, ...]
    digest: str

    @property
    def is_whole(self) -> bool:
        """Whether everything is as stated."""
        return not self.faults


def verify(ensemble: Ensemble, progress: Callable[[int, int], None] | None = None) -> Verification:
    """Hash every file again and compute every digest again; see `Ensemble.verify`."""
    entries = list(ensemble.entries())
    faults = []
    for n_done, entry in enumerate(entries, start=1):
        faults += [fault] if (fault := _fault(entry)) else []
        if progress is not None:
            progress(n_done, len(entries))
    n = sum(entry.stop - entry.first for entry in entries)
    return Verification(len(entries), n, tuple(faults), ensemble.digest)


def _fault(entry: Entry) -> str:
    """Return what is wrong with a chunk, in words; empty when it is as stated."""
    try:
        if entry.recomputed() != entry.digests():
            return f"{entry.sidecar}: its digests are not those of its tables"
    except StoreError as error:
        return str(error)
    return ""
