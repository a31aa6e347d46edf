"""What each replication draws from the posterior of its series."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import ndtri

from simlib.chance.addresses import name_hash
from simlib.chance.philox import uniforms

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simlib.evidence.count_forecaster.count_fit import Posterior
    from simlib.evidence.count_forecaster.replayed_counts import Series

MIDDLE = 6
"""Months ahead at which a drawn slope has moved a level as far as its random walk would."""
_LEAST = 2.0**-54


class Drawn(NamedTuple):
    """Draws of one series.

    Attributes
    ----------
    settings
        Which of the rival settings, shape (n_draws,).
    lasting, passing
        a + c and b in the last known month, shape (n_units, n_draws).
    slope
        Of the national log level, shape (n_draws,).
    """

    settings: NDArray[np.intp]
    lasting: NDArray[np.float64]
    passing: NDArray[np.float64]
    slope: NDArray[np.float64]


def draw(series: Series, n_draws: int, root_seed: int) -> Drawn:
    """Draw where a series stands, from the mixture of its posteriors.

    Parameters
    ----------
    series
        With its posteriors.
    n_draws
        More draws change none of the first ones.
    root_seed
        Makes them repeatable.
    """
    n_units = len(series.rows)
    which = _uniforms(f"layer|settings|{series.name}", 1, n_draws, root_seed)[0]
    settings = np.searchsorted(np.cumsum(series.weights)[:-1], which, side="right")
    normal = ndtri(_uniforms(f"layer|state|{series.name}", 2 * n_units + 2, n_draws, root_seed))
    state, slope = np.empty((1 + 2 * n_units, n_draws)), np.empty(n_draws)
    for number, posterior in enumerate(series.posteriors):
        own = settings == number
        state[:, own] = posterior.mean[:, None] + _root(posterior) @ normal[:-1, own]
        slope[own] = _slope_sd(posterior) * normal[-1, own]
    passing, between = state[1 : n_units + 1], state[n_units + 1 :]
    return Drawn(settings, state[0] + between, passing, slope)


def _uniforms(what: str, n: int, n_draws: int, root_seed: int) -> NDArray[np.float64]:
    hashes = np.array([name_hash(f"{what}|{i}") for i in range(n)], dtype=np.uint64)
    drawn = uniforms(root_seed, 0, hashes, np.arange(n_draws, dtype=np.uint64))
    return np.maximum(drawn, _LEAST)


def _root(posterior: Posterior) -> NDArray[np.float64]:
    """Return a square root of the covariance, which may be singular but for rounding."""
    values, vectors = np.linalg.eigh(posterior.covariance)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))


def _slope_sd(posterior: Posterior) -> float:
    """Return the sd of s at which s (1 - rho**k) / (1 - rho) has that of k steps."""
    drift, rho = posterior.settings.drift, posterior.settings.rho
    return float(drift * np.sqrt(MIDDLE) * (1.0 - rho) / (1.0 - rho**MIDDLE))
