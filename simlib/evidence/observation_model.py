"""Monthly counts as a publisher will print them, drawn from a scenario.

The chain from an incident to a printed count: an incident may be lethal (a mark); a row of the
series says which incidents its source looks at and how likely it reports one; the report is
printed some weeks after the month. The probability of a report is a parameter, so it is drawn
once a replication and its uncertainty makes months vary together; given it, reports are
independent, and what varies beyond that is the incidents' own (clustering, AR(1) multipliers,
postures).

Sources release counts more than once. The first release is what a series counts. A later one has
the first one's count times a factor drawn once a replication and series: of a factor f below 1
each event is kept with probability f, above 1 each brings another with probability f - 1. The
same uniform decides as on the report, so releases are coupled and need no further chance.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Unpack

import numpy as np

from simlib.chance.addresses import name_hash
from simlib.chance.distributions import quantile
from simlib.chance.philox import uniform
from simlib.ensemble.map_runs import map_runs
from simlib.errors import Problem, ScenarioError
from simlib.finding import Finding
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

STATISTICS = ("mean", "variance / mean", "share of zeros", "largest")
MONTHS_SHOWN = 12
FIRST = "first"
"""The release a series counts by itself: UCDP's candidate events, a monitor's monthly sheet."""


@dataclass(frozen=True, slots=True)
class Publications(Finding):
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

    stem: ClassVar[str] = "publications"

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

    def sentences(self) -> list[str]:
        """Say who prints what, of which release, and on how many replications it rests."""
        release = "first release" if self.vintage == FIRST else f"release {self.vintage}"
        what = f"Monthly counts of {len(self.series)} series as {self.publisher} will print them"
        span = f"{release}, {self.months[0]} to {self.months[-1]}"
        rests = f"medians and 90 % intervals over {len(self.counts):,} replications"
        return [f"{what} ({span}): {rests} of {self.scenario}."]

    def table(self, usual: Mapping[str, float] | None = None) -> pd.DataFrame:
        """Say what is expected of each series and month, and how far it spreads.

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

        n_series, n_months = len(self.series), len(self.months)
        # Order statistics: a quantile of counts is a count that was drawn.
        low, middle, high = np.quantile(
            self.counts, (0.05, 0.5, 0.95), axis=0, method="inverted_cdf"
        )
        # Variance over mean is 1 of a Poisson count; months that never have an event have none.
        mean, variance = self.counts.mean(axis=0), self.counts.var(axis=0)
        ratio = np.divide(variance, mean, out=np.full(mean.shape, math.nan), where=mean > 0)
        columns = {
            "median": middle,
            "q05": low,
            "q95": high,
            "mean": mean,
            "variance_over_mean": ratio,
            "share_of_zeros": (self.counts == 0).mean(axis=0),
        }
        # From (n_months, n_series) to rows, all months of a series together.
        table = {
            "series": np.repeat(self.series, n_months),
            "month": np.tile(self.months.astype(str), n_series),
            **{name: values.T.ravel().astype(np.float64) for name, values in columns.items()},
        }
        known = [(usual or {}).get(name, math.nan) for name in self.series]
        return pd.DataFrame({**table, "mean_2024": np.repeat(known, n_months)})

    def brief(self) -> pd.DataFrame:
        """Keep the first months of the table."""
        table = self.table()
        return table[table["month"].isin([str(month) for month in self.months[:MONTHS_SHOWN]])]

    def beside(self, past: Mapping[str, NDArray[np.int64]], label: str) -> pd.DataFrame:
        """Judge the forecast by what was known: whether it would call past months a surprise.

        No later month is looked at. Statistics of past months are held against the same
        statistics of as many months of every replication (a predictive check: Gelman, Meng and
        Stern 1996, Statistica Sinica 6, 733-760). A forecast of a year that is expected to differ
        may well call the past one a surprise; then it has to say why.

        Parameters
        ----------
        past
            Monthly counts of a series, such as ``ucdp_1``; series without are left out.
        label
            What the past months are called.

        Returns
        -------
        DataFrame
            A row a series and statistic: its past value, the median and 90 % interval over
            replications, and ``below``, the share of replications with less (half of those with
            the same): near 0 or 1 is a surprise. Empty where there are too few months.
        """
        import pandas as pd

        rows = []
        for column, (key, name) in enumerate(zip(self.keys, self.series, strict=True)):
            months = past.get(key, np.empty(0, dtype=np.int64))
            if not 0 < len(months) <= len(self.months):
                continue
            drawn = self.counts[:, : len(months), column]
            for statistic, once, forecast in zip(
                STATISTICS, _statistics(months[None, :]), _statistics(drawn), strict=True
            ):
                low, middle, high = np.quantile(forecast, (0.05, 0.5, 0.95)).tolist()
                below = (forecast < once[0]).mean() + (forecast == once[0]).mean() / 2.0
                rows.append((name, statistic, float(once[0]), middle, low, high, float(below)))
        columns = ["series", "statistic", label, "median", "q05", "q95", "below"]
        return pd.DataFrame(rows, columns=columns)


def _statistics(counts: NDArray[np.int64]) -> Iterator[NDArray[np.float64]]:
    """Iterate over `STATISTICS` of every row, shape (n,); no events have no dispersion."""
    mean, variance = counts.mean(axis=1), counts.var(axis=1, ddof=1)
    yield mean
    yield np.divide(variance, mean, out=np.zeros(len(mean)), where=mean > 0)
    yield (counts == 0).mean(axis=1)
    yield counts.max(axis=1).astype(np.float64)


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
    job = _PublicationJob(loaded, keys, len(wanted), vintage)
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
class _PublicationJob:
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


def _counted(job: _PublicationJob, replications: range) -> dict[str, NDArray[Any]]:
    """Count some replications, shape (n, n_months, n_series)."""
    blueprint, published = job.prepared
    order = [published.names.index(key) for key in job.keys]
    counts = [
        _printed(job, published, simulate(blueprint, replication))[: job.n_months, order]
        for replication in replications
    ]
    return {"counts": np.array(counts, dtype=np.int64)}


def _printed(job: _PublicationJob, published: Published, run: Run) -> NDArray[np.int64]:
    if job.vintage == FIRST:
        return published.monthly(run)
    factors = [_factor(job.scenario, key, job.vintage, run.replication) for key in published.names]
    return published.monthly(run, factors)


def _factor(scenario: Scenario, key: str, vintage: str, replication: int) -> float:
    """Draw a later release's count over the first one's, at its own address."""
    ((kind, arguments),) = scenario.series[key].vintages[vintage].items()
    u = uniform(scenario.root_seed, replication, name_hash(f"vintage|{key}|{vintage}"))
    return quantile(kind, arguments, u)


def _keys(scenario: Scenario, publisher: str, vintage: str) -> tuple[str, ...]:
    """List the series of a publisher, in the order of the names they are published under."""
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
