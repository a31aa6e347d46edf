"""Incident types: levels, factors, gates, effects and what they excite."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from simlib.journal import MARKS
from simlib.scenario.rules.parameters import check_register
from simlib.scenario.schema import Falling, Power, Shield, Table, Value
from simlib.scenario.wording import listed, shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simlib.scenario.nodes import Path
    from simlib.scenario.rules.context import Context
    from simlib.scenario.schema import Excitation, Factor, Gate, Group, IncidentType, Place


def check(context: Context) -> None:
    """Note what is wrong with incident types, their marks apart."""
    context.unique(("incidents",), context.scenario.incidents)
    for name, incident in context.scenario.incidents.items():
        path = ("incidents", name)
        for mark in incident.notable:
            context.expect((*path, "notable", mark), "mark", mark, MARKS)
        for i, excitation in enumerate(incident.excites):
            _check_excitation(context, (*path, "excites", i), excitation)
        for group_name, group in incident.groups.items():
            _check_group(context, (*path, "groups", group_name), group)
        _check_channels(context, path, incident)


def _check_excitation(context: Context, path: Path, excitation: Excitation) -> None:
    context.expect((*path, "type"), "incident type", excitation.type, context.scenario.incidents)
    context.bounded((*path, "ratio"), excitation.ratio, "0 or more and below 1", 0.0, 1 - 1e-12)
    context.positive((*path, "decay_days"), excitation.decay_days)
    context.probability((*path, "own_place"), excitation.own_place)


def _check_group(context: Context, path: Path, group: Group) -> None:
    check_register(context, (*path, "register"), group.register)
    for place, level in group.level.items():
        if context.expect((*path, "level", place), "place", place, context.scenario.places):
            context.stock((*path, "level", place), level)
    for name, factor in group.factors.items():
        check_factor(context, (*path, "factors", name), factor, group.level)
    for i, gate in enumerate(group.gates):
        _check_gate(context, (*path, "gates", i), gate, group.level)
    if group.trend:
        context.probability((*path, "trend", "damping"), group.trend.damping)
    if group.tempo:
        near_one = 1 - 1e-9
        rho = group.tempo.rho
        context.bounded((*path, "tempo", "rho"), rho, "between -1 and 1", -near_one, near_one)
        context.stock((*path, "tempo", "sd"), group.tempo.sd)


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


def check_factor(
    context: Context, path: Path, factor: Factor | None, places: Iterable[str]
) -> None:
    """Note what is wrong with one factor of a group or of a mark."""
    if isinstance(factor, Power):
        check_variable(context, (*path, "power"), factor.power, factor.at, places)
        if factor.reference != "start":
            context.positive((*path, "reference"), factor.reference)
    elif isinstance(factor, Falling):
        check_variable(context, (*path, "falling"), factor.falling, factor.at, places)
    elif isinstance(factor, Value):
        check_variable(context, (*path, "value"), factor.value, factor.at, places)
    elif isinstance(factor, Shield):
        for i, name in enumerate(factor.shield):
            check_variable(context, (*path, "shield", i), name, factor.at, places)
        if not factor.shield:
            context.add((*path, "shield"), "must name at least one variable (got an empty list)")
        context.probability((*path, "efficacy"), factor.efficacy)
    elif isinstance(factor, Table):
        _check_table(context, path, factor)


def _check_table(context: Context, path: Path, factor: Table) -> None:
    if not context.expect((*path, "table"), "posture", factor.table, context.with_states):
        return
    states = context.states_of(factor.table)
    missing = list(islice((state for state in states if state not in factor.values), 5))
    if missing:
        context.add((*path, "values"), f"must name every state (missing: {listed(missing)})")
    for state, value in factor.values.items():
        if context.expect((*path, "values", state), "state", state, states):
            context.stock((*path, "values", state), value)


def _check_gate(context: Context, path: Path, gate: Gate, places: Iterable[str]) -> None:
    check_variable(context, (*path, "variable"), gate.variable, gate.at, places)
    if gate.states is None:
        return
    known = context.states_of(gate.variable)
    if not known and gate.variable in context.places_of:
        rule = f"only a posture has states (got {shown(gate.variable)})"
        context.add((*path, "states"), rule)
        return
    for i, state in enumerate(gate.states):
        if known:
            context.expect((*path, "states", i), "state", state, known)


def check_variable(
    context: Context, path: Path, variable: str, at: str, places: Iterable[str]
) -> bool:
    """Note a variable that is unknown, or has no value at one of some places."""
    if not context.expect(path, "state variable", variable, context.places_of):
        return False
    if context.is_national(variable):
        return True
    if at == "neighbor" and ("neighbors",) in context.findings.above_broken:
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
