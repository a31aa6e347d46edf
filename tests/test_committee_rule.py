"""Two governments decide on the deadline: laws of their rule, and of when they meet."""

from __future__ import annotations

import datetime as dt
import functools
import math
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest

from simlib.journal import to_days
from simlib.scenario import load, load_text
from simlib.simulation import Blueprint, assemble, simulate
from simlib.theatre.agents.committee import CLASSES, GROUNDS, SIGNS, assents, leanings, other_ends
from simlib.theatre.questions.committee_choices import DrawnNumbers
from simlib.world.quantities import ParameterPlan

if TYPE_CHECKING:
    from simlib.journal import Decision, Run
    from simlib.scenario.schema import Scenario

N = 60
AGREED = to_days(dt.date(2025, 9, 30))
ALL = [(government, ground) for government, signs in SIGNS.items() for ground in signs]


@functools.cache
def _scenario() -> Scenario:
    return load("as_agreed")


@functools.cache
def _until_july() -> Blueprint:
    cut = {"end": dt.date(2025, 7, 1), "outcomes": {}, "series": {}, "options": {}}
    return assemble(_scenario().model_copy(update=cut))


@functools.cache
def _runs() -> tuple[Run, ...]:
    blueprint = assemble(_scenario(), "as_agreed")
    return tuple(simulate(blueprint, r) for r in range(N))


def _decisions(run: Run, *names: str) -> list[Decision]:
    return [d for d in run.decisions if d.agent == "committee" and d.name in names]


# the rule


@functools.cache
def _draws() -> tuple[dict[str, float], ...]:
    plan = ParameterPlan(_scenario())
    return tuple(plan.draw(r, {}) for r in range(40))


def _levels(replication: int) -> dict[str, float]:
    rng = np.random.default_rng(replication)
    return dict(zip(GROUNDS, rng.gamma(1.0, 1.0, len(GROUNDS)).tolist(), strict=True))


@pytest.mark.parametrize(("government", "ground"), ALL)
def test_each_ground_moves_one_way(government: str, ground: str) -> None:
    """More of what speaks for staying raises P, more of what speaks against lowers it."""
    for replication, drawn in enumerate(_draws()):
        levels = _levels(replication)
        more = levels | {ground: levels[ground] + 0.5}
        before, after = (
            assents(leanings(DrawnNumbers(drawn)), x)[government] for x in (levels, more)
        )
        assert (after - before) * SIGNS[government][ground] > 0.0


@pytest.mark.parametrize(("government", "ground"), ALL)
def test_each_weight_moves_one_way_and_has_one_sign(government: str, ground: str) -> None:
    """A heavier weight on a pressure against never raises P, whatever the level."""
    name = f"committee.{government}_{ground}"
    for replication, drawn in enumerate(_draws()):
        assert drawn[name] > 0.0
        for levels in (_levels(replication), dict.fromkeys(GROUNDS, 0.0)):
            heavy = drawn | {name: 2.0 * drawn[name]}
            before, after = (
                assents(leanings(DrawnNumbers(numbers)), levels)[government]
                for numbers in (drawn, heavy)
            )
            assert (after - before) * SIGNS[government][ground] >= 0.0


def test_other_ends_are_a_distribution() -> None:
    for drawn in _draws():
        chances = other_ends(DrawnNumbers(drawn))
        assert set(chances) == set(CLASSES) - {"formally_extended"}
        assert math.fsum(chances.values()) == pytest.approx(1.0)


def _june(given: dict[str, float], variable: str) -> list[float]:
    runs = [simulate(_until_july(), r, parameters=given) for r in range(12)]
    return [float(run.snapshots[-1][run.layout.index(variable)]) for run in runs]


@pytest.mark.parametrize(
    "weight", ["baghdad_sovereignty", "baghdad_domestic", "washington_us_wish_to_leave"]
)
def test_a_heavier_weight_on_a_pressure_lowers_the_extension(weight: str) -> None:
    """Pair by pair, in the model itself: sovereignty at four times the weight (it rose before)."""
    light, heavy = (
        _june({f"committee.{weight}": value}, "committee.extension") for value in (0.5, 2.0)
    )
    assert all(b <= a for a, b in zip(light, heavy, strict=True))
    assert sum(heavy) < 0.8 * sum(light)


def test_grounds_are_levels_above_zero() -> None:
    for ground in GROUNDS:
        assert min(_june({}, f"committee.{ground}")) >= 0.0


def test_the_governments_differ() -> None:
    """Each has a probability of its own (one for both before)."""
    baghdad, washington = (_june({}, f"committee.{who}") for who in SIGNS)
    assert max(abs(b - w) for b, w in zip(baghdad, washington, strict=True)) > 0.2
    both = _june({}, "committee.extension")
    assert both == pytest.approx([b * w for b, w in zip(baghdad, washington, strict=True)])


def test_combat_troops_as_such_weigh_on_sovereignty() -> None:
    """Any foreign troops do, Turkish ones too, in absolute numbers."""
    usual = _june({}, "iraq.sovereignty_pressure")
    fewer = _june({"coalition.us_iraq": 200.0}, "iraq.sovereignty_pressure")
    none = _june({"turkiye.troops_iraq": 0.0, "turkiye.sites": 0.0}, "iraq.sovereignty_pressure")
    assert all(x < y for x, y in zip(fewer, usual, strict=True))
    assert all(x < y for x, y in zip(none, usual, strict=True))


