"""Parameters of one replication: each drawn by inversion from its own address."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from simlib.chance.addresses import name_hash
from simlib.chance.distributions import dirichlet, quantile
from simlib.chance.philox import uniforms
from simlib.scenario.expressions import compile_quantity
from simlib.scenario.parameters import order

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from simlib.scenario.schema import Parameter, Scenario

_ONCE = np.zeros(1, dtype=np.uint64)


class ParameterPlan:
    """How the parameters of a scenario are drawn; built once, used every replication.

    A parameter's address is its name, so adding one changes no other draw. A Dirichlet
    parameter ``p`` gives one value for each of its parts: ``p.met``, ``p.slipped``.
    """

    def __init__(self, scenario: Scenario) -> None:
        self._root_seed = scenario.root_seed
        self._fixed: dict[str, float] = {}
        self._drawn: list[tuple[str, Callable[[float], float]]] = []
        self._dirichlets: list[tuple[str, dict[str, float], int]] = []
        self._derived: list[tuple[str, Callable[[Mapping[str, float]], float]]] = []
        addresses: list[str] = []
        vectors: list[tuple[str, dict[str, float]]] = []
        for name in sorted(scenario.parameters):
            self._add(name, scenario.parameters[name], addresses, vectors)
        for name, weights in vectors:
            self._dirichlets.append((name, weights, len(addresses)))
            addresses.extend(f"parameter|{name}.{part}" for part in weights)
        for name in order(scenario):
            expression = scenario.parameters[name].expression
            if expression is not None:
                self._derived.append((name, compile_quantity(expression)))
        self._addresses = np.array([name_hash(text) for text in addresses], dtype=np.uint64)

    def _add(
        self,
        name: str,
        parameter: Parameter,
        addresses: list[str],
        vectors: list[tuple[str, dict[str, float]]],
    ) -> None:
        if parameter.value is not None:
            self._fixed[name] = parameter.value
        if parameter.distribution is None:
            return
        ((kind, arguments),) = parameter.distribution.items()
        if kind == "dirichlet":
            vectors.append((name, dict(sorted(arguments.items()))))
        else:
            self._drawn.append((name, partial(quantile, kind, arguments)))
            addresses.append(f"parameter|{name}")

    def _values(self, uniform: list[float], given: Mapping[str, float]) -> dict[str, float]:
        values = dict(self._fixed)
        for (name, draw), u in zip(self._drawn, uniform, strict=False):
            values[name] = draw(u)
        for name, weights, first in self._dirichlets:
            shares = dirichlet(weights, uniform[first : first + len(weights)])
            values.update((f"{name}.{part}", share) for part, share in shares.items())
        values.update(given)
        for name, function in self._derived:
            if name not in given:
                values[name] = function(values)
        return values

    def draw(self, replication: int, given: Mapping[str, float]) -> dict[str, float]:
        """Return every parameter of a replication by name.

        Parameters
        ----------
        replication
            Index of the replication, 0 or more.
        given
            Values that replace drawn or derived ones.
        """
        u = uniforms(self._root_seed, replication, self._addresses, _ONCE)
        return self._values([float(x) for x in u[:, 0]], given)

    def typical(self) -> dict[str, float]:
        """Return every parameter at its median (a Dirichlet: all parts at theirs)."""
        return self._values([0.5] * len(self._addresses), {})


def draw(scenario: Scenario, replication: int) -> dict[str, float]:
    """Return the parameters of one replication of a scenario by name."""
    return ParameterPlan(scenario).draw(replication, {})
