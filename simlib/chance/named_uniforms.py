"""Uniforms for drawing, resampling and jitter, each array at an address of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simlib.chance.addresses import name_hash

if TYPE_CHECKING:
    from numpy.typing import NDArray


def seed_of(root_seed: int, *names: str | int) -> int:
    """Return a seed below 2**63 for what a list of names stands for.

    Examples
    --------
    >>> seed_of(7, "experiment", 3) == seed_of(7, "experiment", 3)
    True
    """
    return name_hash("|".join(map(str, (root_seed, *names)))) >> 1


def lots(root_seed: int, name: str, shape: int | tuple[int, ...]) -> NDArray[np.float64]:
    """Return uniforms in [0, 1) of a shape; the same for the same root seed and name."""
    from simlib.chance.philox import uniforms

    size = int(np.prod(shape))
    address = np.array([name_hash(name)], dtype=np.uint64)
    return uniforms(root_seed, 0, address, np.arange(size, dtype=np.uint64)).reshape(shape)
