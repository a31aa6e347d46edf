"""The count forecaster: honest spreads, nothing later read, no edge that breaks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import scoringrules
from scipy import stats

from simlib.evidence.backtests.forecasters import forecaster
from simlib.evidence.backtests.origins import known_at
from simlib.evidence.count_forecaster.count_fit import FittedSeries, Posterior
from simlib.evidence.count_forecaster.forecaster import CountForecaster, replay, scenario_of
from simlib.evidence.count_forecaster.smoothing import Settings
from simlib.evidence.panels import CountPanel, Unit
from simlib.scenario import load
from simlib.theatre.record.monthly import shipped_parts
from support.data import FIRST, drawn_counts, panel_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

TRUTH = Settings(first_mean=1.0, first_sd=1.0, drift=0.3, between=0.8, rho=0.7, sd=0.9)
LEADS = np.array([3, 8])


def ranks(candidate: CountForecaster, n_panels: int, seed: int) -> NDArray[np.float64]:
    """Return randomized PITs of one governorate, shape (n_panels, len(LEADS))."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(n_panels):
        counts = drawn_counts(TRUTH, 3, 32, rng)
        known = panel_of(counts).until(FIRST + 23)
        drawn = candidate.forecast(known, FIRST + 23 + LEADS, 100, number)[0]
        came = counts[0, 23 + LEADS][:, None]
        below, equal = (drawn < came).sum(axis=1), (drawn == came).sum(axis=1)
        found.append((below + rng.uniform(size=len(LEADS)) * (equal + 1)) / 101)
    return np.array(found)


def test_forecasts_of_its_own_law_are_calibrated() -> None:
    """Where the law is true the PIT is uniform (Dawid 1984).

    Kolmogorov-Smirnov, each lead at the 1 % level. One that takes multiplier and drift for a
    tenth of what they are must fail.
    """
    honest = ranks(CountForecaster(rivals=(TRUTH,)), 60, 5)
    sure = replace(TRUTH, sd=TRUTH.sd / 10, drift=TRUTH.drift / 10, dispersion=1.05)
    overconfident = ranks(CountForecaster(rivals=(sure,)), 60, 5)
    for lead in range(len(LEADS)):
        assert stats.kstest(honest[:, lead], "uniform").pvalue > 0.01
        assert stats.kstest(overconfident[:, lead], "uniform").pvalue < 0.001


def test_the_engine_goes_on_from_where_the_record_ends() -> None:
    """With a, b and c known, what happens after k months is known too.

    The log level is normal with mean a + c + rho**k b and variance sd**2 (1 - rho**(2 k)),
    so that counts have mean exp(mean + variance / 2).
    """
    own = Settings(drift=1e-9, rho=0.7, sd=0.5, dispersion=1.0)
    a, b, c = 1.0, np.array([1.2, -0.8]), np.array([0.5, 2.0])
    known = Posterior(own, np.concatenate([[a], b, c]), np.zeros((5, 5)), 0.0)
    series = FittedSeries("Iraq series", (0, 1), 100, (known,), np.ones(1))
    units = panel_of(np.zeros((2, 1), dtype=np.int64)).units
    scenario = scenario_of(units, (series,), (FIRST, FIRST + 8), 11, 10.0)
    n_draws = 3000
    counts = replay(scenario, (series,), (series.draw(n_draws, 11),), 9)
    for k in (1, 3, 8):
        log_mean = a + c + own.rho**k * b
        expected = np.exp(log_mean + 0.5 * own.sd**2 * (1 - own.rho ** (2 * k)))
        error = counts[:, k].std(axis=1) / np.sqrt(n_draws)
        # Months differ in length by 8 % about the mean month of the engine.
        days = float(np.diff((FIRST + k + np.arange(2)).astype("datetime64[D]")).astype(int)[0])
        expected *= days / (365.25 / 12)
        assert (np.abs(counts[:, k].mean(axis=1) - expected) < 4 * error).all()


def test_only_the_known_panel_decides() -> None:
    """Later counts may be anything: what is known is all that is given."""
    counts = drawn_counts(TRUTH, 3, 30, np.random.default_rng(6))
    other = counts.copy()
    other[:, 20:] += 1000
    candidate, months = CountForecaster(), FIRST + np.arange(22, 26)
    found = [
        candidate.forecast(panel_of(each).until(FIRST + 19), months, 30, 1)
        for each in (counts, other)
    ]
    np.testing.assert_array_equal(found[0], found[1])
    later = candidate.forecast(panel_of(other).until(FIRST + 20), months, 30, 1)
    assert (later != found[0]).any(), "a known count that changes nothing would be no evidence"


