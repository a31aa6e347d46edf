"""Names to addresses, seeds and uniforms, whatever the order, the process or the platform."""

from __future__ import annotations

import functools
import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@functools.lru_cache(maxsize=65536)
def name_hash(text: str) -> int:
    """The 64-bit address of a name (blake2b, little-endian).

    Examples
    --------
    >>> name_hash("raid|North|guards")
    13115751272118888585
    """
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def seed_of(root_seed: int, *names: str | int) -> int:
    """A seed below 2**63 for what a list of names stands for.

    Examples
    --------
    >>> seed_of(7, "experiment", 3) == seed_of(7, "experiment", 3)
    True
    """
    return name_hash("|".join(map(str, (root_seed, *names)))) >> 1


def uniforms_of(root_seed: int, name: str, shape: int | tuple[int, ...]) -> NDArray[np.float64]:
    """Uniforms in [0, 1) of a shape; the same for the same root seed and name."""
    from simlib.chance.philox import uniforms  # numba, which who only names things need not load

    size = int(np.prod(shape))
    address = np.array([name_hash(name)], dtype=np.uint64)
    return uniforms(root_seed, 0, address, np.arange(size, dtype=np.uint64)).reshape(shape)
