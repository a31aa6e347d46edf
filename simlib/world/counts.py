"""Tables of discrete inversion: cumulative probabilities that kernel and oracle share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simlib.chance.distributions import count_table
from simlib.errors import SimulationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from simlib.scenario.schema import Quantity
    from simlib.world.quantities import Quantities

LONGEST = {"poisson": 257, "geometric": 257, "one_plus_geometric": 257, "fixed": 257}
LONGEST_OTHER = 5002


class CountTables:
    """The count laws of a scenario's marks, each held once."""

    def __init__(self, quantities: Quantities) -> None:
        self._quantities = quantities
        self._laws: dict[tuple[str, tuple[tuple[str, Quantity], ...]], tuple[int, int]] = {}
        self._plans: list[tuple[str, tuple[str, ...], tuple[int, ...], int]] = []
        self._ready: dict[int, NDArray[np.float64]] = {}
        self.length = 0

    def add(self, law: Mapping[str, Mapping[str, Quantity]]) -> tuple[int, int]:
        """Return where a law's table begins, and its length."""
        ((kind, arguments),) = law.items()
        key = (kind, tuple(sorted(arguments.items())))
        if key not in self._laws:
            names, given = tuple(a for a, _ in key[1]), tuple(q for _, q in key[1])
            numbers = tuple(self._quantities.number(q) for q in given)
            if any(isinstance(q, str) for q in given):
                length = LONGEST.get(kind, LONGEST_OTHER)
            else:
                fixed = count_table(kind, {a: float(q) for a, q in key[1]})
                self._ready[len(self._plans)] = fixed
                length = len(fixed)
            self._plans.append((kind, names, numbers, length))
            self._laws[key] = (self.length, length)
            self.length += length
        return self._laws[key]

    def evaluate(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the tables one after the other, shape (length,).

        Raises
        ------
        SimulationError
            When a law has no probabilities under these values.
        """
        result = np.ones(self.length)
        first = 0
        for i, (kind, names, numbers, length) in enumerate(self._plans):
            table = self._ready.get(i)
            if table is None:
                arguments = {a: float(values[q]) for a, q in zip(names, numbers, strict=True)}
                table = _table(kind, arguments)[: length - 1]
            result[first : first + len(table)] = table
            first += length
        return result


def _table(kind: str, arguments: dict[str, float]) -> NDArray[np.float64]:
    try:
        table = count_table(kind, arguments)
    except (ArithmeticError, ValueError) as error:
        raise SimulationError(f"count {kind} of {arguments}: {error}") from None
    if not np.isfinite(table).all():
        raise SimulationError(f"count {kind} of {arguments}: no finite probabilities")
    return table
