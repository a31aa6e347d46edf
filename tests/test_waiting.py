"""Waits: the first to come ends one and disarms the rest; thresholds fire upwards."""

from __future__ import annotations

import datetime as dt
import gc
import math
import weakref
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from simlib.agents.base import Agent, Life
from simlib.errors import SimulationError
from simlib.journal import to_days
from simlib.scenario import load
from simlib.simulation import assemble, simulate
from simlib.world.world import World
from support.worlds import of, recurring, run_of, times_of, woken, world

if TYPE_CHECKING:
    from simlib.journal import Run
    from simlib.scenario.schema import Scenario

POSTURES = {
    "talks.posture": {
        "owner": "talker",
        "start": "apart",
        "states": {"apart": {"median_months": 1, "next": {"together": 1}}, "together": {}},
    }
}
RAIDS = {"raid": recurring({"North": 1.0}, effects=[{"change": "stock", "by": 1}])}
STOCK = {"stock": {"unit": "pieces"}}


def raided(**parts: object) -> Scenario:
    """Return a world of ten days in which each raid adds one to a stock."""
    return world(**{"state": STOCK, "incidents": RAIDS, **parts})


class Talker(Agent):
    """Enters a posture on a day."""

    name = "talker"

    def live(self) -> Life:
        yield self.wait(until=4.0)
        self.enter("talks.posture", "together")


class Waiting(Agent):
    """Waits for whatever is asked for, and records what woke it and what comes next."""

    name = "waiting"
    asked: ClassVar[dict[str, object]] = {}

    def live(self) -> Life:
        yield self.wait(**self.asked)  # type: ignore[arg-type]
        ahead = self._world.clock.peek()
        self.records("woken", taken=self.woken, value=ahead)
        yield self.wait(until=math.inf)


def waiting(**asked: object) -> type[Waiting]:
    return type("Asked", (Waiting,), {"asked": asked})


EVERYTHING: dict[str, object] = {
    "days": 9, "until": 8.5, "notice": "raid", "posture": "talks.posture",
    "milestone": "exit", "above": ("stock", None, 100.0),
}  # fmt: skip


def waited(exit_at: str = "2000-01-09", rate: float = 1e-9, **sooner: object) -> Run:
    """Return a run in which an agent waits for everything, one cause of it sooner."""
    scenario = raided(
        incidents={"raid": recurring({"North": rate}, effects=[{"change": "stock", "by": 1}])},
        postures=POSTURES,
        agents={"talker": {"active": False}},
        timeline={"exit": {"date": exit_at}},
    )
    asked = {name: what for name, what in EVERYTHING.items() if name != "posture"}
    return run_of(scenario, waiting(**{**asked, **sooner}), Talker)


@pytest.mark.parametrize(
    ("sooner", "cause", "at"),
    [
        ({"days": 3}, "review", 3.0),
        ({"until": 2.25}, "date", 2.25),
        ({"exit_at": "2000-01-06"}, "milestone", 5.0),
        ({"posture": "talks.posture"}, "posture", 4.0),
        ({"above": ("stock", None, 0.0)}, "threshold", 0.0),
    ],
)
def test_first_to_come_wins_and_the_losers_are_disarmed(
    sooner: dict[str, Any], cause: str, at: float
) -> None:
    """What would have come later is neither woken for nor left on the clock.

    After it the agent sleeps for ever: what the clock shows next is only what others do,
    never the wait's own due time of 8.5 or 9 days.
    """
    (decision,) = of(waited(**sooner), "waiting")
    assert (decision.cause_kind, decision.time) == (cause, at)
    others = {4.0, 5.0, 8.0, 10.0}  # talker, milestone or its old date, horizon
    assert decision.value in {time for time in others if time >= at} | {at}


def test_notice_wins_at_the_instant_of_the_incident() -> None:
    run = waited(rate=2.0)
    (decision,) = of(run, "waiting")
    assert (decision.cause_kind, decision.time) == ("incident", times_of(run, "raid")[0])
    assert decision.cause_row == 0
    assert decision.cause == "incident raid North"


class Restless(Agent):
    """Waits for notices with a review far off, again and again."""

    name = "restless"

    def live(self) -> Life:
        while True:
            yield self.wait(days=9, notice="raid")
            self.records("woken", value=self._world.clock.peek())


def test_no_dead_wait_is_ever_next() -> None:
    """Each wait puts its review at t = 9; until then only live events stand on the clock.

    The incident process itself stands at the present; next after it may be only the one
    live review at 9 (never one of the dead), and after 9 the horizon at 10.
    """
    run = run_of(raided(), Restless)
    wakings = of(run, "restless")
    assert len(wakings) == len(times_of(run, "raid")) + 1
    assert [d.time for d in wakings if d.cause_kind == "review"] == [9.0]
    assert all(d.value == d.time for d in wakings if d.cause_kind == "incident")


