"""Branching ratio and decay from daily counts: priors on grids, likelihood and posterior."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import numpy as np

from simlib.chance.addresses import uniforms_of
from simlib.evidence.excitation.likelihood import LevelPrior, integrate_background

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simlib.evidence.excitation.likelihood import DailyCounts

Background: TypeAlias = Literal["constant", "quarterly", "drifting"]

HIGHEST_RATIO = 0.95
"""Of the scenario's own prior: a process with more has no level one could state."""
_BLOCK_MONTHS: dict[Background, int] = {"constant": 1200, "quarterly": 3, "drifting": 1}
"""Calendar months that share a level."""


@dataclass(frozen=True, slots=True)
class ParameterGrid:
    """Ends of the cells of one parameter, shape (n + 1,), and the prior probability of each.

    Where `is_log` a cell's middle is that of its logs.
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
        """Place a point in each cell, evenly in it (or in its logs)."""
        edges = np.log(self.edges) if self.is_log else self.edges
        placed = edges[cells] + uniforms * (edges[cells + 1] - edges[cells])
        return np.asarray(np.exp(placed) if self.is_log else placed, dtype=np.float64)


def ratio_grid(n_cells: int = 38, a: float = 2.0, b: float = 5.0) -> ParameterGrid:
    """Lay a beta prior of the branching ratio on [0, .95], that of ``excite.drifting``."""
    from scipy.stats import beta

    edges = np.linspace(0.0, HIGHEST_RATIO, n_cells + 1)
    return ParameterGrid(edges, np.diff(beta.cdf(edges / HIGHEST_RATIO, a, b)))


def decay_grid(n_cells: int = 14, median: float = 7.0, sigma: float = 1.0) -> ParameterGrid:
    """Lay a log-normal prior of the mean delay, cut at 6 hours and 60 days.

    Its middle two thirds, 2.6 to 19 days, hold what is published (D10b: 5 to 14 days).
    """
    from scipy.stats import norm

    edges = np.geomspace(0.25, 60.0, n_cells + 1)
    weights = np.diff(norm.cdf(np.log(edges / median) / sigma))
    return ParameterGrid(edges, weights / weights.sum(), is_log=True)


def drift_grid(
    edges: tuple[float, ...] = (0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5),
) -> ParameterGrid:
    """Lay a half-normal prior, of scale .5, of the sd of the log of monthly levels."""
    from scipy.stats import halfnorm

    ends = np.array(edges)
    weights = np.diff(halfnorm.cdf(ends, scale=0.5))
    return ParameterGrid(ends, weights / weights.sum())


def persistence_grid(n_cells: int = 4) -> ParameterGrid:
    """Lay a uniform prior on [.2, .98] of a month's share of the last month's deviation."""
    return ParameterGrid(np.linspace(0.2, 0.98, n_cells + 1), np.full(n_cells, 1.0 / n_cells))


@dataclass(frozen=True, slots=True)
class Priors:
    """What is held before a series is seen.

    Attributes
    ----------
    ratio, decay
        Branching ratio; mean delay in days.
    drift, persistence
        Monthly levels are a stationary log AR(1), as the engine's multipliers: sd and rho.
    level_sd
        Of the log of the mean level.
    events_per_day
        Median of the mean level; that of the counts when not given.
    """

    ratio: ParameterGrid = field(default_factory=ratio_grid)
    decay: ParameterGrid = field(default_factory=decay_grid)
    drift: ParameterGrid = field(default_factory=drift_grid)
    persistence: ParameterGrid = field(default_factory=persistence_grid)
    level_sd: float = 1.0
    events_per_day: float | None = None

    def drifts(self, background: Background) -> list[tuple[float, float, float]]:
        """List sd, rho and prior probability of each way the background may drift."""
        if background != "drifting":
            return [(0.0, 0.0, 1.0)]
        return [
            (sd, rho, p * q)
            for sd, p in zip(self.drift.nodes.tolist(), self.drift.weights.tolist(), strict=True)
            for rho, q in zip(
                self.persistence.nodes.tolist(), self.persistence.weights.tolist(), strict=True
            )
        ]


def covariance(
    n_blocks: int, background: Background, level_sd: float, drift: tuple[float, float]
) -> NDArray[np.float64]:
    """Lay out the prior covariance of the log levels: a common level, and an AR(1) about it.

    ``quarterly`` levels know nothing of one another: independent, sd 3.
    """
    if background == "quarterly":
        return 9.0 * np.eye(n_blocks)
    sd, rho = drift
    apart = np.abs(np.subtract.outer(np.arange(n_blocks), np.arange(n_blocks)))
    return level_sd**2 + sd**2 * rho**apart


class MaximumLikelihood(NamedTuple):
    """Greatest likelihood, and the branching ratio and mean delay it lies at.

    Standard errors are from the curvature of the log likelihood; nan where the greatest likelihood
    lies at an end of the range, which is not rare: a branching ratio of 0 has no decay.
    """

    ratio: float
    decay_days: float
    ratio_error: float
    decay_error: float
    log_likelihood: float


@dataclass(frozen=True, slots=True)
class ExcitationFit:
    """Posterior of branching ratio and decay of one series.

    Attributes
    ----------
    log_likelihood
        With the background integrated out, shape (n_ratios, n_decays, n_drifts).
    log_levels
        Modes of the log background of each month-block, shape
        (n_ratios, n_decays, n_drifts, n_blocks).
    """

    days: DailyCounts
    background: Background
    priors: Priors
    log_likelihood: NDArray[np.float64]
    log_levels: NDArray[np.float64]

    @property
    def _prior(self) -> NDArray[np.float64]:
        drift = np.array([p for *_, p in self.priors.drifts(self.background)])
        ratio, decay = self.priors.ratio.weights, self.priors.decay.weights
        return np.asarray(ratio[:, None, None] * decay[:, None] * drift)

    @property
    def posterior(self) -> NDArray[np.float64]:
        """Probability of each cell, shape (n_ratios, n_decays, n_drifts)."""
        weight = self._prior * np.exp(self.log_likelihood - self.log_likelihood.max())
        return np.asarray(weight / weight.sum(), dtype=np.float64)

    @property
    def log_evidence(self) -> float:
        """Log of the likelihood integrated over everything: compares backgrounds."""
        most = self.log_likelihood.max()
        return float(most + np.log((self._prior * np.exp(self.log_likelihood - most)).sum()))

    @property
    def ratio_likelihood(self) -> NDArray[np.float64]:
        """Likelihood of each branching ratio over the greatest, shape (n_ratios,)."""
        likelihood = self.posterior.sum(axis=(1, 2)) / self.priors.ratio.weights
        return np.asarray(likelihood / likelihood.max(), dtype=np.float64)

    @property
    def decay_likelihood(self) -> NDArray[np.float64]:
        """Likelihood of each mean delay over the greatest, shape (n_decays,)."""
        likelihood = self.posterior.sum(axis=(0, 2)) / self.priors.decay.weights
        return np.asarray(likelihood / likelihood.max(), dtype=np.float64)

    def draws(self, n_draws: int, root_seed: int) -> NDArray[np.float64]:
        """Draw independently from the posterior, shape (4, n_draws).

        Branching ratio, mean delay in days, sd and rho of the monthly log level (nan where the
        background does not drift).
        """
        posterior = self.posterior
        uniforms = uniforms_of(root_seed, "posterior", (3, n_draws))
        # A cell by its probability, then a place evenly inside it.
        cells = np.searchsorted(np.cumsum(posterior.ravel()), uniforms[0] * (1 - 1e-12))
        ratio, decay, drift = np.unravel_index(cells, posterior.shape)
        drifting = np.full((2, n_draws), np.nan)
        if self.background == "drifting":
            sd, rho = np.divmod(drift, len(self.priors.persistence.nodes))
            placed = uniforms_of(root_seed, "drift", (2, n_draws))
            drifting[0] = self.priors.drift.inside(sd, placed[0])
            drifting[1] = self.priors.persistence.inside(rho, placed[1])
        return np.vstack(
            [
                self.priors.ratio.inside(ratio, uniforms[1]),
                self.priors.decay.inside(decay, uniforms[2]),
                drifting,
            ]
        )

    def mode(self) -> tuple[float, float, NDArray[np.float64]]:
        """Give the likeliest ratio and decay of the posterior, and the background by day."""
        place = np.unravel_index(int(self.posterior.argmax()), self.posterior.shape)
        blocks = self.days.blocks(_BLOCK_MONTHS[self.background])
        return (
            float(self.priors.ratio.nodes[place[0]]),
            float(self.priors.decay.nodes[place[1]]),
            np.exp(self.log_levels[place])[blocks],
        )


def fit_excitation(
    days: DailyCounts, background: Background = "drifting", priors: Priors | None = None
) -> ExcitationFit:
    """Fit branching ratio and decay to daily counts.

    Parameters
    ----------
    days
        Counts of one series in one regime.
    background
        ``constant``, or ``drifting``: monthly levels that are a log AR(1), or ``quarterly``:
        levels of three months that know nothing of one another.
    priors
        The scenario's weak ones when not given.

    Returns
    -------
    ExcitationFit
        Posterior on a grid, the background integrated out by Laplace's method.
    """
    held = priors if priors is not None else Priors()
    ratios, decays = held.ratio.nodes, held.decay.nodes
    drifts = held.drifts(background)
    blocks = days.blocks(_BLOCK_MONTHS[background])
    n_blocks = int(blocks[-1]) + 1
    shape = (len(ratios), len(decays), len(drifts))
    log_likelihood, log_levels = np.empty(shape), np.empty((*shape, n_blocks))
    level = held.events_per_day if held.events_per_day is not None else float(days.counts.mean())
    for at, (sd, rho, _) in enumerate(drifts):
        levels = LevelPrior(level, covariance(n_blocks, background, held.level_sd, (sd, rho)))
        for column, decay in enumerate(decays.tolist()):
            part = integrate_background(days.counts, blocks, ratios, decay, levels)
            log_likelihood[:, column, at] = part.log_likelihood
            log_levels[:, column, at] = part.log_levels
    return ExcitationFit(days, background, held, log_likelihood, log_levels)


def maximum_likelihood(days: DailyCounts, background: Background) -> MaximumLikelihood:
    """Find where the likelihood is greatest, for a constant or a quarterly background.

    Levels are at their best for each ratio and decay, up to a prior of sd 3 of their logs
    that keeps a level from going to nothing; errors are those of the profile. Levels of a
    drifting background have a prior, and no likelihood alone: it is refused.
    """
    from scipy.optimize import minimize

    if background == "drifting":
        raise ValueError("a drifting background has a posterior, not a greatest likelihood")
    blocks = days.blocks(_BLOCK_MONTHS[background])
    levels = LevelPrior(float(days.counts.mean()), 9.0 * np.eye(int(blocks[-1]) + 1))

    # Coordinates without bounds: the logit of the ratio over its highest, the log of the delay.
    def negative(point: NDArray[np.float64]) -> float:
        ratio = np.array([HIGHEST_RATIO / (1.0 + np.exp(-point[0]))])
        decay = float(np.exp(point[1]))
        return -float(integrate_background(days.counts, blocks, ratio, decay, levels).at_mode[0])

    # The likelihood may have two modes (few long families, many short ones): several starts.
    starts = [np.array([logit, np.log(decay)]) for logit in (-2.0, 0.0) for decay in (3.0, 12.0)]
    bounds = [(-9.0, 5.0), (np.log(0.25), np.log(200.0))]
    tries = [minimize(negative, start, method="Nelder-Mead", bounds=bounds) for start in starts]
    best = min(tries, key=lambda found: float(found.fun))
    share = 1.0 / (1.0 + np.exp(-best.x[0]))
    ratio, decay = float(HIGHEST_RATIO * share), float(np.exp(best.x[1]))
    # Delta method: d ratio / d logit = ratio (1 - share), d decay / d log decay = decay.
    errors = _standard_errors(negative, best.x, bounds)
    return MaximumLikelihood(
        ratio, decay, errors[0] * ratio * float(1.0 - share), errors[1] * decay, -float(best.fun)
    )


def _standard_errors(
    negative: object, point: NDArray[np.float64], bounds: list[tuple[float, float]]
) -> tuple[float, float]:
    """Take errors of the two coordinates from central second differences."""
    at_end = any(
        x < low + 0.5 or x > high - 0.01 for x, (low, high) in zip(point, bounds, strict=True)
    )
    if at_end or not callable(negative):
        return float("nan"), float("nan")
    step = 0.05
    moves = step * np.eye(2)
    # f(x + a + b) - f(x + a - b) - f(x - a + b) + f(x - a - b) over 4 h^2, also for a = b.
    hessian = np.array(
        [
            [
                negative(point + a + b)
                - negative(point + a - b)
                - negative(point - a + b)
                + negative(point - a - b)
                for b in moves
            ]
            for a in moves
        ]
    ) / (4.0 * step * step)
    if np.linalg.eigvalsh(hessian)[0] <= 0.0:
        return float("nan"), float("nan")
    first, second = np.sqrt(np.diag(np.linalg.inv(hessian))).tolist()
    return first, second
