"""Killed at random points, continued, and compared: a short version of ``make faults``."""

from __future__ import annotations

import pytest

from kills import BACKENDS, trial

KILLS = {"in-process": 4, "pool": 3, "dask": 2}


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_killed_run_goes_on_as_if_nothing_had_been(backend: str) -> None:
    """No digest differs from the uninterrupted run's, and no whole chunk is lost."""
    tally = trial(backend, KILLS[backend], seed=1)
    assert tally.n_kills >= KILLS[backend]
    assert tally.n_files_seen > 0
    assert (tally.n_differing, tally.n_files_lost, tally.faults) == (0, 0, [])
