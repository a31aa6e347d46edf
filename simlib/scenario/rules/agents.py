"""Agents, the postures they live and the decisions they take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simlib.scenario.wording import near_or_all, shown

if TYPE_CHECKING:
    from collections.abc import Collection

    from simlib.scenario.nodes import Path
    from simlib.scenario.rules.context import Context
    from simlib.scenario.schema import Posture, PostureState

MOST_AGE_MONTHS = 12_000
"""How long a state may have lasted at the start: 1,000 years."""


def check(context: Context) -> None:
    """Note what is wrong with agents and postures."""
    scenario = context.scenario
    context.unique(("agents",), scenario.agents)
    context.unique(("postures",), scenario.postures)
    parameters = {*context.value_names, *scenario.parameters}
    writable = {*context.places_of, *scenario.timeline}
    for name, agent in scenario.agents.items():
        path = ("agents", name)
        for i, parameter in enumerate(agent.parameters):
            context.expect((*path, "parameters", i), "parameter", parameter, parameters)
        for i, written in enumerate(agent.writes):
            context.expect((*path, "writes", i), "state variable", written, writable)
    for name, posture in scenario.postures.items():
        _check_posture(context, name, posture)


def check_installed(context: Context, installed: Collection[str]) -> None:
    """Note agents that are to live and that nobody provides."""
    for name, agent in context.scenario.agents.items():
        if agent.active and name not in installed:
            context.add(("agents", name), *not_installed(name, installed))


def not_installed(name: str, installed: Collection[str]) -> tuple[str, str]:
    """Return the rule that an agent nobody provides breaks, and a hint."""
    hint = near_or_all(name, installed) if installed else "none is: install simlib again"
    return f"must be an agent that is installed (got {shown(name)})", hint


def _check_posture(context: Context, name: str, posture: Posture) -> None:
    path = ("postures", name)
    context.expect((*path, "owner"), "agent", posture.owner, context.scenario.agents)
    context.expect((*path, "start"), "state", posture.start, posture.states)
    age = f"between 0 and {MOST_AGE_MONTHS}"
    context.bounded((*path, "age_months"), posture.age_months, age, 0.0, MOST_AGE_MONTHS)
    for state_name, state in posture.states.items():
        inner = (*path, "states", state_name)
        _check_state(context, inner, state)
        for following in state.next:
            context.expect((*inner, "next", following), "state", following, posture.states)
        if state_name in state.next:
            context.add((*inner, "next", state_name), "a state must not follow itself")


def _check_state(context: Context, path: Path, state: PostureState) -> None:
    context.positive((*path, "shape"), state.shape)
    context.positive((*path, "median_months"), state.median_months)
    if bool(state.next) != (state.median_months is not None):
        context.add(path, "must have both median_months and next, or neither")
    values = []
    for following, weight in state.next.items():
        context.probability((*path, "next", following), weight)
        values.append(context.value(weight))
    known = [value for value in values if value is not None]
    if state.next and len(known) == len(values) and abs(sum(known) - 1) > 1e-6:
        context.add((*path, "next"), f"probabilities must sum to 1 (got {sum(known):.10g})")
