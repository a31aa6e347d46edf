"""Intensities by place, partially pooled: gamma rates whose hyperparameters are integrated.

Counts are Poisson, rates of the places of one kind of incident in one country are gamma with a
common rate and shapes that are part even, part the geography of older events. The
hyperparameters stand on a grid with weak priors, so the posterior is an exact mixture of gammas
(Gelman et al., Bayesian Data Analysis, 3rd ed., sections 2.7 and 5.3; power prior with its
weight integrated: Ibrahim and Chen 2000, Statistical Science 15, 46-60).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simlib.chance.addresses import uniforms_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

TOTAL_SHAPES = np.geomspace(1.0, 64.0, 13)
"""Shapes summed over places: how alike places are to the prior geography; log-uniform."""
OLDER_WEIGHTS = np.linspace(0.0, 1.0, 11)
"""Share of the prior geography that is that of older events; uniform."""
PLACE_MEANS = np.geomspace(0.02, 20.0, 25)
"""Prior mean of a place, events a month; log-uniform."""


@dataclass(frozen=True, slots=True)
class Intensities:
    """The posterior of the intensities of places: a mixture of independent gammas.

    At each point of the grid: its posterior weight, shape (n_grid,); the shape of each place's
    gamma, (n_grid, n_places); their rate in months, (n_grid,). `older_weight` is the posterior
    mean of the share of the prior geography that older events give.
    """

    places: tuple[str, ...]
    weights: NDArray[np.float64]
    shapes: NDArray[np.float64]
    rates: NDArray[np.float64]
    older_weight: float

    def draw(self, n_draws: int, root_seed: int) -> NDArray[np.float64]:
        """Draw intensities, events a month, shape (n_draws, n_places)."""
        cumulative = np.cumsum(self.weights)
        chosen = uniforms_of(root_seed, "points", n_draws) * cumulative[-1]
        points = np.searchsorted(cumulative, chosen, side="right")
        return _gammas(self.shapes[points], self.rates[points, None], root_seed)

    def mean(self) -> NDArray[np.float64]:
        """Take the posterior mean of each place, events a month, shape (n_places,)."""
        return np.asarray(self.weights @ (self.shapes / self.rates[:, None]))

    def share_moments(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Take mean and variance of each place's share of the total, shape (n_places,).

        At each point of the grid shares are Dirichlet, because the gammas have one rate.
        """
        totals = self.shapes.sum(axis=1, keepdims=True)
        means = self.shapes / totals
        within = means * (1.0 - means) / (totals + 1.0)
        mean = self.weights @ means
        return mean, self.weights @ (within + means**2) - mean**2

    def dirichlet(self) -> NDArray[np.float64]:
        """Match a Dirichlet to the mean shares and to the total of their variances.

        One Dirichlet has one concentration: it is that with which the variances of all shares
        add up to those of the mixture.
        """
        mean, variance = self.share_moments()
        concentration = float((mean * (1.0 - mean)).sum() / variance.sum()) - 1.0
        return mean * concentration


def fit_intensities(
    places: Sequence[str],
    counts: NDArray[np.float64],
    older: NDArray[np.float64],
    months: float,
) -> Intensities:
    """Fit the intensities of places to counts, with the geography of older counts as a guide.

    Both counts are by place; parts of events are allowed where a series mixes two kinds. Of the
    older ones only shares enter, with a half event added everywhere. Months are the exposure.
    """
    if counts.shape != (len(places),) or older.shape != counts.shape:
        raise ValueError(f"counts must have shape {(len(places),)} (got {counts.shape})")
    if (counts < 0).any() or (older < 0).any() or not months > 0:
        raise ValueError("counts must be >= 0 and months > 0")
    shapes, rates, older_weights = _grid(older)
    log_weights = _log_evidence(counts, shapes, rates, months)
    weights = np.exp(log_weights - log_weights.max())
    weights /= weights.sum()
    return Intensities(
        tuple(places),
        weights,
        shapes + counts,
        rates + months,
        float(weights @ older_weights),
    )


def draw_prior(older: NDArray[np.float64], root_seed: int) -> NDArray[np.float64]:
    """Draw the intensities of places from the prior, events a month, shape (n_places,)."""
    shapes, rates, _ = _grid(older)
    point = int(uniforms_of(root_seed, "points", 1)[0] * len(rates))
    return _gammas(shapes[point], rates[point], root_seed)


def _gammas(
    shapes: NDArray[np.float64], rates: NDArray[np.float64] | np.float64, root_seed: int
) -> NDArray[np.float64]:
    """Draw gammas by inversion."""
    from scipy.special import gammaincinv

    return np.asarray(gammaincinv(shapes, uniforms_of(root_seed, "gammas", shapes.shape)) / rates)


def _grid(
    older: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Lay out shapes (n_grid, n_places), rates (n_grid,) and older weights (n_grid,)."""
    n_places = len(older)
    guide = (older + 0.5) / (older + 0.5).sum()
    totals, older_weights, means = (
        axis.ravel()
        for axis in np.meshgrid(TOTAL_SHAPES, OLDER_WEIGHTS, PLACE_MEANS, indexing="ij")
    )
    geography = (1.0 - older_weights)[:, None] / n_places + older_weights[:, None] * guide
    return totals[:, None] * geography, totals / (means * n_places), older_weights


def _log_evidence(
    counts: NDArray[np.float64],
    shapes: NDArray[np.float64],
    rates: NDArray[np.float64],
    months: float,
) -> NDArray[np.float64]:
    """Take the log probability of the counts at each point: negative binomials."""
    from scipy.special import gammaln

    rates = rates[:, None]
    terms = (
        gammaln(shapes + counts)
        - gammaln(shapes)
        - gammaln(counts + 1.0)
        + shapes * np.log(rates / (rates + months))
        + counts * np.log(months / (rates + months))
    )
    return np.asarray(terms.sum(axis=1))
