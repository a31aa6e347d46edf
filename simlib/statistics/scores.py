"""How forecasts are judged by what came: scores, and whether they are calibrated.

All scores but coverages are better when lower. Those of forecasts given as draws are the
library scoringrules'; those of a stated probability or of quantiles are a line each and need
no library, whose import takes seconds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from simlib.errors import SimulationError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

SCORES = (
    *("crps", "twcrps", "log", "brier_any", "brier_many", "interval_90"),
    *("covered_50", "covered_80", "covered_90"),
)
"""What `count_scores` returns, in its order, before `PARTS`."""
PARTS = ("mean", "below", "at_most")
"""What it returns after `SCORES`: mean of the draws, shares below and at most the count."""
LEVELS = (50, 80, 90)
"""Central intervals, in percent."""
MANY_OF_A_UNIT, MANY_OF_A_SUM = 5, 25
"""From where counts are many: the threshold of ``twcrps`` and ``brier_many``."""
BINS = (0, 1, 2, 3, 6, 11, 26, 51, 101)
"""Least counts of the classes that the log score is of."""
N_BINS = 5
"""Bins of stated probabilities, and of places of numbers in their forecasts."""
BAND = (0.05, 0.95)
_POINT = 1e-9


def count_scores(
    draws: NDArray[np.int64], observed: NDArray[np.int64], many: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The scores of forecasts of counts, each given as draws, shape (n, n_draws), 2 or more.

    ``crps``
        Continuous ranked probability score, in events, unbiased in the number of draws (the
        fair estimator in its form of probability-weighted moments).
    ``twcrps``
        The same of what exceeds a threshold: draws and count are raised to it first (S.
        Allen, D. Ginsbourger and J. Ziegel, 2023, doi:10.1137/22M1532184).
    ``log``
        Minus the logarithm of the probability of the class of `BINS` that the count is in.
        One draw, shared equally by the classes, is added to all draws, so that the score of
        what no draw foresaw is finite: at most ``log(9 * (n_draws + 1))``.
    ``brier_any``, ``brier_many``
        Brier scores of "one event or more" and of "as many as the threshold or more".
    ``interval_90``
        Interval score of the central 90 % interval, in events.
    ``covered_50``, ``covered_80``, ``covered_90``
        1 where the central interval holds the count, its ends included, else 0. Counts are
        whole: an interval holds its share or more.

    The threshold of each is `many`; the scores have shape (n, len(SCORES) + len(PARTS)).

    Raises
    ------
    SimulationError
        scoringrules is not installed.
    """
    rules = _rules()
    # Sorted once, for the fair CRPS as for the ends of intervals.
    ordered = np.sort(draws, axis=1).astype(np.float64)
    y, threshold = observed.astype(np.float64), many.astype(np.float64)
    # Raising draws and count to a threshold weighs only what exceeds it, and keeps the order.
    raised = np.maximum(ordered, threshold[:, None])
    crps, twcrps = (
        rules.crps_ensemble(obs, x, estimator="pwm", sorted_ensemble=True, backend="numpy")
        for obs, x in ((y, ordered), (np.maximum(y, threshold), raised))
    )
    ends = {level: _central(ordered, level) for level in LEVELS}
    return np.column_stack(
        [
            crps,
            twcrps,
            rules.log_score(1.0, _class_probability(draws, observed), backend="numpy"),
            rules.brier_score(y >= 1, (draws >= 1).mean(axis=1), backend="numpy"),
            rules.brier_score(
                y >= threshold, (draws >= many[:, None]).mean(axis=1), backend="numpy"
            ),
            rules.interval_score(y, *ends[90], 0.1, backend="numpy"),
            *((low <= y) & (y <= high) for low, high in ends.values()),
            # The parts: the mean, and the two shares that `pit` lies between.
            ordered.mean(axis=1),
            (draws < observed[:, None]).mean(axis=1),
            (draws <= observed[:, None]).mean(axis=1),
        ]
    )


def _rules() -> Any:
    try:
        import scoringrules
    except ModuleNotFoundError as error:
        raise SimulationError(
            "scores need scoringrules: pip install 'simlib-scenarios[evidence]'"
        ) from error
    return scoringrules


