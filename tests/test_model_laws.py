"""What must come out right on the prior predictive, and laws that hold pair by pair."""

from __future__ import annotations

import csv
import datetime as dt
import functools
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pytest

from simlib.agents.base import Agent, Life
from simlib.journal import DAYS_PER_MONTH, to_days
from simlib.outcomes import plan
from simlib.scenario import load
from simlib.scenario.bundled import folder
from simlib.scenario.expressions import compile_quantity
from simlib.scenario.schema import AgentEntry, Scenario
from simlib.simulation import Blueprint, assemble, simulate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simlib.journal import Run

N = 120
BEFORE_DECEMBER = {"shift.government": 1.0, "shift.sdf": 1.0}
FIRST, LAST = to_days(dt.date(2025, 1, 1)), to_days(dt.date(2025, 12, 1))
MONTHS = 11
SCORED = ("259", "354", "13616", "13604")


@functools.cache
def _scenario() -> Scenario:
    return load("as_agreed")


@functools.cache
def _blueprint(option: str = "as_agreed") -> Blueprint:
    return assemble(_scenario(), option)


@functools.cache
def _runs() -> tuple[Run, ...]:
    return tuple(simulate(_blueprint(), r) for r in range(N))


@functools.cache
def _runs_without_shifts() -> tuple[Run, ...]:
    return tuple(simulate(_blueprint(), r, parameters=BEFORE_DECEMBER) for r in range(N))


@functools.cache
def _history() -> dict[str, Counter[str]]:
    totals: dict[str, Counter[str]] = {}
    path = folder("seeds") / "history" / "ucdp_2024_monthly.csv"
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            conflict = totals.setdefault(row["conflict_id"], Counter())
            for column in ("events", "lethal_events", "one_death_events", "deaths"):
                conflict[column] += int(row[column])
    return totals


def _in_series(run: Run, conflict: str) -> NDArray[np.bool_]:
    """Return which incidents a UCDP conflict counts, as `ucdp_CONFLICT` says."""
    counts = _scenario().series[f"ucdp_{conflict}"].rows
    incidents = run.incidents
    channels = incidents.channels
    chosen = np.zeros(len(incidents), dtype=np.bool_)
    for row in counts:
        at = np.array(
            [
                type_ == row.incident
                and row.place in (None, country)
                and row.target in (None, target)
                for type_, country, target in zip(
                    channels.types, channels.countries, channels.targets, strict=True
                )
            ]
        )[incidents.channel]
        lethal = incidents.mark("lethal") >= 1.0
        kind = lethal if row.having else ~lethal
        share = compile_quantity(row.probability)(run.parameters)
        chosen |= at & kind & (incidents.mark("reported") < share)
    return chosen


def _deaths(run: Run) -> NDArray[np.float64]:
    return run.incidents.mark("fatalities") + run.incidents.mark("killed")


@pytest.mark.parametrize("conflict", SCORED)
def test_bands_contain_the_monthly_means_of_2024(conflict: str) -> None:
    """The 5-95 % band of eleven-month means holds the 2024 mean; shifts off for 13604."""
    runs = _runs_without_shifts() if conflict == "13604" else _runs()
    means = []
    for run in runs:
        time = run.incidents.time
        inside = (time >= FIRST) & (time < LAST)
        means.append((_in_series(run, conflict) & inside).sum() / MONTHS)
    low, high = np.quantile(means, [0.05, 0.95])
    assert low <= _history()[conflict]["events"] / MONTHS <= high


def test_most_rows_of_354_have_no_death() -> None:
    """71 % in 2024; the pooled share is within .08 of it."""
    rows = [(_in_series(run, "354"), run.incidents.mark("lethal")) for run in _runs()]
    counted = sum(int(chosen.sum()) for chosen, _ in rows)
    quiet = sum(int((chosen & (lethal < 1.0)).sum()) for chosen, lethal in rows)
    assert quiet / counted == pytest.approx(0.71, abs=0.08)


@pytest.mark.parametrize("conflict", SCORED)
def test_severity_is_that_of_2024(conflict: str) -> None:
    """Deaths a lethal event and the share with one death, pooled over all runs.

    The size law has exponent 2.5 and a cap, so its mean is known to four standard errors
    of the sample; the share of ones to .03.
    """
    history = _history()[conflict]
    sizes = np.concatenate(
        [
            _deaths(run)[_in_series(run, conflict) & (run.incidents.mark("lethal") >= 1.0)]
            for run in _runs()
        ]
    )
    error = 4.0 * sizes.std() / math.sqrt(len(sizes))
    expected = history["deaths"] / history["lethal_events"]
    assert sizes.mean() == pytest.approx(expected, abs=error + 0.05)
    ones = history["one_death_events"] / history["lethal_events"]
    assert (sizes == 1.0).mean() == pytest.approx(ones, abs=0.03)


