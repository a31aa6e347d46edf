"""The design of the parameter draws, and how many replications it asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simlib.chance.designs import broken_rule

if TYPE_CHECKING:
    from simlib.scenario.rules.context import Context


def check(context: Context) -> None:
    """Note a number of replications that the design cannot have."""
    rule = broken_rule(context.scenario.design, context.scenario.replications)
    if rule:
        context.add(("replications",), rule)
