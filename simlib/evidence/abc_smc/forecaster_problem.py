"""Parameters sought from the monthly counts of a year, through the incidents of a scenario."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simlib._moved import default
from simlib.evidence.abc_smc.inverse_problems import InverseProblem, InversionError
from simlib.evidence.history.csv_text import read_table
from simlib.outcomes.incident_counts import plan_published
from simlib.scenario import with_design
from simlib.scenario.bundled import folder
from simlib.simulation import assemble, simulate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from simlib.scenario.schema import Scenario

STATISTICS = ("log mean", "log dispersion", "lag-1 correlation")
_COLUMNS = ("conflict_id", "month", "events")


def summary_names(series: Sequence[str]) -> tuple[str, ...]:
    """Name the summaries, statistic by statistic."""
    return tuple(f"{statistic} of {name}" for statistic in STATISTICS for name in series)


def summarize(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Summarize monthly counts, shape (n_months, n_series), of at least 3 months.

    Of each series the log of its mean, of variance over mean, and the correlation of months with
    the next, shape (3 n_series,). Half a count is added to mean and variance, so that quiet series
    have summaries too.
    """
    mean = counts.mean(axis=0) + 0.5
    variance = counts.var(axis=0, ddof=1) + 0.5
    off = counts - counts.mean(axis=0)
    total = (off**2).sum(axis=0)
    lagged = np.divide(
        (off[1:] * off[:-1]).sum(axis=0), total, out=np.zeros(counts.shape[1]), where=total > 0
    )
    return np.concatenate([np.log(mean), np.log(variance / mean), lagged])


class MonthlyCounts(NamedTuple):
    """Counts of a scenario's published series over consecutive months, shape (n_months, n_series).

    `first` is the first day of the first month.
    """

    series: tuple[str, ...]
    first: dt.date
    counts: NDArray[np.int64]
    source: str


def ucdp_counts(
    path: Path | None = None, series: Sequence[str] | None = None, as_of: dt.date | None = None
) -> MonthlyCounts:
    """Read the events by month of UCDP conflicts.

    Parameters
    ----------
    path
        CSV with columns conflict_id, month (YYYY-MM) and events, each conflict with the same
        months; the one of 2024 that comes with simlib when not given.
    series
        ``ucdp_`` and the conflict id of each; to be given.
    as_of
        A month that ends later is refused; 31 December 2024 when not given.

    Raises
    ------
    InversionError
        A column, a conflict or a month is missing, or a row is later than `as_of`.
    """
    source = path if path is not None else folder("seeds") / "history" / "ucdp_2024_monthly.csv"
    barrier = as_of if as_of is not None else dt.date(2024, 12, 31)
    names: Sequence[str] = default("ucdp_counts(series=)") if series is None else series
    table = _monthly(source, barrier)
    months = sorted({month for _, month in table})
    missing = [
        f"{name} {month}" for name in names for month in months if (name, month) not in table
    ]
    if missing or len(months) < 3:
        raise InversionError(f"{source}: no count of {missing[0] if missing else 'three months'}")
    if months[-1] - months[0] != np.timedelta64(len(months) - 1, "M"):
        raise InversionError(f"{source}: months must follow one another (got {len(months)} months)")
    counts = np.array([[table[name, month] for name in names] for month in months])
    return MonthlyCounts(tuple(names), months[0].astype(dt.date), counts, source.name)


def _monthly(source: Path, barrier: dt.date) -> dict[tuple[str, np.datetime64], int]:
    """Read events by series and month; none may end after a date."""
    text = read_table(source, _COLUMNS, InversionError)
    text.require(*_COLUMNS)
    for row, month in zip(text.rows, text.months("month"), strict=True):
        if (month + 1).astype("datetime64[D]") - 1 > np.datetime64(barrier):
            raise InversionError(f"{text.file}:{row}: month {month} ends after {barrier}")
    counts = text.by_month("conflict_id", "events")
    return {(f"ucdp_{conflict}", month): n for (conflict, month), (n,) in counts.items()}


def forecaster_problem(
    scenario: Scenario,
    parameters: Sequence[str],
    observed: MonthlyCounts,
    given: Mapping[str, float] | None = None,
) -> InverseProblem:
    """Pose the problem of finding parameters from monthly counts through the simulator.

    The same months of the scenario's first year are simulated without agents: postures and
    everything that agents move stay as at the start; incidents, AR(1) multipliers, trend and
    effects are the scenario's. Parameters that are not sought are drawn anew in every run.

    Parameters
    ----------
    scenario
        With the series that were observed.
    parameters
        Those sought, each drawn on its own.
    observed
        Monthly counts, from the scenario's first calendar month on.
    given
        Parameters with a value of their own, where the scenario has them; to be given.

    Raises
    ------
    InversionError
        A parameter is not drawn on its own, the scenario lacks a series, or the months are not
        those of its start.
    """
    priors = {name: _prior(scenario, name) for name in parameters}
    lacking = [name for name in observed.series if name not in scenario.series]
    if lacking:
        raise InversionError(f"{scenario.name} has no series {lacking[0]}")
    if (observed.first.month, observed.first.day) != (scenario.start.month, scenario.start.day):
        raise InversionError(
            f"counts must begin in the month of {scenario.start} (got {observed.first})"
        )
    fixed = {
        name: value
        for name, value in (
            default("forecaster_problem(given=)") if given is None else given
        ).items()
        if name in scenario.parameters
    }
    return InverseProblem(
        priors=priors,
        simulator=_IncidentsAlone(scenario, observed, fixed),
        observed=summarize(observed.counts),
        names=summary_names(observed.series),
        identity={
            "scenario": scenario.model_dump(mode="json", exclude={"replications"}),
            "given": fixed,
        },
    )


def _prior(scenario: Scenario, name: str) -> dict[str, dict[str, float]]:
    parameter = scenario.parameters.get(name)
    if parameter is None:
        raise InversionError(f"{scenario.name} has no parameter {name!r}")
    distribution = parameter.distribution
    if not distribution or set(distribution) & {"dirichlet", "categorical", "fixed"}:
        raise InversionError(f"parameter {name} has no continuous distribution of its own")
    return distribution


class _IncidentsAlone:
    """A scenario's incidents without its agents, as a simulator of summaries."""

    def __init__(
        self, scenario: Scenario, observed: MonthlyCounts, given: Mapping[str, float]
    ) -> None:
        n_months = scenario.start.month - 1 + len(observed.counts)
        end = dt.date(scenario.start.year + n_months // 12, n_months % 12 + 1, 1)
        alone = with_design(scenario, "random").model_copy(
            update={
                "agents": {},
                "outcomes": {},
                "options": {},
                "end": end - dt.timedelta(days=1),
            }
        )
        self._blueprint = assemble(alone)
        self._given = dict(given)
        self._series = observed.series
        self._published = plan_published(alone, self._blueprint.channels.channels, observed.series)

    def __call__(self, values: Mapping[str, float], seed: int) -> NDArray[np.float64]:
        run = simulate(self._blueprint, seed, parameters={**self._given, **values})
        counts = self._published.monthly(run)
        order = [self._published.names.index(name) for name in self._series]
        return summarize(counts[:, order])
