"""Each fitter recovers what it is given: ranks of truths in its posteriors are uniform.

Truths come from the fitter's prior, data from the truths. Ranks of right posteriors lie inside
the simultaneous 95 % band of Säilynoja, Bürkner and Vehtari (2022); seeds are fixed. The negative
control squeezes the same posteriors to half their variance: their ranks leave the band.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.special import betaincinv, ndtri
from scipy.stats import nbinom, poisson

from simlib.chance.addresses import seed_of, uniforms_of
from simlib.evidence.calibration.fitted_intensities import draw_prior, fit_intensities
from simlib.evidence.calibration.level_fits import (
    Ar1Grid,
    LevelPosterior,
    MonthlySeries,
    fit_levels,
    pattern_weights,
)
from simlib.evidence.calibration.reporting import CountPair, fit_ratio, fit_share
from simlib.evidence.calibration.totals import (
    PRIOR_SD,
    SLOPE_PRIOR_SD,
    STEP_PRIOR_SD,
    Change,
    PeriodTotal,
    fit_slope,
    fit_totals,
)
from simlib.statistics.ranks import simulated_ranks, uniformity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Experiment = Callable[[int], tuple[NDArray[np.float64], NDArray[np.float64]]]

N_DRAWS = 19
N_RANKS = 200
N_MONTHS = 11
OLDER = np.array([32.0, 20.0, 17.0, 3.0, 0.0])
GRID = Ar1Grid(np.repeat([0.55, 0.8], 3), np.tile([0.2, 0.35, 0.5], 2), np.full(6, 1.0 / 6.0))


def counts_of(rates: NDArray[np.float64], fano: float, seed: int) -> NDArray[np.int64]:
    """Draw counts of given rates and of a variance over mean."""
    uniforms = uniforms_of(seed, "counts", rates.shape)
    if fano <= 1.0:
        return np.asarray(poisson.ppf(uniforms, rates), dtype=np.int64)
    return np.asarray(nbinom.ppf(uniforms, rates / (fano - 1.0), 1.0 / fano), dtype=np.int64)


def tempo(point: int, n_months: int, seed: int) -> NDArray[np.float64]:
    """Draw a path of the multiplier at a point of the grid."""
    rho, sd = GRID.rho[point], GRID.sd[point]
    normals = ndtri(uniforms_of(seed, "tempo", n_months))
    z = np.empty(n_months)
    z[0] = normals[0]
    for month in range(1, n_months):
        z[month] = rho * z[month - 1] + np.sqrt(1.0 - rho**2) * normals[month]
    return np.asarray(np.exp(sd * z - sd**2 / 2.0))


def point_of(seed: int) -> int:
    return int(uniforms_of(seed, "point", 1)[0] * len(GRID.rho))


def drawn(weights: NDArray[np.float64], seed: int) -> NDArray[np.int64]:
    """Draw positions by weight, shape (N_DRAWS,)."""
    cumulative = np.cumsum(weights)
    return np.asarray(
        np.searchsorted(cumulative, uniforms_of(seed, "positions", N_DRAWS) * cumulative[-1])
    )


def intensities(seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rates of five places, and the share of the first."""
    rates = draw_prior(OLDER, seed)
    counts = counts_of(N_MONTHS * rates, 1.0, seed).astype(np.float64)
    fit = fit_intensities("abcde", counts, OLDER, N_MONTHS)
    draws = fit.draw(N_DRAWS, seed_of(seed, "draws")).T
    truths = np.append(rates, rates[0] / rates.sum())
    return truths, np.vstack([draws, draws[0] / draws.sum(axis=0)])


