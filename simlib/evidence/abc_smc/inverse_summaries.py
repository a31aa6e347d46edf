"""What monthly counts say of level, dispersion and persistence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

STATISTICS = ("log mean", "log dispersion", "lag-1 correlation")


def summary_names(series: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the summaries, statistic by statistic."""
    return tuple(f"{statistic} of {name}" for statistic in STATISTICS for name in series)


def summarize(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return summaries of monthly counts.

    Parameters
    ----------
    counts
        Shape (n_months, n_series), at least 3 months.

    Returns
    -------
    ndarray
        Of each series the log of its mean, of variance over mean, and the correlation of
        months with the next, shape (3 n_series,). Half a count is added to mean and
        variance, so that quiet series have summaries too.
    """
    mean = counts.mean(axis=0) + 0.5
    variance = counts.var(axis=0, ddof=1) + 0.5
    off = counts - counts.mean(axis=0)
    total = (off**2).sum(axis=0)
    lagged = np.divide(
        (off[1:] * off[:-1]).sum(axis=0), total, out=np.zeros(counts.shape[1]), where=total > 0
    )
    return np.concatenate([np.log(mean), np.log(variance / mean), lagged])
