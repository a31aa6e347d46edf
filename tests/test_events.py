"""Events of a scenario: when they come, what they change, and that they move no draw."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import simlib
from simlib.agents.base import Agent
from simlib.analysis import why
from simlib.analysis.comparison.forks import with_forks
from simlib.errors import ScenarioError, SimlibWarning
from simlib.journal import to_days
from simlib.scenario import from_dict, load_text
from simlib.scenario.canonical import explicit
from simlib.simulation import assemble, simulate, simulate_played, simulate_recorded
from support.agents import Watcher
from support.scenarios import watched
from support.worlds import COLUMNS, differing_columns, recurring, world

if TYPE_CHECKING:
    from pathlib import Path

    from simlib.agents.base import Life
    from simlib.analysis.mediation.mediators import By
    from simlib.journal import Run
    from simlib.scenario.schema import Scenario

WHY = {"unit": "incidents per day", "judgement": "test"}
RAIDS: dict[str, Any] = {"value": 2, **WHY}
GUARDS: dict[str, Any] = {"guards": {"over": "governorate", "unit": "persons", "start": 100}}
DAY = "2000-01-05"
"""The date of events in the world of ten days: four days after its start."""
MARCH, APRIL = to_days(dt.date(2000, 3, 15)), to_days(dt.date(2000, 4, 10))


def guarded(**event: Any) -> Run:
    """Return a run of the world of ten days in which one event happens on the fifth."""
    level: dict[str, Any] = {"North": 3.0, "East": "raids"}
    scenario = world(
        state=GUARDS,
        parameters={"raids": RAIDS},
        incidents={"raid": recurring(level)},
        events={"e": {"on": DAY, **event}},
    )
    return simulate(assemble(scenario), 0)


def guards(run: Run) -> list[float]:
    """Return the guards of East, North and South when the run ends."""
    values: list[float] = run.snapshots[-1, run.layout.slice_of("guards")].tolist()
    return values


def changed(events: dict[str, Any]) -> Scenario:
    """Return the small scenario with an agent, and an option that has events."""
    mapping = explicit(watched())
    mapping["options"]["changed"] = {"events": events}
    return from_dict(mapping)


def history(scenario: Scenario, option: str | None, replication: int = 0) -> Run:
    return simulate(assemble(scenario, option, agents=[Watcher]), replication)


def journalled(run: Run) -> list[tuple[str, str, float, str]]:
    """Return what the journal says of events."""
    return [(d.name, d.taken, d.time, d.cause) for d in run.decisions if d.agent == "scenario"]


def decided(run: Run) -> list[tuple[Any, ...]]:
    """Return what agents decided."""
    return [
        (d.time, d.agent, d.name, d.taken, d.probability, d.cause)
        for d in run.decisions
        if d.agent != "scenario"
    ]


def times_of(run: Run, type_: str, place: str) -> list[float]:
    """Return when incidents of a type happened at a place."""
    channels = run.incidents.channels
    named = list(zip(channels.types, channels.places, strict=True))
    chosen = np.array([name == (type_, place) for name in named])[run.incidents.channel]
    times: list[float] = run.incidents.time[chosen].tolist()
    return times


@pytest.mark.parametrize(
    ("event", "wanted"),
    [
        ({"set": {"guards": {"each": 7}}}, [7, 7, 7]),
        ({"set": {"guards": {"total": 30}}}, [10, 10, 10]),
        ({"set": {"guards": 0}}, [0, 0, 0]),
        ({"in": "Syria", "set": {"guards": 40}}, [40, 100, 100]),
        ({"in": ["East", "South"], "add": {"guards": {"total": 10}}}, [105, 100, 105]),
        ({"set": {"guards": {"East": 1, "South": "raids"}}}, [1, 100, 2]),
        ({"in": "Iraq", "times": {"guards": 3}}, [100, 300, 300]),
        ({"add": {"guards": {"each": -500}}}, [0, 0, 0]),
    ],
)
def test_state_changes_at_the_places_that_are_meant(
    event: dict[str, Any], wanted: list[float]
) -> None:
    run = guarded(**event)
    assert guards(run) == wanted
    assert journalled(run) == [("e", "yes", 4.0, "scenario")]


def test_a_total_is_shared_as_what_is_there_or_was_at_the_start() -> None:
    shares: dict[str, Any] = {"start": {"East": 10, "North": 30}}
    scenario = world(
        state={"guards": {**GUARDS["guards"], **shares}},
        events={
            "b": {"on": "2000-01-03", "set": {"guards": {"total": 80}}},
            "c": {"on": "2000-01-05", "set": {"guards": 0}},
            "d": {"on": "2000-01-07", "set": {"guards": {"total": 8}}},
        },
    )
    run = simulate(assemble(scenario), 0, observe=[3.0, 5.0])
    found = [row.tolist() for row in run.snapshots[1:, run.layout.slice_of("guards")]]
    assert found == [[20, 60, 0], [0, 0, 0], [2, 6, 0]]


def test_a_parameter_changes_what_recurs_from_then_on_and_there_only() -> None:
    before, after = guarded(set={"guards": {"each": 100}}), guarded(parameter={"raids": 0})
    assert times_of(after, "raid", "North") == times_of(before, "raid", "North")
    kept = [time for time in times_of(before, "raid", "East") if time < 4.0]
    assert kept
    assert times_of(after, "raid", "East") == kept
    more, same = (
        guarded(parameter={"raids": "10 * raids"}),
        guarded(parameter={"raids": {"times": 8, "add": 4}}),
    )
    assert len(times_of(more, "raid", "East")) > 30
    assert differing_columns(more, same) == []
    assert after.parameters == before.parameters


class Reader(Agent):
    """Counts what it reads of two parameters, one computed from the other."""

    name = "reader"

    def live(self) -> Life:
        """Read both each day."""
        while True:
            yield self.wait(days=1)
            self.records("read", value=self.parameter("raids") + 100 * self.parameter("twice"))


def test_agents_read_the_new_value_and_what_is_computed_from_it() -> None:
    scenario = world(
        parameters={
            "raids": RAIDS,
            "twice": {"expression": "2 * raids", **WHY},
        },
        events={"e": {"on": DAY, "parameter": {"raids": 5}}},
    )
    run = simulate(assemble(scenario, agents=[Reader]), 0)
    read = [(d.time, d.value) for d in run.decisions if d.name == "read"]
    assert read[:4] == [(1, 402), (2, 402), (3, 402), (4, 1005)]


@pytest.mark.parametrize(
    "event",
    [
        {"times": {"guards": 1}, "parameter": {"raids": "raids"}},
        {"add": {"guards": 0}, "enter": {"talks.posture": "apart"}},
        {"move": {"exit": "0 months"}},
    ],
)
@pytest.mark.parametrize("when", [{"on": "2000-01-01"}, {"when": "raid in North"}])
def test_an_event_that_changes_nothing_moves_no_draw(
    event: dict[str, Any], when: dict[str, str]
) -> None:
    """Nothing but the rows that name decisions differs: the journal has one decision more."""
    scenario = changed({"e": {**when, **event}})
    for replication in range(4):
        before, after = (history(scenario, option, replication) for option in (None, "changed"))
        assert len(journalled(after)) == 1
        if "enter" not in event or not journalled(after)[0][2]:
            assert differing_columns(before, after) in ([], ["opener"])
            assert decided(before) == decided(after)
            assert before.snapshots.tobytes() == after.snapshots.tobytes()
            assert repr(before.milestones) == repr(after.milestones)


def test_a_posture_is_entered_and_lives_on() -> None:
    scenario = changed({"e": {"on": "2000-03-15", "enter": {"talks.posture": "together"}}})
    for replication in range(6):
        before, after = (history(scenario, option, replication) for option in (None, "changed"))
        first = before.postures["talks.posture"]
        if len(first) > 1 and first[1][0] < MARCH:
            assert after.postures == before.postures
        else:
            assert after.postures["talks.posture"] == (first[0], (MARCH, "together"))


@pytest.mark.parametrize(
    ("event", "date"),
    [
        ({"move": {"exit": "1 months"}}, dt.date(2000, 5, 31)),
        ({"move": {"exit": "2000-06-15"}}, dt.date(2000, 6, 15)),
        ({"move": {"exit": "-3 months"}}, dt.date(2000, 3, 15)),
        ({"cancel": "exit"}, None),
    ],
)
def test_milestones_move(event: dict[str, Any], date: dt.date | None) -> None:
    scenario = changed({"e": {"on": "2000-03-15", **event}})
    run = history(scenario, "changed")
    assert run.milestones["exit"].date == (np.inf if date is None else to_days(date))


def test_a_completed_milestone_is_met_and_moves_no_more() -> None:
    events = {
        "e": {"on": "2000-03-15", "complete": "exit"},
        "f": {"on": "2000-04-15", "move": {"exit": "2000-06-01"}},
    }
    record = history(changed(events), "changed").milestones["exit"]
    assert (record.classification, record.completed_at) == ("met", MARCH)
    assert record.date == MARCH


def test_a_move_is_known_when_it_is_announced() -> None:
    event = {"on": "2000-04-20", "announced": "2000-03-15", "move": {"exit": "2000-04-20"}}
    run = history(changed({"e": {**event, "set": {"guards": 0}}}), "changed")
    late = to_days(dt.date(2000, 4, 20))
    assert [(taken, at) for _, taken, at, _ in journalled(run)] == [
        ("announced", MARCH),
        ("yes", late),
    ]
    assert run.milestones["exit"].date == late


def condition_times(when: str, replication: int = 0, **more: Any) -> tuple[Run, list[float]]:
    """Return a run with a condition, and when the event came."""
    scenario = changed({"e": {"when": when, "times": {"guards": 1}, **more}})
    run = history(scenario, "changed", replication)
    assert all(cause == f"when {when}" for _, _, _, cause in journalled(run))
    return run, [at for _, _, at, _ in journalled(run)]


def test_a_decision_brings_an_event_about_at_once() -> None:
    found = []
    for replication in range(6):
        run, times = condition_times("alarm = yes", replication, every=True)
        alarms = [d.time for d in run.decisions if (d.name, d.taken) == ("alarm", "yes")]
        assert times == alarms
        found += alarms
    assert len(found) > 10


def test_a_posture_and_a_milestone_bring_an_event_about_at_once() -> None:
    run, times = condition_times("talks.posture = together")
    assert times == [time for time, state in run.postures["talks.posture"] if state == "together"]
    for replication in range(6):
        scenario = changed({"e": {"when": "exit = met", "set": {"guards": 0}}})
        run = history(scenario, "changed", replication)
        record = run.milestones["exit"]
        came = [at for _, _, at, _ in journalled(run)]
        assert came == ([record.completed_at] if record.classification == "met" else [])


def test_incidents_bring_an_event_about_as_the_next_day_begins() -> None:
    """As tripwires date it, but for the hours of the day."""
    run, times = condition_times("raid in North")
    assert times == [np.floor(min(t for t in times_of(run, "raid", "North") if t >= 0)) + 1]
    run, times = condition_times("raid in North >= 10 a month", every=True)
    days = [dt.date(2000, 1, 1), dt.date(2000, 2, 1), dt.date(2000, 3, 1), dt.date(2000, 4, 1)]
    edges = [to_days(day) for day in days]
    for first, last in itertools.pairwise(edges):
        month = [t for t in times_of(run, "raid", "North") if first <= t < last]
        came = [t for t in times if first < t <= last]
        assert len(came) <= len(month) // 10
        if len(month) >= 10:
            assert came[0] == np.floor(month[9]) + 1


def test_a_level_brings_an_event_about_once_until_it_is_left() -> None:
    """The watcher takes guards from the North at alarms; another event puts some back."""
    scenario = changed(
        {
            "low": {"when": "guards in North <= 98", "every": True, "times": {"guards": 1}},
            "back": {"on": "2000-06-01", "in": "North", "set": {"guards": 100}},
        }
    )
    n_both = 0
    for replication in range(12):
        run = history(scenario, "changed", replication)
        alarms = [d.time for d in run.decisions if (d.name, d.taken) == ("alarm", "yes")]
        june = to_days(dt.date(2000, 6, 1))
        early = [time for time in alarms if time < june]
        came = [at for name, _, at, _ in journalled(run) if name == "low"]
        assert len(came) <= 2
        assert came[:1] == ([early[1] + 1.0] if len(early) > 1 else [])
        n_both += len(early) > 1
    assert n_both > 3


def test_an_events_acts_give_the_same_run_when_they_are_played() -> None:
    """State, postures, milestones and parameters, in a world in which nobody decides."""
    scenario = changed(
        {
            "a": {
                "on": "2000-02-10",
                "parameter": {"raids": 30},
                "set": {"guards": {"total": 50}},
                "enter": {"talks.posture": "together"},
            },
            "b": {"when": "alarm = no", "move": {"exit": "2000-05-20"}},
        }
    )
    blueprint = assemble(scenario, "changed", agents=[Watcher])
    for replication in range(4):
        plain = simulate(blueprint, replication)
        run, acts = simulate_recorded(blueprint, replication)
        played = simulate_played(blueprint, replication, acts, decisions=run.decisions)
        assert differing_columns(plain, run) == []
        assert differing_columns(run, played) in ([], ["opener"])
        assert run.snapshots.tobytes() == played.snapshots.tobytes()


def test_an_options_events_stand_beside_the_scenarios_and_replace_those_of_their_name() -> None:
    mapping = explicit(watched())
    mapping["events"] = {
        "one": {"on": "2000-02-10", "set": {"guards": 0}},
        "two": {"on": "2000-03-15", "in": "East", "set": {"guards": 9}},
    }
    mapping["options"]["changed"] = {
        "events": {"one": {"on": "2000-05-01", "in": "South", "set": {"guards": 5}}}
    }
    scenario = from_dict(mapping)
    assert guards(history(scenario, "changed"))[::2] == [9, 5]
    assert guards(history(scenario, None))[::2] == [9, 0]


def test_a_childs_event_replaces_its_parents_whole() -> None:
    text = """\
