"""A forecast judged by what was known: whether it would call the past year a surprise.

No later month is looked at. Statistics of past months are held against the same
statistics of as many months of every replication (a predictive check: Gelman, Meng and Stern
1996, Statistica Sinica 6, 733-760). A forecast of a year that is expected to differ may well call
the past one a surprise; then it has to say why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from simlib.evidence.observing.publications import Publications

STATISTICS = ("mean", "variance / mean", "share of zeros", "largest")


def beside(
    published: Publications, past: Mapping[str, NDArray[np.int64]], label: str
) -> pd.DataFrame:
    """Return what past months were like, and what so many forecast months are like.

    Parameters
    ----------
    published
        Series over at least as many months as are past.
    past
        Monthly counts of a series, such as ``ucdp_1``; series without are left out.
    label
        What the past months are called.

    Returns
    -------
    DataFrame
        A row a series and statistic: its past value, the median and 90 % interval over
        replications, and ``below``, the share of replications with less (half of those with
        the same): near 0 or 1 is a surprise. Empty where there are too few months.
    """
    import pandas as pd

    rows = []
    for column, (key, name) in enumerate(zip(published.keys, published.series, strict=True)):
        months = past.get(key, np.empty(0, dtype=np.int64))
        if not 0 < len(months) <= len(published.months):
            continue
        drawn = published.counts[:, : len(months), column]
        for statistic, once, forecast in zip(
            STATISTICS, _statistics(months[None, :]), _statistics(drawn), strict=True
        ):
            low, middle, high = np.quantile(forecast, (0.05, 0.5, 0.95)).tolist()
            below = (forecast < once[0]).mean() + (forecast == once[0]).mean() / 2.0
            rows.append((name, statistic, float(once[0]), middle, low, high, float(below)))
    columns = ["series", "statistic", label, "median", "q05", "q95", "below"]
    return pd.DataFrame(rows, columns=columns)


def _statistics(counts: NDArray[np.int64]) -> Iterator[NDArray[np.float64]]:
    """Iterate over the statistics of every row, shape (n,); no events have no dispersion."""
    mean, variance = counts.mean(axis=1), counts.var(axis=1, ddof=1)
    yield mean
    yield np.divide(variance, mean, out=np.zeros(len(mean)), where=mean > 0)
    yield (counts == 0).mean(axis=1)
    yield counts.max(axis=1).astype(np.float64)
