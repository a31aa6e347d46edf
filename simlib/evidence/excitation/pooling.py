"""From regimes apart to what may hold in a regime that has not been seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simlib.chance.addresses import uniforms_of
from simlib.evidence.excitation.hawkes import unthinned
from simlib.evidence.excitation.hawkes_priors import HIGHEST_RATIO

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from simlib.evidence.excitation.hawkes_fit import ExcitationFit
    from simlib.evidence.excitation.hawkes_priors import Grid

_MEANS = np.linspace(0.05, 0.95, 37)
_CONCENTRATIONS = np.geomspace(2.0, 60.0, 12)
_SPREADS = np.geomspace(0.1, 1.6, 12)


@dataclass(frozen=True, slots=True)
class Pooled:
    """Predictive distribution of a parameter in a further regime.

    Attributes
    ----------
    grid
        Cells of the parameter.
    weights
        Probability of each cell, shape (n_cells,).
    n_regimes
        Regimes it rests on.
    """

    grid: Grid
    weights: NDArray[np.float64]
    n_regimes: int

    def draws(self, n_draws: int, root_seed: int, name: str) -> NDArray[np.float64]:
        """Return draws, the same for the same root seed and name, shape (n_draws,)."""
        uniforms = uniforms_of(root_seed, name, (2, n_draws))
        cells = np.searchsorted(np.cumsum(self.weights), uniforms[0] * (1.0 - 1e-12))
        return self.grid.inside(np.minimum(cells, len(self.weights) - 1), uniforms[1])


def pooled_ratio(fits: Sequence[ExcitationFit]) -> Pooled:
    """Return the branching ratio of a further regime, apparent among the events counted.

    Regimes' ratios over .95 come from a beta of unknown mean m and concentration c; m has the
    scenario's Beta(2, 5), log c is uniform on 2 to 60, so that between-regime spread is learnt.

    Parameters
    ----------
    fits
        One a regime, with the same grids.
    """
    from scipy.stats import beta

    grid = fits[0].priors.ratio
    shares = grid.edges / HIGHEST_RATIO
    cells = np.array(
        [
            [np.diff(beta.cdf(shares, m * c, (1.0 - m) * c)) for c in _CONCENTRATIONS.tolist()]
            for m in _MEANS.tolist()
        ]
    )
    prior = beta.pdf(_MEANS, 2.0, 5.0)[:, None] * np.ones(len(_CONCENTRATIONS))
    return _pooled(grid, cells, prior, [fit.ratio_likelihood for fit in fits])


def pooled_decay(fits: Sequence[ExcitationFit]) -> Pooled:
    """Return the mean delay of a further regime, apparent among the events counted.

    Logs of regimes' delays are normal with unknown mean, which has the prior of the delay, and
    unknown sd, its log uniform on .1 to 1.6.

    Parameters
    ----------
    fits
        One a regime, with the same grids.
    """
    from scipy.stats import norm

    grid = fits[0].priors.decay
    edges = np.log(grid.edges)
    cells = np.array(
        [
            [np.diff(norm.cdf((edges - center) / spread)) for spread in _SPREADS.tolist()]
            for center in np.log(grid.nodes).tolist()
        ]
    )
    cells /= np.maximum(cells.sum(axis=-1, keepdims=True), 1e-300)
    prior = grid.weights[:, None] * np.ones(len(_SPREADS))
    return _pooled(grid, cells, prior, [fit.decay_likelihood for fit in fits])


def _pooled(
    grid: Grid,
    cells: NDArray[np.float64],
    prior: NDArray[np.float64],
    likelihoods: Sequence[NDArray[np.float64]],
) -> Pooled:
    """Average over the hyperparameters (first two axes of `cells`) given all regimes."""
    logs = np.log(prior)
    for likelihood in likelihoods:
        logs = logs + np.log(np.maximum(cells @ likelihood, 1e-300))
    weights = np.exp(logs - logs.max())
    predictive = np.einsum("ij,ijk->k", weights / weights.sum(), cells)
    return Pooled(grid, predictive / predictive.sum(), len(likelihoods))


def draws_of_all_incidents(
    fits: Sequence[ExcitationFit], kept: float, n_draws: int, root_seed: int
) -> NDArray[np.float64]:
    """Return draws of branching ratio and mean delay of all incidents in a further regime.

    The events are those of the incidents with a death. If lethality fell on incidents
    independently, events would be a thinning by the lethal share; if whole waves are lethal or
    not, no thinning. What holds is unknown: the share is drawn evenly from `kept` to 1.

    Parameters
    ----------
    fits
        One a regime, with the same grids.
    kept
        Lethal share of incidents, in (0, 1].
    n_draws, root_seed
        How many, and what makes them repeatable.

    Returns
    -------
    ndarray
        Shape (2, n_draws): ratio, at most .95, and mean delay in days.
    """
    ratios = pooled_ratio(fits).draws(n_draws, root_seed, "pooled ratio")
    decays = pooled_decay(fits).draws(n_draws, root_seed, "pooled decay")
    shares = kept + (1.0 - kept) * uniforms_of(root_seed, "kept", n_draws)
    both = np.array(
        [
            unthinned(*one)
            for one in zip(ratios.tolist(), decays.tolist(), shares.tolist(), strict=True)
        ]
    ).T
    return np.vstack([np.minimum(both[0], 0.999 * HIGHEST_RATIO), both[1]])
