"""Scores, transforms and the bootstrap against what theory says of them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
import scoringrules
from scipy import stats

from simlib.chance.addresses import name_hash
from simlib.chance.philox import uniforms
from simlib.statistics.resampling import block_weights, bootstrap_interval
from simlib.statistics.scores import BINS, PARTS, SCORES, count_scores, pit, pit_histogram

if TYPE_CHECKING:
    from numpy.typing import NDArray

COLUMNS = (*SCORES, *PARTS)


def drawn(what: str, n: int, m: int) -> NDArray[np.float64]:
    """Return uniforms of shape (n, m)."""
    names = np.array([name_hash(f"{what}|{i}") for i in range(n)], dtype=np.uint64)
    return uniforms(7, 0, names, np.arange(m, dtype=np.uint64))


def scored(
    draws: NDArray[np.generic], came: NDArray[np.generic], many: int = 5
) -> dict[str, NDArray[np.float64]]:
    """Return scores by name."""
    ints, counts = draws.astype(np.int64), came.astype(np.int64)
    found = count_scores(ints, counts, np.full(len(counts), many))
    return dict(zip(COLUMNS, found.T, strict=True))


def standard_errors_off(values: NDArray[np.float64], expected: float) -> float:
    """Return how many standard errors a mean is from its expectation."""
    return float(abs(values.mean() - expected) / (values.std(ddof=1) / math.sqrt(len(values))))


def test_crps_of_a_standard_normal_at_zero() -> None:
    """V8: (sqrt 2 - 1) / sqrt pi = 0.233695; draws in ten-thousandths make counts of normals.

    The fair estimator is unbiased, so its mean over independent ensembles is within four
    standard errors.
    """
    expected = (math.sqrt(2) - 1) / math.sqrt(math.pi)
    assert expected == pytest.approx(0.233695, abs=5e-7)
    assert scoringrules.crps_normal(0.0, 0.0, 1.0, backend="numpy") == pytest.approx(expected)
    scale = 10_000
    draws = np.rint(stats.norm.ppf(drawn("normal", 1000, 50)) * scale)
    found = scored(draws, np.zeros(1000))["crps"] / scale
    assert standard_errors_off(found, expected) < 4


def test_crps_of_poisson_draws_is_that_of_the_poisson() -> None:
    """The closed form of Wei and Held (2014), at several counts, within four standard errors.

    Negative control: the plain estimator of ensembles of 5 is too high by E|X - X'| / 10.
    """
    draws = stats.poisson.ppf(drawn("poisson", 4000, 5), 3.0)
    for came in (0, 3, 9):
        exact = float(scoringrules.crps_poisson(came, 3.0, backend="numpy"))
        observed = np.full(4000, came)
        assert standard_errors_off(scored(draws, observed)["crps"], exact) < 4
        plain = scoringrules.crps_ensemble(observed, draws, estimator="nrg", backend="numpy")
        assert standard_errors_off(plain, exact) > 4


def test_threshold_weighted_crps_sees_only_what_exceeds_the_threshold() -> None:
    """Of a sure forecast a at count y it is |max(a, t) - max(y, t)|; at t = 0 it is the CRPS."""
    sure, came = np.repeat([[2], [9], [3]], 10, axis=1), np.array([4, 4, 12])
    np.testing.assert_allclose(scored(sure, came)["twcrps"], [0, 4, 7])
    draws = stats.poisson.ppf(drawn("threshold", 20, 40), 3.0)
    found = scored(draws, np.arange(20), many=0)
    np.testing.assert_allclose(found["twcrps"], found["crps"])


def test_log_score_is_of_probabilities() -> None:
    """Over the classes exp(-score) sums to 1; a class no draw is in has 1 / (9 (n + 1))."""
    draws = np.tile(stats.poisson.ppf(drawn("log", 1, 50), 3.0), (len(BINS), 1))
    found = scored(draws, np.array(BINS))["log"]
    assert np.exp(-found).sum() == pytest.approx(1)
    assert found.max() == pytest.approx(math.log(9 * 51))


def test_brier_and_interval_scores_by_hand() -> None:
    """Draws 0, 0, 1, 6: P(1 or more) = 0.5, P(5 or more) = 0.25; at 1: .25 and .0625.

    The 90 % interval is 0 to 6: its score at 1 is its width; at 8 it is 6 + 2 / 0.1 * 2.
    """
    found = scored(np.array([[0, 0, 1, 6]] * 2), np.array([1, 8]))
    np.testing.assert_allclose(found["brier_any"], [0.25, 0.25])
    np.testing.assert_allclose(found["brier_many"], [0.0625, 0.5625])
    np.testing.assert_allclose(found["interval_90"], [6, 46])
    np.testing.assert_allclose(found["below"], [0.5, 1])
    np.testing.assert_allclose(found["at_most"], [0.75, 1])


def ensembles(spread: float) -> dict[str, NDArray[np.float64]]:
    """Score forecasts of 3,000 normals in thousandths by 199 draws of another spread."""
    z = stats.norm.ppf(drawn("ensembles", 3000, 200))
    return scored(np.rint(1000 * spread * z[:, 1:]), np.rint(1000 * z[:, 0]))


def test_a_right_forecaster_covers_what_it_says() -> None:
    """With 199 draws and a count alike, the count is above k of them with probability k / 200.

    The central 90 % interval is the 10th to the 190th draw, of probability 180 / 200; 80 %:
    20th to 180th, 160 / 200; 50 %: 50th to 150th, 100 / 200. Negative control: draws of
    half the spread cover 2 Phi(1.645 / 2) - 1 = 0.589 of 90 %.
    """
    right, narrow = ensembles(1.0), ensembles(0.5)
    for level in (50, 80, 90):
        error = math.sqrt(level / 100 * (1 - level / 100) / 3000)
        assert right[f"covered_{level}"].mean() == pytest.approx(level / 100, abs=4 * error)
    expected = 2 * stats.norm.cdf(stats.norm.ppf(0.95) / 2) - 1
    assert narrow["covered_90"].mean() == pytest.approx(expected, abs=0.04)


@pytest.mark.parametrize("mean", [0.3, 4.0])
def test_transforms_are_uniform_where_forecasts_are_right(mean: float) -> None:
    """Randomized transforms of Poisson counts under their own law are uniform.

    Kolmogorov-Smirnov at 1e-3. Negative control: under half the mean they are not.
    """
    u = drawn("pit", 2000, 2)
    came = stats.poisson.ppf(u[:, 0], mean)
    p_values = []
    for forecast in (mean, mean / 2):
        below, at_most = stats.poisson.cdf(came - 1, forecast), stats.poisson.cdf(came, forecast)
        p_values.append(stats.kstest(pit(below, at_most, u[:, 1]), "uniform").pvalue)
        heights = pit_histogram(below, at_most)
        assert heights.sum() == pytest.approx(10)
    assert p_values[0] > 1e-3 > p_values[1]


def test_overconfident_forecasts_have_transforms_at_both_ends() -> None:
    """The outer tenths of the histogram hold more than a right forecaster's, who has 1 each.

    With half the spread each holds 10 (1 - Phi(1.2816 / 2)) = 2.61.
    """
    right, narrow = ensembles(1.0), ensembles(0.5)
    expected = 10 * (1 - stats.norm.cdf(stats.norm.ppf(0.9) / 2))
    flat = pit_histogram(right["below"], right["at_most"])
    bowl = pit_histogram(narrow["below"], narrow["at_most"])
    np.testing.assert_allclose(flat, 1, atol=4 * math.sqrt(9 / 3000))
    np.testing.assert_allclose(bowl[[0, -1]], expected, atol=0.25)


def test_a_transform_that_is_a_point_is_in_a_bin() -> None:
    """Counts below, among and above all draws fall into the first, a middle, the last bin."""
    points = np.array([0.0, 0.5, 1.0])
    heights = pit_histogram(points, points, 4)
    assert heights[0] == pytest.approx(4 / 3)
    assert heights[-1] == pytest.approx(4 / 3)
    assert heights.sum() == pytest.approx(4)


def covered(length: int) -> float:
    """Return how often the bootstrap's interval holds the mean of AR(1) series of 84."""
    n_series, n, phi = 400, 84, 0.7
    shocks = stats.norm.ppf(drawn("ar1", n_series, n))
    series = np.empty((n_series, n))
    series[:, 0] = shocks[:, 0] / math.sqrt(1 - phi**2)
    for t in range(1, n):
        series[:, t] = phi * series[:, t - 1] + shocks[:, t]
    weights = block_weights("test", n, length=length, n_resamples=1000, root_seed=3)
    assert weights is not None
    low, high = bootstrap_interval(series.mean(axis=1), weights @ series.T / n)
    return float(((low <= 0) & (high >= 0)).mean())


