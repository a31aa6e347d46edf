"""What a back-test found: every forecast's scores, and what they come to."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Unpack

import numpy as np

from simlib.chance.addresses import name_hash
from simlib.chance.philox import uniforms
from simlib.evidence.backtest.aggregation import Level, levels_of
from simlib.evidence.backtest.forecasters import BASELINES, CANDIDATES, forecaster
from simlib.evidence.backtest.origins import SPAN
from simlib.evidence.backtest.scored_forecasts import Part, scores_of
from simlib.evidence.backtest.skill import Block, compared, summed
from simlib.scenario.requests import LAST_SEED, whole
from simlib.statistics.scores import PARTS, SCORES, pit

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from simlib.ensemble.execution import Execution
    from simlib.evidence.panels import Forecaster

MOST_DRAWS, MOST_RESAMPLES = 20_000, 100_000
RECENT = 12
"""A unit is active when it had an event in this many last known months."""


@dataclass(frozen=True)
class BackTest:
    """Scores of forecasters at rolling origins.

    Attributes
    ----------
    parts
        The vintages, each back-tested by itself.
    forecasters
        Names of what was back-tested.
    cases
        One row for each forecaster, origin, horizon, and unit or sum of units.
    n_draws, root_seed
        Draws of each forecast, and what made them.
    block
        Origins in a block of the bootstrap.
    n_resamples
        Resamples of the bootstrap.
    """

    parts: tuple[Part, ...]
    forecasters: tuple[str, ...]
    cases: pd.DataFrame
    n_draws: int
    root_seed: int
    block: int
    n_resamples: int

    @property
    def baselines(self) -> tuple[str, ...]:
        """Names of those that others are compared with."""
        return tuple(name for name in self.forecasters if name in BASELINES)

    @functools.cached_property
    def _blocks(self) -> dict[str, Block]:
        return {
            part.name: Block.of(
                part.name, [str(origin.month) for origin in part.origins],
                length=self.block, n_resamples=self.n_resamples, root_seed=self.root_seed,
            )
            for part in self.parts
        }  # fmt: skip

    @functools.cached_property
    def scores(self) -> pd.DataFrame:
        """Mean scores with 95 % block-bootstrap intervals, one row for each score of a group."""
        return summed(self.cases, self._blocks, self.forecasters)

    @functools.cached_property
    def differences(self) -> pd.DataFrame:
        """Differences of mean scores to each baseline, with 95 % block-bootstrap intervals."""
        return compared(self.cases, self._blocks, self.forecasters, self.baselines)


def backtest(
    parts: Sequence[Part],
    forecasters: Sequence[Forecaster] | None = None,
    *,
    n_draws: int = 1000,
    root_seed: int = 1,
    n_resamples: int = 2000,
    **execution: Unpack[Execution],
) -> BackTest:
    """Forecast lethal events as if at each past month, and score what came.

    Parameters
    ----------
    parts
        Vintages, as `shipped_parts` returns them.
    forecasters
        What forecasts; all that are listed in `forecasters` when not given.
    n_draws
        Draws of each forecast, 2 to `MOST_DRAWS`.
    root_seed
        Makes every draw and every resample repeatable.
    n_resamples
        Resamples of the bootstrap over origins.
    execution
        Where it runs: `simlib.ensemble.execution.Execution`.

    Raises
    ------
    ScenarioError
        A number is out of its range.
    SimulationError
        A forecaster returns what is no draws of the counts asked for.
    """
    n_draws = whole("draws", n_draws, 2, MOST_DRAWS)
    n_resamples = whole("resamples", n_resamples, 1, MOST_RESAMPLES)
    root_seed = whole("root_seed", root_seed, 0, LAST_SEED)
    if forecasters is None:
        forecasters = [forecaster(name) for name in (*CANDIDATES, *BASELINES)]
    scores = scores_of(parts, forecasters, n_draws=n_draws, root_seed=root_seed, **execution)
    names = tuple(each.name for each in forecasters)
    cases = _cases(parts, names, scores, root_seed)
    return BackTest(tuple(parts), names, cases, n_draws, root_seed, SPAN, n_resamples)


def _cases(
    parts: Sequence[Part], forecasters: Sequence[str], scores: NDArray[np.float64], root_seed: int
) -> pd.DataFrame:
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
    part: Part,
    levels: Sequence[Level],
    months: NDArray[np.datetime64],
    last_known: np.datetime64,
) -> dict[str, list[str] | NDArray[np.generic]]:
    n = len(months)
    counts = np.stack([part.panel.counts[list(level.rows)].sum(axis=0) for level in levels])
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
