"""Outcomes and the series they may be counted in."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from simlib.journal import MARKS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from simlib.scenario.nodes import Path
    from simlib.scenario.rules.context import Context
    from simlib.scenario.schema import Outcome, SeriesRow

READS = ("count", "total", "state", "milestone", "posture", "decision", "series")
CLASSES = ("met", "formally_extended", "slipped", "relabelled", "cancelled", "open")
"""The classes a deadline may end in."""


def check(context: Context) -> None:
    """Note what is wrong with outcomes and series."""
    scenario = context.scenario
    context.unique(("outcomes",), scenario.outcomes)
    context.unique(("series",), scenario.series)
    for name, series in scenario.series.items():
        for i, row in enumerate(series.rows):
            _check_row(context, ("series", name, "rows", i), row)
    for name, outcome in scenario.outcomes.items():
        check_outcome(context, ("outcomes", name), outcome)


def _several(value: str | tuple[str, ...] | None) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else value


def _check_names(
    context: Context,
    path: Path,
    what: str,
    value: str | tuple[str, ...] | None,
    known: Collection[str],
) -> None:
    for i, name in enumerate(_several(value)):
        where = path if isinstance(value, str) else (*path, i)
        context.expect(where, what, name, known)


def _check_where(
    context: Context,
    path: Path,
    place: str | tuple[str, ...] | None,
    target: str | None,
    types: Iterable[str],
) -> None:
    _check_names(context, (*path, "in"), "place or country", place, context.regions)
    chosen = [context.targets[type_] for type_ in types if type_ in context.targets]
    targets = frozenset().union(*chosen) if chosen else context.all_targets
    context.expect((*path, "target"), "target", target, targets)


def _check_row(context: Context, path: Path, row: SeriesRow) -> None:
    types = _several(row.incident)
    _check_names(
        context, (*path, "incident"), "incident type", row.incident, context.scenario.incidents
    )
    _check_where(context, path, row.place, row.target, types)
    for key in ("having", "below"):
        for mark in getattr(row, key):
            context.expect((*path, key, mark), "mark", mark, MARKS)
    context.probability((*path, "probability"), row.probability)


def check_outcome(context: Context, path: Path, outcome: Outcome) -> None:
    """Note what is wrong with one outcome, wherever it stands."""
    given = [key for key in READS if getattr(outcome, key) is not None]
    if len(given) != 1:
        rule = f"must have exactly one of {', '.join(READS)} (got {', '.join(given) or 'none'})"
        context.add(path, rule)
        return
    _check_subject(context, path, outcome)
    types = _several(outcome.count or outcome.of)
    _check_where(context, path, outcome.place, outcome.target, types)
    for mark in outcome.having:
        context.expect((*path, "having", mark), "mark", mark, MARKS)
    _check_window(context, path, outcome)
    if outcome.on is not None:
        _check_day(context, path, outcome)


def _check_subject(context: Context, path: Path, outcome: Outcome) -> None:
    """Note what is wrong with what an outcome reads."""
    scenario = context.scenario
    types = scenario.incidents
    _check_names(context, (*path, "count"), "incident type", outcome.count, types)
    _check_names(context, (*path, "of"), "incident type", outcome.of, types)
    context.expect((*path, "total"), "mark", outcome.total, MARKS)
    context.expect((*path, "state"), "state variable", outcome.state, scenario.state)
    context.expect((*path, "milestone"), "milestone", outcome.milestone, scenario.timeline)
    context.expect((*path, "series"), "series", outcome.series, scenario.series)
    context.expect((*path, "decision"), "decision", outcome.decision, context.decisions)
    if outcome.total is not None and outcome.of is None:
        context.add((*path, "of"), "must be given: the incident types whose marks are summed")
    if context.expect((*path, "posture"), "posture", outcome.posture, scenario.postures):
        _check_names(
            context,
            (*path, "states"),
            "state",
            outcome.states,
            context.states_of(outcome.posture or ""),
        )
        if not outcome.states:
            context.add((*path, "states"), "must be given: the states that count")
    if outcome.milestone is None and (outcome.classes or outcome.measure):
        key = "classes" if outcome.classes else "measure"
        context.add((*path, key), "must be given for a milestone only")
    _check_names(context, (*path, "classes"), "class", outcome.classes, CLASSES)


def _check_window(context: Context, path: Path, outcome: Outcome) -> None:
    scenario = context.scenario
    first, last = outcome.start, outcome.end
    if first and last and last < first:
        context.add((*path, "to"), f"must not be before from (got {last} < {first})")
        return
    for key, date in (("from", first), ("to", last)):
        _check_inside(context, (*path, key), date, scenario.start, scenario.end)


def _check_inside(
    context: Context, path: Path, date: dt.date | None, start: dt.date, end: dt.date
) -> None:
    if not context.has_span:
        return
    if date and date < start:
        context.add(path, f"must not be before the start (got {date} < {start})")
    if date and date > end:
        context.add(path, f"must not be after the end (got {date} > {end})")


def _check_day(context: Context, path: Path, outcome: Outcome) -> None:
    """Note a day on which no state is kept."""
    scenario, day = context.scenario, outcome.on
    if outcome.state is None:
        context.add((*path, "on"), "must be given for a state only", "use from and to")
        return
    if day is None:
        return
    horizon = scenario.end + dt.timedelta(days=1)
    _check_inside(context, (*path, "on"), day, scenario.start, horizon)
    is_edge = day.day == 1 or (day + dt.timedelta(days=1)).day == 1
    if not is_edge and day not in {scenario.start, scenario.end, horizon}:
        rule = f"must be the first or last day of a month (got {day})"
        context.add((*path, "on"), rule)
