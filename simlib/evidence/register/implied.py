"""What the posture parameters imply: how likely a state is reached within so many months.

Sojourns and next states are drawn as a replication draws them; given those, the probability
is that of the semi-Markov process alone. Agents tilt next states as things happen, so
simulations may differ.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simlib.scenario.expressions import compile_quantity
from simlib.world.quantities import ParameterPlan

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simlib.scenario.schema import PostureState, Quantity, Scenario

_STEP = 0.05
"""Months; the shortest median is half a month."""
N_DRAWS = 200


class Reached(NamedTuple):
    """Probability of reaching a state: its mean and 5 and 95 % points over what is drawn."""

    mean: float
    low: float
    high: float


def reached_within(
    scenario: Scenario, posture: str, state: str, months: float = 12.0, n_draws: int = N_DRAWS
) -> Reached:
    """How likely a posture enters a state within so many months of the start.

    The renewal equations of a semi-Markov process (R. Pyke 1961,
    doi:10.1214/aoms/1177704863), solved on a grid of a twentieth of a month.

    Parameters
    ----------
    scenario
        Has the posture, whose states all can be left but for absorbing ones.
    posture, state
        Which process, and the state that is to be entered.
    months
        From the scenario's start.
    n_draws
        Replications whose parameters are drawn.
    """
    plan = ParameterPlan(scenario)
    draws = [plan.draw(replication, {}) for replication in range(n_draws)]

    def drawn(quantity: Quantity) -> NDArray[np.float64]:
        function = compile_quantity(quantity)
        return np.array([function(values) for values in draws])

    process = scenario.postures[posture]
    n_steps = round(months / _STEP)
    left = {name: s for name, s in process.states.items() if s.next and name != state}
    following = {name: {other: drawn(p) for other, p in s.next.items()} for name, s in left.items()}
    leaving = {
        name: _leaving(drawn(s.shape), drawn(_median(s)), np.zeros(n_draws), n_steps)
        for name, s in left.items()
    }
    first = process.states[process.start]
    entries = {name: np.zeros((n_draws, n_steps + 1)) for name in process.states}
    at_first = _leaving(
        drawn(first.shape), drawn(_median(first)), drawn(process.age_months), n_steps
    )
    for name, quantity in first.next.items():
        entries[name] += drawn(quantity)[:, None] * at_first
    # Renewal: a state is left in a step after it was entered in one before and has lasted as
    # long as lies between, entries(step) = sum over s of entries(s) * leaving(step - s).
    for step in range(1, n_steps + 1):
        for name in left:
            now = np.einsum("ij,ij->i", entries[name][:, :step], leaving[name][:, step:0:-1])
            for other, probability in following[name].items():
                entries[other][:, step] += probability * now
    # Half of the last step lies beyond the end.
    found = entries[state].sum(axis=1) - entries[state][:, -1] / 2
    low, high = np.quantile(found, (0.05, 0.95))
    return Reached(float(found.mean()), float(low), float(high))


def _median(state: PostureState) -> Quantity:
    return math.inf if state.median_months is None else state.median_months


def _leaving(
    shape: NDArray[np.float64],
    median: NDArray[np.float64],
    age: NDArray[np.float64],
    n_steps: int,
) -> NDArray[np.float64]:
    """The probability of leaving in each step, shape (n_draws, n_steps + 1).

    A Weibull sojourn that has lasted for `age` months at the first step.
    """
    ends = np.maximum(np.arange(-0.5, n_steps + 1) * _STEP, 0.0)[None, :] + age[:, None]
    power, scale = shape[:, None], median[:, None]
    lasting = np.exp(-math.log(2.0) * ((ends / scale) ** power - (age[:, None] / scale) ** power))
    found: NDArray[np.float64] = -np.diff(lasting, axis=1)
    # A sojourn of less than half a step takes a whole one.
    found[:, 1] += found[:, 0]
    found[:, 0] = 0.0
    return found
