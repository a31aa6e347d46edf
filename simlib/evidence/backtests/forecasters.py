"""What is back-tested: the field's baselines, and what is compared with them.

Each draws joint counts. The first three baselines follow the rules of the VIEWS prediction
challenge 2023/24; a negative binomial and an exponential trend stand beside them. A
forecaster's ``name`` is its name in tables and part of the address of its draws; ``n_months``
are the last known months it looks at, all of them where fewer are known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from simlib.errors import Problem, ScenarioError
from simlib.evidence.backtests.sampling import addressed, negative_binomial
from simlib.evidence.panels import Unit
from simlib.scenario.wording import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from simlib.evidence.panels import CountPanel, Forecaster

SMALLEST_SIZE, LARGEST_SIZE = 1e-2, 1e3
"""Bounds of a negative binomial's size; a larger one cannot be told from a Poisson."""
STEEPEST = 0.5
"""Bound of an exponential trend's growth a month, either way, in logarithms."""
_ALL_UNITS = (Unit("", "", ""),)
"""The address of what is decided for all units together."""


@dataclass(frozen=True, slots=True)
class LastValue:
    """A Poisson whose mean is the unit's last known count; units and months are independent."""

    name: str

    def forecast(
        self, known: CountPanel, months: NDArray[np.datetime64], n_draws: int, root_seed: int
    ) -> NDArray[np.int64]:
        """Draw as `Forecaster.forecast` says."""
        u = addressed(self.name, known.units, months, n_draws=n_draws, root_seed=root_seed)
        mean = np.repeat(known.counts[:, -1:].astype(np.float64), len(months), axis=1)
        return negative_binomial(u, mean, np.full(mean.shape, np.inf))


@dataclass(frozen=True, slots=True)
class Conflictology:
    """The unit's own last months, drawn with replacement.

    A draw takes the same past month for all units, which changes no unit's distribution
    and keeps how units move together in sums over units. Months are independent.
    """

    name: str
    n_months: int

    def forecast(
        self, known: CountPanel, months: NDArray[np.datetime64], n_draws: int, root_seed: int
    ) -> NDArray[np.int64]:
        """Draw as `Forecaster.forecast` says."""
        pool = known.counts[:, -self.n_months :]
        u = addressed(self.name, _ALL_UNITS, months, n_draws=n_draws, root_seed=root_seed)
        return pool[:, (u[0] * pool.shape[1]).astype(np.intp)]


@dataclass(frozen=True, slots=True)
class PooledBootstrap:
    """Counts of any unit of the same country and series in any of the last months.

    Units and months are independent.
    """

    name: str
    n_months: int

    def forecast(
        self, known: CountPanel, months: NDArray[np.datetime64], n_draws: int, root_seed: int
    ) -> NDArray[np.int64]:
        """Draw as `Forecaster.forecast` says."""
        u = addressed(self.name, known.units, months, n_draws=n_draws, root_seed=root_seed)
        drawn = np.empty(u.shape, dtype=np.int64)
        kinds = [unit[:2] for unit in known.units]
        for kind in set(kinds):
            rows = [row for row, own in enumerate(kinds) if own == kind]
            pool = known.counts[rows, -self.n_months :].ravel()
            drawn[rows] = pool[(u[rows] * len(pool)).astype(np.intp)]
        return drawn


@dataclass(frozen=True, slots=True)
class NegativeBinomial:
    """A negative binomial fitted by maximum likelihood to the unit's last months.

    Units and months are independent.
    """

    name: str
    n_months: int

    def forecast(
        self, known: CountPanel, months: NDArray[np.datetime64], n_draws: int, root_seed: int
    ) -> NDArray[np.int64]:
        """Draw as `Forecaster.forecast` says."""
        counts = known.counts[:, -self.n_months :]
        u = addressed(self.name, known.units, months, n_draws=n_draws, root_seed=root_seed)
        fitted = (counts.mean(axis=1), size_of(counts))
        mean, size = (np.repeat(each[:, None], len(months), axis=1) for each in fitted)
        return negative_binomial(u, mean, size)


@dataclass(frozen=True, slots=True)
class ExponentialTrend:
    """An exponential trend of all the unit's known months, continued.

    Its mean goes no higher than twice the most the unit has known in a month: without
    that bound a rise of a few months would be continued into the thousands. Counts about
    it are negative binomial with the size that makes the variance about the fit as seen;
    units and months are independent.
    """

    name: str

    def forecast(
        self, known: CountPanel, months: NDArray[np.datetime64], n_draws: int, root_seed: int
    ) -> NDArray[np.int64]:
        """Draw as `Forecaster.forecast` says."""
        counts = known.counts
        level, growth = trend_of(counts)
        past = np.arange(1 - counts.shape[1], 1)
        fitted = level[:, None] * np.exp(growth[:, None] * past)
        # By moments: sum of (count - mean)^2 - mean is the sum of mean^2 / size.
        excess = ((counts - fitted) ** 2 - fitted).sum(axis=1)
        square = (fitted**2).sum(axis=1)
        size = np.divide(square, excess, out=np.full(len(counts), np.inf), where=excess > 0)
        ahead = (months - known.months[-1]).astype(np.int64)
        highest = 2.0 * known.counts.max(axis=1)
        mean = np.minimum(level[:, None] * np.exp(growth[:, None] * ahead), highest[:, None])
        u = addressed(self.name, known.units, months, n_draws=n_draws, root_seed=root_seed)
        return negative_binomial(u, mean, np.repeat(size[:, None], len(months), axis=1))


