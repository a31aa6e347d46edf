"""Boxes: limits on columns of inputs, how a box fits cases, and which limits could be chance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import bdtrc

if TYPE_CHECKING:
    from numpy.typing import NDArray

Limit = tuple[int, int]
"""A column of the inputs, and which end is limited: 0 from below, 1 from above."""


@dataclass(frozen=True, slots=True)
class Box:
    """A box: least and greatest value of each column; infinite where there is no limit."""

    low: tuple[float, ...]
    high: tuple[float, ...]

    @classmethod
    def whole(cls, n_columns: int) -> Box:
        """Return the box without limits."""
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
        """Return where a limit is."""
        column, side = limit
        return (self.low, self.high)[side][column]

    def with_limit(self, limit: Limit, value: float) -> Box:
        """Return the box with one limit set; an infinite value lifts it."""
        column, side = limit
        ends = [list(self.low), list(self.high)]
        ends[side][column] = value
        return Box(tuple(ends[0]), tuple(ends[1]))

    def holds(self, inputs: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return which rows of the inputs, shape (n, n_columns), lie inside."""
        inside = np.ones(len(inputs), dtype=np.bool_)
        for limit in self.limits:
            inside &= keeps(inputs, limit, self.value(limit))
        return inside


@dataclass(frozen=True, slots=True)
class Fit:
    """How a box fits cases: coverage, density and mass are shares, 0-1.

    Attributes
    ----------
    coverage
        Share of all cases that lie inside.
    density
        Share of the rows inside that are cases; nan where no row is inside.
    mass
        Share of all rows that lie inside.
    n_inside, n_cases, n_restricted
        Rows inside (the support), cases among them, columns restricted.
    """

    coverage: float
    density: float
    mass: float
    n_inside: int
    n_cases: int
    n_restricted: int


def fit(box: Box, inputs: NDArray[np.float64], is_case: NDArray[np.bool_]) -> Fit:
    """Return how a box fits cases.

    Parameters
    ----------
    box
        The box.
    inputs
        Shape (n, n_columns).
    is_case
        Shape (n,).
    """
    inside = box.holds(inputs)
    n_inside, n_cases = int(inside.sum()), int((inside & is_case).sum())
    n_all = int(is_case.sum())
    return Fit(
        coverage=n_cases / n_all if n_all else math.nan,
        density=n_cases / n_inside if n_inside else math.nan,
        mass=n_inside / len(inputs) if len(inputs) else math.nan,
        n_inside=n_inside,
        n_cases=n_cases,
        n_restricted=len(box.columns),
    )


def keeps(inputs: NDArray[np.float64], limit: Limit, value: float) -> NDArray[np.bool_]:
    """Return which rows of the inputs a limit keeps."""
    column, side = limit
    kept: NDArray[np.bool_] = inputs[:, column] <= value if side else inputs[:, column] >= value
    return kept


def quasi_p(
    box: Box, inputs: NDArray[np.float64], is_case: NDArray[np.bool_]
) -> dict[Limit, float]:
    """Return the quasi-p-value of each limit of a box (Bryant and Lempert 2010).

    The probability of so many cases among the rows inside, or more, if each were a case
    with the density of the box without that limit (binomial). Quasi, because on the rows a
    box was peeled from it knows nothing of the search; on other rows it is a p-value.

    Parameters
    ----------
    box
        The box.
    inputs
        Shape (n, n_columns).
    is_case
        Shape (n,).
    """
    limits = box.limits
    is_out = left_out(box, limits, inputs)
    return dict(zip(limits, chances(is_out, is_case).tolist(), strict=True))


def left_out(box: Box, limits: tuple[Limit, ...], inputs: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which rows each limit leaves out, shape (n, n_limits)."""
    is_out = np.zeros((len(inputs), len(limits)), dtype=np.bool_)
    for i, limit in enumerate(limits):
        is_out[:, i] = ~keeps(inputs, limit, box.value(limit))
    return is_out


def chances(is_out: NDArray[np.bool_], is_case: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return quasi-p-values from what each limit leaves out, shape (n, n_limits)."""
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