simlib: 1
name: child
extends: as_agreed.yaml
context_of_use: test
options:
  extend_12m:
    events.later: {on: 2026-01-01, set: {turkiye.troops: 0}}
"""
    scenario = load_text(text)
    event = scenario.options["extend_12m"].events["later"]
    assert (event.on, event.set) == (dt.date(2026, 1, 1), {"turkiye.troops": 0.0})
    assert load_text(simlib.resolve(scenario)) == scenario


def test_a_fork_has_the_past_of_its_baseline_and_then_the_events_of_its_option() -> None:
    scenario = changed({"e": {"on": "2000-04-10", "parameter": {"raids": 40}}})
    at = dt.date(2000, 3, 15)
    forked, (name,) = with_forks(scenario, at, ["changed"])
    whole, fork = (history(forked, option) for option in ("changed", name))
    assert differing_columns(whole, fork) == []
    assert journalled(whole) == journalled(fork) == [("e", "yes", APRIL, "scenario")]
    base = history(forked, None)
    n = int(np.searchsorted(base.incidents.time, to_days(dt.date(2000, 4, 10))))
    for column in COLUMNS:
        assert getattr(base.incidents, column)[:n].tolist() == (
            getattr(fork.incidents, column)[:n].tolist()
        )
    assert len(base.incidents) < len(fork.incidents)


def test_a_condition_is_looked_at_from_the_fork_on() -> None:
    scenario = changed({"e": {"when": "raid in North", "times": {"guards": 1}}})
    forked, (name,) = with_forks(scenario, dt.date(2000, 3, 15), ["changed"])
    ((_, _, at, _),) = journalled(history(forked, name))
    late = [time for time in times_of(history(forked, None), "raid", "North") if time >= MARCH]
    assert at == np.floor(late[0]) + 1


def test_a_fork_after_an_event_is_refused() -> None:
    scenario = changed({"e": {"on": "2000-04-10", "set": {"guards": 0}}})
    with pytest.raises(ScenarioError, match=r"not be before the option is known \(got 2000-04-10"):
        with_forks(scenario, dt.date(2000, 5, 1), ["changed"])


def test_what_the_baseline_would_have_had_later_does_not_come_in_a_fork() -> None:
    scenario = changed({"e": {"on": "2000-04-10", "set": {"guards": 0}}})
    forked, (name,) = with_forks(scenario, dt.date(2000, 3, 15), ["as_planned"], of="changed")
    assert guards(history(forked, name))[0] == 100
    later, (other,) = with_forks(scenario, dt.date(2000, 5, 1), ["as_planned"], of="changed")
    assert guards(history(later, other))[0] == 0


def test_results_are_the_same_for_any_number_of_workers() -> None:
    scenario = changed({"e": {"when": "raid in North >= 8 a month", "parameter": {"raids": 20}}})
    digests = {
        simlib.run(
            scenario, options=["changed"], replications=8, jobs=jobs, agents=[Watcher]
        ).digest
        for jobs in (1, 2)
    }
    assert len(digests) == 1


def test_results_with_events_are_extended_replayed_and_verified(tmp_path: Path) -> None:
    events = {
        "e": {"when": "raid in North >= 8 a month", "parameter": {"raids": {"times": 2}}},
        "f": {"when": "alarm = yes", "enter": {"talks.posture": "together"}},
    }
    scenario = changed(events)
    part = simlib.run(
        scenario, options=["changed"], replications=3, directory=tmp_path / "out", jobs=1,
        agents=[Watcher],
    )  # fmt: skip
    grown = part.extend(6, jobs=1, agents=[Watcher])
    whole = simlib.run(scenario, options=["changed"], replications=6, jobs=1, agents=[Watcher])
    assert grown.digest == whole.digest
    grown.verify()
    replayed = grown.replay(1, agents=[Watcher])
    assert journalled(replayed) == journalled(history(scenario, "changed", 1))
    assert any(journalled(history(scenario, "changed", i)) for i in range(6))


@pytest.mark.parametrize("by", ["agent", "mechanism", "place"])
def test_why_names_an_event_as_the_cause(by: By) -> None:
    """A parameter's and a stock's, by agent and where the pairs part."""
    events = {
        "more": {"on": "2000-02-10", "parameter": {"raids": {"times": 3}}},
        "guarded": {"on": "2000-02-10", "in": "North", "set": {"guards": 500}},
    }
    found = why(
        changed(events), ["raids", "alarms"], baseline="as_planned", counterfactual="changed",
        agents=[Watcher], by=by, replications=30, jobs=1,
    )  # fmt: skip
    (path, *_) = found.of("raids").description.paths
    assert (path.agent, path.mechanism) == ("scenario", "raids")
    assert "decision more: yes < scenario" in path.example
    text = "\n".join(found.sentences())
    assert "first at a decision of scenario (more: yes, 2000-02-10; scenario)" in text


def test_a_condition_that_never_holds_is_told() -> None:
    """An event that comes about in no replication is warned of; one that does is not."""
    raids = {"raid": recurring({"North": 3.0})}
    events = {
        "many": {"when": "raid in North >= 900 a month", "add": {"guards": {"each": 1}}},
        "few": {"when": "raid in North >= 2 a month", "add": {"guards": {"each": 2}}},
    }
    scenario = world(state=GUARDS, incidents=raids, events=events)
    with pytest.warns(
        SimlibWarning, match=r"^event many: raid in North >= 900 .* none of 3 "
    ) as told:
        simlib.run(scenario, replications=3, jobs=1)
    assert len(told) == 1
