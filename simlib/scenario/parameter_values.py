"""Parameters: which follows from which, their typical values, and what must hold of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from simlib.chance.distributions import mean, quantile
from simlib.errors import Problem, ScenarioError, SimulationError
from simlib.scenario.expressions import ExpressionError, compile_quantity, names
from simlib.scenario.register_rows import register_rows
from simlib.scenario.relative_changes import DETERMINED_BY, is_share
from simlib.scenario.schema import SHARE
from simlib.scenario.wording import shown

if TYPE_CHECKING:
    from simlib.scenario.context import Context
    from simlib.scenario.nodes import Path
    from simlib.scenario.schema import Parameter, Scenario


ENDS = (1e-6, 1.0 - 1e-6)
"""Probabilities at which a parameter's ends are: what lies beyond, a million draws may miss."""


class NoValueError(SimulationError):
    """A parameter has no value at the means or 95 % points of all (`where`)."""

    def __init__(self, parameter: str, where: str, why: str) -> None:
        super().__init__(why)
        self.parameter, self.where = parameter, where


def order(scenario: Scenario) -> tuple[str, ...]:
    """The names of the parameters, each after those that it follows from.

    Raises `ScenarioError` where expressions mention one another in a circle.
    """
    try:
        return ordered(scenario)
    except CycleError as error:
        circle = " -> ".join(reversed(error.args[1]))
        problem = Problem("parameters", f"expressions form a circle (got {circle})")
        raise ScenarioError([problem]) from None


def ordered(scenario: Scenario) -> tuple[str, ...]:
    """The names of the parameters as `order` has them; raises `CycleError` where there is none."""
    parameters, givers = scenario.parameters, scenario.value_names()
    graph = {
        name: sorted({givers[v] for v in names(parameters[name].expression or 0.0) if v in givers})
        for name in sorted(parameters)
    }
    return tuple(TopologicalSorter(graph).static_order())


def typical(scenario: Scenario) -> tuple[dict[str, float], dict[str, float]]:
    """Every value at the means of the distributions, and at their 95 % points.

    A Dirichlet stays at its means in both. Raises `NoValueError` where a parameter is no finite
    number there.
    """
    given = {name: scenario.parameters[name] for name in ordered(scenario)}
    return _evaluated(given, "means", mean), _evaluated(
        given, "95 % points", lambda kind, args: quantile(kind, args, 0.95)
    )


def _evaluated(
    parameters: Mapping[str, Parameter],
    where: str,
    number: Callable[[str, Mapping[str, float]], float],
) -> dict[str, float]:
    values: dict[str, float] = {}
    for name, parameter in parameters.items():
        try:
            if parameter.expression is not None:
                values[name] = compile_quantity(parameter.expression)(values)
            else:
                values.update(_own(name, parameter, number))
        except (ArithmeticError, ValueError, KeyError, SimulationError) as error:
            raise NoValueError(name, where, str(error)) from None
    return values


def _own(
    name: str, parameter: Parameter, number: Callable[[str, Mapping[str, float]], float]
) -> dict[str, float]:
    """The values of a parameter without an expression at a typical point."""
    if parameter.value is not None:
        return {name: parameter.value}
    if not parameter.distribution:
        return {}
    ((kind, args),) = parameter.distribution.items()
    if kind != "dirichlet":
        return {name: number(kind, args)}
    total = sum(args.values())
    return {f"{name}.{part}": a / total for part, a in args.items()}


def check(context: Context) -> None:
    """Note what is wrong with where numbers come from, in parameters and elsewhere."""
    scenario = context.scenario
    for name, parameter in scenario.parameters.items():
        _check_origin(context, ("parameters", name), parameter)
    for option, changes in scenario.options.items():
        for name, parameter in changes.parameters.items():
            path = ("options", option, "parameters", name)
            if name in scenario.parameters:
                _check_parts(context, path, parameter, scenario.parameters[name])
            _check_value(context, path, parameter)
            _check_origin(context, path, parameter)
    for section in ("state", "postures", "decisions"):
        for name, entry in getattr(scenario, section).items():
            check_register(context, (section, name, "register"), entry.register)


def check_values(context: Context) -> bool:
    """Note what is wrong with each parameter's value; return whether all have one."""
    before = len(context.log.problems)
    for name, parameter in context.scenario.parameters.items():
        _check_value(context, ("parameters", name), parameter)
    try:
        ordered(context.scenario)
    except CycleError as error:
        circle = error.args[1][::-1]
        rule = f"expressions form a circle (got {' -> '.join(circle[:9])})"
        context.add(("parameters", circle[0], "expression"), rule)
    except ExpressionError:
        pass  # noted where it stands
    is_broken = ("parameters",) in context.log.above_broken or () in context.log.broken
    return len(context.log.problems) == before and not is_broken


def _check_value(context: Context, path: Path, parameter: Parameter) -> None:
    if context.expect_one(path, parameter, DETERMINED_BY) is None:
        return
    if parameter.expression is not None:
        check_expression(context, (*path, "expression"), parameter.expression)
    before = len(context.log.problems)
    if parameter.distribution is not None:
        context.check_distribution((*path, "distribution"), parameter.distribution)
    if len(context.log.problems) == before and is_share(parameter.unit):
        _check_share(context, path, parameter)


def _check_share(context: Context, path: Path, parameter: Parameter) -> None:
    """Note a part of a whole that is less than nothing or more than all of it."""
    key, ends = "value", [parameter.value or 0.0]
    if parameter.distribution is not None:
        ((kind, args),) = parameter.distribution.items()
        key = "distribution"
        ends = [] if kind == "dirichlet" else [quantile(kind, args, u) for u in ENDS]
    outside = [end for end in ends if not 0.0 <= end <= 1.0]
    if outside:
        context.add((*path, key), f"must be {SHARE.rule} (got {outside[-1]:.6g})")


def check_expression(context: Context, path: Path, expression: str) -> None:
    """Note what cannot be read in an expression, and names that are no parameters."""
    try:
        mentioned = names(expression)
    except ExpressionError as error:
        context.add(path, str(error), error.hint)
        return
    for name in sorted(mentioned - context.value_names.keys()):
        context.undefined(path, "parameter", name, context.value_names)


def _check_parts(context: Context, path: Path, parameter: Parameter, replaced: Parameter) -> None:
    """Note it when an option makes one number of a Dirichlet, or the other way round."""
    parts = [set((p.distribution or {}).get("dirichlet", ())) for p in (parameter, replaced)]
    if parts[0] != parts[1]:
        context.add(path, "must have the same parts as the parameter it replaces")


def _check_origin(context: Context, path: Path, parameter: Parameter) -> None:
    if parameter.register is None and parameter.judgement is None and parameter.fitted is None:
        hint = "an id of seeds/parameters.csv, or why this range"
        context.add(path, "must have a register id or a judgement", hint)
    check_register(context, (*path, "register"), parameter.register)


def check_register(context: Context, path: Path, register: str | None) -> None:
    """Note ids that are no rows of the bundled register."""
    for name in (register or "").replace(",", " ").split():
        if name not in register_rows():
            hint = "ids are the first column of seeds/parameters.csv"
            context.add(path, f"undefined register id (got {shown(name)})", hint)
