"""Places, their neighbors, and state over them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simlib.scenario.rules.context import MONTH

if TYPE_CHECKING:
    from simlib.scenario.rules.context import Context
    from simlib.scenario.schema import Place, StateVariable

RESERVED = ("trend.", "tempo.")
"""Beginnings of the names of state variables that simlib keeps by itself."""


def check(context: Context) -> None:
    """Note what is wrong with places, neighbors and state."""
    scenario = context.scenario
    context.unique(("places",), scenario.places)
    context.unique(("state",), scenario.state)
    for name, place in scenario.places.items():
        _check_place(context, name, place)
    for i, pair in enumerate(scenario.neighbors):
        for j, name in enumerate(pair):
            context.expect(("neighbors", i, j), "place", name, scenario.places)
        if len(set(pair)) < len(pair):
            context.add(("neighbors", i), f"a place is no neighbor of itself (got {pair[0]})")
    for name, variable in scenario.state.items():
        _check_variable(context, name, variable)


def _check_place(context: Context, name: str, place: Place) -> None:
    path = ("places", name)
    governorates = context.governorates
    if place.kind == "segment" and place.ends is None:
        context.add((*path, "ends"), "must be given: the two governorates a segment joins")
    if place.kind != "segment" and place.ends is not None:
        context.add((*path, "ends"), f"must not be given for a {place.kind}")
    if place.kind != "base" and place.within is not None:
        context.add((*path, "within"), f"must not be given for a {place.kind}")
    context.expect((*path, "within"), "governorate", place.within, governorates)
    for i, end in enumerate(place.ends or ()):
        context.expect((*path, "ends", i), "governorate", end, governorates)


def _check_variable(context: Context, name: str, variable: StateVariable) -> None:
    path = ("state", name)
    if name == MONTH or name.startswith(RESERVED) or name in context.scenario.postures:
        context.add(path, f"must not be the name of what simlib keeps by itself (got {name})")
    if not isinstance(variable.start, dict):
        if not variable.signed:
            context.stock((*path, "start"), variable.start)
        return
    if variable.over == "national":
        context.add((*path, "start"), "must be one number for a national variable (got a mapping)")
        return
    for place, quantity in variable.start.items():
        known = context.places_of[name]
        is_known = context.expect((*path, "start", place), variable.over, place, known)
        if is_known and not variable.signed:
            context.stock((*path, "start", place), quantity)
