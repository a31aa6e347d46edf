"""Constants of the scenario that are computed from the scenario itself are re-derived."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

import pytest
from scipy.integrate import quad

from simlib.scenario import load
from simlib.theatre.agents.committee import SIGNS
from simlib.theatre.questions.committee_choices import (
    CONSTANTS,
    answer_at_zero,
    share_due_to_pi,
    solve_constants,
)
from simlib.theatre.questions.standardizing import withdrawal_effect
from simlib.world.quantities import ParameterPlan

if TYPE_CHECKING:
    from simlib.scenario.schema import Scenario


@functools.cache
def _scenario() -> Scenario:
    return load("as_agreed")


def test_each_class_is_possible_before_any_ground_is_weighed() -> None:
    assert all(0.05 <= p <= 0.75 for p in answer_at_zero(_scenario()).values())


def _with(values: dict[str, float]) -> Scenario:
    """Return the scenario with some parameters held."""
    held = {
        name: _scenario().parameters[name].model_copy(update={"distribution": None, "value": value})
        for name, value in values.items()
    }
    return _scenario().model_copy(update={"parameters": {**_scenario().parameters, **held}})


WEIGHTS = [f"committee.{g}_{ground}" for g, signs in SIGNS.items() for ground in signs]


def test_share_due_to_pi_is_whole_when_nothing_else_varies() -> None:
    """Without weights the grounds move nothing; without delta nothing but pi is left."""
    deltas = ["committee.delta_extended", "committee.delta_relabelled"]
    alone = _with(dict.fromkeys([*WEIGHTS, *deltas], 0.0))
    assert share_due_to_pi(alone, 40) == pytest.approx(1.0)
    assert 0.1 < share_due_to_pi(_scenario(), 60) < 0.9


def test_without_weights_nothing_has_to_be_solved() -> None:
    solved = solve_constants(_with(dict.fromkeys(WEIGHTS, 0.0)), 20)
    assert all(abs(value) < 1e-6 for value in solved.values())


def test_class_means_hold_on_the_prior_predictive() -> None:
    """Solved anew on 150 replications, each constant lies within .4 log odds of the file's.

    Their standard error is about .1: the sd of what grounds add is 1.3, over root 150.
    """
    found = solve_constants(_scenario(), 150)
    assert set(found) == set(CONSTANTS)
    for name, value in found.items():
        assert value == pytest.approx(_scenario().parameters[name].value, abs=0.4), name


def test_a_ground_that_speaks_for_staying_is_paid_for_by_a_lower_intercept() -> None:
    """Negative control: with another weight of threat another intercept is solved."""
    heavy = _with({"committee.baghdad_threat": 4.0})
    name = "committee.intercept_baghdad"
    assert solve_constants(heavy, 40)[name] < solve_constants(_scenario(), 40)[name] - 0.5


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
