"""How far a run is, for whoever watches it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is.

    Attributes
    ----------
    phase
        ``checking`` (what is there already), ``compiling`` (only where nothing is
        cached), ``running``, ``note`` (something to be told), ``done``.
    n_done, n_total
        Replications simulated in this call, and to be simulated, over all options. A run
        that stops on precision sets itself a larger total each time it goes on.
    n_options
        Over how many options they are.
    n_failed
        How many of those done have failed.
    n_missing
        How many could not be simulated, because workers died over them.
    seconds
        Since the replications began.
    seconds_expected
        Expected time of all, from the first replication tried.
    jobs
        Number of workers.
    note
        What is told, in words.
    """

    phase: Literal["checking", "compiling", "running", "note", "done"]
    n_done: int
    n_total: int
    n_failed: int = 0
    seconds: float = 0.0
    seconds_expected: float = 0.0
    jobs: int = 1
    n_options: int = 1
    note: str = ""
    n_missing: int = 0

    @property
    def per_second(self) -> float:
        """Replications per second so far."""
        return self.n_done / max(self.seconds, 1e-9)

    @property
    def seconds_left(self) -> float:
        """Seconds until all are done, at the speed so far."""
        return (self.n_total - self.n_done) / self.per_second if self.n_done else float("inf")


Listener: TypeAlias = Callable[[Progress], None]
