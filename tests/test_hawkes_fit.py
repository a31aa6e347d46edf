"""Laws of fitted excitation: closed forms, recovery, calibration of the posterior, residuals."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.stats import kstest

from simlib.evidence.excitation.hawkes import (
    HawkesIntensity,
    count_residuals,
    fano,
    jittered_times,
    rescaled_intervals,
    residual_test,
    simulated_times,
    stationary_mean,
    thinned_ratio,
    unthinned,
)
from simlib.evidence.excitation.hawkes_fit import (
    Background,
    ParameterGrid,
    Priors,
    covariance,
    decay_grid,
    drift_grid,
    fit_excitation,
    maximum_likelihood,
    persistence_grid,
    ratio_grid,
)
from simlib.evidence.excitation.likelihood import (
    DailyCounts,
    ExcitationError,
    _log_probability,
    daily_counts,
    excited_mean,
    same_day_share,
)
from simlib.evidence.excitation.shipped_fits import (
    draws_of_all_incidents,
    pooled_decay,
    pooled_ratio,
)
from simlib.statistics.ranks import simulated_ranks, uniformity

if TYPE_CHECKING:
    from numpy.typing import NDArray

SEED = 20241231
FIRST = np.datetime64("2018-01-01", "D")


def counted(times: NDArray[np.float64], n_days: int) -> DailyCounts:
    """Return times, in days, as counts."""
    counts = np.bincount(times.astype(np.int64), minlength=n_days)
    return DailyCounts("planted", "all", "simulated", FIRST, counts)


def planted(
    n_days: int, background: float, ratio: float, decay: float, seed: int = SEED
) -> DailyCounts:
    times = simulated_times(np.full(n_days, background), ratio, decay, seed)
    return counted(times, n_days)


@functools.cache
def _long_times() -> NDArray[np.float64]:
    return simulated_times(np.full(600_000, 0.2), 0.45, 7.0, SEED)


def test_closed_forms_are_those_of_the_literature() -> None:
    """V4: mu .2, n .45, omega 1/7: mean .36364, Fano(300) 3.2080, limit 3.3058."""
    assert stationary_mean(0.2, 0.45) == pytest.approx(0.36364, abs=1e-5)
    assert fano(300.0, 0.45, 7.0) == pytest.approx(3.2080, abs=1e-4)
    assert fano(np.inf, 0.45, 7.0) == pytest.approx(3.3058, abs=1e-4)
    assert fano(np.inf, 0.37, 7.0) == pytest.approx(2.52, abs=5e-3)
    assert fano(np.inf, 0.50, 7.0) == pytest.approx(4.0)


def test_simulated_counts_have_the_mean_and_fano_of_the_closed_form() -> None:
    """2,000 windows of 300 days.

    Mean: sd of a count sqrt(3.208 x 109.09) = 18.7, of the mean .42 (limit Fano 3.31):
    5 sd = 2.1. Fano: relative sd sqrt(2 / 2000) = .032, so .41 at 4 sd. The control is the
    Fano of n = .30: 2.0.
    """
    counts = np.bincount((_long_times() // 300).astype(np.int64), minlength=2000)
    assert counts.mean() == pytest.approx(300 * 0.36364, abs=2.1)
    ratio = counts.var() / counts.mean()
    assert ratio == pytest.approx(3.208, abs=0.41)
    assert abs(ratio - fano(300.0, 0.30, 7.0)) > 0.41


def test_thinning_lowers_apparent_clustering_as_the_closed_form_says() -> None:
    """A third kept: F - 1 is a third, and the covariance fades at the same rate.

    Fano of 300-day windows of the thinned process: 1 + (3.208 - 1) x .33, sd 4 %: .22 at 3 sd.
    """
    kept = np.random.default_rng(SEED).random(len(_long_times())) < 0.33
    counts = np.bincount((_long_times()[kept] // 300).astype(np.int64), minlength=2000)
    assert counts.var() / counts.mean() == pytest.approx(1 + 2.208 * 0.33, abs=0.18)
    apparent = thinned_ratio(0.45, 0.33)
    assert 1 / (1 - apparent) ** 2 == pytest.approx(1 + 2.3058 * 0.33, abs=1e-4)
    ratio, decay = unthinned(apparent, 7.0 * (1 - apparent) / (1 - 0.45), 0.33)
    assert (ratio, decay) == pytest.approx((0.45, 7.0))


def test_the_law_of_a_day_is_one_and_has_its_mean() -> None:
    """The generalized Poisson sums to 1 with mean L / (1 - b); b = 0 is the Poisson."""
    counts = np.arange(400)
    for mean, same_day in ((0.4, 0.0), (1.3, 0.2), (0.1, 0.6)):
        p = np.exp(_log_probability(counts, np.full(400, mean), np.full(400, same_day)))
        assert p.sum() == pytest.approx(1.0)
        assert p @ counts == pytest.approx(mean / (1 - same_day))


def test_no_child_is_lost_between_days() -> None:
    """What one event more adds to later days, and its own day's share, sum to 1.

    The mean count stands for the days before the first, so it is kept: an event is moved
    from the last day to the middle.
    """
    late, middle = np.zeros((2, 2000), dtype=np.int64)
    late[-1] = middle[1000] = 1
    added = (excited_mean(middle, 5.0) - excited_mean(late, 5.0)).sum()
    assert added + same_day_share(5.0) == pytest.approx(1.0, abs=1e-9)


def test_what_was_planted_is_recovered() -> None:
    """Three years, n .45 and 7 days: within 3 standard errors, which are at most .15 and 5."""
    found = maximum_likelihood(planted(1095, 0.4, 0.45, 7.0), "constant")
    assert found.ratio_error < 0.15
    assert found.decay_error < 5.0
    assert abs(found.ratio - 0.45) < 3 * found.ratio_error
    assert abs(found.decay_days - 7.0) < 3 * found.decay_error
    none = maximum_likelihood(planted(1095, 0.7, 0.0, 7.0), "constant")
    assert none.ratio < 0.15


def test_drift_passes_for_clustering_where_the_background_may_not_drift() -> None:
    """No excitation at all, monthly levels of sd .8: a constant background finds a ratio.

    Its 90 % interval is above .5; when levels may drift, the interval reaches below .2.
    """
    months = np.exp(0.8 * np.random.default_rng(SEED).normal(size=24))
    level = np.repeat(0.5 * months / months.mean(), 30)
    days = counted(simulated_times(level, 0.0, 7.0, SEED), 720)
    lows = {
        name: np.quantile(fit_excitation(days, name, _coarse()).draws(2000, SEED)[0], 0.05)
        for name in ("constant", "drifting")
    }
    assert lows["constant"] > 0.5
    assert lows["drifting"] < 0.2


def test_a_drifting_background_has_no_greatest_likelihood() -> None:
    with pytest.raises(ValueError, match="drifting background has a posterior"):
        maximum_likelihood(planted(100, 0.5, 0.0, 7.0), "drifting")


def _coarse() -> Priors:
    return Priors(
        ratio_grid(19), decay_grid(10), drift_grid((0.0, 0.2, 0.5, 1.0)), persistence_grid(2)
    )


def _inside(grid: ParameterGrid, generator: np.random.Generator) -> float:
    cell = generator.choice(len(grid.weights), p=grid.weights / grid.weights.sum())
    return float(grid.inside(np.array([cell]), generator.random(1))[0])


def _experiment(
    seed: int, background: Background, held: Priors, *, is_shuffled: bool = False
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Draw from the prior, simulate a year, fit; shuffling the days destroys the order."""
    generator = np.random.default_rng(seed)
    assert held.events_per_day is not None
    level = held.events_per_day * np.exp(held.level_sd * generator.normal())
    ratio, decay = _inside(held.ratio, generator), _inside(held.decay, generator)
    months = (FIRST + np.arange(365)).astype("datetime64[M]").astype(np.int64)
    logs = np.zeros(12)
    if background == "drifting":
        sd, rho = _inside(held.drift, generator), _inside(held.persistence, generator)
        logs = generator.multivariate_normal(logs, covariance(12, "drifting", 0.0, (sd, rho)))
    rate = (1 - ratio) * level * np.exp(logs)[months - months[0]]
    counts = counted(simulated_times(rate, ratio, decay, seed), 365).counts
    if is_shuffled:
        counts = generator.permutation(counts)
    if counts.sum() < 2:
        return _experiment(seed + 1, background, held, is_shuffled=is_shuffled)
    days = DailyCounts("planted", "all", "simulated", FIRST, counts)
    draws = fit_excitation(days, background, held).draws(49, seed)[:2]
    return np.array([ratio, decay]), draws


