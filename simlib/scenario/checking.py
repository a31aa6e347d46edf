"""What a scenario says about itself must hold together: every reference, every sum.

Each part of a scenario has its own rules in `simlib.scenario.rules`; here they are run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from simlib.errors import SimulationError
from simlib.scenario.expressions import ExpressionError, compile_quantity, names
from simlib.scenario.options import option_scenario
from simlib.scenario.parameters import NoValueError, typical
from simlib.scenario.rules import (
    agents,
    designs,
    incidents,
    marks,
    outcomes,
    parameters,
    places,
    publishing,
    sizes,
    timeline,
)
from simlib.scenario.rules.context import Context

if TYPE_CHECKING:
    from simlib.scenario.findings import Findings
    from simlib.scenario.nodes import Mapping
    from simlib.scenario.schema import Scenario

RULES: tuple[Callable[[Context], None], ...] = (
    places.check,
    parameters.check,
    agents.check,
    timeline.check,
    incidents.check,
    marks.check,
    outcomes.check,
    publishing.check,
    designs.check,
)


def check_references(scenario: Scenario, tree: Mapping, findings: Findings) -> None:
    """Note what does not hold together in a scenario that was fitted from a tree.

    Where fitting found something broken, what builds on it is not judged again.
    """
    context = Context(scenario, tree, findings)
    _check_expressions(context)
    _judge(context, RULES)
    if not findings.problems:
        sizes.check(context)
    for name, option in scenario.options.items():
        # What holds as it is written may not hold with the parameters that an option replaces.
        if option.parameters and not findings.problems:
            changed = option_scenario(scenario, name)
            _judge(Context(changed, tree, findings, option=name), (*RULES, sizes.check))


def _judge(context: Context, rules: Iterable[Callable[[Context], None]]) -> None:
    """Apply rules to a scenario at typical parameters."""
    typical_values = _typical(context)
    if typical_values is not None:
        context.means, context.highs = typical_values
        _check_values(context)
    for rule in rules:
        rule(context)


def _check_expressions(context: Context) -> None:
    known = context.value_names
    for path, expression in context.findings.expressions.items():
        try:
            mentioned = names(expression)
        except ExpressionError as error:
            context.add(path, str(error), error.hint)
            continue
        for name in sorted(name for name in mentioned if name not in known):
            context.undefined(path, "parameter", name, known)


def _check_values(context: Context) -> None:
    """Note expressions that are no number at the parameters' means."""
    for path, expression in context.findings.expressions.items():
        try:
            if names(expression) <= context.means.keys():
                compile_quantity(expression)(context.means)
        except ExpressionError:
            continue  # noted where it is read
        except SimulationError as error:
            context.add(path, f"must be a number at the parameters' means ({error})")


def _typical(context: Context) -> tuple[dict[str, float], dict[str, float]] | None:
    """Return the parameters at their means and 95 % points, where they can be had."""
    if not parameters.check_alone(context):
        return None
    given = context.scenario.parameters
    try:
        return typical(given)
    except NoValueError as error:
        key = "distribution" if given[error.parameter].expression is None else "expression"
        path = ("parameters", error.parameter, key)
        context.add(path, f"must be a number at the parameters' {error.where} ({error})")
    return None
