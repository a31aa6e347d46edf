"""Excitation against the Hawkes process with an exponential kernel.

Intensity mu + sum alpha exp(-beta (t - t_i)) with mu = 0.5, alpha = 0.8, beta = 2 over
T = 100: each incident has Poisson(n) direct children, n = alpha / beta = 0.4, each after
an exponential delay of mean 1 / beta (Hawkes and Oakes 1974, doi:10.2307/3212693).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy.linalg import expm

from simlib.scenario import from_dict
from simlib.simulation import assemble, simulate
from verification.exams import LIMIT

if TYPE_CHECKING:
    from numpy.typing import NDArray

MU, ALPHA, BETA, T = 0.5, 0.8, 2.0, 100.0
RATIO = ALPHA / BETA
N = 10_000


def scenario(history_days: float, seed: int) -> dict[str, Any]:
    """Return the process as one channel: its level is the total, mu / (1 - n)."""
    group = {"target": "all", "per": "day", "level": {"Place": MU / (1.0 - RATIO)}}
    excites = [{"type": "incident", "ratio": RATIO, "decay_days": 1.0 / BETA, "own_place": 1}]
    return {
        "simlib": 1,
        "name": "hawkes",
        "context_of_use": "Examining the engine.",
        "start": "2000-01-01",
        "end": "2000-04-09",
        "places": {"Place": {}},
        "incidents": {"incident": {"groups": {"all": group}, "excites": excites}},
        "history_days": history_days,
        "root_seed": seed,
    }


def counts(history_days: float, seed: int) -> NDArray[np.float64]:
    """Return the number of incidents in [0, T] in each of N replications."""
    blueprint = assemble(from_dict(scenario(history_days, seed)))
    return np.array(
        [(simulate(blueprint, i).incidents.time >= 0.0).sum() for i in range(N)], dtype=float
    )


def moments_from_empty() -> tuple[float, float]:
    """Return mean and sd of N(T) when nothing happened before 0.

    The intensity l falls at beta (l - mu) and jumps by alpha at each incident, so
    d E l = beta mu - (beta - alpha) E l,
    d E l^2 = (2 beta mu + alpha^2) E l - 2 (beta - alpha) E l^2,
    d E N = E l,
    d E N l = beta mu E N - (beta - alpha) E N l + E l^2 + alpha E l,
    d E N^2 = 2 E N l + E l: linear, solved by a matrix exponential.
    """
    gamma, inflow = BETA - ALPHA, BETA * MU
    rate = np.array(
        [  # 1, E l, E l^2, E N, E N l, E N^2
            [0, 0, 0, 0, 0, 0],
            [inflow, -gamma, 0, 0, 0, 0],
            [0, 2 * inflow + ALPHA**2, -2 * gamma, 0, 0, 0],
            [0, 1, 0, 0, 0, 0],
            [0, ALPHA, 1, inflow, -gamma, 0],
            [0, 1, 0, 0, 2, 0],
        ],
        dtype=float,
    )
    end = expm(rate * T) @ np.array([1.0, MU, MU**2, 0.0, 0.0, 0.0])
    return float(end[3]), math.sqrt(end[5] - end[3] ** 2)


def judged(sample: NDArray[np.float64], mean: float, sd: float) -> tuple[float, float]:
    """Return Z and Yc; the excess kurtosis, 0.08 or so, is the sample's own."""
    n = len(sample)
    kurtosis = ((sample - sample.mean()) ** 4).mean() / sample.var() ** 2 - 3.0
    z = math.sqrt(n) * (sample.mean() - mean) / sd
    yc = math.sqrt(n / (2.0 + kurtosis)) * (sample.var(ddof=1) / sd**2 - 1.0)
    return z, yc


def test_moments_are_those_of_the_closed_form() -> None:
    """E N(T) = mu T / (1 - n) - (mu / (1 - n) - mu) (1 - exp(-g T)) / g, g = beta - alpha.

    The sd agrees with one computed elsewhere.
    """
    mean, sd = moments_from_empty()
    gamma, level = BETA - ALPHA, MU / (1.0 - RATIO)
    expected = level * T - (level - MU) * -math.expm1(-gamma * T) / gamma
    assert mean == pytest.approx(expected, rel=1e-12)
    assert mean == pytest.approx(83.05555555555554, rel=1e-9)
    assert sd == pytest.approx(15.143347967154682, rel=1e-6)


def test_count_from_empty() -> None:
    """Mean and variance of the count without a history.

    The control: with n 2 % higher the mean would be 84.5 or so, Z = 9.
    """
    mean, sd = moments_from_empty()
    sample = counts(0.0, 501)
    z, yc = judged(sample, mean, sd)
    print(f"from empty: Z = {z:.2f}, Yc = {yc:.2f}")  # noqa: T201
    assert abs(z) < LIMIT
    assert abs(yc) < LIMIT
    assert abs(judged(sample, MU * T / (1.0 - 1.02 * RATIO), sd)[0]) > LIMIT


def test_count_with_a_history_is_stationary_in_the_mean() -> None:
    """The history is drawn at the total level, so children of it restore mu / (1 - n) at 0.

    E N(T) = mu T / (1 - n) = 83.33 exactly. From empty it would be 83.06: n = 10,000 tells
    these apart by Z = 1.8 only, so the first day is judged too: 0.833, from empty 0.665
    (by the formula above with T = 1), sd about 1: Z = 17.
    """
    blueprint = assemble(from_dict(scenario(90.0, 502)))
    runs = [simulate(blueprint, i).incidents.time for i in range(N)]
    for days, expected in ((T, 250.0 / 3.0), (1.0, 5.0 / 6.0)):
        sample = np.array([((times >= 0.0) & (times < days)).sum() for times in runs])
        z = math.sqrt(N) * (sample.mean() - expected) / sample.std()
        print(f"stationary over {days:g} days: Z = {z:.2f}")  # noqa: T201
        assert abs(z) < LIMIT
    empty = 5.0 / 6.0 - (1.0 / 3.0) * -math.expm1(-1.2) / 1.2
    assert math.sqrt(N) * abs(sample.mean() - empty) / sample.std() > LIMIT


def test_families_have_borel_sizes() -> None:
    """A family of Poisson(0.4) branching has size 1 with probability exp(-0.4) = 0.670.

    Mean 1 / (1 - n) = 5/3 and variance n / (1 - n)^3 = 1.85, over the families of
    immigrants before T - 20 in 500 replications; bounds of LIMIT sd.
    """
    blueprint = assemble(from_dict(scenario(0.0, 503)))
    sizes: list[int] = []
    for i in range(500):
        incidents = simulate(blueprint, i).incidents
        root = np.arange(len(incidents))
        for row in range(len(incidents)):
            if incidents.parent[row] >= 0:
                root[row] = root[incidents.parent[row]]
        founders = (incidents.parent < 0) & (incidents.time < T - 20.0)
        sizes += np.bincount(root, minlength=len(incidents))[founders].tolist()
    n, sample = len(sizes), np.array(sizes)
    alone = math.exp(-RATIO)
    assert abs((sample == 1).mean() - alone) < LIMIT * math.sqrt(alone * (1 - alone) / n)
    assert abs(sample.mean() - 1 / (1 - RATIO)) < LIMIT * math.sqrt(RATIO / (1 - RATIO) ** 3 / n)
    assert n > 15_000