def test_the_posterior_is_calibrated() -> None:
    """Ranks of ratio and decay in 200 fits of a year: uniform, inside the 95 % band."""
    held = Priors(ratio_grid(19), decay_grid(10), level_sd=0.4, events_per_day=0.6)
    ranks = simulated_ranks(lambda seed: _experiment(seed, "constant", held), 200, SEED)
    assert uniformity(ranks[0], 50).is_uniform
    assert uniformity(ranks[1], 50).is_uniform


def test_the_posterior_of_shuffled_days_is_not_calibrated() -> None:
    """Negative control: with the order of days gone the ratio is not what was planted."""
    held = Priors(ratio_grid(19), decay_grid(10), level_sd=0.4, events_per_day=0.6)
    ranks = simulated_ranks(
        lambda seed: _experiment(seed, "constant", held, is_shuffled=True), 200, SEED
    )
    assert not uniformity(ranks[0], 50).is_uniform


@pytest.mark.slow
def test_the_posterior_is_calibrated_where_the_background_drifts() -> None:
    """As above with monthly levels that are a log AR(1), 200 fits."""
    held = Priors(
        ratio_grid(19),
        decay_grid(10),
        drift_grid((0.0, 0.15, 0.3, 0.6, 1.0)),
        persistence_grid(3),
        level_sd=0.4,
        events_per_day=0.6,
    )
    ranks = simulated_ranks(lambda seed: _experiment(seed, "drifting", held), 200, SEED)
    assert uniformity(ranks[0], 50).is_uniform
    assert uniformity(ranks[1], 50).is_uniform


