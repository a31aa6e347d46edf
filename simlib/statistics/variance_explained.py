"""How much of a variance lies between classes, or can be foretold from columns of numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FOLDS = 10
SIZES = (1, 2, 3, 5, 8, 13, 21)
"""Numbers of columns that are tried in a fit."""


def between_classes(values: Floats, classes: NDArray[np.object_]) -> float:
    """The share of the variance that lies between classes, at least 0.

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
    within = float(((values - class_means(values, classes)) ** 2).sum())
    if n <= n_classes or n_classes < 2 or total <= 0.0:
        return 0.0
    mean_square = within / (n - n_classes)
    share = (total - within - (n_classes - 1) * mean_square) / (total + mean_square)
    return min(1.0, max(0.0, share))


def foretold(values: Floats, columns: Floats) -> tuple[float, int]:
    """The share, 0-1, of a variance that columns foretell, and which correlates most (-1: none).

    By ten-fold cross-validation, so that columns that mean nothing foretell nothing and the
    share is 0, not the usual overfit.
    """
    n, n_columns = columns.shape
    total = float(((values - values.mean()) ** 2).sum())
    if n_columns == 0 or total <= 0.0:
        return 0.0, -1
    # Ten rows for a column that enters, at least: fewer make a fit that wanders.
    sizes = [size for size in SIZES if size <= min(n_columns, n // 10)]
    missed = np.zeros(len(sizes))
    fold = np.arange(n) % FOLDS
    for k in range(FOLDS):
        is_made = fold != k
        # Which columns enter is chosen anew in each nine tenths: a choice on all rows would
        # fit chance (T. Hastie, R. Tibshirani and J. Friedman, The Elements of Statistical
        # Learning, 2009, section 7.10.2, doi:10.1007/978-0-387-84858-7).
        order = np.argsort(-_correlations(values[is_made], columns[is_made]), kind="stable")
        missed += _missed(values, columns[:, order[: max(sizes, default=0)]], is_made)[
            [size - 1 for size in sizes]
        ]
    first = int(np.argmax(_correlations(values, columns)))
    # The number of columns is that which foretells best.
    share = 1.0 - float(missed.min()) / total if sizes else 0.0
    return max(0.0, share), first


def _missed(values: Floats, columns: Floats, is_made: NDArray[np.bool_]) -> Floats:
    """The sums of squares that fits of the first 1, 2, ... columns on some rows miss in others."""
    made, others = columns[is_made], columns[~is_made]
    scale = made.std(axis=0)
    made, others = (
        (part - made.mean(axis=0)) / np.where(scale > 0.0, scale, 1.0) for part in (made, others)
    )
    center = values[is_made].mean()
    # A column that those before it make up adds nothing.
    sizes = np.abs(np.diagonal(np.linalg.qr(made, mode="r")))
    is_new = sizes > 1e-9 * sizes.max(initial=0.0)
    # Fits of ever more columns are nested: by Gram-Schmidt, one decomposition has them all.
    basis, triangle = np.linalg.qr(made[:, is_new])
    told = np.linalg.solve(triangle.T, others[:, is_new].T).T
    told *= basis.T @ (values[is_made] - center)
    left = (values[~is_made] - center)[:, np.newaxis] - np.cumsum(
        np.insert(told, 0, 0.0, axis=1), axis=1
    )
    return np.asarray((left**2).sum(axis=0)[np.cumsum(is_new)])


def _correlations(values: Floats, columns: Floats) -> Floats:
    """The absolute correlation of each column with values; 0 where one is constant."""
    centered = columns - columns.mean(axis=0)
    own = values - values.mean()
    norms = np.sqrt((centered**2).sum(axis=0) * (own**2).sum())
    covered = np.abs(own @ centered)
    share: Floats = np.divide(covered, norms, out=np.zeros(len(norms)), where=norms > 0.0)
    return share


def class_means(values: Floats, classes: NDArray[np.object_]) -> Floats:
    """The mean of the class of each value."""
    _, place = np.unique(classes.astype(str), return_inverse=True)
    return np.asarray((np.bincount(place, weights=values) / np.bincount(place))[place])
