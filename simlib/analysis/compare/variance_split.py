"""Why pairs under common random numbers still differ in what an option does.

The variance of the paired differences is divided into what lies between the ways a
milestone ends in the baseline, what goes with the parameters drawn, and the rest: random
numbers that serve other draws once the options part, and whatever is not linear in the
parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FEWEST = 40
"""Pairs below which no division is tried."""
FOLDS = 10
SIZES = (1, 2, 3, 5, 8, 13, 21)
"""Numbers of parameters that are tried in a fit."""


@dataclass(frozen=True, slots=True)
class Reason:
    """How the variance of the paired differences is divided; the shares add up to 1.

    Attributes
    ----------
    milestone
        The milestone whose ending in the baseline tells most; empty where none does.
    between_classes
        Share between its classes, adjusted for their number (omega squared).
    parameter
        The parameter that goes most with the difference; empty where none does.
    of_parameters
        Share, within classes, that a linear fit on the parameters foretells in replications
        it was not made on.
    """

    milestone: str = ""
    between_classes: float = 0.0
    parameter: str = ""
    of_parameters: float = 0.0

    @property
    def of_rest(self) -> float:
        """Share that neither tells: chance after the options part, and what is not linear."""
        return 1.0 - self.between_classes - self.of_parameters

    def sentence(self) -> str:
        """The shares, largest cause first."""
        parts = []
        if self.milestone:
            parts.append(
                f"{self.between_classes:.0%} of the variance of the difference is between how "
                f"and when {self.milestone} ends in the baseline"
            )
        if self.parameter:
            whole = "" if parts else " of the variance of the difference"
            parts.append(
                f"{self.of_parameters:.0%}{whole} goes with drawn parameters, first "
                f"{self.parameter} (the effect really differs between replications)"
            )
        whole = "" if parts else " of the variance of the difference"
        rest = max(0.0, self.of_rest)
        return ", ".join(
            [*parts, f"{rest:.0%}{whole} is luck that diverged, and what a line misses"]
        )


def reason_of(
    change: Floats,
    endings: Mapping[str, NDArray[np.object_]],
    parameters: tuple[tuple[str, ...], Floats],
) -> Reason | None:
    """Divide the variance of the paired differences; None where there are too few.

    Parameters
    ----------
    change
        The differences, shape (n,).
    endings
        How each milestone ends in the baseline, a class each of shape (n,).
    parameters
        Names, and values of shape (n, n_names).
    """
    if len(change) < FEWEST or not np.ptp(change):
        return None
    shares = {name: between_classes(change, classes) for name, classes in endings.items()}
    milestone = max(sorted(shares), key=lambda name: shares[name], default="")
    between = shares.get(milestone, 0.0)
    within = change
    if between > 0.0:
        within = change - _class_means(change, endings[milestone])
    names, values = parameters
    share, first = foretold(within, values)
    return Reason(
        milestone=milestone if between > 0.0 else "",
        between_classes=between,
        parameter=names[first] if share > 0.0 else "",
        of_parameters=share * (1.0 - between),
    )


def between_classes(values: Floats, classes: NDArray[np.object_]) -> float:
    """Return the share of the variance that lies between classes, at least 0.

    Omega squared (W. L. Hays, *Statistics for Psychologists*, 1963): the expected share of
    classes that mean nothing is taken off, so that many small classes explain nothing.

    Examples
    --------
    >>> classes = np.array(["met", "met", "slipped", "slipped"], dtype=object)
    >>> between_classes(np.array([1.0, 1.0, 3.0, 3.0]), classes)
    1.0
    """
    n, n_classes = len(values), len(set(classes.tolist()))
    total = float(((values - values.mean()) ** 2).sum())
    within = float(((values - _class_means(values, classes)) ** 2).sum())
    if n <= n_classes or n_classes < 2 or total <= 0.0:
        return 0.0
    mean_square = within / (n - n_classes)
    share = (total - within - (n_classes - 1) * mean_square) / (total + mean_square)
    return min(1.0, max(0.0, share))


def foretold(values: Floats, parameters: Floats) -> tuple[float, int]:
    """Return the share of a variance that parameters foretell, and which does most.

    Ten times a linear fit is made on nine tenths of the replications and foretells the
    last tenth. Which parameters enter, those of the largest correlation, is chosen anew in
    each nine tenths: a choice on all would fit chance (T. Hastie, R. Tibshirani and J.
    Friedman, *The Elements of Statistical Learning*, 2009, section 7.10.2,
    doi:10.1007/978-0-387-84858-7). Their number is that which foretells best. Parameters
    that mean nothing foretell nothing, so the share is 0 and not the usual overfit.

    Parameters
    ----------
    values
        What is foretold, shape (n,).
    parameters
        Shape (n, n_parameters).

    Returns
    -------
    tuple
        The share, 0-1, and the column of the largest correlation (-1: there is none).
    """
    n, n_parameters = parameters.shape
    total = float(((values - values.mean()) ** 2).sum())
    if n_parameters == 0 or total <= 0.0:
        return 0.0, -1
    sizes = [size for size in SIZES if size <= min(n_parameters, n // 10)]
    missed = np.zeros(len(sizes))
    fold = np.arange(n) % FOLDS
    for k in range(FOLDS):
        is_made = fold != k
        order = np.argsort(-_correlations(values[is_made], parameters[is_made]), kind="stable")
        for i, size in enumerate(sizes):
            chosen = parameters[:, order[:size]]
            missed[i] += _missed(values, chosen, is_made)
    first = int(np.argmax(_correlations(values, parameters)))
    share = 1.0 - float(missed.min()) / total if sizes else 0.0
    return max(0.0, share), first


def _missed(values: Floats, columns: Floats, is_made: NDArray[np.bool_]) -> float:
    """Return the sum of squares that a fit on some rows misses in the others."""
    scale = columns[is_made].std(axis=0)
    shifted = (columns - columns[is_made].mean(axis=0)) / np.where(scale > 0.0, scale, 1.0)
    center = values[is_made].mean()
    fit, *_ = np.linalg.lstsq(shifted[is_made], values[is_made] - center, rcond=None)
    left = values[~is_made] - center - shifted[~is_made] @ fit
    return float((left**2).sum())


def _correlations(values: Floats, columns: Floats) -> Floats:
    """Return the absolute correlation of each column with values; 0 where one is constant."""
    centered = columns - columns.mean(axis=0)
    own = values - values.mean()
    norms = np.sqrt((centered**2).sum(axis=0) * (own**2).sum())
    covered = np.abs(own @ centered)
    share: Floats = np.divide(covered, norms, out=np.zeros(len(norms)), where=norms > 0.0)
    return share


def _class_means(values: Floats, classes: NDArray[np.object_]) -> Floats:
    """Return, for each value, the mean of its class."""
    _, place = np.unique(classes.astype(str), return_inverse=True)
    return np.asarray((np.bincount(place, weights=values) / np.bincount(place))[place])
