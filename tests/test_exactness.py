"""The shipped engine and the plain SimPy oracle: identical runs, to the last bit."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

import numpy as np
import pytest

from oracle import simulate_plain
from simlib.journal import MARKS
from simlib.scenario import from_dict, load
from simlib.scenario.canonical import explicit
from simlib.simulation import assemble, simulate
from support.full_world import AGENTS, rich
from support.worlds import decided, differing_columns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simlib.journal import Run
    from simlib.simulation import Blueprint


def first_difference(one: Run, other: Run) -> str:
    """Return where two runs part, for the message; empty when they do not."""
    differences = [
        *_different_incidents(one, other),
        *(
            f"{mine} and {yours}"
            for mine, yours in zip_longest(decided(one), decided(other))
            if mine != yours
        ),
    ]
    if one.parameters != other.parameters:
        differences.append("parameters")
    if one.snapshots.tobytes() != other.snapshots.tobytes():
        differences.append("snapshots")
    if one.postures != other.postures or repr(one.milestones) != repr(other.milestones):
        differences.append("postures or milestones")
    return differences[0] if differences else ""


def _different_incidents(one: Run, other: Run) -> Iterator[str]:
    if len(one.incidents) != len(other.incidents):
        yield f"{len(one.incidents)} and {len(other.incidents)} incidents"
    for column in differing_columns(one, other):
        x, y = getattr(one.incidents, column), getattr(other.incidents, column)
        pairs = enumerate(zip(x, y, strict=False))
        row = next((i for i, (a, b) in pairs if a.tobytes() != b.tobytes()), -1)
        yield f"incident {row}: {column}: {x[row]} and {y[row]}"


@pytest.fixture(scope="module")
def rich_blueprints() -> dict[str, Blueprint]:
    return {option: assemble(rich(), option, agents=AGENTS) for option in ("agreed", "later")}


@pytest.mark.parametrize("replication", range(8))
@pytest.mark.parametrize("option", ["agreed", "later"])
def test_rich_world_is_the_oracles(
    rich_blueprints: dict[str, Blueprint], option: str, replication: int
) -> None:
    """Time, channel, parent, opener, address, marks, decisions, snapshots: every bit."""
    blueprint = rich_blueprints[option]
    shipped, plain = simulate(blueprint, replication), simulate_plain(blueprint, replication)
    assert first_difference(shipped, plain) == ""
    assert len(shipped.incidents) > 200


@pytest.mark.parametrize("replication", range(6))
def test_events_and_removals_are_the_oracles(replication: int) -> None:
    """State, postures and milestones changed from outside, an actor away for two months."""
    mapping = explicit(rich())
    goes = {"zero": ["police"], "close": ["crossing", "raid.police"]}
    mapping["agents"]["guard"]["on_removal"] = goes
    mapping["options"]["struck"] = {
        "events": {
            "gone": {"on": "2000-04-10", "remove": "guard"},
            "back": {"on": "2000-06-10", "admit": "guard", "set": {"police": {"total": 900}}},
            "talks": {"on": "2000-03-05", "enter": {"talks.posture": "agreed"}},
            "more": {"when": "raid in Iraq >= 40 a month", "in": "Iraq", "times": {"rebels": 1.5}},
            "late": {"when": "rebels in North >= 310", "move": {"leave": "1 months"}},
        }
    }
    blueprint = assemble(from_dict(mapping), "struck", agents=AGENTS)
    shipped, plain = simulate(blueprint, replication), simulate_plain(blueprint, replication)
    assert first_difference(shipped, plain) == ""
    assert {d.name for d in shipped.decisions if d.agent == "scenario"} >= {"gone", "back", "talks"}


def test_rich_world_is_rich(rich_blueprints: dict[str, Blueprint]) -> None:
    """The test above is worth something: everything it means to compare happens."""
    runs = [simulate(rich_blueprints["agreed"], i) for i in range(8)]
    causes = {d.cause_kind for run in runs for d in run.decisions}
    assert causes == {"review", "date", "milestone", "incident", "threshold", "posture"}
    types = runs[0].incidents.channels.types
    assert {types[c] for run in runs for c in run.incidents.channel.tolist()} == set(types)
    families = {
        (types[run.incidents.channel[parent]], types[run.incidents.channel[row]])
        for run in runs
        for row, parent in enumerate(run.incidents.parent.tolist())
        if parent >= 0
    }
    assert families == {("raid", "raid"), ("raid", "clash"), ("clash", "raid")}
    marked = {name for run in runs for name in MARKS if run.incidents.mark(name).any()}
    assert marked >= set(MARKS) - {"escaped", "recaptured"}
    assert any((run.incidents.opener >= 0).any() for run in runs)
    assert any((run.incidents.time < run.start).any() for run in runs)
    assert any(run.postures["talks.posture"][1:] for run in runs)
    assert any(run.milestones["leave"].date > run.milestones["leave"].agreed for run in runs)


def test_a_difference_in_the_last_bit_is_found(rich_blueprints: dict[str, Blueprint]) -> None:
    """Negative control: a rate one part in 2^52 higher is another run."""
    blueprint = rich_blueprints["agreed"]
    run, again = simulate(blueprint, 0), simulate(blueprint, 0)
    assert first_difference(run, again) == ""
    size = float(np.nextafter(run.parameters["size"], np.inf))
    hair = simulate(blueprint, 0, parameters={"size": size})
    assert first_difference(run, hair) != ""
    again.incidents.time[-1] = np.nextafter(again.incidents.time[-1], 0.0)
    assert "incident" in first_difference(run, again)
    assert differing_columns(run, again) == ["time"]


@pytest.mark.parametrize(
    "replication", [*range(8), *(pytest.param(i, marks=pytest.mark.exam) for i in range(8, 40))]
)
def test_as_agreed_is_the_oracles(as_agreed: Blueprint, replication: int) -> None:
    """The reference scenario, incident by incident and decision by decision."""
    shipped, plain = simulate(as_agreed, replication), simulate_plain(as_agreed, replication)
    assert first_difference(shipped, plain) == ""
    assert len(shipped.incidents) > 1000


@pytest.fixture(scope="module")
def as_agreed() -> Blueprint:
    return assemble(load("as_agreed"), "as_agreed")
