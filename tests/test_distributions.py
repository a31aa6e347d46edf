"""Inversion against SciPy's laws, and the tables of counts against what was asked."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.stats as st

from simlib.chance.distributions import KINDS, check, dirichlet, mean, median, quantile
from simlib.chance.inversion_tables import check_count, count_mean, count_table

Z95 = 1.6448536269514722
CASES: list[tuple[str, dict[str, float], Any]] = [
    ("uniform", {"low": 2, "high": 5}, st.uniform(2, 3)),
    ("triangular", {"low": 1, "mode": 2, "high": 5}, st.triang(0.25, 1, 4)),
    ("triangular", {"low": 1, "mode": 1, "high": 5}, st.triang(0, 1, 4)),
    ("triangular", {"low": 1, "mode": 5, "high": 5}, st.triang(1, 1, 4)),
    ("normal", {"mean": -1, "sd": 2}, st.norm(-1, 2)),
    ("truncated_normal", {"mean": 0, "sd": 1, "low": -1, "high": 2}, st.truncnorm(-1, 2)),
    ("truncated_normal", {"mean": 0, "sd": 1, "low": 6, "high": 9}, st.truncnorm(6, 9)),
    ("lognormal", {"median": 3, "p95": 9}, st.lognorm(math.log(3) / Z95, scale=3)),
    ("lognormal", {"median": 3, "sigma": 0.5}, st.lognorm(0.5, scale=3)),
    ("beta", {"a": 2, "b": 5}, st.beta(2, 5)),
    ("beta", {"a": 2, "b": 5, "low": 1, "high": 3}, st.beta(2, 5, 1, 2)),
    ("gamma", {"shape": 2.5, "mean": 5}, st.gamma(2.5, scale=2)),
    ("gamma", {"shape": 0.5, "rate": 4}, st.gamma(0.5, scale=0.25)),
    ("student_t", {"df": 4, "location": 0.05, "scale": 0.3}, st.t(4, 0.05, 0.3)),
    ("exponential", {"mean": 7}, st.expon(scale=7)),
    ("weibull", {"shape": 2, "median": 8}, st.weibull_min(2, scale=8 / math.log(2) ** 0.5)),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "args", "law"), CASES)
@pytest.mark.parametrize("u", [1e-6, 0.01, 0.2, 0.5, 0.77, 0.99, 1 - 1e-6])
def test_quantile_is_scipys(kind: str, args: dict[str, float], law: Any, u: float) -> None:
    """Inversion is the quantile function: both agree to nine digits of the law's width."""
    assert quantile(kind, args, u) == pytest.approx(law.ppf(u), rel=1e-9, abs=1e-9 * law.std())


@pytest.mark.parametrize(("kind", "args", "law"), CASES)
def test_mean_and_median_are_scipys(kind: str, args: dict[str, float], law: Any) -> None:
    assert mean(kind, args) == pytest.approx(law.mean(), rel=1e-8, abs=1e-9)
    assert median(kind, args) == pytest.approx(law.median(), rel=1e-9, abs=1e-12)


def test_every_kind_is_compared() -> None:
    """No kind enters without a case: those left over are tested by name below."""
    assert set(KINDS) - {kind for kind, _, _ in CASES} == {"fixed", "categorical", "dirichlet"}


@pytest.mark.parametrize(("kind", "args", "_law"), CASES)
def test_the_ends_are_finite(kind: str, args: dict[str, float], _law: Any) -> None:
    """A uniform may be exactly 0: the value is still a number."""
    assert math.isfinite(quantile(kind, args, 0.0))
    assert quantile(kind, args, 0.0) < quantile(kind, args, 1 - 2.0**-53)


def test_fixed_is_fixed() -> None:
    assert {quantile("fixed", {"value": 4.5}, u) for u in (0.0, 0.3, 0.999)} == {4.5}


def test_categorical_orders_its_values_as_numbers() -> None:
    """With P(2) = .3, P(10) = .7 a uniform below .3 gives 2, in whatever order they stand."""
    for args in ({"2": 0.3, "10": 0.7}, {"10": 0.7, "2": 0.3}):
        assert [quantile("categorical", args, u) for u in (0.0, 0.29, 0.31, 0.99)] == [2, 2, 10, 10]
    assert mean("categorical", {"2": 0.3, "10": 0.7}) == pytest.approx(7.6)


