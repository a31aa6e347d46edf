"""Common random numbers: two options share every incident that both would have."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from simlib.agents.base import Agent, Life
from simlib.journal import to_days
from simlib.scenario import load
from simlib.simulation import Blueprint, assemble, simulate
from support.worlds import recurring, times_of, world

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simlib.journal import Run
    from simlib.scenario.schema import Scenario

YEAR_TWO = 366.0
"""2001-01-01: 2000 is a leap year."""


class Gatekeeper(Agent):
    """Opens when the milestone comes, or else with the second year."""

    name = "gatekeeper"

    def live(self) -> Life:
        yield self.wait(milestone="opening", until=YEAR_TWO)
        self.change("open", to=1)


def gated() -> Scenario:
    """Return two years in which one option opens a gate in the first, another does not.

    Raids use up supplies and excite raids; supplies feed back on raids everywhere. An open
    gate costs some 300 supplies of 30,000, so the intensities of year two differ by 1 %
    to the power 1/2 between the options.
    """
    excites = [{"type": "raid", "ratio": 0.3, "decay_days": 5}]
    factors = {"supplies": {"power": "supplies", "elasticity": 0.5}}
    effects = [{"change": "supplies", "by": -1}]
    raid = recurring({"North": 1.0}, factors=factors, effects=effects, excites=excites)
    smuggling = recurring(
        {"East": 1.0}, factors=factors, effects=effects, gates=[{"variable": "open"}]
    )
    return world(
        end="2001-12-31",
        state={
            "open": {"unit": "yes/no", "start": 0},
            "supplies": {"unit": "tons", "start": 30_000},
        },
        incidents={"raid": raid, "smuggling": smuggling},
        timeline={"opening": {"date": "2000-02-01"}},
        options={"opened": {}, "shut": {"timeline": {"opening": {"cancel": True}}}},
        root_seed=31,
    )


def keys_of(run: Run, since: float, until: float = np.inf) -> set[tuple[float, int]]:
    """Return instant and channel of every incident in a period."""
    incidents = run.incidents
    chosen = (incidents.time >= since) & (incidents.time < until)
    times, channels = incidents.time[chosen].tolist(), incidents.channel[chosen].tolist()
    return set(zip(times, channels, strict=True))


def shared(one: set[tuple[float, int]], other: set[tuple[float, int]]) -> float:
    """Return the share of incidents of either that are in both."""
    return len(one & other) / len(one | other)


def test_options_that_agree_again_share_their_incidents() -> None:
    """What a closed gate leaves behind in year two is only what it should change.

    Intensities differ by 0.5 %, and children of year one's last days are few: much more
    than 95 % are the same to the last bit. Independent runs share none.
    """
    scenario = gated()
    opened, shut = (assemble(scenario, o, agents=[Gatekeeper]) for o in ("opened", "shut"))
    shares, strangers = [], []
    for replication in range(20):
        one, other = simulate(opened, replication), simulate(shut, replication)
        assert len(times_of(one, "smuggling")) > len(times_of(other, "smuggling")) + 200
        shares.append(shared(keys_of(one, YEAR_TWO), keys_of(other, YEAR_TWO)))
        stranger = simulate(shut, replication + 1)
        strangers.append(shared(keys_of(one, YEAR_TWO), keys_of(stranger, YEAR_TWO)))
    print(f"shared in year two: {min(shares):.4f} to {max(shares):.4f}")  # noqa: T201
    assert min(shares) > 0.95
    assert max(shares) < 1.0
    assert max(strangers) == 0.0


def counts(blueprint: Blueprint, replications: range) -> NDArray[np.float64]:
    return np.array([len(simulate(blueprint, i).incidents) for i in replications], dtype=float)


def test_paired_difference_has_a_fraction_of_the_variance() -> None:
    """A year's count at level m and at 1.02 m, no feedback, n = 400 pairs.

    Paired, the difference is the Poisson number of points between the lines, of variance
    0.02 m; between independent runs it is 2.02 m: 101 times as much. Each sample variance
    has a relative sd of sqrt(2.1 / 400) = 7 %, so the ratio is above 50 but for 1e-8.
    """
    n = 400
    lower, higher = (
        assemble(world(end="2000-12-31", incidents={"raid": recurring({"North": level})}))
        for level in (1.5, 1.53)
    )
    one, other = counts(lower, range(n)), counts(higher, range(n))
    stranger = counts(higher, range(n, 2 * n))
    paired, independent = (other - one).var(ddof=1), (stranger - one).var(ddof=1)
    text = f"paired {paired:.2f}, independent {independent:.1f}: {independent / paired:.0f} times"
    print(f"variance of the difference of a year's counts: {text}")  # noqa: T201
    assert paired == pytest.approx(0.02 * 1.5 * 366, rel=0.4)
    assert independent > 50 * paired


def period(start: dt.date, end: dt.date) -> tuple[float, float]:
    return to_days(start), to_days(end) + 1.0


def test_options_of_the_reference_scenario_are_coupled() -> None:
    """ISIS attacks in Iraq in the year after the deadline, `as_agreed` and `extend_12m`.

    The options differ in what they are meant to, and state feeds back; still the paired
    difference must have less than half the variance of the difference of independent runs
    (whose parameters differ too) for pairing to be worth its name. The figures are printed.
    """
    scenario = load("as_agreed")
    outcome = scenario.outcomes["isis_attacks_iraq_year_1"]
    assert isinstance(outcome.start, dt.date)
    assert outcome.end
    since, until = period(outcome.start, outcome.end)
    first, second = (assemble(scenario, option) for option in ("as_agreed", "extend_12m"))
    n = 60
    sample: dict[str, list[Any]] = {"one": [], "other": [], "shared": [], "before": []}
    announced = scenario.options["extend_12m"].timeline["iraq_mission_end"].announced
    assert announced
    for replication in range(n):
        one, other = simulate(first, replication), simulate(second, replication)
        sample["one"].append(attacks(one, since, until))
        sample["other"].append(attacks(other, since, until))
        sample["shared"].append(shared(keys_of(one, since, until), keys_of(other, since, until)))
        sample["before"].append(
            shared(keys_of(one, 0.0, to_days(announced)), keys_of(other, 0.0, to_days(announced)))
        )
    a, b = np.array(sample["one"], dtype=float), np.array(sample["other"], dtype=float)
    paired, independent = (b - a).var(ddof=1), a.var(ddof=1) + b.var(ddof=1)
    mean = (b - a).mean()
    print(  # noqa: T201
        f"as_agreed and extend_12m, n = {n}: difference {mean:.1f}; variance paired "
        f"{paired:.1f}, independent {independent:.0f}: {independent / paired:.0f} times; "
        f"all incidents shared that year: {np.mean(sample['shared']):.2f} in the mean"
    )
    assert min(sample["before"]) == 1.0
    assert paired < independent / 2
    assert max(sample["shared"]) > 0.5


def attacks(run: Run, since: float, until: float) -> int:
    """Return the number of ISIS attacks in Iraq in a period."""
    channels = run.incidents.channels
    chosen = np.array(
        [
            type_ == "isis_attack" and country == "Iraq"
            for type_, country in zip(channels.types, channels.countries, strict=True)
        ]
    )
    times = run.incidents.time[chosen[run.incidents.channel]]
    return int(((times >= since) & (times < until)).sum())
