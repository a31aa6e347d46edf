"""What published series show of a run month by month, and from when on it is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simlib.outcomes.incident_counts import SeriesPlan, plan_series
from simlib.outcomes.windows import month_edges

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from simlib.journal import Channels, Run
    from simlib.scenario.schema import Scenario


@dataclass(frozen=True, slots=True)
class Published:
    """The published series of a scenario, counted by calendar month.

    Attributes
    ----------
    names
        The series, sorted.
    edges
        Edges of the months in days: the start, firsts of months, the horizon.
    known_at
        When the count of a month is known, in days, shape (n_months, n_series): the end of
        the month and the lag of the series after it.
    """

    names: tuple[str, ...]
    edges: NDArray[np.float64]
    known_at: NDArray[np.float64]
    plans: tuple[SeriesPlan, ...]

    def monthly(self, run: Run, factors: Sequence[float] | None = None) -> NDArray[np.int64]:
        """Return what the series count, shape (n_months, n_series).

        Parameters
        ----------
        run
            What is counted.
        factors
            Expected count over what the rows say, by series: a later release that drops some
            events or adds others of the same kind. All 1 when not given.
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
        """Return how many months of each series are known at a time (days)."""
        known: NDArray[np.int64] = (self.known_at <= at).sum(axis=0)
        return known


def plan_published(
    scenario: Scenario, channels: Channels, names: Iterable[str] | None = None
) -> Published:
    """Prepare published series.

    Parameters
    ----------
    scenario
        The scenario that declares them.
    channels
        The channels its incidents refer to.
    names
        Which; all of them when not given.

    Raises
    ------
    KeyError
        There is no such series.
    """
    chosen = tuple(sorted(scenario.series if names is None else names))
    edges = month_edges(scenario)
    lags = np.array([scenario.series[name].lag_days for name in chosen])
    return Published(
        names=chosen,
        edges=edges,
        known_at=edges[1:, None] + lags[None, :],
        plans=tuple(plan_series(scenario, channels, name) for name in chosen),
    )