def test_dirichlet_has_beta_marginals() -> None:
    """Part i of a Dirichlet is Beta(a_i, sum - a_i): Kolmogorov-Smirnov, n = 4000, fixed seed.

    A distance above 1.95 / sqrt(n) has a probability below .001; the wrong marginal fails.
    """
    weights = {"met": 2.0, "extended": 1.0, "slipped": 0.5}
    rows = np.random.default_rng(11).random((4000, 3)).tolist()
    shares = [dirichlet(weights, row) for row in rows]
    assert all(math.isclose(sum(share.values()), 1) for share in shares)
    for name, weight in weights.items():
        values = [share[name] for share in shares]
        assert st.kstest(values, st.beta(weight, 3.5 - weight).cdf).statistic < 1.95 / 4000**0.5
        wrong = st.beta(weight + 0.5, 3.5 - weight).cdf
        assert st.kstest(values, wrong).statistic > 1.95 / 4000**0.5


@pytest.mark.parametrize(
    ("kind", "args", "rule"),
    [
        ("uniform", {"low": 3, "high": 2}, "low must be <= high (got 3 > 2)"),
        ("triangular", {"low": 1, "mode": 9, "high": 5}, "mode must be <= high (got 9 > 5)"),
        ("normal", {"mean": 1, "sd": 0}, "sd must be > 0 (got 0)"),
        ("normal", {"mean": 1}, "arguments must be {mean, sd} (got {mean})"),
        ("normal", {"mean": 1, "sd": 1, "low": 0},
         "arguments must be {mean, sd} (got {mean, sd, low})"),
        ("lognormal", {"median": 3, "p95": 2}, "median must be <= p95 (got 3 > 2)"),
        ("lognormal", {"mean": 3},
         "arguments must be {median, p95} or {median, sigma} (got {mean})"),
        ("lognormal", {"median": 3, "sigma": 1e6}, "must be finite at both ends (got inf)"),
        ("truncated_normal", {"mean": 0, "sd": 1, "low": 60, "high": 61},
         "low to high must hold some probability (got none)"),
        ("categorical", {"1": 0.5, "2": 0.6}, "weights must sum to 1 (got 1.1)"),
        ("categorical", {"a": 0.5, "2": 0.5}, "value must be a number (got 'a')"),
        ("dirichlet", {"a": 0, "b": 1}, "weight of a must be > 0 (got 0)"),
        ("dirichlet", {"a": 5e-324, "b": 1},
         "weights must give finite shares (got 4.940656458e-324 to 1)"),
        ("dirichlet", {"a": 1e308, "b": 1e308},
         "weights must give finite shares (got 1e+308 to 1e+308)"),
        ("dirichlet", {"a": 1}, "must have at least two weights (got 1)"),
        ("normel", {}, "unknown distribution (got 'normel')"),
    ],
)  # fmt: skip
def test_check_names_the_rule(kind: str, args: dict[str, float], rule: str) -> None:
    assert check(kind, args) == [rule]


@pytest.mark.parametrize(("kind", "args", "_law"), CASES)
def test_check_finds_nothing_in_what_is_right(kind: str, args: dict[str, float], _law: Any) -> None:
    assert check(kind, args) == []


def probabilities(law: str, args: dict[str, float]) -> list[float]:
    return [float(p) for p in np.diff(count_table(law, args), prepend=0.0)]


@pytest.mark.parametrize(
    ("one", "wanted"), [(0.13, 3.6), (0.52, 1.9), (0.61, 1.5), (0.33, 3.3), (0.5, 1.5)]
)
def test_severity_is_as_asked(one: float, wanted: float) -> None:
    """P(0) = 0, P(1) as asked, the mean as asked, and every count from 2 likelier than the next."""
    args = {"one": one, "mean": wanted, "exponent": 2.5}
    assert check_count("severity", args) == []
    p = probabilities("severity", args)
    assert len(p) == 1001
    assert p[0] == 0
    assert p[1] == pytest.approx(one, abs=1e-15)
    assert sum(k * share for k, share in enumerate(p)) == pytest.approx(wanted, abs=1e-8)
    assert all(a >= b - 1e-16 for a, b in itertools.pairwise(p[2:]))


COUNTS: list[tuple[str, dict[str, float], Callable[[int], float]]] = [
    ("poisson", {"mean": 4.2}, st.poisson(4.2).cdf),
    ("geometric", {"mean": 3}, st.geom(0.25, loc=-1).cdf),
    ("one_plus_geometric", {"mean": 3}, st.geom(1 / 3).cdf),
    ("lognormal", {"median": 300, "p95": 1000},
     lambda k: float(st.lognorm(math.log(10 / 3) / Z95, scale=300).cdf(k + 1))),
    ("fixed", {"value": 5}, lambda k: float(k >= 5)),
]  # fmt: skip


