"""How many workers may be asked for."""

from __future__ import annotations

from simlib.ensemble.executors import n_cores
from simlib.scenario.requests import whole

JOBS_A_CORE = 8
"""Workers that may be asked for, for each core: more wait for one another."""
LEAST_BOUND = 64
"""So many may be asked for wherever it is run."""


def checked_jobs(jobs: int) -> int:
    """Return a number of workers that a machine can start.

    Raises
    ------
    ScenarioError
        It is no whole number of 1 or more, or far beyond the cores there are.
    """
    return whole("jobs", jobs, 1, max(LEAST_BOUND, JOBS_A_CORE * n_cores()))
