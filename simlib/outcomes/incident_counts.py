"""Incidents counted: the outcomes that count them, and what published series show of them.

Time is cut at every edge of every window. For each thing that is counted (incidents,
incidents with a mark, the sum of a mark, what a series reports) one pass fills a table
segment x channel; an outcome is the sum of some of its cells. A published series is counted
by calendar month, and known some time after the month has ended.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simlib.errors import Problem, ScenarioError
from simlib.journal import to_days
from simlib.outcomes.windows import month_edges, window, within
from simlib.scenario.expressions import compile_quantity
from simlib.scenario.schema import several

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from simlib.journal import Channels, Incidents, Run
    from simlib.scenario.schema import Outcome, Scenario, SeriesRow

    Level = tuple[str, float]
    """A mark and its least value."""

MAX_LEVELS = 12
"""Mark levels one series may tell apart (its table has a row for each combination)."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What is counted: incidents or the sum of a mark, of all, or as a series reports."""

    mark: str | None
    series: str | None
    having: tuple[Level, ...]


@dataclass(frozen=True, slots=True)
class SeriesPlan:
    """Which row of a series an incident falls in, and how likely that row is reported."""

    levels: tuple[Level, ...]
    rows: NDArray[np.intp]
    """Row by (levels reached, channel), flat; the number of rows where none matches."""
    probabilities: tuple[Callable[[Mapping[str, float]], float], ...]

    def reported(self, incidents: Incidents, parameters: Mapping[str, float]) -> NDArray[np.bool_]:
        """Which incidents the series reports, shape (n,)."""
        reported: NDArray[np.bool_] = incidents.mark("reported") < self._chance(
            incidents, parameters
        )
        return reported

    def times_reported(
        self, incidents: Incidents, parameters: Mapping[str, float], factor: float
    ) -> NDArray[np.intp]:
        """How often each incident is counted, shape (n,), where counts are scaled.

        An incident that is reported with probability p at the uniform u is counted once for
        each k = 0, 1, ... with u < p min(1, factor - k): p times the factor on average.
        """
        u, chance = incidents.mark("reported"), self._chance(incidents, parameters)
        times = np.zeros(len(u), dtype=np.intp)
        for k in range(math.ceil(factor)):
            times += u < chance * min(1.0, factor - k)
        return times

    def _chance(self, incidents: Incidents, parameters: Mapping[str, float]) -> NDArray[np.float64]:
        """The probability with which each incident is reported, shape (n,)."""
        values = [probability(parameters) for probability in self.probabilities]
        table = np.array([*values, 0.0])[self.rows]
        key = incidents.channel.astype(np.intp)
        for bit, (mark, level) in enumerate(self.levels):
            step = len(incidents.channels) << bit
            key += (incidents.mark(mark) >= level) * step
        chance: NDArray[np.float64] = table[key]
        return chance


