"""What learning something is worth to somebody who then chooses an option.

The value of learning X is min_d E[L_d] - E[min_d E[L_d | X]]. The inner expectation is a
regression of differences of loss on X (M. Strong, J. E. Oakley and A. Brennan 2014,
"Estimating multiparameter partial expected value of perfect information from a
probabilistic sensitivity analysis sample", doi:10.1177/0272989X13505910). Read off the
sample it was fitted on, its noise would count as value. So a rule "given X, choose d" is
learnt on four fifths of the replications and valued by the losses of the last fifth, each
fifth in turn: noise then adds nothing on average, and a rule that is not the best one
loses a little. Only how losses vary with X is learnt so; where they lie on average is
taken from all replications, with and without X, so that nothing is gained where options
are nearly equal by choosing as one fifth happens to lie. An estimate may come out below
0; that says 0 within its error.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from simlib.analysis.selection.observables import normal_scores
from simlib.analysis.value.threads import one_thread
from simlib.statistics.intervals import Z95, standard_error
from simlib.statistics.resampling import folds_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

FOLDS = 5
FEWEST = 10 * FOLDS
"""Replications below which no rule is learnt."""
PENALTIES = tuple(float(a) for a in np.logspace(-1, 6, 8))
"""Strengths of the ridge penalty among which generalized cross-validation chooses."""
KNOTS = (-2.5, -0.8, 0.8, 2.5)
MOST_CURVED = 20
"""A group of more members enters linearly in their normal scores."""


@dataclass(frozen=True, slots=True)
class Worth:
    """A value of information, in the unit of the loss.

    Attributes
    ----------
    estimate, error
        Estimate (0 or less: nothing was gained) and its Monte Carlo standard error.
    share_changed
        Share of replications in which what is learnt changes the choice.
    """

    estimate: float
    error: float
    share_changed: float

    @property
    def value(self) -> float:
        """The estimate, and 0 where it lies below: information cannot do harm."""
        return max(0.0, self.estimate)

    def interval(self, z: float = Z95) -> tuple[float, float]:
        """Return the normal interval, cut off at 0."""
        half = z * self.error
        return max(0.0, self.estimate - half), max(0.0, self.estimate + half)

    def is_clear(self, z: float = Z95) -> bool:
        """Whether the interval lies above 0."""
        return self.estimate - z * self.error > 0.0


def inputs_of(what: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the columns of a regression on something that may be learnt.

    Parameters
    ----------
    what
        One number, shape (n,), or several, shape (n, k). Each enters by its normal score
        and, for up to `MOST_CURVED`, by cubic splines in it; together they add up.
    """
    columns = what.reshape(len(what), -1)
    varying = columns[:, np.ptp(columns, axis=0) > 0.0]
    if not varying.shape[1]:
        return np.empty((len(what), 0))
    scores = np.column_stack([normal_scores(column) for column in varying.T])
    return curved(scores) if scores.shape[1] <= MOST_CURVED else scores


