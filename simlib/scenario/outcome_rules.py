"""Outcomes, and the published series they may be counted in.

A body counts an incident once, names of series are told apart, vintages have a law.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simlib.scenario.schema import several, shifted
from simlib.scenario.wording import dotted, shown

if TYPE_CHECKING:
    from simlib.scenario.context import Context
    from simlib.scenario.nodes import Path
    from simlib.scenario.schema import Outcome, SeriesRow

    Channel = tuple[str, str, str]
    """Incident type, target and place."""


READS = ("count", "total", "state", "milestone", "posture", "decision", "series")
_DAY = dt.timedelta(days=1)
MOST_ROWS = 500
"""Rows of all series that are told apart."""
MOST_WORK = 1_000_000
"""Rows times channels that are looked at: a file of a megabyte must not take seconds."""


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of a series, with the channels whose incidents it may count."""

    path: Path
    channels: frozenset[Channel]
    having: dict[str, float]
    below: dict[str, float]

    def meets(self, other: _Row) -> bool:
        """Whether one incident can fall in both rows."""
        if self.channels.isdisjoint(other.channels):
            return False
        having = dict(self.having)
        for mark, least in other.having.items():
            having[mark] = max(least, having.get(mark, least))
        limits = (*self.below.items(), *other.below.items())
        return all(having.get(mark, 0.0) < limit for mark, limit in limits)


def check(context: Context) -> None:
    """Note what is wrong with outcomes and series."""
    for name, outcome in context.scenario.outcomes.items():
        check_outcome(context, ("outcomes", name), outcome)
    for name, series in context.scenario.series.items():
        for i, row in enumerate(series.rows):
            _check_target(context, ("series", name, "rows", i), row.target, (row.incident,))
    if _is_small(context):
        _check_published(context)


def _check_target(context: Context, path: Path, target: str | None, types: tuple[str, ...]) -> None:
    """Note a target of none of some incident types; of none at all where these are unknown."""
    if target is not None:
        known = [context.targets[type_] for type_ in types if type_ in context.targets]
        targets = frozenset().union(*(known or context.targets.values()))
        context.expect((*path, "target"), "target", target, targets)


def check_outcome(context: Context, path: Path, outcome: Outcome) -> None:
    """Note what is wrong with one outcome, wherever it stands, its references apart."""
    if context.expect_one(path, outcome, READS) is None:
        return
    _check_subject(context, path, outcome)
    _check_target(context, path, outcome.target, several(outcome.count or outcome.of))
    _check_window(context, path, outcome)
    _check_day(context, path, outcome)


def _check_subject(context: Context, path: Path, outcome: Outcome) -> None:
    """Note what is wrong with what an outcome reads."""
    if outcome.total is not None and outcome.of is None:
        context.add((*path, "of"), "must be given: the incident types whose marks are summed")
    if outcome.posture in context.scenario.postures:
        for i, state in enumerate(outcome.states):
            known = context.states_of(outcome.posture)
            context.expect((*path, "states", i), "state", state, known)
        if not outcome.states:
            context.add((*path, "states"), "must be given: the states that count")
    if outcome.milestone is None and (outcome.classes or outcome.measure):
        key = "classes" if outcome.classes else "measure"
        context.add((*path, key), "must be given for a milestone only")


def _check_window(context: Context, path: Path, outcome: Outcome) -> None:
    scenario = context.scenario
    lengths = [key for key in ("to", "months", "days") if _given(outcome, key)]
    if len(lengths) > 1:
        rule = f"must have one of to, months and days (got {', '.join(lengths)})"
        context.add((*path, lengths[1]), rule)
        return
    first, last = outcome.start, outcome.end
    if isinstance(first, str):
        _check_following(context, path, outcome)
        return
    is_inside = first is None or scenario.start <= first <= scenario.end
    if is_inside and (outcome.months or outcome.days):
        past = shifted(first or scenario.start, f"{outcome.months or 0} months")
        last_day = past + dt.timedelta(days=outcome.days or 0) - _DAY
        _check_inside(context, (*path, lengths[0]), last_day, scenario.start, scenario.end)
    if first and last and last < first:
        context.add((*path, "to"), f"must not be before from (got {last} < {first})")
        return
    for key, date in (("from", first), ("to", last)):
        _check_inside(context, (*path, key), date, scenario.start, scenario.end)


def _given(outcome: Outcome, key: str) -> bool:
    return getattr(outcome, "end" if key == "to" else key) is not None


