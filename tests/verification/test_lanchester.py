"""State feedback with gates against stochastic Lanchester combat, solved exactly."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from simlib.scenario import from_dict
from simlib.simulation import assemble, simulate
from verification.exams import LIMIT

A, B, N = 10, 8, 10_000
"""Strengths at the start, replications."""


def scenario(law: str, seed: int) -> dict[str, Any]:
    """Return a fight to the end: under the square law each combatant kills at rate 1.

    Under the linear law each pair of opponents loses either of them at rate 1.
    """
    factors: dict[str, dict[str, dict[str, str]]] = {
        "a_falls": {"b": {"value": "B"}},
        "b_falls": {"a": {"value": "A"}},
    }
    if law == "linear":
        factors = {name: {"a": {"value": "A"}, "b": {"value": "B"}} for name in factors}
    incidents = {}
    for name, side in (("a_falls", "A"), ("b_falls", "B")):
        group = {
            "target": side,
            "per": "day",
            "level": {"Field": 1.0},
            "factors": factors[name],
            "gates": [{"variable": side}],
            "effects": [{"change": side, "by": -1}],
        }
        incidents[name] = {"groups": {"all": group}}
    return {
        "simlib": 1,
        "name": f"lanchester {law}",
        "context_of_use": "Examining the engine.",
        "start": "2000-01-01",
        "end": "2000-02-19",
        "places": {"Field": {}},
        "state": {
            "A": {"unit": "combatants", "start": A},
            "B": {"unit": "combatants", "start": B},
        },
        "incidents": incidents,
        "history_days": 0,
        "root_seed": seed,
    }


def exact(law: str) -> tuple[dict[tuple[int, int], float], float]:
    """Return the probability of every end (a, b), and the mean duration in days.

    From (a, b) the next to fall is of B with probability a / (a + b) under the square law
    and 1/2 under the linear law; the time until then is exponential with rate a + b or
    2 a b.
    """
    reached: dict[tuple[int, int], float] = {(A, B): 1.0}
    ends: dict[tuple[int, int], float] = {}
    duration = 0.0
    for total in range(A + B, 0, -1):
        for (a, b), p in [item for item in reached.items() if sum(item[0]) == total]:
            if a == 0 or b == 0:
                ends[a, b] = p
                continue
            b_falls, rate = (a / (a + b), a + b) if law == "square" else (0.5, 2 * a * b)
            duration += p / rate
            reached[a, b - 1] = reached.get((a, b - 1), 0.0) + p * b_falls
            reached[a - 1, b] = reached.get((a - 1, b), 0.0) + p * (1.0 - b_falls)
    return ends, duration


def test_exact_ends() -> None:
    """The square law's figures agree with others'; the linear law is a fair coin.

    A wins if 8 of B fall before 10 of A: the sum over k < 10 of C(7 + k, k) / 2^(8 + k).
    """
    ends, duration = exact("square")
    assert math.fsum(ends.values()) == pytest.approx(1.0, abs=1e-12)
    assert math.fsum(p for (a, _), p in ends.items() if a) == pytest.approx(0.7913584466510835)
    assert math.fsum(p * a for (a, _), p in ends.items()) == pytest.approx(5.216568387555252)
    assert duration == pytest.approx(1.1069611206034096)
    ends, duration = exact("linear")
    wins = math.fsum(math.comb(7 + k, k) / 2.0 ** (8 + k) for k in range(10))
    assert math.fsum(p for (a, _), p in ends.items() if a) == pytest.approx(wins)
    assert wins == pytest.approx(0.6854705810546875)
    assert duration == pytest.approx(0.6036206905858048)


@pytest.mark.parametrize(("law", "seed"), [("square", 601), ("linear", 602)])
def test_fight(law: str, seed: int) -> None:
    """Who wins, with how many left, and when: |Z| and |Yc| below the limit.

    All moments but the duration's variance come from the exact distribution of ends. The
    control: the other law's probability of winning is Z = 20 away.
    """
    blueprint = assemble(from_dict(scenario(law, seed)))
    runs = [simulate(blueprint, i) for i in range(N)]
    ends, duration = exact(law)
    final = np.array([run.snapshots[-1][[run.layout.index(x) for x in "AB"]] for run in runs])
    assert (final.min(axis=1) == 0.0).all()
    samples = {
        "wins": ((final[:, 0] > 0).astype(float), {e: float(e[0] > 0) for e in ends}),
        "A": (final[:, 0], {e: float(e[0]) for e in ends}),
        "B": (final[:, 1], {e: float(e[1]) for e in ends}),
    }
    for name, (sample, value) in samples.items():
        mean = math.fsum(p * value[e] for e, p in ends.items())
        variance = math.fsum(p * (value[e] - mean) ** 2 for e, p in ends.items())
        fourth = math.fsum(p * (value[e] - mean) ** 4 for e, p in ends.items())
        z = math.sqrt(N / variance) * (sample.mean() - mean)
        yc = math.sqrt(N / (fourth / variance**2 - 1.0)) * (sample.var(ddof=1) / variance - 1.0)
        print(f"{law} {name}: Z = {z:.2f}, Yc = {yc:.2f}")  # noqa: T201
        assert abs(z) < LIMIT
        assert abs(yc) < LIMIT
    lasted = np.array([run.incidents.time[-1] for run in runs])
    z = math.sqrt(N) * (lasted.mean() - duration) / lasted.std()
    print(f"{law} duration: Z = {z:.2f}")  # noqa: T201
    assert abs(z) < LIMIT
    other = 0.6854705810546875 if law == "square" else 0.7913584466510835
    wins = samples["wins"][0]
    assert math.sqrt(N) * abs(wins.mean() - other) / wins.std() > LIMIT