@pytest.mark.parametrize(("law", "args", "cdf"), COUNTS)
def test_counts_are_scipys(law: str, args: dict[str, float], cdf: Callable[[int], float]) -> None:
    table = count_table(law, args)
    for k in range(0, len(table) - 1, 7):
        assert table[k] == pytest.approx(cdf(k), abs=1e-12)


@pytest.mark.parametrize(("law", "args", "cdf"), COUNTS)
def test_least_is_the_law_given_so_many(
    law: str, args: dict[str, float], cdf: Callable[[int], float]
) -> None:
    """P(X <= k | X >= 4), which is none below 4; the mean is that of what is left."""
    below, given = cdf(3), {**args, "least": 4}
    assert check_count(law, given) == []
    table = count_table(law, given)
    assert (table[:4] == 0).all()
    for k in range(4, len(table) - 1, 7):
        assert table[k] == pytest.approx((cdf(k) - below) / (1 - below), abs=1e-12)
    assert count_mean(law, given) >= max(4.0, count_mean(law, args))


@pytest.mark.parametrize(
    ("least", "rule"),
    [
        (2.5, "least must be a whole number from 0 to 5000 (got 2.5)"),
        (-1, "least must be a whole number from 0 to 5000 (got -1)"),
        (6, "least must be a count that the law has (got 6)"),
    ],
)
def test_least_that_leaves_nothing_is_refused(least: float, rule: str) -> None:
    assert check_count("fixed", {"value": 5, "least": least}) == [rule]


@pytest.mark.parametrize(
    ("law", "args", "length"),
    [
        ("severity", {"one": 0.3, "mean": 3, "exponent": 2.5}, 1001),
        ("severity", {"one": 0.3, "mean": 3, "exponent": 2.5, "cap": 50}, 51),
        ("poisson", {"mean": 0}, 257),
        ("poisson", {"mean": 150}, 257),
        ("geometric", {"mean": 25}, 257),
        ("one_plus_geometric", {"mean": 1}, 257),
        ("lognormal", {"median": 300, "p95": 1000}, 5001),
        ("fixed", {"value": 0}, 1),
        ("fixed", {"value": 100}, 101),
    ],
)
def test_tables_rise_to_one_at_their_cap(law: str, args: dict[str, float], length: int) -> None:
    table = count_table(law, args)
    assert check_count(law, args) == []
    assert len(table) == length
    assert table[-1] == 1
    assert (np.diff(table) >= 0).all()
    assert not table.flags.writeable


def test_count_mean_is_the_tables() -> None:
    """E X = sum of P(X > k): 4.2 for the Poisson, 5 for the constant."""
    assert count_mean("poisson", {"mean": 4.2}) == pytest.approx(4.2, abs=1e-12)
    assert count_mean("fixed", {"value": 5}) == 5


@pytest.mark.parametrize(
    ("law", "args", "rule"),
    [
        ("severity", {"one": 0.5, "mean": 1.2, "exponent": 2.5},
         "mean must be between 1.5 and 251 (got 1.2)"),
        ("severity", {"one": 1.5, "mean": 2, "exponent": 2.5},
         "one must be a probability, 0 to 1 (got 1.5)"),
        ("severity", {"one": 0.5, "mean": 2, "exponent": 2.5, "cap": 9.5},
         "cap must be a whole number from 3 to 5000 (got 9.5)"),
        ("poisson", {"mean": -1}, "mean must be between 0 and 150 (got -1)"),
        ("geometric", {"mean": 300}, "mean must be between 0 and 25 (got 300)"),
        ("one_plus_geometric", {"mean": 0.5}, "mean must be between 1 and 26 (got 0.5)"),
        ("lognormal", {"median": 10, "p95": 10}, "p95 must be > median (got 10 <= 10)"),
        ("fixed", {"value": 1.5}, "value must be a whole number from 0 to 256 (got 1.5)"),
        ("fixed", {}, "arguments must be {value} (got {})"),
        ("zipf", {}, "unknown law of counts (got 'zipf')"),
    ],
)  # fmt: skip
def test_check_count_names_the_rule(law: str, args: dict[str, float], rule: str) -> None:
    assert check_count(law, args) == [rule]
