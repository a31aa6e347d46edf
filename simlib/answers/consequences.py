"""What follows: outcomes under each ending, and what options change."""

from __future__ import annotations

import math
from itertools import combinations
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from simlib.analysis.comparison.paired_effects import Subject, effect_of
from simlib.answers.statements import FEWEST, Statement, likely, shown
from simlib.scenario.wording import AS_WRITTEN
from simlib.statistics.formatting import estimate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simlib.analysis.comparison.paired_effects import PairedEffect
    from simlib.answers.statements import Histories
    from simlib.statistics.summaries import Summary

FOLLOWS = "What follows"
CHANGES = "What options change against"


def by_ending(histories: Histories) -> Iterator[Statement]:
    """What follows under each ending that came about often enough, where that differs at all.

    Endings are those that came about by themselves: differences between them are of the
    histories that end so, not effects of the ending.
    """
    question = histories.question
    often = [name for name in histories.classes if histories.ends_in(name).sum() >= FEWEST]
    few = [
        f"{histories.ending(name)} {n:,}"
        for name in histories.classes
        if 0 < (n := int(histories.ends_in(name).sum())) < FEWEST
    ]
    for outcome in question.follows:
        found = {name: histories.summary(outcome, histories.ends_in(name)) for name in often}
        text = _told(histories, outcome, found, len(question.follows))
        yield Statement(text, (question.outcome, outcome), FOLLOWS)
    if question.follows and len(often) > 1:
        text = "Endings came about by themselves: what differs between them is not their effect."
        yield Statement(text, (question.outcome,), FOLLOWS)
    if question.follows and few:
        text = f"Too few histories to tell of an ending (n below {FEWEST}): {', '.join(few)}."
        yield Statement(text, (question.outcome,), FOLLOWS)


def _told(histories: Histories, outcome: str, found: dict[str, Summary], n_outcomes: int) -> str:
    """One outcome: by ending where two of these differ beyond chance, else over all."""
    label = histories.label(outcome)
    if _differ(list(found.values()), n_outcomes):
        parts = [
            f"{histories.ending(name)} {shown(each)} (n = {each.n:,})"
            for name, each in found.items()
        ]
        return f"{label}, by ending: {'; '.join(parts)}."
    overall = histories.summary(outcome)
    if not overall.n:
        return f"{label}: not settled in any history."
    text = likely(overall) if overall.kind != "number" else f"{shown(overall)}, n = {overall.n:,}"
    same = ", no difference between endings beyond chance" if len(found) > 1 else ""
    return f"{label}: {text}{same}."


def _differ(found: Sequence[Summary], n_outcomes: int) -> bool:
    """Whether two of several means differ beyond what chance gives the largest of so many.

    Bonferroni's bound over all pairs and outcomes: 1 in 20 over everything that is told.
    """
    known = [each for each in found if each.n >= FEWEST and math.isfinite(each.mc_error)]
    pairs = list(combinations(known, 2))
    if not pairs:
        return False
    z = NormalDist().inv_cdf(1.0 - 0.05 / (2.0 * len(pairs) * n_outcomes))
    return any(
        abs(one.mean - other.mean) > z * math.hypot(one.mc_error, other.mc_error)
        for one, other in pairs
    )


def by_option(base: Histories, other: Histories) -> Iterator[Statement]:
    """What an option changes against another, replication by replication on the same luck."""
    effects = {name: _effect(base, other, name) for name in base.question.follows}
    topic = f"{CHANGES} {base.option or AS_WRITTEN}"
    name_of = other.option or AS_WRITTEN
    for name, effect in effects.items():
        if effect.n >= FEWEST and effect.is_clear:
            text = f"{name_of}: {base.label(name)}: {_change(effect)}, n = {effect.n:,} pairs."
            yield Statement(text, (name,), topic)
    unclear = [name for name, effect in effects.items() if not effect.is_clear]
    if unclear:
        labels = "; ".join(map(base.label, unclear))
        n = min(effects[name].n for name in unclear)
        text = f"{name_of}: no change beyond chance (n = {n:,} pairs) in: {labels}."
        yield Statement(text, tuple(unclear), topic)


def _effect(base: Histories, other: Histories, outcome: str) -> PairedEffect:
    about = base.about(outcome)
    _, mine, theirs = np.intersect1d(
        base.part.replications, other.part.replications, return_indices=True
    )
    subject = Subject(other.option, outcome, "", about["kind"], about["unit"])
    values = base.part.values(outcome)[mine], other.part.values(outcome)[theirs]
    blocks = base.blocks
    return effect_of(subject, *values, blocks=None if blocks is None else blocks[mine])


def _change(effect: PairedEffect) -> str:
    """An effect in its unit; of a probability in percentage points."""
    is_number = effect.kind == "number"
    scale, unit = (1.0, effect.unit) if is_number else (100.0, "percentage points")
    values = (scale * x for x in (effect.effect, effect.low, effect.high))
    return f"{estimate(*values, is_signed=True)} {unit}".rstrip()