def _check_following(context: Context, path: Path, outcome: Outcome) -> None:
    """Note what is wrong with a window that begins with a milestone."""
    if outcome.state is not None or outcome.milestone is not None:
        read = "state" if outcome.state is not None else "milestone"
        context.add((*path, "from"), f"must be a date: no window follows a milestone for a {read}")
    elif not (outcome.months or outcome.days):
        rule = "must be given: how long after the milestone is counted"
        context.add((*path, "months"), rule, "or days")
    elif context.has_span:
        scenario, key = context.scenario, "months" if outcome.months else "days"
        past = shifted(scenario.start, f"{outcome.months or 0} months")
        last = past + dt.timedelta(days=outcome.days or 0) - _DAY
        if last > scenario.end:
            got = f"{scenario.start} to {last} at the earliest"
            rule = f"must not be longer than the run, which ends {scenario.end} (got {got})"
            context.add((*path, key), rule, by=[("end",), ("start",)])


def _check_inside(
    context: Context, path: Path, date: dt.date | None, start: dt.date, end: dt.date
) -> None:
    if not context.has_span:
        return
    if date and date < start:
        rule = f"must not be before the start (got {date} < {start})"
        context.add(path, rule, by=[("start",)])
    if date and date > end:
        context.add(path, f"must not be after the end (got {date} > {end})", by=[("end",)])


def _check_day(context: Context, path: Path, outcome: Outcome) -> None:
    """Note a day on which no state is kept."""
    scenario, day = context.scenario, outcome.on
    if day is None:
        return
    if outcome.state is None:
        context.add((*path, "on"), "must be given for a state only", "use from and to")
        return
    horizon = scenario.end + dt.timedelta(days=1)
    _check_inside(context, (*path, "on"), day, scenario.start, horizon)
    is_edge = day.day == 1 or (day + dt.timedelta(days=1)).day == 1
    if not is_edge and day not in {scenario.start, scenario.end, horizon}:
        rule = f"must be the first or last day of a month (got {day})"
        context.add((*path, "on"), rule)


def _check_published(context: Context) -> None:
    """Note what is wrong with who publishes what."""
    names: dict[tuple[str | None, str], str] = {}
    rows: dict[str, list[_Row]] = {}
    for name, series in context.scenario.series.items():
        path: Path = ("series", name)
        for vintage, distribution in series.vintages.items():
            context.check_distribution((*path, "vintages", vintage), distribution)
        published = (series.publisher, series.published_as or name)
        if published in names:
            rule = (
                f"a name that {names[published]} is published under too (got {shown(published[1])})"
            )
            context.add((*path, "published_as"), rule)
        names.setdefault(published, name)
        own = [_row(context, (*path, "rows", i), row) for i, row in enumerate(series.rows)]
        # What nobody is named for is compared within the series only.
        known = rows.setdefault(series.counted_by or f"series {name}", [])
        for row in own:
            _check_once(context, row, known)
            known.append(row)


def _is_small(context: Context) -> bool:
    """Whether rows can be told apart in time; note it where they cannot."""
    scenario = context.scenario
    n_rows = sum(len(series.rows) for series in scenario.series.values())
    groups = (group for type_ in scenario.incidents.values() for group in type_.groups.values())
    n_channels = sum(len(group.level) for group in groups)
    if n_rows <= MOST_ROWS and n_rows * n_channels <= MOST_WORK:
        return True
    rule = (
        f"must have at most {MOST_ROWS} rows, and {MOST_WORK} rows times levels "
        f"(got {n_rows} rows, {n_channels} levels)"
    )
    context.add(("series",), rule)
    return False


def _check_once(context: Context, row: _Row, others: list[_Row]) -> None:
    met = next((other for other in others if row.meets(other)), None)
    if met is not None:
        rule = f"counts incidents that {dotted(met.path)} counts too"
        context.add(row.path, rule, "narrow it by in, target, having or below")


def _row(context: Context, path: Path, row: SeriesRow) -> _Row:
    wanted = several(row.place)
    incident = context.scenario.incidents.get(row.incident)
    groups = incident.groups.values() if incident else ()
    channels = frozenset(
        (row.incident, group.target, place)
        for group in groups
        if row.target in {None, group.target}
        for place in group.level
        if row.place is None or not context.scenario.regions_of(place).isdisjoint(wanted)
    )
    return _Row(path, channels, row.having, row.below)
