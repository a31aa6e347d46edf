"""Laws of the severity tail: exact values, recovery, goodness of fit, the engine's own law."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy.special import zeta

from simlib.chance.inversion_tables import count_table
from simlib.evidence.severity import (
    PowerLaw,
    SeverityError,
    exponent_posterior,
    fit_model_law,
    fit_power_law,
    goodness_of_fit,
    model_survival,
    power_law_sizes,
)
from simlib.statistics.ranks import rank_statistics, uniformity

SEED = 20241231


def test_the_tail_has_the_value_of_the_literature() -> None:
    """V6: zeta(2.4, 100) / zeta(2.4, 12) = .048806."""
    tail = PowerLaw(2.4, 12, 0.0, 1, 1)
    assert tail.survival(np.array([100.0]))[0] == pytest.approx(0.048806, abs=5e-7)


def test_sizes_are_drawn_from_the_law() -> None:
    """20,000 of exponent 2.4 from 12: shares at or above 12, 13, 30 and 100 within 4 errors."""
    sizes = power_law_sizes(2.4, 12, 20_000, SEED)
    for least in (12, 13, 30, 100):
        p = zeta(2.4, least) / zeta(2.4, 12)
        assert (sizes >= least).mean() == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / 20_000))


def test_a_refit_of_simulated_terrorist_attacks_returns_exponent_and_threshold() -> None:
    """D9: 9,101 events, 547 of them a tail of 2.4 from 12; published 2.4(2) and 12 +- 4.

    Below 12 sizes fall off as no power law does: geometrically.
    """
    generator = np.random.default_rng(SEED)
    body = 1 + generator.geometric(0.28, 60_000) - 1
    body = body[body < 12][: 9101 - 547]
    sizes = np.concatenate([body, power_law_sizes(2.4, 12, 547, SEED)])
    fitted = fit_power_law(sizes)
    assert fitted.n_events == 9101
    assert fitted.exponent == pytest.approx(2.4, abs=0.2)
    assert abs(fitted.threshold - 12) <= 4
    low, _, high = exponent_posterior(sizes, fitted.threshold)
    assert low < 2.4 < high


@pytest.mark.parametrize(("exponent", "threshold"), [(1.9, 1), (2.4, 12), (2.6, 3)])
def test_the_fit_is_that_of_the_powerlaw_library(exponent: float, threshold: int) -> None:
    """At a given threshold and exponents below 3: to 1e-3, its optimizer's tolerance."""
    import powerlaw

    sizes = power_law_sizes(exponent, threshold, 1000, SEED)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = powerlaw.Fit(
            sizes, discrete=True, estimate_discrete=False, xmin=threshold, verbose=False
        )
        alpha = theirs.power_law.alpha
    ours = fit_power_law(sizes, threshold)
    assert ours.exponent == pytest.approx(alpha, abs=1e-3)
    gradient = (
        np.log(sizes).mean()
        + (
            np.log(zeta(ours.exponent + 1e-5, threshold))
            - np.log(zeta(ours.exponent - 1e-5, threshold))
        )
        / 2e-5
    )
    assert gradient == pytest.approx(0.0, abs=1e-4)


def test_a_power_law_is_not_ruled_out_and_a_geometric_one_is() -> None:
    """400 events each, 40 bootstrap samples: p above .1 and at most .1.

    The negative control is geometric from 1 with mean 5.
    """
    true = power_law_sizes(2.2, 1, 400, SEED)
    false = np.random.default_rng(SEED).geometric(0.2, 400)
    assert goodness_of_fit(true, fit_power_law(true), SEED, 40) > 0.1
    single = fit_power_law(false, 1)
    assert goodness_of_fit(false, single, SEED, 40) <= 0.1


def test_the_posterior_of_the_exponent_is_calibrated() -> None:
    """300 truths uniform on 1.5 to 6, 60 sizes each: its quantiles cover as they say.

    Shares below the 5, 50 and 95 % quantiles within 4 binomial errors; the control is the
    posterior of sizes from an exponent .5 higher.
    """
    truths = np.random.default_rng(SEED).uniform(1.5, 6.0, 300)
    right, wrong = (
        np.array(
            [
                exponent_posterior(power_law_sizes(float(t) + off, 2, 60, SEED + i), 2)
                for i, t in enumerate(truths)
            ]
        )
        for off in (0.0, 0.5)
    )
    shares = np.array([0.05, 0.5, 0.95])
    errors = 4 * np.sqrt(shares * (1 - shares) / 300)
    assert (np.abs((truths[:, None] < right).mean(axis=0) - shares) < errors).all()
    assert (np.abs((truths[:, None] < wrong).mean(axis=0) - shares) > errors).any()
    ranks = rank_statistics(truths, right, SEED)
    # Of three quantiles .05, .45, .45 and .05 lie between: not uniform over four values.
    assert not uniformity(ranks, 4).is_uniform


def test_the_engines_law_is_recovered_and_told_from_another_exponent() -> None:
    """3,000 sizes of {one .3, mean 4, exponent 2.5}: 2.5 inside 90 %, and 4 is ruled out."""
    uniforms = np.random.default_rng(SEED).random(3000)

    def sizes(exponent: float) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        table = count_table("severity", {"one": 0.3, "mean": 4.0, "exponent": exponent})
        return np.searchsorted(table, uniforms, side="right")

    same, other = fit_model_law(sizes(2.5)), fit_model_law(sizes(4.0))
    assert same.exponent[0] < 2.5 < same.exponent[2]
    assert same.log_likelihood_ratio < 2.0
    assert other.exponent[0] > 2.5
    assert other.log_likelihood_ratio > 2.0
    assert same.one == pytest.approx(0.3, abs=4 * np.sqrt(0.21 / 3000))


def test_survival_of_the_engines_law_begins_at_one() -> None:
    law = model_survival(0.3, 4.0, 2.5, np.array([1, 2, 1000]))
    assert law[0] == 1.0
    assert law[1] == pytest.approx(0.7)
    assert 0.0 < law[2] < 1e-3


@pytest.mark.parametrize(
    ("sizes", "threshold"),
    [
        (np.arange(1, 10), None),
        (np.arange(0, 50), None),
        (np.arange(1, 50), 45),
        (np.full(50, 2), None),
    ],
)
def test_too_little_is_refused(
    sizes: np.ndarray[tuple[int], np.dtype[np.int64]], threshold: int | None
) -> None:
    with pytest.raises(SeverityError, match=r"sizes must be 20 or more|fewer than 20 events"):
        fit_power_law(sizes, threshold)


def test_sizes_that_the_engines_law_cannot_have_are_refused() -> None:
    with pytest.raises(SeverityError, match="sizes must be 1 to 1000"):
        fit_model_law(np.array([0, 1, 5]))
