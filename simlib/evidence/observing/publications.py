"""Monthly counts as a publisher will print them, drawn from a scenario.

The chain from an incident to a printed count: an incident may be lethal (a mark); a row of the
series says which incidents its source looks at and how likely it reports one; the report is
printed some weeks after the month. The probability of a report is a parameter, so it is drawn
once a replication and its uncertainty makes months vary together; given it, reports are
independent, and what varies beyond that is the incidents' own (clustering, tempo, postures).

Sources release counts more than once. The first release is what a series counts. A later one has
the first one's count times a factor drawn once a replication and series: of a factor f below 1
each event is kept with probability f, above 1 each brings another with probability f - 1. The
same uniform decides as on the report, so releases are coupled and need no further chance.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from simlib.chance.addresses import name_hash
from simlib.chance.distributions import quantile
from simlib.chance.philox import uniform
from simlib.ensemble.map_runs import map_runs
from simlib.errors import Problem, ScenarioError
from simlib.outcomes.incident_counts import Published, plan_published
from simlib.outcomes.windows import month_starts
from simlib.scenario import as_scenario, digest
from simlib.scenario.requests import n_replications, whole
from simlib.scenario.wording import near_or_all, shown
from simlib.simulation import assemble, simulate

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from simlib.ensemble.execution import Execution
    from simlib.journal import Run
    from simlib.scenario.schema import Scenario

FIRST = "first"
"""The release a series counts by itself: UCDP's candidate events, a monitor's monthly sheet."""


@dataclass(frozen=True, slots=True)
class Publications:
    """What one publisher will print, month by month, in every replication.

    Attributes
    ----------
    publisher, vintage
        Who, and which release.
    scenario, root_seed
        Where the replications come from.
    series
        The names the series are published under, sorted.
    keys
        Their names in the scenario.
    months
        First days of the months, ``datetime64[M]``, shape (n_months,).
    counts
        Shape (n_replications, n_months, n_series).
    """

    publisher: str
    vintage: str
    scenario: str
    root_seed: int
    series: tuple[str, ...]
    keys: tuple[str, ...]
    months: NDArray[np.datetime64]
    counts: NDArray[np.int64]

    def rows(self) -> Iterator[tuple[str, str, int, int]]:
        """Iterate over (series, month, replication, count), by series, month, replication."""
        months = [str(month) for month in self.months]
        for column, name in enumerate(self.series):
            for row, month in enumerate(months):
                for replication, count in enumerate(self.counts[:, row, column].tolist()):
                    yield name, month, replication, count

    def table(self, usual: Mapping[str, float] | None = None) -> pd.DataFrame:
        """Return a row a series and month: what is expected, and how far it spreads.

        Parameters
        ----------
        usual
            Monthly mean of 2024 by the name a series is published under.

        Returns
        -------
        DataFrame
            ``series``, ``month``, ``median``, ``q05`` and ``q95`` (a 90 % interval), ``mean``,
            ``variance_over_mean``, ``share_of_zeros`` and ``mean_2024``.
        """
        import pandas as pd

        low, middle, high = np.quantile(
            self.counts, (0.05, 0.5, 0.95), axis=0, method="inverted_cdf"
        )
        mean, variance = self.counts.mean(axis=0), self.counts.var(axis=0)
        zero = (self.counts == 0).mean(axis=0)
        rows = [
            {
                "series": name,
                "month": str(month),
                "median": float(middle[row, column]),
                "q05": float(low[row, column]),
                "q95": float(high[row, column]),
                "mean": float(mean[row, column]),
                "variance_over_mean": _ratio(variance[row, column], mean[row, column]),
                "share_of_zeros": float(zero[row, column]),
                "mean_2024": (usual or {}).get(name, math.nan),
            }
            for column, name in enumerate(self.series)
            for row, month in enumerate(self.months)
        ]
        return pd.DataFrame(rows)


def publications(
    scenario: Scenario | str | os.PathLike[str],
    publisher: str,
    *,
    months: int | None = None,
    replications: int | None = None,
    vintage: str = FIRST,
    **execution: Unpack[Execution],
) -> Publications:
    """Draw what a publisher will print.

    Parameters
    ----------
    scenario
        A scenario, or the path or bundled name of one; its series name their publishers.
    publisher
        ``ucdp``, ``press``, ``official`` or ``monitors``.
    months
        How many, from the start; all of the scenario's when not given.
    replications
        How many; the scenario's number when not given.
    vintage
        ``first``, or a release that each of the series has a factor for, such as ``final``.
    execution
        Where it runs: `simlib.ensemble.execution.Execution`.

    Raises
    ------
    ScenarioError
        Nothing is published by that name or in that vintage, or months are too many or few.
    """
    loaded = as_scenario(scenario)
    keys = _keys(loaded, publisher, vintage)
    wanted = _months(loaded, months)
    job = _Job(loaded, keys, len(wanted), vintage)
    identity = {
        "scenario": digest(loaded.model_copy(update={"replications": 1})),
        "series": keys,
        "months": len(wanted),
        "vintage": vintage,
    }
    n = n_replications(replications, loaded.replications)
    found = map_runs(_counted, job, n, identity=identity, **execution)
    return Publications(
        publisher=publisher,
        vintage=vintage,
        scenario=loaded.name,
        root_seed=loaded.root_seed,
        series=tuple(_printed_as(loaded, key) for key in keys),
        keys=keys,
        months=wanted,
        counts=found["counts"],
    )


@dataclass(frozen=True)
class _Job:
    """What all replications share."""

    scenario: Scenario
    keys: tuple[str, ...]
    n_months: int
    vintage: str

    @functools.cached_property
    def prepared(self) -> tuple[Any, Published]:
        """The scenario assembled, and its series planned, once a worker."""
        blueprint = assemble(self.scenario)
        return blueprint, plan_published(self.scenario, blueprint.channels.channels, self.keys)


def _counted(job: _Job, replications: range) -> dict[str, NDArray[Any]]:
    """Return the counts of some replications, shape (n, n_months, n_series)."""
    blueprint, published = job.prepared
    order = [published.names.index(key) for key in job.keys]
    counts = [
        _printed(job, published, simulate(blueprint, replication))[: job.n_months, order]
        for replication in replications
    ]
    return {"counts": np.array(counts, dtype=np.int64)}


def _printed(job: _Job, published: Published, run: Run) -> NDArray[np.int64]:
    if job.vintage == FIRST:
        return published.monthly(run)
    factors = [_factor(job.scenario, key, job.vintage, run.replication) for key in published.names]
    return published.monthly(run, factors)


def _factor(scenario: Scenario, key: str, vintage: str, replication: int) -> float:
    """Return a later release's count over the first one's, drawn at its own address."""
    ((kind, arguments),) = scenario.series[key].vintages[vintage].items()
    u = uniform(scenario.root_seed, replication, name_hash(f"vintage|{key}|{vintage}"))
    return quantile(kind, arguments, u)


def _keys(scenario: Scenario, publisher: str, vintage: str) -> tuple[str, ...]:
    """Return the series of a publisher, in the order of the names they are published under."""
    known = sorted({series.publisher for series in scenario.series.values() if series.publisher})
    if publisher not in known:
        rule = f"no series of that publisher (got {shown(publisher)})"
        raise ScenarioError([Problem("as", rule, near_or_all(publisher, known))])
    keys = [key for key, series in scenario.series.items() if series.publisher == publisher]
    lacking = [key for key in keys if vintage not in {FIRST, *scenario.series[key].vintages}]
    if lacking:
        rule = f"no release {shown(vintage)} of {', '.join(lacking)}"
        raise ScenarioError([Problem("vintage", rule, "a series names its later releases")])
    return tuple(sorted(keys, key=lambda key: _printed_as(scenario, key)))


def _printed_as(scenario: Scenario, key: str) -> str:
    return scenario.series[key].published_as or key


def _months(scenario: Scenario, months: int | None) -> NDArray[np.datetime64]:
    every = np.array(month_starts(scenario), dtype="datetime64[M]")
    if months is None:
        return every
    return every[: whole("months", months, 1, len(every))]


def _ratio(variance: float, mean: float) -> float:
    return float(variance / mean) if mean else math.nan