@dataclass(frozen=True, slots=True)
class CountedTogether:
    """The outcomes that share a source, with the cells each of them sums."""

    source: Counted
    outcomes: tuple[str, ...]
    cells: NDArray[np.intp]
    starts: NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class IncidentOutcomes:
    """Every outcome of a scenario that is counted over incidents."""

    edges: NDArray[np.float64]
    n_channels: int
    groups: tuple[CountedTogether, ...]
    series: dict[str, SeriesPlan]

    def evaluate(self, run: Run) -> dict[str, float]:
        """The value of each outcome."""
        if not self.groups:
            return {}
        incidents = run.incidents
        keep, key = cell_of(incidents, self.edges, incidents.channel, self.n_channels)
        reported = {
            name: series.reported(incidents, run.parameters) for name, series in self.series.items()
        }
        values: dict[str, float] = {}
        for group in self.groups:
            chosen = _chosen(group.source, incidents, reported)
            sums = self._sums(group, incidents, (keep, key, chosen))
            values.update(zip(group.outcomes, sums.tolist(), strict=True))
        return values

    def each(self, run: Run, outcome: str) -> NDArray[np.float64]:
        """The share of each incident in one outcome, shape (n,); they sum to its value.

        Raises `KeyError` where it is not counted over incidents.
        """
        incidents = run.incidents
        group = next((group for group in self.groups if outcome in group.outcomes), None)
        if group is None:
            raise KeyError(f"outcome {outcome!r} is not counted over incidents")
        at = group.outcomes.index(outcome)
        last = group.starts[at + 1] if at + 1 < len(group.starts) else len(group.cells)
        is_counted = np.zeros((len(self.edges) - 1) * self.n_channels + 1, dtype=np.bool_)
        is_counted[group.cells[group.starts[at] : last]] = True
        keep, key = cell_of(incidents, self.edges, incidents.channel, self.n_channels)
        source = group.source
        added = np.zeros(len(incidents))
        inside = is_counted[key]
        added[keep] = inside if source.mark is None else incidents.mark(source.mark)[keep] * inside
        reported = {
            name: series.reported(incidents, run.parameters)
            for name, series in self.series.items()
            if name == source.series
        }
        chosen = _chosen(source, incidents, reported)
        return added if chosen is None else added * chosen

    def _sums(
        self,
        group: CountedTogether,
        incidents: Incidents,
        where: tuple[slice, NDArray[np.intp], NDArray[np.bool_] | None],
    ) -> NDArray[np.float64]:
        keep, key, chosen = where
        mark = group.source.mark
        weights = None if mark is None else incidents.mark(mark)[keep]
        if chosen is not None:
            key = key[chosen[keep]]
            weights = None if weights is None else weights[chosen[keep]]
        # The last cell stays empty: every outcome sums it too, so that none sums nothing.
        size = (len(self.edges) - 1) * self.n_channels + 1
        table = np.bincount(key, weights, minlength=size)
        return np.add.reduceat(table[group.cells], group.starts).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Published:
    """The published series of a scenario, by name, counted by calendar month.

    The edges of the months, in days, are the start, firsts of months and the horizon. The count
    of a month is `known_at`, in days, shape (n_months, n_series): the end of the month and the
    lag of the series after it.
    """

    names: tuple[str, ...]
    edges: NDArray[np.float64]
    known_at: NDArray[np.float64]
    plans: tuple[SeriesPlan, ...]

    def monthly(self, run: Run, factors: Sequence[float] | None = None) -> NDArray[np.int64]:
        """The counts of the series, shape (n_months, n_series).

        Factors are the expected count over what the rows say, by series: a later release that drops
        some events or adds others of the same kind. All are 1 when not given.
        """
        incidents = run.incidents
        month = np.searchsorted(self.edges, incidents.time, side="right") - 1
        # The horizon itself belongs to the last month; what is before the start to none.
        month[incidents.time == self.edges[-1]] = len(self.edges) - 2
        counts = np.empty((len(self.edges) - 1, len(self.names)), dtype=np.int64)
        for column, plan in enumerate(self.plans):
            factor = 1.0 if factors is None else factors[column]
            times = plan.times_reported(incidents, run.parameters, factor) * (month >= 0)
            reported = np.repeat(month, times)
            counts[:, column] = np.bincount(reported, minlength=len(counts))
        return counts

    def n_known(self, at: float) -> NDArray[np.int64]:
        """How many months of each series are known at a time (days)."""
        known: NDArray[np.int64] = (self.known_at <= at).sum(axis=0)
        return known


def cell_of(
    incidents: Incidents,
    edges: NDArray[np.float64],
    column: NDArray[np.int32] | NDArray[np.intp],
    n_columns: int,
) -> tuple[slice, NDArray[np.intp]]:
    """The incidents between the outer edges, and each one's cell segment x column.

    A segment holds its first edge and not its last; the last segment holds both.
    """
    bounds = np.searchsorted(incidents.time, edges)
    bounds[-1] = np.searchsorted(incidents.time, edges[-1], side="right")
    keep = slice(int(bounds[0]), int(bounds[-1]))
    segments = np.arange(len(edges) - 1) * n_columns
    key: NDArray[np.intp] = np.repeat(segments, np.diff(bounds)) + column[keep]
    return keep, key


def plan_incidents(
    scenario: Scenario, channels: Channels, outcomes: Mapping[str, Outcome]
) -> IncidentOutcomes:
    """Prepare the outcomes that are counted over incidents."""
    edges = _edges(scenario, outcomes)
    members: dict[Counted, list[str]] = {}
    for name, outcome in outcomes.items():
        members.setdefault(_source(outcome), []).append(name)
    groups = []
    for source, group in members.items():
        cells = [_cells(outcomes[name], scenario, channels, edges) for name in group]
        starts = np.cumsum([0, *(len(part) for part in cells[:-1])])
        groups.append(CountedTogether(source, tuple(group), np.concatenate(cells), starts))
    series = {
        source.series: plan_series(scenario, channels, source.series)
        for source in members
        if source.series is not None
    }
    return IncidentOutcomes(edges, len(channels), tuple(groups), series)


