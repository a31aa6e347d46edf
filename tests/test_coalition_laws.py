"""The Coalition and the militias: dates by base and role, refill, caps, answers, bounds."""

from __future__ import annotations

import datetime as dt
import functools
from typing import TYPE_CHECKING

import numpy as np
import pytest

from simlib.journal import to_days
from simlib.scenario import load, load_text
from simlib.simulation import Blueprint, assemble, simulate, simulating
from simlib.theatre.agents import coalition

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simlib.journal import Run

FEDERAL = ("Ain al-Asad", "Victoria")
SITES = ("Hasakah sites", "Tanf")
ROLES = ("combat", "technicians", "trainers")
QUIET = {"militia.lethal": 0.0, "breaks.level": 1e-6}
"""No shock that the Coalition would answer."""
WORST_YEAR = 170
"""B7-2024-02: attacks from October 2023 to early February 2024."""


@functools.cache
def _blueprint(option: str = "as_agreed") -> Blueprint:
    return assemble(load("as_agreed"), option)


def _with(lines: str) -> Blueprint:
    text = f"name: other\nextends: as_agreed\noptions:\n  other:\n{lines}"
    return assemble(load_text(text), "other")


@functools.cache
def _usual(replication: int) -> Run:
    return simulate(_blueprint(), replication)


def _at(run: Run, day: dt.date, variable: str, *places: str) -> float:
    row = run.snapshots[int(np.searchsorted(run.snapshot_times, to_days(day)))]
    where = places or (None,)
    return float(sum(row[run.layout.index(variable, place)] for place in where))


def _us(run: Run, day: dt.date, *places: str) -> float:
    return sum(_at(run, day, f"coalition.{role}", *places) for role in ROLES)


