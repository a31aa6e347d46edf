"""What scenario discovery found: boxes with their limits, a tree, tables and sentences."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from simlib.analysis.discovery.prim import SHARES, Box, BoxFit, Limit, fit, quasi_p
from simlib.finding import Finding, plot_room
from simlib.scenario.spelling import words
from simlib.statistics.formatting import number, percent
from simlib.statistics.intervals import wilson

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd
    from matplotlib.axes import Axes

    from simlib.analysis.discovery.prim import Rows
    from simlib.analysis.discovery.trees import Tree

_SIDES = ("at_least", "at_most")
_SIGNS = {"at_least": ">=", "at_most": "<="}
_UNITLESS = {"", "1", "share", "probability"}


@dataclass(frozen=True, slots=True)
class LimitStability:
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
    stability: LimitStability

    @property
    def shown(self) -> str:
        """The limit as text."""
        return f"{words(self.parameter)} {self.bound}"

    @property
    def bound(self) -> str:
        """The same without its parameter."""
        unit = "" if self.unit in _UNITLESS else f" {self.unit.partition(',')[0]}"
        return f"{_SIGNS[self.side]} {number(self.value)}{unit}"

    def sentence(self) -> str:
        """Say how likely chance sets this limit, and how often resamples do."""
        text = (
            f"  {self.shown} ({percent(self.share_below)} of draws are below): quasi-p "
            f"{_chance(self.quasi_p)}, on the other half {_chance(self.p_held_out)}"
        )
        seen = self.stability
        if not math.isnan(seen.share):
            text += f"; restricted in {100 * seen.share:.0f} % of resamples"
            if seen.share:
                text += f", 8 of 10 of them between {number(seen.low)} and {number(seen.high)}"
        return f"{text}."

    def row(self) -> dict[str, Any]:
        """The limit as columns of a table."""
        return {
            "parameter": self.parameter,
            "side": self.side,
            "limit": self.value,
            "unit": self.unit,
            "share_of_draws_below": self.share_below,
            "quasi_p": self.quasi_p,
            "p_held_out": self.p_held_out,
            "restricted_share": self.stability.share,
            "limit_q10": self.stability.low,
            "limit_q90": self.stability.high,
        }


@dataclass(frozen=True, slots=True)
class FoundBox:
    """A box with its limits, and how it fits the half it was peeled from and the other.

    Of several boxes each counts only the replications outside of those before it, so that
    their coverage adds up.
    """

    box: Box
    limits: tuple[FoundLimit, ...]
    training: BoxFit
    held_out: BoxFit
    stability: dict[Limit, LimitStability]
    """Of every limit that a resample set, also those that this box does not have."""

    def row(self, i: int) -> dict[str, Any]:
        """The box as columns of a table, numbered."""
        return {"box": i} | self.training.row("") | self.held_out.row("_held_out")


@dataclass(frozen=True, slots=True)
class DrawnCases:
    """Drawn parameters of replications, and which of these meet the condition, by halves.

    Attributes
    ----------
    names, units
        Of the parameters.
    training, held_out
        Inputs, shape (n, n_parameters), and whether the condition is met, shape (n,), of
        the half that is looked at and of the other.
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    training: Rows
    held_out: Rows

    def outside(self, box: Box) -> DrawnCases:
        """The replications of either half that lie outside of a box."""
        training, held_out = (
            (inputs[is_out], is_case[is_out])
            for inputs, is_case in (self.training, self.held_out)
            for is_out in [~box.holds(inputs)]
        )
        return DrawnCases(self.names, self.units, training, held_out)

    def found(self, box: Box, stability: dict[Limit, LimitStability], of: DrawnCases) -> FoundBox:
        """A box with all that is told of it; coverage and mass are shares of all, `of`."""
        return FoundBox(
            box=box,
            limits=tuple(self._limits(box, stability)),
            training=_fit_of_all(box, self.training, of.training),
            held_out=_fit_of_all(box, self.held_out, of.held_out),
            stability=stability,
        )

    def _limits(self, box: Box, stability: dict[Limit, LimitStability]) -> Iterator[FoundLimit]:
        chances, others = quasi_p(box, *self.training), quasi_p(box, *self.held_out)
        never = LimitStability(0.0 if stability else math.nan, math.nan, math.nan)
        for limit in box.limits:
            (column, side), value = limit, box.value(limit)
            below = [half[0][:, column] < value for half in (self.training, self.held_out)]
            yield FoundLimit(
                parameter=self.names[column],
                unit=self.units[column],
                side=_SIDES[side],
                value=value,
                share_below=sum(int(b.sum()) for b in below) / max(1, sum(map(len, below))),
                quasi_p=chances[limit],
                p_held_out=others[limit],
                stability=stability.get(limit, never),
            )