def levels(seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Level of one of two series, and the spread they share."""
    point = point_of(seed)
    means = {"a": 6.0, "b": 15.0}
    truths = {n: -mean * np.log1p(-uniforms_of(seed, n, 1)[0]) for n, mean in means.items()}
    series = {}
    for name, mean in means.items():
        path = truths[name] * tempo(point, N_MONTHS, seed_of(seed, name))
        counts = counts_of(path, 1.3, seed_of(seed, name, "n"))
        series[name] = MonthlySeries(counts, mean, 1.3)
    fit = fit_levels(series, GRID)
    spread = GRID.sd[drawn(fit.weights, seed_of(seed, "sd"))]
    return np.array([truths["a"], GRID.sd[point]]), np.stack([_level_draws(fit, seed), spread])


def _level_draws(fit: LevelPosterior, seed: int) -> NDArray[np.float64]:
    grid = np.log(fit.levels["a"])
    chosen = grid[drawn(fit.level_weights["a"], seed_of(seed, "level"))]
    inside = uniforms_of(seed, "inside", N_DRAWS) - 0.5
    return np.asarray(np.exp(chosen + inside * (grid[1] - grid[0])))


def season(seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Amplitude of a season, with level and tempo unknown."""
    amplitudes = np.linspace(0.1, 0.9, 5)
    shape = np.cos(np.pi * np.arange(12) / 6.0)
    truth = amplitudes[int(uniforms_of(seed, "amplitude", 1)[0] * len(amplitudes))]
    level = -30.0 * np.log1p(-uniforms_of(seed, "level", 1)[0])
    rates = level * (1.0 + truth * shape) * tempo(point_of(seed), 12, seed)
    series = MonthlySeries(counts_of(rates, 1.0, seed), 30.0)
    weights = pattern_weights(series, GRID, amplitudes, shape)
    return np.array([truth]), amplitudes[drawn(weights, seed)][None, :]


def totals(seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Level of a series of which three totals are known, each of ten or more.

    Which data are looked at may depend on the data: ranks stay uniform.
    """
    windows = ((0, 6), (6, 1), (12, 12))
    for attempt in range(1000):
        inner = seed_of(seed, attempt)
        truth = np.log(40.0) + PRIOR_SD * ndtri(uniforms_of(inner, "level", 1)[0])
        path = np.exp(truth) * tempo(point_of(inner), 24, inner)
        expected = np.array([path[first : first + n].sum() for first, n in windows])
        counts = counts_of(expected, 2.0, inner)
        if counts.min() >= 10:
            break
    periods = [
        PeriodTotal(first, months, count)
        for (first, months), count in zip(windows, counts.tolist(), strict=True)
    ]
    fit = fit_totals(periods, GRID, prior_median=40.0, fano=2.0)
    draws = fit.mean + fit.sd * ndtri(uniforms_of(seed, "draws", N_DRAWS))
    return np.array([truth]), draws[None, :]


def slope(seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Slope of a random walk with drift of which six changes are known."""
    months = np.array([12.0, 12.0, 12.0, 12.0, 12.0, 9.0])
    truth = SLOPE_PRIOR_SD * ndtri(uniforms_of(seed, "slope", 1)[0])
    step = STEP_PRIOR_SD * abs(ndtri(uniforms_of(seed, "step", 1)[0]))
    spread = np.sqrt(step**2 * months + 0.02)
    ratios = truth * months + spread * ndtri(uniforms_of(seed, "ratios", 6))
    fit = fit_slope([Change(r, m, 0.02) for r, m in zip(ratios.tolist(), months, strict=True)])
    draws = fit.mean + fit.sd * ndtri(uniforms_of(seed, "draws", N_DRAWS))
    return np.array([truth]), draws[None, :]


def claims(seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Share of another pair, after four pairs."""
    sizes = (480, 390, 14, 33)
    mean = 0.005 + 0.99 * uniforms_of(seed, "mean", 1)[0]
    precision = 300.0 ** uniforms_of(seed, "precision", 1)[0]
    a, b = mean * precision, (1.0 - mean) * precision
    shares = betaincinv(a, b, uniforms_of(seed, "shares", 5))
    hits = [
        int((uniforms_of(seed, f"hits{row}", size) < share).sum())
        for row, (size, share) in enumerate(zip(sizes, shares[1:].tolist(), strict=True))
    ]
    fit = fit_share([CountPair(hit, size) for hit, size in zip(hits, sizes, strict=True)])
    return shares[:1], betaincinv(fit.a, fit.b, uniforms_of(seed, "draws", N_DRAWS))[None, :]


def ratio(seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Ratio of another pair below 1, after three pairs of ten or more each, all below .95."""
    denominators = np.array([700.0, 160.0, 90.0])
    for attempt in range(1000):
        inner = seed_of(seed, attempt)
        mean, step = ndtri(uniforms_of(inner, "mean", 2))
        logs = mean + 0.3 * abs(step) * ndtri(uniforms_of(inner, "pairs", 4))
        counts = counts_of(np.exp(logs[1:]) * denominators, 1.0, inner)
        seen = counts_of(denominators, 1.0, seed_of(inner, "of"))
        if logs[0] < 0.0 and counts.min() >= 10 and (counts < 0.95 * seen).all():
            break
    fit = fit_ratio([CountPair(n, d) for n, d in zip(counts.tolist(), seen.tolist(), strict=True)])
    draws = betaincinv(fit.a, fit.b, uniforms_of(inner, "draws", N_DRAWS))
    return np.exp(logs[:1]), draws[None, :]


EXPERIMENTS = {f.__name__: f for f in (intensities, levels, season, totals, slope, claims, ratio)}


def squeezed(experiment: Experiment) -> Experiment:
    """Return the experiment with posteriors of half their variance about the same mean."""

    def run(seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        truths, draws = experiment(seed)
        middle = draws.mean(axis=1, keepdims=True)
        return truths, middle + (draws - middle) / np.sqrt(2.0)

    return run


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_ranks_of_truths_are_uniform(name: str) -> None:
    ranks = simulated_ranks(EXPERIMENTS[name], N_RANKS, 7)
    outside = [uniformity(row, N_DRAWS + 1).n_outside for row in ranks]
    assert outside == [0] * len(ranks)


@pytest.mark.parametrize("name", ["intensities", "totals", "slope"])
def test_half_the_variance_is_found(name: str) -> None:
    """Negative control: at least one number of each leaves the band."""
    ranks = simulated_ranks(squeezed(EXPERIMENTS[name]), N_RANKS, 7)
    assert any(not uniformity(row, N_DRAWS + 1).is_uniform for row in ranks)