def test_what_iraq_gains_closes_the_gap() -> None:
    """Own surveillance, aircraft and radars count, not readiness alone."""
    usual = _june({}, "committee.capability_gap")
    for better in ({"isf.isr_growth": 0.05}, {"isf.drone_radar_months": 0.0}):
        gap = _june(better, "committee.capability_gap")
        assert all(x < y for x, y in zip(gap, usual, strict=True))
    assert all(0.0 <= x <= 1.0 for x in usual)


# meetings


def test_an_assent_stands_once_given() -> None:
    """Within a term nobody who has assented is asked again; a slip opens another term."""
    names = ("baghdad_assents", "washington_assents")
    for run in _runs():
        given: set[str] = set()
        for decision in _decisions(run, *names, "extends", "deadline"):
            if decision.name not in names:
                assert decision.name == "deadline" or given == set(names)
                given.clear()
            else:
                assert decision.name not in given
                given |= {decision.name} if decision.taken == "yes" else set()


def test_extension_is_the_product_however_they_meet() -> None:
    """Hazards 1 - (1 - P)^w over shares that sum to one, each government by itself.

    Simulated with constant P: the share extended is within 4 errors of P_B P_W.
    """
    weights = {f"committee.{government}_{ground}": 0.0 for government, ground in ALL}
    pi = {f"committee.pi.{name}": 0.25 for name in CLASSES}
    given = weights | pi | {"committee.delta_extended": 0.0, "committee.delta_relabelled": 0.0,
        "committee.intercept_baghdad": 0.5, "committee.intercept_washington": -0.5}  # fmt: skip
    cut = _scenario().model_copy(update={"end": dt.date(2025, 10, 15), "outcomes": {}, "series": {},
        "agents": {"committee": _scenario().agents["committee"]}})  # fmt: skip
    blueprint = assemble(cut, "as_agreed")
    n, extended = 500, 0
    for replication in range(n):
        run = simulate(blueprint, replication, parameters=given)
        extended += run.milestones["iraq_mission_end"].classification == "formally_extended"
    each = [1.0 / (1.0 + math.exp(-x)) for x in (0.5, -0.5)]
    p = each[0] * each[1]
    assert extended / n == pytest.approx(p, abs=4.0 * math.sqrt(p * (1.0 - p) / n))


def test_they_meet_again_before_an_extended_or_slipped_date() -> None:
    """Decided once before; the class stays what it was, and a second extension is possible."""
    later: Counter[str] = Counter()
    twice = 0
    for run in _runs():
        class_ = str(run.milestones["iraq_mission_end"].classification)
        asked = _decisions(run, "baghdad_assents", "washington_assents")
        later[class_] += any(d.time > AGREED for d in asked)
        extensions = _decisions(run, "extends")
        twice += len(extensions) > 1
        if len(extensions) > 1:
            assert class_ in {"formally_extended", "slipped"}
        assert len({d.taken for d in _decisions(run, "deadline")}) <= 1
    assert later["formally_extended"] > 0
    assert later["slipped"] > 0
    assert later["met"] == later["relabelled"] == 0
    assert twice > 0


def test_a_meeting_may_be_any_part_of_a_day_ahead() -> None:
    """Rounding of a date less a lead left the committee meeting without end."""
    leads = {"committee.lead_first": 198.3, "committee.lead_second": 139.1}
    run = simulate(assemble(_scenario(), "as_agreed"), 0, parameters=leads)
    times = {d.time for d in _decisions(run, "washington_assents")}
    assert {AGREED - lead for lead in leads.values()} <= times


# politics in Baghdad


def _with(events: str) -> Blueprint:
    text = f"name: other\nextends: as_agreed\noptions:\n  other:\n{events}"
    return assemble(load_text(text), "other")


def _at(run: Run, day: dt.date, variable: str, place: str | None = None) -> float:
    row = int(np.searchsorted(run.snapshot_times, to_days(day)))
    return float(run.snapshots[row][run.layout.index(variable, place)])


def test_a_demand_to_leave_lowers_what_baghdad_assents_to() -> None:
    demanded = _with("    events.vote: {on: 2025-05-15, set: {iraq.exit_demand: 1}}\n")
    day = dt.date(2025, 7, 1)
    for replication in range(6):
        before = _at(_runs()[replication], day, "committee.baghdad")
        assert _at(simulate(demanded, replication), day, "committee.baghdad") < before


def test_a_signed_partnership_relieves_sovereignty() -> None:
    """A bilateral partnership was inert before."""
    signed = _with("    events.sign: {on: 2025-01-15, set: {coalition.partnership: 1}}\n")
    day, pressure = dt.date(2025, 7, 1), "iraq.sovereignty_pressure"
    for replication in range(6):
        run = simulate(signed, replication)
        assert _at(run, day, pressure) < _at(_runs()[replication], day, pressure)


def test_the_vote_is_near_and_then_over() -> None:
    run = _runs()[0]
    days = ((2025, 2, 1), (2025, 10, 1), (2026, 2, 1), (2027, 1, 1))
    near = [_at(run, dt.date(*day), "iraq.vote_nearness") for day in days]
    assert near[0] < near[1] > near[2] > near[3] == 0.0
