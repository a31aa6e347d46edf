"""Likelihood of daily counts of a Hawkes process, over grids of its parameters.

The intensity is mu(t) + n omega sum exp(-omega (t - t_i)) with branching ratio n and mean
delay 1 / omega, as the engine's `excites`. Counts are by day, with ties, so events have no
order within a day. Given the days before, a day's count is the total progeny of its arrivals:
with arrivals Poisson of mean L and b children on the same day per event it is a generalized
Poisson (Consul and Jain 1973, doi 10.1080/00401706.1973.10489112; Borel-Tanner families),

    P(y) = L (L + b y)^(y - 1) exp(-L - b y) / y!

L is the background of the day plus what earlier days excite, events uniform within their day:
an event k days ago adds n (1 - exp(-omega))^2 / omega exp(-omega (k - 1)), and the rest,
b = n (1 - (1 - exp(-omega)) / omega), falls on its own day. Only that b is a mean over the time
of day is an approximation.

The background is constant within blocks of months; its logs have a normal prior and are
integrated out by Laplace's method.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simlib.errors import SimlibError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MOST_STEPS = 60
_STEP_BOUND = 1.5
"""A step of a log level; larger ones overshoot when a level goes to nothing."""


class ExcitationError(SimlibError):
    """Daily counts that no excitation can be fitted to."""


@dataclass(frozen=True, slots=True)
class DailyCounts:
    """Events by calendar day.

    Attributes
    ----------
    series
        Such as ``raids_north``.
    regime
        What kept together: a name for the period.
    vintage
        Release of the events.
    first
        First day, ``datetime64[D]``.
    counts
        Events on each consecutive day, shape (n_days,).
    """

    series: str
    regime: str
    vintage: str
    first: np.datetime64
    counts: NDArray[np.int64]

    def __post_init__(self) -> None:
        """Refuse a negative count, and fewer than two events."""
        if self.counts.ndim != 1 or (self.counts < 0).any() or self.counts.sum() < 2:
            raise ExcitationError(
                f"{self.series} {self.regime}: counts must be >= 0, with two events or more "
                f"(got {int(self.counts.sum())} events in {self.counts.shape} days)"
            )

    @property
    def n_events(self) -> int:
        """Events in all."""
        return int(self.counts.sum())

    @property
    def days(self) -> NDArray[np.datetime64]:
        """Calendar days, shape (n_days,)."""
        return self.first + np.arange(len(self.counts))

    def blocks(self, months: int) -> NDArray[np.int64]:
        """Number the block of each day from 0, of so many calendar months each."""
        month = self.days.astype("datetime64[M]").astype(np.int64)
        return np.asarray((month - month[0]) // months, dtype=np.int64)


def daily_counts(
    dates: NDArray[np.datetime64],
    span: tuple[np.datetime64, np.datetime64],
    *,
    series: str,
    regime: str,
    vintage: str,
) -> DailyCounts:
    """Count dates by day.

    Parameters
    ----------
    dates
        One for each event; those outside the span are left out.
    span
        First and last day.
    series, regime, vintage
        What the counts are of.

    Raises
    ------
    ExcitationError
        Fewer than two events are left.
    """
    first, last = np.array(span, dtype="datetime64[D]")
    n_days = int((last - first).astype(np.int64)) + 1
    place = (dates.astype("datetime64[D]") - first).astype(np.int64)
    inside = place[(place >= 0) & (place < n_days)]
    counts = np.bincount(inside, minlength=n_days).astype(np.int64)
    return DailyCounts(series, regime, vintage, first, counts)


@dataclass(frozen=True, slots=True)
class LevelPrior:
    """Prior of the levels of the background.

    `events_per_day` is the median of all events; of them 1 - n are background. `covariance` is of
    the log levels, shape (n_blocks, n_blocks) or (n_points, n_blocks, n_blocks).
    """

    events_per_day: float
    covariance: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Integrated:
    """What is left of the likelihood once the background is integrated out.

    Attributes
    ----------
    log_likelihood
        Logs of the integrals, shape (n_points,).
    log_levels
        Logs of the background at the mode, events per day, shape (n_points, n_blocks).
    at_mode
        Log likelihood at the mode, without the prior of the levels, shape (n_points,).
    """

    log_likelihood: NDArray[np.float64]
    log_levels: NDArray[np.float64]
    at_mode: NDArray[np.float64]


def excited_mean(counts: NDArray[np.int64], decay_days: float) -> NDArray[np.float64]:
    """Tell what a branching ratio of 1 adds to each day from the days before.

    Days before the first are taken to have had the mean count.
    """
    from scipy.signal import lfilter

    # The sum over earlier days decays by exp(-omega) a day: a recursive filter, started at what a
    # constant history at the mean count has summed to.
    kept = np.exp(-1.0 / decay_days)
    weight = (1.0 - kept) ** 2 * decay_days
    before = counts.mean() / (1.0 - kept)
    sums, _ = lfilter([0.0, 1.0], [1.0, -kept], counts.astype(np.float64), zi=[before])
    return np.asarray(weight * sums, dtype=np.float64)


def same_day_share(decay_days: float) -> float:
    """Tell the share of children that fall on their parent's day."""
    return float(1.0 - (1.0 - np.exp(-1.0 / decay_days)) * decay_days)