def test_intervals_rescaled_by_the_true_intensity_are_exponential() -> None:
    """Times as simulated, not counted by day: p above .05; without excitation below .01."""
    times = simulated_times(np.full(2000, 0.4), 0.45, 7.0, SEED)
    rate = 0.4 / 0.55
    right = HawkesIntensity(np.full(2000, 0.4), 0.45, 7.0)
    wrong = HawkesIntensity(np.full(2000, rate), 0.0, 7.0)
    assert kstest(rescaled_intervals(times, right, rate), "expon").pvalue > 0.05
    assert kstest(rescaled_intervals(times, wrong, rate), "expon").pvalue < 0.01


def test_residuals_of_days_tell_true_excitation_from_none() -> None:
    """Both tests: p above .05 for what was planted; both below .01 without excitation."""
    days = planted(2000, 0.4, 0.6, 2.0)
    right = residual_test(days, HawkesIntensity(np.full(2000, 0.4), 0.6, 2.0), SEED, 9)
    wrong = residual_test(days, HawkesIntensity(np.full(2000, 1.0), 0.0, 2.0), SEED, 9)
    assert min(right) > 0.05
    assert max(wrong) < 0.01


def test_jitter_keeps_each_event_on_its_day() -> None:
    days = planted(50, 1.0, 0.3, 2.0)
    times = jittered_times(days, SEED)
    assert np.bincount(times.astype(np.int64), minlength=50).tolist() == days.counts.tolist()
    uniforms = count_residuals(days, HawkesIntensity(np.full(50, 0.7), 0.3, 2.0), SEED)
    assert ((uniforms >= 0) & (uniforms <= 1)).all()


def test_regimes_that_differ_leave_a_wide_predictive() -> None:
    """Three regimes of .45 against .1, .45 and .8: medians alike, the second much wider."""
    held = Priors(ratio_grid(19), decay_grid(10))

    def fits(ratios: tuple[float, ...]) -> list[object]:
        return [
            fit_excitation(planted(1500, 0.8 * (1 - r), r, 4.0, SEED + i), "constant", held)
            for i, r in enumerate(ratios)
        ]

    alike, apart = (
        pooled_ratio(fits(ratios)).draws(4000, SEED, "pooled")  # type: ignore[arg-type]
        for ratios in ((0.45, 0.45, 0.45), (0.1, 0.45, 0.8))
    )
    assert np.median(alike) == pytest.approx(np.median(apart), abs=0.1)
    assert apart.std() > 1.3 * alike.std()


def test_undoing_a_thinning_raises_the_ratio_and_stays_below_its_bound() -> None:
    held = Priors(ratio_grid(19), decay_grid(10))
    fits = [fit_excitation(planted(1500, 0.4, 0.4, 4.0), "constant", held)]
    seen = draws_of_all_incidents(fits, 1.0, 2000, SEED)
    all_ = draws_of_all_incidents(fits, 0.3, 2000, SEED)
    assert (all_[0] >= seen[0] - 1e-12).all()
    assert all_[0].max() < 0.95
    assert np.median(all_[0]) > np.median(seen[0]) + 0.05
    assert np.median(pooled_decay(fits).draws(2000, SEED, "decay")) == pytest.approx(4.0, abs=3.0)


def test_dates_are_counted_by_day_and_blocks_are_calendar_months() -> None:
    dates = np.array(["2018-01-01", "2018-01-01", "2018-02-01", "2019-07-01"], "datetime64[D]")
    span = (np.datetime64("2018-01-01"), np.datetime64("2018-04-30"))
    days = daily_counts(dates, span, series="s", regime="r", vintage="v")
    assert days.n_events == 3
    assert days.counts[[0, 31]].tolist() == [2, 1]
    assert np.bincount(days.blocks(1)).tolist() == [31, 28, 31, 30]
    assert np.bincount(days.blocks(3)).tolist() == [90, 30]


def test_too_few_events_are_refused() -> None:
    with pytest.raises(ExcitationError, match="s r: counts must be >= 0, with two events or more"):
        DailyCounts("s", "r", "v", FIRST, np.array([0, 1, 0]))