def plan_series(scenario: Scenario, channels: Channels, name: str) -> SeriesPlan:
    """Prepare a series: the first row that matches an incident counts it."""
    series = scenario.series[name]
    tested = {level for row in series.rows for level in (*row.having.items(), *row.below.items())}
    levels = tuple(sorted(tested))
    if len(levels) > MAX_LEVELS:
        rule = f"at most {MAX_LEVELS} levels of marks are told apart (got {len(levels)})"
        raise ScenarioError([Problem(f"series.{name}.rows", rule)])
    combinations = range(2 ** len(levels))
    rows = np.full((len(combinations), len(channels)), len(series.rows), dtype=np.intp)
    for index in reversed(range(len(series.rows))):
        row = series.rows[index]
        fits = _channel_mask(scenario, channels, (several(row.incident), row.place, row.target))
        for combination in combinations:
            if _matches(row, levels, combination):
                rows[combination, fits] = index
    quantities = tuple(compile_quantity(row.probability) for row in series.rows)
    return SeriesPlan(levels, rows.ravel(), quantities)


def plan_published(
    scenario: Scenario, channels: Channels, chosen: Iterable[str] | None = None
) -> Published:
    """Prepare published series, all when none is chosen; raises `KeyError` for one not there."""
    series = tuple(sorted(scenario.series if chosen is None else chosen))
    edges = month_edges(scenario)
    lags = np.array([scenario.series[name].lag_days for name in series])
    return Published(
        names=series,
        edges=edges,
        known_at=edges[1:, None] + lags[None, :],
        plans=tuple(plan_series(scenario, channels, name) for name in series),
    )


def _matches(row: SeriesRow, levels: tuple[Level, ...], combination: int) -> bool:
    reached = {level: bool(combination >> bit & 1) for bit, level in enumerate(levels)}
    return all(reached[level] for level in row.having.items()) and not any(
        reached[level] for level in row.below.items()
    )


def _chosen(
    source: Counted, incidents: Incidents, reported: Mapping[str, NDArray[np.bool_]]
) -> NDArray[np.bool_] | None:
    """Which incidents a source counts; None where it counts all."""
    chosen = None if source.series is None else reported[source.series]
    for mark, level in source.having:
        reached = incidents.mark(mark) >= level
        chosen = reached if chosen is None else chosen & reached
    return chosen


def _source(outcome: Outcome) -> Counted:
    having = tuple(sorted(outcome.having.items()))
    return Counted(outcome.total, outcome.series, having)


def _edges(scenario: Scenario, outcomes: Mapping[str, Outcome]) -> NDArray[np.float64]:
    start, horizon = to_days(scenario.start), to_days(scenario.end) + 1.0
    found = {edge for outcome in outcomes.values() for edge in window(outcome, scenario)}
    inside = {edge for edge in found if start < edge < horizon}
    return np.array(sorted({start, horizon} | inside))


def _cells(
    outcome: Outcome, scenario: Scenario, channels: Channels, edges: NDArray[np.float64]
) -> NDArray[np.intp]:
    first, last = window(outcome, scenario)
    segments = np.flatnonzero((edges[:-1] >= first) & (edges[1:] <= last))
    types = several(outcome.count or outcome.of)
    mask = _channel_mask(scenario, channels, (types, outcome.place, outcome.target))
    inner = segments[:, None] * len(channels) + np.flatnonzero(mask)[None, :]
    empty = (len(edges) - 1) * len(channels)
    return np.append(inner.ravel(), empty).astype(np.intp)


def _channel_mask(
    scenario: Scenario,
    channels: Channels,
    wanted: tuple[tuple[str, ...], str | tuple[str, ...] | None, str | None],
) -> NDArray[np.bool_]:
    types, where, target = wanted
    places = within(scenario, where)
    fits = [
        (not types or of_type in types) and place in places and target in (None, at)
        for of_type, place, at in zip(
            channels.types, channels.places, channels.targets, strict=True
        )
    ]
    return np.array(fits, dtype=np.bool_)
