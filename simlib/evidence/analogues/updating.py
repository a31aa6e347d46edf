"""What the pooled cases add to the prior of the withdrawal effect, on a grid.

The effect is the theatre's own: the log ratio of a year after full exit to the year before, beyond
what would have happened anyway. A case's effect lies about it with a spread that is not known, and
its observed log ratio lies about that as placebos lie about nothing::

    effect ~ Student t               case effect ~ N(effect, spread^2)
    spread ~ half-normal(.5)         log ratio   ~ N(case effect, placebo sd^2)

All but the effect is integrated out; the placebo sd over its bootstrap resamples.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simlib.chance.addresses import uniforms_of
from simlib.chance.distributions import quantile
from simlib.evidence.analogues.analogue_record import ALL, AnalogueError
from simlib.evidence.analogues.placebo import YEAR, contrast_of, placebos

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from simlib.evidence.analogues.analogue_record import Analogues, Case
    from simlib.evidence.panels import CountPanel

SPREAD = 0.5
"""Scale of the half-normal spread of cases about the theatre (judgement: weak)."""
N_SPREADS, N_SDS = 40, 100
_GRID = np.linspace(-5.0, 5.0, 1001)


@dataclass(frozen=True, slots=True)
class Belief:
    """A distribution of the effect (log) on an evenly spaced grid; its mass sums to 1."""

    grid: NDArray[np.float64]
    mass: NDArray[np.float64]

    @property
    def mean(self) -> float:
        """Mean."""
        return float(self.mass @ self.grid)

    @property
    def sd(self) -> float:
        """Standard deviation."""
        return float(np.sqrt(self.mass @ (self.grid - self.mean) ** 2))

    @property
    def density(self) -> NDArray[np.float64]:
        """Probability per unit of log, shape (n,)."""
        return np.asarray(self.mass / (self.grid[1] - self.grid[0]))

    def quantiles(self, shares: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the effects below which the shares lie, linear between midpoints of the grid."""
        half = (self.grid[1] - self.grid[0]) / 2.0
        return np.asarray(np.interp(shares, np.cumsum(self.mass), self.grid + half))

    @property
    def spelled(self) -> str:
        """Mean, sd and 90 % interval in words."""
        low, high = self.quantiles(np.array([0.05, 0.95])).tolist()
        return f"{self.mean:.2f} ± {self.sd:.2f} (90 % {low:.2f} to {high:.2f})"

    def draws(self, n_draws: int, root_seed: int) -> NDArray[np.float64]:
        """Draw independently, shape (n_draws,)."""
        return self.quantiles(uniforms_of(root_seed, "withdrawal effect", n_draws))


def belief_of(distribution: Mapping[str, Mapping[str, float]]) -> Belief:
    """Put a scenario's Student t on the grid."""
    from scipy.stats import t

    arguments = distribution["student_t"]
    density = t.pdf(_GRID, arguments["df"], arguments["location"], arguments["scale"])
    return Belief(_GRID, np.asarray(density / density.sum()))


@functools.cache
def spreads(scale: float = SPREAD, n_spreads: int = N_SPREADS) -> NDArray[np.float64]:
    """Give equally likely spreads of cases, shape (n_spreads,): a half-normal's."""
    shares = (np.arange(n_spreads) + 0.5) / n_spreads
    normal = {"mean": 0.0, "sd": scale}
    return np.array([quantile("normal", normal, (1.0 + share) / 2.0) for share in shares.tolist()])


def thinned(sds: NDArray[np.float64], n_sds: int = N_SDS) -> NDArray[np.float64]:
    """Give equally likely standard deviations, shape (n_sds,), in place of many."""
    return np.asarray(np.quantile(sds, (np.arange(n_sds) + 0.5) / n_sds))


