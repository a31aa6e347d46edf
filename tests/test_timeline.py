"""Milestones: shifts by the calendar, announcements, forced, cancelled and conditional ones."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simlib.agents.base import Agent, Life
from simlib.errors import SimulationError
from simlib.journal import to_days
from simlib.outcomes.planning import plan
from simlib.plot.timelines import timeline
from simlib.scenario.schema import Option, shifted
from simlib.world.clock import Clock
from simlib.world.milestones import Timeline
from support.worlds import of, run_of, world

DAY = dt.date


@pytest.mark.parametrize(
    ("date", "by", "expected"),
    [
        (DAY(2025, 9, 30), "12 months", DAY(2026, 9, 30)),
        (DAY(2025, 9, 30), "1 year", DAY(2026, 9, 30)),
        (DAY(2025, 9, 30), "-3 months", DAY(2025, 6, 30)),
        (DAY(2025, 3, 15), "10 months", DAY(2026, 1, 15)),
        (DAY(2025, 1, 15), "-1 months", DAY(2024, 12, 15)),
        (DAY(2025, 1, 30), "1 months", DAY(2025, 2, 28)),
        (DAY(2024, 1, 30), "1 months", DAY(2024, 2, 29)),
        (DAY(2025, 2, 28), "1 months", DAY(2025, 3, 31)),
        (DAY(2024, 2, 28), "1 months", DAY(2024, 3, 28)),
        (DAY(2024, 2, 29), "12 months", DAY(2025, 2, 28)),
        (DAY(2025, 9, 30), "6 months", DAY(2026, 3, 31)),
        (DAY(2025, 12, 31), "90 days", DAY(2026, 3, 31)),
        (DAY(2024, 3, 1), "-1 day", DAY(2024, 2, 29)),
    ],
)
def test_shift_goes_by_the_calendar(date: DAY, by: str, expected: DAY) -> None:
    """The last day of a month stays one; a day that the goal's month lacks is its last."""
    assert shifted(date, by) == expected


@given(st.dates(DAY(1900, 1, 1), DAY(2100, 12, 28)), st.integers(-600, 600))
def test_a_shift_by_months_and_back_returns(date: DAY, months: int) -> None:
    """Where both months have the day, and it is the last of neither."""
    date = date.replace(day=min(date.day, 27))
    there = shifted(date, f"{months} months")
    assert (there.year - date.year) * 12 + there.month - date.month == months
    assert there.day == date.day
    assert shifted(there, f"{-months} months") == date


@given(st.dates(DAY(1900, 1, 1), DAY(2100, 12, 28)), st.integers(-600, 600))
def test_a_shift_keeps_the_month_and_its_end(date: DAY, months: int) -> None:
    """Never into the month after; the end of a month stays an end."""
    there = shifted(date, f"{months} months")
    assert (there.year - date.year) * 12 + there.month - date.month == months
    if (date + dt.timedelta(days=1)).day == 1:
        assert (there + dt.timedelta(days=1)).day == 1


class Kept:
    """A timeline of two milestones under one change, with what has fallen due."""

    def __init__(self, change: dict[str, Any] | None = None, **first: Any) -> None:
        timeline = {"exit": {"date": "2000-04-30", **first}, "talks": {"date": "2000-02-01"}}
        option = {"timeline": {"exit": change}} if change else {}
        scenario = world(end="2001-12-31", timeline=timeline)
        self.clock = Clock()
        self.due: list[tuple[str, float]] = []
        self.timeline = Timeline(
            self.clock,
            scenario,
            [Option.model_validate(option)],
            lambda name: self.due.append((name, self.clock.now)),
        )

    def go_on(self, until: float = math.inf) -> None:
        while self.clock.peek() <= until and self.clock.peek() < math.inf:
            self.clock.step()

    def dates(self) -> list[float]:
        self.go_on()
        return [time for name, time in self.due if name == "exit"]


AGREED = to_days(DAY(2000, 4, 30))


def test_milestone_falls_due_once_on_its_date() -> None:
    kept = Kept()
    assert kept.dates() == [AGREED]
    assert kept.due[0] == ("talks", 31.0)
    assert not kept.timeline.of("exit").is_forced


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"shift": "12 months"}, to_days(DAY(2001, 4, 30))),
        ({"shift": "-3 months"}, to_days(DAY(2000, 1, 31))),
        ({"extend": "2 months"}, to_days(DAY(2000, 6, 30))),
        ({"extend": "-2 months"}, AGREED),
        ({"date": "2000-07-04"}, to_days(DAY(2000, 7, 4))),
        ({"forced": True}, AGREED),
    ],
)
def test_option_moves_the_milestone(change: dict[str, Any], expected: float) -> None:
    """At once when no announcement is given; an extension is never earlier."""
    kept = Kept(change)
    assert kept.timeline.of("exit").date == expected
    assert kept.timeline.of("exit").agreed == AGREED
    assert kept.dates() == [expected]


