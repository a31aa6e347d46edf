"""Faults inside one replication: caught by name and date, and wherever it is run alike."""

from __future__ import annotations

import gc
import math
import traceback
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import simlib
from simlib.agents import base
from simlib.agents.base import Agent
from simlib.errors import SimlibWarning, SimulationError
from simlib.outcomes import plan
from simlib.simulation import assemble, simulate, simulating
from support.worlds import recurring, run_of, world

if TYPE_CHECKING:
    from collections.abc import Callable

    from simlib.agents.base import Life
    from simlib.scenario.schema import Scenario

NAN, INF = math.nan, math.inf
STATE = {
    "stock": {"over": "governorate", "unit": "1", "start": 1},
    "signed": {"unit": "1", "start": 1, "signed": True},
    "a": {"unit": "1", "start": 1},
    "b": {"unit": "1", "start": 1},
    "c": {"unit": "1", "start": 0},
}
PARTS: dict[str, Any] = {
    "state": STATE,
    "decisions": {"go": {"intercept": 0, "weights": {"seen": 0.1}}},
    "timeline": {"exit": {"date": "2000-01-08"}},
    "incidents": {"raid": recurring({"North": 3.0}), "none": recurring({"South": 0.0})},
}
DATE = "2000-01-03"


def acting(act: Callable[[Agent], object]) -> type[Agent]:
    """Return an agent that does one thing on its third day."""

    class Actor(Agent):
        name = "actor"

        def live(self) -> Life:
            yield self.wait(until=2.0)
            act(self)
            yield self.wait(until=9.0)

    return Actor


def failure_of(*agents: type[Agent], scenario: Scenario | None = None) -> SimulationError:
    with pytest.raises(SimulationError) as caught:
        run_of(scenario or world(**PARTS), *agents)
    return caught.value


# not finite: what agents do

NOT_FINITE: dict[str, tuple[Callable[[Agent], object], str]] = {
    "change to nan": (lambda a: a.change("stock", "North", to=NAN), "stock at North became nan"),
    "change by nan": (lambda a: a.change("stock", "North", by=NAN), "stock at North became nan"),
    "change to inf": (lambda a: a.change("stock", "North", to=INF), "stock at North became inf"),
    "change to -inf": (lambda a: a.change("signed", to=-INF), "signed became -inf"),
    "change of all": (
        lambda a: a.change_all("stock", np.array([1.0, 2.0, NAN])),
        "stock at South became nan",
    ),
    "change of too few": (
        lambda a: a.change_all("stock", np.ones(2)),
        r"stock: must be 3 values in a row \(got \(2,\)\)",
    ),
    "sees unlike places": (
        lambda a: a.see_all(("stock", "signed")),
        "stock, signed: must have the same places",
    ),
    "decides nothing": (lambda a: a.decides("come", seen=1.0), "no decision 'come'"),
    "decides": (lambda a: a.decides("go", seen=NAN), "decision 'go': score became nan.*'seen'"),
    "decides there": (
        lambda a: a.decides("go", "North", seen=INF),
        "decision 'go' at North: score became inf",
    ),
    "agrees": (lambda a: a.agrees("goes", NAN), r"decision 'goes': no probability \(got nan\)"),
    "agrees above 1": (lambda a: a.agrees("goes", 1.1), r"no probability \(got 1.1\)"),
    "agrees below 0": (lambda a: a.agrees("goes", -0.1), r"no probability \(got -0.1\)"),
    "chooses": (
        lambda a: a.chooses("class", {"x": NAN, "y": 0.5}),
        "decision 'class': no probabilities .*nan",
    ),
    "chooses below 0": (
        lambda a: a.chooses("class", {"x": -0.5, "y": 1.5}),
        "decision 'class': no probabilities",
    ),
    "draws": (
        lambda a: a.draws("size", "uniform", low=0.0, high=NAN),
        "decision 'size': drew nan .*uniform",
    ),
    "wait until": (lambda a: a.wait(until=NAN), r"date until which to wait: .*\(got nan\)"),
    "wait days": (lambda a: a.wait(days=0), r"days of a wait: not possible \(got 0\)"),
    "wait back": (lambda a: a.wait(days=-1), r"days of a wait: not possible \(got -1\)"),
    "wait months": (lambda a: a.wait(months=0), r"months of a wait: not possible \(got 0\)"),
    "wait above": (
        lambda a: a.wait(above=("stock", "North", NAN)),
        r"level above which to wake: not possible \(got nan\)",
    ),
    "milestone": (lambda a: a.move_milestone("exit", NAN), "milestone 'exit' cannot move to nan"),
    "recent": (lambda a: a.recent("raid", days=NAN), "incidents of raid: nan is no limit"),
    "having": (
        lambda a: a.recent("raid", having={"lethal": NAN}),
        "incidents of raid: nan is no limit",
    ),
}


