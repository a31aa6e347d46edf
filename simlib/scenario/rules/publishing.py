"""Published series: a body counts an incident once, names are told apart, vintages have a law."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simlib.chance.distributions import KINDS
from simlib.chance.distributions import check as broken_rules
from simlib.scenario.wording import dotted, near_or_all, shown

if TYPE_CHECKING:
    from simlib.scenario.nodes import Path
    from simlib.scenario.rules.context import Context
    from simlib.scenario.schema import Series, SeriesRow

    Channel = tuple[str, str, str]
    """Incident type, target and place."""


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
    """Note what is wrong with who publishes what."""
    if not _is_small(context):
        return
    names: dict[tuple[str | None, str], str] = {}
    rows: dict[str, list[_Row]] = {}
    for name, series in context.scenario.series.items():
        path: Path = ("series", name)
        _check_vintages(context, path, series)
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


def _check_vintages(context: Context, path: Path, series: Series) -> None:
    for vintage, distribution in series.vintages.items():
        here = (*path, "vintages", vintage)
        if len(distribution) != 1:
            got = ", ".join(distribution) or "none"
            context.add(here, f"must name one distribution (got {got})")
            continue
        ((kind, arguments),) = distribution.items()
        if kind not in KINDS:
            context.add(here, f"unknown distribution (got {shown(kind)})", near_or_all(kind, KINDS))
            continue
        for rule in broken_rules(kind, arguments):
            context.add((*here, kind), rule)


def _row(context: Context, path: Path, row: SeriesRow) -> _Row:
    wanted = (row.place,) if isinstance(row.place, str) else row.place
    incident = context.scenario.incidents.get(row.incident)
    groups = incident.groups.values() if incident else ()
    channels = frozenset(
        (row.incident, group.target, place)
        for group in groups
        if row.target in {None, group.target}
        for place in group.level
        if wanted is None or not context.names_of(place).isdisjoint(wanted)
    )
    return _Row(path, channels, row.having, row.below)
