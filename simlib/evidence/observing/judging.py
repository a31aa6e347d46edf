"""A forecast judged by what was known: whether it would call the past year a surprise.

No later month is looked at. Statistics of the months of 2024 are held against the same
statistics of as many months of every replication (a predictive check: Gelman, Meng and Stern
1996, Statistica Sinica 6, 733-760). A forecast of a year that is expected to differ may well call
2024 a surprise; then it has to say why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simlib.evidence.observing.usual import UCDP, ucdp_2024

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from numpy.typing import NDArray

    from simlib.evidence.observing.publications import Publications

STATISTICS = ("mean", "variance / mean", "share of zeros", "largest")


def beside_2024(published: Publications) -> pd.DataFrame:
    """Return what months of 2024 were like, and what so many forecast months are like.

    Parameters
    ----------
    published
        Series of UCDP over at least as many months as 2024 has (11, January to November).

    Returns
    -------
    DataFrame
        A row a series and statistic: its value in 2024, the median and 90 % interval over
        replications, and ``below``, the share of replications with less (half of those with
        the same): near 0 or 1 is a surprise. Empty where there are too few months.
    """
    import pandas as pd

    known = ucdp_2024()
    rows = []
    for column, (key, name) in enumerate(zip(published.keys, published.series, strict=True)):
        months = known.get(key.removeprefix(UCDP), np.empty(0, dtype=np.int64))
        if not key.startswith(UCDP) or not 0 < len(months) <= len(published.months):
            continue
        drawn = published.counts[:, : len(months), column]
        for statistic, past, forecast in zip(
            STATISTICS, _statistics(months[None, :]), _statistics(drawn), strict=True
        ):
            low, middle, high = np.quantile(forecast, (0.05, 0.5, 0.95)).tolist()
            below = (forecast < past[0]).mean() + (forecast == past[0]).mean() / 2.0
            rows.append((name, statistic, float(past[0]), middle, low, high, float(below)))
    columns = ["series", "statistic", "2024", "median", "q05", "q95", "below"]
    return pd.DataFrame(rows, columns=columns)


def _statistics(counts: NDArray[np.int64]) -> Iterator[NDArray[np.float64]]:
    """Iterate over the statistics of every row, shape (n,); no events have no dispersion."""
    mean, variance = counts.mean(axis=1), counts.var(axis=1, ddof=1)
    yield mean
    yield np.divide(variance, mean, out=np.zeros(len(mean)), where=mean > 0)
    yield (counts == 0).mean(axis=1)
    yield counts.max(axis=1).astype(np.float64)