def _count_forecaster(name: str) -> Forecaster:
    from simlib.evidence.count_forecaster.forecaster import CountForecaster

    return CountForecaster(name=name)


BASELINES: dict[str, Callable[[str], Forecaster]] = {
    "last_value": LastValue,
    "conflictology": lambda name: Conflictology(name, 12),
    "pooled_bootstrap": lambda name: PooledBootstrap(name, 12),
    "negative_binomial": lambda name: NegativeBinomial(name, 12),
    "exponential_trend": ExponentialTrend,
}
"""Name -> what makes the forecaster, of what others are compared with; 12 months in the field."""
CANDIDATES: dict[str, Callable[[str], Forecaster]] = {"incident_layer": _count_forecaster}
"""The same of what is compared with the baselines."""


def forecaster(name: str) -> Forecaster:
    """Make a forecaster by its name.

    Raises
    ------
    ScenarioError
        There is none of that name.
    """
    known = {**CANDIDATES, **BASELINES}
    if name not in known:
        raise ScenarioError(
            [Problem("forecaster", f"must be one of {', '.join(known)} (got {shown(name)})")]
        )
    return known[name](name)


def size_of(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """The maximum-likelihood size of a negative binomial for each unit, shape (n_units,).

    `SMALLEST_SIZE` to `LARGEST_SIZE`, or infinite; counts have the shape (n_units, n_months).
    The mean's estimate is the sample mean whatever the size; the likelihood of the size
    has one maximum where the sample variance (divisor n) exceeds the mean, and none
    elsewhere: the size is then infinite, a Poisson (B. Levin and J. Reeds, Annals of
    Statistics 5, 1977, doi:10.1214/aos/1176343741).
    """
    mean = counts.mean(axis=1)

    def slope(log_size: NDArray[np.float64], rows: NDArray[np.intp]) -> NDArray[np.float64]:
        size = np.exp(log_size)[:, None]
        terms = special.digamma(counts[rows] + size) - special.digamma(size)
        return np.asarray(terms.mean(axis=1) - np.log1p(mean[rows] / size[:, 0]))

    size = np.exp(_root(slope, len(counts), np.log(SMALLEST_SIZE), np.log(LARGEST_SIZE)))
    is_wide = counts.var(axis=1) > mean
    return np.asarray(np.where(is_wide, size, np.inf))


def trend_of(counts: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Level in the last month and growth of the exponential trend of each unit, shape (n_units,).

    Growth is a month's, in logarithms, within ``-STEEPEST`` to ``STEEPEST``; counts have the
    shape (n_units, n_months). It is the maximum-likelihood fit of Poisson counts with mean
    ``level * exp(growth * t)``, t = 0 in the last month and -1 in the one before. At its maximum
    the mean month under the trend is the mean month of the events, and the trend's total is theirs.
    """
    month = np.arange(1 - counts.shape[1], 1, dtype=np.float64)
    total = counts.sum(axis=1)
    wanted = (counts * month).sum(axis=1) / np.maximum(total, 1)

    def too_early(growth: NDArray[np.float64], rows: NDArray[np.intp]) -> NDArray[np.float64]:
        weight = np.exp(growth[:, None] * month)
        return np.asarray(wanted[rows] - (weight * month).sum(axis=1) / weight.sum(axis=1))

    growth = np.where(total > 0, _root(too_early, len(counts), -STEEPEST, STEEPEST), 0.0)
    level = total / np.exp(growth[:, None] * month).sum(axis=1)
    return level, growth


def _root(
    falling: Callable[[NDArray[np.float64], NDArray[np.intp]], NDArray[np.float64]],
    n: int,
    low: float,
    high: float,
) -> NDArray[np.float64]:
    """Where each row's falling function is zero, or the bound beyond which it is."""
    from scipy.optimize import elementwise

    rows = np.arange(n)
    at_low, at_high = (falling(np.full(n, end), rows) for end in (low, high))
    found = elementwise.find_root(falling, (low, high), args=(rows,)).x
    return np.asarray(np.where(at_low <= 0, low, np.where(at_high >= 0, high, found)))
