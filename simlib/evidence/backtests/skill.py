"""Mean scores of groups of cases, their differences, and how sure both are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simlib.statistics.resampling import LEAST_BLOCKS, block_weights, bootstrap_interval
from simlib.statistics.scores import SCORES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

ALL = "all"
"""All parts together: each case weighs the same."""
COMPARED = tuple(score for score in SCORES if not score.startswith("covered"))
"""Scores of which a lower one is better."""
GROUPINGS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("unit", "all", ()),
    ("unit", "country", ("country",)),
    ("unit", "series", ("country", "series")),
    ("unit", "horizon", ("horizon",)),
    ("unit", "governorate", ("country", "place")),
    ("unit", "year", ("year",)),
    ("unit", "activity", ("is_active",)),
    ("series", "all", ()),
    ("series", "series", ("country", "series")),
    ("series", "horizon", ("horizon",)),
    ("country", "all", ()),
    ("country", "country", ("country",)),
    ("country", "horizon", ("horizon",)),
)
"""Level of the cases, name of the grouping, and columns that tell groups apart."""

ROUNDING = 1e-9
"""A difference of means that is smaller may be one of arithmetic."""
IN_ALL = ("all", "horizon")
"""Groupings that are made over all parts together too."""


@dataclass(frozen=True, slots=True)
class Block:
    """The origins of a part, and how often each is in each resample, (n_resamples, n_origins).

    With fewer origins than are needed for an interval every weight is 1.
    """

    origins: tuple[str, ...]
    weights: NDArray[np.float64]
    n_needed: int

    @classmethod
    def of(
        cls, part: str, origins: Sequence[str], *, length: int, n_resamples: int, root_seed: int
    ) -> Block:
        """Redraw the origins of a part."""
        drawn = block_weights(
            part, len(origins), length=length, n_resamples=n_resamples, root_seed=root_seed
        )
        weights = np.ones((n_resamples, len(origins))) if drawn is None else drawn
        return cls(tuple(origins), weights, LEAST_BLOCKS * length)


@dataclass(frozen=True, slots=True)
class _Group:
    """What a group of cases comes to: mean scores, shape (n_forecasters, n_scores).

    `n_cases` are those of each forecaster, `n_origins` the origins that have any. `resampled` has
    the resamples as its first axis; it is none where origins are too few.
    """

    labels: dict[str, str]
    n_cases: int
    n_origins: int
    means: NDArray[np.float64]
    resampled: NDArray[np.float64] | None


def summed(
    cases: pd.DataFrame, blocks: Mapping[str, Block], forecasters: Sequence[str]
) -> pd.DataFrame:
    """The mean of every score of every group and forecaster; blocks are by part."""
    import pandas as pd

    rows: list[dict[str, object]] = []
    for group in _groups(cases, blocks, forecasters, SCORES):
        low, high = _bounds(group.means, group.resampled)
        for f, name in enumerate(forecasters):
            for s, score in enumerate(SCORES):
                rows.append(
                    {
                        **group.labels, "forecaster": name, "score": score,
                        "n_cases": group.n_cases, "n_origins": group.n_origins,
                        "mean": group.means[f, s], "low": low[f, s], "high": high[f, s],
                    }
                )  # fmt: skip
    return pd.DataFrame(rows)


def compared(
    cases: pd.DataFrame,
    blocks: Mapping[str, Block],
    forecasters: Sequence[str],
    baselines: Sequence[str],
) -> pd.DataFrame:
    """Forecaster minus baseline of every score that is better when lower.

    ``verdict`` is ``win`` where the whole interval lies below zero, ``loss`` where it lies
    above, ``undecided`` where it holds zero, and ``no interval`` where origins are too
    few. Nothing is corrected for how many differences are looked at.
    """
    import pandas as pd

    rows: list[dict[str, object]] = []
    for group in _groups(cases, blocks, forecasters, COMPARED):
        for base in baselines:
            b = forecasters.index(base)
            means = group.means - group.means[b]
            resampled = group.resampled
            if resampled is not None:
                resampled = resampled - resampled[:, b : b + 1]
            low, high = _bounds(means, resampled)
            for f, name in enumerate(forecasters):
                if f == b:
                    continue
                for s, score in enumerate(COMPARED):
                    rows.append(
                        {
                            **group.labels, "score": score, "forecaster": name, "baseline": base,
                            "n_cases": group.n_cases, "n_origins": group.n_origins,
                            "difference": means[f, s], "low": low[f, s], "high": high[f, s],
                            "of_baseline": group.means[b, s],
                            "verdict": _verdict(low[f, s], high[f, s]),
                        }
                    )  # fmt: skip
    return pd.DataFrame(rows)


def _bounds(
    means: NDArray[np.float64], resampled: NDArray[np.float64] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if resampled is None:
        return np.full(means.shape, np.nan), np.full(means.shape, np.nan)
    return bootstrap_interval(means, resampled)


def _verdict(low: float, high: float) -> str:
    if np.isnan(low):
        return "no interval"
    if high < -ROUNDING:
        return "win"
    return "loss" if low > ROUNDING else "undecided"


def _groups(
    cases: pd.DataFrame,
    blocks: Mapping[str, Block],
    forecasters: Sequence[str],
    scores: Sequence[str],
) -> Iterator[_Group]:
    cases = cases.assign(year=cases["month"].str[:4])
    parts = (ALL, *blocks) if len(blocks) > 1 else tuple(blocks)
    for part in parts:
        own = cases if part == ALL else cases[cases["part"] == part]
        used = blocks if part == ALL else {part: blocks[part]}
        for level, by, columns in GROUPINGS:
            if part == ALL and by not in IN_ALL:
                continue
            at_level = own[own["level"] == level]
            pieces = at_level.groupby(list(columns), sort=True) if columns else [((), at_level)]
            for key, table in pieces:
                if table.empty:
                    continue
                group = " / ".join(map(str, key)) or ALL
                labels = {"part": part, "level": level, "by": by, "group": group}
                yield _group(labels, table, used, forecasters, scores)


def _group(
    labels: dict[str, str],
    table: pd.DataFrame,
    blocks: Mapping[str, Block],
    forecasters: Sequence[str],
    scores: Sequence[str],
) -> _Group:
    import pandas as pd

    keys = [(part, origin) for part, block in blocks.items() for origin in block.origins]
    full = pd.MultiIndex.from_tuples(
        [(name, *key) for name in forecasters for key in keys],
        names=["forecaster", "part", "origin"],
    )
    grouped = table.groupby(["forecaster", "part", "origin"], sort=False)[list(scores)]
    shape = (len(forecasters), len(keys), len(scores))
    sums = grouped.sum().reindex(full, fill_value=0.0).to_numpy().reshape(shape)
    counts = grouped.size().reindex(full, fill_value=0).to_numpy().reshape(shape[:2])[0]
    n_cases, n_origins = int(counts.sum()), int((counts > 0).sum())
    means = sums.sum(axis=1) / n_cases
    return _Group(labels, n_cases, n_origins, means, _resampled(sums, counts, blocks))


def _resampled(
    sums: NDArray[np.float64], counts: NDArray[np.int64], blocks: Mapping[str, Block]
) -> NDArray[np.float64] | None:
    n_seen, first = [], 0
    for block in blocks.values():
        last = first + len(block.origins)
        n_seen.append(int((counts[first:last] > 0).sum()))
        first = last
    is_enough = [n >= block.n_needed for n, block in zip(n_seen, blocks.values(), strict=True)]
    weights = np.hstack([block.weights for block in blocks.values()])
    weighed = weights @ counts
    if not any(is_enough) or not (weighed > 0).all():
        return None
    means = np.einsum("ro,fos->rfs", weights, sums, optimize=True)
    return np.asarray(means / weighed[:, None, None])
