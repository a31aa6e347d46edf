"""Places, state over them, and the agents and postures that live there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simlib.scenario.context import MONTH
from simlib.scenario.schema import STOCK
from simlib.scenario.wording import near_or_all, shown

if TYPE_CHECKING:
    from collections.abc import Collection

    from simlib.scenario.context import Context
    from simlib.scenario.nodes import Path
    from simlib.scenario.schema import Place, Posture, PostureState, StateVariable

RESERVED = ("trend.", "tempo.", "present.")
"""Beginnings of the names of state variables that simlib keeps by itself."""


def check(context: Context) -> None:
    """Note what is wrong with places, neighbors, state and postures."""
    scenario = context.scenario
    for name, place in scenario.places.items():
        _check_place(context, name, place)
    for i, pair in enumerate(scenario.neighbors):
        if len(set(pair)) < len(pair):
            context.add(("neighbors", i), f"a place is no neighbor of itself (got {pair[0]})")
    for name, variable in scenario.state.items():
        _check_variable(context, name, variable)
    for name, posture in scenario.postures.items():
        _check_posture(context, ("postures", name), posture)


def _check_place(context: Context, name: str, place: Place) -> None:
    path = ("places", name)
    if place.kind == "segment" and place.ends is None:
        context.add((*path, "ends"), "must be given: the two governorates a segment joins")
    if place.kind != "segment" and place.ends is not None:
        context.add((*path, "ends"), f"must not be given for a {place.kind}")
    if place.kind != "base" and place.within is not None:
        context.add((*path, "within"), f"must not be given for a {place.kind}")


def _check_variable(context: Context, name: str, variable: StateVariable) -> None:
    path = ("state", name)
    if name == MONTH or name.startswith(RESERVED) or name in context.scenario.postures:
        context.add(path, f"must not be the name of what simlib keeps by itself (got {name})")
    if not isinstance(variable.start, dict):
        if not variable.signed:
            context.check_within((*path, "start"), variable.start, STOCK)
        return
    if variable.over == "national":
        context.add((*path, "start"), "must be one number for a national variable (got a mapping)")
        return
    for place, quantity in variable.start.items():
        known = context.places_of[name]
        is_known = context.expect((*path, "start", place), variable.over, place, known)
        if is_known and not variable.signed:
            context.check_within((*path, "start", place), quantity, STOCK)


def _check_posture(context: Context, path: Path, posture: Posture) -> None:
    context.expect((*path, "start"), "state", posture.start, posture.states)
    for name, state in posture.states.items():
        inner = (*path, "states", name)
        _check_sojourn(context, inner, state)
        for following in state.next:
            context.expect((*inner, "next", following), "state", following, posture.states)
        if name in state.next:
            context.add((*inner, "next", name), "a state must not follow itself")


def _check_sojourn(context: Context, path: Path, state: PostureState) -> None:
    if bool(state.next) != (state.median_months is not None):
        context.add(path, "must have both median_months and next, or neither")
    values = [context.value(weight) for weight in state.next.values()]
    known = [value for value in values if value is not None]
    if state.next and len(known) == len(values) and abs(sum(known) - 1) > 1e-6:
        context.add((*path, "next"), f"probabilities must sum to 1 (got {sum(known):.10g})")


def check_installed(context: Context, installed: Collection[str]) -> None:
    """Note agents that are to live and that nobody provides."""
    for name, agent in context.scenario.agents.items():
        if agent.active and name not in installed:
            context.add(("agents", name), *not_installed(name, installed))


def not_installed(name: str, installed: Collection[str]) -> tuple[str, str]:
    """The rule that an agent nobody provides breaks, and a hint."""
    hint = near_or_all(name, installed) if installed else "none is: install simlib again"
    hint += "; how a package brings one: docs/agents.md#agents-in-a-package"
    return f"must be an agent that is installed (got {shown(name)})", hint
