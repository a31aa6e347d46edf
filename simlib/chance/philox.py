"""Compiled Philox-4x64-10, equal to NumPy's bit for bit.

J. K. Salmon, M. A. Moraes, R. O. Dror and D. E. Shaw, "Parallel random numbers: as easy
as 1, 2, 3", SC11 (2011), doi:10.1145/2063384.2063405. NumPy advances the counter before
its first block, so the block at ``counter + 1`` (carried over 256 bits) equals
``numpy.random.Philox(key=key, counter=counter).random_raw(4)``.
"""

from __future__ import annotations

import importlib
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from simlib.chance.compiling import compiled, inlined

_numba = importlib.import_module("numba")
_extending = importlib.import_module("numba.extending")
_ir = importlib.import_module("llvmlite.ir")

Word: TypeAlias = np.uint64
Block: TypeAlias = tuple[Word, Word, Word, Word]
Words: TypeAlias = NDArray[np.uint64]
Floats: TypeAlias = NDArray[np.float64]

_M0 = np.uint64(0xD2E7470EE14C6C93)
_M1 = np.uint64(0xCA5A826395121157)
_W0 = np.uint64(0x9E3779B97F4A7C15)
_W1 = np.uint64(0xBB67AE8584CAA73B)
_ELEVEN = np.uint64(11)
_ZERO = np.uint64(0)
_TO_UNIT = 2.0**-53


def _multiply_high(_context: Any, _a: Any, _b: Any) -> Any:
    """The high 64 bits of a 128-bit product (LLVM has it as one instruction)."""
    word = _numba.types.uint64

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        wide = _ir.IntType(128)
        product = builder.mul(builder.zext(arguments[0], wide), builder.zext(arguments[1], wide))
        return builder.trunc(builder.lshr(product, _ir.Constant(wide, 64)), _ir.IntType(64))

    return word(word, word), generate


_high = _extending.intrinsic(_multiply_high)


@inlined
def block(key0: Word, key1: Word, c0: Word, c1: Word, c2: Word, c3: Word) -> Block:
    """The four words at a counter under a key; all arguments uint64."""
    for _ in range(10):
        high0 = _high(_M0, c0)
        low0 = _M0 * c0
        high1 = _high(_M1, c2)
        low1 = _M1 * c2
        c0 = high1 ^ c1 ^ key0
        c1 = low1
        c2 = high0 ^ c3 ^ key1
        c3 = low0
        key0 = key0 + _W0
        key1 = key1 + _W1
    return c0, c1, c2, c3


@inlined
def unit(word: Word) -> float:
    """A word's 53 leading bits as a number in [0, 1)."""
    return np.float64(word >> _ELEVEN) * _TO_UNIT


@compiled
def _uniform(key0: Word, key1: Word, a0: Word, a1: Word, a2: Word, draw: Word, word: int) -> float:
    words = block(key0, key1, a0, a1, a2, draw)
    if word == 0:
        return unit(words[0])
    if word == 1:
        return unit(words[1])
    if word == 2:
        return unit(words[2])
    return unit(words[3])


def uniform(
    root_seed: int,
    replication: int,
    a0: int,
    a1: int = 0,
    a2: int = 0,
    *,
    draw: int = 0,
    word: int = 0,
) -> float:
    """The uniform in [0, 1) at an address (what is decided, and on which occasion) under a key.

    `draw` is a block of the address, `word` 0 to 3 one of the block.
    """
    w = np.uint64
    address = w(a0), w(a1), w(a2) if a2 else _ZERO, w(draw) if draw else _ZERO
    return _uniform(w(root_seed), w(replication), *address, word)


@compiled
def uniform_at(address: Words) -> float:
    """The uniform in [0, 1) at a key and an address, shape (5,): see `uniform`."""
    words = block(address[0], address[1], address[2], address[3], address[4], _ZERO)
    return unit(words[0])


@compiled
def _fill(key0: Word, key1: Word, names: Words, occasions: Words, result: Floats) -> None:
    for i in range(len(names)):
        for j in range(len(occasions)):
            words = block(key0, key1, names[i], occasions[j], np.uint64(0), np.uint64(0))
            result[i, j] = unit(words[0])


def uniforms(root_seed: int, replication: int, names: Words, occasions: Words) -> Floats:
    """Word 0 at every (name, occasion), shape (len(names), len(occasions))."""
    result = np.empty((len(names), len(occasions)))
    _fill(np.uint64(root_seed), np.uint64(replication), names, occasions, result)
    return result
