"""Children of incidents: how many, when, where, and what becomes of the total level."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from simlib.agents.base import Agent, Life
from simlib.simulation import assemble, simulate
from support.worlds import BORDER, recurring, run_of, world

if TYPE_CHECKING:
    from simlib.scenario.schema import Scenario


def excited(ratio: float = 0.5, **more: Any) -> Scenario:
    """Return one channel of 20 a day, of which a share is excited."""
    raid = recurring(
        {"North": 20.0},
        excites=[{"type": "raid", "ratio": ratio, "decay_days": 0.5, "own_place": 1}],
        **more,
    )
    return world(
        end="2000-02-09", state={"open": {"unit": "1", "start": 1}}, incidents={"raid": raid},
        history_days=20,
    )  # fmt: skip


def test_excitation_restores_the_total_level() -> None:
    """Immigrants at (I - N') level and their descendants recur at the level, from the start.

    The count over T = 40 days has mean 20 T = 800. Each of (1 - n) 800 = 400 families has
    a total progeny of mean 1/(1-n) = 2 and variance n/(1-n)^3 = 4 (Borel), so the variance
    of the count is at most 400 (4 + 2^2) = 3200, and of the mean of 200 runs 16: within
    5 sd, 20. Without the (1 - n) the mean would be 1600, without children 400.
    """
    blueprint = assemble(excited())
    counts = [(simulate(blueprint, i).incidents.time >= 0.0).sum() for i in range(200)]
    assert abs(np.mean(counts) - 800.0) < 20.0


def test_children_have_their_number_delay_and_parent() -> None:
    """Direct children: Poisson of mean n = 0.5 (variance 0.5), mean delay 0.5 days (sd 0.5).

    Counted for parents of the first half, so that nearly no child lies past the horizon.
    The bounds are 5 sd of a mean; the control is the wrong mean, 0.6.
    """
    incidents = run_of(excited()).incidents
    early = np.flatnonzero((incidents.time >= 0.0) & (incidents.time < 20.0))
    n_children = np.bincount(incidents.parent[incidents.parent >= 0], minlength=len(incidents))
    sample = n_children[early]
    bound = 5 * math.sqrt(0.5 / len(sample))
    assert abs(sample.mean() - 0.5) < bound
    child = np.flatnonzero(np.isin(incidents.parent, early))
    delays = incidents.time[child] - incidents.time[incidents.parent[child]]
    assert (delays > 0.0).all()
    assert abs(delays.mean() - 0.5) < 5 * 0.5 / math.sqrt(len(delays))
    assert len(sample) > 300
    assert abs(delays.mean() - 0.75) > 5 * 0.5 / math.sqrt(len(delays))


class Closer(Agent):
    """Closes the gate from day 10 to day 20."""

    name = "closer"

    def live(self) -> Life:
        yield self.wait(until=10.0)
        self.change("open", to=0)
        yield self.wait(until=20.0)
        self.records("opens")
        self.change("open", to=1)


def test_children_whose_gate_is_closed_do_not_happen() -> None:
    """None between days 10 and 20, although parents of day 9 had children then.

    What happens while the gate is open is what happens without it, less the descendants
    of those that did not; and the decision that opened the gate is known afterwards.
    """
    free = run_of(excited(gates=[{"variable": "open"}])).incidents
    gated = run_of(excited(gates=[{"variable": "open"}]), Closer).incidents
    born_before = (free.time >= 10) & (free.time < 20) & (free.parent >= 0)
    assert (free.time[free.parent[born_before]] < 10).any()
    assert not ((gated.time >= 10) & (gated.time < 20)).any()
    free_rows = {(time, *address) for time, address in _rows(free)}
    gated_rows = {(time, *address) for time, address in _rows(gated)}
    assert gated_rows < free_rows
    assert (gated.opener[gated.time >= 20] == 0).all()
    assert (gated.opener[gated.time < 10] == -1).all()


def _rows(incidents: Any) -> list[tuple[float, tuple[int, ...]]]:
    addresses = map(tuple, incidents.address.tolist())
    return list(zip(incidents.time.tolist(), addresses, strict=True))


def test_children_fall_on_neighbors_by_their_levels() -> None:
    """With own_place 0.4: 60 % elsewhere, on East (level 30) and South (10) as 3 : 1.

    Over the children of North, n of them, each share within 5 sqrt(p (1 - p) / n).
    """
    raid = recurring(
        {"North": 60.0, "East": 30.0, "South": 10.0},
        excites=[{"type": "raid", "ratio": 0.3, "decay_days": 0.5, "own_place": 0.4}],
    )
    incidents = run_of(world(**BORDER, end="2000-02-09", incidents={"raid": raid})).incidents
    place = np.array(incidents.channels.places)[incidents.channel]
    child = incidents.parent >= 0
    parents = incidents.parent[child]
    falls_on = place[child][place[parents] == "North"]
    n = len(falls_on)
    for goal, p in {"North": 0.4, "East": 0.45, "South": 0.15}.items():
        assert abs((falls_on == goal).mean() - p) < 5 * math.sqrt(p * (1 - p) / n)
    assert n > 500