def updated(
    log_ratios: NDArray[np.float64],
    placebo_sds: NDArray[np.float64],
    prior: Mapping[str, Mapping[str, float]],
) -> Belief:
    """Update the prior of the effect, as a scenario spells it, by the log ratios of the cases.

    Standard deviations of placebos, above 0, are equally likely: shape (n_sds,) for all cases, or
    (n_cases, n_sds) for each its own.
    """
    sds = np.broadcast_to(placebo_sds, (len(log_ratios), placebo_sds.shape[-1]))
    before = belief_of(prior)
    # The case effect is integrated out in closed form (variances add), spread and placebo sd by
    # averaging the likelihood over their equally likely points.
    logs = np.zeros((N_SPREADS * sds.shape[1], len(_GRID)))
    for ratio, own in zip(log_ratios, sds, strict=True):
        variances = (spreads()[:, None] ** 2 + own[None, :] ** 2).reshape(-1, 1)
        logs -= ((ratio - _GRID) ** 2 / variances + np.log(variances)) / 2.0
    likelihood = np.exp(logs - logs.max()).mean(axis=0)
    mass = before.mass * likelihood
    return Belief(_GRID, mass / mass.sum())


def information(before: Belief, after: Belief) -> float:
    """Measure the information gained, in nats: the divergence of after from before."""
    is_held = after.mass > 0.0
    return float(after.mass[is_held] @ np.log(after.mass[is_held] / before.mass[is_held]))


def worth_in_years(before: Belief, after: Belief, year_sd: float) -> float:
    """Tell how many observed years of the theatre would say as much.

    A year adds 1 / `year_sd` squared to the precision, the reciprocal of the variance.
    """
    return (after.sd**-2 - before.sd**-2) * year_sd**2


@dataclass(frozen=True, slots=True)
class Match:
    """A Student t in place of a belief, as a scenario spells it.

    The error is the largest difference of the two cumulative distributions.
    """

    distribution: Mapping[str, Mapping[str, float]]
    error: float


def matched(belief: Belief) -> Match:
    """Find the Student t whose quantiles come nearest to a belief's.

    Least squares over the quantiles .01, .05, .1, .25, .5 and their mirrors; arguments are
    rounded to four digits before the error is taken.
    """
    from scipy.optimize import least_squares
    from scipy.stats import t

    lower = np.array([0.01, 0.05, 0.1, 0.25])
    shares = np.concatenate([lower, [0.5], 1.0 - lower[::-1]])
    goal = belief.quantiles(shares)

    def off(x: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(t.ppf(shares, np.exp(x[0]), x[1], np.exp(x[2])) - goal)

    found = least_squares(off, [np.log(6.0), belief.mean, np.log(belief.sd * 0.8)]).x
    arguments = {"df": np.exp(found[0]), "location": found[1], "scale": np.exp(found[2])}
    rounded = {name: float(f"{value:.4g}") for name, value in arguments.items()}
    edges = belief.grid + (belief.grid[1] - belief.grid[0]) / 2.0
    theirs = t.cdf(edges, rounded["df"], rounded["location"], rounded["scale"])
    error = float(np.abs(theirs - np.cumsum(belief.mass)).max())
    return Match({"student_t": rounded}, error)


def known_cases(panel: CountPanel, cases: Sequence[Case], as_of: dt.date) -> tuple[Case, ...]:
    """Keep the cases whose year after is in the panel; one of them must be pooled."""
    known = tuple(case for case in cases if case.month + YEAR <= panel.months[-1])
    if not any(case.is_pooled for case in known):
        raise AnalogueError(f"no pooled case has a year after that was published by {as_of}")
    return known


def pooled(  # noqa: PLR0913  (each choice alone is changed)
    panel: CountPanel,
    cases: tuple[Case, ...],
    analogues: Analogues,
    *,
    too: str = "",
    series: str = ALL,
    is_own: bool = False,
    is_unseen: bool = False,
) -> Belief:
    """Update the prior by the pooled cases (and one too), with some choices changed."""
    chosen = [case for case in cases if case.is_pooled or case.name == too]
    usual = placebos(panel, analogues.cases, series)
    ratios = np.array([contrast_of(panel, case, series).log_ratio for case in chosen])
    sds = thinned(usual.sd_resamples())
    if is_own:
        sds = np.array([[usual.of(case.country).std()] for case in chosen])
    return updated(ratios, sds, analogues.unseen if is_unseen else analogues.prior)