def _attacks(run: Run) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return when militias attacked, since the start."""
    types = np.array(run.incidents.channels.types)[run.incidents.channel]
    time = run.incidents.time
    return np.asarray(time[(types == "militia_attack") & (time >= run.start)])


START = dt.date(2025, 1, 1)

# reinforcement


DEADLY = {"militia.lethal": 0.9, "militia.truce": 0.1, "coalition.surge_clock": 0.1}


def test_reinforcements_have_a_cap() -> None:
    """Every attack deadly: troops stay below 1.5 times the start (22,142 before)."""
    asked = 0
    for replication in range(6):
        run = simulate(_blueprint("extend_12m"), replication, parameters=DEADLY)
        troops = run.snapshots[:, run.layout.slice_of("coalition.troops")].sum(axis=1)
        assert troops.max() <= 1.5 * troops[0]
        asked += sum(d.name == "reinforces_bases" and d.taken == "yes" for d in run.decisions)
    assert asked > 6


def test_troops_stay_bounded_without_a_decision() -> None:
    for replication in range(30):
        run = _usual(replication)
        troops = run.snapshots[:, run.layout.slice_of("coalition.troops")].sum(axis=1)
        assert troops.max() <= 1.5 * troops[0]


# drawing down and filling up again


@pytest.mark.parametrize("replication", range(8))
def test_an_extended_mission_has_its_troops(replication: int) -> None:
    """Half of them were gone before; four months after the announcement 90 % are there."""
    run = simulate(_blueprint("extend_12m"), replication, parameters=QUIET)
    before = _us(run, START, *FEDERAL)
    assert _us(run, dt.date(2025, 6, 1), *FEDERAL) < before
    assert _us(run, dt.date(2025, 11, 1), *FEDERAL) > 0.9 * before


def test_what_the_committee_extends_has_its_troops() -> None:
    """Three months after each extension that lasts nine months or more, 90 % are there."""
    looked = 0
    for replication in range(80):
        run = simulate(_blueprint(), replication, parameters=QUIET | LONG)
        for decision in run.decisions:
            if decision.name != "extends" or decision.time > to_days(dt.date(2025, 12, 1)):
                continue
            row = int(np.searchsorted(run.snapshot_times, decision.time + 100.0))
            us = [
                sum(run.snapshots[k][run.layout.index(f"coalition.{role}", base)]
                    for role in ROLES for base in FEDERAL)
                for k in (0, row)
            ]  # fmt: skip
            looked += 1
            assert us[1] >= 0.9 * us[0]
    assert looked > 5


LONG = {
    "committee.extension_6": 0.0,
    "coalition.refill": 0.4,
    "committee.intercept_washington": 2.0,
}


def test_what_others_took_away_does_not_come_back() -> None:
    """An event halves the troops: an extension refills what the Coalition withdrew, no more."""
    halved = _with(
        "    timeline.iraq_mission_end: {shift: 12 months, forced: true, announced: 2025-06-30}\n"
        "    events.half: {on: 2025-02-01, in: [Ain al-Asad, Victoria], "
        "times: {coalition.combat: 0.5, coalition.trainers: 0.5, coalition.technicians: 0.5}}\n"
    )
    run = simulate(halved, 0, parameters=QUIET)
    before = _us(run, START, *FEDERAL)
    assert _us(run, dt.date(2025, 11, 1), *FEDERAL) == pytest.approx(0.5 * before, rel=0.02)


def test_troops_in_syria_are_brought_down_to_a_number() -> None:
    fewer = _with("    events.fewer: {on: 2025-03-15, set: {coalition.strength_syria: 900}}\n")
    run = simulate(fewer, 1, parameters=QUIET)
    assert _us(run, dt.date(2025, 6, 1), *SITES) == pytest.approx(900.0, rel=0.01)
    assert _at(run, dt.date(2025, 6, 1), "coalition.isr", "Hasakah") < _at(
        _usual(1), dt.date(2025, 6, 1), "coalition.isr", "Hasakah"
    )


def test_the_syrian_mission_is_reviewed_before_each_of_its_ends() -> None:
    """Decided once before: where it has been kept on, it is asked again."""
    again = 0
    for replication in range(20):
        asked = [d for d in _usual(replication).decisions if d.name == "keeps_syria"]
        assert all(d.taken == "yes" for d in asked[:-1])
        again += len(asked) > 1
    assert again > 0


# milestones by base and role


def test_combat_troops_leave_and_technicians_stay() -> None:
    exits = _with(
        "    timeline.combat_exit: {date: 2025-03-31}\n"
        "    timeline.technicians_exit: {date: 2027-06-30}\n"
    )
    run = simulate(exits, 0, parameters=QUIET)
    iraq, day = (*FEDERAL, "Harir"), dt.date(2025, 4, 1)
    assert _at(run, day, "coalition.combat", *iraq) == 0.0
    assert _at(run, day, "coalition.combat", *SITES) > 0.0
    assert _at(run, day, "coalition.trainers", *iraq) > 0.0
    later = dt.date(2026, 12, 1)
    assert _at(run, later, "coalition.technicians", *iraq) > 0.5 * _at(
        run, START, "coalition.technicians", *iraq
    )
    assert _at(run, later, "coalition.trainers", *FEDERAL) == 0.0
    assert run.milestones["combat_exit"].completed_at < to_days(dt.date(2025, 4, 2))


def test_harir_can_close_early_and_late() -> None:
    for date, is_there in ((dt.date(2025, 6, 30), False), (dt.date(2027, 6, 30), True)):
        run = simulate(_with(f"    timeline.harir_exit: {{date: {date}}}\n"), 2, parameters=QUIET)
        assert (_us(run, dt.date(2025, 7, 1), "Harir") > 0.0) is is_there
        assert (_us(run, dt.date(2026, 12, 1), "Harir") > 0.0) is is_there


@pytest.mark.parametrize(
    ("exit_", "variable", "place"),
    [
        ("nato_exit", "coalition.training", "Baghdad"),
        ("contingents_exit", "coalition.training", "Erbil"),
        ("contingents_exit", "coalition.isr", "Anbar"),
        ("trainers_exit", "isf.readiness", "Kirkuk"),
    ],
)
def test_each_kind_of_people_matters(exit_: str, variable: str, place: str) -> None:
    """NATO and contingents were headcounts only."""
    run = simulate(_with(f"    timeline.{exit_}: {{date: 2025-02-01}}\n"), 3, parameters=QUIET)
    usual = simulate(_blueprint(), 3, parameters=QUIET)
    day = dt.date(2025, 5, 1)
    assert _at(run, day, variable, place) < _at(usual, day, variable, place)


def test_contingents_return_to_a_mission_that_goes_on() -> None:
    run = simulate(_blueprint("extend_12m"), 4, parameters={"coalition.contingent_spread": 8.0})
    names = [d.name for d in run.decisions if d.agent == "coalition"]
    left = [n.removesuffix("_left") for n in names if n.endswith("_left")]
    early = [n.removesuffix("_returned") for n in names if n.endswith("_returned")]
    assert set(early) <= set(left)


def test_membership_and_partnership_give_intelligence_and_training() -> None:
    """Both were inert: after the exit they are most of what is left."""
    day = dt.date(2026, 6, 1)
    out = "    timeline.iraq_mission_end: {shift: 0 days, forced: true}\n"
    events = {
        "none": "set: {coalition.partnership: 0}",
        "partner": "set: {coalition.partnership: 1}",
        "neither": "set: {coalition.partnership: 0, coalition.membership: 0}",
    }
    found = {}
    for name, event in events.items():
        given = {"committee.partnership": float(name == "partner"), "coalition.nato_stays": 0.0}
        run = simulate(_with(f"{out}    events.e: {{on: 2025-02-01, {event}}}\n"), 0,
            parameters=given)  # fmt: skip
        found[name] = [_at(run, day, v, "Anbar") for v in ("coalition.isr", "isf.readiness")]
    assert found["partner"][0] > found["none"][0] > found["neither"][0]
    assert found["partner"][1] > found["none"][1]


# contractors


def test_contractors_who_were_gone_stay_gone() -> None:
    """Only those who fled a war come back after it."""
    war = (
        "    events.gone: {on: 2025-01-02, set: {coalition.contractors: 0}}\n"
        "    events.war: {on: 2025-02-10, enter: {israel_iran.posture: war}}\n"
        "    events.peace: {on: 2025-04-10, enter: {israel_iran.posture: quiet}}\n"
    )
    run = simulate(_with(war), 0)
    assert all(row[run.layout.index("coalition.contractors", "Balad")] == 0.0
               for row in run.snapshots[1:])  # fmt: skip


def test_contractors_who_fled_come_back() -> None:
    war = (
        "    events.war: {on: 2025-02-10, enter: {israel_iran.posture: war}}\n"
        "    events.peace: {on: 2025-02-20, enter: {israel_iran.posture: quiet}}\n"
    )
    run = simulate(_with(war), 0, parameters={"coalition.contractors_flee": 1.0})
    assert any(d.name == "contractors_flee" and d.taken == "yes" for d in run.decisions)
    assert _at(run, dt.date(2025, 3, 1), "coalition.contractors", "Balad") == 1.0


# militias


WORST: Mapping[str, float] = {
    "militia.stocks_most": 140.0,
    "militia.resupply": 28.0,
    "militia.harassment": 2.5,
    "militia.war": 30.0,
    "militia.truce": 0.1,
    "militia.truce_months": 0.1,
}


def test_a_year_of_attacks_is_bounded_by_supplies() -> None:
    """At the ends of all priors: at most three times the worst year (18,726 before)."""
    war = _with("    events.war: {on: 2025-01-05, enter: {militia.posture: campaign}}\n")
    for replication in range(4):
        times = _attacks(simulate(war, replication, parameters=WORST))
        most = max(((times >= t) & (times < t + 365.0)).sum() for t in times)
        assert WORST_YEAR < most <= 3 * WORST_YEAR


def test_an_extension_provokes() -> None:
    """An extension that is announced makes the militias likelier to break the truce."""
    day = to_days(dt.date(2025, 7, 1))
    compared = 0
    for replication in range(30):
        runs = simulate(_blueprint("extend_12m"), replication), _usual(replication)
        odds = [
            d.probability if d.taken == "yes" else 1.0 - d.probability
            for run in runs
            for d in run.decisions
            if d.name == "militias_rise" and d.time == day
        ]
        if len(odds) == len(runs) and odds[0] != odds[1]:
            compared += 1
            assert odds[0] > odds[1]
    assert compared > 10


def test_militias_read_the_war_and_the_committee_the_militias() -> None:
    war = _with("    events.war: {on: 2025-02-10, enter: {israel_iran.posture: war}}\n")
    campaign = _with("    events.c: {on: 2025-05-20, enter: {militia.posture: campaign}}\n")
    rose = read = 0
    for replication in range(12):
        states = simulate(war, replication).postures["militia.posture"]
        rose += any(s == "campaign" for t, s in states if t < to_days(dt.date(2025, 4, 1)))
        day, level = dt.date(2025, 6, 1), "committee.environment"
        long = {"militia.truce_months": 500.0, "militia.campaign_months": 500.0}
        levels = [
            _at(simulate(blueprint, replication, parameters=long), day, level)
            for blueprint in (campaign, _blueprint())
        ]
        assert levels[0] >= levels[1]
        read += levels[0] > levels[1]
    assert rose > 0
    assert read > 6


def test_nobody_is_attacked_where_nobody_is() -> None:
    gone = _with(
        "    timeline.iraq_mission_end: {date: 2025-03-31, forced: true}\n"
        "    timeline.syria_mission_end: {date: 2025-03-31, forced: true}\n"
        "    timeline.contingents_exit: {date: 2025-03-31}\n"
        "    timeline.nato_exit: {date: 2025-03-31}\n"
    )
    run = simulate(gone, 0, parameters={"committee.partnership": 0.0})
    assert not (_attacks(run) > to_days(dt.date(2025, 4, 2))).any()
    assert run.postures["militia.posture"][-1][1] == "truce"


# the Coalition's answers


def test_deadly_attacks_are_answered() -> None:
    """It strikes back, shifts, hastens or leaves, and each answer shows."""
    names: set[str] = set()
    struck = 0
    for replication in range(12):
        run = simulate(_blueprint(), replication, parameters={"militia.lethal": 0.3})
        taken = [d for d in run.decisions if d.agent == "coalition" and d.taken == "yes"]
        names |= {d.name for d in taken}
        struck += sum(d.name == "strikes_militias" for d in taken)
    assert {"strikes_militias", "shifts_to_harir", "reinforces_bases", "leaves_under_fire"} <= names
    assert struck > 0


def test_a_strike_on_militias_costs_sovereignty() -> None:
    given = {"militia.lethal": 0.3}
    dear, cheap = (
        [
            float(run.snapshots[:, run.layout.index("iraq.sovereignty_pressure")].sum())
            for run in (
                simulate(_blueprint(), r, parameters=given | {"coalition.strike_slight": slight})
                for r in range(6)
            )
        ]
        for slight in (3.0, 0.5)
    )
    assert sum(dear) > sum(cheap)


def test_who_leaves_under_fire_leaves_before_the_date() -> None:
    found = 0
    for replication in range(40):
        run = simulate(_blueprint(), replication, parameters={"militia.lethal": 0.3})
        left = [d for d in run.decisions if d.name == "leaves_under_fire" and d.taken == "yes"]
        is_extended = any(d.name == "extends" for d in run.decisions)
        if not left or is_extended or left[0].time > to_days(dt.date(2025, 4, 1)):
            continue
        found += 1
        end = run.milestones["iraq_mission_end"]
        assert end.classification == "met"
        assert end.date < to_days(dt.date(2025, 9, 30))
    assert found > 0


def test_people_are_counted_in_the_order_of_their_kinds() -> None:
    """What is seen at once, by names written out, is what each name has by itself."""
    blueprint = assemble(load("as_agreed"), "as_agreed")
    world, _ = simulating._build(blueprint, 0, None, [blueprint.start, blueprint.horizon])
    agent = coalition.Coalition(world, 10)
    for seen, kinds in ((agent._roles(), coalition.ROLES), (agent._count(), coalition.KINDS)):
        apart = [agent.see_all(f"coalition.{kind}") for kind in kinds]
        assert np.array_equal(seen, apart)
        assert len({row.tobytes() for row in apart}) == len(kinds)  # none stands for another
