"""Published series of simulated runs, what could be read off them at a date, and rules on it."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Unpack

import numpy as np

from simlib.analysis.discovery.outcome_events import Event, read_event
from simlib.ensemble.map_runs import map_runs
from simlib.errors import Problem, ScenarioError
from simlib.outcomes.incident_counts import Published, plan_published
from simlib.scenario import as_scenario, digest, option_scenario
from simlib.scenario.requests import n_replications
from simlib.simulation import Blueprint, assemble, simulate
from simlib.statistics.formatting import number

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from simlib.agents.base import Agent
    from simlib.ensemble.execution import Execution
    from simlib.ensemble.map_runs import Arrays
    from simlib.scenario.schema import Scenario

TRANSFORMS = {
    "level": "in the last month published",
    "sum_3": "over the last 3 months published",
    "change": "in the last month published, less those in the month before",
    "ratio_6": "over the last 3 months published, against the 3 months half a year before",
    "ratio_12": "over the last 3 months published, against the 3 months a year before",
}
"""Ratios have half an incident added above and below, so that none is divided by 0."""
_SIGNS = {"at_least": ">=", "at_most": "<="}


@dataclass(frozen=True, slots=True)
class Indicator:
    """A series, and what is computed from its months."""

    series: str
    transform: str


@dataclass(frozen=True, slots=True)
class Threshold:
    """An indicator and its threshold."""

    indicator: Indicator
    side: str
    """``at_least`` or ``at_most``."""
    threshold: float

    @property
    def shown(self) -> str:
        """The threshold as text."""
        words = f"{self.indicator.series} {TRANSFORMS[self.indicator.transform]}"
        return f"{words}, {_SIGNS[self.side]} {number(self.threshold)}"

    def holds(self, seen: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Where values meet it; where nothing is seen yet (nan) they do not."""
        met: NDArray[np.bool_]
        met = seen >= self.threshold if self.side == "at_least" else seen <= self.threshold
        return met


@dataclass(frozen=True, slots=True)
class AlarmRule:
    """One threshold, or several that must hold at once."""

    parts: tuple[Threshold, ...]

    @property
    def shown(self) -> str:
        """The rule as text."""
        return " and ".join(part.shown for part in self.parts)


def by_month(published: NDArray[np.integer], transform: str) -> NDArray[np.float64]:
    """An indicator at each month from the counts up to it, shape (n, n_months).

    It is nan in months that have too few before them.
    """
    counts: NDArray[np.float64] = published.astype(np.float64)
    if transform == "level":
        return counts
    if transform == "change":
        return _late(counts[:, 1:] - counts[:, :-1], counts)
    sums = counts[:, 2:] + counts[:, 1:-1] + counts[:, :-2]
    if transform == "sum_3":
        return _late(sums, counts)
    back = {"ratio_6": 6, "ratio_12": 12}[transform]
    return _late((sums[:, back:] + 0.5) / (sums[:, : max(0, sums.shape[1] - back)] + 0.5), counts)


def _late(values: NDArray[np.float64], counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values as the last months of the counts, nan before."""
    padded = np.full(counts.shape, np.nan)
    if values.shape[1]:
        padded[:, -values.shape[1] :] = values
    return padded


def seen_at(
    values: NDArray[np.float64], known_at: NDArray[np.float64], dates: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Read a series off at dates: its last month that was published, shape (n, n_dates).

    It is nan where no month was published yet. When each month is published, and the dates,
    are in days.
    """
    n_known = np.searchsorted(known_at, dates, side="right")
    nothing = np.full((len(values), 1), np.nan)
    return np.hstack([nothing, values])[:, n_known]


@dataclass(frozen=True, slots=True)
class Observed:
    """What was published of n replications, and when the event first happened.

    Times are in days: `known_at`, when the count of a month is published, has shape
    (n_months, n_series); `event_at`, shape (n,), is infinite where it does not happen. Counts
    have shape (n, n_months, n_series).
    """

    scenario: str
    option: str
    event: str
    root_seed: int
    series: tuple[str, ...]
    known_at: NDArray[np.float64]
    counts: NDArray[np.int64]
    event_at: NDArray[np.float64]
    start: float
    horizon: float

    def part(self, rows: NDArray[np.bool_]) -> Observed:
        """What was observed of some replications."""
        return replace(self, counts=self.counts[rows], event_at=self.event_at[rows])

    def seen(self, indicator: Indicator, dates: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values of an indicator as they could be read off at dates, shape (n, n_dates)."""
        column = self.series.index(indicator.series)
        values = by_month(self.counts[:, :, column], indicator.transform)
        return seen_at(values, self.known_at[:, column], dates)

    def raised(self, rule: AlarmRule, dates: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether a rule holds at dates, shape (n, n_dates)."""
        held = [part.holds(self.seen(part.indicator, dates)) for part in rule.parts]
        return np.asarray(np.logical_and.reduce(held))


@dataclass(frozen=True)
class _EventJob:
    """A scenario and an event; to assemble it in a worker is faster than to pack it."""

    scenario: Scenario
    option: str
    agents: tuple[type[Agent], ...]
    event: Event

    @functools.cached_property
    def prepared(self) -> tuple[Blueprint, Published]:
        """The scenario ready to be simulated, and its series."""
        blueprint = assemble(self.scenario, self.option or None, agents=self.agents)
        return blueprint, plan_published(blueprint.scenario, blueprint.channels.channels)


def _observed(job: _EventJob, piece: range) -> Arrays:
    blueprint, published = job.prepared
    counts, event_at = [], []
    for replication in piece:
        run = simulate(blueprint, replication)
        counts.append(published.monthly(run))
        event_at.append(job.event.first_at(run))
    return {"counts": np.array(counts), "event_at": np.array(event_at)}


def observe(
    scenario: Scenario | str | os.PathLike[str],
    event: str,
    *,
    option: str | None = None,
    replications: int | None = None,
    agents: Sequence[type[Agent]] = (),
    **execution: Unpack[Execution],
) -> Observed:
    """Simulate what is published month by month, and when an event first happens.

    Arguments are those of `simlib.analysis.tripwires`; agent classes are added to the
    scenario's.

    Raises
    ------
    ScenarioError
        The scenario has no series or no such option, or the event cannot be read.
    """
    loaded = as_scenario(scenario)
    changed = option_scenario(loaded, option) if option else loaded
    if not changed.series:
        raise ScenarioError([Problem("series", "the scenario has no published series")])
    job = _EventJob(loaded, option or "", tuple(agents), read_event(event, changed))
    n = n_replications(replications, loaded.replications)
    identity = {
        "scenario": digest(loaded.model_copy(update={"replications": 1})),
        "option": option or "",
        "event": repr(job.event),
        "agents": [f"{each.__module__}.{each.__qualname__}" for each in agents],
    }
    found = map_runs(_observed, job, n, identity=identity, **execution)
    # Series do not depend on the worker: planned once more here, for their dates.
    blueprint, published = job.prepared
    return Observed(
        scenario=loaded.name,
        option=option or "",
        event=event,
        root_seed=loaded.root_seed,
        series=published.names,
        known_at=published.known_at,
        counts=found["counts"],
        event_at=found["event_at"],
        start=blueprint.start,
        horizon=blueprint.horizon,
    )
