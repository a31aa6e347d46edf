"""Excitation: which channels an incident's children fall on, and what remains immigrant."""

from __future__ import annotations

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


class Links:
    """One link for each channel and each type that its incidents excite.

    Children fall on the channel of the same place (and target, where there is one), or
    on a neighbor's with weights in proportion to the neighbors' typical levels.
    """

    def __init__(
        self,
        scenario: Scenario,
        channels: Channels,
        geography: Geography,
        quantities: Quantities,
    ) -> None:
        self._channels, self._geography = channels, geography
        self._typical = self._typical_levels(scenario, quantities)
        self.ranges = np.zeros((len(channels), 2), dtype=np.int64)
        self.rows: list[list[int]] = []
        self.tags: list[tuple[int, int]] = []
        self.destinations: list[int] = []
        self._weights: list[float] = []
        self._numbers: list[tuple[int, int, int, int]] = []  # channel, ratio, delay, own share
        for channel in range(len(channels)):
            self.ranges[channel, 0] = len(self.rows)
            for excitation in scenario.incidents[channels.types[channel]].excites:
                self._add(channel, excitation, quantities)
            self.ranges[channel, 1] = len(self.rows)
        self.weights = np.array(self._weights)
        self._matrix_parts()

    def _typical_levels(self, scenario: Scenario, quantities: Quantities) -> list[float]:
        numbers = []
        for type_, group, place in zip(
            self._channels.types, self._channels.groups, self._channels.places, strict=True
        ):
            numbers.append(quantities.number(scenario.incidents[type_].groups[group].level[place]))
        values = quantities.evaluate(ParameterPlan(scenario).typical())
        return [float(values[number]) for number in numbers]

    def _at(self, type_: str, place: str, target: str) -> int:
        """Return the channel of a type at a place, of the same target if there is one."""
        found = [
            c
            for c in range(len(self._channels))
            if self._channels.types[c] == type_ and self._channels.places[c] == place
        ]
        same = [c for c in found if self._channels.targets[c] == target]
        return (same or found or [-1])[0]

    def _add(self, channel: int, excitation: Excitation, quantities: Quantities) -> None:
        place, target = self._channels.places[channel], self._channels.targets[channel]
        own = self._at(excitation.type, place, target)
        near = [self._at(excitation.type, p, target) for p in self._geography.neighbors(place)]
        near = [c for c in near if c >= 0 and self._typical[c] > 0.0]
        if own < 0 and not near:
            return
        total = math.fsum(self._typical[c] for c in near)
        running = 0.0
        first_weight = len(self._weights)
        for c in near:
            running += self._typical[c] / total
            self._weights.append(running)
        self.rows.append(
            [own, len(self.destinations), len(near), first_weight,
             len(self.rows) * (MOST_CHILDREN + 1), MOST_CHILDREN + 1]
        )  # fmt: skip
        self.destinations.extend(near)
        self.tags.append(
            (name_hash(f"children|{excitation.type}"), name_hash(f"child|{excitation.type}"))
        )
        self._numbers.append(
            (channel, quantities.number(excitation.ratio),
             quantities.number(excitation.decay_days), quantities.number(excitation.own_place))
        )  # fmt: skip

    def _matrix_parts(self) -> None:
        """Hold the flows as (from, to, link, share of own, share of near) columns."""
        columns: list[tuple[int, int, int, float, float]] = []
        for link, row in enumerate(self.rows):
            channel, own, n_near = self._numbers[link][0], row[t.OWN_CHANNEL], row[t.NEAR_LENGTH]
            if own >= 0:
                columns.append((channel, own, link, 1.0, 0.0 if n_near else 1.0))
            before = 0.0
            for i in range(n_near):
                goal = self.destinations[row[t.NEAR_FROM] + i]
                after = self._weights[row[t.NEAR_WEIGHTS] + i]
                share = after - before
                columns.append((channel, goal, link, share if own < 0 else 0.0, share))
                before = after
        flows = np.array(columns).reshape(-1, 5)
        self._source, self._goal, self._link = flows[:, :3].astype(np.int64).T
        self._own_part, self._near_part = flows[:, 3], flows[:, 4]
        numbers = np.array(self._numbers, dtype=np.int64).reshape(-1, 4)
        self._ratio_q, self._delay_q, self._own_q = numbers[:, 1], numbers[:, 2], numbers[:, 3]

    def immigrant_level(
        self, level: NDArray[np.float64], values: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return (I - N') level, not below 5 % of the level, per day."""
        if not self.rows:
            return level.copy()
        own = values[self._own_q][self._link]
        share = own * self._own_part + (1.0 - own) * self._near_part
        flow = level[self._source] * values[self._ratio_q][self._link] * share
        arriving = np.bincount(self._goal, weights=flow, minlength=len(level))
        return np.maximum(level - arriving, LEAST_IMMIGRANT_SHARE * level)

    def evaluate(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return mean delay (days) and share of the own place of each link."""
        return np.stack([values[self._delay_q], values[self._own_q]], axis=1).reshape(-1, 2)

    def child_counts(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return each link's cumulative Poisson probabilities of 0, 1, ... children."""
        result = np.ones((len(self.rows), MOST_CHILDREN + 1))
        tables: dict[float, list[float]] = {}
        for link, ratio in enumerate(values[self._ratio_q].tolist()):
            if not ratio >= 0.0:
                channel = self._channels.describe(self._numbers[link][0])
                raise SimulationError(f"{channel}: excites with a ratio of {ratio}")
            if ratio not in tables:
                tables[ratio] = _poisson_cumulative(ratio)
            result[link] = tables[ratio]
        return result.ravel()


def _poisson_cumulative(mean: float) -> list[float]:
    p = math.exp(-mean)
    total, result = p, [p]
    for k in range(1, MOST_CHILDREN):
        p *= mean / k
        total += p
        result.append(min(total, 1.0))
    return [*result, 1.0]
