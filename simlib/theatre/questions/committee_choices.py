"""The committee's rule by itself: its answer at the mean of all grounds, and what that rests on.

Its offsets keep the mean probability of each class where it is at the mean of all grounds.
`scenarios/theatre/parameters.yaml` holds them, and a test re-derives them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import root
from scipy.special import ndtri

from simlib.chance.addresses import name_hash
from simlib.chance.philox import uniform
from simlib.theatre.agents.committee import CLASSES, GROUNDS
from simlib.world.quantities import ParameterPlan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from simlib.scenario.schema import Scenario

OTHERS = ("formally_extended", "relabelled", "slipped")


def _committee_draws(
    scenario: Scenario, draws: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Log(pi / pi of met), delta, both (draws, 3), and beta . z, (draws,)."""
    plan = ParameterPlan(scenario)
    log_pi, delta = np.empty((draws, len(OTHERS))), np.zeros((draws, len(OTHERS)))
    shift = np.empty(draws)
    z_names = [name_hash(f"standardizing|{ground}") for ground in GROUNDS]
    for i in range(draws):
        p = plan.draw(i, {})
        pi = {name: max(1e-12, p[f"committee.pi.{name}"]) for name in CLASSES}
        log_pi[i] = [math.log(pi[name] / pi["met"]) for name in OTHERS]
        delta[i, :2] = p["committee.delta_extended"], p["committee.delta_relabelled"]
        z = [float(ndtri(max(2.0**-54, uniform(0, i, name)))) for name in z_names]
        shift[i] = sum(
            p[f"committee.beta_{ground}"] * value for ground, value in zip(GROUNDS, z, strict=True)
        )
    return log_pi, delta, shift


def _class_means(
    eta: NDArray[np.float64], offsets: Sequence[float] | NDArray[np.float64]
) -> NDArray[np.float64]:
    """Mean probabilities of the classes other than `met`."""
    weights = np.exp(eta + np.asarray(offsets))
    return np.asarray((weights / (1.0 + weights.sum(axis=1, keepdims=True))).mean(axis=0))


def share_due_to_pi(scenario: Scenario, draws: int = 1000) -> float:
    """The share of the variance of P(extension) that is due to pi, 0-1.

    Over the prior of pi, delta and beta and standard normal grounds: the variance of the
    expectation given pi, over the whole (a first-order Sobol index). What is left is due to
    the other numbers and to the grounds. Each pi drawn is met with the rest of every other draw.
    """
    log_pi, delta, shift = _committee_draws(scenario, draws)
    typical = ParameterPlan(scenario).typical()
    offsets = np.array([typical[f"committee.offset_{name}"] for name in OTHERS])
    rest = delta + offsets
    rest[:, OTHERS.index("formally_extended")] += shift
    weights = np.exp(log_pi)[:, None, :] * np.exp(rest)[None, :, :]
    chance = weights[:, :, OTHERS.index("formally_extended")] / (1.0 + weights.sum(axis=2))
    return float(chance.mean(axis=1).var() / chance.var())


def answer_at_zero(scenario: Scenario, draws: int = 4000) -> dict[str, float]:
    """The mean probability of each class when every ground stands at its mean.

    The offsets of the scenario are left out: this is what they are solved to keep.
    """
    log_pi, delta, _ = _committee_draws(scenario, draws)
    eta = log_pi + delta
    means = dict(zip(OTHERS, _class_means(eta, [0.0] * 3).tolist(), strict=True))
    return {name: means.get(name, 1.0 - sum(means.values())) for name in CLASSES}


def solve_offsets(scenario: Scenario, draws: int = 4000) -> dict[str, float]:
    """Offsets under which the class means hold when the grounds vary.

    Over the prior of pi, delta and beta and standard normal grounds, the expected
    probability of each class equals the one with every ground at zero.
    """
    log_pi, delta, shift = _committee_draws(scenario, draws)
    eta = log_pi + delta
    target = _class_means(eta, [0.0] * 3)
    varying = eta.copy()
    varying[:, OTHERS.index("formally_extended")] += shift
    found = root(lambda offsets: _class_means(varying, offsets) - target, np.zeros(3))
    return {
        f"committee.offset_{name}": float(offset)
        for name, offset in zip(OTHERS, found.x, strict=True)
    }
