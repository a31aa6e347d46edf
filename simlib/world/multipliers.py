"""What changes with the calendar: month, damped trends and AR(1) multipliers."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

from simlib.chance.addresses import name_hash
from simlib.chance.philox import uniforms
from simlib.errors import SimulationError
from simlib.journal import firsts_of_months, to_date
from simlib.world.state import MONTH, ar1_name, trend_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from simlib.journal import Layout
    from simlib.scenario.schema import Scenario
    from simlib.world.quantities import Quantities


class Calendar:
    """The monthly multipliers of a scenario: which there are, and their values.

    A trend continues a log-slope s with damping d: after k months the multiplier is
    exp(s (1 + d + ... + d^(k-1))). An AR(1) multiplier (``tempo`` in scenarios) is stationary
    in its log, x' = rho x + sd sqrt(1 - rho^2) e, and exp(x - sd^2 / 2) has the mean 1; its
    innovation e is addressed by series and calendar month.
    """

    def __init__(
        self,
        scenario: Scenario,
        layout: Layout,
        quantities: Quantities,
        start: float,
        horizon: float,
    ) -> None:
        trends: dict[str, tuple[int, int]] = {}
        ar1s: dict[str, tuple[int, int]] = {}
        for type_, incident in scenario.incidents.items():
            for name, group in incident.groups.items():
                if group.trend:
                    trends[trend_name(type_, name)] = (
                        quantities.number(group.trend.log_slope),
                        quantities.number(group.trend.damping),
                    )
                if group.tempo:
                    ar1s[ar1_name(group.tempo.series)] = (
                        quantities.number(group.tempo.rho),
                        quantities.number(group.tempo.sd),
                    )
        # Multipliers are constant from one first of a month to the next.
        self.times = (start, *firsts_of_months(start, horizon))
        self._root_seed = scenario.root_seed
        self._trends = [trends[name] for name in sorted(trends)]
        self._ar1s = [ar1s[name] for name in sorted(ar1s)]
        # An innovation is addressed by its series and its month counted from year 0: another start
        # or horizon moves no draw.
        self._names = np.array([name_hash(name) for name in sorted(ar1s)], dtype=np.uint64)
        dates = [to_date(time) for time in self.times]
        self._numbers = np.array([d.year * 12 + d.month - 1 for d in dates], dtype=np.uint64)
        self._months = np.array([d.month - 1.0 for d in dates])
        names = [MONTH, *sorted(trends), *sorted(ar1s)]
        self._columns = names
        self.positions = np.array([layout.index(name) for name in names])

    def _trend(self, log_slope: float, damping: float) -> list[float]:
        total, step, result = 0.0, log_slope, []
        for _ in self.times:
            result.append(math.exp(total))
            total += step
            step *= damping
        return result

    def _ar1(self, normals: list[float], rho: float, sd: float) -> list[float]:
        x = sd * normals[0]
        scale = sd * math.sqrt(1.0 - rho * rho)
        result = [math.exp(x - sd * sd / 2)]
        for e in normals[1:]:
            x = rho * x + scale * e
            result.append(math.exp(x - sd * sd / 2))
        return result

    def innovations(self, replication: int) -> NDArray[np.float64]:
        """The standard normal innovations, shape (AR(1) multipliers by name, n_months).

        The first of each is where it starts, in stationary standard deviations.
        """
        u = uniforms(self._root_seed, replication, self._names, self._numbers)
        return np.asarray(ndtri(np.maximum(u, 2.0**-54)))

    def evaluate(self, replication: int, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The multipliers, shape (n_months, len(positions)).

        Raises `SimulationError` where one is no finite number.
        """
        result = np.empty((len(self.times), len(self.positions)))
        result[:, 0] = self._months
        column = 1
        for slope, damping in self._trends:
            trend = partial(self._trend, float(values[slope]), float(values[damping]))
            result[:, column] = self._finite(column, trend)
            column += 1
        if self._ar1s:
            normals = self.innovations(replication).tolist()
            for i, (rho, sd) in enumerate(self._ar1s):
                ar1 = partial(self._ar1, normals[i], float(values[rho]), float(values[sd]))
                result[:, column] = self._finite(column, ar1)
                column += 1
        return result

    def _finite(self, column: int, multipliers: Callable[[], list[float]]) -> list[float]:
        """The multipliers of a column; name it where one is no finite number."""
        try:
            result = multipliers()
        except (ArithmeticError, ValueError) as error:
            raise SimulationError(f"{self._columns[column]}: {error}") from None
        if not all(map(math.isfinite, result)):
            raise SimulationError(f"{self._columns[column]}: no finite number (got {result})")
        return result
