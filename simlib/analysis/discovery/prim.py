"""Boxes of inputs in which a case is common: the patient rule induction method (PRIM).

J. H. Friedman and N. I. Fisher, "Bump hunting in high-dimensional data", Statistics and
Computing 9 (1999), doi:10.1023/A:1008894516817; as scenario discovery B. P. Bryant and
R. J. Lempert, Technological Forecasting and Social Change 77 (2010),
doi:10.1016/j.techfore.2009.08.002.

Everywhere `inputs` has a row for each run and a column for each parameter, shape
(n, n_columns), and `is_case` says which runs are cases, shape (n,); `how` says how patient
and how far peeling goes.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import bdtrc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Rows = tuple[NDArray[np.float64], NDArray[np.bool_]]
    """Inputs and which of them are cases."""

SHARES = ("coverage", "density", "mass")
Limit = tuple[int, int]
"""A column of the inputs, and which end is limited: 0 from below, 1 from above."""


@dataclass(frozen=True, slots=True)
class Box:
    """A box: least and greatest value of each column; infinite where there is no limit."""

    low: tuple[float, ...]
    high: tuple[float, ...]

    @classmethod
    def whole(cls, n_columns: int) -> Box:
        """The box without limits."""
        return cls((-math.inf,) * n_columns, (math.inf,) * n_columns)

    @property
    def limits(self) -> tuple[Limit, ...]:
        """The limits there are, by column."""
        return tuple(
            (column, side)
            for column, ends in enumerate(zip(self.low, self.high, strict=True))
            for side, end in enumerate(ends)
            if math.isfinite(end)
        )

    @property
    def columns(self) -> tuple[int, ...]:
        """The columns that are restricted."""
        return tuple(dict.fromkeys(column for column, _ in self.limits))

    def value(self, limit: Limit) -> float:
        """Where a limit is."""
        column, side = limit
        return (self.low, self.high)[side][column]

    def with_limit(self, limit: Limit, value: float) -> Box:
        """The box with one limit set; an infinite value lifts it."""
        column, side = limit
        ends = [list(self.low), list(self.high)]
        ends[side][column] = value
        return Box(tuple(ends[0]), tuple(ends[1]))

    def holds(self, inputs: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which rows of the inputs, shape (n, n_columns), lie inside."""
        inside = np.ones(len(inputs), dtype=np.bool_)
        for limit in self.limits:
            inside &= keeps(inputs, limit, self.value(limit))
        return inside


@dataclass(frozen=True, slots=True)
class BoxFit:
    """How a box fits cases: coverage, density and mass are shares, 0-1.

    Attributes
    ----------
    coverage
        Share of all cases that lie inside.
    density
        Share of the rows inside that are cases; nan where no row is inside.
    mass
        Share of all rows that lie inside.
    n_inside, n_cases
        Rows inside (the support), and cases among them.
    """

    coverage: float
    density: float
    mass: float
    n_inside: int
    n_cases: int

    def row(self, half: str, names: Sequence[str] = SHARES) -> dict[str, Any]:
        """Some of it as columns of a table, the names ending with the half."""
        return {f"{name}{half}": getattr(self, name) for name in names}


def fit(box: Box, inputs: NDArray[np.float64], is_case: NDArray[np.bool_]) -> BoxFit:
    """How a box fits cases."""
    inside = box.holds(inputs)
    n_inside, n_cases = int(inside.sum()), int((inside & is_case).sum())
    n_all = int(is_case.sum())
    return BoxFit(
        coverage=n_cases / n_all if n_all else math.nan,
        density=n_cases / n_inside if n_inside else math.nan,
        mass=n_inside / len(inputs) if len(inputs) else math.nan,
        n_inside=n_inside,
        n_cases=n_cases,
    )


def keeps(inputs: NDArray[np.float64], limit: Limit, value: float) -> NDArray[np.bool_]:
    """Which rows of the inputs a limit keeps."""
    column, side = limit
    kept: NDArray[np.bool_] = inputs[:, column] <= value if side else inputs[:, column] >= value
    return kept


