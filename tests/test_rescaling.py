"""Distributions taken times a number and plus another: quantiles, moments, and what is refused."""

from __future__ import annotations

import math
from typing import Any

import pytest
import scipy.stats as st

from simlib.chance.distributions import check, mean, quantile
from simlib.chance.rescaling import rescaled

ANY_SIGN: list[tuple[str, dict[str, float]]] = [
    ("fixed", {"value": 3}),
    ("uniform", {"low": 2, "high": 5}),
    ("triangular", {"low": 1, "mode": 2, "high": 5}),
    ("normal", {"mean": -1, "sd": 2}),
    ("truncated_normal", {"mean": 0, "sd": 1, "low": -1, "high": 2}),
    ("student_t", {"df": 4, "location": 0.05, "scale": 0.3}),
    ("beta", {"a": 2, "b": 5, "low": 1, "high": 3}),
]
POSITIVE: list[tuple[str, dict[str, float]]] = [
    ("lognormal", {"median": 3, "p95": 9}),
    ("lognormal", {"median": 3, "sigma": 0.5}),
    ("gamma", {"shape": 2.5, "mean": 5}),
    ("gamma", {"shape": 0.5, "rate": 4}),
    ("exponential", {"mean": 7}),
    ("weibull", {"shape": 2, "median": 8}),
]


@pytest.mark.parametrize(("kind", "args"), ANY_SIGN)
@pytest.mark.parametrize(("times", "add"), [(2.0, 0.0), (0.25, 1.0), (-1.5, 0.5), (1.0, -4.0)])
@pytest.mark.parametrize("u", [0.01, 0.3, 0.5, 0.9])
def test_every_quantile_moves_alike(
    kind: str, args: dict[str, float], times: float, add: float, u: float
) -> None:
    """A negative number mirrors the distribution."""
    to, moved = rescaled(kind, args, times, add)
    assert to == kind
    assert check(kind, moved) == []
    mirrored = u if times > 0 else 1 - u
    expected = times * quantile(kind, args, u) + add
    assert quantile(kind, moved, mirrored) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(("kind", "args"), POSITIVE)
@pytest.mark.parametrize("times", [0.1, 3.0])
@pytest.mark.parametrize("u", [0.01, 0.5, 0.9])
def test_positive_numbers_are_scaled(
    kind: str, args: dict[str, float], times: float, u: float
) -> None:
    _, moved = rescaled(kind, args, times, 0.0)
    assert set(moved) == set(args)
    expected = times * quantile(kind, args, u)
    assert quantile(kind, moved, u) == pytest.approx(expected, rel=1e-12)


def test_what_is_added_moves_a_lognormal_and_keeps_its_spread() -> None:
    """Median and 95 % point move alike."""
    for args in ({"median": 3.0, "p95": 9.0}, {"median": 3.0, "sigma": math.log(3) / 1.6448536269}):
        _, moved = rescaled("lognormal", args, 1.0, 2.0)
        assert moved["median"] == 5.0
        assert moved["p95"] == pytest.approx(11.0)


@pytest.mark.parametrize("args", [{"shape": 2.5, "mean": 5.0}, {"shape": 2.5, "rate": 0.5}])
def test_what_is_added_moves_a_gamma_and_keeps_its_spread(args: dict[str, float]) -> None:
    _, moved = rescaled("gamma", args, 2.0, 3.0)
    law = st.gamma(moved["shape"], scale=moved["mean"] / moved["shape"])
    assert law.mean() == pytest.approx(13.0)
    assert law.std() == pytest.approx(2.0 * 5.0 / math.sqrt(2.5))


@pytest.mark.parametrize(("times", "add"), [(2.0, 0.0), (0.5, 0.0), (1.0, 0.1), (-1.0, 1.0)])
def test_shares_stay_shares(times: float, add: float) -> None:
    """Mean and standard deviation move; the ends 0 and 1 do not."""
    before = st.beta(4, 16)
    kind, moved = rescaled("beta", {"a": 4, "b": 16}, times, add)
    after = st.beta(moved["a"], moved["b"])
    assert kind == "beta"
    assert set(moved) == {"a", "b"}
    assert after.mean() == pytest.approx(times * before.mean() + add)
    assert after.std() == pytest.approx(abs(times) * before.std())


def test_values_of_their_own_move() -> None:
    assert rescaled("categorical", {"1": 0.25, "3": 0.75}, 2.0, 1.0) == (
        "categorical",
        {"3.0": 0.25, "7.0": 0.75},
    )


@pytest.mark.parametrize(("kind", "args"), [*ANY_SIGN, *POSITIVE, ("beta", {"a": 1, "b": 2})])
def test_times_nothing_is_what_is_added(kind: str, args: dict[str, float]) -> None:
    assert rescaled(kind, args, 0.0, 1.5) == ("fixed", {"value": 1.5})
    assert mean("fixed", {"value": 1.5}) == 1.5


REFUSED: list[tuple[str, dict[str, Any], float, float, str]] = [
    ("dirichlet", {"a": 1, "b": 2}, 2, 0, "must be given anew"),
    ("lognormal", {"median": 3, "p95": 9}, -1, 0, "a lognormal has no negative numbers"),
    ("exponential", {"mean": 3}, 1, 1, "nothing can be added"),
    ("weibull", {"shape": 1, "median": 3}, 1, 1, "nothing can be added"),
    ("gamma", {"shape": 2, "mean": 3}, 1, -3, "must leave positive numbers"),
    ("beta", {"a": 4, "b": 4}, 2, 0, "must leave a share between 0 and 1 (got a mean of 1"),
    ("beta", {"a": 4, "b": 16}, 4.2, 0, "must leave a share between 0 and 1 (got a mean of 0.84"),
]


@pytest.mark.parametrize(("kind", "args", "times", "add", "rule"), REFUSED)
def test_what_a_family_has_not_is_refused(
    kind: str, args: dict[str, float], times: float, add: float, rule: str
) -> None:
    with pytest.raises(ValueError, match="must") as caught:
        rescaled(kind, args, times, add)
    assert rule in str(caught.value)
