"""What learning something is worth to somebody who then chooses an option: EVPPI, EVSI, EVPI.

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

Everywhere `losses` has the shape (n, n_options), of shared replications.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simlib.ensemble.map_runs import map_runs
from simlib.scenario.spelling import words
from simlib.statistics.formatting import number, with_error
from simlib.statistics.intervals import Z95, standard_error
from simlib.statistics.regression import (
    FOLDS,
    cross_fitted,
    curved,
    normal_scores,
    one_thread,
    ridge,
    spline_columns,
)
from simlib.statistics.resampling import folds_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from simlib.ensemble.execution import Execution
    from simlib.ensemble.map_runs import Arrays

FEWEST = 10 * FOLDS
"""Replications below which no rule is learnt."""
KINDS = ("everything", "reports", "group", "parameter")
REPORTS = "reports to that date"
EVERYTHING = "everything, luck included"


@dataclass(frozen=True, slots=True)
class ExpectedValue:
    """An expected value of information, in the unit of the loss.

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
        """The normal interval, cut off at 0."""
        half = z * self.error
        return max(0.0, self.estimate - half), max(0.0, self.estimate + half)

    def is_clear(self, z: float = Z95) -> bool:
        """Whether the interval lies above 0."""
        return self.estimate - z * self.error > 0.0

    @property
    def shown(self) -> str:
        """The value with its error; where it is not above 0, that it may be 0."""
        if self.error == 0.0:
            return number(self.value)
        text = with_error(self.value, self.error)
        return text if self.is_clear() else f"{text} (0 within error)"


def loss_differences(losses: NDArray[np.float64]) -> NDArray[np.float64]:
    """The losses of options less those of the first, shape (n, n_options - 1)."""
    return losses[:, 1:] - losses[:, :1]


def choices(losses_less_first: NDArray[np.float64]) -> NDArray[np.intp]:
    """The option with the least loss, shape (n,); the first among equals."""
    first = np.zeros((len(losses_less_first), 1))
    least: NDArray[np.intp] = np.argmin(np.column_stack([first, losses_less_first]), axis=1)
    return least


def best_option(losses: NDArray[np.float64]) -> int:
    """The option with the least mean loss: it is chosen where nothing is learnt."""
    return int(np.argmin(losses.mean(axis=0)))


def saved(
    losses: NDArray[np.float64], choice: NDArray[np.intp], before: NDArray[np.intp] | int
) -> ExpectedValue:
    """Compare two choices, shapes (n,): the information behind one is worth what it saves."""
    rows = np.arange(len(losses))
    less = losses[rows, before] - losses[rows, choice]
    return ExpectedValue(float(less.mean()), standard_error(less), float(np.mean(choice != before)))


def evppi(
    losses: NDArray[np.float64], what: NDArray[np.float64], *, root_seed: int = 0
) -> ExpectedValue:
    """Value what may be learnt before an option is chosen.

    For parameters this is their expected value of partial perfect information (EVPPI); for
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
    >>> round(evppi(losses, theta).value, 2)
    0.25
    """
    if len(losses) < FEWEST:
        raise ValueError(f"at least {FEWEST} replications are needed (got {len(losses)})")
    folds, gaps = folds_of(len(losses), FOLDS, root_seed), loss_differences(losses)
    with one_thread():
        predicted, _ = cross_fitted(spline_columns(what), gaps, folds)
    return saved(losses, choices(predicted + gaps.mean(axis=0)), best_option(losses))


def evpi(losses: NDArray[np.float64]) -> ExpectedValue:
    """Value foreseeing each run: the expected value of perfect information.

    Chance events included, so no information is worth more: it bounds the value of learning
    all parameters.
    """
    return saved(losses, choices(loss_differences(losses)), best_option(losses))


