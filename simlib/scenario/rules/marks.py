"""Marks of incidents, and the effects that are measured by them."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from simlib.chance.distributions import COUNT_LAWS, check_count
from simlib.journal import MARKS
from simlib.scenario.rules.incidents import check_factor, check_variable
from simlib.scenario.wording import listed, near_or_all, shown

if TYPE_CHECKING:
    from simlib.scenario.models import Quantity
    from simlib.scenario.nodes import Path
    from simlib.scenario.rules.context import Context
    from simlib.scenario.schema import Effect, Group, Mark

DRAWN_BY = ("probability", "law", "share")
UNIFORMS = frozenset({"reported", "neighbor"})
"""Marks that every incident has by itself."""
MOST_EFFECT_MARKS = 2


def check(context: Context) -> None:
    """Note what is wrong with the marks and effects of every group."""
    for type_, incident in context.scenario.incidents.items():
        for name, group in incident.groups.items():
            path = ("incidents", type_, "groups", name)
            for mark_name, mark in group.marks.items():
                _check_mark(context, (*path, "marks", mark_name), mark, group)
            for i, effect in enumerate(group.effects):
                _check_effect(context, (*path, "effects", i), effect, group)


def _check_mark(context: Context, path: Path, mark: Mark, group: Group) -> None:
    name = str(path[-1])
    if not context.expect(path, "mark", name, MARKS):
        return
    if name in UNIFORMS:
        context.add(path, f"every incident has this mark by itself (got {name})")
    given = [key for key in DRAWN_BY if getattr(mark, key) is not None]
    if len(given) != 1:
        got = ", ".join(given) or "none"
        context.add(path, f"must have exactly one of {', '.join(DRAWN_BY)} (got {got})")
        return
    _check_when(context, (*path, "when"), mark.when, group)
    if mark.when is not None and mark.when.removeprefix("not ") in MARKS:
        _check_drawn_before(context, path, name, mark.when)
    for factor_name, factor in mark.factors.items():
        check_factor(context, (*path, "factors", factor_name), factor, group.level)
    _check_draw(context, path, mark, group)


def _check_draw(context: Context, path: Path, mark: Mark, group: Group) -> None:
    if isinstance(mark.probability, dict):
        missing = list(islice((name for name in group.level if name not in mark.probability), 5))
        if missing:
            rule = f"must name every place of the level (missing: {listed(missing)})"
            context.add((*path, "probability"), rule)
        for place, probability in mark.probability.items():
            inner = (*path, "probability", place)
            context.expect(inner, "place", place, context.scenario.places)
            context.probability(inner, probability)
    elif mark.probability is not None:
        context.probability((*path, "probability"), mark.probability)
    if mark.law is not None:
        _check_law(context, (*path, "law"), mark.law)
    if mark.share is not None:
        for i, end in enumerate(mark.share):
            context.probability((*path, "share", i), end)


def _check_drawn_before(context: Context, path: Path, name: str, when: str) -> None:
    if MARKS.index(when.removeprefix("not ")) >= MARKS.index(name):
        rule = f"{name} is drawn before its condition (got {shown(when)})"
        context.add((*path, "when"), rule, f"marks are drawn in the order {', '.join(MARKS)}")


def _check_when(context: Context, path: Path, when: str | None, group: Group) -> None:
    if when is None:
        return
    name = when.removeprefix("not ")
    known = [n for n, mark in group.marks.items() if mark.probability is not None]
    if name not in known:
        hint = near_or_all(name, known, "yes/no marks of this group")
        context.add(path, f"undefined yes/no mark (got {shown(when)})", hint)


def _check_law(context: Context, path: Path, law: dict[str, dict[str, Quantity]]) -> None:
    if len(law) != 1:
        context.add(path, f"must name one law (got {', '.join(law) or 'none'})")
        return
    ((kind, quantities),) = law.items()
    if kind not in COUNT_LAWS:
        context.add(path, f"unknown law (got {shown(kind)})", near_or_all(kind, COUNT_LAWS))
        return
    args = {name: context.value(quantity) for name, quantity in quantities.items()}
    known = {name: value for name, value in args.items() if value is not None}
    if len(known) == len(args):
        for rule in check_count(kind, known):
            context.add((*path, kind), rule)


def _check_effect(context: Context, path: Path, effect: Effect, group: Group) -> None:
    given = [key for key in ("change", "move") if getattr(effect, key) is not None]
    if len(given) != 1:
        got = ", ".join(given) or "none"
        context.add(path, f"must have exactly one of change, move (got {got})")
        return
    variable = effect.change or effect.move or ""
    if (effect.to is not None) != (effect.move is not None):
        needs = "must be given for a move" if effect.move else "must be given for a move only"
        context.add((*path, "to"), needs)
    if check_variable(context, (*path, given[0]), variable, effect.at, group.level):
        check_variable(context, (*path, given[0]), variable, effect.to or effect.at, group.level)
        _check_changed(context, (*path, given[0]), variable)
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
