"""How sure a mean over origins is: a moving-block bootstrap.

Forecasts made at neighboring origins are of overlapping months, so their errors go
together. Blocks of consecutive origins are redrawn whole (H. R. Künsch, Annals of
Statistics 17, 1989, doi:10.1214/aos/1176347265).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from simlib.chance.addresses import name_hash
from simlib.chance.philox import uniforms

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_BLOCKS = 3
"""With fewer blocks than this in a row of origins there is nothing to redraw: no interval."""


def block_weights(
    what: str, n: int, *, length: int, n_resamples: int, root_seed: int
) -> NDArray[np.float64] | None:
    """Return how often each of n consecutive things is in each resample.

    Parameters
    ----------
    what
        Part of the address of the draws.
    n
        Things in a row.
    length
        Things in a block; 1 redraws them independently.
    n_resamples
        Rows that are returned.

    Returns
    -------
    ndarray or None
        Shape (n_resamples, n), rows of sum n; none where `LEAST_BLOCKS` do not fit.
    """
    if n < LEAST_BLOCKS * length:
        return None
    n_blocks = math.ceil(n / length)
    address = np.array([name_hash(f"backtest|blocks|{what}")], dtype=np.uint64)
    u = uniforms(root_seed, 0, address, np.arange(n_resamples * n_blocks, dtype=np.uint64))
    starts = (u.reshape(n_resamples, n_blocks) * (n - length + 1)).astype(np.intp)
    drawn = (starts[:, :, None] + np.arange(length)).reshape(n_resamples, -1)[:, :n]
    weights = np.zeros((n_resamples, n))
    np.add.at(weights, (np.arange(n_resamples)[:, None], drawn), 1.0)
    return weights


def interval(
    estimate: NDArray[np.float64], resampled: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return 95 % intervals.

    Quantiles of the resamples, moved so that their mean is the estimate: the first and
    last origins are in fewer blocks than those between them.

    Parameters
    ----------
    estimate
        Any shape.
    resampled
        The same with resamples as a first axis more.
    """
    low, high = np.quantile(resampled, (0.025, 0.975), axis=0)
    shift = estimate - resampled.mean(axis=0)
    return low + shift, high + shift
