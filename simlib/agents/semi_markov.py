"""The steps of a semi-Markov posture: how long a state lasts, what follows, what addresses it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from simlib.chance.addresses import name_hash
from simlib.world.waiting import Cause

if TYPE_CHECKING:
    from collections.abc import Mapping


def sojourn(median: float, shape: float, age: float, u: float) -> float:
    """The days still to come of a Weibull sojourn that has lasted `age` days."""
    scale = median / math.log(2.0) ** (1.0 / shape)
    elapsed = (age / scale) ** shape
    return float(scale * (elapsed - math.log1p(-u)) ** (1.0 / shape) - age)


def tilted(chances: Mapping[str, float], shifts: Mapping[str, float]) -> dict[str, float]:
    """Probabilities with their log-odds shifted, normalised."""
    if not shifts:
        return dict(chances)
    weights = {name: p * math.exp(shifts.get(name, 0.0)) for name, p in chances.items()}
    total = math.fsum(weights.values())
    return {name: weight / total for name, weight in weights.items()}


def next_occasion(chain: Cause, state: str) -> Cause:
    """The occasion that follows: the draws of a posture are addressed by its path."""
    a0, a1, a2 = chain.occasion
    return Cause("date", chain.text, (a0, name_hash(f"{a0}|{a1}|{a2}|{state}"), 0))
