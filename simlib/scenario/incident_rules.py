"""Incident types: channels, factors, gates, marks and effects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simlib.chance.distributions import COUNT_LAWS, check_count
from simlib.journal import MARKS
from simlib.scenario.parameter_values import check_register
from simlib.scenario.schema import Falling, Power, Shield, Table, Value
from simlib.scenario.wording import near_or_all, shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simlib.scenario.context import Context
    from simlib.scenario.nodes import Path
    from simlib.scenario.schema import (
        Factor,
        Gate,
        IncidentEffect,
        IncidentGroup,
        IncidentType,
        Mark,
        Place,
        Quantity,
    )

DRAWN_BY = ("probability", "law", "share")
UNIFORMS = frozenset({"reported", "neighbor"})
"""Marks that every incident has by itself."""
MOST_EFFECT_MARKS = 2


def check(context: Context) -> None:
    """Note what is wrong with the groups of every incident type."""
    for type_, incident in context.scenario.incidents.items():
        path = ("incidents", type_)
        for name, group in incident.groups.items():
            _check_group(context, (*path, "groups", name), group)
        _check_channels(context, path, incident)


def _check_group(context: Context, path: Path, group: IncidentGroup) -> None:
    check_register(context, (*path, "register"), group.register)
    for name, factor in group.factors.items():
        _check_factor(context, (*path, "factors", name), factor, group.level)
    for i, gate in enumerate(group.gates):
        _check_gate(context, (*path, "gates", i), gate, group.level)
    for mark_name, mark in group.marks.items():
        _check_mark(context, (*path, "marks", mark_name), mark, group)
    for i, effect in enumerate(group.effects):
        _check_effect(context, (*path, "effects", i), effect, group)


def _check_channels(context: Context, path: Path, incident: IncidentType) -> None:
    """Note two groups that share a target at a place: they would be one channel."""
    seen: dict[tuple[str, str], str] = {}
    for name, group in incident.groups.items():
        for place in group.level:
            other = seen.setdefault((group.target, place), name)
            if other != name:
                rule = f"group {shown(other)} has the same target at {shown(place)}"
                context.add((*path, "groups", name, "target"), f"{rule} (got {group.target})")
                break


def _variables_of(factor: Factor | None) -> dict[Path, str]:
    """Return the state variables that a factor reads, and where in it each stands."""
    match factor:
        case Power(power=name):
            return {("power",): name}
        case Falling(falling=name):
            return {("falling",): name}
        case Value(value=name):
            return {("value",): name}
        case Shield(shield=names):
            return {("shield", i): name for i, name in enumerate(names)}
    return {}


def _check_factor(
    context: Context, path: Path, factor: Factor | None, places: Iterable[str]
) -> None:
    """Note what is wrong with one factor of a group or of a mark."""
    if isinstance(factor, Table):
        _check_table(context, path, factor)
    elif factor is not None:
        for inner, name in _variables_of(factor).items():
            _check_variable(context, (*path, *inner), name, factor.at, places)
    if isinstance(factor, Shield) and not factor.shield:
        context.add((*path, "shield"), "must name at least one variable (got an empty list)")


def _check_table(context: Context, path: Path, factor: Table) -> None:
    states = context.states_of(factor.table)
    if factor.table in context.vocabularies["postures and months"]:
        context.expect_all((*path, "values"), "state", states, factor.values)
        for state in factor.values:
            context.expect((*path, "values", state), "state", state, states)


def _check_gate(context: Context, path: Path, gate: Gate, places: Iterable[str]) -> None:
    _check_variable(context, (*path, "variable"), gate.variable, gate.at, places)
    states = context.states_of(gate.variable)
    if states:
        for i, state in enumerate(gate.states or ()):
            context.expect((*path, "states", i), "state", state, states)
    elif gate.states is not None and gate.variable in context.places_of:
        rule = f"only a posture has states (got {shown(gate.variable)})"
        context.add((*path, "states"), rule)


def _check_variable(
    context: Context, path: Path, variable: str, at: str, places: Iterable[str]
) -> bool:
    """Note a variable without a value at one of some places; return whether it is known there."""
    if variable not in context.places_of:
        return False
    if context.is_national(variable):
        return True
    if at == "neighbor" and ("neighbors",) in context.log.above_broken:
        return True
    over = context.scenario.state[variable].over
    key = (over, at, tuple(places))
    if key not in context.unreached:
        context.unreached[key] = _unreached(context, context.places_of[variable], at, key[2])
    place = context.unreached[key]
    if place is not None:
        rule = f"{variable} has no value at {shown(place)} (at: {at})"
        context.add(path, rule, f"it stands over {over}s")
    return place is None


def _unreached(
    context: Context, known: frozenset[str], at: str, places: Iterable[str]
) -> str | None:
    """Return the first place from which no known place is meant by `at`."""
    for name in places:
        place = context.scenario.places.get(name)
        if place is not None and not known & meant(context, name, place, at):
            return name
    return None


def meant(context: Context, name: str, place: Place, at: str) -> set[str | None]:
    """Return the places that `at` may mean from a place."""
    if at == "neighbor":
        return {*context.neighbors.get(place.within or name, ())}
    if at == "within":
        return {place.within}
    if at in {"from", "to"}:
        return {place.ends[at == "to"]} if place.ends else set()
    return {name, place.within}


def _check_mark(context: Context, path: Path, mark: Mark, group: IncidentGroup) -> None:
    name = str(path[-1])
    if name not in MARKS:
        return
    if name in UNIFORMS:
        context.add(path, f"every incident has this mark by itself (got {name})")
    if context.expect_one(path, mark, DRAWN_BY) is None:
        return
    _check_when(context, (*path, "when"), mark.when, group)
    if mark.when is not None and mark.when.removeprefix("not ") in MARKS:
        _check_drawn_before(context, path, name, mark.when)
    for factor_name, factor in mark.factors.items():
        _check_factor(context, (*path, "factors", factor_name), factor, group.level)
    if isinstance(mark.probability, dict):
        here = (*path, "probability")
        context.expect_all(here, "place of the level", group.level, mark.probability)
    if mark.law is not None:
        _check_law(context, (*path, "law"), mark.law)


def _check_drawn_before(context: Context, path: Path, name: str, when: str) -> None:
    if MARKS.index(when.removeprefix("not ")) >= MARKS.index(name):
        rule = f"{name} is drawn before its condition (got {shown(when)})"
        context.add((*path, "when"), rule, f"marks are drawn in the order {', '.join(MARKS)}")


def _check_when(context: Context, path: Path, when: str | None, group: IncidentGroup) -> None:
    if when is None:
        return
    name = when.removeprefix("not ")
    known = [n for n, mark in group.marks.items() if mark.probability is not None]
    if name not in known:
        hint = near_or_all(name, known, "yes/no marks of this group")
        context.add(path, f"undefined yes/no mark (got {shown(when)})", hint)


def _check_law(context: Context, path: Path, law: dict[str, dict[str, Quantity]]) -> None:
    kind = context.kind_of_law(path, "law", law, COUNT_LAWS)
    if kind is None:
        return
    args = {name: context.value(quantity) for name, quantity in law[kind].items()}
    known = {name: value for name, value in args.items() if value is not None}
    if len(known) == len(args):
        for rule in check_count(kind, known):
            context.add((*path, kind), rule)


def _check_effect(
    context: Context, path: Path, effect: IncidentEffect, group: IncidentGroup
) -> None:
    key = context.expect_one(path, effect, ("change", "move"))
    if key is None:
        return
    variable = effect.change or effect.move or ""
    if (effect.to is not None) != (effect.move is not None):
        needs = "must be given for a move" if effect.move else "must be given for a move only"
        context.add((*path, "to"), needs)
    if _check_variable(context, (*path, key), variable, effect.at, group.level):
        _check_variable(context, (*path, key), variable, effect.to or effect.at, group.level)
        _check_changed(context, (*path, key), variable)
    _check_when(context, (*path, "when"), effect.when, group)
    for i, mark in enumerate(effect.marks):
        context.expect((*path, "marks", i), "mark of this group", mark, group.marks)
    if len(effect.marks) > MOST_EFFECT_MARKS:
        rule = f"must name at most {MOST_EFFECT_MARKS} marks (got {len(effect.marks)})"
        context.add((*path, "marks"), rule)


def _check_changed(context: Context, path: Path, variable: str) -> None:
    declared = context.scenario.state.get(variable)
    if declared is None:
        context.add(path, f"incidents change no posture or calendar (got {shown(variable)})")
    elif declared.signed:
        context.add(path, f"incidents change no signed variable (got {shown(variable)})")
