"""Parameters: one source of their value each, a stated origin, no circles."""

from __future__ import annotations

from graphlib import CycleError
from typing import TYPE_CHECKING

from simlib.scenario import bundled
from simlib.scenario.expressions import ExpressionError, names
from simlib.scenario.parameter_order import ordered
from simlib.scenario.resolving import DETERMINED_BY
from simlib.scenario.wording import shown

if TYPE_CHECKING:
    from simlib.scenario.context import Context
    from simlib.scenario.nodes import Path
    from simlib.scenario.schema import Parameter


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
    parameters = context.scenario.parameters
    for name, parameter in parameters.items():
        _check_value(context, ("parameters", name), parameter)
    try:
        ordered(parameters)
    except CycleError as error:
        circle = error.args[1][::-1]
        rule = f"expressions form a circle (got {' -> '.join(circle[:9])})"
        context.add(("parameters", circle[0], "expression"), rule)
    except ExpressionError:
        pass  # noted where it stands
    return len(context.log.problems) == before and not _is_broken(context)


def _is_broken(context: Context) -> bool:
    return ("parameters",) in context.log.above_broken or () in context.log.broken


def _check_value(context: Context, path: Path, parameter: Parameter) -> None:
    if context.expect_one(path, parameter, DETERMINED_BY) is None:
        return
    if parameter.expression is not None:
        check_expression(context, (*path, "expression"), parameter.expression)
    if parameter.distribution is not None:
        context.check_distribution((*path, "distribution"), parameter.distribution)


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
        if name not in bundled.register_ids():
            hint = "ids are the first column of seeds/parameters.csv"
            context.add(path, f"undefined register id (got {shown(name)})", hint)