@pytest.mark.parametrize("what", NOT_FINITE)
def test_what_an_agent_does_that_is_not_finite_is_caught_by_name(what: str) -> None:
    act, message = NOT_FINITE[what]
    error = failure_of(acting(act))
    assert (error.agent, error.date) == ("actor", DATE)
    assert str(error).startswith("agent actor")
    assert DATE in str(error)
    with pytest.raises(SimulationError, match=message):
        raise error


def test_what_is_finite_is_not_caught() -> None:
    """The negative control: the same calls with plain numbers, at the ends of their ranges."""

    def act(agent: Agent) -> None:
        agent.change("stock", "North", to=1e300)
        agent.change("signed", to=-1e300)
        agent.change_all("stock", np.array([0.0, 1.0, 2.0]))
        agent.decides("go", seen=-1e300)
        agent.agrees("never", 0.0)
        agent.agrees("always", 1.0 + 1e-15)
        agent.chooses("class", {"x": 0.0, "y": 1.0})
        agent.draws("size", "uniform", low=0.0, high=1.0)
        agent.recent("raid", days=INF)
        agent.move_milestone("exit", INF)

    run = run_of(world(**PARTS), acting(act))
    assert [d.name for d in run.decisions] == ["go", "never", "always", "class", "size"]
    assert np.isfinite(run.snapshots).all()


# not finite: what the world does


def factors(*variables: str) -> dict[str, Any]:
    return {name: {"value": name} for name in variables}


def test_intensity_that_becomes_nan_is_caught_with_its_channel_and_agent() -> None:
    """1e200 times 1e200 is infinite, and that times 0 no number; neither input is at fault."""

    def act(agent: Agent) -> None:
        agent.change("a", to=1e200)
        agent.change("b", to=1e200)

    raid = recurring({"North": 1.0}, factors=factors("a", "b", "c"))
    error = failure_of(acting(act), scenario=world(**{**PARTS, "incidents": {"raid": raid}}))
    assert str(error) == f"agent actor: intensity of raid at North (all) became nan a day on {DATE}"
    assert (error.agent, error.date) == ("actor", DATE)


def test_intensity_that_incidents_drive_to_infinity_is_nobodys_but_dated() -> None:
    """Each raid multiplies its own intensity by a hundred million."""
    effects = [{"change": "a", "by": 1e8, "of_stock": True}]
    raid = recurring({"North": 1.0}, factors=factors("a"), effects=effects)
    error = failure_of(scenario=world(**{**PARTS, "incidents": {"raid": raid}}))
    assert "intensity of raid at North (all) became 1e+16 a day, more than 3.4e+10" in str(error)
    assert error.agent == ""
    assert error.date.startswith("2000-01-0")


def test_state_that_effects_drive_to_infinity_is_caught() -> None:
    """1e308 is added twice."""
    raid = recurring({"North": 3.0}, effects=[{"change": "stock", "by": 1e308}])
    error = failure_of(scenario=world(**{**PARTS, "incidents": {"raid": raid}}))
    assert str(error).startswith("stock at North became inf on 2000-01-0")
    assert error.date.startswith("2000-01-0")


