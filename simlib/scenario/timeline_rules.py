"""Dates: start and end, milestones, and what options do to them."""

from __future__ import annotations

import datetime as dt
import re
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from simlib.scenario.schema import shifted
from simlib.scenario.wording import shown

if TYPE_CHECKING:
    from simlib.scenario.context import Context
    from simlib.scenario.nodes import Path
    from simlib.scenario.schema import MilestoneChange, Option

_SHIFT = re.compile(r"([+-]?[0-9]{1,5}) (day|month|year)s?")
MOST_SHIFT = {"day": 36525, "month": 1200, "year": 100}
"""Largest shift of a milestone: 100 years."""
MOST_YEARS = 100
"""Longest horizon, in years."""
_SPAN: list[Path] = [("start",), ("end",)]


def check(context: Context) -> None:
    """Note what is wrong with dates, milestones and options."""
    scenario = context.scenario
    if scenario.end < scenario.start:
        rule = f"must not be before start (got {scenario.end} < {scenario.start})"
        context.add(("end",), rule, by=[("start",)])
    if (scenario.end - scenario.start).days > MOST_YEARS * 366:
        rule = f"must be at most {MOST_YEARS} years after start"
        context.add(("end",), rule, by=[("start",)])
    waits = {n: [m.conditional_on] for n, m in scenario.timeline.items() if m.conditional_on}
    _check_circle(context, waits, "milestones wait for", ("timeline", "conditional_on"))
    follows = {name: [o.of] for name, o in scenario.options.items() if o.of}
    _check_circle(context, follows, "options go on from", ("options", "of"))
    for name, option in scenario.options.items():
        _check_option(context, name, option)


def _check_circle(
    context: Context, links: dict[str, list[str]], what: str, keys: tuple[str, str]
) -> None:
    """Note what follows on itself."""
    try:
        TopologicalSorter(links).prepare()
    except CycleError as error:
        circle = error.args[1][::-1]
        rule = f"{what} one another in a circle (got {' -> '.join(circle[:9])})"
        context.add((keys[0], circle[0], keys[1]), rule)


def _check_option(context: Context, name: str, option: Option) -> None:
    timeline = context.scenario.timeline
    _check_fork(context, ("options", name), option)
    for milestone, change in option.timeline.items():
        path: Path = ("options", name, "timeline", milestone)
        is_dated = ("timeline", milestone, "date") not in context.log.broken
        if milestone in timeline and is_dated:
            _check_change(context, path, change, (timeline[milestone].date, option.at))


def _check_fork(context: Context, path: Path, option: Option) -> None:
    if option.at is None:
        return
    if option.parameters:
        rule = "cannot be replaced at a fork: what is past would have been another"
        context.add((*path, "parameters"), rule)
    if context.has_span:
        start, end = context.scenario.start, context.scenario.end
        if not start <= option.at <= end:
            rule = f"must be from the start to the end, {start} to {end} (got {option.at})"
            context.add((*path, "at"), rule, by=_SPAN)


def _check_change(
    context: Context,
    path: Path,
    change: MilestoneChange,
    dates: tuple[dt.date | None, dt.date | None],
) -> None:
    agreed, fork = dates
    if agreed is None:
        _check_undated(context, path, change)
    keys = ("shift", "extend", "date")
    given = [key for key in keys if getattr(change, key) is not None]
    given += ["cancel"] if change.cancel else []
    if len(given) > 1:
        context.add(path, f"must have one of shift, extend, date, cancel (got {', '.join(given)})")
    can_shift = is_shift(context, (*path, "shift"), change.shift)
    is_shift(context, (*path, "extend"), change.extend)
    if not context.has_span:
        return
    scenario = context.scenario
    if change.announced and change.announced > scenario.end:
        rule = f"must not be after the end (got {change.announced} > {scenario.end})"
        context.add((*path, "announced"), rule, by=[("end",)])
    announced = max(change.announced or scenario.start, fork or scenario.start, scenario.start)
    goal = shifted(agreed, change.shift) if agreed and change.shift and can_shift else agreed
    is_moved = change.date is not None or goal != agreed
    goal = change.date or goal
    if is_moved and goal and goal < announced:
        rule = f"must not move to before it is announced (got {goal} < {announced})"
        by = [(*path, "announced"), ("timeline", path[-1], "date"), (*path[:2], "at"), ("start",)]
        context.add((*path, given[0]), rule, by=by)


def _check_undated(context: Context, path: Path, change: MilestoneChange) -> None:
    """Note a shift of a milestone that has no date."""
    for key in ("shift", "extend"):
        if getattr(change, key) is not None:
            rule = "cannot move a milestone without a date"
            context.add((*path, key), rule, "give it one: date: YYYY-MM-DD")


def is_shift(context: Context, path: Path, shift: str | None) -> bool:
    """Note what is no shift of a date; return whether it is none that is given, or one."""
    parts = _SHIFT.fullmatch("0 days" if shift is None else shift)
    if parts is None:
        rule = f"must be a whole number of days, months or years (got {shown(str(shift))})"
        context.add(path, rule, "such as '12 months' or '-90 days'")
    elif abs(int(parts[1])) > MOST_SHIFT[parts[2]]:
        context.add(path, f"must be at most 100 years (got {shown(str(shift))})")
    else:
        return True
    return False
