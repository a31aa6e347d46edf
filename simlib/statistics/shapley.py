"""Shapley values: what each part adds, averaged over the orders in which parts can be put in.

L. S. Shapley (1953), "A value for n-person games". Shares sum to the whole, parts that
never matter get nothing, and parts that always do the same get the same. Of few parts every
set is valued; of more, orders are sampled in pairs, each with its reverse (R. Mitchell,
J. Cooper, E. Frank and G. Holmes 2022, "Sampling permutations for Shapley value estimation",
JMLR 23), and the shares still sum to the whole, order by order.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from simlib.chance.addresses import name_hash
from simlib.chance.philox import uniforms

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Value = Callable[[frozenset[str]], NDArray[np.float64]]
    """What a set of parts comes to: one number, or one for each of several outcomes."""


def exact(parts: Sequence[str], value: Value) -> dict[str, NDArray[np.float64]]:
    """Each part's Shapley value, from all 2**n sets, each of which is valued once.

    Examples
    --------
    >>> shares = exact(["a", "b"], lambda s: np.array(6.0 if len(s) == 2 else 2.0 * ("a" in s)))
    >>> {name: float(share) for name, share in shares.items()}
    {'a': 4.0, 'b': 2.0}
    """
    n = len(parts)
    sets = [frozenset(p for i, p in enumerate(parts) if bits >> i & 1) for bits in range(2**n)]
    worth = [np.asarray(value(each), dtype=np.float64) for each in sets]
    shares = {}
    for i, part in enumerate(parts):
        total = np.zeros_like(worth[0])
        for bits in range(2**n):
            if not bits >> i & 1:
                # |S|! (n - |S| - 1)! / n!: the share of orders in which just S comes before.
                weight = 1.0 / (n * math.comb(n - 1, bits.bit_count()))
                total = total + weight * (worth[bits | 1 << i] - worth[bits])
        shares[part] = total
    return shares


def along_orders(
    parts: Sequence[str], value: Value, orders: Sequence[Sequence[str]]
) -> dict[str, NDArray[np.float64]]:
    """Each part's mean contribution over some orders of all parts.

    An unbiased estimate of the Shapley values where orders are drawn uniformly; the
    contributions of each order sum to the whole. Sets met twice are asked for once.
    """
    known: dict[frozenset[str], NDArray[np.float64]] = {}

    def worth(each: frozenset[str]) -> NDArray[np.float64]:
        if each not in known:
            known[each] = np.asarray(value(each), dtype=np.float64)
        return known[each]

    shares = {part: np.zeros_like(worth(frozenset())) for part in parts}
    for order in orders:
        grown = [frozenset(order[:k]) for k in range(len(order) + 1)]
        for part, (before, after) in zip(order, pairwise(grown), strict=True):
            shares[part] = shares[part] + (worth(after) - worth(before)) / len(orders)
    return shares


def drawn_orders(
    parts: Sequence[str], n_pairs: int, *, root_seed: int, replication: int
) -> list[tuple[str, ...]]:
    """Orders drawn for a replication, each followed by its reverse.

    A part's place in an order depends on its own name's draw only, so leaving out parts
    that do not matter leaves the order of the others as it is.
    """
    orders: list[tuple[str, ...]] = []
    addresses = np.array([name_hash(f"shapley|{part}") for part in parts], dtype=np.uint64)
    for pair in range(n_pairs):
        occasion = np.array([pair], dtype=np.uint64)
        u = uniforms(root_seed, replication, addresses, occasion)[:, 0]
        order = tuple(parts[i] for i in np.argsort(u, kind="stable"))
        orders += [order, order[::-1]]
    return orders


def shares_of(
    parts: Sequence[str], value: Value, *, n_pairs: int, root_seed: int, replication: int
) -> dict[str, NDArray[np.float64]]:
    """Shapley values: exact where that asks for no more sets than drawn orders do."""
    if 2 ** len(parts) <= 2 * n_pairs * max(1, len(parts) - 1) + 2:
        return exact(parts, value)
    orders = drawn_orders(parts, n_pairs, root_seed=root_seed, replication=replication)
    return along_orders(parts, value, orders)