def test_milestone_without_a_date_waits_for_one() -> None:
    """It never comes by itself; the first date it gets is what was agreed."""
    undated = Kept(date=None)
    assert undated.timeline.of("exit").date == undated.timeline.of("exit").agreed == math.inf
    assert undated.dates() == []
    assert undated.timeline.records()["exit"].agreed == math.inf
    dated = Kept({"date": "2000-04-30", "announced": "2000-03-01"}, date=None)
    dated.go_on(59.5)
    assert dated.timeline.of("exit").date == math.inf
    dated.go_on(60.0)
    dated.timeline.move("exit", AGREED + 7.0)
    assert dated.timeline.of("exit").agreed == AGREED
    assert dated.dates() == [AGREED + 7.0]


def test_what_was_done_without_a_date_is_not_late() -> None:
    """Months late of a milestone nobody dated are nothing, not minus infinity."""

    class Leaver(Agent):
        name = "leaver"

        def live(self) -> Life:
            yield self.wait(days=3)
            assert self.date_of("exit") == math.inf
            self.complete("exit")

    outcomes = {
        "late": {"milestone": "exit", "measure": "months_late"},
        "done": {"milestone": "exit", "measure": "months_from_start"},
    }
    scenario = world(timeline={"exit": {}}, outcomes=outcomes)
    run = run_of(scenario, Leaver)
    values = plan(scenario, run.incidents.channels).evaluate(run)
    assert isinstance(values["late"], float)
    assert math.isnan(values["late"])
    assert values["done"] == pytest.approx(3.0 / 30.4375)
    assert timeline(run).get_yticklabels()


def test_cancelled_milestone_never_falls_due() -> None:
    kept = Kept({"cancel": True})
    assert kept.timeline.of("exit").date == math.inf
    assert kept.dates() == []


def test_nothing_of_a_change_is_seen_before_its_announcement() -> None:
    """Date, force and condition alike: agents that look at any of them act on it."""
    change = {
        "shift": "2 months", "forced": True, "conditional_on": "talks", "announced": "2000-03-01",
    }  # fmt: skip
    kept = Kept(change)
    kept.go_on(59.5)
    assert kept.timeline.of("exit").date == AGREED
    assert not kept.timeline.of("exit").is_forced
    kept.go_on(60.0)
    assert kept.timeline.of("exit").date == to_days(DAY(2000, 6, 30))
    assert kept.timeline.of("exit").is_forced
    assert kept.dates() == []  # the talks were not completed


def test_change_announced_too_late_finds_the_milestone_due_already() -> None:
    """What was agreed holds until then, and the milestone comes again on its new date."""
    change = {"date": "2000-07-04", "announced": "2000-06-01"}
    assert Kept(change).dates() == [AGREED, to_days(DAY(2000, 7, 4))]


@pytest.mark.parametrize(("completed_at", "due_at"), [(40.0, AGREED), (AGREED + 1, AGREED + 1)])
def test_conditional_milestone_falls_due_only_after_its_condition(
    completed_at: float, due_at: float
) -> None:
    kept = Kept(conditional_on="talks")
    kept.clock.call_at(completed_at, 10, lambda: kept.timeline.complete("talks"))
    assert kept.dates() == [due_at]
    assert kept.timeline.of("talks").completed_at == completed_at


def test_moving_disarms_the_date_before() -> None:
    """`peek` never returns the date that no longer holds."""
    kept = Kept()
    kept.go_on(50.0)
    kept.timeline.move("exit", 400.0)
    assert kept.clock.peek() == 400.0
    kept.timeline.move("exit", 300.0)
    assert kept.clock.peek() == 300.0
    assert kept.dates() == [300.0]


def test_moving_to_the_past_is_refused() -> None:
    kept = Kept()
    kept.go_on(50.0)
    with pytest.raises(SimulationError, match="'exit' cannot move to the past"):
        kept.timeline.move("exit", 20.0)


def test_unknown_milestone_is_refused() -> None:
    with pytest.raises(SimulationError, match="no milestone 'exti'"):
        Kept().timeline.of("exti")


def test_records_say_what_became_of_each() -> None:
    kept = Kept({"shift": "1 months"})
    kept.clock.call_at(100.0, 10, lambda: kept.timeline.settle("exit", "met"))
    kept.clock.call_at(100.0, 11, lambda: kept.timeline.complete("exit"))
    kept.go_on()
    record = kept.timeline.records()["exit"]
    assert (record.agreed, record.date) == (AGREED, to_days(DAY(2000, 5, 31)))
    assert (record.classification, record.completed_at) == ("met", 100.0)
    assert math.isnan(kept.timeline.records()["talks"].completed_at)


class Mover(Agent):
    """Moves the milestone five days on, on the day before it comes."""

    name = "mover"

    def live(self) -> Life:
        yield self.wait(until=3.0)
        self.move_milestone("exit", 9.0)


class Waiter(Agent):
    """Waits for the milestone, wherever it moves."""

    name = "waiter"

    def live(self) -> Life:
        yield self.wait(milestone="exit")
        self.records("leaves", taken=str(self.date_of("exit")))


def test_wait_for_a_milestone_moves_with_it() -> None:
    scenario = world(timeline={"exit": {"date": "2000-01-05"}})
    assert [(d.time, d.cause) for d in of(run_of(scenario, Waiter), "waiter")] == [
        (4.0, "milestone exit")
    ]
    moved = of(run_of(scenario, Waiter, Mover), "waiter")
    assert [(d.time, d.taken) for d in moved] == [(9.0, "9.0")]
