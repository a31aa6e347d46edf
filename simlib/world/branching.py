"""Excitation as a branching process: where children fall, and what of a level is immigrant."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import numpy as np

from simlib.chance.addresses import name_hash
from simlib.errors import SimulationError
from simlib.world.kernel import kernel_tables as t
from simlib.world.quantities import ParameterPlan

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simlib.journal import Channels
    from simlib.scenario.schema import Excitation, Scenario
    from simlib.world.quantities import Quantities
    from simlib.world.state import Geography

MOST_CHILDREN = 31
"""Cap on the children of one kind an incident has (probability below 1e-30)."""
LEAST_IMMIGRANT_SHARE = 0.05
"""Floor of a channel's immigrant level, as a share of its total level."""


class ExcitationPlan:
    """What each channel excites: one row for each channel and type of children.

    Children fall on the channel of the same place (and target, where there is one), or
    on a neighbor's with weights in proportion to the neighbors' typical levels.
    """

    def __init__(
        self, scenario: Scenario, channels: Channels, geography: Geography, quantities: Quantities
    ) -> None:
        self._channels, self._geography, self._quantities = channels, geography, quantities
        self._at: dict[tuple[str, str], list[int]] = {}
        for channel, key in enumerate(zip(channels.types, channels.places, strict=True)):
            self._at.setdefault(key, []).append(channel)
        self._typical = self._typical_levels(scenario)
        self.ranges = np.zeros((len(channels), 2), dtype=np.int64)
        self.rows: list[list[int]] = []
        self.tags: list[tuple[int, int]] = []
        self.destinations: list[int] = []
        self._weights: list[float] = []
        self._numbers: list[tuple[int, int, int, int]] = []  # channel, ratio, delay, own share
        for channel in range(len(channels)):
            self.ranges[channel, 0] = len(self.rows)
            for excitation in scenario.incidents[channels.types[channel]].excites:
                self._add(channel, excitation)
            self.ranges[channel, 1] = len(self.rows)
        self.weights = np.array(self._weights)
        self._hold_flows()

    def _typical_levels(self, scenario: Scenario) -> list[float]:
        c = self._channels
        numbers = [
            self._quantities.number(scenario.incidents[type_].groups[group].level[place])
            for type_, group, place in zip(c.types, c.groups, c.places, strict=True)
        ]
        values = self._quantities.evaluate(ParameterPlan(scenario).typical())
        return [float(values[number]) for number in numbers]

    def _channel(self, type_: str, place: str, target: str) -> int:
        """The channel of a type at a place, of the same target if there is one."""
        found = self._at.get((type_, place), [])
        same = [c for c in found if self._channels.targets[c] == target]
        return (same or found or [-1])[0]

    def _add(self, channel: int, excitation: Excitation) -> None:
        place, target = self._channels.places[channel], self._channels.targets[channel]
        own = self._channel(excitation.type, place, target)
        near = [self._channel(excitation.type, p, target) for p in self._geography.neighbors(place)]
        near = [c for c in near if c >= 0 and self._typical[c] > 0.0]
        if own < 0 and not near:
            return
        first_weight, first_near = len(self._weights), len(self.destinations)
        total = math.fsum(self._typical[c] for c in near)
        self._weights.extend(itertools.accumulate(self._typical[c] / total for c in near))
        self.destinations.extend(near)
        length = MOST_CHILDREN + 1
        self.rows.append(
            [own, first_near, len(near), first_weight, len(self.rows) * length, length]
        )
        self.tags.append(
            (name_hash(f"children|{excitation.type}"), name_hash(f"child|{excitation.type}"))
        )
        number = self._quantities.number
        given = (excitation.ratio, excitation.decay_days, excitation.own_place)
        ratio, delay, share = map(number, given)
        self._numbers.append((channel, ratio, delay, share))

    def _hold_flows(self) -> None:
        """Hold the branching matrix as columns (from, to, row, share if own, share if near).

        With the share s of children that stay at their own place, an entry is the ratio of
        its row times s times the fourth column plus 1 - s times the fifth.
        """
        columns: list[tuple[int, int, int, float, float]] = []
        for index, row in enumerate(self.rows):
            channel, own, n_near = self._numbers[index][0], row[t.OWN_CHANNEL], row[t.NEAR_LENGTH]
            # Without neighbors all stay; without a channel of their own all go to neighbors.
            if own >= 0:
                columns.append((channel, own, index, 1.0, 0.0 if n_near else 1.0))
            before = 0.0
            for i in range(n_near):
                goal = self.destinations[row[t.NEAR_FROM] + i]
                after = self._weights[row[t.NEAR_WEIGHTS] + i]
                share = after - before
                columns.append((channel, goal, index, share if own < 0 else 0.0, share))
                before = after
        flows = np.array(columns).reshape(-1, 5)
        self._source, self._goal, self._row = flows[:, :3].astype(np.int64).T
        self._own_part, self._near_part = flows[:, 3], flows[:, 4]
        numbers = np.array(self._numbers, dtype=np.int64).reshape(-1, 4)
        self._ratio_q, self._delay_q, self._own_q = numbers[:, 1], numbers[:, 2], numbers[:, 3]

    def immigrant_level(
        self, level: NDArray[np.float64], values: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """The level per day that is not excited, at least 5 % of the level.

        Where levels are stationary they are mu + N' level (A. G. Hawkes, 1971,
        doi:10.1093/biomet/58.1.83), N the branching matrix; so mu = (I - N') level.
        """
        if not self.rows:
            return level.copy()
        own = values[self._own_q][self._row]
        share = own * self._own_part + (1.0 - own) * self._near_part
        flow = level[self._source] * values[self._ratio_q][self._row] * share
        arriving = np.bincount(self._goal, weights=flow, minlength=len(level))
        return np.maximum(level - arriving, LEAST_IMMIGRANT_SHARE * level)

    def evaluate(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Mean delay (days) and share of the own place of each row."""
        return np.stack([values[self._delay_q], values[self._own_q]], axis=1).reshape(-1, 2)

    def child_counts(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Each row's cumulative Poisson probabilities of 0, 1, ... children."""
        ratios = values[self._ratio_q]
        if not (ratios >= 0.0).all():
            row = int(np.argmin(ratios >= 0.0))
            channel = self._channels.describe(self._numbers[row][0])
            raise SimulationError(f"{channel}: excites with a ratio of {ratios[row]}")
        # Most rows of a network have the ratio of others: each table is made once.
        distinct, which = np.unique(ratios, return_inverse=True)
        tables = np.array([_poisson_cumulative(ratio) for ratio in distinct.tolist()])
        return tables.reshape(-1, MOST_CHILDREN + 1)[which].ravel()


def _poisson_cumulative(mean: float) -> list[float]:
    p = math.exp(-mean)
    total, result = p, [p]
    for k in range(1, MOST_CHILDREN):
        p *= mean / k
        total += p
        result.append(min(total, 1.0))
    return [*result, 1.0]
