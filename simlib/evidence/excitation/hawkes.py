"""Moments and histories of a Hawkes process with an exponential kernel."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from simlib.chance.addresses import uniforms_of

if TYPE_CHECKING:
    from numpy.typing import NDArray


def stationary_mean(background: float, ratio: float) -> float:
    """Return events per day: background / (1 - ratio) (Hawkes 1971)."""
    return background / (1.0 - ratio)


def fano(days: float, ratio: float, decay_days: float) -> float:
    """Return variance over mean of the count in a window of a stationary process.

    F - (F - 1) (1 - exp(-k T)) / (k T), with F = 1 / (1 - n)^2 and k = omega (1 - n).

    Parameters
    ----------
    days
        Length of the window; inf gives the limit F.
    ratio, decay_days
        Branching ratio in [0, 1) and mean delay.

    Examples
    --------
    >>> round(fano(300, 0.45, 7), 4)
    3.208
    """
    limit = 1.0 / (1.0 - ratio) ** 2
    width = (1.0 - ratio) / decay_days * days
    kept = -math.expm1(-width) / width if math.isfinite(width) else 0.0
    return limit - (limit - 1.0) * kept


def simulated_times(
    background: NDArray[np.float64], ratio: float, decay_days: float, root_seed: int
) -> NDArray[np.float64]:
    """Return event times of a process that has run for long before day 0.

    Families: immigrants at the background, Poisson numbers of children with exponential
    delays (Hawkes and Oakes 1974).

    Parameters
    ----------
    background
        Immigrants per day, shape (n_days,); before day 0 that of day 0.
    ratio, decay_days
        Branching ratio in [0, 1) and mean delay.
    root_seed
        Makes the times repeatable.

    Returns
    -------
    ndarray
        Sorted, in [0, n_days).
    """
    from scipy.stats import poisson

    n_days = len(background)
    before = int(np.ceil(30.0 * decay_days / (1.0 - ratio)))
    rate = np.concatenate([np.full(before, background[0]), background])
    numbers = poisson.ppf(uniforms_of(root_seed, "immigrants", len(rate)), rate).astype(np.int64)
    days = np.repeat(np.arange(-before, n_days), numbers)
    young = days + uniforms_of(root_seed, "times", len(days))
    times = [young]
    while ratio > 0.0 and len(young):
        generation = f"generation {len(times)}"
        u = uniforms_of(root_seed, generation, len(young))
        children = poisson.ppf(u, ratio).astype(np.int64)
        parents = np.repeat(young, children)
        u = uniforms_of(root_seed, f"{generation} delays", len(parents))
        delays = -decay_days * np.log1p(-u)
        young = parents + delays
        young = young[young < n_days]
        times.append(young)
    everything = np.sort(np.concatenate(times))
    return everything[(everything >= 0.0) & (everything < n_days)]


def thinned_ratio(ratio: float, kept: float) -> float:
    """Return the branching ratio that a thinned process seems to have.

    Each event is kept with the same probability p; then F - 1 becomes p (F - 1), F the limit of
    variance over mean, and n = 1 - F^(-1/2).

    Parameters
    ----------
    ratio
        Of all events, in [0, 1).
    kept
        Probability that an event is kept; above 1 undoes a thinning of 1 / kept.
    """
    limit = 1.0 / (1.0 - ratio) ** 2
    return float(1.0 - (1.0 + kept * (limit - 1.0)) ** -0.5)


def unthinned(ratio: float, decay_days: float, kept: float) -> tuple[float, float]:
    """Return branching ratio and mean delay of all events from those of a share of them.

    Thinning keeps the rate omega (1 - n) at which the covariance of counts fades.

    Parameters
    ----------
    ratio, decay_days
        As they seem among the events kept.
    kept
        Probability with which each was kept, in (0, 1].
    """
    all_ratio = thinned_ratio(ratio, 1.0 / kept)
    return all_ratio, decay_days * (1.0 - all_ratio) / (1.0 - ratio)
