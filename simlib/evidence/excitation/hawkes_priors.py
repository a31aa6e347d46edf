"""What is held of clustering and drift before a series is seen, as grids."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Background: TypeAlias = Literal["constant", "quarterly", "drifting"]

HIGHEST_RATIO = 0.95
"""Of the scenario's own prior: a process with more has no level one could state."""
_BLOCK_MONTHS = {"constant": 1200, "quarterly": 3, "drifting": 1}


@dataclass(frozen=True, slots=True)
class Grid:
    """Cells of one parameter.

    Attributes
    ----------
    edges
        Ends of the cells, shape (n + 1,).
    weights
        Prior probability of each, shape (n,).
    is_log
        Whether a cell's middle is that of its logs.
    """

    edges: NDArray[np.float64]
    weights: NDArray[np.float64]
    is_log: bool = False

    @property
    def nodes(self) -> NDArray[np.float64]:
        """Middle of each cell, shape (n,)."""
        if self.is_log:
            return np.sqrt(self.edges[1:] * self.edges[:-1])
        return (self.edges[1:] + self.edges[:-1]) / 2.0

    def inside(
        self, cells: NDArray[np.int64], uniforms: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return a place in each cell, evenly in it (or in its logs)."""
        edges = np.log(self.edges) if self.is_log else self.edges
        placed = edges[cells] + uniforms * (edges[cells + 1] - edges[cells])
        return np.asarray(np.exp(placed) if self.is_log else placed, dtype=np.float64)


def ratio_grid(n_cells: int = 38, a: float = 2.0, b: float = 5.0) -> Grid:
    """Return a beta prior of the branching ratio on [0, .95], that of ``excite.drifting``."""
    from scipy.stats import beta

    edges = np.linspace(0.0, HIGHEST_RATIO, n_cells + 1)
    return Grid(edges, np.diff(beta.cdf(edges / HIGHEST_RATIO, a, b)))


def decay_grid(n_cells: int = 14, median: float = 7.0, sigma: float = 1.0) -> Grid:
    """Return a log-normal prior of the mean delay, cut at 6 hours and 60 days.

    Its middle two thirds, 2.6 to 19 days, hold what is published (D10b: 5 to 14 days).
    """
    from scipy.stats import norm

    edges = np.geomspace(0.25, 60.0, n_cells + 1)
    weights = np.diff(norm.cdf(np.log(edges / median) / sigma))
    return Grid(edges, weights / weights.sum(), is_log=True)


def drift_grid(edges: tuple[float, ...] = (0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5)) -> Grid:
    """Return a half-normal prior, of scale .5, of the sd of the log of monthly levels."""
    from scipy.stats import halfnorm

    ends = np.array(edges)
    weights = np.diff(halfnorm.cdf(ends, scale=0.5))
    return Grid(ends, weights / weights.sum())


def persistence_grid(n_cells: int = 4) -> Grid:
    """Return a uniform prior on [.2, .98] of a month's share of the last month's deviation."""
    return Grid(np.linspace(0.2, 0.98, n_cells + 1), np.full(n_cells, 1.0 / n_cells))


@dataclass(frozen=True, slots=True)
class Priors:
    """What is held before a series is seen.

    Attributes
    ----------
    ratio, decay
        Branching ratio; mean delay in days.
    drift, persistence
        Monthly levels are a stationary log AR(1), as the engine's tempo: sd and rho.
    level_sd
        Of the log of the mean level.
    events_per_day
        Median of the mean level; that of the counts when not given.
    """

    ratio: Grid = field(default_factory=ratio_grid)
    decay: Grid = field(default_factory=decay_grid)
    drift: Grid = field(default_factory=drift_grid)
    persistence: Grid = field(default_factory=persistence_grid)
    level_sd: float = 1.0
    events_per_day: float | None = None

    def drifts(self, background: Background) -> list[tuple[float, float, float]]:
        """Return sd, rho and prior probability of each way the background may drift."""
        if background != "drifting":
            return [(0.0, 0.0, 1.0)]
        return [
            (sd, rho, p * q)
            for sd, p in zip(self.drift.nodes.tolist(), self.drift.weights.tolist(), strict=True)
            for rho, q in zip(
                self.persistence.nodes.tolist(), self.persistence.weights.tolist(), strict=True
            )
        ]


def block_months(background: Background) -> int:
    """Return how many calendar months share a level."""
    return _BLOCK_MONTHS[background]


def covariance(
    n_blocks: int, background: Background, level_sd: float, drift: tuple[float, float]
) -> NDArray[np.float64]:
    """Return the prior covariance of the log levels.

    Parameters
    ----------
    n_blocks
        How many levels.
    background
        ``quarterly`` levels know nothing of one another: independent, sd 3.
    level_sd
        Of the log of the mean level.
    drift
        Sd and rho of the log AR(1) about it.
    """
    if background == "quarterly":
        return 9.0 * np.eye(n_blocks)
    sd, rho = drift
    apart = np.abs(np.subtract.outer(np.arange(n_blocks), np.arange(n_blocks)))
    return level_sd**2 + sd**2 * rho**apart
