"""Ridge regressions on splines in normal scores, judged on rows that they were not fitted on."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from numpy.typing import NDArray

FOLDS = 5
PENALTIES = tuple(float(a) for a in np.logspace(-1, 6, 8))
"""Strengths of the ridge penalty among which generalized cross-validation chooses."""
KNOTS = (-2.5, -0.8, 0.8, 2.5)
MOST_CURVED = 20
"""A group of more columns enters linearly in their normal scores."""


def one_thread() -> AbstractContextManager[Any]:
    """A context in which linear algebra uses one thread.

    Thousands of small regressions lose more by waiting for threads than these gain, many
    times over where cores are busy; and sums then do not depend on how many cores there are.
    """
    # It comes with scikit-learn, which needs it.
    limits: AbstractContextManager[Any] = importlib.import_module(
        "threadpoolctl"
    ).threadpool_limits(limits=1)
    return limits


def normal_scores(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The normal quantiles of the ranks of values, shape (n,); ties share their mean.

    Whatever its scale and skewness, what is drawn from a continuous law becomes standard
    normal, and a normal one is only shifted and scaled.
    """
    from scipy.special import ndtri
    from scipy.stats import rankdata

    found: NDArray[np.float64] = ndtri((rankdata(values) - 0.5) / len(values))
    return found


def spline_columns(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The columns of a regression on one number or on several, shape (n, columns).

    Each enters by its normal score and, for up to `MOST_CURVED`, by cubic splines in it;
    together they add up.
    """
    columns = values.reshape(len(values), -1)
    varying = columns[:, np.ptp(columns, axis=0) > 0.0]
    if not varying.shape[1]:
        return np.empty((len(values), 0))
    scores = np.column_stack([normal_scores(column) for column in varying.T])
    return curved(scores) if scores.shape[1] <= MOST_CURVED else scores


def curved(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Normal scores and splines in them, shape (n, columns)."""
    from sklearn.preprocessing import SplineTransformer

    knots = np.repeat(np.array(KNOTS)[:, None], scores.shape[1], axis=1)
    splines = SplineTransformer(knots=knots, degree=3, extrapolation="linear", include_bias=False)
    bends: NDArray[np.float64] = splines.fit_transform(scores)
    return np.column_stack([scores, bends])


def ridge(inputs: NDArray[np.float64], targets: NDArray[np.float64]) -> Any:
    """Fit a ridge regression of targets, (n, n_targets), on inputs, (n, k): a penalty for each."""
    from sklearn.linear_model import RidgeCV

    return RidgeCV(alphas=PENALTIES, alpha_per_target=True).fit(inputs, targets)


def cross_fitted(
    inputs: NDArray[np.float64], targets: NDArray[np.float64], folds: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How regressions say that targets vary they were not fitted on, and what they leave.

    Targets have shape (n, n_targets), or (`FOLDS`, n, n_targets) where earlier regressions
    have left something else for each fold: then `inputs` add to those. Without a column of
    inputs nothing varies. The first array returned is what a regression on the other folds
    says of each row, less their mean, shape (n, n_targets); the second what each fold's
    regression leaves, shape (`FOLDS`, n, n_targets).
    """
    n, n_targets = targets.shape[-2:]
    by_fold = np.broadcast_to(targets, (FOLDS, n, n_targets))
    predicted, left = np.empty((n, n_targets)), np.empty((FOLDS, n, n_targets))
    for fold in range(FOLDS):
        is_in, is_out = folds != fold, folds == fold
        here = by_fold[fold]
        if inputs.shape[1]:
            of_all = ridge(inputs[is_in], here[is_in]).predict(inputs).reshape(n, n_targets)
        else:
            of_all = np.broadcast_to(here[is_in].mean(axis=0), (n, n_targets))
        # Only how targets vary is taken from here, not where they lie on average: the mean
        # of four fifths knows which fifth it lacks.
        predicted[is_out] = of_all[is_out] - here[is_in].mean(axis=0)
        left[fold] = here - of_all
    return predicted, left
