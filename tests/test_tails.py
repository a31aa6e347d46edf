"""Tails are bounded, and an extended mission has its troops: what an ensemble must never show.

In 100 replications here, in 10,000 by ``make exams``. What was seen before the second version of
the theatre stands with each bound.
"""

from __future__ import annotations

import datetime as dt
import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest

from simlib.journal import to_days
from simlib.scenario import load
from simlib.simulation import assemble, simulate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from simlib.journal import Run
    from simlib.simulation import Blueprint

N, N_EXAM = 100, 10_000
MOST_TROOPS = 1.5
"""Of the troops at the start; 22,142 on two bases were seen."""
MOST_ATTACKS = 510
"""Militia attacks in any twelve months: three times the worst year known; 18,726 were seen."""
LEAST_ESCAPED = 100
"""By what a break is called one; fewer were seen."""
FULL_STRENGTH = 0.9
"""Of the troops before: what an extended mission has; half were seen gone in half of them."""
SHARE_AT_STRENGTH = 0.9
"""Of extended histories that have it."""
YEAR_MORE = "extended by a year"
FEDERAL = ("Ain al-Asad", "Victoria")
AFTER = to_days(dt.date(2026, 2, 1))
"""Four months past the agreed deadline: troops that had left take so long to come back."""


@dataclass(frozen=True, slots=True)
class Extremes:
    """What one replication goes up to.

    Attributes
    ----------
    troops
        Most troops, over those at the start.
    attacks
        Most militia attacks in 365 days.
    protests
        Most protests of one month.
    escaped
        Fewest who escape in a break; infinite without one.
    ends
        Class of the deadline; ``extended by a year`` where by so much or more, as a mission of
        another half-year is being drawn down again by then.
    strength
        US troops on federal bases four months past it, over those at the start.
    """

    troops: float
    attacks: int
    protests: int
    escaped: float
    ends: str | None
    strength: float


def _us_on_federal_bases(run: Run, row: int) -> float:
    return float(
        sum(
            run.snapshots[row, run.layout.index(f"coalition.{role}", base)]
            for role in ("combat", "trainers", "technicians")
            for base in FEDERAL
        )
    )


def _ending(run: Run) -> str | None:
    ends = run.milestones["iraq_mission_end"].classification
    lengths = [d.taken for d in run.decisions if d.name == "extension_months"]
    is_short = bool(lengths) and lengths[0] == "6"
    return YEAR_MORE if ends == "formally_extended" and not is_short else ends


def most_within(times: NDArray[np.float64], days: float) -> int:
    """Return the most of some times, in order, that fall within so many days."""
    last = np.searchsorted(times, times + days)
    return int((last - np.arange(len(times))).max(initial=0))


def extremes_of(run: Run) -> Extremes:
    """Reduce a replication to what is bounded."""
    incidents = run.incidents
    types = np.array(incidents.channels.types)[incidents.channel]
    here = incidents.time >= run.start
    troops = run.snapshots[:, run.layout.slice_of("coalition.troops")].sum(axis=1)
    months = [
        int(np.searchsorted(run.snapshot_times, decision.time, side="right"))
        for decision in run.decisions
        if decision.name == "protests_overflight" and decision.taken == "yes"
    ]
    after = int(np.searchsorted(run.snapshot_times, AFTER))
    return Extremes(
        troops=float(troops.max() / troops[0]),
        attacks=most_within(incidents.time[here & (types == "militia_attack")], 365.0),
        protests=int(np.bincount(months).max()) if months else 0,
        escaped=float(
            incidents.mark("escaped")[here & (types == "detention_break")].min(initial=np.inf)
        ),
        ends=_ending(run),
        strength=_us_on_federal_bases(run, after) / _us_on_federal_bases(run, 0),
    )


@functools.cache
def _blueprint(option: str) -> Blueprint:
    return assemble(load("as_agreed"), option)


@functools.cache
def _extremes(option: str, n: int) -> tuple[Extremes, ...]:
    return tuple(extremes_of(simulate(_blueprint(option), r)) for r in range(n))


@pytest.fixture(params=[N, pytest.param(N_EXAM, marks=pytest.mark.exam)])
def found(request: pytest.FixtureRequest) -> tuple[Extremes, ...]:
    return _extremes("as_agreed", request.param)


def test_troops_are_bounded(found: tuple[Extremes, ...]) -> None:
    assert max(each.troops for each in found) <= MOST_TROOPS


def test_militia_attacks_of_a_year_are_bounded(found: tuple[Extremes, ...]) -> None:
    assert max(each.attacks for each in found) <= MOST_ATTACKS


def test_there_is_one_protest_a_month_at_most(found: tuple[Extremes, ...]) -> None:
    assert max(each.protests for each in found) <= 1


def test_every_break_is_of_a_hundred_or_more(found: tuple[Extremes, ...]) -> None:
    assert min(each.escaped for each in found) >= LEAST_ESCAPED


def at_strength(found: Iterable[Extremes]) -> float:
    """Return the share of extended histories whose mission has its troops."""
    extended = [each.strength for each in found if each.ends == YEAR_MORE]
    return float(np.mean([strength >= FULL_STRENGTH for strength in extended]))


def test_an_extended_mission_has_its_troops(found: tuple[Extremes, ...]) -> None:
    assert at_strength(found) >= SHARE_AT_STRENGTH


def test_a_mission_that_both_governments_extend_has_its_troops() -> None:
    assert at_strength(_extremes("extend_12m", N)) >= SHARE_AT_STRENGTH


def test_a_mission_that_has_ended_has_no_troops(found: tuple[Extremes, ...]) -> None:
    assert {each.strength for each in found if each.ends == "met"} == {0.0}


def test_the_most_within_some_days_is_found() -> None:
    """Negative control: four of five within ten days, and none of none."""
    assert most_within(np.array([0.0, 5.0, 7.0, 8.0, 14.0]), 10.0) == 4
    assert most_within(np.array([0.0, 10.0, 20.0]), 10.0) == 1
    assert most_within(np.zeros(0), 10.0) == 0
