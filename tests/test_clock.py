"""The clock: absolute times to the last bit, simultaneous events in order of rank."""

from __future__ import annotations

import datetime as dt
import itertools
import math

import pytest
import simpy
from hypothesis import given
from hypothesis import strategies as st

from simlib.agents.base import Agent, Life
from simlib.errors import SimulationError
from simlib.journal import firsts_of_months, to_date, to_days
from simlib.world.clock import Clock
from support.worlds import PLACES, of, recurring, run_of, world

instants = st.floats(0, 20_000, allow_nan=False)


@given(instants, instants)
def test_event_happens_at_its_time_to_the_last_bit(one: float, other: float) -> None:
    first, second = sorted((one, other))
    clock = Clock()
    seen: list[float] = []
    clock.call_at(first, 1, lambda: clock.call_at(second, 1, lambda: seen.append(clock.now)))
    while clock.peek() < math.inf:
        clock.step()
    assert seen == [second]


def test_delays_would_miss_the_last_bit() -> None:
    """Negative control: SimPy's own timeouts, now + (time - now), miss some instants."""
    missed = 0
    for i in range(1, 200):
        first, second = 4.0 + i / 70.0, 15.0 + i / 300.0
        environment = simpy.Environment(first)
        environment.run(environment.timeout(second - first))
        missed += environment.now != second
    assert missed > 0


@pytest.mark.parametrize("order", list(itertools.permutations((0, 10, 11, 100_000))))
def test_simultaneous_events_run_in_order_of_rank(order: tuple[int, ...]) -> None:
    """The order in which they were put on the schedule does not matter."""
    clock = Clock()
    seen: list[int] = []
    for rank in order:
        clock.call_at(5.0, rank, lambda rank=rank: seen.append(rank))  # type: ignore[misc]
    while clock.peek() < math.inf:
        clock.step()
    assert seen == sorted(order)


def test_time_comes_before_rank() -> None:
    clock = Clock()
    seen: list[str] = []
    clock.call_at(2.0, 0, lambda: seen.append("later"))
    clock.call_at(1.0, 100, lambda: seen.append("earlier"))
    while clock.peek() < math.inf:
        clock.step()
    assert seen == ["earlier", "later"]


def test_event_scheduled_twice_happens_once_at_the_earlier_time() -> None:
    clock = Clock()
    seen: list[float] = []
    event = clock.at(9.0, 1)
    assert event.callbacks is not None
    event.callbacks.append(lambda _event: seen.append(clock.now))
    clock.put(event, 4.0, 1)
    assert clock.peek() == 4.0
    clock.step()
    assert clock.peek() == math.inf
    assert seen == [4.0]


def test_peek_passes_over_dead_events() -> None:
    """An event that has run is not what comes next, wherever it still stands."""
    clock = Clock()
    event = clock.at(1.0, 1)
    clock.put(event, 2.0, 1)
    alive = clock.at(3.0, 1)
    clock.step()
    assert clock.next_scheduled() == (3.0, 1)
    clock.step()
    assert alive.processed
    assert clock.peek() == math.inf


@given(st.dates(dt.date(1990, 1, 1), dt.date(2100, 1, 1)), st.floats(0, 1, exclude_max=True))
def test_every_instant_of_a_date_falls_on_it(date: dt.date, part: float) -> None:
    instant = to_days(date) + part
    if instant < to_days(date) + 1:  # the sum may round up to the next day
        assert to_date(instant) == date


def test_days_are_counted_from_2000() -> None:
    """2000 and 2004 are leap years: 366 + 3 * 365 + 366 + 365 days to 2006."""
    assert to_days(dt.date(2000, 1, 1)) == 0.0
    assert to_days(dt.date(2000, 3, 1)) == 60.0
    assert to_days(dt.date(2006, 1, 1)) == 366 + 3 * 365 + 366 + 365


def test_months_start_after_the_start_and_before_the_horizon() -> None:
    """A scenario that starts with a month has no second start of it; nor has its end."""
    start, horizon = to_days(dt.date(2000, 1, 31)), to_days(dt.date(2000, 5, 1))
    assert [to_date(t) for t in firsts_of_months(start, horizon)] == [
        dt.date(2000, 2, 1),
        dt.date(2000, 3, 1),
        dt.date(2000, 4, 1),
    ]
    assert firsts_of_months(to_days(dt.date(2000, 2, 1)), to_days(dt.date(2000, 3, 1))) == ()


class Early(Agent):
    """Sees, at the first of February, the month and what Late has done."""

    name = "early"

    def live(self) -> Life:
        yield self.wait(until=31.0)
        self.records("sees", value=self.see("calendar.month"), taken=f"{self.see('stock'):g}")
        self.change("stock", to=1)


class Late(Early):
    """The same, later in the catalogue."""

    name = "late"


class Last(Agent):
    """Waits for the horizon."""

    name = "last"

    def live(self) -> Life:
        yield self.wait(until=40.0)
        self.change("stock", to=7)
        yield self.wait(until=40.5)
        self.change("stock", to=9)


def test_calendar_comes_before_agents_and_agents_in_order_of_their_names() -> None:
    """Whatever the order they are given in; the second sees what the first has changed."""
    scenario = world(end="2000-02-09", state={"stock": {"unit": "pieces"}})
    run = run_of(scenario, Late, Early)
    assert [(d.agent, d.value, d.taken) for d in run.decisions] == [
        ("early", 1.0, "0"),
        ("late", 1.0, "1"),
    ]


def test_events_at_the_horizon_run_and_none_after_it() -> None:
    """The horizon is the end of the last day, t = 40; the snapshot there sees its events."""
    scenario = world(end="2000-02-09", state={"stock": {"unit": "pieces"}})
    run = run_of(scenario, Last)
    assert run.horizon == 40.0
    assert run.snapshots[-1, run.layout.index("stock")] == 7.0


class Wound(Agent):
    """Waits for a day long past."""

    name = "wound"

    def live(self) -> Life:
        yield self.wait(until=5.0)
        yield self.wait(until=3.0)
        self.records("wakes")


def test_a_date_in_the_past_is_now() -> None:
    assert [d.time for d in of(run_of(world(), Wound), "wound")] == [5.0]


def test_state_is_observed_when_asked() -> None:
    """Just after all events of the instant, and always at the start and the horizon."""
    scenario = world(
        state={"stock": {"unit": "pieces"}},
        incidents={
            "arrival": recurring(dict.fromkeys(PLACES, 2.0), effects=[{"change": "stock", "by": 1}])
        },
    )
    whole = run_of(scenario)
    instants = [*whole.incidents.time[::5].tolist(), 2.5]
    run = run_of(scenario, observe=instants)
    assert run.snapshot_times.tolist() == sorted([0.0, *instants, 10.0])
    counted = [(run.incidents.time <= time).sum() for time in run.snapshot_times]
    assert run.snapshots[:, run.layout.index("stock")].tolist() == counted


@pytest.mark.parametrize("time", [-0.5, 10.5, math.nan])
def test_observing_outside_of_the_run_is_refused(time: float) -> None:
    with pytest.raises(SimulationError, match="cannot observe at"):
        run_of(world(), observe=[time])
