"""Draws of counts at addresses: the same whatever is drawn besides."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from simlib.chance.addresses import name_hash
from simlib.chance.philox import uniforms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from simlib.evidence.panels import Unit

_BEYOND = 1e-9
"""Probability that is cut off a count's upper tail."""


def addressed(
    what: str,
    units: Sequence[Unit],
    months: NDArray[np.datetime64],
    *,
    n_draws: int,
    root_seed: int,
) -> NDArray[np.float64]:
    """Uniforms in [0, 1) that decide something, shape (n_units, n_months, n_draws).

    What they decide, the unit and the month make the address; more draws change none of the first.
    """
    names = [f"{what}|{'|'.join(unit)}|{month}" for unit in units for month in months]
    hashes = np.array([name_hash(name) for name in names], dtype=np.uint64)
    occasions = np.arange(n_draws, dtype=np.uint64)
    drawn = uniforms(root_seed, 0, hashes, occasions)
    return drawn.reshape(len(units), len(months), n_draws)


def negative_binomial(
    u: NDArray[np.float64], mean: NDArray[np.float64], size: NDArray[np.float64]
) -> NDArray[np.int64]:
    """The counts at uniforms, whose last axis is draws, by inversion.

    Mean, >= 0, and size, > 0, have the shape of `u` without its last axis. The variance is
    ``mean + mean**2 / size``; an infinite size is a Poisson.
    """
    counts = np.zeros(u.shape, dtype=np.int64)
    for place in np.ndindex(mean.shape):
        if mean[place] > 0:
            table = _table(float(mean[place]), float(size[place]))
            counts[place] = np.searchsorted(table, u[place], side="right")
    return counts


@functools.lru_cache(maxsize=1024)
def _table(mean: float, size: float) -> NDArray[np.float64]:
    law = stats.poisson(mean) if np.isinf(size) else stats.nbinom(size, size / (size + mean))
    return np.asarray(law.cdf(np.arange(int(law.isf(_BEYOND)) + 1)), dtype=np.float64)
