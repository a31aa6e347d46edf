"""Designs of the parameter draws: rows of uniforms that fill the cube more evenly than chance.

A replication's row has one uniform for each column. It depends on the design, the root
seed, the replication and the number of columns, never on how many replications there
are or which were asked for before. In the design ``random`` a parameter has no column:
its uniform stands at its own address.

``sobol``
    Sobol's sequence with the direction numbers of S. Joe and F. Y. Kuo (2008),
    doi:10.1137/070709359, one scrambling for each root seed: a random linear matrix and
    a digital shift (J. Matousek, 1998, doi:10.1006/jcom.1998.0489), which leaves the
    variance of a mean as the scrambling of A. B. Owen does (1998,
    doi:10.1006/jcom.1998.0487). Uniforms have 32 bits and stand in the middle of their
    cell, so that none is 0 or 1; the largest ensemble is 2**32 replications, the most
    columns are 21,201.
``latin_hypercube``
    M. D. McKay, R. J. Beckman and W. J. Conover (1979),
    doi:10.1080/00401706.1979.10489755, in blocks of `BLOCK` replications. Each block is a
    whole hypercube with an address of its own, so blocks are independent of one another.
    Uniforms have 53 bits; the number of blocks has no bound.
"""

from __future__ import annotations

import functools
import importlib
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from simlib.chance.addresses import name_hash

Design: TypeAlias = Literal["random", "sobol", "latin_hypercube"]
Floats: TypeAlias = NDArray[np.float64]
Words: TypeAlias = NDArray[np.uint32]

BLOCK = 100
"""Replications in a block of a Latin hypercube: every column has one in each hundredth."""
_SOBOL_BITS = 8
"""Sobol's points are made 2**8 at a time: four chunks of an ensemble."""
_SOBOL_WORD_BITS = 32
"""SciPy's engine jumps ahead only with words of at most 32 bits."""
_BELOW_ONE = 1.0 - 2.0**-53


def broken_rule(design: str, replications: int) -> str:
    """The rule that a number of replications breaks, or nothing.

    Examples
    --------
    >>> broken_rule("latin_hypercube", 250)
    'must be a multiple of 100 in a Latin hypercube (got 250)'
    >>> broken_rule("sobol", 250)
    ''
    """
    if design != "latin_hypercube" or replications % BLOCK == 0:
        return ""
    return f"must be a multiple of {BLOCK} in a Latin hypercube (got {replications})"


def blocks(design: str, replications: NDArray[np.int32]) -> NDArray[np.int32] | None:
    """The block of each replication; None in a design without blocks."""
    return replications // BLOCK if design == "latin_hypercube" else None


def row(
    design: Literal["sobol", "latin_hypercube"],
    n_columns: int,
    *,
    root_seed: int,
    replication: int,
) -> Floats:
    """The uniforms of one replication, each in [0, 1), shape (n_columns,).

    Rows of neighboring replications are made together and kept for a while.
    """
    if n_columns == 0:
        return np.empty(0)
    if design == "sobol":
        block, place = divmod(replication, 1 << _SOBOL_BITS)
        points = _sobol(root_seed, n_columns, block)
    else:
        block, place = divmod(replication, BLOCK)
        points = _latin_hypercube(root_seed, n_columns, block)
    result: Floats = points[place]
    return result


@functools.cache
def _qmc() -> Any:
    """SciPy's designs, loaded when first needed: that takes a second."""
    return importlib.import_module("scipy.stats.qmc")


@functools.lru_cache(maxsize=8)
def _latin_hypercube(root_seed: int, n_columns: int, block: int) -> Floats:
    seed = name_hash(f"design|latin_hypercube|{root_seed}|{block}")
    points = _qmc().LatinHypercube(n_columns, rng=seed).random(BLOCK)
    # SciPy counts a stratum's points down from its upper end, which may be 1.
    return _kept(np.minimum(points, _BELOW_ONE))


@functools.lru_cache(maxsize=8)
def _sobol(root_seed: int, n_columns: int, block: int) -> Floats:
    """A block of points, moved there from the first block.

    The sequence is linear: the words of point i + j, where i and j share no bit, are
    those of point i xor point j xor point 0.
    """
    words = _sobol_words(root_seed, n_columns, 0, 1 << _SOBOL_BITS)
    first = words[0]
    for bit in range(block.bit_length()):
        if block >> bit & 1:
            ahead = _sobol_words(root_seed, n_columns, 1 << (_SOBOL_BITS + bit), 1)
            words = words ^ ahead[0] ^ first
    return _kept((words.astype(np.float64) + 0.5) * 2.0**-_SOBOL_WORD_BITS)


@functools.lru_cache(maxsize=64)
def _sobol_words(root_seed: int, n_columns: int, start: int, n: int) -> Words:
    """Return n points of the sequence as words; walking to 2**20 takes some 20 ms."""
    seed = name_hash(f"design|sobol|{root_seed}")
    engine = _qmc().Sobol(n_columns, bits=_SOBOL_WORD_BITS, rng=seed)
    if start:
        engine.fast_forward(start)
    words: Words = (engine.random(n) * 2.0**_SOBOL_WORD_BITS).astype(np.uint32)
    return words


def _kept(points: Floats) -> Floats:
    """Points that nobody can change: they are handed out again and again."""
    points.flags.writeable = False
    return points
