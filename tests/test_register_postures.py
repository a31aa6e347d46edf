"""What the posture parameters imply within a year."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from simlib.evidence.register.implied import reached_within
from simlib.scenario import load, load_text

if TYPE_CHECKING:
    from simlib.scenario.schema import Scenario

TEXT = """\
simlib: 1
name: two_steps
context_of_use: Tests of the library.
start: 2000-01-01
end: 2000-12-31
places: {North: {kind: governorate, country: Iraq}}
parameters:
  wait: {value: MEDIAN, unit: months, judgement: test}
postures:
  talks.posture:
    owner: watcher
    start: first
    age_months: AGE
    judgement: test
    states:
      first: {shape: SHAPE, median_months: wait, next: {second: 0.6, other: 0.4}}
      second: {shape: 1, median_months: 3, next: {third: 1}}
      third: {}
      other: {}
agents: {watcher: {writes: [talks.posture]}}
"""


def _scenario(shape: float = 1.0, median: float = 5.0, age: float = 0.0) -> Scenario:
    text = TEXT.replace("SHAPE", f"{shape}").replace("MEDIAN", f"{median}")
    return load_text(text.replace("AGE", f"{age}"))


def _two_steps(months: float) -> float:
    """Return the chance of two exponential waits within some months: a hypoexponential."""
    first, second = math.log(2) / 5, math.log(2) / 3
    late = second * math.exp(-first * months) - first * math.exp(-second * months)
    return 1 - late / (second - first)


def test_one_step_is_the_weibull_given_its_age() -> None:
    """P = q (1 - S(age + 12) / S(age)), S(t) = 2 ** -(t / median) ** shape, on a fine grid."""
    for shape, age in ((1.0, 0.0), (1.3, 2.3), (2.0, 4.0)):
        lasting = [2.0 ** -((t / 5) ** shape) for t in (age, age + 12)]
        expected = 0.6 * (1 - lasting[1] / lasting[0])
        reached = reached_within(_scenario(shape, age=age), "talks.posture", "second", n_draws=2)
        assert reached.mean == pytest.approx(expected, abs=2e-4)
        assert reached.low == pytest.approx(reached.high)


def test_two_steps_are_a_hypoexponential() -> None:
    """With the branch taken first: 0.6 times the chance of both waits within the year."""
    reached = reached_within(_scenario(), "talks.posture", "third", n_draws=2)
    assert reached.mean == pytest.approx(0.6 * _two_steps(12.0), abs=5e-4)


def test_an_age_matters_unless_exponential() -> None:
    """Negative control: a rising hazard forgets nothing."""

    def reached(shape: float, age: float) -> float:
        return reached_within(_scenario(shape, age=age), "talks.posture", "second", n_draws=2).mean

    assert reached(1.0, 4.0) == pytest.approx(reached(1.0, 0.0), abs=1e-6)
    assert reached(2.0, 4.0) > reached(2.0, 0.0) + 0.01


@pytest.mark.parametrize(
    ("posture", "state", "stated"),
    [
        ("pkk.posture", "ceasefire", 0.40),
        ("pkk.posture", "dissolving", 0.05),
        ("sdf_damascus.posture", "framework", 0.51),
        ("sdf_damascus.posture", "fighting", 0.32),
        ("sdf_damascus.posture", "collapse", 0.06),
        ("turkiye_sdf.posture", "incursion", 0.16),
        ("israel_iran.posture", "exchange", 0.68),
        ("israel_iran.posture", "war", 0.17),
    ],
)
def test_the_postures_imply_what_the_model_was_set_to(
    posture: str, state: str, stated: float
) -> None:
    """Probabilities within twelve months, stated to two digits when the seeds were judged.

    The standard deviation over draws is .16 at most, so 200 draws have an error of .011;
    two of them, and half of the last digit.
    """
    reached = reached_within(load("theatre"), posture, state)
    assert reached.mean == pytest.approx(stated, abs=2 * 0.011 + 0.005)