def test_kirkuk_has_the_largest_share_of_259() -> None:
    """17 of 46 located events in 2024; no other governorate comes near."""
    places: Counter[str] = Counter()
    for run in _runs():
        channels = run.incidents.channels
        for channel in run.incidents.channel[_in_series(run, "259")].tolist():
            places[channels.places[channel]] += 1
    (first, count), *_ = places.most_common(1)
    assert first == "Kirkuk"
    assert count / places.total() == pytest.approx(17 / 46, abs=0.08)


def test_few_attacks_in_iraq_without_a_withdrawal_effect() -> None:
    """The record alone gives at most 70 in 2025 in the median (B1-2024-EST falling)."""
    given = {"withdrawal.direct": 0.0, "withdrawal.year_two": 0.0}
    outcomes = plan(_scenario(), _blueprint().channels.channels)
    attacks = [
        outcomes.evaluate(simulate(_blueprint(), r, parameters=given))["isis_attacks_iraq_2025"]
        for r in range(60)
    ]
    assert np.median(np.array(attacks, dtype=np.float64)) <= 70.0


def test_each_class_of_the_deadline_is_possible() -> None:
    """Each has a probability between .05 and .75: here within two standard errors."""
    classes = Counter(run.milestones["iraq_mission_end"].classification for run in _runs())
    assert set(classes) == {"met", "formally_extended", "slipped", "relabelled"}
    error = 2.0 * math.sqrt(0.05 * 0.95 / N)
    assert all(0.05 - error <= count / N <= 0.75 for count in classes.values())


def test_a_forced_milestone_is_not_decided() -> None:
    for option, end in (("extend_12m", "formally_extended"), ("leave_early", "met")):
        run = simulate(_blueprint(option), 3)
        assert run.milestones["iraq_mission_end"].classification == end
        after = to_days(dt.date(2025, 6, 30))
        names = {d.name for d in run.decisions if d.agent == "committee" and d.time > after}
        assert not names & {"baghdad_assents", "washington_assents", "deadline"}


def test_meeting_more_often_does_not_raise_the_chance() -> None:
    """1 - (1 - P)^w over shares w that sum to one gives P, however they are cut."""
    p = 0.3
    for shares in ((0.15, 0.30, 0.55), (0.075, 0.075, 0.15, 0.15, 0.55)):
        none = math.prod((1.0 - p) ** w for w in shares)
        assert 1.0 - none == pytest.approx(p)


def _only(incident: str, group: str, level: Mapping[str, float]) -> Scenario:
    """Return the theatre with nothing but one group of one incident type."""
    type_ = _scenario().incidents[incident]
    kept = type_.groups[group].model_copy(update={"level": dict(level)})
    alone = type_.model_copy(update={"groups": {group: kept}, "excites": ()})
    return _scenario().model_copy(
        update={"incidents": {incident: alone}, "agents": {}, "series": {}, "outcomes": {}}
    )


def test_a_strike_lowers_the_total_and_raises_the_neighbors() -> None:
    """Strikes on Kirkuk only: the total falls by the killed, its neighbors gain."""
    blueprint = assemble(_only("coalition_strike", "iraq", {"Kirkuk": 1.0}))
    for replication in range(5):
        run = simulate(blueprint, replication)
        first, last = run.snapshots[0], run.snapshots[-1]
        kirkuk = run.layout.index("isis.fighters", "Kirkuk")
        span = run.layout.slice_of("isis.fighters")
        inside = run.incidents.time >= run.start
        killed = run.incidents.mark("killed")[inside].sum()
        assert last[kirkuk] < first[kirkuk]
        # An effect takes at most what is there.
        assert 0.0 < first[span].sum() - last[span].sum() <= killed + 1e-6
        near = [run.layout.index("isis.fighters", p) for p in ("Erbil", "Salah al-Din")]
        assert all(last[i] > first[i] for i in near)


def test_no_overflight_is_intercepted() -> None:
    """None before ordered batteries stand, and hardly one after (A26)."""
    flown = taken = 0
    for run in _runs():
        channels = np.array(run.incidents.channels.types)[run.incidents.channel]
        chosen = channels == "israeli_overflight"
        flown += int(chosen.sum())
        taken += int(run.incidents.mark("success")[chosen].sum())
    assert flown > N
    assert taken <= 0.001 * flown