class Stock(Agent):
    """Moves a stock up and down on a fixed plan."""

    name = "a_stock"
    plan: ClassVar[dict[float, float]] = {
        1.0: 3.0, 2.0: 4.0, 3.0: 2.0, 4.0: 2.5, 5.0: 1.0, 6.0: 9.0, 7.0: 2.0,
    }  # fmt: skip

    def live(self) -> Life:
        for time, value in self.plan.items():
            yield self.wait(until=time)
            self.change("stock", to=value)


class Guard(Agent):
    """Waits for the stock to rise to 2.5."""

    name = "guard"

    def live(self) -> Life:
        while True:
            yield self.wait(above=("stock", None, 2.5))
            self.records("sees", value=self.see("stock"))


def test_threshold_fires_upwards_and_arms_again_below() -> None:
    """Up at 1 (3 >= 2.5), still above at 2, below at 3, exactly at it at 4, again at 6."""
    run = run_of(world(state=STOCK), Stock, Guard)
    assert [(d.time, d.value) for d in of(run, "guard")] == [(1.0, 3.0), (4.0, 2.5), (6.0, 9.0)]
    assert {d.cause_kind for d in of(run, "guard")} == {"threshold"}


class LateGuard(Agent):
    """Begins to wait at 2.2, when the stock is above already, and again at 2.6."""

    name = "late_guard"

    def live(self) -> Life:
        yield self.wait(until=2.2)
        for _ in range(9):
            yield self.wait(above=("stock", None, 2.5))
            self.records("sees")


def test_threshold_fires_at_once_when_above_already_and_then_not_before_below() -> None:
    run = run_of(world(state=STOCK), Stock, LateGuard)
    assert [d.time for d in of(run, "late_guard")] == [2.2, 4.0, 6.0]


class Busy(Agent):
    """Does not wait on the threshold while it is crossed up, down and up again."""

    name = "busy"

    def live(self) -> Life:
        yield self.wait(above=("stock", None, 2.5))
        yield self.wait(until=6.5)
        yield self.wait(above=("stock", None, 2.5))
        self.records("sees")


def test_threshold_arms_again_while_nobody_waits() -> None:
    """It fired at 1, was below at 3 and 5, and is above when waited for at 6.5: at once."""
    assert [d.time for d in of(run_of(world(state=STOCK), Stock, Busy), "busy")] == [6.5]


def test_threshold_fires_at_the_incident_that_crosses_it() -> None:
    """The third raid brings the stock to 3 >= 2.5: the agent wakes at that very instant."""
    run = run_of(raided(), Guard)
    (decision,) = of(run, "guard")
    assert (decision.time, decision.value) == (times_of(run, "raid")[2], 3.0)


class Alert(Agent):
    """Answers every notice, and sees what those before it have done."""

    name = "m_alert"
    types: ClassVar[tuple[str, ...]] = ("raid",)

    def live(self) -> Life:
        while True:
            yield self.wait(notice=self.types)
            self.records("sees", value=self.see("stock"))
            self.change("stock", by=1)


class SecondAlert(Alert):
    """The same, later in the catalogue."""

    name = "z_alert"


def test_notices_are_handed_out_in_catalogue_order_before_time_moves() -> None:
    """Given in the other order; each sees the incident's effect and the earlier agent's."""
    run = run_of(raided(), SecondAlert, Alert)
    times = times_of(run, "raid").tolist()
    assert [d.time for d in run.decisions] == sorted(times * 2)
    assert [d.agent for d in run.decisions] == ["m_alert", "z_alert"] * len(times)
    assert [d.value for d in run.decisions] == [
        3.0 * i + add for i in range(len(times)) for add in (1.0, 2.0)
    ]


class AlertToBoth(Alert):
    """Answers two types of incident."""

    types = ("raid", "theft")


def test_only_notable_incidents_wake() -> None:
    """A type with least marks is of note only where one of them is reached."""
    marks = {
        "lethal": {"probability": 0.5},
        "fatalities": {"law": {"poisson": {"mean": 3}}, "when": "lethal"},
    }
    raid = recurring({"North": 10.0}, marks=marks, notable={"fatalities": 3.0})
    run = run_of(world(state=STOCK, incidents={"raid": raid, "theft": RAIDS["raid"]}), AlertToBoth)
    times = run.incidents.time[run.incidents.mark("fatalities") >= 3.0]
    theft = times_of(run, "theft")
    assert 0 < len(times) < len(run.incidents)
    assert [d.time for d in run.decisions] == sorted([*times, *theft])


