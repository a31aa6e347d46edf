"""A Hawkes process with an exponential kernel: moments, histories, and a fitted one's residuals."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simlib.chance.addresses import seed_of, uniforms_of
from simlib.evidence.excitation.likelihood import excited_mean, same_day_share

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simlib.evidence.excitation.likelihood import DailyCounts


def stationary_mean(background: float, ratio: float) -> float:
    """Take events per day: background / (1 - ratio) (Hawkes 1971)."""
    return background / (1.0 - ratio)


def fano(days: float, ratio: float, decay_days: float) -> float:
    """Take variance over mean of the count in a window of a stationary process.

    F - (F - 1) (1 - exp(-k T)) / (k T), with F = 1 / (1 - n)^2 and k = omega (1 - n); a window of
    inf days gives the limit F.

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
    """Simulate event times of a process that has run for long before day 0.

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
    # 30 times the time a family fades in: what came before has no child left on day 0.
    before = int(np.ceil(30.0 * decay_days / (1.0 - ratio)))
    rate = np.concatenate([np.full(before, background[0]), background])
    numbers = poisson.ppf(uniforms_of(root_seed, "immigrants", len(rate)), rate).astype(np.int64)
    days = np.repeat(np.arange(-before, n_days), numbers)
    young = days + uniforms_of(root_seed, "times", len(days))
    times = [young]
    # Each generation begets the next until one has no child before the end.
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
    """Tell the branching ratio that a thinned process seems to have.

    Each event is kept with the same probability p; then F - 1 becomes p (F - 1), F the limit of
    variance over mean, and n = 1 - F^(-1/2). A p above 1 undoes a thinning of 1 / p.
    """
    limit = 1.0 / (1.0 - ratio) ** 2
    return float(1.0 - (1.0 + kept * (limit - 1.0)) ** -0.5)


def unthinned(ratio: float, decay_days: float, kept: float) -> tuple[float, float]:
    """Tell branching ratio and mean delay of all events from those of a share of them.

    Thinning keeps the rate omega (1 - n) at which the covariance of counts fades.
    """
    all_ratio = thinned_ratio(ratio, 1.0 / kept)
    return all_ratio, decay_days * (1.0 - all_ratio) / (1.0 - ratio)


class HawkesIntensity(NamedTuple):
    """Background in immigrants per day, shape (n_days,), branching ratio and mean delay."""

    background: NDArray[np.float64]
    ratio: float
    decay_days: float


class ResidualTest(NamedTuple):
    """Kolmogorov-Smirnov tests of residuals.

    Median p over jitters of the rescaled intervals, and over uniforms of the randomized residuals
    of the daily counts.
    """

    rescaled_p: float
    counts_p: float


def jittered_times(days: DailyCounts, root_seed: int) -> NDArray[np.float64]:
    """Place each event evenly within its day, sorted, in days from the first."""
    whole = np.repeat(np.arange(len(days.counts), dtype=np.float64), days.counts)
    return np.sort(whole + uniforms_of(root_seed, "jitter", len(whole)))


def rescaled_intervals(
    times: NDArray[np.float64], excitation: HawkesIntensity, events_per_day: float
) -> NDArray[np.float64]:
    """Measure intervals between events in units of expected events (Ogata 1988).

    If the intensity is the true one they are independent exponentials of mean 1. The first
    runs from day 0, before which events came evenly at `events_per_day`.
    """
    cumulative = np.concatenate([[0.0], np.cumsum(excitation.background)])
    background = np.interp(times, np.arange(len(cumulative)), cumulative)
    faded = np.exp(-np.diff(times, prepend=0.0) / excitation.decay_days)
    # What is still to come of the children expected of all events so far.
    pending = events_per_day * excitation.decay_days
    excited = np.empty(len(times))
    for number, kept in enumerate(faded.tolist()):
        excited[number] = pending * (1.0 - kept)
        pending = pending * kept + 1.0
    return np.asarray(
        np.diff(background, prepend=0.0) + excitation.ratio * excited, dtype=np.float64
    )


def count_residuals(
    days: DailyCounts, excitation: HawkesIntensity, root_seed: int
) -> NDArray[np.float64]:
    """Turn each day's count into a uniform, if the excitation is the true one.

    The cumulative probability of the day's count given the days before, evenly between that
    below it and that up to it (Dunn and Smyth 1996, doi 10.1080/10618600.1996.10474708).
    """
    from scipy.special import gammaln

    same_day = excitation.ratio * same_day_share(excitation.decay_days)
    mean = excitation.background + excitation.ratio * excited_mean(
        days.counts, excitation.decay_days
    )
    values = np.arange(int(days.counts.max()) + 1)
    total = mean[:, None] + same_day * values
    logs = np.log(mean)[:, None] + (values - 1) * np.log(total) - total - gammaln(values + 1.0)
    below = np.concatenate([np.zeros((len(mean), 1)), np.cumsum(np.exp(logs), axis=1)], axis=1)
    day = np.arange(len(mean))
    low, high = below[day, days.counts], below[day, days.counts + 1]
    u = uniforms_of(root_seed, "counts", len(mean))
    return np.asarray(low + u * (high - low), dtype=np.float64)


def residual_test(
    days: DailyCounts, excitation: HawkesIntensity, root_seed: int, n_jitters: int = 40
) -> ResidualTest:
    """Test rescaled intervals against the exponential, daily residuals against the uniform.

    The parameters are fitted to the same days, so p is too high rather than too low.

    Parameters
    ----------
    days
        The counts.
    excitation
        The fitted intensity.
    root_seed
        Makes jitters and uniforms repeatable.
    n_jitters
        How often times are placed within their days; the median p is kept.
    """
    from scipy.stats import kstest

    rate = float(days.counts.mean())
    seeds = [seed_of(root_seed, "residuals", number) for number in range(n_jitters)]
    rescaled = [
        kstest(rescaled_intervals(jittered_times(days, seed), excitation, rate), "expon").pvalue
        for seed in seeds
    ]
    counts = [kstest(count_residuals(days, excitation, seed), "uniform").pvalue for seed in seeds]
    return ResidualTest(float(np.median(rescaled)), float(np.median(counts)))
