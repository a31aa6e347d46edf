"""Which rows a fit sees: halves, folds, and bootstraps of rows and of blocks.

Every choice is a draw at an address of its own, so it is the same for the same names.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from simlib.chance.addresses import name_hash
from simlib.chance.philox import uniform, uniforms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

LEAST_BLOCKS = 3
"""With fewer blocks than this in a row of origins there is nothing to redraw: no interval."""


def is_first_half(
    root_seed: int, replications: Sequence[int] | NDArray[np.integer], what: str
) -> NDArray[np.bool_]:
    """Which replications are in the half that something is found on; another name, another half.

    At random, so that no design of parameter draws (a sequence, a block) is cut in two by it.
    Of n replications the half has n // 2, rounded up.
    """
    address = name_hash(f"half|{what}")
    u = np.array([uniform(root_seed, int(r), address) for r in replications])
    is_first = np.zeros(len(u), dtype=np.bool_)
    is_first[np.argsort(u, kind="stable")[: (len(u) + 1) // 2]] = True
    return is_first


def is_stratified_half(
    root_seed: int,
    replications: Sequence[int] | NDArray[np.integer],
    is_case: NDArray[np.bool_],
    what: str,
) -> NDArray[np.bool_]:
    """A half by lot, as `is_first_half`, that has half of the cases and half of the others."""
    indices, is_first = np.asarray(replications), np.zeros(len(is_case), dtype=np.bool_)
    for rows in (np.flatnonzero(is_case), np.flatnonzero(~is_case)):
        is_first[rows] = is_first_half(root_seed, indices[rows], what)
    return is_first


def folds_of(n: int, n_folds: int, root_seed: int) -> NDArray[np.intp]:
    """The fold of each replication, shape (n,): evenly dealt out by a uniform each."""
    address = name_hash("valuing|fold")
    order = np.argsort([uniform(root_seed, r, address) for r in range(n)], kind="stable")
    folds = np.empty(n, dtype=np.intp)
    folds[order] = np.arange(n) % n_folds
    return folds


def redrawn(root_seed: int, resample: int, n: int, what: str) -> NDArray[np.intp]:
    """Rows of ``range(n)``, n of them, drawn with replacement: the same for the same names."""
    address = np.array([name_hash(f"resample|{what}")], dtype=np.uint64)
    u = uniforms(root_seed, resample, address, np.arange(n, dtype=np.uint64))[0]
    return np.asarray((u * n).astype(np.intp))


def block_weights(
    what: str, n: int, *, length: int, n_resamples: int, root_seed: int
) -> NDArray[np.float64] | None:
    """How often each of n consecutive things is in each resample: a moving-block bootstrap.

    Forecasts made at neighboring origins are of overlapping months, so their errors go
    together. Blocks of consecutive origins are redrawn whole (H. R. Künsch, Annals of
    Statistics 17, 1989, doi:10.1214/aos/1176347265); blocks of one redraw them independently.
    The weights have shape (n_resamples, n) and rows of sum n; there are none where
    `LEAST_BLOCKS` do not fit.
    """
    if n < LEAST_BLOCKS * length:
        return None
    n_blocks = math.ceil(n / length)
    address = np.array([name_hash(f"backtest|blocks|{what}")], dtype=np.uint64)
    u = uniforms(root_seed, 0, address, np.arange(n_resamples * n_blocks, dtype=np.uint64))
    # Every block of `length` in a row is as likely; the last one drawn is cut off at n.
    starts = (u.reshape(n_resamples, n_blocks) * (n - length + 1)).astype(np.intp)
    drawn = (starts[:, :, None] + np.arange(length)).reshape(n_resamples, -1)[:, :n]
    weights = np.zeros((n_resamples, n))
    np.add.at(weights, (np.arange(n_resamples)[:, None], drawn), 1.0)
    return weights


def bootstrap_interval(
    estimate: NDArray[np.float64], resampled: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The 95 % intervals of estimates; resamples are a first axis more.

    Quantiles of the resamples, moved so that their mean is the estimate: the first and last
    origins are in fewer blocks than those between them.
    """
    low, high = np.quantile(resampled, (0.025, 0.975), axis=0)
    shift = estimate - resampled.mean(axis=0)
    return low + shift, high + shift
