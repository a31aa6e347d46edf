"""Numbers of one replication: parameters drawn, quantities evaluated, count laws tabulated."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from simlib.chance import designs
from simlib.chance.addresses import name_hash
from simlib.chance.distributions import dirichlet, quantile
from simlib.chance.inversion_tables import count_table
from simlib.chance.philox import uniforms
from simlib.errors import SimulationError
from simlib.scenario.expressions import compile_quantity
from simlib.scenario.parameter_values import order

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from simlib.scenario.schema import Parameter, Quantity, Scenario

LONGEST = {"poisson": 257, "geometric": 257, "one_plus_geometric": 257, "fixed": 257}
"""Length of the table of a law whose arguments differ from one replication to the next."""
LONGEST_OTHER = 5002
_ONCE = np.zeros(1, dtype=np.uint64)


class ParameterPlan:
    """How the parameters of a scenario are drawn; built once, used every replication.

    A parameter's address is its name. In the design ``random`` it is where its uniform
    stands, so adding a parameter changes no other draw; in the others it says which
    column is the parameter's. A Dirichlet parameter ``p`` gives one value for each of its
    parts: ``p.met``, ``p.slipped``. Where an option has replaced parameters, the scenario as it
    is written is given too: all options share the columns of everything drawn in one of them.
    """

    def __init__(self, scenario: Scenario, *, written: Scenario | None = None) -> None:
        self._root_seed = scenario.root_seed
        self._design = scenario.design
        self._fixed: dict[str, float] = {}
        self._drawn: list[tuple[str, Callable[[float], float]]] = []
        self._dirichlets: list[tuple[str, dict[str, float], int]] = []
        self._derived: list[tuple[str, Callable[[Mapping[str, float]], float]]] = []
        addresses: list[str] = []
        vectors: list[tuple[str, dict[str, float]]] = []
        for name in sorted(scenario.parameters):
            self._add(name, scenario.parameters[name], addresses, vectors)
        # A Dirichlet takes one uniform a part (a gamma each, normalized), behind all others.
        for name, weights in vectors:
            self._dirichlets.append((name, weights, len(addresses)))
            addresses.extend(_address(f"{name}.{part}") for part in weights)
        # In an order in which whatever an expression reads is there before it.
        for name in order(scenario):
            expression = scenario.parameters[name].expression
            if expression is not None:
                self._derived.append((name, compile_quantity(expression)))
        # In `random` the address is where the uniform stands; in a design of rows the column is,
        # and columns are those of every option, so that options share them.
        self._names = [text.removeprefix(_address("")) for text in addresses]
        self._addresses = np.array([name_hash(text) for text in addresses], dtype=np.uint64)
        columns = _columns(written or scenario)
        self._n_columns = len(columns)
        self._own_columns = np.array([columns[text] for text in addresses], dtype=np.intp)
        self._last: tuple[int, Mapping[str, float], dict[str, float]] | None = None

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
            addresses.append(_address(name))

    def _values(self, uniform: list[float], given: Mapping[str, float]) -> dict[str, float]:
        values = dict(self._fixed)
        for (name, draw), u in zip(self._drawn, uniform, strict=False):
            values[name] = draw(u)
        for name, weights, first in self._dirichlets:
            shares = dirichlet(weights, uniform[first : first + len(weights)])
            values.update((f"{name}.{part}", share) for part, share in shares.items())
        values.update(given)
        return self.revised(values, given)

    def revised(self, values: Mapping[str, float], kept: Collection[str]) -> dict[str, float]:
        """Parameters with every expression computed again, but for names that are kept."""
        found = dict(values)
        for name, value in found.items():
            if not math.isfinite(value):
                raise SimulationError(f"parameter {name}: no finite number (got {value})")
        for name, function in self._derived:
            if name not in kept:
                found[name] = _derive(name, function, found)
        return found

    def draw(self, replication: int, given: Mapping[str, float]) -> dict[str, float]:
        """Every parameter of a replication; given ones replace drawn or derived ones.

        The last are kept: hybrids of one replication ask for them again and again.
        """
        last = self._last
        if last is None or last[:2] != (replication, given):
            values = self._values(self._uniforms(replication), given)
            last = self._last = (replication, dict(given), values)
        return dict(last[2])

    @property
    def drawn(self) -> tuple[str, ...]:
        """Names of the values that are drawn, each from a uniform of its own."""
        return tuple(self._names)

    def uniforms(self, replication: int) -> NDArray[np.float64]:
        """The uniforms of a replication, in the order of `drawn`, shape (n,)."""
        return np.array(self._uniforms(replication))

    def at(self, uniforms: Sequence[float] | NDArray[np.float64]) -> dict[str, float]:
        """Every parameter where those `drawn` stand, in order, at uniforms in [0, 1)."""
        return self._values([float(u) for u in uniforms], {})

    def _uniforms(self, replication: int) -> list[float]:
        if self._design == "random":
            u = uniforms(self._root_seed, replication, self._addresses, _ONCE)[:, 0]
        else:
            row = designs.row(
                self._design, self._n_columns, root_seed=self._root_seed, replication=replication
            )
            u = row[self._own_columns]
        return [float(x) for x in u]

    def typical(self) -> dict[str, float]:
        """Every parameter at its median (a Dirichlet: all parts at theirs)."""
        return self._values([0.5] * len(self._addresses), {})


def _address(value_name: str) -> str:
    return f"parameter|{value_name}"


def _columns(scenario: Scenario) -> dict[str, int]:
    """The column of every address drawn in a scenario or in one of its options."""
    versions = [scenario.parameters, *(o.parameters for o in scenario.options.values())]
    drawn = {
        _address(value)
        for parameters in versions
        for name, parameter in parameters.items()
        if parameter.distribution is not None
        for value in parameter.value_names(name)
    }
    return {address: column for column, address in enumerate(sorted(drawn))}


def _derive(
    name: str, function: Callable[[Mapping[str, float]], float], values: Mapping[str, float]
) -> float:
    try:
        return function(values)
    except SimulationError as error:
        raise SimulationError(f"parameter {name}: {error}") from None


def draw(scenario: Scenario, replication: int) -> dict[str, float]:
    """The parameters of one replication of a scenario by name."""
    return ParameterPlan(scenario).draw(replication, {})


class Quantities:
    """A register of quantities: tables hold their numbers, `evaluate` their values."""

    def __init__(self) -> None:
        self._numbers: dict[Quantity, int] = {}
        self._constants: list[float] = []
        self._varying: list[tuple[int, Callable[[Mapping[str, float]], float]]] = []

    def number(self, quantity: Quantity) -> int:
        """The number of a quantity, registering it when it is new."""
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
        """The value of every quantity, in order of their numbers."""
        values = np.array(self._constants)
        for number, function in self._varying:
            values[number] = function(parameters)
        return values


class CountTables:
    """The count laws of a scenario's marks, each held once."""

    def __init__(self, quantities: Quantities) -> None:
        self._quantities = quantities
        self._laws: dict[tuple[str, tuple[tuple[str, Quantity], ...]], tuple[int, int]] = {}
        self._plans: list[tuple[str, tuple[str, ...], tuple[int, ...], int]] = []
        self._ready: dict[int, NDArray[np.float64]] = {}
        self.length = 0

    def add(self, law: Mapping[str, Mapping[str, Quantity]]) -> tuple[int, int]:
        """Where a law's table begins, and its length."""
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
        """The tables one after the other, shape (length,).

        Raises `SimulationError` where a law has no probabilities under these values.
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
