"""Constants of the scenario that are computed from the scenario itself are re-derived."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

import pytest
from scipy.integrate import quad

from simlib.scenario import load
from simlib.theatre.questions.committee_choices import (
    answer_at_zero,
    share_due_to_pi,
    solve_offsets,
)
from simlib.theatre.questions.standardizing import standardize, withdrawal_effect
from simlib.world.quantities import ParameterPlan

if TYPE_CHECKING:
    from simlib.scenario.schema import Scenario


@functools.cache
def _scenario() -> Scenario:
    return load("as_agreed")


def test_each_class_is_possible_at_the_mean_of_all_grounds() -> None:
    assert all(0.05 <= p <= 0.75 for p in answer_at_zero(_scenario()).values())


def _with_fixed(*names: str) -> Scenario:
    """Return the scenario with some parameters held at their medians."""
    typical = ParameterPlan(_scenario()).typical()
    fixed = {
        name: _scenario()
        .parameters[name]
        .model_copy(update={"distribution": None, "value": typical[name]})
        for name in names
    }
    return _scenario().model_copy(update={"parameters": {**_scenario().parameters, **fixed}})


def test_share_due_to_pi_is_whole_when_nothing_else_varies() -> None:
    """Without weights the grounds move nothing; without delta nothing but pi is left."""
    betas = [name for name in _scenario().parameters if name.startswith("committee.beta_")]
    deltas = ["committee.delta_extended", "committee.delta_relabelled"]
    alone = _with_fixed(*deltas, *betas)
    still = {name: alone.parameters[name].model_copy(update={"value": 0.0}) for name in betas}
    alone = alone.model_copy(update={"parameters": {**alone.parameters, **still}})
    assert share_due_to_pi(alone, 200) == pytest.approx(1.0)
    assert 0.1 < share_due_to_pi(_scenario(), 400) < 0.9


def test_offsets_of_the_scenario_are_those_solved() -> None:
    """The root is found on fixed prior draws, so it is found again to rounding."""
    for name, offset in solve_offsets(_scenario()).items():
        value = _scenario().parameters[name].value
        assert value == pytest.approx(offset, abs=0.01)


def test_grounds_are_standardized_on_the_prior_predictive() -> None:
    """Mean and sd at 30 June 2025 within four standard errors of n replications."""
    n = 150
    found = standardize(_scenario(), n)
    for name, value in found.items():
        if not name.endswith("_mean"):
            continue
        sd = _scenario().parameters[name.replace("_mean", "_sd")].value
        mean = _scenario().parameters[name].value
        assert sd is not None
        assert value == pytest.approx(mean, abs=4.0 * sd / math.sqrt(n))
        assert found[name.replace("_mean", "_sd")] == pytest.approx(sd, rel=0.25)


def test_readiness_path_is_its_integral() -> None:
    """The midpoint rule of four gives the twelve-month mean of -log readiness to 1 %."""
    p = ParameterPlan(_scenario()).typical()
    lag, left, loss = p["readiness.lag"], p["withdrawal.left_at_exit"], p["readiness.loss"]

    def minus_log(t: float) -> float:
        return -math.log(1.0 - loss * (1.0 - left * math.exp(-t / lag)))

    assert p["withdrawal.path_readiness"] == pytest.approx(quad(minus_log, 0, 12)[0] / 12, rel=0.01)


@pytest.mark.parametrize("effect", [0.4, -0.3])
def test_full_exit_has_the_effect_that_is_drawn(effect: float) -> None:
    """A given log effect is what paired runs show in the year after, to .08 (60 pairs)."""
    found = withdrawal_effect(_scenario(), 60, given={"withdrawal.log_effect": effect})
    assert found == pytest.approx(effect, abs=0.08)
