"""The kernel: stops that change no number, buffers that grow, points of the ladder."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pytest

from simlib.agents.base import Agent, Life
from simlib.errors import SimulationError
from simlib.simulation import assemble, simulate
from simlib.world import engine as engine_module
from support.worlds import BORDER, decided, differing_columns, recurring, run_of, times_of, world

if TYPE_CHECKING:
    from simlib.scenario.schema import Scenario


def busy() -> Scenario:
    """Return a world with everything that stops the kernel: about 1,000 incidents."""
    raid = recurring(
        {"North": 20.0, "South": 10.0, "East": 5.0},
        factors={"n": {"power": "stock", "elasticity": 0.5}, "p": {"value": "pressure"}},
        marks={"success": {"probability": 0.5}, "killed": {"law": {"poisson": {"mean": 1}}}},
        effects=[
            {"change": "stock", "by": -0.25, "marks": ["killed"], "when": "success"},
            {"move": "stock", "by": 1, "at": "here", "to": "neighbor", "when": "not success"},
            {"change": "pressure", "by": 0.001},
        ],
        excites=[{"type": "raid", "ratio": 0.4, "decay_days": 1}],
    )
    return world(
        **BORDER,
        end="2000-01-20",
        history_days=20,
        state={
            "stock": {"over": "governorate", "unit": "pieces", "start": 100},
            "pressure": {"unit": "1", "start": 1},
        },
        incidents={"raid": raid},
    )


class Odd(Agent):
    """Wakes at many odd times and for every incident and threshold; changes nothing."""

    name = "odd"

    def live(self) -> Life:
        self.start(self._notice())
        self.start(self._watch())
        for k in range(1, 400):
            yield self.wait(until=20.0 * math.modf(k * math.sqrt(2.0))[0] / 400 + k / 20)
            self.see_all("stock")

    def _notice(self) -> Life:
        while True:
            yield self.wait(notice="raid", days=1)

    def _watch(self) -> Life:
        for step in range(10_000):
            yield self.wait(above=("pressure", None, 1.0 + step / 50))


class Nobody(Agent):
    """Keeps the place of Odd in the catalogue, and sleeps."""

    name = "odd"

    def live(self) -> Life:
        yield self.wait(until=math.inf)


@pytest.mark.parametrize("replication", range(5))
def test_stops_change_no_number(replication: int) -> None:
    """Hundreds of returns and calls at odd times leave every incident as it was."""
    still = run_of(busy(), Nobody, replication=replication)
    stopped = run_of(busy(), Odd, replication=replication)
    observed = run_of(busy(), replication=replication, observe=np.linspace(0, 20, 777).tolist())
    assert len(still.incidents) > 500
    assert differing_columns(still, stopped) == []
    assert differing_columns(still, observed) == []
    assert still.snapshots[-1].tobytes() == stopped.snapshots[-1].tobytes()
    assert still.snapshots[-1].tobytes() == observed.snapshots[-1].tobytes()


class Meddler(Odd):
    """Changes a stock by a hair once: the control of the test above."""

    def live(self) -> Life:
        yield self.wait(until=1.0)
        self.change("pressure", by=0.05)


def test_a_change_does_change_numbers() -> None:
    """Negative control of `test_stops_change_no_number`."""
    assert differing_columns(run_of(busy(), Nobody), run_of(busy(), Meddler)) != []


@pytest.mark.parametrize(("journal", "children"), [(2, 1), (7, 300), (100, 257)])
def test_size_of_buffers_changes_no_number(
    monkeypatch: pytest.MonkeyPatch, journal: int, children: int
) -> None:
    """Buffers that are full again and again are doubled, and the kernel resumes."""
    whole = run_of(busy(), Odd)
    monkeypatch.setattr(engine_module, "_FIRST_CAPACITY", journal)
    monkeypatch.setattr(engine_module, "_CHILD_CAPACITY", children)
    grown = run_of(busy(), Odd)
    assert differing_columns(whole, grown) == []
    assert decided(whole) == decided(grown)


def test_journal_off_changes_no_state() -> None:
    kept, not_kept = run_of(busy()), run_of(busy(), keep_journal=False)
    assert kept.snapshots.tobytes() == not_kept.snapshots.tobytes()
    assert len(not_kept.incidents) == 0


def test_too_many_incidents_are_an_error_not_a_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "MOST_INCIDENTS", 300)
    with pytest.raises(SimulationError, match=r"must expect at most 300 .*got 700 on 1999-12-12"):
        run_of(busy())


class Exploding(Agent):
    """Raises an intensity beyond all measure on the second day."""

    name = "exploding"
    to: ClassVar[float]

    def live(self) -> Life:
        yield self.wait(until=1.0)
        self.change("pressure", to=self.to)


@pytest.mark.parametrize(
    ("intensity", "message"),
    [
        (1e10, "more than 1000 incidents by 2000-01-02"),
        (1e12, r"intensity of raid at North \(all\) became 1e\+12 a day, more than 3.4e\+10"),
        (1e300, r"intensity of raid at North \(all\) became 1e\+300 a day"),
    ],
)
def test_intensity_near_or_above_the_top_of_the_ladder_is_an_error_not_a_hang(
    monkeypatch: pytest.MonkeyPatch, intensity: float, message: str
) -> None:
    """The ladder ends at 2^35 a day: near it the cap is reached, above it nothing is drawn."""
    monkeypatch.setattr(engine_module, "MOST_INCIDENTS", 1000)
    agent = type("Agent", (Exploding,), {"to": intensity})
    raid = recurring({"North": 1.0}, factors={"p": {"value": "pressure"}})
    scenario = world(state={"pressure": {"unit": "1", "start": 1}}, incidents={"raid": raid})
    with pytest.raises(SimulationError, match=message):
        run_of(scenario, agent)


@pytest.mark.parametrize("level", [1e-5, 0.9, 2.0**-12, 37.0, 500.0])
def test_immigrants_are_a_poisson_process(level: float) -> None:
    """Counts over ten days in 400 replications: mean and variance are 10 level.

    With m = 10 level, 5 sd of the mean is 5 sqrt(m / 400); the sample variance of a Poisson
    has variance about (2 m^2 + m) / 400. A rate 2 % off shows at the level of 500.
    """
    blueprint = assemble(world(incidents={"raid": recurring({"North": level})}))
    counts = np.array([len(simulate(blueprint, i).incidents) for i in range(400)])
    m = 10 * level
    assert abs(counts.mean() - m) <= 5 * math.sqrt(m / 400) + 1e-12
    assert abs(counts.var() - m) <= 5 * math.sqrt((2 * m * m + m) / 400)
    assert abs(0.98 * counts.mean() - m) > 5 * math.sqrt(m / 400) or level < 500


def test_more_intensity_only_adds_incidents() -> None:
    """Points exist before any scenario: those below a lower line are below a higher one."""
    seen: list[set[float]] = []
    for level in (3.0, 3.5, 8.0, 40.0):
        run = run_of(world(incidents={"raid": recurring({"North": level})}))
        seen.append(set(times_of(run, "raid").tolist()))
    assert all(lower < higher for lower, higher in pairwise(seen))
