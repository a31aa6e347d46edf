"""Outcome windows that follow a milestone, those given by length, and warnings of fixed ones."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from simlib.agents.base import Agent, Life
from simlib.ensemble import run
from simlib.errors import ScenarioError
from simlib.outcomes import plan
from simlib.scenario import examined
from support.worlds import recurring, run_of, world

if TYPE_CHECKING:
    from pathlib import Path

    from simlib.scenario.schema import Scenario


class Leaver(Agent):
    """Completes the exit when it falls due, and tells each day that it is there."""

    name = "leaver"

    def live(self) -> Life:
        """Wait for the exit, then answer yes each day."""
        yield self.wait(milestone="exit")
        self.complete("exit")
        while True:
            yield self.wait(days=1)
            self.records("told")


def exits(date: str = "2000-01-05", **outcomes: dict[str, Any]) -> Scenario:
    """Return a scenario of ten days with raids, told days and an exit."""
    return world(
        incidents={
            "raid": recurring({"North": 20.0}, marks={"killed": {"law": {"poisson": {"mean": 2}}}})
        },
        agents={"leaver": {"decisions": ["told"]}},
        timeline={"exit": {"date": date}},
        options={"late": {"timeline": {"exit": {"shift": "4 days"}}}},
        outcomes=outcomes,
    )


AFTER: dict[str, Any] = {
    "raids": {"count": "raid", "from": "exit", "days": 3},
    "killed": {"total": "killed", "of": "raid", "from": "exit", "days": 3},
    "told": {"decision": "told", "from": "exit", "days": 3},
}


def values_of(scenario: Scenario, option: str | None = None) -> tuple[dict[str, Any], Any]:
    """Return the outcomes of one replication, and its run."""
    done = run_of(scenario, Leaver, option=option)
    return plan(scenario, done.incidents.channels).evaluate(done), done


@pytest.mark.parametrize(("date", "first"), [("2000-01-05", 4.0), ("2000-01-08", 7.0)])
def test_what_follows_is_counted_from_the_day_it_is_done(date: str, first: float) -> None:
    """The first instant is in the window, the last is not; it may end with the horizon."""
    values, done = values_of(exits(date, **AFTER))
    time = done.incidents.time
    inside = (time >= first) & (time < first + 3)
    assert values["raids"] == np.count_nonzero(inside) > 20
    assert values["killed"] == done.incidents.mark("killed")[inside].sum()
    assert values["told"] == {4.0: 2.0, 7.0: 3.0}[first]  # the horizon itself belongs to the last


def test_a_window_that_is_not_over_has_no_value() -> None:
    """Nor has one whose milestone is not completed."""
    values, _ = values_of(exits(**AFTER), "late")
    assert all(math.isnan(value) for value in values.values())
    never = exits("2000-02-01", **AFTER)
    assert all(math.isnan(value) for value in values_of(never)[0].values())


def test_shares_of_incidents_sum_to_what_follows() -> None:
    scenario = exits(**AFTER)
    done = run_of(scenario, Leaver)
    outcomes = plan(scenario, done.incidents.channels)
    each = outcomes.each(done, "killed")
    assert each.sum() == outcomes.evaluate(done)["killed"]
    assert set(np.flatnonzero(each)) <= set(np.flatnonzero(done.incidents.time >= 4.0))


def test_a_window_by_its_length_is_that_of_its_dates() -> None:
    values, _ = values_of(
        exits(
            days={"count": "raid", "from": "2000-01-03", "days": 4},
            dates={"count": "raid", "from": "2000-01-03", "to": "2000-01-06"},
            first={"count": "raid", "days": 10},
            all={"count": "raid"},
        )
    )
    assert values["days"] == values["dates"]
    assert values["first"] == values["all"]


def test_what_is_missing_is_told_and_is_not_late() -> None:
    """The quantiles are those of the runs that have a value; a date would be later than all."""
    late = {"measure": "months_from_start", "milestone": "exit"}
    scenario = exits(**AFTER, late=late)
    late_ones = run(scenario, replications=4, option="late", agents=[Leaver], jobs=1)
    (row,) = late_ones.summary("raids")
    assert (row.n, row.n_censored) == (0, 4)
    assert math.isnan(row.q50)
    (row,) = run(scenario, replications=4, agents=[Leaver], jobs=1).summary("raids")
    assert (row.n, row.n_censored) == (4, 0)


REFUSED = [
    ({"count": "raid", "from": "exit"}, "months: must be given: how long after the milestone"),
    ({"count": "raid", "from": "exit", "to": "2000-01-09"}, "months: must be given"),
    ({"count": "raid", "from": "exit", "days": 2, "months": 1}, "days: must have one of to, mon"),
    ({"count": "raid", "from": "exits", "days": 2}, "undefined milestone (got 'exits'); did you"),
    ({"count": "raid", "from": "2000-01-09", "days": 4}, "must not be after the end"),
    ({"count": "raid", "from": "2000-13-09"}, "from: must be a date that exists"),
    ({"milestone": "exit", "from": "exit", "days": 2}, "no window follows a milestone for a mile"),
]


@pytest.mark.parametrize(("outcome", "rule"), REFUSED)
def test_windows_that_mean_nothing_are_refused(outcome: dict[str, Any], rule: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        exits(wrong=outcome)
    assert len(caught.value.problems) == 1
    assert rule in str(caught.value)


FIXED = """simlib: 1
name: fixed
context_of_use: A test.
start: 2000-01-01
end: 2001-12-31
places: {North: {country: Land}}
incidents: {raid: {groups: {all: {target: any, level: {North: 1}}}}}
timeline: {exit: {date: 2000-06-30}}
options: {as_agreed: {}, later: {timeline.exit: {shift: 3 months}}}
outcomes:
  before: {count: raid, from: 2000-01-01, to: 2000-06-30}
  year_after: {count: raid, from: 2000-07-01, to: 2001-06-30}
