"""The field's baselines draw from the laws that they are said to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import optimize, stats

from simlib.evidence.backtests.forecasters import (
    BASELINES,
    STEEPEST,
    Conflictology,
    ExponentialTrend,
    LastValue,
    NegativeBinomial,
    PooledBootstrap,
    forecaster,
    size_of,
    trend_of,
)
from simlib.evidence.backtests.sampling import addressed, negative_binomial
from simlib.evidence.panels import CountPanel, Unit

if TYPE_CHECKING:
    from numpy.typing import NDArray

UNITS = (
    Unit("Here", "raids", "North"),
    Unit("Here", "raids", "South"),
    Unit("Here", "strikes", "North"),
)
LATER = np.arange(np.datetime64("2002-03"), np.datetime64("2002-05"))


def panel(counts: object) -> CountPanel:
    """Return counts of `UNITS` that end with 2001."""
    array = np.array(counts, dtype=np.int64)
    months = np.arange(np.datetime64("2002-01") - array.shape[1], np.datetime64("2002-01"))
    return CountPanel(UNITS, months, array, "test")


def random_counts(mean: float, size: float, n_rows: int, n_columns: int) -> NDArray[np.int64]:
    """Return negative binomial counts."""
    units = [Unit("Here", "raids", str(row)) for row in range(n_rows)]
    u = addressed("counts", units, LATER[:1], n_draws=n_columns, root_seed=5)
    means = np.full((n_rows, 1), mean)
    return negative_binomial(u, means, np.full((n_rows, 1), size))[:, 0]


@pytest.mark.parametrize(("mean", "size"), [(0.4, 0.3), (6.0, 2.0), (40.0, np.inf)])
def test_counts_at_uniforms_are_the_quantiles_of_their_law(mean: float, size: float) -> None:
    """Inversion: the count is the quantile at its uniform, as SciPy has it."""
    u = addressed("law", UNITS[:1], LATER[:1], n_draws=500, root_seed=1)
    found = negative_binomial(u, np.full((1, 1), mean), np.full((1, 1), size))
    law = stats.poisson(mean) if np.isinf(size) else stats.nbinom(size, size / (size + mean))
    np.testing.assert_array_equal(found, law.ppf(u))


def test_size_is_the_maximum_of_the_likelihood() -> None:
    """SciPy's minimizer of minus the likelihood, mean at the sample mean, finds the same.

    Counts that vary no more than a Poisson's have an infinite size.
    """
    counts = np.array([[0, 3, 1, 0, 9, 2, 0, 0, 4, 1], [2, 3, 2, 3, 2, 3, 2, 3, 2, 3]])

    def minus_likelihood(log_size: float) -> float:
        size = np.exp(log_size)
        return float(-stats.nbinom.logpmf(counts[0], size, size / (size + 2.0)).sum())

    best = optimize.minimize_scalar(minus_likelihood, bounds=(-4, 6), method="bounded")
    found = size_of(counts)
    assert found[0] == pytest.approx(np.exp(best.x), rel=1e-3)
    assert np.isinf(found[1])


def test_size_is_recovered() -> None:
    """Of 200 samples of 600 counts the median size is the true one within five percent."""
    found = size_of(random_counts(3.0, 0.8, 200, 600))
    assert np.median(found) == pytest.approx(0.8, rel=0.05)


def test_trend_of_exact_growth_is_that_growth() -> None:
    """Counts 2**t fit with growth log 2 past the bound; 3 * 1.2**t fit exactly; none: no growth."""
    month = np.arange(12)
    rows = np.stack([2.0**month, 1e6 * 1.2**month, 0.0 * month]).astype(np.int64)
    level, growth = trend_of(rows)
    assert growth[0] == pytest.approx(STEEPEST)
    assert growth[1] == pytest.approx(np.log(1.2), abs=1e-6)
    assert level[1] == pytest.approx(rows[1, -1], rel=1e-5)
    assert (level[2], growth[2]) == (0, 0)


def test_last_value_is_a_poisson_of_the_last_count() -> None:
    """Mean and variance 4 of 20,000 draws, within four standard errors; a last 0 stays 0."""
    found = LastValue("last").forecast(panel([[9, 4], [7, 0], [0, 1]]), LATER, 20_000, 1)
    assert found.shape == (3, 2, 20_000)
    assert found[0].mean() == pytest.approx(4, abs=4 * np.sqrt(4 / 40_000))
    assert found[0].var() == pytest.approx(4, rel=0.05)
    assert not found[1].any()


def test_conflictology_draws_a_past_month_of_all_units() -> None:
    """A draw is a column of the last months, each as often; older months never come."""
    known = panel([[50, 1, 2, 3], [50, 4, 5, 6], [50, 0, 0, 7]])
    found = Conflictology("conflictology", 3).forecast(known, LATER, 3000, 1)
    columns, n = np.unique(found.reshape(3, -1), axis=1, return_counts=True)
    np.testing.assert_array_equal(columns, known.counts[:, 1:])
    np.testing.assert_allclose(n / 6000, 1 / 3, atol=4 * np.sqrt(2 / 9 / 6000))


def test_pooled_bootstrap_draws_from_its_own_series() -> None:
    """Units of one series have one law, that of all their months; another series has its own."""
    known = panel([[9, 0, 2], [9, 4, 4], [9, 1, 1]])
    found = PooledBootstrap("pooled", 2).forecast(known, LATER, 4000, 1)
    for unit in (0, 1):
        values, n = np.unique(found[unit], return_counts=True)
        np.testing.assert_array_equal(values, [0, 2, 4])
        np.testing.assert_allclose(n / 8000, [0.25, 0.25, 0.5], atol=4 * np.sqrt(0.25 / 8000))
    assert (found[2] == 1).all()


def test_negative_binomial_has_the_mean_and_variance_it_fitted() -> None:
    """Mean m and variance m + m**2 / size of the last months' fit, of 20,000 draws."""
    counts = [[99, 0, 3, 1, 0, 9, 2, 0, 0, 4, 1], [0] * 11, [1] * 11]
    found = NegativeBinomial("nb", 10).forecast(panel(counts), LATER, 20_000, 1)
    size = float(size_of(np.array(counts[:1])[:, 1:])[0])
    variance = 2.0 + 4.0 / size
    assert found[0].mean() == pytest.approx(2.0, abs=4 * np.sqrt(variance / 40_000))
    assert found[0].var() == pytest.approx(variance, rel=0.1)
    assert not found[1].any()


