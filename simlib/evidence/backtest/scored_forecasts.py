"""Forecast at every origin with what was known then, and score."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Unpack

import numpy as np

from simlib.chance.addresses import name_hash
from simlib.ensemble.map_runs import Arrays, map_runs
from simlib.errors import SimulationError
from simlib.evidence.backtest.aggregation import at_levels, levels_of
from simlib.evidence.backtest.origins import HORIZONS, Origin, known_at, origins_of
from simlib.statistics.scores import (
    MANY_OF_A_SUM,
    MANY_OF_A_UNIT,
    PARTS,
    SCORES,
    count_scores,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from simlib.ensemble.execution import Execution
    from simlib.evidence.panels import CountPanel, Forecaster

N_COLUMNS = len(SCORES) + len(PARTS)


@dataclass(frozen=True, slots=True)
class Part:
    """One vintage of history, back-tested by itself.

    Attributes
    ----------
    name
        Name in tables.
    panel
        The counts.
    n_known
        Months that the first forecast knows.
    """

    name: str
    panel: CountPanel
    n_known: int

    @property
    def origins(self) -> tuple[Origin, ...]:
        """When forecasts are made."""
        return origins_of(self.panel, self.n_known)


@dataclass(frozen=True, slots=True)
class _Job:
    parts: tuple[Part, ...]
    forecasters: tuple[Forecaster, ...]
    n_draws: int
    root_seed: int

    def rows(self) -> list[tuple[Part, Origin, Forecaster]]:
        return [
            (part, origin, forecaster)
            for part in self.parts
            for origin in part.origins
            for forecaster in self.forecasters
        ]


def scores_of(
    parts: Sequence[Part],
    forecasters: Sequence[Forecaster],
    *,
    n_draws: int,
    root_seed: int,
    **execution: Unpack[Execution],
) -> NDArray[np.float64]:
    """Return the scores of every forecast.

    Returns
    -------
    ndarray
        Shape (n_forecasts, n_levels, `HORIZONS`, `N_COLUMNS`): a forecast for each part,
        origin and forecaster, the last the fastest; levels as `levels_of` has them. nan
        past a part's levels and past its last month.

    Raises
    ------
    SimulationError
        A forecaster returns what is no draws of the counts asked for.
    """
    job = _Job(tuple(parts), tuple(forecasters), n_draws, root_seed)
    identity = {
        "parts": [_digest(part) for part in parts],
        "forecasters": [repr(each) for each in forecasters],
        "draws": n_draws,
        "root_seed": root_seed,
    }
    n_rows = len(job.rows())
    found = map_runs(_scored, job, n_rows, identity=identity, each=len(forecasters), **execution)
    return found["scores"]


def _digest(part: Part) -> str:
    panel = part.panel
    text = f"{part.name} {part.n_known} {panel.vintage} {panel.months[0]} {panel.units}"
    return hashlib.sha256(text.encode() + panel.counts.tobytes()).hexdigest()


def _scored(job: _Job, rows: range) -> Arrays:
    todo = job.rows()
    n_levels = max(len(levels_of(part.panel.units)) for part in job.parts)
    scores = np.full((len(rows), n_levels, HORIZONS, N_COLUMNS), np.nan)
    for place, row in enumerate(rows):
        part, origin, forecaster = todo[row]
        found = _score_one(part, origin, forecaster, job)
        scores[place, : found.shape[0], : found.shape[1]] = found
    return {"scores": scores}


def _score_one(
    part: Part, origin: Origin, forecaster: Forecaster, job: _Job
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