def test_chance_that_is_no_number_is_caught_and_is_no_no() -> None:
    def act(agent: Agent) -> None:
        agent.change("a", to=1e200)
        agent.change("b", to=1e200)

    marks = {"lethal": {"probability": 0.5, "factors": factors("a", "b", "c")}}
    raid = recurring({"North": 3.0}, marks=marks)
    error = failure_of(acting(act), scenario=world(**{**PARTS, "incidents": {"raid": raid}}))
    assert str(error).startswith("chance of lethal of raid at North (all) became nan on 2000-01-0")
    assert (error.agent, error.date >= DATE) == ("", True)


PARAMETERS = {
    "size": {"value": 1, "unit": "1", "judgement": "test"},
    "derived": {"expression": "exp(size)", "unit": "1", "judgement": "test"},
}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"size": NAN}, r"parameter size: no finite number \(got nan\)"),
        ({"derived": INF}, r"parameter derived: no finite number \(got inf\)"),
        ({"size": 1e3}, r"parameter derived: exp\(size\): a number that is too large"),
    ],
)
def test_parameter_that_is_not_finite_is_named(given: dict[str, float], message: str) -> None:
    blueprint = assemble(world(parameters=PARAMETERS))
    with pytest.raises(SimulationError, match=message):
        simulate(blueprint, 0, parameters=given)


def test_trend_that_overflows_is_named() -> None:
    trend = {"log_slope": "size", "damping": 1}
    raid = recurring({"North": 3.0}, trend=trend)
    blueprint = assemble(
        world(
            end="2000-03-01",
            parameters={"size": PARAMETERS["size"]},
            incidents={"raid": raid},
        )
    )
    assert simulate(blueprint, 0).snapshots.shape[0] > 2
    with pytest.raises(SimulationError, match=r"trend\.raid\.all: math range error"):
        simulate(blueprint, 0, parameters={"size": 800.0})


# outcomes


def test_outcome_that_is_no_number_does_not_pass_for_censored() -> None:
    """A milestone that is not completed is nan and stays so; a state that is nan is an error."""
    scenario = world(
        **PARTS,
        outcomes={
            "late": {"milestone": "exit", "measure": "months_late"},
            "left": {"state": "stock", "in": "North", "unit": "1"},
        },
    )
    blueprint = assemble(scenario)
    read = plan(scenario, blueprint.channels.channels)
    run = simulate(blueprint, 0)
    values = read.evaluate(run)
    assert values["left"] == 1.0
    assert math.isnan(float(values["late"]))
    run.snapshots[-1, run.layout.index("stock", "North")] = NAN
    with pytest.raises(SimulationError, match=r"outcome left: no finite number \(got nan\)"):
        read.evaluate(run)


def test_total_of_a_mark_that_is_no_number_names_the_outcome() -> None:
    scenario = world(
        incidents={
            "raid": recurring({"North": 3.0}, marks={"killed": {"law": {"fixed": {"value": 1}}}})
        },
        outcomes={"killed": {"total": "killed", "of": "raid"}},
    )
    blueprint = assemble(scenario)
    run = simulate(blueprint, 0)
    run.incidents.mark("killed")[0] = INF
    with pytest.raises(SimulationError, match="outcome killed: no finite number"):
        plan(scenario, blueprint.channels.channels).evaluate(run)


# what agents raise


def deep(agent: Agent) -> None:
    deep(agent)


def leave(_agent: Agent) -> None:
    raise SystemExit(3)


def exhaust(_agent: Agent) -> None:
    raise MemoryError("all of it")


class Odd(BaseException):
    """Is no Exception, and cannot even be told."""

    def __str__(self) -> str:
        raise ValueError("nothing to tell")


def be_odd(_agent: Agent) -> None:
    raise Odd


RAISED = {
    "RecursionError": deep,
    "SystemExit: 3": leave,
    "MemoryError: all of it": exhaust,
    "Odd: (cannot be told)": be_odd,
}