"""
FOLLOWS = "  follows: {count: raid, from: exit, months: 12}\n"


def test_who_has_both_windows_is_not_warned(tmp_path: Path) -> None:
    """The same count in a window that follows a milestone shows that the difference is known."""
    (tmp_path / "fixed.yaml").write_text(FIXED + FOLLOWS, encoding="utf-8")
    assert examined(tmp_path / "fixed.yaml") == ([], [])
    (tmp_path / "fixed.yaml").write_text(
        FIXED + FOLLOWS.replace("raid", "[raid]"), encoding="utf-8"
    )
    assert len(examined(tmp_path / "fixed.yaml")[1]) == 1


def test_a_fixed_window_whose_milestone_moves_is_warned_of(tmp_path: Path) -> None:
    """In the file that has it, or in one over it that moves the milestone; else nowhere."""
    (tmp_path / "fixed.yaml").write_text(FIXED, encoding="utf-8")
    problems, warnings = examined(tmp_path / "fixed.yaml")
    assert problems == []
    assert [str(w).replace(f"{tmp_path}/", "") for w in warnings] == [
        (
            "fixed.yaml:12:35: outcomes.year_after.from: begins when exit is agreed for, which "
            "later may move; from: exit, months: 12 goes with it"
        )
    ]
    (tmp_path / "mine.yaml").write_text("extends: fixed.yaml\nname: mine\n", encoding="utf-8")
    assert examined(tmp_path / "mine.yaml") == ([], [])
    moves = "extends: fixed.yaml\nevents:\n  slip: {on: 2000-03-01, move: {exit: 2000-12-31}}\n"
    (tmp_path / "mine.yaml").write_text(moves, encoding="utf-8")
    _, (warning,) = examined(tmp_path / "mine.yaml")
    assert (warning.line, warning.path) == (3, "events.slip")
    assert warning.rule.startswith("outcomes.year_after.from begins when exit is agreed for")
