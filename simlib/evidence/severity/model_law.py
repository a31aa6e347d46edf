"""The engine's own law of deaths beside what was counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simlib.chance.distributions import count_table
from simlib.chance.inversion_tables import SEVERITY_CAP
from simlib.evidence.severity.power_law import SeverityError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_EXPONENTS = np.arange(1.6, 6.01, 0.1)
_USUAL = 2.5
_SHIFTS = np.geomspace(0.05, 150.0, 40)
"""What a size of 2 or more is shifted to begin at: the law's 2 + q."""


class LawFit(NamedTuple):
    """What of ``{severity: {one, mean, exponent}}`` deaths per lethal event say.

    Attributes
    ----------
    one, mean
        As counted.
    exponent
        Quantiles 5, 50 and 95 % of its posterior, shape (3,); the prior is uniform on 1.6 to 6,
        and that of the shift uniform in its log.
    log_likelihood_ratio
        Log likelihood at the best exponent and shift less that at 2.5 and its best shift;
        above 1.92 speaks against 2.5 (chi-squared, 5 %).
    """

    one: float
    mean: float
    exponent: NDArray[np.float64]
    log_likelihood_ratio: float


def fit_model_law(sizes: NDArray[np.int64]) -> LawFit:
    """Fit the exponent of the engine's severity, whatever its share of ones and mean.

    Sizes k of 2 or more are in proportion to (k + q)^-exponent, q standing for the mean: the
    exponent is that of the far tail, and a few moderate sizes say little of it.

    Parameters
    ----------
    sizes
        Deaths per lethal event, each at least 1 and at most the law's cap.

    Raises
    ------
    SeverityError
        Sizes are out of range, or none is above 2.
    """
    if len(sizes) == 0 or sizes.min() < 1 or sizes.max() > SEVERITY_CAP or sizes.max() < 3:
        raise SeverityError(f"sizes must be 1 to {SEVERITY_CAP}, some above 2 (got {sizes})")
    values, counts = np.unique(sizes[sizes > 1], return_counts=True)
    logs = np.log(np.add.outer(_SHIFTS, np.arange(SEVERITY_CAP - 1)))
    likelihood = np.empty((len(_EXPONENTS), len(_SHIFTS)))
    for row, exponent in enumerate(_EXPONENTS.tolist()):
        totals = np.log(np.exp(-exponent * logs).sum(axis=1))
        likelihood[row] = -exponent * logs[:, values - 2] @ counts - counts.sum() * totals
    weights = np.exp(likelihood - likelihood.max()).sum(axis=1)
    quantiles = np.interp([0.05, 0.5, 0.95], np.cumsum(weights) / weights.sum(), _EXPONENTS)
    usual = likelihood[int(np.argmin(np.abs(_EXPONENTS - _USUAL)))].max()
    one, mean = float((sizes == 1).mean()), float(sizes.mean())
    return LawFit(one, mean, quantiles, float(likelihood.max() - usual))


def model_survival(
    one: float, mean: float, exponent: float, sizes: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return P(X >= size) under the engine's law, for sizes from 1 to its cap."""
    table = count_table("severity", {"one": one, "mean": mean, "exponent": exponent})
    return np.asarray(1.0 - table[sizes - 1], dtype=np.float64)