@pytest.mark.parametrize("said", RAISED)
def test_whatever_an_agent_raises_fails_its_replication_by_name(said: str) -> None:
    """The traceback holds the line of the agent that raised."""
    act = RAISED[said]
    error = failure_of(acting(act))
    assert str(error).startswith(f"agent actor on {DATE}: {said}")
    assert (error.agent, error.date) == ("actor", DATE)
    told = "".join(traceback.format_exception(error))
    assert f"in {act.__name__}" in told
    assert "test_faults_of_a_replication.py" in told


def test_interrupt_from_the_keyboard_goes_through() -> None:
    def interrupt(_agent: Agent) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_of(world(), acting(interrupt))


class Tidy(Agent):
    """Puts its things away when its run ends."""

    name = "tidy"
    ended: tuple[type[BaseException], ...] = ()

    def live(self) -> Life:
        try:
            yield self.wait(until=9999.0)
        except GeneratorExit as error:
            type(self).ended = (type(error),)
            raise


def test_end_of_a_run_is_no_failure() -> None:
    run_of(world(), Tidy)
    gc.collect()
    assert Tidy.ended == (GeneratorExit,)


class Mute(Agent):
    """Has a life that is none."""

    name = "mute"

    def live(self) -> Life:
        return None  # type: ignore[return-value]


class Lazy(Agent):
    """Yields a wait that was never made."""

    name = "lazy"

    def live(self) -> Life:
        yield self.wait  # type: ignore[misc]


class Stillborn(Agent):
    """Cannot be made."""

    name = "stillborn"

    def __init__(self, *_given: object) -> None:
        raise LookupError("no world for it")

    def live(self) -> Life:
        yield self.wait(days=1)


@pytest.mark.parametrize(
    ("agent", "message"),
    [
        (Mute, "agent mute on 2000-01-01: TypeError"),
        (Lazy, r"agent lazy on 2000-01-01: must yield self.wait\(\.\.\.\) \(got method\)"),
        (Stillborn, "agent stillborn on 2000-01-01: LookupError: no world for it"),
    ],
)
def test_agent_that_is_none_is_named(agent: type[Agent], message: str) -> None:
    with pytest.raises(SimulationError, match=message):
        run_of(world(), agent)


# what never ends


class Standing(Agent):
    """Waits for what is now, over and over."""

    name = "standing"

    def live(self) -> Life:
        yield self.wait(until=2.0)
        while True:
            yield self.wait(until=self.now)


class Ping(Agent):
    """Crosses a threshold that wakes the other, down and up."""

    name, mine, other = "ping", "a", "b"

    def live(self) -> Life:
        yield self.wait(until=2.0)
        while True:
            self.change(self.other, to=0)
            self.change(self.other, to=2)
            yield self.wait(above=(self.mine, None, 1.5))


class Pong(Ping):
    """The other."""

    name, mine, other = "pong", "b", "a"


class Stale(Agent):
    """Makes its wait once and yields it for ever; SimPy goes on without an event."""

    name = "stale"

    def live(self) -> Life:
        wait = self.wait(until=2.0)
        while True:
            yield wait


class Forgetful(Agent):
    """Forgets to yield its wait."""

    name = "forgetful"

    def live(self) -> Life:
        yield self.wait(until=2.0)
        while True:
            self.wait(days=1)


class Busy(Agent):
    """Changes something for ever."""

    name = "busy"

    def live(self) -> Life:
        yield self.wait(until=2.0)
        while True:
            self.change("a", by=1.0)


class Patient(Agent):
    """Looks at the clock until it moves."""

    name = "patient"

    def live(self) -> Life:
        yield self.wait(until=2.0)
        while self.now < 3.0:
            pass


class Breeding(Agent):
    """Starts a process that starts a process, at one instant."""

    name = "breeding"

    def live(self) -> Life:
        yield self.wait(until=2.0)
        self.start(self.child())

    def child(self) -> Life:
        self.start(self.child())
        yield self.wait(until=9.0)


