"""Quantities of a scenario, each distinct one evaluated once a replication."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from simlib.scenario.expressions import compile_quantity

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from simlib.scenario.schema import Quantity


class Quantities:
    """A register of quantities: tables hold their numbers, `evaluate` their values."""

    def __init__(self) -> None:
        self._numbers: dict[Quantity, int] = {}
        self._constants: list[float] = []
        self._varying: list[tuple[int, Callable[[Mapping[str, float]], float]]] = []

    def number(self, quantity: Quantity) -> int:
        """Return the number of a quantity, registering it when it is new."""
        if quantity in self._numbers:
            return self._numbers[quantity]
        number = len(self._constants)
        self._numbers[quantity] = number
        if isinstance(quantity, str):
            self._constants.append(np.nan)
            self._varying.append((number, compile_quantity(quantity)))
        else:
            self._constants.append(float(quantity))
        return number

    def evaluate(self, parameters: Mapping[str, float]) -> NDArray[np.float64]:
        """Return the value of every quantity, in order of their numbers."""
        values = np.array(self._constants)
        for number, function in self._varying:
            values[number] = function(parameters)
        return values
