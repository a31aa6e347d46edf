"""Forecast at every origin with what was known then, and score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Unpack

import numpy as np

from simlib.chance.addresses import name_hash
from simlib.chance.philox import uniforms
from simlib.ensemble.map_runs import Arrays, map_runs
from simlib.errors import SimulationError
from simlib.evidence.backtests.origins import HORIZONS, HistoryPart, Origin, known_at
from simlib.evidence.panels import at_levels, levels_of
from simlib.statistics.scores import (
    MANY_OF_A_SUM,
    MANY_OF_A_UNIT,
    PARTS,
    SCORES,
    count_scores,
    pit,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from simlib.ensemble.execution import Execution
    from simlib.evidence.panels import Forecaster, PanelLevel

N_COLUMNS = len(SCORES) + len(PARTS)
RECENT = 12
"""A unit is active when it had an event in this many last known months."""


@dataclass(frozen=True, slots=True)
class _Forecasts:
    parts: tuple[HistoryPart, ...]
    forecasters: tuple[Forecaster, ...]
    n_draws: int
    root_seed: int

    def rows(self) -> list[tuple[HistoryPart, Origin, Forecaster]]:
        return [
            (part, origin, forecaster)
            for part in self.parts
            for origin in part.origins
            for forecaster in self.forecasters
        ]


def scores_of(
    parts: Sequence[HistoryPart],
    forecasters: Sequence[Forecaster],
    *,
    n_draws: int,
    root_seed: int,
    **execution: Unpack[Execution],
) -> NDArray[np.float64]:
    """The scores of every forecast, shape (n_forecasts, n_levels, `HORIZONS`, `N_COLUMNS`).

    A forecast for each part, origin and forecaster, the last the fastest; levels as `levels_of`
    has them. nan past a part's levels and past its last month.

    Raises
    ------
    SimulationError
        A forecaster returns what is no draws of the counts asked for.
    """
    job = _Forecasts(tuple(parts), tuple(forecasters), n_draws, root_seed)
    identity = {
        "parts": [part.digest for part in parts],
        "forecasters": [repr(each) for each in forecasters],
        "draws": n_draws,
        "root_seed": root_seed,
    }
    n_rows = len(job.rows())
    found = map_runs(_scored, job, n_rows, identity=identity, each=len(forecasters), **execution)
    return found["scores"]


def _scored(job: _Forecasts, rows: range) -> Arrays:
    todo = job.rows()
    n_levels = max(len(levels_of(part.panel.units)) for part in job.parts)
    scores = np.full((len(rows), n_levels, HORIZONS, N_COLUMNS), np.nan)
    for place, row in enumerate(rows):
        part, origin, forecaster = todo[row]
        found = _score_one(part, origin, forecaster, job)
        scores[place, : found.shape[0], : found.shape[1]] = found
    return {"scores": scores}


def _score_one(
    part: HistoryPart, origin: Origin, forecaster: Forecaster, job: _Forecasts
) -> NDArray[np.float64]:
    known = known_at(part.panel, origin)
    seed = name_hash(f"backtest|{job.root_seed}|{part.name}|{origin.month}") % 2**32
    drawn = forecaster.forecast(known, origin.months, job.n_draws, seed)
    shape = (len(part.panel.units), len(origin.months), job.n_draws)
    if drawn.shape != shape or drawn.dtype.kind not in "iu" or drawn.min() < 0:
        got = f"{drawn.dtype} of shape {drawn.shape}"
        raise SimulationError(
            f"{forecaster.name}: must draw whole numbers >= 0 of shape {shape} (got {got})"
        )
    levels = levels_of(part.panel.units)
    is_asked = np.isin(part.panel.months, origin.months)
    observed = at_levels(levels, part.panel.counts[:, is_asked])
    many = [MANY_OF_A_UNIT if level.name == "unit" else MANY_OF_A_SUM for level in levels]
    thresholds = np.repeat(np.array(many, dtype=np.int64), len(origin.months))
    draws = at_levels(levels, drawn).reshape(-1, job.n_draws)
    return count_scores(draws, observed.ravel(), thresholds).reshape(*observed.shape, N_COLUMNS)


def cases_of(
    parts: Sequence[HistoryPart],
    forecasters: Sequence[str],
    scores: NDArray[np.float64],
    root_seed: int,
) -> pd.DataFrame:
    """A row for each forecaster, origin, horizon, and unit or sum of units.

    Scores are as `scores_of` returns them; the root seed makes the uniforms of the randomized
    transforms (``pit``).
    """
    import pandas as pd

    tables, row = [], 0
    for part in parts:
        levels = levels_of(part.panel.units)
        for origin in part.origins:
            n_months = len(origin.months)
            where = _where(part, levels, origin.months, origin.last_known)
            address = np.array([name_hash(f"backtest|pit|{part.name}|{origin.month}")])
            places = np.arange(len(levels) * n_months, dtype=np.uint64)
            u = uniforms(root_seed, 0, address.astype(np.uint64), places)[0]
            for name in forecasters:
                found = scores[row, : len(levels), :n_months].reshape(-1, scores.shape[-1])
                values = dict(zip((*SCORES, *PARTS), found.T, strict=True))
                table = pd.DataFrame({"part": part.name, "forecaster": name, **where, **values})
                table.insert(2, "origin", str(origin.month))
                table["pit"] = pit(values["below"], values["at_most"], u)
                tables.append(table)
                row += 1
    return pd.concat(tables, ignore_index=True)


def _where(
    part: HistoryPart,
    levels: Sequence[PanelLevel],
    months: NDArray[np.datetime64],
    last_known: np.datetime64,
) -> dict[str, list[str] | NDArray[np.generic]]:
    n = len(months)
    counts = at_levels(levels, part.panel.counts)
    recent = counts[:, part.panel.months <= last_known][:, -RECENT:].sum(axis=1)
    return {
        "horizon": np.tile(np.arange(1, n + 1), len(levels)),
        "month": [str(month) for _ in levels for month in months],
        "level": [level.name for level in levels for _ in months],
        "country": [level.unit.country for level in levels for _ in months],
        "series": [level.unit.series for level in levels for _ in months],
        "place": [level.unit.place for level in levels for _ in months],
        "observed": counts[:, np.isin(part.panel.months, months)].ravel(),
        "is_active": np.repeat(recent > 0, n),
    }