def test_aircraft_stop_within_months_of_the_contractors() -> None:
    """Support gone on 1 October 2025: none available five months later (E3: 1-4)."""
    given = {"coalition.contractors_stay": 0.0, "coalition.contractors_flee": 0.0}
    for replication in range(8):
        run = simulate(_blueprint("leave_early"), replication, parameters=given)
        at = run.layout.index("isf.f16_available")
        start, later = (
            int(np.searchsorted(run.snapshot_times, to_days(date)))
            for date in (dt.date(2025, 6, 1), dt.date(2025, 12, 1))
        )
        assert run.snapshots[start, at] > 0.5
        assert run.snapshots[later, at] == 0.0


def _successes(given: dict[str, float], replication: int) -> set[tuple[int, ...]]:
    fixed = {"infiltration.fighters": 0.0, "isis.border_shift": 1.0}
    run = simulate(_blueprint(), replication, parameters=fixed | given)
    types = np.array(run.incidents.channels.types)[run.incidents.channel]
    chosen = (types == "isis_infiltration") & (run.incidents.mark("success") >= 1.0)
    return {tuple(row) for row in run.incidents.address[chosen].tolist()}


@pytest.mark.parametrize("what", ["infiltration.barrier", "infiltration.air_picture"])
def test_more_detection_lets_no_more_through(what: str) -> None:
    """With attempts the same, the successes under more detection are among the others."""
    for replication in range(3):
        more, less = (_successes({what: x}, replication) for x in (0.7, 0.2))
        assert more < less


def test_fewer_fighters_make_fewer_attacks() -> None:
    """Without recruits there are fewer attacks: one-sided sign test over 12 pairs.

    Under no difference 12 of 12 has probability 1/4096.
    """
    outcomes = plan(_scenario(), _blueprint().channels.channels)

    def attacks(recruits: float, replication: int) -> float:
        given = {"isis.recruits": recruits, "attack.fighters": 1.0, "isis.camp_recruits": 0.0}
        run = simulate(_blueprint(), replication, parameters=given)
        return float(outcomes.evaluate(run)["isis_attacks_syria_2027"])

    assert all(attacks(0.0, r) < attacks(90.0, r) for r in range(12))


class Lives(Agent):
    """Lives the four postures without anything that tilts them."""

    name: ClassVar[str] = "lives"
    postures: ClassVar[Sequence[str]] = (
        "pkk.posture",
        "sdf_damascus.posture",
        "turkiye_sdf.posture",
        "israel_iran.posture",
    )

    def live(self) -> Life:
        for posture in self.postures:
            self.start(self.live_posture(posture))
        yield self.wait(until=self.now)


IMPLIED = {
    ("pkk.posture", "ceasefire"): 0.40,
    ("pkk.posture", "dissolving"): 0.05,
    ("sdf_damascus.posture", "framework"): 0.51,
    ("sdf_damascus.posture", "fighting"): 0.32,
    ("sdf_damascus.posture", "collapse"): 0.06,
    ("turkiye_sdf.posture", "incursion"): 0.16,
    ("israel_iran.posture", "exchange"): 0.68,
    ("israel_iran.posture", "war"): 0.17,
}
"""Probability of reaching a state within twelve months, as the hazards imply."""


def test_postures_reach_their_states_as_implied() -> None:
    """Shares over 600 replications, within .07: two errors of .02, and rounding."""
    entry = AgentEntry(description="postures only")
    alone = _scenario().model_copy(
        update={
            "incidents": {},
            "agents": {"lives": entry},
            "series": {},
            "outcomes": {},
            "end": dt.date(2025, 12, 31),
        }
    )
    blueprint = assemble(alone, agents=[Lives])
    reached: Counter[tuple[str, str]] = Counter()
    n = 600
    for replication in range(n):
        run = simulate(blueprint, replication)
        for posture, states in run.postures.items():
            reached.update({(posture, state) for _, state in states[1:]})
    for key, expected in IMPLIED.items():
        assert reached[key] / n == pytest.approx(expected, abs=0.07), key


def test_readiness_lags_behind_the_trainers() -> None:
    """Three months after all trainers left, readiness is between its two ends."""
    given = {"committee.partnership": 0.0}
    run = simulate(_blueprint("leave_early"), 1, parameters=given)
    row = int(
        np.searchsorted(run.snapshot_times, to_days(dt.date(2025, 7, 1)) + 3 * DAYS_PER_MONTH)
    )
    readiness = run.snapshots[row, run.layout.index("isf.readiness", "Kirkuk")]
    assert 1.0 - run.parameters["readiness.loss"] < readiness < 1.0
    assert run.snapshots[row, run.layout.index("coalition.trainers", "Victoria")] == 0.0
