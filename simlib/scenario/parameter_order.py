"""Parameters: their names, the order they follow from one another, and typical values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from simlib.chance.distributions import mean, quantile
from simlib.errors import Problem, ScenarioError, SimulationError
from simlib.scenario.expressions import compile_quantity, names

if TYPE_CHECKING:
    from simlib.scenario.schema import Parameter, Scenario


class NoValueError(SimulationError):
    """A parameter has no value at the means or 95 % points of all (`where`)."""

    def __init__(self, parameter: str, where: str, why: str) -> None:
        super().__init__(why)
        self.parameter, self.where = parameter, where


def values_of(name: str, parameter: Parameter) -> tuple[str, ...]:
    """Return the names a parameter gives values to: a Dirichlet's parts, else its own."""
    weights = (parameter.distribution or {}).get("dirichlet")
    return (name,) if weights is None else tuple(f"{name}.{part}" for part in weights)


def value_names(parameters: Mapping[str, Parameter]) -> dict[str, str]:
    """Return every name that expressions may mention, with the parameter that gives it."""
    return {
        value: name
        for name, parameter in parameters.items()
        for value in values_of(name, parameter)
    }


def ordered(parameters: Mapping[str, Parameter]) -> tuple[str, ...]:
    """Return the names of parameters, each after those that its expression mentions.

    Raises
    ------
    graphlib.CycleError
        Expressions mention one another in a circle; ``args[1]`` is the circle.
    """
    givers = value_names(parameters)
    graph = {
        name: {givers[v] for v in names(parameters[name].expression or 0.0) if v in givers}
        for name in sorted(parameters)
    }
    sorter = TopologicalSorter({name: sorted(before) for name, before in graph.items()})
    return tuple(sorter.static_order())


def order(scenario: Scenario) -> tuple[str, ...]:
    """Return the names of the parameters, each after those that it follows from.

    Raises
    ------
    ScenarioError
        Expressions mention one another in a circle.
    """
    try:
        return ordered(scenario.parameters)
    except CycleError as error:
        circle = " -> ".join(reversed(error.args[1]))
        problem = Problem("parameters", f"expressions form a circle (got {circle})")
        raise ScenarioError([problem]) from None


def typical(parameters: Mapping[str, Parameter]) -> tuple[dict[str, float], dict[str, float]]:
    """Return every value at the means of the distributions, and at their 95 % points.

    A Dirichlet stays at its means in both.

    Raises
    ------
    NoValueError
        A parameter is no finite number there.
    """
    # Compiling costs more than all else here: once for both.
    sequence = [
        (name, parameters[name], _compiled(parameters[name])) for name in ordered(parameters)
    ]
    return _evaluated(sequence, "means", mean), _evaluated(
        sequence, "95 % points", lambda kind, args: quantile(kind, args, 0.95)
    )


_Function = Callable[[Mapping[str, float]], float]


def _compiled(parameter: Parameter) -> _Function | None:
    return None if parameter.expression is None else compile_quantity(parameter.expression)


def _evaluated(
    parameters: Sequence[tuple[str, Parameter, _Function | None]],
    where: str,
    number: Callable[[str, Mapping[str, float]], float],
) -> dict[str, float]:
    values: dict[str, float] = {}
    for name, parameter, function in parameters:
        try:
            if function is not None:
                values[name] = function(values)
            else:
                values.update(_own(name, parameter, number))
        except (ArithmeticError, ValueError, KeyError, SimulationError) as error:
            raise NoValueError(name, where, str(error)) from None
    return values


def _own(
    name: str, parameter: Parameter, number: Callable[[str, Mapping[str, float]], float]
) -> dict[str, float]:
    """Return what a parameter without an expression gives values to, at a typical point."""
    if parameter.value is not None:
        return {name: parameter.value}
    if not parameter.distribution:
        return {}
    ((kind, args),) = parameter.distribution.items()
    if kind != "dirichlet":
        return {name: number(kind, args)}
    total = sum(args.values())
    return {f"{name}.{part}": a / total for part, a in args.items()}
