"""The effect on one outcome, and the share that each mediator carries, with an interval."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simlib.analysis.mediation.mediators import DECISIONS, NATIONAL, PARAMETERS
from simlib.statistics.formatting import number
from simlib.statistics.intervals import fieller
from simlib.statistics.summaries import of_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from simlib.analysis.mediation.path_description import Description
    from simlib.statistics.summaries import Summary

LEVELS = ("agent", "mechanism", "place")
_MOST_SHARES, _LEAST_PERCENT = 6, 5.0
"""Shares told in sentences: how many, and how small."""
_COUNTED = {"attacks", "incidents", "events", "strikes", "operations", "clashes", "deaths"}


@dataclass(frozen=True, slots=True)
class MediatedShare:
    """What a mediator carries of an effect: its mean Shapley value over the pairs.

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
    """Return the share of a mediator, from what it adds and the effect in each pair.

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
    """The effect on one outcome, or on one class of it, and what carries it.

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
    description
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
    description: Description

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

    def ranked(self, level: str) -> list[tuple[str, float, float, float]]:
        """Return paths summed by a level, largest net first: name, extra, missing, net."""
        sums: dict[str, tuple[float, float]] = {}
        for path in self.description.paths:
            extra, missing = sums.get(getattr(path, level), (0.0, 0.0))
            sums[getattr(path, level)] = extra + path.extra, missing + path.missing
        rows = [(name, extra, missing, extra - missing) for name, (extra, missing) in sums.items()]
        return sorted(rows, key=lambda row: (-abs(row[3]), -abs(row[1]) - abs(row[2])))

    def share_sentences(self, by: str) -> Iterator[str]:
        """Say what each mediator carries, the small ones together."""
        named = [
            s
            for s in self.shares
            if abs(s.percent) >= _LEAST_PERCENT or s.percent_low > 0 or s.percent_high < 0
        ][:_MOST_SHARES]
        for s in named:
            percent = f"{s.percent:.0f} % ({s.percent_low:.0f} to {s.percent_high:.0f})"
            if s.percent < 0.0:
                yield f"{percent}: {_through(s.group, by)} works the other way."
            else:
                yield f"{percent} of {self.what} through {_through(s.group, by)}."
        n_left = len(self.shares) - len(named)
        if n_left:
            rest = 100.0 - sum(s.percent for s in named)
            yield f"{rest:.0f} % through {n_left} other {by}{'s' if n_left > 1 else ''} together."

    def path_sentence(self) -> str:
        """Say who, through what and where most of the net difference leads back to."""
        extra = sum(path.extra for path in self.description.paths)
        missing = sum(path.missing for path in self.description.paths)
        parts = []
        for level in LEVELS:
            named = ", ".join(f"{name} {net:+,.3g}" for name, _, _, net in self.ranked(level)[:3])
            parts.append(f"by {level} {named}")
        return (
            f"{self.outcome}: {number(extra)} extra and {number(missing)} missing over all "
            f"pairs lead back, {'; '.join(parts)} (net)."
        )


def _through(group: str, by: str) -> str:
    known = {
        PARAMETERS: "the parameters that the options replace",
        NATIONAL: "what has no place",
        DECISIONS: "the decisions that are counted",
    }
    spelled = {"agent": f"what {group} does", "place": f"what is changed in {group}"}
    return known.get(group, spelled.get(by, group))


def mediated_effect(
    outcome: tuple[str, str, str],
    ends: tuple[NDArray[np.float64], NDArray[np.float64]],
    shares: NDArray[np.float64],
    groups: Sequence[str],
    *,
    blocks: NDArray[np.int32] | None,
    description: Description,
) -> MediatedEffect:
    """Sum up one outcome over the pairs in which all of it was observed.

    Parameters
    ----------
    outcome
        Its name, kind and unit, as `MediatedEffect` has them.
    ends
        The outcome under the baseline and under the counterfactual, shape (n,).
    shares
        Shapley values, shape (n, n_groups); they sum to the difference of the two.
    groups
        Names of the mediators.
    blocks
        Block of each pair, where errors are taken between blocks.
    description
        What differs, described.
    """
    name, kind, unit = outcome
    is_seen = ~(np.isnan(shares).any(axis=1) | np.isnan(ends[0]) | np.isnan(ends[1]))
    own = None if blocks is None else blocks[is_seen]
    before, after = (each[is_seen] for each in ends)
    effect = of_number(name, unit, after - before, len(is_seen), blocks=own)
    rows: list[MediatedShare] = []
    # A share of an effect that may be nothing has no meaning.
    if effect.low > 0.0 or effect.high < 0.0:
        added = {group: shares[is_seen, i] for i, group in enumerate(groups)}
        rows = [share_of(g, each, after - before, own) for g, each in added.items() if each.any()]
    return MediatedEffect(
        outcome=name,
        kind=kind,
        unit=unit,
        n=int(is_seen.sum()),
        before=float(before.mean()) if len(before) else math.nan,
        after=float(after.mean()) if len(after) else math.nan,
        effect=effect,
        is_same=bool((before == after).all()),
        shares=tuple(sorted(rows, key=lambda share: -abs(share.mean))),
        description=description,
    )
