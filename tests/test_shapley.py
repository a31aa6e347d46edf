"""Shapley values against closed forms and against their own axioms."""

from __future__ import annotations

import itertools
import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simlib.statistics.shapley import along_orders, drawn_orders, exact, shares_of

PARTS = ("a", "b", "c", "d")


def linear_gaussian(members: frozenset[str]) -> np.ndarray:
    """Explained variance of y = x.beta with covariance C: the set's regression on y."""
    beta = np.array([1.0, 2.0, 0.0])
    covariance = np.array([[1.0, 0.5, 0.0], [0.5, 1.0, 0.3], [0.0, 0.3, 1.0]])
    chosen = [i for i, name in enumerate("abc") if name in members]
    if not chosen:
        return np.array(0.0)
    cross = (covariance @ beta)[chosen]
    return np.array(cross @ np.linalg.solve(covariance[np.ix_(chosen, chosen)], cross))


def by_definition(parts: tuple[str, ...], value: object) -> dict[str, float]:
    """Return the mean over all n! orders, straight from the definition."""
    total = dict.fromkeys(parts, 0.0)
    for order in itertools.permutations(parts):
        for k, part in enumerate(order):
            before = frozenset(order[:k])
            total[part] += float(value(before | {part})) - float(value(before))  # type: ignore[operator]
    return {part: share / math.factorial(len(parts)) for part, share in total.items()}


def test_linear_gaussian_case_is_the_mean_over_all_orders() -> None:
    """A. B. Owen and C. Prieur (2017), doi:10.1137/16M1097717: dependent Gaussian inputs."""
    shares = exact("abc", linear_gaussian)
    wanted = by_definition(tuple("abc"), linear_gaussian)
    assert all(math.isclose(float(shares[p]), wanted[p], rel_tol=1e-12) for p in "abc")
    assert math.isclose(sum(map(float, shares.values())), float(linear_gaussian(frozenset("abc"))))
    assert float(shares["c"]) > 0.0  # no weight of its own, but correlated with b


@given(st.lists(st.floats(-10, 10), min_size=16, max_size=16), st.integers(0, 99))
def test_shares_sum_to_the_whole_on_every_way(worth: list[float], replication: int) -> None:
    """Efficiency: exactly all sets, and drawn orders, split v(all) - v(none)."""

    def value(members: frozenset[str]) -> np.ndarray:
        return np.array(worth[sum(1 << PARTS.index(p) for p in members)])

    orders = drawn_orders(PARTS, 2, root_seed=1, replication=replication)
    for shares in (exact(PARTS, value), along_orders(PARTS, value, orders)):
        assert math.isclose(float(sum(shares.values())), worth[15] - worth[0], abs_tol=1e-9)


def test_a_part_that_does_nothing_gets_nothing() -> None:
    shares = exact(PARTS, lambda s: np.array([2.0 * ("a" in s) + ("b" in s and "a" in s), 1.0]))
    assert np.array_equal(shares["c"], [0.0, 0.0])
    assert np.allclose([shares["a"][0], shares["b"][0]], [2.5, 0.5])


def test_drawn_orders_are_unbiased() -> None:
    """The mean over 600 replications lies within 4 standard errors of the exact shares.

    A negative control, orders never drawn but always alphabetical, lies far outside.
    """

    def value(members: frozenset[str]) -> np.ndarray:
        return np.array(float(len(members)) ** 2 * ("a" in members) + ("d" in members))

    wanted = exact(PARTS, value)
    drawn = [
        shares_of(PARTS, value, n_pairs=1, root_seed=3, replication=r)["a"] for r in range(600)
    ]
    error = float(np.std(drawn, ddof=1)) / math.sqrt(600)
    assert error > 0.0
    assert abs(float(np.mean(drawn)) - float(wanted["a"])) < 4.0 * error
    fixed = along_orders(PARTS, value, [PARTS])["a"]
    assert abs(float(fixed) - float(wanted["a"])) > 4.0 * error


def test_the_order_of_others_stays_when_a_part_is_left_out() -> None:
    for replication in range(20):
        whole = drawn_orders(PARTS, 1, root_seed=0, replication=replication)[0]
        fewer = drawn_orders("abd", 1, root_seed=0, replication=replication)[0]
        assert tuple(p for p in whole if p != "c") == fewer
