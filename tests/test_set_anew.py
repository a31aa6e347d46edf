"""Events whose change lasts only until the owner of what they change sets it anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from simlib.scenario import load, with_changes
from simlib.scenario.loading import examined
from simlib.scenario.set_anew import owner_of
from simlib.simulation import assemble, simulate

if TYPE_CHECKING:
    from pathlib import Path

    from simlib.scenario.schema import Scenario


@pytest.fixture(scope="module")
def theatre() -> Scenario:
    return load("as_agreed")


@pytest.mark.parametrize(
    ("variable", "owner"),
    [
        ("isis.activity", "isis"),
        ("coalition.isr", "coalition"),
        ("isf.border_hold", "isf"),
        ("sdf.guard_share", "sdf"),
        ("committee.us_wish_to_leave", "committee"),
        ("committee.baghdad", "committee"),
        # What owners go on from, by a name of its own, by a common one, or by an amount.
        ("isis.fighters", ""),
        ("coalition.trainers", ""),
        ("coalition.contractors", ""),
        ("border.wall", ""),
        ("isis.detainees", ""),
        # What is done once, or never.
        ("coalition.partnership", ""),
        ("turkiye.troops", ""),
    ],
)
def test_what_is_set_anew_is_told_from_what_is_gone_on_from(
    theatre: Scenario, variable: str, owner: str
) -> None:
    assert owner_of(theatre, variable)[0] == owner


@pytest.mark.parametrize(
    ("variable", "is_kept"),
    [("committee.us_wish_to_leave", False), ("isf.border_hold", False), ("isis.detainees", True)],
)
def test_it_is_as_the_histories_say(theatre: Scenario, variable: str, *, is_kept: bool) -> None:
    """Half a year after it is halved it is as it would have been, or is not."""
    halved = {"events": {"e": {"on": "2025-03-10", "times": {variable: 0.5}}}}
    before, after = (
        simulate(assemble(scenario, "as_agreed"), 0)
        for scenario in (theatre, with_changes(theatre, halved))
    )
    where = before.layout.slice_of(variable)
    assert bool(owner_of(theatre, variable)[0]) != is_kept
    gaps = np.abs(after.snapshots[:, where] - before.snapshots[:, where]).sum(axis=1)
    size = np.abs(before.snapshots[9, where]).sum()
    assert gaps[9] > 0.4 * size if is_kept else gaps[9] < 0.1 * size


def test_a_change_that_is_undone_is_warned_of_at_its_line(tmp_path: Path) -> None:
    """Where the file itself makes it, and its owner decides: who, and what to do instead."""
    text = """extends: as_agreed
name: mine
events:
  rise:
    on: 2025-03-01
    set: {isis.activity: 3}
options:
  more:
    events.more: {on: 2025-03-01, times: {pkk.reprisal: 2, pkk.fighters: 2}}
"""
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    problems, warnings = examined(tmp_path / "mine.yaml")
    assert problems == []
    assert [str(w).replace(f"{tmp_path}/", "") for w in warnings] == [
        (
            "mine.yaml:6:26: events.rise.set.isis.activity: lasts only until isis sets "
            "isis.activity anew, whatever it was; change what it follows instead: parameter "
            "isis.anticipation, isis.days_after, isis.days_before, structure.test"
        ),
        (
            "mine.yaml:9:57: options.more.events.more.times.pkk.reprisal: lasts only until pkk "
            "sets pkk.reprisal anew, whatever it was; change what it follows instead: parameter "
            "pkk.reprisal_size"
        ),
    ]
    over = "extends: mine.yaml\nname: over\nagents: {pkk: {active: false}}\n"
    (tmp_path / "over.yaml").write_text(over, encoding="utf-8")
    assert examined(tmp_path / "over.yaml") == ([], [])
    (tmp_path / "mine.yaml").write_text(
        f"{text}agents: {{isis: {{active: false}}, pkk: {{active: false}}}}\n", encoding="utf-8"
    )
    assert examined(tmp_path / "mine.yaml") == ([], [])