def _central(
    ordered: NDArray[np.float64], level: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    outside = (100 - level) / 200
    low, high = np.quantile(ordered, (outside, 1 - outside), axis=1, method="inverted_cdf")
    return low, high


def _class_probability(
    draws: NDArray[np.int64], observed: NDArray[np.int64]
) -> NDArray[np.float64]:
    own = np.digitize(observed, BINS)[:, None]
    n_same = (np.digitize(draws, BINS) == own).sum(axis=1)
    return np.asarray((n_same + 1 / len(BINS)) / (draws.shape[1] + 1))


def brier_score(law: Mapping[str, float], outcome: str) -> float:
    """The sum over classes of (p - o)^2, 0 to 2 (G. W. Brier 1950)."""
    return sum((probability - (name == outcome)) ** 2 for name, probability in law.items())


def clipped_log_score(probability: float, n: int) -> float:
    """Minus the log of a probability, clipped as n replications allow, in nats.

    To [f, 1 - f] with f = 1 / (n + 2), the mean of what is never seen in n (Laplace).
    """
    floor = 1.0 / (n + 2.0)
    return -math.log(min(max(probability, floor), 1.0 - floor))


def quantile_crps(quantiles: ArrayLike, levels: NDArray[np.float64], value: float) -> float:
    """The CRPS of quantiles at levels, in the unit of the number.

    Twice the mean pinball loss. It is that of ``scoringrules.crps_quantile``, which a test
    compares; to score a file takes no extra, and not the seconds its import takes.
    """
    beyond = value - np.asarray(quantiles, dtype=np.float64)
    return float(2.0 * np.maximum(levels * beyond, (levels - 1.0) * beyond).mean())


def place_in(quantiles: ArrayLike, value: float) -> float:
    """The mean of F(y-) and F(y) of the law with equal weight at each quantile."""
    held = np.asarray(quantiles, dtype=np.float64)
    return float((held < value).mean() + (held <= value).mean()) / 2.0


def pit(
    below: NDArray[np.float64], at_most: NDArray[np.float64], u: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Randomized probability integral transforms, uniform where forecasts are right.

    Given are the shares of the draws below, and at most, the count that came.
    """
    return below + u * (at_most - below)


def pit_histogram(
    below: NDArray[np.float64], at_most: NDArray[np.float64], n_bins: int = 10
) -> NDArray[np.float64]:
    """The heights of the histogram of the transforms, over all u they may have.

    They are 1 everywhere where forecasts are right. It needs no chance: C. Czado, T. Gneiting
    and L. Held, "Predictive model assessment for count data", Biometrics 65 (2009),
    doi:10.1111/j.1541-0420.2009.01191.x.
    """
    # Of each case, the uniform's distribution rises from 0 at `below` to 1 at `at_most`.
    edges = np.linspace(0, 1, n_bins + 1)[:, None]
    # Where no draw equals the count, the transform is a point, which a bin must hold.
    low = np.minimum(below, 1 - _POINT)
    risen = np.clip((edges - low) / np.maximum(at_most - low, _POINT), 0, 1)
    return np.asarray(np.diff(risen.mean(axis=1)) * n_bins)


@dataclass(frozen=True, slots=True)
class Reliability:
    """Stated probabilities in bins of equal width that hold any.

    Attributes
    ----------
    stated
        Mean stated probability, shape (n_bins,).
    observed
        Share that happened.
    count
        Statements in the bin.
    low, high
        90 % band of the share where the stated probabilities are true.
    """

    stated: NDArray[np.float64]
    observed: NDArray[np.float64]
    count: NDArray[np.int64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    @property
    def n_outside(self) -> int:
        """How many bins lie outside their band."""
        return int(((self.observed < self.low) | (self.observed > self.high)).sum())


def reliability(pairs: NDArray[np.float64], n_bins: int = N_BINS) -> Reliability:
    """How often what was stated came, with bands for few statements.

    A row of `pairs` is a stated probability and whether it came (1 or 0); bins have equal
    width, and those without a statement are left out. A forecaster who says what is true is
    inside the bands, each of which holds with 90 % (J. Bröcker and L. A. Smith 2007,
    doi:10.1175/WAF993.1). Classes of one question, and questions about one run of events, are
    not independent: true bands are wider.
    """
    place = np.minimum((pairs[:, 0] * n_bins).astype(np.intp), n_bins - 1)
    rows = []
    for held in range(n_bins):
        stated, observed = pairs[place == held].T
        if len(stated):
            low, high = share_band(stated.tolist())
            rows.append((stated.mean(), observed.mean(), len(stated), low, high))
    columns = np.array(rows, dtype=np.float64).reshape(-1, 5).T
    return Reliability(columns[0], columns[1], columns[2].astype(np.int64), columns[3], columns[4])


def share_band(probabilities: Sequence[float]) -> tuple[float, float]:
    """The 90 % band of the share of yes among independent yes/no, 0-1.

    Their number has Poisson's binomial law, the convolution of the law of each.

    Examples
    --------
    >>> share_band([0.5] * 10)
    (0.2, 0.8)
    """
    law = np.ones(1)
    for probability in probabilities:
        law = np.convolve(law, [1.0 - probability, probability])
    low, high = np.searchsorted(np.cumsum(law), BAND)
    n = len(probabilities)
    return float(low) / n, float(min(high, n)) / n


def pit_counts(
    places: NDArray[np.float64], n_bins: int = N_BINS
) -> tuple[NDArray[np.int64], tuple[float, float]]:
    """How many numbers fell in each part of their forecasts, and the 90 % band of each count.

    Given is where each fell, 0-1; parts have equal probability, so that the counts of
    calibrated forecasts are binomial.
    """
    counts, _ = np.histogram(places, bins=n_bins, range=(0.0, 1.0))
    n = len(places)
    low, high = share_band([1.0 / n_bins] * n) if n else (0.0, 0.0)
    return counts.astype(np.int64), (low * n, high * n)
