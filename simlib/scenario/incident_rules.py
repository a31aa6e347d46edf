"""Incident types: channels, factors, gates, marks, effects, and how much would happen."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from simlib.chance.inversion_tables import COUNT_LAWS, check_count
from simlib.journal import MARKS
from simlib.scenario.nodes import find
from simlib.scenario.parameter_values import check_register
from simlib.scenario.schema import LEAST_RATIO, MOST_RATIO, Falling, Power, Shield, Table, Value
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
MOST_INCIDENTS = 1_000_000
"""Cap on the incidents expected in one replication, levels as at the start."""
MOST_TYPES = 300
"""Cap on the types of incidents."""
MOST_FACTORS = 100_000
"""Cap on the factors of all channels."""
_DAYS = {"day": 1.0, "month": 365.25 / 12}


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
    """The state variables that a factor reads, and where in it each stands."""
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
    if isinstance(factor, Power) and isinstance(factor.reference, dict):
        _check_reference(context, (*path, "reference"), factor, places)
    if isinstance(factor, Shield) and not factor.shield:
        context.add((*path, "shield"), "must name at least one variable (got an empty list)")


def _check_reference(context: Context, path: Path, factor: Power, places: Iterable[str]) -> None:
    """Note places where a power reads its variable and has no reference."""
    known = context.places_of.get(factor.power, frozenset())
    assert isinstance(factor.reference, dict)  # noqa: S101  (the caller saw to it)
    if factor.power in context.places_of and context.is_national(factor.power):
        rule = f"{factor.power} is national: must be one number"
        context.add(path, f"{rule} (got one by place)")
        return
    met = {
        place
        for name in places
        if name in context.scenario.places
        for place in _meant(context, name, context.scenario.places[name], factor.at)
        if place in known
    }
    context.expect_all(path, "place of the variable", sorted(filter(None, met)), factor.reference)


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
    if gate.above != 0 and (states or gate.states is not None):
        rule = f"only a number is above another (got {shown(gate.variable)})"
        context.add((*path, "above"), rule)


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
    """The first place from which no known place is meant by `at`."""
    for name in places:
        place = context.scenario.places.get(name)
        if place is not None and not known & _meant(context, name, place, at):
            return name
    return None


def _meant(context: Context, name: str, place: Place, at: str) -> set[str | None]:
    """The places that `at` may mean from a place."""
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


def check_size(context: Context) -> None:
    """Note excitation that would not die out, and more incidents than the cap."""
    n_types = len(context.scenario.incidents)
    if n_types > MOST_TYPES:
        rule = f"must have at most {MOST_TYPES} incident types (got {n_types})"
        context.add(("incidents",), rule)
        return
    n_factors = sum(
        len(group.level) * len(group.factors)
        for incident in context.scenario.incidents.values()
        for group in incident.groups.values()
    )
    if n_factors > MOST_FACTORS:
        rule = f"must have at most {MOST_FACTORS} factors, counted at every place"
        context.add(("incidents",), f"{rule} (got {n_factors})")
        return
    points: tuple[tuple[str, Callable[[Quantity], float | None]], ...] = (
        ("means", context.value),
        ("95 % points", context.high_value),
    )
    for where, value in points:
        radius = _spectral_radius(context, value)
        if radius >= 1:
            rule = f"excitation must die out at the parameters' {where}"
            got = f"spectral radius {radius:.3g}, must be < 1"
            context.add(("incidents",), f"{rule} (got {got})", by=_only_change(context))
            return
    expected = _expected(context)
    if expected > MOST_INCIDENTS:
        rule = f"must expect at most {MOST_INCIDENTS} incidents in a replication"
        context.add(("incidents",), f"{rule} (got {expected:.3g})", by=_only_change(context))


def _only_change(context: Context) -> list[Path]:
    """The parameter of incidents that a file itself gives; none where there are several."""
    tree = context.log.tree
    texts = [t for path, t in context.log.expressions.items() if path[0] == "incidents"]
    rests_on = {name for text in texts for name in context.basis(text)}
    paths = (context.parameter_path(name) for name in sorted(rests_on))
    own = [path for path in paths if find(tree, path)[0].file == tree.mark.file]
    return own if len(own) == 1 else []


def _spectral_radius(context: Context, value: Callable[[Quantity], float | None]) -> float:
    """The largest modulus of the eigenvalues of what excites what, by incident type.

    Entries are expected direct children. A place's own and its neighbors' shares sum to 1, so
    the types alone decide whether excitation dies out: it does below 1.
    """
    incidents = context.scenario.incidents
    row = {name: i for i, name in enumerate(incidents)}
    children = np.zeros((len(row), len(row)))
    for name, incident in incidents.items():
        for excitation in incident.excites:
            ratio = max(value(excitation.ratio) or 0.0, 0.0)
            children[row[name], row[excitation.type]] += ratio
    return float(np.abs(np.linalg.eigvals(children)).max(initial=0.0))


def _expected(context: Context) -> float:
    scenario = context.scenario
    days = (scenario.end - scenario.start).days + 1.0
    return sum(
        (context.value(level) or 0.0) * days / _DAYS[group.per] * _multiplier(context, group, place)
        for incident in scenario.incidents.values()
        for group in incident.groups.values()
        for place, level in group.level.items()
    )


def _multiplier(context: Context, group: IncidentGroup, place: str) -> float:
    """The product of a group's factors at the start."""
    product = 1.0
    for factor in group.factors.values():
        product *= max(_factor(context, factor, place), 0.0)
    return product


def _factor(context: Context, factor: Factor, place: str) -> float:
    if isinstance(factor, Falling):
        x = _start(context, factor.falling, factor.at, place)
        return math.prod(max(x - i, 0.0) for i in range(factor.order))
    if isinstance(factor, Value):
        return _start(context, factor.value, factor.at, place)
    if isinstance(factor, Table):
        return _table(context, factor)
    if isinstance(factor, Power) and factor.reference != "start":
        given = factor.reference
        if isinstance(given, dict):
            here = _meant(context, place, context.scenario.places[place], factor.at)
            given = next((given[name] for name in here if name in given), math.nan)
        reference = context.value(given) or math.nan
        ratio = _start(context, factor.power, factor.at, place) / reference
        elasticity = context.value(factor.elasticity) or 0.0
        with np.errstate(over="ignore"):
            return float(np.clip(ratio, LEAST_RATIO, MOST_RATIO) ** elasticity)
    return 1.0


def _table(context: Context, factor: Table) -> float:
    """A posture's multiplier at the start, or the mean over months."""
    posture = context.scenario.postures.get(factor.table)
    chosen = [factor.values[posture.start]] if posture else list(factor.values.values())
    values = [context.value(quantity) or 0.0 for quantity in chosen]
    return sum(values) / len(values)


def _start(context: Context, variable: str, at: str, place: str) -> float:
    declared = context.scenario.state.get(variable)
    if declared is None:
        return 1.0
    start = declared.start
    if not isinstance(start, dict):
        return context.value(start) or 0.0
    here = _meant(context, place, context.scenario.places[place], at)
    return sum(context.value(start.get(name or "", 0.0)) or 0.0 for name in here)