class Incident(Agent):
    """Records the marks of the incident that woke it."""

    name = "m_alert"

    def live(self) -> Life:
        yield self.wait(notice="raid")
        self.records("sees", taken=str(self.incident["place"]), value=float(self.incident["time"]))
        yield self.wait(until=self.now + 0.5)
        self.records("forgets", value=float(self.incident["lethal"]))


def test_incident_is_seen_only_by_whom_it_woke() -> None:
    run_until_date = run_of(raided(end="2000-01-01", incidents={}), waiting(until=0.5))
    assert [d.cause_kind for d in run_until_date.decisions] == ["date"]
    with pytest.raises(SimulationError, match=r"agent m_alert on .*: not woken by an incident"):
        run_of(raided(), Incident)


class Reviewer(Agent):
    """Reviews every 4 days and is woken between by raids."""

    name = "reviewer"

    def live(self) -> Life:
        while True:
            yield self.wait(days=4, notice="raid")
            self.records("reviews")


class Quarterly(Agent):
    """Reviews at quarter starts and is woken between by raids."""

    name = "quarterly"

    def live(self) -> Life:
        while True:
            yield self.wait(months=3, notice="raid")
            self.records("reviews")


def test_reviews_stay_on_their_grid() -> None:
    """Days are counted from the start, whatever woke the agent in between."""
    run = run_of(raided(end="2000-01-20"), Reviewer)
    wakings = woken(run, "reviewer")
    assert len(times_of(run, "raid")) > 0
    assert [time for time, kind in wakings if kind == "review"] == [4.0, 8.0, 12.0, 16.0, 20.0]
    assert [time for time, kind in wakings if kind == "incident"] == times_of(run, "raid").tolist()


def test_monthly_reviews_stay_on_the_calendar() -> None:
    """Every third month counted from the month of the start, at its first instant."""
    run = run_of(raided(start="2000-02-10", end="2001-03-01"), Quarterly)
    months = [(2000, 5), (2000, 8), (2000, 11), (2001, 2)]
    expected = [to_days(dt.date(year, month, 1)) for year, month in months]
    assert [t for t, kind in woken(run, "quarterly") if kind == "review"] == expected


class Twice(Agent):
    """Asks for the same luck twice."""

    name = "twice"

    def live(self) -> Life:
        yield self.wait(days=1)
        self.agrees("goes", 0.5)
        self.agrees("goes", 0.5)


def test_two_decisions_cannot_share_their_luck() -> None:
    with pytest.raises(SimulationError, match="two decisions of one name on one occasion"):
        run_of(world(), Twice)


class Two(Agent):
    """Waits for one threshold in two processes."""

    name = "two"

    def live(self) -> Life:
        self.start(self._guard("other"))
        yield from self._guard("self")

    def _guard(self, what: str) -> Life:
        yield self.wait(above=("stock", None, 2.5))
        self.records(what)


def test_two_processes_of_an_agent_may_wait_for_one_threshold() -> None:
    run = run_of(world(state=STOCK), Stock, Two)
    assert sorted((d.time, d.name) for d in of(run, "two")) == [(1.0, "other"), (1.0, "self")]


class Broken(Agent):
    """Raises on its second day."""

    name = "broken"

    def live(self) -> Life:
        yield self.wait(until=1.0)
        raise ZeroDivisionError("no reason")


def test_a_wait_may_end_later_than_any_date() -> None:
    """A sojourn of a million years is one that does not end here."""
    assert woken(run_of(world(), waiting(until=1e9)), "waiting") == []


def test_agent_that_raises_is_named_with_its_date() -> None:
    message = "agent broken on 2000-01-02: ZeroDivisionError: no reason"
    with pytest.raises(SimulationError, match=message):
        run_of(world(), Broken)


def test_what_a_replication_leaves_waits_for_no_collection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a worker fills with dead worlds, and each new one begins in memory that is cold."""
    made: list[weakref.ref[World]] = []
    before = World.__init__

    def noting(self: World, *args: Any, **kwargs: Any) -> None:
        before(self, *args, **kwargs)
        made.append(weakref.ref(self))

    monkeypatch.setattr(World, "__init__", noting)
    blueprint = assemble(load("as_agreed"), "as_agreed")
    gc.collect()
    gc.disable()
    try:
        for replication in range(3):
            simulate(blueprint, replication)
        assert [alive() for alive in made] == [None, None, None]
    finally:
        gc.enable()
