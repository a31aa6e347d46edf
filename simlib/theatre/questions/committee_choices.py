"""The committee's rule by itself: its class means, what they rest on, and what keeps them.

Its intercepts and offsets keep the mean probability of each class where it is before any ground
is weighed. `scenarios/theatre/parameters.yaml` holds them, and a test re-derives them.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

from simlib.simulation import assemble, simulate
from simlib.theatre.agents.committee import (
    CLASSES,
    GROUNDS,
    SIGNS,
    UNEXTENDED,
    base_logits,
    other_ends,
    score,
    weights,
)
from simlib.world.quantities import ParameterPlan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from simlib.scenario.schema import Scenario

GOVERNMENTS = tuple(SIGNS)
_OWN = "committee."
"""What the names of its own parameters begin with."""
CONSTANTS = (
    *(f"committee.intercept_{government}" for government in GOVERNMENTS),
    "committee.offset_relabelled",
    "committee.offset_slipped",
)
MIDSUMMER = dt.date(2025, 7, 1)
"""When the grounds are looked at: between the meetings of June and September."""
NO_GROUNDS = dict.fromkeys(GROUNDS, 0.0)


@dataclass(frozen=True, slots=True)
class DrawnNumbers:
    """The parameters of one replication, the committee's solved constants at 0."""

    values: Mapping[str, float]

    def parameter(self, name: str) -> float:
        """A parameter by its name."""
        return 0.0 if name in CONSTANTS else self.values[name]


@dataclass(frozen=True, slots=True)
class CommitteeRule:
    """What the committee's rule is made of, in n draws.

    Attributes
    ----------
    base
        Log-odds of each government's assent before its intercept and its grounds, shape (n, 2).
    grounds
        What its grounds add to them, shape (n, 2).
    ends
        Probability of each class of `UNEXTENDED` where it is not extended, shape (n, 3).
    """

    base: NDArray[np.float64]
    grounds: NDArray[np.float64]
    ends: NDArray[np.float64]


def _rule(draws: Sequence[DrawnNumbers], levels: Sequence[Mapping[str, float]]) -> CommitteeRule:
    bases = [base_logits(drawn) for drawn in draws]
    return CommitteeRule(
        np.array([[base[g] for g in GOVERNMENTS] for base in bases]),
        np.array(
            [
                [score(weights(drawn)[g], level) for g in GOVERNMENTS]
                for drawn, level in zip(draws, levels, strict=True)
            ]
        ),
        np.array([[other_ends(drawn)[name] for name in UNEXTENDED] for drawn in draws]),
    )


def _measured(scenario: Scenario, replications: int) -> CommitteeRule:
    """The rule on the prior predictive at midsummer, over so many replications."""
    cut = {"end": MIDSUMMER, "outcomes": {}, "series": {}, "options": {}}
    blueprint = assemble(scenario.model_copy(update=cut))
    draws, levels = [], []
    for replication in range(replications):
        run = simulate(blueprint, replication)
        last = run.snapshots[-1]
        draws.append(DrawnNumbers(run.parameters))
        levels.append({g: float(last[run.layout.index(f"committee.{g}")]) for g in GROUNDS})
    return _rule(draws, levels)


def _drawn_without_grounds(scenario: Scenario, draws: int) -> CommitteeRule:
    only = scenario
    own = {name: each for name, each in scenario.parameters.items() if name.startswith(_OWN)}
    if not any(each.expression for each in own.values()):  # else they rest on any others
        only = scenario.model_copy(update={"parameters": own})
    plan = ParameterPlan(only, written=scenario)
    drawn = [DrawnNumbers(plan.draw(i, {})) for i in range(draws)]
    return _rule(drawn, [NO_GROUNDS] * draws)


def answer_at_zero(scenario: Scenario, draws: int = 4000) -> dict[str, float]:
    """The mean probability of each class before any ground is weighed.

    The solved constants of the scenario are left out: they are solved to keep this.
    """
    rule = _drawn_without_grounds(scenario, draws)
    extended = expit(rule.base).prod(axis=1)
    others = ((1.0 - extended)[:, None] * rule.ends).mean(axis=0)
    means = dict(zip(UNEXTENDED, others.tolist(), strict=True))
    return {name: means.get(name, float(extended.mean())) for name in CLASSES}


def share_due_to_pi(scenario: Scenario, replications: int = 100) -> float:
    """The share of the variance of P(extension) that is due to how deadlines end, 0-1.

    Over the prior of the parameters and the grounds at midsummer: the variance of the expectation
    given the base rates, over the whole (a first-order Sobol index). Each base rate drawn is met
    with the grounds of every other draw.
    """
    rule = _measured(scenario, replications)
    given = np.array([_number(scenario, f"committee.intercept_{g}") for g in GOVERNMENTS])
    chance = expit(rule.base[:, None, :] + (rule.grounds + given)[None, :, :]).prod(axis=2)
    return float(chance.mean(axis=1).var() / chance.var())


def _number(scenario: Scenario, name: str) -> float:
    return float(scenario.parameters[name].value or 0.0)


def solve_constants(scenario: Scenario, replications: int = 200) -> dict[str, float]:
    """Intercepts and offsets under which the class means hold when the grounds vary.

    On the prior predictive at midsummer, over so many replications, each class has the expected
    probability that it has before any ground is weighed, and so has the ratio of how often
    either government assents.
    """
    from scipy.optimize import root

    rule = _measured(scenario, replications)
    before = expit(rule.base)
    target = before.prod(axis=1)

    def misses(intercepts: NDArray[np.float64]) -> list[float]:
        chances = expit(rule.base + rule.grounds + intercepts)
        ratios = [float(np.log(x[:, 0].mean() / x[:, 1].mean())) for x in (chances, before)]
        return [float(np.log(chances.prod(axis=1).mean() / target.mean())), ratios[0] - ratios[1]]

    # Two governments: their product and their ratio are to be as before, two equations.
    intercepts = root(misses, -rule.grounds.mean(axis=0)).x
    extended = expit(rule.base + rule.grounds + intercepts).prod(axis=1)
    offsets = _solve_offsets(rule.ends, 1.0 - extended, 1.0 - target)
    return dict(zip(CONSTANTS, [*intercepts.tolist(), *offsets], strict=True))


def _solve_offsets(
    ends: NDArray[np.float64], left: NDArray[np.float64], before: NDArray[np.float64]
) -> list[float]:
    """Offsets of relabelled and slipped: what is not extended falls to them as before."""
    from scipy.optimize import root

    wanted = (before[:, None] * ends).mean(axis=0)[1:]

    def misses(offsets: NDArray[np.float64]) -> NDArray[np.float64]:
        weights = ends * np.exp(np.array([0.0, *offsets]))
        shares = weights / weights.sum(axis=1, keepdims=True)
        return np.asarray((left[:, None] * shares).mean(axis=0)[1:] - wanted)

    return [float(x) for x in root(misses, np.zeros(2)).x]
