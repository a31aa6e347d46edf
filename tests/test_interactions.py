"""Who reads whom is measured rightly, by watching that changes nothing."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np
import pytest

from simlib.agents.registry import agent_class
from simlib.scenario import load
from simlib.simulation import assemble, simulate
from simlib.theatre.questions.interactions import Interactions, Watching, interactions
from simlib.theatre.questions.ownership import ACTORS, actor_of, owners_of

if TYPE_CHECKING:
    from simlib.scenario.schema import Scenario


@functools.cache
def _scenario() -> Scenario:
    return load("as_agreed")


@functools.cache
def _measured() -> Interactions:
    return interactions(_scenario(), "as_agreed")


def test_watching_changes_nothing() -> None:
    """The same incidents at the same times, decided by the same decisions."""
    noted: set[object] = set()
    watched = [
        type(name, (Watching, agent_class(name)), {"noted": noted}) for name in _scenario().agents
    ]
    plain, seen = (
        simulate(assemble(_scenario(), "as_agreed", agents=agents), 0) for agents in ([], watched)
    )
    assert np.array_equal(plain.incidents.time, seen.incidents.time)
    assert [d.name for d in plain.decisions] == [d.name for d in seen.decisions]
    assert noted


def test_what_is_known_to_be_read_is_found() -> None:
    """The committee hears of breaks from detention; nobody tells the PKK of overflights."""
    found = _measured()
    assert "detention_break" in found.read["committee", "isis"]
    assert "iraq_mission_end" in found.read["isis", "committee"]
    assert "isf.readiness" in found.hang["isis", "isf"]
    assert ("pkk", "israel") not in found.read
    assert all(reader != other for reader, other in found.read)


def test_everybody_reads_and_is_read_by_three_others_at_least() -> None:
    assert _measured().lonely() == []


def test_the_tables_say_the_same() -> None:
    found = _measured()
    matrix = found.matrix()
    for reader in found.actors:
        assert tuple(name for name in matrix if matrix[name][reader] > 0) == found.reads(reader)
    rows = found.table()
    assert set(zip(rows["reader"], rows["read"], strict=True)) == {*found.read, *found.hang}


def test_who_has_too_few_relations_is_told() -> None:
    """Negative control: of two who only read one another each has one relation a direction."""
    pairs = {("north", "south"): ("x",), ("south", "north"): ("y",)}
    alone = Interactions(actors=("north", "south"), replications=1, read=pairs, hang={})
    assert alone.lonely() == [
        "north reads 1: south",
        "north is read by 1: south",
        "south reads 1: north",
        "south is read by 1: north",
    ]


def test_every_group_of_incidents_has_an_actor() -> None:
    groups = {(t, g) for t, entry in _scenario().incidents.items() for g in entry.groups}
    assert all(actor_of(type_, group) for type_, group in groups)
    known = {name for type_, group in groups for name in (type_, f"{type_}.{group}")}
    assert {*ACTORS} <= known


@pytest.mark.parametrize(
    ("outcome", "owners"),
    [
        ("isis_attacks_iraq_2025", {"isis"}),
        ("counter_isis_operations_iraq_year_1", {"isf"}),
        ("counter_isis_operations_syria_2026", {"sdf", "hts"}),
        ("border_wall_end_2025", {"isf"}),
        ("pkk_dissolving", {"pkk"}),
        ("iraqi_protests", {"isf"}),
        ("iraq_months_late", {"committee", "coalition"}),
        ("ucdp_354_2025", {"turkiye", "pkk"}),
    ],
)
def test_whose_an_outcome_is(outcome: str, owners: set[str]) -> None:
    assert owners_of(_scenario(), outcome) == owners
