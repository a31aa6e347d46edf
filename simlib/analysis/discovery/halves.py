"""Replications in two halves: what is found on one is judged on the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simlib.chance.addresses import name_hash
from simlib.chance.philox import uniform

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def is_first_half(
    root_seed: int, replications: Sequence[int] | NDArray[np.integer], what: str
) -> NDArray[np.bool_]:
    """Return which replications are in the half that something is found on.

    By lot, so that no design of parameter draws (a sequence, a block) is cut in two by it.

    Parameters
    ----------
    root_seed
        The ensemble's.
    replications
        Their indices, n of them; the half has n // 2, rounded up.
    what
        What it is for: another name draws another half.
    """
    address = name_hash(f"half|{what}")
    lots = np.array([uniform(root_seed, int(r), address) for r in replications])
    is_first = np.zeros(len(lots), dtype=np.bool_)
    is_first[np.argsort(lots, kind="stable")[: (len(lots) + 1) // 2]] = True
    return is_first


def redrawn(root_seed: int, resample: int, n: int, what: str) -> NDArray[np.intp]:
    """Return n rows drawn with replacement from ``range(n)``, the same for the same names.

    Parameters
    ----------
    root_seed
        The ensemble's.
    resample
        Index of the resample, 0 or more.
    n
        Number of rows.
    what
        What it is for.
    """
    address = name_hash(f"resample|{what}")
    lots = [uniform(root_seed, resample, address, row) for row in range(n)]
    return (np.array(lots) * n).astype(np.intp)