def curved(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return normal scores and splines in them, shape (n, columns)."""
    from sklearn.preprocessing import SplineTransformer

    knots = np.repeat(np.array(KNOTS)[:, None], scores.shape[1], axis=1)
    splines = SplineTransformer(knots=knots, degree=3, extrapolation="linear", include_bias=False)
    bends: NDArray[np.float64] = splines.fit_transform(scores)
    return np.column_stack([scores, bends])


def fit(inputs: NDArray[np.float64], targets: NDArray[np.float64]) -> Any:
    """Return a ridge regression, with a penalty for each target.

    Parameters
    ----------
    inputs
        Shape (n, k).
    targets
        Shape (n, n_targets).
    """
    from sklearn.linear_model import RidgeCV

    return RidgeCV(alphas=PENALTIES, alpha_per_target=True).fit(inputs, targets)


def predicted(
    inputs: NDArray[np.float64], targets: NDArray[np.float64], folds: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how regressions say that targets vary they were not fitted on, and what they leave.

    Parameters
    ----------
    inputs
        Shape (n, k); without a column nothing varies.
    targets
        Shape (n, n_targets), or (`FOLDS`, n, n_targets) where earlier regressions have left
        something else for each fold: then `inputs` add to what these said.
    folds
        Shape (n,).

    Returns
    -------
    What a regression on the other folds says of each replication, less their mean, shape
    (n, n_targets), and what each fold's regression leaves, shape (FOLDS, n, n_targets).
    """
    n, n_targets = targets.shape[-2:]
    by_fold = np.broadcast_to(targets, (FOLDS, n, n_targets))
    said, left = np.empty((n, n_targets)), np.empty((FOLDS, n, n_targets))
    for fold in range(FOLDS):
        is_in, is_out = folds != fold, folds == fold
        here = by_fold[fold]
        if inputs.shape[1]:
            of_all = fit(inputs[is_in], here[is_in]).predict(inputs).reshape(n, n_targets)
        else:
            of_all = np.broadcast_to(here[is_in].mean(axis=0), (n, n_targets))
        said[is_out] = of_all[is_out] - here[is_in].mean(axis=0)
        left[fold] = here - of_all
    return said, left


def differences(losses: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the losses of options less those of the first, shape (n, n_options - 1)."""
    return losses[:, 1:] - losses[:, :1]


def chosen(losses_less_first: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the option with the least loss, shape (n,); the first among equals."""
    first = np.zeros((len(losses_less_first), 1))
    least: NDArray[np.intp] = np.argmin(np.column_stack([first, losses_less_first]), axis=1)
    return least


def without_learning(losses: NDArray[np.float64]) -> int:
    """Return what is chosen where nothing is learnt: the option with the least mean loss."""
    return int(np.argmin(losses.mean(axis=0)))


def worth(
    losses: NDArray[np.float64],
    choice: NDArray[np.intp],
    before: NDArray[np.intp] | int,
) -> Worth:
    """Return what one choice saves against another.

    Parameters
    ----------
    losses
        Shape (n, n_options).
    choice, before
        Option chosen in each replication, with what is learnt and without, shape (n,).
    """
    rows = np.arange(len(losses))
    saved = losses[rows, before] - losses[rows, choice]
    error = standard_error(saved)
    return Worth(float(saved.mean()), error, float(np.mean(choice != before)))


def value_of_learning(
    losses: NDArray[np.float64], what: NDArray[np.float64], *, root_seed: int = 0
) -> Worth:
    """Return what learning something is worth before an option is chosen.

    For a parameter this is its expected value of partial perfect information (EVPPI); for
    reports, the expected value of sample information (EVSI).

    Parameters
    ----------
    losses
        Shape (n, n_options), of shared replications.
    what
        One number, shape (n,), or several, shape (n, k).
    root_seed
        Key of the uniforms that deal out folds.

    Raises
    ------
    ValueError
        There are fewer than `FEWEST` replications.

    Examples
    --------
    >>> theta = np.linspace(-1.0, 1.0, 200)
    >>> losses = np.column_stack([np.zeros(200), theta])
    >>> round(value_of_learning(losses, theta).value, 2)
    0.25
    """
    if len(losses) < FEWEST:
        raise ValueError(f"at least {FEWEST} replications are needed (got {len(losses)})")
    folds = folds_of(len(losses), FOLDS, root_seed)
    with one_thread():
        said, _ = predicted(inputs_of(what), differences(losses), folds)
    choice = chosen(said + differences(losses).mean(axis=0))
    return worth(losses, choice, without_learning(losses))


def value_of_everything(losses: NDArray[np.float64]) -> Worth:
    """Return what foreseeing each run would be worth, its luck included.

    No information is worth more: it bounds the value of learning all parameters (EVPI).
    """
    return worth(losses, chosen(differences(losses)), without_learning(losses))


def wrong_ranking(losses: NDArray[np.float64], best: int) -> float:
    """Return a bound of the probability that another option is better on average, 0-1.

    The sum over the others of Phi(-d / s), of the mean paired difference d and its standard
    error s (normal, flat prior). Options equal in every run are not better.
    """
    total = 0.0
    for option in range(losses.shape[1]):
        gap = losses[:, option] - losses[:, best]
        error = standard_error(gap)
        if option != best and error > 0.0:
            total += 0.5 * math.erfc(float(gap.mean()) / error / math.sqrt(2.0))
    return min(1.0, total)


def regions(
    losses: NDArray[np.float64], what: NDArray[np.float64], best: int
) -> list[tuple[float, float, int]]:
    """Return where in a parameter's range another option is best on average.

    Parameters
    ----------
    losses
        Shape (n, n_options).
    what
        The parameter, shape (n,).
    best
        The option that is best where nothing is learnt.

    Returns
    -------
    Lower and upper probability (0-1) of each range, with the option that is best in it.
    A regression on all replications says so: it is a description and no test.
    """
    from scipy.special import ndtr

    scores = normal_scores(what)
    order = np.argsort(scores, kind="stable")
    with one_thread():
        inputs = curved(scores[:, None])
        said = fit(inputs, differences(losses)).predict(inputs)
    choice = chosen(np.asarray(said).reshape(len(losses), -1))[order]
    at = ndtr(scores[order])
    found: list[tuple[float, float, int]] = []
    for begin, end in _stretches(choice):
        option = int(choice[begin])
        if option != best:
            found.append((_edge(at, begin), _edge(at, end), option))
    return found


def _stretches(choice: NDArray[np.intp]) -> list[tuple[int, int]]:
    cuts = [0, *(np.flatnonzero(np.diff(choice)) + 1).tolist(), len(choice)]
    return list(itertools.pairwise(cuts))


def _edge(at: NDArray[np.float64], place: int) -> float:
    """Return the probability between the ranks before and after a place."""
    if place in {0, len(at)}:
        return float(place > 0)
    return float(at[place - 1] + at[place]) / 2.0