def p_incorrect_selection(losses: NDArray[np.float64], best: int) -> float:
    """A bound of the probability that another option is better on average, 0-1.

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
    """Where in a parameter's range another option than the best is best on average.

    Lower and upper probability (0-1) of each range, with the option that is best in it.
    A regression on all replications says so: it is a description and no test.
    """
    from scipy.special import ndtr

    scores = normal_scores(what)
    order = np.argsort(scores, kind="stable")
    with one_thread():
        inputs = curved(scores[:, None])
        predicted = ridge(inputs, loss_differences(losses)).predict(inputs)
    choice = choices(np.asarray(predicted).reshape(len(losses), -1))[order]
    at = ndtr(scores[order])
    # The range falls apart where the choice changes from one rank to the next.
    cuts = [0, *(np.flatnonzero(np.diff(choice)) + 1).tolist(), len(choice)]
    return [
        (_edge(at, begin), _edge(at, end), int(choice[begin]))
        for begin, end in itertools.pairwise(cuts)
        if choice[begin] != best
    ]


def _edge(at: NDArray[np.float64], place: int) -> float:
    """The probability between the ranks before and after a place."""
    if place in {0, len(at)}:
        return float(place > 0)
    return float(at[place - 1] + at[place]) / 2.0


@dataclass(frozen=True, slots=True)
class DecisionSample:
    """What regressions are fitted on, in arrays of n replications.

    Losses are by loss and date, shape (n, n_options); drawn values by parameter; groups name
    parameters. Reports are what is known at each date, as columns, shape (n, k).
    """

    losses: dict[tuple[str, dt.date], NDArray[np.float64]]
    drawn: dict[str, NDArray[np.float64]]
    groups: dict[str, tuple[str, ...]]
    reports: dict[dt.date, NDArray[np.float64]]
    folds: NDArray[np.intp]

    def unknowns(self) -> list[tuple[str, str, NDArray[np.float64]]]:
        """Kind, name and columns of every parameter and group."""
        single = [("parameter", name, values) for name, values in self.drawn.items()]
        several = [
            ("group", name, np.column_stack([self.drawn[member] for member in members]))
            for name, members in self.groups.items()
        ]
        return [*single, *several]


@dataclass(frozen=True, slots=True)
class UnknownValue:
    """What learning one thing is worth, for one loss at one date.

    Attributes
    ----------
    loss, date
        Name of the loss; when it is decided.
    kind, name
        One of `KINDS`, and what is learnt.
    alone
        Learnt by itself.
    beyond
        In addition to the reports to that date; none for the reports themselves.
    regions
        Of some parameters: lower and upper probability of each part of the range in which
        another option is best than now, and that option.
    """

    loss: str
    date: dt.date
    kind: str
    name: str
    alone: ExpectedValue
    beyond: ExpectedValue | None
    regions: tuple[tuple[float, float, str], ...] = ()

    @property
    def label(self) -> str:
        """What people read in the place of its name."""
        group = self.name.removesuffix(".*")
        return words(self.name) if group == self.name else f"group {words(group)}"


@dataclass(frozen=True, slots=True, eq=False)
class _Valuation:
    """What all unknowns are valued against: for every loss and date, `columns` of `targets`.

    The first half of the targets, (`FOLDS`, n, 2 n_targets), are differences of loss, the
    second what `reported`, that is predicted from reports, leaves of them. `before` and
    `informed` are chosen without learning and by reports.
    """

    losses: tuple[NDArray[np.float64], ...]
    before: tuple[int, ...]
    informed: tuple[NDArray[np.intp], ...]
    columns: tuple[slice, ...]
    mean: NDArray[np.float64]
    reported: NDArray[np.float64]
    targets: NDArray[np.float64]
    unknowns: tuple[NDArray[np.float64], ...]
    folds: NDArray[np.intp]

    @classmethod
    def of(cls, sample: DecisionSample) -> _Valuation:
        """Take differences of all losses, and what reports say of them, side by side."""
        losses = tuple(sample.losses.values())
        # All losses and dates side by side, so that one regression on an unknown serves all.
        parts = [loss_differences(each) for each in losses]
        ends = np.cumsum([0, *(part.shape[1] for part in parts)]).tolist()
        columns = tuple(slice(a, b) for a, b in itertools.pairwise(ends))
        with one_thread():
            found = [
                cross_fitted(sample.reports[date], part, sample.folds)
                for (_, date), part in zip(sample.losses, parts, strict=True)
            ]
        reported = np.concatenate([predicted for predicted, _ in found], axis=1)
        left = np.concatenate([left for _, left in found], axis=2)
        gaps = np.concatenate(parts, axis=1)
        # Predictions are less their mean; a choice needs it back.
        mean = gaps.mean(axis=0)
        return cls(
            losses=losses,
            before=tuple(map(best_option, losses)),
            informed=tuple(choices((mean + reported)[:, each]) for each in columns),
            columns=columns,
            mean=mean,
            reported=reported,
            targets=np.concatenate([np.broadcast_to(gaps, left.shape), left], axis=2),
            unknowns=tuple(values for _, _, values in sample.unknowns()),
            folds=sample.folds,
        )

    def digest(self) -> str:
        """A hash of all numbers that values depend on."""
        found = hashlib.sha256()
        for array in (*self.losses, *self.unknowns, self.reported, self.targets, self.folds):
            found.update(repr((array.shape, array.dtype.str)).encode())
            found.update(np.ascontiguousarray(array).tobytes())
        return found.hexdigest()


def value_unknowns(sample: DecisionSample, execution: Execution) -> list[UnknownValue]:
    """Value every parameter and group by itself and beside the reports, and the reports."""
    job, unknowns = _Valuation.of(sample), sample.unknowns()
    found = []
    parts = zip(sample.losses, job.losses, job.before, job.informed, strict=True)
    for key, losses, before, informed in parts:
        reports = saved(losses, informed, before)
        found.append(UnknownValue(*key, "reports", REPORTS, reports, None))
        found.append(UnknownValue(*key, "everything", EVERYTHING, evpi(losses), None))
    identity = {"sample": job.digest()}
    values = map_runs(_valued, job, len(unknowns), identity=identity, each=12, **execution)
    for row, (kind, name, _) in enumerate(unknowns):
        for place, key in enumerate(sample.losses):
            alone, beyond = (
                ExpectedValue(*values[part][row, place]) for part in ("alone", "beyond")
            )
            found.append(UnknownValue(*key, kind, name, alone, beyond))
    return found


def _valued(job: _Valuation, rows: range) -> Arrays:
    """Value some unknowns: estimate, error and share of changed choices for each loss."""
    alone, beyond = [], []
    n_targets = job.reported.shape[1]
    for row in rows:
        with one_thread():
            ahead, _ = cross_fitted(spline_columns(job.unknowns[row]), job.targets, job.folds)
        # The first targets are the differences themselves; the others what reports leave of
        # them, so that the unknown only adds to what reports say.
        own = ahead[:, :n_targets] + job.mean
        besides = ahead[:, n_targets:] + job.mean + job.reported
        alone.append(_saved_of_each(job, own, job.before))
        beyond.append(_saved_of_each(job, besides, job.informed))
    return {"alone": np.array(alone), "beyond": np.array(beyond)}


def _saved_of_each(
    job: _Valuation, gaps: NDArray[np.float64], before: Sequence[NDArray[np.intp] | int]
) -> list[tuple[float, float, float]]:
    rows = []
    for losses, columns, known in zip(job.losses, job.columns, before, strict=True):
        found = saved(losses, choices(gaps[:, columns]), known)
        rows.append((found.estimate, found.error, found.share_changed))
    return rows
