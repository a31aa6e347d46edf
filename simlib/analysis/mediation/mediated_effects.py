"""What is found of one outcome: its effect, and each group's share with an interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simlib.statistics.intervals import fieller
from simlib.statistics.summaries import of_number

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from simlib.analysis.mediation.path_description import Description
    from simlib.statistics.summaries import Summary

_COUNTED = {"attacks", "incidents", "events", "strikes", "operations", "clashes", "deaths"}


@dataclass(frozen=True, slots=True)
class MediatedShare:
    """What a group carries of an effect: its mean Shapley value over the pairs.

    Attributes
    ----------
    mean, mc_error, low, high
        In the unit of the outcome, with Monte Carlo error and 95 % interval.
    percent, percent_low, percent_high
        Of the effect; the interval is Fieller's, of a ratio of paired means.
    """

    group: str
    mean: float
    mc_error: float
    low: float
    high: float
    percent: float
    percent_low: float
    percent_high: float


def share_of(
    group: str,
    added: NDArray[np.float64],
    effects: NDArray[np.float64],
    blocks: NDArray[np.int32] | None = None,
) -> MediatedShare:
    """Return the share of a group, from what it adds and the effect in each pair.

    Parameters
    ----------
    added, effects
        Shape (n,).
    blocks
        Block of each pair, where errors are taken between blocks.
    """
    own = of_number(group, "", added, len(added), blocks=blocks)
    low, high = fieller(added, effects, blocks)
    percent = 100.0 * own.mean / float(effects.mean())
    ends = (100.0 * low, 100.0 * high)
    return MediatedShare(group, own.mean, own.mc_error, own.low, own.high, percent, *ends)


@dataclass(frozen=True, slots=True)
class MediatedEffect:
    """What is found of one outcome, or of one class of it.

    Attributes
    ----------
    outcome, kind, unit
        Its name, ``number`` or ``share`` (a probability), and its unit.
    n
        Pairs in which it was observed under both options and in all hybrids.
    before, after
        Means under the baseline and under the counterfactual.
    effect
        Mean of after less before, with error and interval.
    is_same
        Whether it is the same in every pair.
    shares
        Largest first; none where the interval of the effect includes 0.
    told
        What differs, described.
    """

    outcome: str
    kind: str
    unit: str
    n: int
    before: float
    after: float
    effect: Summary
    is_same: bool
    shares: tuple[MediatedShare, ...]
    told: Description

    @property
    def has_effect(self) -> bool:
        """Whether the interval of the effect excludes 0."""
        return self.effect.low > 0.0 or self.effect.high < 0.0

    @property
    def what(self) -> str:
        """What of the effect passes, in words."""
        is_more = self.effect.mean > 0.0
        if self.unit in _COUNTED:
            return f"the {'extra' if is_more else 'missing'} {self.unit} pass"
        return f"the {'rise' if is_more else 'fall'} passes"
