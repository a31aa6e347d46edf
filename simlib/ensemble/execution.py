"""Where work runs, and how whoever watches hears of it; none of it changes a number."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypedDict, cast

from simlib.ensemble.executors import n_cores
from simlib.scenario.requests import whole

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from simlib.agents.base import Agent
    from simlib.ensemble.executors import StartMethod

JOBS_A_CORE = 8
"""Workers that may be asked for, for each core: more wait for one another."""
LEAST_BOUND = 64
"""So many may be asked for wherever it is run."""


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
        Expected time of all, from the first replication tried; 0 where none came of it.
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


class Execution(TypedDict, total=False):
    """Where work runs: arguments that every function that simulates takes.

    Attributes
    ----------
    jobs
        Number of worker processes; one for each core when not given.
    scheduler
        Run on Dask workers instead: the address of a scheduler, a ``distributed.Client``,
        or ``"local"`` for `jobs` workers here. Needs the extra ``dask``.
    directory
        Where finished pieces are kept, so that work that was stopped goes on; in memory
        only when not given.
    progress
        Called with a `Progress` when something is done.
    """

    jobs: int | None
    scheduler: Any
    directory: str | os.PathLike[str] | None
    progress: Listener | None


class Running(Execution, total=False):
    """How an ensemble is simulated: passed on to `simlib.run`, and documented there."""

    root_seed: int | None
    agents: Sequence[type[Agent]]
    without: Sequence[str]
    journals: bool
    chunk_size: int | None
    start_method: StartMethod


def execution_of(given: Execution) -> Execution:
    """Where work runs, of what a function was given; raises `TypeError` for any other argument."""
    found: dict[str, Any] = dict(given)
    if "how" in found:  # of the release before: an object with attributes of these names
        warnings.warn(
            "how= has gone: give jobs=, directory= and progress=", DeprecationWarning, stacklevel=4
        )
        how = found.pop("how")
        named = Execution.__optional_keys__
        found |= {name: getattr(how, name) for name in named if hasattr(how, name)}
    for name in found.keys() - Execution.__optional_keys__:
        known = ", ".join(sorted(Execution.__optional_keys__))
        raise TypeError(f"unexpected keyword argument {name!r}; where work runs is said by {known}")
    return cast("Execution", found)


def checked_jobs(jobs: int) -> int:
    """A number of workers that a machine can start.

    Raises `ScenarioError` where it is no whole number of 1 or more, or far beyond the cores.
    """
    return whole("jobs", jobs, 1, max(LEAST_BOUND, JOBS_A_CORE * n_cores()))
