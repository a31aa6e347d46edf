"""Actors that are removed, with what goes with them, and come back."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import simlib
from simlib.agents.base import Agent
from simlib.analysis.comparison.forks import with_forks
from simlib.errors import ScenarioError
from simlib.journal import to_days
from simlib.scenario import from_dict
from simlib.scenario.canonical import explicit
from simlib.simulation import assemble, simulate, simulate_played, simulate_recorded
from support.agents import Watcher
from support.scenarios import watched
from support.worlds import differing_columns, state_at_end, times_of

if TYPE_CHECKING:
    from simlib.agents.base import Life
    from simlib.journal import Run
    from simlib.scenario.schema import Scenario

APRIL, MAY = to_days(dt.date(2000, 4, 1)), to_days(dt.date(2000, 5, 1))
GOES = {"zero": ["guards"], "close": ["raid"], "rest": {"talks.posture": "apart"}}


def removing(goes: dict[str, Any] = GOES, **options: Any) -> Scenario:
    """Return the small scenario with what goes with its agent, and options."""
    mapping = explicit(watched())
    mapping["agents"]["watcher"]["on_removal"] = goes
    mapping["options"] |= options
    return from_dict(mapping)


def history(scenario: Scenario, option: str | None, replication: int = 0) -> Run:
    return simulate(assemble(scenario, option, agents=[Watcher]), replication)


@pytest.mark.parametrize(
    ("option", "since"),
    [
        ({"remove": "watcher"}, 0.0),
        ({"remove": ["watcher"], "at": "2000-04-01"}, APRIL),
        ({"events": {"e": {"on": "2000-04-01", "remove": "watcher"}}}, APRIL),
    ],
)
def test_an_actor_that_is_removed_takes_its_own_with_it(
    option: dict[str, Any], since: float
) -> None:
    """Its stocks, what recurs by it, its posture and its decisions; other channels go on."""
    scenario = removing(gone=option)
    for replication in range(4):
        before, after = (history(scenario, name, replication) for name in (None, "gone"))
        raids, patrols = (times_of(before, name) for name in ("raid", "patrol"))
        assert times_of(after, "raid").tolist() == raids[raids < since].tolist()
        assert times_of(after, "patrol").tolist() == patrols.tolist()
        assert state_at_end(after, "guards", "South") == 0
        assert after.postures["talks.posture"][-1] == (
            after.postures["talks.posture"][-1][0],
            "apart",
        )
        theirs = [d for d in after.decisions if d.agent == "watcher"]
        assert theirs == [d for d in before.decisions if d.agent == "watcher" and d.time < since]
        assert [d.time for d in after.decisions if d.agent == "scenario"] == [since]


def test_a_group_is_closed_by_itself() -> None:
    scenario = removing({"close": ["patrol.main"]}, gone={"remove": "watcher"})
    before, after = history(scenario, None), history(scenario, "gone")
    assert len(times_of(after, "patrol")[times_of(after, "patrol") >= 0]) == 0
    assert times_of(after, "raid").tolist() == times_of(before, "raid").tolist()
    assert state_at_end(after, "guards", "South") == 100


def test_nobody_moves_a_posture_that_rests() -> None:
    """It neither ends by itself nor is entered, until the actor is back; then it lives on."""
    back = {"on": "2000-05-01", "admit": "watcher", "set": {"guards": {"each": 50}}}
    scenario = removing(
        gone={"remove": "watcher"},
        back={"remove": "watcher", "events": {"e": back}},
    )
    entered = []
    for replication in range(12):
        assert len(history(scenario, "gone", replication).postures["talks.posture"]) == 1
        run = history(scenario, "back", replication)
        entered += [time for time, _ in run.postures["talks.posture"][1:]]
    assert entered
    assert min(entered) > MAY


def test_an_actor_that_comes_back_begins_another_life() -> None:
    """What recurs by it is what it would have been; the agent decides by fresh luck."""
    events = {
        "out": {"on": "2000-04-01", "remove": "watcher"},
        "in": {"on": "2000-05-01", "admit": "watcher", "set": {"guards": {"total": 300}}},
    }
    scenario = removing({"zero": ["guards"], "close": ["raid"]}, back={"events": events})
    before, after = history(scenario, None), history(scenario, "back")
    raids = times_of(before, "raid")
    kept = raids[(raids < APRIL) | (raids >= MAY)]
    assert times_of(after, "raid").tolist() == kept.tolist()
    theirs = [d.time for d in after.decisions if d.agent == "watcher"]
    assert not [time for time in theirs if APRIL <= time < MAY]
    assert [time for time in theirs if time >= MAY]
    assert state_at_end(after, "guards", "South") == 100


class Twofold(Agent):
    """Draws at the start of each life, and in two processes."""

    name = "watcher"

    def live(self) -> Life:
        """Draw once a life, then each month, and at each change of the posture."""
        self.start(self.live_posture("talks.posture"))
        self.draws("first", "uniform", low=0.0, high=1.0)
        while True:
            yield self.wait(months=1)
            self.draws("monthly", "uniform", low=0.0, high=1.0)


def test_each_life_draws_its_own_luck() -> None:
    events = {
        "out": {"on": "2000-03-15", "remove": "watcher"},
        "in": {"on": "2000-03-15", "in": "North", "times": {"guards": 1}},
        "back": {"on": "2000-03-20", "admit": "watcher"},
    }
    scenario = removing({}, back={"events": events})
    before, after = (
        simulate(assemble(scenario, option, agents=[Twofold]), 0) for option in (None, "back")
    )
    first = [d.value for d in after.decisions if d.name == "first"]
    assert len(set(first)) == 2
    assert first[0] == next(d.value for d in before.decisions if d.name == "first")
    monthly = [[d.value for d in run.decisions if d.name == "monthly"] for run in (before, after)]
    assert monthly[0] == monthly[1]


def test_being_removable_moves_no_draw() -> None:
    """Where another option removes the actor, nothing differs under the others."""
    plain, removable = watched(), removing(gone={"remove": "watcher"})
    for replication in range(3):
        one, other = (history(scenario, "later", replication) for scenario in (plain, removable))
        assert differing_columns(one, other) == []
        assert [repr(d) for d in one.decisions] == [repr(d) for d in other.decisions]


def test_a_removal_plays_again_from_its_acts() -> None:
    scenario = removing(gone={"events": {"e": {"on": "2000-04-01", "remove": "watcher"}}})
    blueprint = assemble(scenario, "gone", agents=[Watcher])
    plain = simulate(blueprint, 1)
    run, acts = simulate_recorded(blueprint, 1)
    played = simulate_played(blueprint, 1, acts)
    assert differing_columns(plain, run) == []
    assert differing_columns(run, played) in ([], ["opener"])
    assert run.snapshots.tobytes() == played.snapshots.tobytes()


def test_a_fork_removes_from_its_date_on() -> None:
    scenario = removing(gone={"remove": "watcher"})
    forked, (name,) = with_forks(scenario, dt.date(2000, 4, 1), ["gone"])
    before, after = history(forked, None), history(forked, name)
    raids = times_of(before, "raid")
    assert times_of(after, "raid").tolist() == raids[raids < APRIL].tolist()


def test_a_scenario_removes_from_the_start() -> None:
    mapping = explicit(removing())
    mapping["remove"] = ["watcher"]
    run = history(from_dict(mapping), None)
    assert not times_of(run, "raid")[times_of(run, "raid") >= 0].size
    assert not [d for d in run.decisions if d.agent == "watcher"]


def test_every_actor_of_the_theatre_can_be_removed() -> None:
    """With its stocks, and outcomes of others that move; the others decide on."""
    mapping = explicit(simlib.load("as_agreed"))
    mapping["options"] = {name: {"remove": name} for name in mapping["agents"]}
    scenario = from_dict(mapping)
    base = simulate(assemble(scenario), 0)
    for name, entry in scenario.agents.items():
        run = simulate(assemble(scenario, name), 0)
        assert entry.on_removal is not None
        assert name not in {d.agent for d in run.decisions}
        assert {d.agent for d in run.decisions} > {"scenario"}
        for variable in entry.on_removal.zero:
            assert not run.snapshots[-1, run.layout.slice_of(variable)].any(), variable
        own = {*entry.on_removal.zero, *entry.on_removal.set, *entry.on_removal.rest}
        moved = {
            variable
            for variable, where in run.layout.variables.items()
            if not np.array_equal(run.snapshots[:, where], base.snapshots[:, where])
        }
        assert moved - own - {f"present.{name}"}, name


def test_incidents_change_nothing_of_who_is_away() -> None:
    """A stock that raids add to stays empty, and is added to once the actor is back."""
    mapping = explicit(removing({"zero": ["guards"]}))
    mapping["incidents"]["raid"]["groups"]["main"]["effects"] = [{"change": "guards", "by": 2}]
    out = {"on": "2000-04-01", "remove": "watcher"}
    mapping["options"]["gone"] = {"events": {"out": out}}
    back = {"on": "2000-05-01", "admit": "watcher"}
    mapping["options"]["back"] = {"events": {"out": out, "back": back}}
    scenario = from_dict(mapping)
    assert state_at_end(history(scenario, "gone"), "guards", "South") == 0
    run = history(scenario, "back")
    late = times_of(run, "raid", "South")
    assert state_at_end(run, "guards", "South") == 2 * np.count_nonzero(late >= MAY)
    blueprint = assemble(scenario, "back", agents=[Watcher])
    recorded, acts = simulate_recorded(blueprint, 0)
    played = simulate_played(blueprint, 0, acts)
    assert recorded.snapshots.tobytes() == played.snapshots.tobytes()


def test_removing_twice_on_a_date_is_the_same_and_coming_back_at_once_is_refused() -> None:
    out = {"on": "2000-04-01", "remove": "watcher"}
    twice = removing(gone={"events": {"a": out, "b": out}})
    assert len([d for d in history(twice, "gone").decisions if d.agent == "scenario"]) == 2
    with pytest.raises(ScenarioError, match="contradicts remove of event a on the same date"):
        removing(gone={"events": {"a": out, "b": {"on": "2000-04-01", "admit": "watcher"}}})
