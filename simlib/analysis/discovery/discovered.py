"""What scenario discovery found: boxes with their limits, a tree, tables and sentences."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simlib.analysis.discovery.boxes import Box, Fit, Limit, fit, quasi_p
from simlib.statistics.formatting import number
from simlib.statistics.intervals import wilson

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from simlib.analysis.discovery.trees import Tree

    Rows = tuple[NDArray[np.float64], NDArray[np.bool_]]
    """Inputs, shape (n, n_columns), and whether each row is a case, shape (n,)."""

_SIGNS = {"at_least": ">=", "at_most": "<="}
_UNITLESS = {"", "1", "share", "probability"}


@dataclass(frozen=True, slots=True)
class Spread:
    """A limit over resamples.

    Attributes
    ----------
    share
        Share of resamples that set it, 0-1; nan where there was no resample.
    low, high
        10 and 90 % quantiles of where they set it; nan where none did.
    """

    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class FoundLimit:
    """One limit of a box.

    Attributes
    ----------
    side
        ``at_least`` or ``at_most``.
    share_below
        Share of all draws below the limit, 0-1.
    quasi_p
        Quasi-p-value on the half the box was peeled from (Bryant and Lempert 2010).
    p_held_out
        The same on the other half, where it is a p-value.
    """

    parameter: str
    unit: str
    side: str
    value: float
    share_below: float
    quasi_p: float
    p_held_out: float
    spread: Spread

    @property
    def shown(self) -> str:
        """The limit as text."""
        unit = "" if self.unit in _UNITLESS else f" {self.unit.partition(',')[0]}"
        return f"{self.parameter} {_SIGNS[self.side]} {number(self.value)}{unit}"


@dataclass(frozen=True, slots=True)
class FoundBox:
    """A box with its limits, and how it fits the half it was peeled from and the other.

    Of several boxes each counts only the replications outside of those before it, so that
    their coverage adds up.
    """

    box: Box
    limits: tuple[FoundLimit, ...]
    training: Fit
    held_out: Fit
    spreads: dict[Limit, Spread]
    """Of every limit that a resample set, also those that this box does not have."""


@dataclass(frozen=True, slots=True)
class Named:
    """Names and units of the columns of the inputs."""

    names: tuple[str, ...]
    units: tuple[str, ...]


def found_limits(
    box: Box, named: Named, halves: tuple[Rows, Rows], spreads: dict[Limit, Spread]
) -> tuple[FoundLimit, ...]:
    """Return the limits of a box with all that is told of them.

    Parameters
    ----------
    box
        The box.
    named
        Names and units of the inputs.
    halves
        Inputs and cases of the half it was peeled from and of the other.
    spreads
        The limits that resamples set.
    """
    chances, others = quasi_p(box, *halves[0]), quasi_p(box, *halves[1])
    nowhere = Spread(0.0 if spreads else math.nan, math.nan, math.nan)
    found = []
    for limit in box.limits:
        (column, side), value = limit, box.value(limit)
        below = [half[0][:, column] < value for half in halves]
        found.append(
            FoundLimit(
                parameter=named.names[column],
                unit=named.units[column],
                side=("at_least", "at_most")[side],
                value=value,
                share_below=sum(int(b.sum()) for b in below) / max(1, sum(map(len, below))),
                quasi_p=chances[limit],
                p_held_out=others[limit],
                spread=spreads.get(limit, nowhere),
            )
        )
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Discovery:
    """Boxes and a tree over drawn parameters for a condition on an outcome.

    Attributes
    ----------
    condition
        As it was understood.
    n_unsettled
        Replications left out, because the outcome is not settled in them.
    parameters, units
        The drawn parameters looked at.
    n_peeled
        How many of them peeling saw: those that differ most between cases and others.
    training, held_out
        Inputs, shape (n, n_parameters), and whether the condition is met, shape (n,), of
        the half that was looked at and of the other.
    trajectory
        The boxes peeled for the first box, from the whole on.
    boxes
        The boxes chosen; the first has no limit where nothing was found.
    """

    condition: str
    n_unsettled: int
    parameters: tuple[str, ...]
    units: tuple[str, ...]
    n_peeled: int
    training: Rows
    held_out: Rows
    trajectory: tuple[Box, ...]
    boxes: tuple[FoundBox, ...]
    n_resamples: int
    tree: Tree

    @property
    def base_rate(self) -> float:
        """Share of the held-out replications that meet the condition, 0-1."""
        return float(self.held_out[1].mean())

    @property
    def is_found(self) -> bool:
        """Whether the first box has a limit and is denser than overall on the other half.

        Denser: the 95 % interval of its density (Wilson) lies above the overall share.
        """
        return bool(self.boxes[0].limits) and self._is_denser(self.boxes[0].held_out)

    def _is_denser(self, fitted: Fit) -> bool:
        return wilson(fitted.n_cases, fitted.n_inside)[0] > self.base_rate

    def box(self, at: int | None = None) -> FoundBox:
        """Return the first box chosen, or any box of the trajectory, as it was peeled.

        Parameters
        ----------
        at
            Row of `trajectory_table`, from 0 on; the box chosen when not given.

        Raises
        ------
        IndexError
            There is no such row.
        """
        if at is None:
            return self.boxes[0]
        if not 0 <= at < len(self.trajectory):
            raise IndexError(f"the trajectory has rows 0 to {len(self.trajectory) - 1} (got {at})")
        box, spreads = self.trajectory[at], self.boxes[0].spreads
        named = Named(self.parameters, self.units)
        limits = found_limits(box, named, (self.training, self.held_out), spreads)
        return FoundBox(box, limits, fit(box, *self.training), fit(box, *self.held_out), spreads)

    def table(self) -> pd.DataFrame:
        """Return the boxes: a row for each limit; shares are 0-1."""
        import pandas as pd

        rows = [
            _box_columns(i, each) | _limit_columns(limit)
            for i, each in enumerate(self.boxes, start=1)
            for limit in each.limits
        ]
        empty = _limit_columns(_NO_LIMIT)
        return pd.DataFrame(rows, columns=[*_box_columns(1, self.boxes[0]), *empty])

    def trajectory_table(self) -> pd.DataFrame:
        """Return the boxes peeled for the first box: a row each, on both halves."""
        import pandas as pd

        rows = []
        for step, box in enumerate(self.trajectory):
            halves = {"": fit(box, *self.training), "_held_out": fit(box, *self.held_out)}
            row: dict[str, Any] = {"at": step, "n_restricted": len(box.columns)}
            for half, fitted in halves.items():
                row |= {
                    f"coverage{half}": fitted.coverage,
                    f"density{half}": fitted.density,
                    f"mass{half}": fitted.mass,
                    f"n_inside{half}": fitted.n_inside,
                }
            rows.append(row)
        return pd.DataFrame(rows)

    def stability_table(self) -> pd.DataFrame:
        """Return every limit that a resample of the first box set, the most frequent first."""
        import pandas as pd

        names = ("parameter", "unit", "side", "restricted_share", "limit_q10", "limit_q90")
        spreads = sorted(self.boxes[0].spreads.items(), key=lambda item: -item[1].share)
        rows = [
            (
                self.parameters[column],
                self.units[column],
                ("at_least", "at_most")[side],
                spread.share,
                spread.low,
                spread.high,
            )
            for (column, side), spread in spreads
        ]
        return pd.DataFrame(rows, columns=list(names))

    def tree_table(self) -> pd.DataFrame:
        """Return the leaves of the tree as rules: a row each, densest first, on both halves."""
        import pandas as pd

        rows = [
            {
                "rule": " and ".join(self._rule(leaf.box)) or "(all)",
                "coverage": leaf.training.coverage,
                "density": leaf.training.density,
                "mass": leaf.training.mass,
                "coverage_held_out": leaf.held_out.coverage,
                "density_held_out": leaf.held_out.density,
                "n_inside_held_out": leaf.held_out.n_inside,
            }
            for leaf in self.tree.leaves
        ]
        return pd.DataFrame(rows)

    def _rule(self, box: Box) -> list[str]:
        signs = (">", "<=")
        return [
            f"{self.parameters[column]} {signs[side]} {number(box.value((column, side)))}"
            for column, side in box.limits
        ]

    def sentences(self) -> list[str]:
        """Return what was found, in words."""
        from simlib.analysis.discovery.discovery_words import discovery_sentences

        return discovery_sentences(self)


_NO_LIMIT = FoundLimit(
    "", "", "at_least", math.nan, math.nan, math.nan, math.nan, Spread(math.nan, math.nan, math.nan)
)


def _box_columns(i: int, found: FoundBox) -> dict[str, Any]:
    return {
        "box": i,
        "coverage": found.training.coverage,
        "density": found.training.density,
        "mass": found.training.mass,
        "coverage_held_out": found.held_out.coverage,
        "density_held_out": found.held_out.density,
        "mass_held_out": found.held_out.mass,
    }


def _limit_columns(limit: FoundLimit) -> dict[str, Any]:
    return {
        "parameter": limit.parameter,
        "side": limit.side,
        "limit": limit.value,
        "unit": limit.unit,
        "share_of_draws_below": limit.share_below,
        "quasi_p": limit.quasi_p,
        "p_held_out": limit.p_held_out,
        "restricted_share": limit.spread.share,
        "limit_q10": limit.spread.low,
        "limit_q90": limit.spread.high,
    }