def test_exponential_trend_goes_on_from_the_last_month() -> None:
    """Halving each month, 64 events two months ago are 4 and 2 in three and four months.

    A rise is stopped at twice the most that was known.
    """
    falling = [1024, 512, 256, 128, 64, 32]
    rising = [1, 2, 4, 8, 16, 32]
    found = ExponentialTrend("trend").forecast(panel([falling, rising, [0] * 6]), LATER, 20_000, 1)
    growth = -STEEPEST  # a fall of a half is steeper than the bound
    level = sum(falling) / np.exp(growth * np.arange(-5, 1)).sum()
    expected = level * np.exp(growth * np.array([3, 4]))
    np.testing.assert_allclose(found[0].mean(axis=1), expected, rtol=0.05)
    assert found[1].mean() == pytest.approx(64, rel=0.05)
    assert not found[2].any()


@pytest.mark.parametrize("name", list(BASELINES))
def test_draws_depend_on_no_other_unit_month_or_draw(name: str) -> None:
    """Fewer units of a series' pool aside, a draw stays as it is when others are added."""
    known = panel(random_counts(3.0, 0.8, 3, 30))
    made = forecaster(name)
    whole = made.forecast(known, LATER, 40, 1)
    np.testing.assert_array_equal(made.forecast(known, LATER[1:], 40, 1), whole[:, 1:])
    np.testing.assert_array_equal(made.forecast(known, LATER, 15, 1), whole[..., :15])
    alone = made.forecast(known.of(UNITS[2:]), LATER, 40, 1)
    np.testing.assert_array_equal(alone, whole[2:])
    assert (made.forecast(known, LATER, 40, 2) != whole).any()
