"""How a forecast of counts, given as draws, is judged by the count that came.

Scores are those of the library scoringrules; all but the coverages are better when lower.
Every forecaster is judged by the same rules from the same number of draws.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from simlib.errors import SimulationError

if TYPE_CHECKING:
    from numpy.typing import NDArray

SCORES = (
    *("crps", "twcrps", "log", "brier_any", "brier_many", "interval_90"),
    *("covered_50", "covered_80", "covered_90"),
)
"""What `score` returns, in its order, before `PARTS`."""
PARTS = ("mean", "below", "at_most")
"""What `score` returns after `SCORES`: mean of the draws, shares below and at most the count."""
LEVELS = (50, 80, 90)
"""Central intervals, in percent."""
MANY_OF_A_UNIT, MANY_OF_A_SUM = 5, 25
"""From where counts are many: the threshold of ``twcrps`` and ``brier_many``."""
_POINT = 1e-9
BINS = (0, 1, 2, 3, 6, 11, 26, 51, 101)
"""Least counts of the classes that the log score is of."""


def score(
    draws: NDArray[np.int64], observed: NDArray[np.int64], many: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the scores of forecasts.

    ``crps``
        Continuous ranked probability score, in events, unbiased in the number of draws
        (the fair estimator in its form of probability-weighted moments).
    ``twcrps``
        The same of what exceeds a threshold: draws and count are raised to it first
        (S. Allen, D. Ginsbourger and J. Ziegel, 2023, doi:10.1137/22M1532184).
    ``log``
        Minus the logarithm of the probability of the class of `BINS` that the count is in.
        One draw, shared equally by the classes, is added to all draws, so that the score
        of what no draw foresaw is finite: at most ``log(9 * (n_draws + 1))``.
    ``brier_any``, ``brier_many``
        Brier scores of "one event or more" and of "as many as the threshold or more".
    ``interval_90``
        Interval score of the central 90 % interval, in events.
    ``covered_50``, ``covered_80``, ``covered_90``
        1 where the central interval holds the count, its ends included, else 0. Counts
        are whole: an interval holds its share or more.

    Parameters
    ----------
    draws
        Shape (n, n_draws), 2 draws or more.
    observed
        Counts that came, shape (n,).
    many
        Threshold of each, shape (n,).

    Returns
    -------
    ndarray
        Shape (n, len(SCORES) + len(PARTS)).

    Raises
    ------
    SimulationError
        scoringrules is not installed.
    """
    rules = _rules()
    ordered = np.sort(draws, axis=1).astype(np.float64)
    came, threshold = observed.astype(np.float64), many.astype(np.float64)
    raised = np.maximum(ordered, threshold[:, None])
    crps, twcrps = (
        rules.crps_ensemble(y, x, estimator="pwm", sorted_ensemble=True, backend="numpy")
        for y, x in ((came, ordered), (np.maximum(came, threshold), raised))
    )
    ends = {level: _central(ordered, level) for level in LEVELS}
    return np.column_stack(
        [
            crps,
            twcrps,
            rules.log_score(1.0, _class_probability(draws, observed), backend="numpy"),
            rules.brier_score(came >= 1, (draws >= 1).mean(axis=1), backend="numpy"),
            rules.brier_score(
                came >= threshold, (draws >= many[:, None]).mean(axis=1), backend="numpy"
            ),
            rules.interval_score(came, *ends[90], 0.1, backend="numpy"),
            *((low <= came) & (came <= high) for low, high in ends.values()),
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


def pit(
    below: NDArray[np.float64], at_most: NDArray[np.float64], u: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return randomized probability integral transforms, uniform where forecasts are right.

    Parameters
    ----------
    below, at_most
        Shares of the draws below, and at most, the count that came.
    u
        Uniforms.
    """
    return below + u * (at_most - below)


def pit_histogram(
    below: NDArray[np.float64], at_most: NDArray[np.float64], n_bins: int = 10
) -> NDArray[np.float64]:
    """Return the heights of the histogram of the transforms, over all u they may have.

    It needs no chance: C. Czado, T. Gneiting and L. Held, "Predictive model assessment
    for count data", Biometrics 65 (2009), doi:10.1111/j.1541-0420.2009.01191.x.

    Returns
    -------
    ndarray
        Shape (n_bins,), 1 everywhere where forecasts are right.
    """
    edges = np.linspace(0, 1, n_bins + 1)[:, None]
    # Where no draw equals the count, the transform is a point, which a bin must hold.
    low = np.minimum(below, 1 - _POINT)
    risen = np.clip((edges - low) / np.maximum(at_most - low, _POINT), 0, 1)
    return np.asarray(np.diff(risen.mean(axis=1)) * n_bins)
