"""The field's baselines, each a forecaster that draws joint counts.

The first three follow the rules of the VIEWS prediction challenge 2023/24; a negative
binomial and an exponential trend stand beside them. A window of months that is longer
than what is known is what is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simlib.evidence.backtest.fits import size_of, trend_of
from simlib.evidence.backtest.sampling import addressed, negative_binomial
from simlib.evidence.panels import Unit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simlib.evidence.panels import CountPanel

_ALL_UNITS = (Unit("", "", ""),)
"""The address of what is decided for all units together."""


@dataclass(frozen=True, slots=True)
class LastValue:
    """A Poisson whose mean is the unit's last known count.

    Attributes
    ----------
    name
        Name in tables; part of the address of its draws.
    """

    name: str

    def forecast(
        self, known: CountPanel, months: NDArray[np.datetime64], n_draws: int, root_seed: int
    ) -> NDArray[np.int64]:
        """Draw as `Forecaster.forecast` says; units and months are independent."""
        u = addressed(self.name, known.units, months, n_draws=n_draws, root_seed=root_seed)
        mean = np.repeat(known.counts[:, -1:].astype(np.float64), len(months), axis=1)
        return negative_binomial(u, mean, np.full(mean.shape, np.inf))


@dataclass(frozen=True, slots=True)
class Conflictology:
    """The unit's own last months, drawn with replacement.

    A draw takes the same past month for all units, which changes no unit's distribution
    and keeps how units move together in sums over units. Months are independent.

    Attributes
    ----------
    name
        Name in tables; part of the address of its draws.
    n_months
        Months to draw from; 12 in the field.
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

    Attributes
    ----------
    name
        Name in tables; part of the address of its draws.
    n_months
        Months to draw from.
    """

    name: str
    n_months: int

    def forecast(
        self, known: CountPanel, months: NDArray[np.datetime64], n_draws: int, root_seed: int
    ) -> NDArray[np.int64]:
        """Draw as `Forecaster.forecast` says; units and months are independent."""
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

    Attributes
    ----------
    name
        Name in tables; part of the address of its draws.
    n_months
        Months it is fitted to.
    """

    name: str
    n_months: int

    def forecast(
        self, known: CountPanel, months: NDArray[np.datetime64], n_draws: int, root_seed: int
    ) -> NDArray[np.int64]:
        """Draw as `Forecaster.forecast` says; units and months are independent."""
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
    it are negative binomial with the size that makes the variance about the fit as seen.

    Attributes
    ----------
    name
        Name in tables; part of the address of its draws.
    """

    name: str

    def forecast(
        self, known: CountPanel, months: NDArray[np.datetime64], n_draws: int, root_seed: int
    ) -> NDArray[np.int64]:
        """Draw as `Forecaster.forecast` says; units and months are independent."""
        counts = known.counts
        level, growth = trend_of(counts)
        past = np.arange(1 - counts.shape[1], 1)
        fitted = level[:, None] * np.exp(growth[:, None] * past)
        excess = ((counts - fitted) ** 2 - fitted).sum(axis=1)
        square = (fitted**2).sum(axis=1)
        size = np.divide(square, excess, out=np.full(len(counts), np.inf), where=excess > 0)
        ahead = (months - known.months[-1]).astype(np.int64)
        highest = 2.0 * known.counts.max(axis=1)
        mean = np.minimum(level[:, None] * np.exp(growth[:, None] * ahead), highest[:, None])
        u = addressed(self.name, known.units, months, n_draws=n_draws, root_seed=root_seed)
        return negative_binomial(u, mean, np.repeat(size[:, None], len(months), axis=1))