def test_more_draws_change_none_of_the_first() -> None:
    known = panel_of(drawn_counts(TRUTH, 3, 12, np.random.default_rng(7)))
    candidate, months = CountForecaster(), known.months[-1] + np.arange(3, 6)
    few, many = (candidate.forecast(known, months, n, 1) for n in (10, 25))
    np.testing.assert_array_equal(few, many[:, :, :10])
    assert (candidate.forecast(known, months, 10, 2) != few).any()


def test_incidents_excite_others_as_late_as_in_the_scenarios() -> None:
    """The delay has one home, the fitted scenario; another one draws other counts."""
    given = load("fitted").parameters["excite.decay"].distribution
    assert given is not None
    assert CountForecaster().decay_days == given["lognormal"]["median"]
    known = panel_of(drawn_counts(TRUTH, 3, 12, np.random.default_rng(7)))
    months = known.months[-1] + np.arange(3, 6)
    usual, late = (
        candidate.forecast(known, months, 200, 1)
        for candidate in (CountForecaster(), CountForecaster(decay_days=25.0))
    )
    assert (usual != late).any()
    assert "decay_days=1.5" in repr(CountForecaster()), "kept pieces are told apart by it"


def test_of_nothing_seen_little_is_forecast() -> None:
    known = panel_of(np.zeros((6, 24), dtype=np.int64))
    drawn = CountForecaster().forecast(known, known.months[-1] + np.arange(3, 9), 200, 1)
    assert drawn.shape == (6, 6, 200)
    assert (drawn == 0).mean() > 0.98


@pytest.mark.parametrize("n_months", [1, 2])
def test_a_month_is_enough_to_start_from(n_months: int) -> None:
    """One month of 5 in each of 4 places: nearer to 5 than to none or to many times it."""
    known = panel_of(np.full((4, n_months), 5, dtype=np.int64))
    drawn = CountForecaster().forecast(known, known.months[-1] + np.arange(1, 3), 200, 1)
    assert 2.0 < np.median(drawn) < 9.0


def test_many_hundred_a_month_stay_finite() -> None:
    known = panel_of(np.random.default_rng(8).poisson(600, size=(3, 6)))
    drawn = CountForecaster().forecast(known, known.months[-1] + np.arange(3, 9), 30, 1)
    assert 300 < np.median(drawn) < 1000


def test_series_and_countries_stand_side_by_side() -> None:
    """Units of the same place and of another series or country are different rows."""
    units = (
        Unit("Iraq", "one", "North"), Unit("Iraq", "two", "North"),
        Unit("Syria", "one", "North"), Unit("Syria", "one", ""),
    )  # fmt: skip
    counts = np.array([[40] * 12, [0] * 12, [3] * 12, [0] * 12])
    known = CountPanel(units, FIRST + np.arange(12), counts, "made up")
    drawn = CountForecaster().forecast(known, FIRST + np.arange(14, 18), 200, 1)
    np.testing.assert_allclose(drawn[[0, 2]].mean(axis=(1, 2)), [40, 3], rtol=0.4)
    assert drawn[[1, 3]].mean() < 1.0


def test_a_month_that_is_known_is_no_forecast() -> None:
    known = panel_of(np.ones((1, 3), dtype=np.int64))
    with pytest.raises(ValueError, match="later than 2010-03"):
        CountForecaster().forecast(known, known.months[-1:], 10, 1)


@pytest.mark.slow
def test_on_history_it_is_better_than_the_unit_baseline() -> None:
    """One origin a year of Iraq and Syria: a lower mean CRPS than the negative binomial.

    All origins, with intervals, are the back-test's; here the ends are tied together.
    """
    candidate, baseline = (forecaster(name) for name in ("incident_layer", "negative_binomial"))
    totals = np.zeros(2)
    for part in shipped_parts(["iraq", "syria"]):
        for origin in part.origins[6::12]:
            known = known_at(part.panel, origin)
            came = part.panel.counts[:, np.isin(part.panel.months, origin.months)]
            for number, each in enumerate((candidate, baseline)):
                drawn = each.forecast(known, origin.months, 200, 1)
                totals[number] += scoringrules.crps_ensemble(came, drawn, estimator="fair").sum()
    assert totals[0] < totals[1]
