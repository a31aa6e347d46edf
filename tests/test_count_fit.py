"""What the counts of a series say of its levels: exact where it can be, else on average."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np

from simlib.chance import distributions
from simlib.evidence.count_forecaster.ar1_multipliers import (
    RHOS,
    SDS,
    estimate_multiplier,
    pool_multipliers,
)
from simlib.evidence.count_forecaster.count_fit import fit, weights_of
from simlib.evidence.count_forecaster.smoothing import Settings, field_of, smooth
from support.data import drawn_counts, panel_of

LIVELY = Settings(first_mean=0.5, first_sd=1.0, drift=0.2, between=0.8, rho=0.7, sd=0.9)
CALM = replace(LIVELY, sd=0.3, rho=0.9, drift=0.1)


def test_smoothing_is_conditioning_of_a_joint_normal() -> None:
    """Levels are sums of independent normal steps, so that their covariance is known.

    Given them with noise, mean, variance and density follow by Gaussian conditioning.
    """
    n_months, n_units = 4, 3
    rng = np.random.default_rng(1)
    observed = rng.normal(size=(2, n_months, n_units))
    precision = rng.gamma(2.0, size=observed.shape)
    found = smooth(observed, precision, field_of((LIVELY, CALM), n_months, n_units))
    for row, own in enumerate((LIVELY, CALM)):
        lag = np.abs(np.subtract.outer(range(n_months), range(n_months)))
        earlier = np.minimum.outer(range(n_months), range(n_months))
        national = own.first_sd**2 + own.drift**2 * earlier
        ar1 = own.sd**2 * own.rho**lag
        same = np.eye(n_units)
        prior = np.kron(national, np.ones((n_units, n_units))) + np.kron(ar1, same)
        prior += own.between**2 * np.kron(np.ones((n_months, n_months)), same)
        gain = prior @ np.linalg.inv(prior + np.diag(1.0 / precision[row].ravel()))
        away = observed[row].ravel() - own.first_mean
        np.testing.assert_allclose(found.mean[row].ravel(), own.first_mean + gain @ away)
        np.testing.assert_allclose(found.variance[row].ravel(), np.diag(prior - gain @ prior))
        whole = prior + np.diag(1.0 / precision[row].ravel())
        density = -0.5 * (away @ np.linalg.solve(whole, away))
        density -= 0.5 * np.linalg.slogdet(2.0 * np.pi * whole)[1]
        np.testing.assert_allclose(found.log_evidence[row], density)


def test_fitted_counts_add_up_to_what_was_counted() -> None:
    """The bound's derivative by a vague national level is the sum of counts less expected.

    It is 0 at the optimum, whatever else is believed: within 5 % of ten events, which is
    what the stopping rule leaves.
    """
    vague = replace(LIVELY, first_sd=50.0)
    (found,) = fit(np.array([[3], [0], [7]]), (vague,))
    of_units = np.hstack([np.ones((3, 1)), np.eye(3), np.eye(3)])
    variance = np.diag(of_units @ found.covariance @ of_units.T)
    expected = np.exp(of_units @ found.mean + 0.5 * variance)
    assert abs(expected.sum() - 10.0) < 0.5


def test_counts_choose_the_settings_they_came_from() -> None:
    """The bound's odds favour the truth: by guessing, 20 of 24 have probability .0008."""
    rng = np.random.default_rng(3)
    n_right = 0
    for right, truth in enumerate((LIVELY, CALM)):
        for _ in range(12):
            odds = weights_of(fit(drawn_counts(truth, 6, 48, rng), (LIVELY, CALM)))
            n_right += int(odds.argmax()) == right
    assert n_right >= 20


def test_the_multiplier_is_recovered_within_its_intervals() -> None:
    """A 90 % interval misses one time in ten.

    Of 10 series, 3 misses or more have probability .07 for each parameter.
    """
    rng = np.random.default_rng(4)
    truth = Settings(first_mean=1.0, first_sd=0.3, drift=0.005, between=0.5, rho=0.7, sd=0.6)
    found = [estimate_multiplier(drawn_counts(truth, 3, 60, rng)) for _ in range(10)]
    assert sum(not each.sd[0] <= truth.sd <= each.sd[2] for each in found) <= 2
    assert sum(not each.rho[0] <= truth.rho <= each.rho[2] for each in found) <= 2
    assert all(each.sd[0] > 0.2 for each in found), "a still series would be no estimate"


def test_a_fitted_multiplier_is_what_a_scenario_may_hold() -> None:
    """Gamma and beta have the posterior's mean and standard deviation; both are well formed.

    Pooling multiplies likelihoods: twice the same stretch has a narrower interval.
    """
    rng = np.random.default_rng(9)
    truth = Settings(first_mean=2.0, first_sd=0.3, drift=0.005, rho=0.6, sd=0.5)
    parts = [drawn_counts(truth, 1, 40, rng) for _ in range(2)]
    estimates = [estimate_multiplier(each) for each in parts]
    together, twice = pool_multipliers(estimates), pool_multipliers([estimates[0]] * 2)
    assert twice.sd[2] - twice.sd[0] < estimates[0].sd[2] - estimates[0].sd[0]
    assert (together.n_months, together.n_events) == (80, sum(int(c.sum()) for c in parts))
    sd, rho = together.fitted(panel_of(parts[0]), "made up", dt.date(2024, 12, 31))
    for fitted, values, axis in ((sd, SDS, 1), (rho, RHOS, 0)):
        ((kind, arguments),) = fitted.distribution.items()
        assert not distributions.check(kind, arguments)
        mean = float(together.weights.sum(axis=axis) @ np.array(values))
        np.testing.assert_allclose(distributions.mean(kind, arguments), mean)
