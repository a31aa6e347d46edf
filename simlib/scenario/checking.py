"""What a scenario says about itself must hold together: every reference, every sum.

Each part of a scenario has its own rules in `simlib.scenario.rules`; here they are run.
"""

from __future__ import annotations

from collections.abc import Callable
from graphlib import CycleError
from typing import TYPE_CHECKING

from simlib.errors import ScenarioError, SimulationError
from simlib.scenario.expressions import ExpressionError, names
from simlib.scenario.parameters import typical
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
    context.means, context.highs = _typical(context)
    for rule in RULES:
        rule(context)
    if not findings.problems:
        sizes.check(context)


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


def _typical(context: Context) -> tuple[dict[str, float], dict[str, float]]:
    """Return the parameters at their means and 95 % points, where they can be had."""
    if not parameters.check_alone(context):
        return {}, {}
    try:
        return typical(context.scenario.parameters)
    except (ArithmeticError, ValueError, KeyError, CycleError, ScenarioError) as error:
        context.add(("parameters",), f"cannot be evaluated at their means ({error})")
    except SimulationError as error:
        context.add(("parameters",), f"must be numbers at their means ({error})")
    return {}, {}