def test_blocks_cover_where_neighbors_go_together() -> None:
    """AR(1) with phi = 0.7: the mean's variance is (1 + phi) / (1 - phi) = 5.67 times iid's.

    Blocks of 8 see 1 + 2 sum_{k<8} (1 - k/8) phi^k = 3.83 of it: a coverage of
    2 Phi(1.96 sqrt(3.83 / 5.67)) - 1 = 0.893, less what estimating it in 10 blocks costs.
    Negative control: redrawn one by one, 2 Phi(1.96 / sqrt 5.67) - 1 = 0.590.
    """
    k = np.arange(1, 8)
    seen = 1 + 2 * ((1 - k / 8) * 0.7**k).sum()
    in_theory = 2 * stats.norm.cdf(1.96 * math.sqrt(seen / (1.7 / 0.3))) - 1
    assert in_theory == pytest.approx(0.893, abs=5e-4)
    assert 0.80 < covered(8) < in_theory + 4 * 0.0155
    assert covered(1) < 0.67


def test_blocks_are_whole_and_repeatable() -> None:
    """A resample is runs of consecutive origins; the same seed gives the same."""
    first = block_weights("a", 24, length=8, n_resamples=50, root_seed=1)
    again = block_weights("a", 24, length=8, n_resamples=50, root_seed=1)
    other = block_weights("a", 24, length=8, n_resamples=50, root_seed=2)
    assert first is not None
    assert again is not None
    assert other is not None
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    np.testing.assert_array_equal(first.sum(axis=1), 24)
    changes = (np.diff(first, axis=1) != 0).sum(axis=1)
    assert changes.max() <= 6  # three blocks have six ends


def test_too_few_origins_have_no_interval() -> None:
    """Fewer than three blocks leave nothing to redraw."""
    assert block_weights("a", 23, length=8, n_resamples=5, root_seed=1) is None