def quasi_p(
    box: Box, inputs: NDArray[np.float64], is_case: NDArray[np.bool_]
) -> dict[Limit, float]:
    """The quasi-p-value of each limit of a box (Bryant and Lempert 2010).

    The probability of so many cases among the rows inside, or more, if each were a case
    with the density of the box without that limit (binomial). Quasi, because on the rows a
    box was peeled from it knows nothing of the search; on other rows it is a p-value.
    """
    limits = box.limits
    is_out = left_out(box, limits, inputs)
    return dict(zip(limits, chances(is_out, is_case).tolist(), strict=True))


def left_out(box: Box, limits: tuple[Limit, ...], inputs: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which rows each limit leaves out, shape (n, n_limits)."""
    is_out = np.zeros((len(inputs), len(limits)), dtype=np.bool_)
    for i, limit in enumerate(limits):
        is_out[:, i] = ~keeps(inputs, limit, box.value(limit))
    return is_out


def chances(is_out: NDArray[np.bool_], is_case: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Quasi-p-values from what each limit leaves out, shape (n, n_limits)."""
    n_against = is_out.sum(axis=1)
    inside = n_against == 0
    n, n_cases = int(inside.sum()), int((inside & is_case).sum())
    # What a limit alone leaves out comes back without it.
    alone = is_out & (n_against == 1)[:, None]
    n_without = n + alone.sum(axis=0)
    cases_without = n_cases + (alone & is_case[:, None]).sum(axis=0)
    if n_cases == 0:
        return np.ones(is_out.shape[1])
    density = np.where(n_without > 0, cases_without / np.maximum(n_without, 1), 0.0)
    return np.asarray(bdtrc(n_cases - 1, n, density))


@dataclass(frozen=True, slots=True)
class Peeling:
    """How patient, how far, and what passes for chance.

    Attributes
    ----------
    alpha
        Share of a box that one peel cuts off, and one paste adds, 0-1.
    fewest
        A peel cuts off so many rows at least: of fewer, chance leaves too many without a
        case.
    most_columns
        Where there are more columns, only so many are peeled: those whose distribution
        differs most between cases and other rows. Peels of no use cost rows.
    least_mass
        Peeling ends at this share of all rows, 0-1.
    level
        A limit of the chosen box is dropped where its quasi-p-value, times the number of
        limits there could be (two for each column, peeled or not), is above this.
    """

    alpha: float = 0.05
    fewest: int = 10
    most_columns: int = 12
    least_mass: float = 0.05
    level: float = 0.05


USUAL = Peeling()


@dataclass(frozen=True, slots=True)
class Peeled:
    """A box that was found, and the boxes peeled on the way from the whole on.

    The box has no limits where nothing was found; in the trajectory all limits are in place.
    """

    box: Box
    trajectory: tuple[Box, ...]


def peel(
    inputs: NDArray[np.float64],
    is_case: NDArray[np.bool_],
    how: Peeling = USUAL,
    *,
    start: Box | None = None,
    columns: Sequence[int] | None = None,
) -> tuple[Box, ...]:
    """Peel, and return the boxes on the way, from `start` (the whole when not given) on.

    Each peel cuts off, at one end of one column, a share `alpha` of the rows still inside
    (all rows of one value, where that is more): where cases fall short most of what is
    expected at the density of the box, in standard errors. Between cuts of one size, as
    all are in columns without ties, that is the highest density of the rest. It ends at
    `least_mass`, when all rows inside are cases, or when nothing can be cut off. Only
    `columns` are cut, where they are given.
    """
    chosen = list(range(inputs.shape[1]) if columns is None else columns)
    box = start or Box.whole(inputs.shape[1])
    trajectory = [box]
    least = max(2.0, how.least_mass * len(inputs))
    inside = box.holds(inputs)
    inputs, is_case = inputs[inside][:, chosen], is_case[inside]
    while 0 < is_case.sum() < len(is_case):
        n_off = max(how.fewest, math.floor(how.alpha * len(inputs)))
        cut = _best_cut(inputs, is_case, n_off, least) if n_off < len(inputs) else None
        if cut is None:
            break
        (column, side), value = cut
        box = box.with_limit((chosen[column], side), value)
        keep = keeps(inputs, (column, side), value)
        inputs, is_case = inputs[keep], is_case[keep]
        trajectory.append(box)
    return tuple(trajectory)


def _best_cut(
    inputs: NDArray[np.float64], is_case: NDArray[np.bool_], n_off: int, least: float
) -> tuple[Limit, float] | None:
    """The limit that the next peel sets, and its value; None where there is none."""
    n = len(inputs)
    scores, kept_from = [], []
    for sign in (1.0, -1.0):  # from below, then from above: the same with signs turned
        signed = sign * inputs
        first_kept = _first_kept(signed, n_off)
        is_off = signed < first_kept
        n_cut = is_off.sum(axis=0)
        n_cases = is_case.astype(np.float64) @ is_off
        missing = n_cut * is_case.mean() - n_cases
        # A cut through the values of one column is allowed where enough rows stay.
        is_allowed = (n_cut > 0) & (n - n_cut >= least) & np.isfinite(first_kept)
        # Standard error of the cases among n_cut rows drawn from n without replacement,
        # but for the factor density (1 - density), which is the same for every cut.
        error = np.sqrt(np.maximum(n_cut * (1.0 - n_cut / n), 1e-12))
        scores.append(np.where(is_allowed, missing / error, -np.inf))
        kept_from.append(first_kept)
    score = np.array(scores)
    side, column = np.unravel_index(int(np.argmax(score)), score.shape)
    if score[side, column] == -np.inf:
        return None
    sign = -1.0 if side else 1.0
    signed = sign * inputs[:, column]
    last_cut = float(signed[signed < kept_from[side][column]].max())
    # Half way between the last row cut off and the first one kept.
    value = sign * _between(last_cut, float(kept_from[side][column]))
    return (int(column), int(side)), value


def _first_kept(signed: NDArray[np.float64], n_off: int) -> NDArray[np.float64]:
    """Return, by column, the least value that stays when the least `n_off` go."""
    ranked = np.partition(signed, [0, n_off], axis=0)
    least, kept = ranked[0], ranked[n_off]
    is_tied = kept == least
    if is_tied.any():  # all rows of the least value go, or none
        tied = signed[:, is_tied]
        kept[is_tied] = np.where(tied > least[is_tied], tied, np.inf).min(axis=0)
    return np.asarray(kept)


def _between(below: float, above: float) -> float:
    """The middle of two values, never the lower one."""
    middle = below + (above - below) / 2.0
    return middle if middle > below else above


def simplify(
    box: Box, inputs: NDArray[np.float64], is_case: NDArray[np.bool_], how: Peeling = USUAL
) -> Box:
    """A box without the limits that could be chance, dropped one at a time."""
    limits = list(box.limits)
    is_out = left_out(box, box.limits, inputs)
    while limits:
        chance = chances(is_out, is_case)
        worst = int(np.argmax(chance))
        if chance[worst] * 2 * inputs.shape[1] <= how.level:
            break
        box = box.with_limit(limits[worst], math.inf if limits[worst][1] else -math.inf)
        del limits[worst]
        is_out = np.delete(is_out, worst, axis=1)
    return box


def paste(
    box: Box, inputs: NDArray[np.float64], is_case: NDArray[np.bool_], how: Peeling = USUAL
) -> Box:
    """A box widened, a share `alpha` at a time, while its density rises."""
    density = fit(box, inputs, is_case).density
    while True:
        wider = [_widened(box, limit, inputs, how.alpha) for limit in box.limits]
        densities = [fit(each, inputs, is_case).density for each in wider]
        if not densities or not max(densities) > density:
            return box
        density = max(densities)
        box = wider[densities.index(density)]


def _widened(box: Box, limit: Limit, inputs: NDArray[np.float64], alpha: float) -> Box:
    column, side = limit
    open_ended = box.with_limit(limit, math.inf if side else -math.inf)
    sign = -1.0 if side else 1.0
    values = sign * inputs[open_ended.holds(inputs), column]
    end = sign * box.value(limit)
    n_more = max(1, math.floor(alpha * (values >= end).sum()))
    beyond = np.sort(values[values < end])[::-1]
    if len(beyond) <= n_more:
        return open_ended
    value = sign * _between(float(beyond[n_more]), float(beyond[n_more - 1]))
    return box.with_limit(limit, value)


def find(inputs: NDArray[np.float64], is_case: NDArray[np.bool_], how: Peeling = USUAL) -> Peeled:
    """Peel, choose a box of the trajectory, and paste.

    Every box of the trajectory is first freed of the limits that could be chance
    (`simplify`), and so is every box that is peeled in one column alone, as what matters
    can be lost among cuts that do not. Chosen is then the one with the most cases beyond
    those its mass would hold at the density of all rows: one more peel would cut off rows
    in which cases are commoner than overall, so that it costs more coverage than it gains
    in density. Peeling goes on from there until nothing is gained.
    """
    columns, n_columns = screen(inputs, is_case, how.most_columns), inputs.shape[1]
    how = dataclasses.replace(how, level=how.level * len(columns) / n_columns)
    found = _find(inputs[:, columns], is_case, how)
    return Peeled(
        _placed(found.box, columns, n_columns),
        tuple(_placed(box, columns, n_columns) for box in found.trajectory),
    )


def screen(inputs: NDArray[np.float64], is_case: NDArray[np.bool_], most: int) -> NDArray[np.intp]:
    """The columns, `most` at most, in which cases differ most from other rows.

    The distance is that of Kolmogorov and Smirnov between both distributions.
    """
    n_columns, n_cases = inputs.shape[1], int(is_case.sum())
    if n_columns <= most or not 0 < n_cases < len(is_case):
        return np.arange(min(n_columns, most))
    order = np.argsort(inputs, axis=0, kind="stable")
    ranked = np.take_along_axis(inputs, order, axis=0)
    steps = np.where(is_case[order], 1.0 / n_cases, -1.0 / (len(is_case) - n_cases))
    apart = np.abs(np.cumsum(steps, axis=0))[:-1]
    distance = np.where(ranked[1:] > ranked[:-1], apart, 0.0).max(axis=0)
    return np.sort(np.argsort(-distance, kind="stable")[:most])


def _placed(box: Box, columns: NDArray[np.intp], n_columns: int) -> Box:
    """A box of some columns as one of all."""
    low, high = np.full(n_columns, -math.inf), np.full(n_columns, math.inf)
    low[columns], high[columns] = box.low, box.high
    return Box(tuple(low.tolist()), tuple(high.tolist()))


def _find(inputs: NDArray[np.float64], is_case: NDArray[np.bool_], how: Peeling) -> Peeled:
    trajectory = boxes = peel(inputs, is_case, how)
    best, most = trajectory[0], 0.0
    while True:
        # What matters can be lost among cuts that do not: so each column alone, too.
        for column in range(inputs.shape[1]):
            boxes += peel(inputs, is_case, how, start=best, columns=[column])
        simple = dict.fromkeys(simplify(box, inputs, is_case, how) for box in boxes)
        gains = [_beyond_chance(box, inputs, is_case) for box in simple]
        if not max(gains) > most + 1e-9:
            break
        most = max(gains)
        best = list(simple)[gains.index(most)]
        boxes = peel(inputs, is_case, how, start=best)
    return Peeled(paste(best, inputs, is_case, how) if best.limits else best, trajectory)


def _beyond_chance(box: Box, inputs: NDArray[np.float64], is_case: NDArray[np.bool_]) -> float:
    fitted = fit(box, inputs, is_case)
    return fitted.n_cases - float(is_case.mean()) * fitted.n_inside


def cover(
    inputs: NDArray[np.float64],
    is_case: NDArray[np.bool_],
    *,
    max_boxes: int = 3,
    how: Peeling = USUAL,
) -> tuple[Peeled, ...]:
    """Find boxes one after the other, each among the rows outside of those before it.

    The first is returned in any case, others only if they have a limit.
    """
    found: list[Peeled] = []
    while len(found) < max_boxes and len(inputs):
        each = find(inputs, is_case, how)
        if found and not each.box.limits:
            break
        found.append(each)
        if not each.box.limits:
            break
        outside = ~each.box.holds(inputs)
        inputs, is_case = inputs[outside], is_case[outside]
    return tuple(found)