AT_ONCE = f"more than 20000 events at one instant of {DATE}; agent {{}} was the last to act"
CALLS = f"agent {{}} on {DATE}: more than 100000 calls without a wait that has ended"
ENDLESS = {
    Standing: AT_ONCE.format("standing"),
    Breeding: AT_ONCE.format("breeding"),
    Stale: CALLS.format("stale"),
    Forgetful: CALLS.format("forgetful"),
    Busy: CALLS.format("busy"),
    Patient: CALLS.format("patient"),
}


@pytest.mark.parametrize("agent", ENDLESS)
def test_agent_that_never_ends_is_stopped_by_a_count(agent: type[Agent]) -> None:
    error = failure_of(agent)
    assert str(error) == ENDLESS[agent]
    assert (error.agent, error.date) == (agent.name, DATE)


def test_agents_that_wake_one_another_at_one_instant_are_stopped() -> None:
    error = failure_of(Ping, Pong)
    assert str(error).startswith(f"more than 20000 events at one instant of {DATE}")
    assert error.agent in {"ping", "pong"}
    assert str(failure_of(Ping, Pong)) == str(error)


class Minute(Agent):
    """Reviews 1,440 times a day."""

    name = "minute"

    def live(self) -> Life:
        while True:
            yield self.wait(until=self.now + 1 / 1440)


def test_events_of_a_replication_are_capped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten days are 14,400 wakings; a cap below that is reached on the day it falls on."""
    run_of(world(), Minute)
    monkeypatch.setattr(simulating, "MOST_EVENTS", 2_000)
    error = failure_of(Minute)
    assert str(error) == ("more than 2000 events by 2000-01-01; agent minute was the last to act")
    assert (error.agent, error.date) == ("minute", "2000-01-01")


def test_reference_scenario_stays_far_below_every_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    """It does with a fiftieth of each cap, so none is near."""
    monkeypatch.setattr(simulating, "MOST_EVENTS", simulating.MOST_EVENTS // 50)
    monkeypatch.setattr(simulating, "MOST_AT_ONCE", simulating.MOST_AT_ONCE // 50)
    monkeypatch.setattr("simlib.agents.base.MOST_USES", base.MOST_USES // 50)
    monkeypatch.setattr("simlib.world.engine.MOST_INCIDENTS", 2_000_000 // 50)
    blueprint = assemble(simlib.load("as_agreed"))
    for replication in range(3):
        assert len(simulate(blueprint, replication).decisions) > 100


# any number of workers


class Reckless(Agent):
    """Fails in one of three ways, in some replications."""

    name = "reckless"

    def live(self) -> Life:
        yield self.wait(until=2.0)
        u = self.draws("fate", "uniform", low=0, high=1)
        if u < 0.25:
            self.change("stock", "North", to=NAN)
        elif u < 0.5:
            raise SystemExit("enough")
        elif u < 0.75:
            while True:
                self.see("a")
        yield self.wait(until=9.0)


def test_failures_read_the_same_for_any_number_of_workers() -> None:
    """The healthy replications are all there, and those that failed say why alike."""
    scenario = world(**PARTS, outcomes={"left": {"state": "stock", "in": "North"}})
    with pytest.warns(SimlibWarning, match=r"\d+ of \d+ replications failed; the first is "):
        one, two = (
            simlib.run(scenario, replications=16, jobs=jobs, agents=[Reckless]) for jobs in (1, 2)
        )
    assert one.digest == two.digest
    assert one.failures.equals(two.failures)
    said = set(one.failures["error"])
    assert said == {
        f"SimulationError: agent reckless: stock at North became nan on {DATE}",
        f"SimulationError: agent reckless on {DATE}: SystemExit: enough",
        f"SimulationError: {CALLS.format('reckless')}",
    }
    assert set(one.failures["agent"]) == {"reckless"}
    assert set(one.failures["date"].astype(str)) == {DATE}
    assert all("in live" in told for told in one.failures["traceback"])
    assert one.n_failed == len(one.failures) < 16
    assert len(one.outcomes) == 16 - one.n_failed