def _fit_of_all(box: Box, rest: Rows, everyone: Rows) -> BoxFit:
    fitted = fit(box, *rest)
    coverage, mass = fitted.n_cases / int(everyone[1].sum()), fitted.n_inside / len(everyone[1])
    return dataclasses.replace(fitted, coverage=coverage, mass=mass)


@dataclass(frozen=True, slots=True)
class Discovery(Finding):
    """Boxes and a tree over drawn parameters for a condition on an outcome.

    Attributes
    ----------
    condition
        As it was understood.
    n_unsettled
        Replications left out, because the outcome is not settled in them.
    drawn
        The parameters looked at, and which replications meet the condition.
    n_peeled
        How many parameters peeling saw: those that differ most between cases and others.
    trajectory
        The boxes peeled for the first box, from the whole on.
    boxes
        The boxes chosen; the first has no limit where nothing was found.
    """

    stem: ClassVar[str] = "boxes"

    condition: str
    n_unsettled: int
    drawn: DrawnCases
    n_peeled: int
    trajectory: tuple[Box, ...]
    boxes: tuple[FoundBox, ...]
    n_resamples: int
    tree: Tree

    @property
    def base_rate(self) -> float:
        """Share of the held-out replications that meet the condition, 0-1."""
        return float(self.drawn.held_out[1].mean())

    @property
    def is_found(self) -> bool:
        """Whether the first box has a limit and is denser than overall on the other half."""
        return bool(self.boxes[0].limits) and self._is_denser(self.boxes[0].held_out)

    def _is_denser(self, fitted: BoxFit) -> bool:
        """Whether the 95 % interval of a density (Wilson) lies above the overall share."""
        return wilson(fitted.n_cases, fitted.n_inside)[0] > self.base_rate

    def box(self, at: int | None = None) -> FoundBox:
        """The first box chosen, or any box of the trajectory, as it was peeled.

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
        return self.drawn.found(self.trajectory[at], self.boxes[0].stability, of=self.drawn)

    def table(self) -> pd.DataFrame:
        """The boxes: a row for each limit; shares are 0-1."""
        import pandas as pd

        rows = [
            each.row(i) | limit.row()
            for i, each in enumerate(self.boxes, start=1)
            for limit in each.limits
        ]
        return pd.DataFrame(rows, columns=[*self.boxes[0].row(1), *_NO_LIMIT.row()])

    def trajectory_table(self) -> pd.DataFrame:
        """The boxes peeled for the first box: a row each, on both halves."""
        import pandas as pd

        training, held_out = self.drawn.training, self.drawn.held_out
        names = (*SHARES, "n_inside")
        rows = [
            {"at": step, "n_restricted": len(box.columns)}
            | fit(box, *training).row("", names)
            | fit(box, *held_out).row("_held_out", names)
            for step, box in enumerate(self.trajectory)
        ]
        return pd.DataFrame(rows)

    def stability_table(self) -> pd.DataFrame:
        """Every limit that a resample of the first box set, the most frequent first."""
        import pandas as pd

        names = ["parameter", "unit", "side", "restricted_share", "limit_q10", "limit_q90"]
        drawn, stability = self.drawn, self.boxes[0].stability
        ranked = sorted(stability.items(), key=lambda item: -item[1].share)
        rows = [
            (drawn.names[column], drawn.units[column], _SIDES[side], *dataclasses.astuple(seen))
            for (column, side), seen in ranked
        ]
        return pd.DataFrame(rows, columns=names)

    def tree_table(self) -> pd.DataFrame:
        """The leaves of the tree as rules: a row each, densest first, on both halves."""
        import pandas as pd

        rows = [
            {"rule": self._rule(leaf.box)}
            | leaf.training.row("")
            | leaf.held_out.row("_held_out", ("coverage", "density", "n_inside"))
            for leaf in self.tree.leaves
        ]
        return pd.DataFrame(rows)

    def _rule(self, box: Box) -> str:
        signs = (">", "<=")
        parts = [
            f"{self.drawn.names[column]} {signs[side]} {number(box.value((column, side)))}"
            for column, side in box.limits
        ]
        return " and ".join(parts) or "(all)"

    def brief(self) -> pd.DataFrame:
        """The leaves of the tree."""
        return self.tree_table()

    def briefs(self) -> dict[str, pd.DataFrame]:
        """The leaves of the tree, under their title."""
        return {"leaves of the tree": self.brief()}

    def tables(self) -> dict[str, pd.DataFrame]:
        """Boxes, trajectory, stability over resamples, and the tree."""
        return {
            "boxes": self.table(),
            "trajectory": self.trajectory_table(),
            "stability": self.stability_table(),
            "tree": self.tree_table(),
        }

    def figures(self) -> dict[str, Callable[[], Axes]]:
        """The boxes peeled, and the limits of the first one where there are any."""
        drawn = {"peeling": lambda: plot_room().peeling(self)}
        if self.boxes[0].limits:
            drawn["box"] = lambda: plot_room().box(self)
        return drawn

    def sentences(self) -> list[str]:
        """Say what was found: how sure, on which replications, and what it is not."""
        lines = [self._on_cases(), self._on_halves()]
        if not self.boxes[0].limits:
            lines.append(
                "Boxes: nothing found. No range of a drawn parameter goes with the condition more "
                f"than chance would show among {len(self.drawn.names)} of them."
            )
        for i, box in enumerate(self.boxes, start=1):
            if box.limits:
                lines += [self._on_box(box, i), *(limit.sentence() for limit in box.limits)]
        if not self.boxes[0].limits:
            lines += self._on_resamples()
        lines.append(self._on_tree())
        lines.append(
            "A box says which draws go with the condition in this model. Its density on the other "
            "half is a fair estimate; on the half it was peeled from it is too high."
        )
        return lines

    def _on_cases(self) -> str:
        halves = self.drawn.training[1], self.drawn.held_out[1]
        n, n_cases = sum(map(len, halves)), int(sum(half.sum() for half in halves))
        text = (
            f"{self.condition}: met in {n_cases:,} of {n:,} replications ({percent(n_cases / n)})"
        )
        if self.n_unsettled:
            text += f"; {self.n_unsettled:,} others are not settled and left out"
        return f"{text}."

    def _on_halves(self) -> str:
        text = (
            f"Found on {len(self.drawn.training[1]):,} replications, judged on the other "
            f"{len(self.drawn.held_out[1]):,}; {len(self.drawn.names):,} drawn parameters"
        )
        if self.n_peeled < len(self.drawn.names):
            text += f", of which the {self.n_peeled} that differ most are peeled"
        return f"{text}."

    def _on_box(self, box: FoundBox, i: int) -> str:
        rule, fitted = " and ".join(limit.shown for limit in box.limits), box.held_out
        text = (
            f"Box {i}: {rule}. Density {_with_interval(fitted)} against {percent(self.base_rate)} "
            f"overall, coverage {percent(fitted.coverage)} with {percent(fitted.mass)} of the "
            f"replications (where it was peeled: density {percent(box.training.density)}, "
            f"coverage {percent(box.training.coverage)})."
        )
        if not self._is_denser(fitted):
            text += " Nothing that lasts: on the other half it may well be no denser than overall."
        return text

    def _on_resamples(self) -> list[str]:
        """Say which limit resamples set most often, where none passes for more than chance."""
        if not self.n_resamples:
            return []
        stability = self.boxes[0].stability
        if not stability:
            return [f"  Restricted in 0 % of {self.n_resamples} resamples: no parameter."]
        (column, side), seen = max(stability.items(), key=lambda item: item[1].share)
        name, end = words(self.drawn.names[column]), ("below", "above")[side]
        often = f"restricted in {100 * seen.share:.0f} % of them"
        return [f"  The most frequent limit over resamples, {name} from {end}, is {often}."]

    def _on_tree(self) -> str:
        if not self.tree.depth:
            return "Tree: none predicts better than the overall share (cross-validated)."
        leaf = self.tree.leaves[0]
        return (
            f"Tree of depth {self.tree.depth} (cross-validated), {len(self.tree.leaves)} leaves; "
            f"the densest: {words(self._rule(leaf.box))}. "
            f"Density {_with_interval(leaf.held_out)} on the other half, "
            f"coverage {percent(leaf.held_out.coverage)}."
        )


_NO_LIMIT = FoundLimit(
    *("", "", "at_least", math.nan, math.nan, math.nan, math.nan),
    LimitStability(math.nan, math.nan, math.nan),
)


def _with_interval(fitted: BoxFit) -> str:
    low, high = wilson(fitted.n_cases, fitted.n_inside)
    return f"{percent(fitted.density)} ({percent(low)} to {percent(high)})"


def _chance(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3f}"