def integrate_background(
    counts: NDArray[np.int64],
    blocks: NDArray[np.int64],
    ratios: NDArray[np.float64],
    decay_days: float,
    prior: LevelPrior,
) -> Integrated:
    """Integrate the background out for many branching ratios at one decay, by Laplace's method.

    Count and block of each day have the shape (n_days,), ratios, in [0, 1), the shape (n_points,).
    """
    # L less its background, and b, of the head of this module.
    excited = ratios[:, None] * excited_mean(counts, decay_days)
    same_day = (ratios * same_day_share(decay_days))[:, None] * np.ones(len(counts))
    starts = np.flatnonzero(np.diff(blocks, prepend=-1))
    # Levels are normal about the log of the background's share, 1 - n, of all events.
    center = (np.log(prior.events_per_day) + np.log1p(-ratios))[:, None]
    precision = np.broadcast_to(
        np.linalg.inv(prior.covariance), (len(ratios), len(starts), len(starts))
    )
    levels = np.repeat(center, len(starts), axis=1)
    # Newton to the mode of the levels. Only the positive part of the curvature is used, so that
    # every step goes uphill; it is clipped because exp overshoots.
    for _ in range(_MOST_STEPS):
        slope, curvature = _derivatives(counts, blocks, starts, levels, (excited, same_day))
        gradient = slope - _times(precision, levels - center)
        curved = precision + _diagonal(np.maximum(curvature[0], 1e-9))
        step = np.linalg.solve(curved, gradient[:, :, None])[:, :, 0]
        levels = levels + np.clip(step, -_STEP_BOUND, _STEP_BOUND)
        if np.abs(step).max() < 1e-6:
            break
    # Laplace: log likelihood and prior at the mode, less half the log determinant of the whole
    # curvature there over that of the prior (Tierney and Kadane 1986).
    mean = np.exp(levels)[:, blocks] + excited
    at_mode = _log_probability(counts, mean, same_day).sum(axis=1)
    _, curvature = _derivatives(counts, blocks, starts, levels, (excited, same_day))
    information = precision + _diagonal(np.maximum(curvature[1], 1e-9))
    off = levels - center
    away = 0.5 * (off * _times(precision, off)).sum(axis=1)
    determinants = np.linalg.slogdet(precision)[1] - np.linalg.slogdet(information)[1]
    return Integrated(at_mode - away + 0.5 * determinants, levels, at_mode)


def _log_probability(
    counts: NDArray[np.int64], mean: NDArray[np.float64], same_day: NDArray[np.float64]
) -> NDArray[np.float64]:
    from scipy.special import gammaln

    # log P(y) of the head of this module; a day of 0 has L alone.
    total = mean + same_day * counts
    logs = np.where(counts > 0, np.log(mean) + (counts - 1) * np.log(total), 0.0)
    return np.asarray(logs - total - gammaln(counts + 1.0), dtype=np.float64)


def _derivatives(
    counts: NDArray[np.int64],
    blocks: NDArray[np.int64],
    starts: NDArray[np.int64],
    levels: NDArray[np.float64],
    added: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> tuple[NDArray[np.float64], tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Take the slope in the log levels, and minus the curvature: its positive part, and all."""
    excited, same_day = added
    level = np.exp(levels)[:, blocks]
    mean = level + excited
    total = mean + same_day * counts
    is_some = counts > 0
    # d log P / dL and -d2 log P / dL2; dL / d(log level) is the level itself.
    first = np.where(is_some, 1.0 / mean + (counts - 1) / total, 0.0) - 1.0
    second = np.where(is_some, 1.0 / mean**2 + (counts - 1) / total**2, 0.0)
    slope = np.add.reduceat(level * first, starts, axis=1)
    positive = np.add.reduceat(level**2 * second, starts, axis=1)
    return slope, (positive, positive - slope)


def _diagonal(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values[:, :, None] * np.eye(values.shape[1])


def _times(matrices: NDArray[np.float64], vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((matrices @ vectors[:, :, None])[:, :, 0], dtype=np.float64)
