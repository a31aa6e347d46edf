"""What a scenario says about itself must hold together: every name, every bound, every sum.

What one field says of itself (`Ref`, `Within`) is checked here; what fields say of one
another, in a module of rules for each part of a scenario.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from simlib.chance.designs import broken_rule
from simlib.errors import SimulationError
from simlib.scenario import (
    event_rules,
    extreme_values,
    incident_rules,
    outcome_rules,
    parameter_values,
    place_rules,
    question_rules,
    timeline_rules,
)
from simlib.scenario.context import Context
from simlib.scenario.expressions import ExpressionError, compile_quantity, names
from simlib.scenario.variants import option_scenario
from simlib.scenario.wording import shown

if TYPE_CHECKING:
    from simlib.scenario.fitting import ProblemLog
    from simlib.scenario.nodes import Path
    from simlib.scenario.schema import Scenario

RULES: tuple[Callable[[Context], None], ...] = (
    place_rules.check,
    parameter_values.check,
    timeline_rules.check,
    event_rules.check,
    incident_rules.check,
    outcome_rules.check,
    question_rules.check,
)
_SECTIONS = (
    *("places", "state", "parameters", "incidents", "postures", "agents"),
    *("timeline", "events", "options", "series", "outcomes"),
)


def check_scenario(scenario: Scenario, log: ProblemLog) -> None:
    """Note what does not hold together in a scenario that was fitted from a tree.

    Where fitting found something broken, what builds on it is not judged again.
    """
    context = Context(scenario, log)
    for path, expression in log.expressions.items():
        parameter_values.check_expression(context, path, expression)
    for section in _SECTIONS:
        _check_unique(context, (section,), getattr(scenario, section))
    rule = broken_rule(scenario.design, scenario.replications)
    if rule:
        context.add(("replications",), rule)
    _judge(context)
    for name, option in scenario.options.items():
        # What holds as it is written may not hold with the parameters that an option replaces.
        if option.parameters and not log.problems:
            _judge(Context(option_scenario(scenario, name), log, option=name))


def check_references(context: Context, within: Path = ()) -> None:
    """Note every name at or below a path that refers to nothing."""
    for path, (reference, name) in context.log.references.items():
        if path[: len(within)] == within and not context.is_moot(path):
            known = context.vocabularies[reference.among or reference.what]
            context.expect(path, reference.what, name, known)


def _judge(context: Context) -> None:
    """Apply rules and bounds to a scenario at typical parameters."""
    typical_values = _typical(context)
    if typical_values is not None:
        context.means, context.highs = typical_values
        _check_values(context)
        if not context.log.problems and not context.log.blamed:
            extreme_values.check(context)
    for rule in RULES:
        rule(context)
    check_references(context)
    for path, (within, quantity) in context.log.bounded.items():
        if not context.is_moot(path):
            context.check_within(path, quantity, within)
    context.tell_blamed()
    if not context.log.problems:
        incident_rules.check_size(context)
        context.tell_blamed()


def _check_unique(context: Context, path: Path, given: Iterable[str]) -> None:
    """Note names that differ only in case or in how letters are composed."""
    seen: dict[str, str] = {}
    for name in given:
        folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
        if folded in seen:
            rule = f"two names differ only in case (got {shown(seen[folded])}, {shown(name)})"
            context.add((*path, name), rule)
        seen.setdefault(folded, name)


def _check_values(context: Context) -> None:
    """Note expressions that are no number at the parameters' means."""
    for path, expression in context.log.expressions.items():
        try:
            if names(expression) <= context.means.keys():
                compile_quantity(expression)(context.means)
        except ExpressionError:
            continue  # noted where it is read
        except SimulationError as error:
            basis = context.basis(expression)
            where = "at the parameters' means"
            extreme_values.refuse(context, path, basis, str(error), where)


def _typical(context: Context) -> tuple[dict[str, float], dict[str, float]] | None:
    """The parameters at their means and 95 % points, where they can be had."""
    if not parameter_values.check_values(context):
        return None
    try:
        return parameter_values.typical(context.scenario)
    except parameter_values.NoValueError as error:
        given = context.scenario.parameters[error.parameter]
        path = context.parameter_path(error.parameter)
        where = f"at the parameters' {error.where}"
        if given.expression is None:
            context.add((*path, "distribution"), f"must be a number {where} ({error})")
        else:
            basis = context.basis(given.expression)
            path = (*path, "expression")
            extreme_values.refuse(context, path, basis, str(error), where)
    return None
