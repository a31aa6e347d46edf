"""Where pairs of replications part: the first decision that is not the same under two options."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simlib.journal import to_date
from simlib.scenario.spelling import words

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from simlib.analysis.comparison.comparison import Comparison
    from simlib.ensemble import Ensemble

MOST_PAIRS = 500
"""Pairs that are looked at: the decisions of many more would fill the memory."""
MOST_PARTINGS = 6
"""Rows for each option; the rest is counted."""


class ComparedDecision(NamedTuple):
    """A decision, as far as two options can be told apart by it."""

    time: float
    agent: str
    name: str
    place: str
    taken: str


@dataclass(frozen=True, slots=True)
class Parting:
    """A decision at which pairs part first: how many, and the day in the middle of them."""

    agent: str
    decision: str
    n: int
    date: dt.date


@dataclass(frozen=True, slots=True)
class ShownPair:
    """A pair of replications that shows an effect, with its values under both options."""

    kind: str
    replication: int
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class PartedOption:
    """Where an option's pairs part from the baseline's, and which pairs show the effect."""

    option: str
    n: int
    n_same: int
    partings: tuple[Parting, ...]
    outcome: str
    pairs: tuple[ShownPair, ...]

    @property
    def n_others(self) -> int:
        """Pairs that part at decisions which are not listed."""
        return self.n - self.n_same - sum(each.n for each in self.partings)


def partings_of(comparison: Comparison, outcome: str) -> list[PartedOption]:
    """Find the first decision that differs in each pair of each option.

    Parameters
    ----------
    outcome
        A number, or ``OUTCOME.CLASS``: of it the pairs are shown.
    """
    baseline = comparison.ensemble.of(comparison.baseline)
    found = []
    for option in comparison.options:
        other = comparison.ensemble.of(option)
        both = baseline.outcomes.index.intersection(other.outcomes.index).tolist()[:MOST_PAIRS]
        before, after = (_steps_of(part, both) for part in (baseline, other))
        firsts = [_first_difference(before[k], after[k]) for k in both]
        seen = [first for first in firsts if first is not None]
        pairs = _shown_pairs(comparison, outcome, option)
        counted = _counted(seen)[:MOST_PARTINGS]
        found.append(
            PartedOption(option, len(both), len(both) - len(seen), tuple(counted), outcome, pairs)
        )
    return found


def _steps_of(ensemble: Ensemble, wanted: Sequence[int]) -> dict[int, list[ComparedDecision]]:
    found: dict[int, list[ComparedDecision]] = {replication: [] for replication in wanted}
    for part in ensemble.parts("decisions"):
        # Pieces come in the order of replications.
        if len(part) and part.index[0] > wanted[-1]:
            break
        names = ["time", "agent", "name", "place", "taken"]
        rows = part[names].fillna({"place": ""}).itertuples(index=True, name=None)
        for replication, *step in rows:
            if replication in found:
                found[replication].append(ComparedDecision(*step))
    return found


def _first_difference(
    one: list[ComparedDecision], other: list[ComparedDecision]
) -> ComparedDecision | None:
    """The earlier of the first two decisions that are not the same."""
    for before, after in zip(one, other, strict=False):
        if before != after:
            return min(before, after)
    longer = max(one, other, key=len)
    return None if len(one) == len(other) else longer[min(len(one), len(other))]


def _counted(firsts: list[ComparedDecision]) -> list[Parting]:
    counts = Counter((step.agent, step.name) for step in firsts)
    found = []
    for (agent, name), n in counts.most_common():
        times = [step.time for step in firsts if (step.agent, step.name) == (agent, name)]
        found.append(Parting(words(agent), words(name), n, to_date(float(np.median(times)))))
    return found


def _shown_pairs(comparison: Comparison, outcome: str, option: str) -> tuple[ShownPair, ...]:
    """The pair that is nearest to the mean difference, and the one that differs most."""
    before, after = comparison.pairs(outcome, option)
    one, other = (comparison.ensemble.of(o).outcomes.index for o in (comparison.baseline, option))
    index = one.intersection(other)
    is_seen = ~(np.isnan(before) | np.isnan(after))
    if not is_seen.any():
        return ()
    change = np.where(is_seen, after - before, np.nan)
    nearest = int(np.nanargmin(np.abs(change - np.nanmean(change))))
    most = int(np.nanargmax(np.abs(change)))
    return tuple(
        ShownPair(kind, int(index[i]), float(before[i]), float(after[i]))
        for kind, i in (("is nearest to the mean difference", nearest), ("differs most", most))
    )
