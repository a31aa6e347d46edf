"""Addressed uniforms from NumPy's own Philox, and inversion, for the plain oracle."""

from __future__ import annotations

import numpy as np

MASK = 2**64 - 1
Address = tuple[int, int, int]


def philox(key: tuple[int, int], counter: tuple[int, int, int, int]) -> list[int]:
    """Return a block from NumPy, which advances the counter before its first block."""
    whole = sum(word << (64 * i) for i, word in enumerate(counter))
    before = (whole - 1) % 2**256
    words = np.array([(before >> (64 * i)) & MASK for i in range(4)], dtype=np.uint64)
    generator = np.random.Philox(key=np.array(key, dtype=np.uint64), counter=words)
    return [int(word) for word in generator.random_raw(4)]


def unit(word: int) -> float:
    return (word >> 11) * 2.0**-53


def invert(table: list[float], u: float) -> int:
    return next((k for k, p in enumerate(table[:-1]) if u < p), len(table) - 1)


def choose_goal(own: int, near: list[int], weights: list[float], share: float, word: int) -> int:
    """Return where a child falls: its parent's place, else a neighbor by weight."""
    u = unit(word)
    if not near or (own >= 0 and u < share):
        return own
    if own >= 0:
        u = (u - share) / (1.0 - share)
    return near[invert(weights, u)]
