"""What an intensity is made of: the value of each of its parts at a given state.

The kernel keeps intensities, not their factors. To say why a channel was busier in one run
than in another, its parts are evaluated again from the tables the kernel itself works on.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simlib.scenario.schema import LEAST_RATIO, MOST_RATIO
from simlib.world.kernel import kernel_tables as t
from simlib.world.revision import Revision

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from simlib.simulation.assembling import Blueprint


@dataclass(frozen=True, slots=True)
class IntensityPart:
    """One part of a product, at some state: a number, or a gate, which is 1 (open) or 0.

    Positions of the state vector tell what it reads; none where it is a mere number.
    """

    positions: tuple[int, ...]
    value: float


class Factoring:
    """The parts of the intensities of one replication, with every parameter as its run has it."""

    def __init__(self, blueprint: Blueprint, parameters: Mapping[str, float]) -> None:
        values = blueprint.quantities.evaluate(parameters)
        state = blueprint.start_state.evaluate(values)
        self.start_state = state
        """State at the start, before anybody acted; the calendar's multipliers are not in it."""
        self._blueprint, self._parameters = blueprint, parameters
        self._tables: dict[str, NDArray[Any]] = blueprint.channels.evaluate(values, state)

    def revised(self, changes: Mapping[str, float]) -> Factoring:
        """The parts once some parameters have changed in the middle of the run."""
        plan = self._blueprint
        revision = Revision(plan.parameters, plan.quantities, plan.channels, self.start_state, {})
        found = copy.copy(self)
        found._tables = revision.revised(self._parameters, changes)[1]  # noqa: SLF001
        return found

    def intensity(self, channel: int, state: NDArray[np.float64]) -> list[IntensityPart]:
        """The parts whose product is a channel's intensity per day: base, gates, factors."""
        row = self._tables["channel_i"][channel]
        base = IntensityPart((), float(self._tables["channel_f"][channel, t.BASE]))
        factors = [self._factor(f, state) for f in range(row[t.FACTOR_FROM], row[t.FACTOR_TO])]
        return [base, *self.gates(channel, state), *factors]

    def gates(self, channel: int, state: NDArray[np.float64]) -> list[IntensityPart]:
        """A channel's gates, all that decides whether an excited incident happens."""
        row = self._tables["channel_i"][channel]
        return [self._gate(g, state) for g in range(row[t.GATE_FROM], row[t.GATE_TO])]

    def marks(self, channel: int, state: NDArray[np.float64]) -> list[IntensityPart]:
        """The parts of the probabilities of a channel's yes/no marks."""
        row = self._tables["channel_i"][channel]
        parts = []
        for mark in range(row[t.MARK_FROM], row[t.MARK_TO]):
            first, last = self._tables["mark_i"][mark, [t.PART_FROM, t.PART_TO]]
            parts.append(IntensityPart((), float(self._tables["mark_f"][mark, t.LOW])))
            parts += [self._factor(f, state) for f in range(first, last)]
        return parts

    def _gate(self, gate: int, state: NDArray[np.float64]) -> IntensityPart:
        _, where, first, length = self._tables["gate_i"][gate].tolist()
        x = float(state[where])
        if length == 0:
            is_open = x > float(self._tables["numbers"][first])
        else:
            is_open = int(x) in self._tables["indices"][first : first + length]
        return IntensityPart((where,), float(is_open))

    def _factor(self, factor: int, state: NDArray[np.float64]) -> IntensityPart:
        kind, where, first, length = self._tables["factor_i"][factor].tolist()
        reference, exponent = self._tables["factor_f"][factor].tolist()
        x = float(state[where])
        if kind == t.POWER:
            ratio = min(max(x / reference, LEAST_RATIO), MOST_RATIO)
            return IntensityPart((where,), float(ratio**exponent))
        if kind == t.FALLING:
            value = x
            for k in range(1, length):
                value *= x - k
            return IntensityPart((where,), max(value, 0.0))
        if kind == t.TABLE:
            return IntensityPart((where,), float(self._tables["numbers"][first + int(x)]))
        if kind == t.SHIELD:
            positions = tuple(self._tables["indices"][first : first + length].tolist())
            cover = 1.0
            for position in positions:
                cover *= min(max(float(state[position]), 0.0), 1.0)
            return IntensityPart(positions, 1.0 - exponent * cover)
        return IntensityPart((where,), x)
