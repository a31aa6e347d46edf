"""Acts: recorded, they change nothing; played, all of them give the same replication."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import simlib
from simlib.simulation import assemble, simulate, simulate_played, simulate_recorded

if TYPE_CHECKING:
    from simlib.journal import Run

OPTIONS = ("as_agreed", "extend_12m", "leave_early", "syria_leg_cut_short")
COLUMNS = ("time", "channel", "parent", "address", "marks")


def same(first: Run, second: Run) -> bool:
    """Whether two runs are the same, bit for bit, but for which decision opened a channel."""
    if len(first.incidents) != len(second.incidents):
        return False
    return (
        all(
            np.array_equal(getattr(first.incidents, name), getattr(second.incidents, name))
            for name in COLUMNS
        )
        and np.array_equal(first.snapshots, second.snapshots)
        and first.postures == second.postures
        and all(
            first.milestones[name].classification == record.classification
            and repr(first.milestones[name].completed_at) == repr(record.completed_at)
            for name, record in second.milestones.items()
        )
    )


@pytest.mark.parametrize("option", OPTIONS)
def test_recording_changes_nothing_and_playing_all_gives_the_same_run(option: str) -> None:
    """Of the reference scenario, where agents answer incidents at the instant they happen."""
    blueprint = assemble(simlib.load("as_agreed"), option)
    for replication in range(8):
        plain = simulate(blueprint, replication)
        run, acts = simulate_recorded(blueprint, replication)
        assert same(plain, run)
        assert plain.decisions == run.decisions
        assert same(plain, simulate_played(blueprint, replication, acts))


def test_acts_left_out_or_moved_give_another_run() -> None:
    """The negative control: without the Coalition's acts, or with answers put first."""
    blueprint = assemble(simlib.load("as_agreed"), "leave_early")
    run, acts = simulate_recorded(blueprint, 1)
    fewer = [act for act in acts if act.agent != "coalition"]
    assert not same(run, simulate_played(blueprint, 1, fewer))
    assert any(act.is_after for act in acts)


def test_another_options_acts_played_over_the_first_give_that_options_run() -> None:
    """Everything an option does to incidents, it does through what agents do."""
    scenario = simlib.load("as_agreed")
    agreed, extended = (assemble(scenario, name) for name in OPTIONS[:2])
    for replication in range(6):
        run, acts = simulate_recorded(extended, replication)
        assert same(run, simulate_played(agreed, replication, acts))
