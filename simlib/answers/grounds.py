"""How much of an answer is judgement, which numbers it goes with, and what comes next."""

from __future__ import annotations

import math
from collections import Counter
from textwrap import shorten
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simlib.answers.statements import FEWEST, Statement, day, sentence
from simlib.journal import to_date
from simlib.scenario.register_rows import GRADES, grade_of
from simlib.scenario.spelling import words
from simlib.statistics.formatting import share
from simlib.statistics.intervals import rank_correlation_interval, wilson
from simlib.statistics.ranks import noise_floor, rank_correlations

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simlib.answers.statements import Flags, Floats, Histories

SURE = "How sure this is"
CHANGE = "What would change it"
MOST_DRAWS = 20_000
"""Replications whose parameters are looked at: tables of larger ensembles stay on disk."""
MOST_TOLD = 3
MOST_SAID = 240
"""Characters of what a file says of a number."""
WORTH_SEEING = 0.2
"""A rank correlation that a reader would want to know of."""


class Driver(NamedTuple):
    """A number that goes with the answer, with the interval of its rank correlation."""

    name: str
    grade: str
    rho: float
    low: float
    high: float

    def shown(self) -> str:
        """The number, its grade, and its correlation."""
        rho, low, high = (f"{x:+.2f}".replace("-", "\N{MINUS SIGN}") for x in self[2:])
        return f"{words(self.name)} ({self.grade}) {rho} ({low} to {high})"


def judgement(histories: Histories) -> Iterator[Statement]:
    """How many of the numbers that are drawn rest on judgement, and on what the others rest."""
    drawn = {n: p for n, p in histories.scenario.parameters.items() if p.distribution is not None}
    if not drawn:
        return
    grades = Counter(grade_of(name, parameter) for name, parameter in drawn.items())
    judged = grades.pop(GRADES["J"], 0)
    others = ", ".join(f"{n:,} {grade}" for grade, n in grades.most_common())
    rest = f", the others: {others}" if others else ""
    text = (
        f"Of the {len(drawn):,} numbers that are not known and drawn in each history, {judged:,} "
        f"({100 * judged / len(drawn):.0f} %) are judgement{rest}."
    )
    yield Statement(text, (), SURE)
    text = (
        "Intervals tell how many histories there are, not how well the model is known: all of it "
        "holds within the model."
    )
    yield Statement(text, (), SURE)


def drivers(histories: Histories) -> Iterator[Statement]:
    """The numbers that go most with the answer, the largest first, and what the first moves."""
    question = histories.question
    claim = question.claims[0]
    is_so = histories.ends_in(*(claim.classes or ("yes",)))
    names, draws, is_so = _draws(histories, is_so)
    n = len(is_so)
    if not names or n < FEWEST or not 0 < is_so.sum() < n:
        return
    floor = noise_floor(n, len(names))
    found = _correlated(histories, names, draws, is_so)
    clear = [each for each in found if abs(each.rho) > floor]
    of = (question.outcome,)
    if not clear:
        yield Statement(_unseen(floor, n, len(names)), of, CHANGE)
        return
    told = "; ".join(each.shown() for each in clear[:MOST_TOLD])
    text = (
        f"Numbers that go most with whether {claim.says} (Spearman's rank correlation, n = {n:,}; "
        f"chance alone gives the largest of {len(names):,} up to {floor:.2f}): {told}."
    )
    yield Statement(text, of, CHANGE)
    first = clear[0].name
    yield Statement(
        _by_third(words(first), draws[:, names.index(first)], is_so, claim.says), of, CHANGE
    )
    parameter = histories.scenario.parameters[histories.scenario.value_names().get(first, first)]
    meant = parameter.judgement or parameter.note or parameter.fitted
    if meant:
        yield Statement(f"Of {first} its file says: {shorten(meant, MOST_SAID)}", of, CHANGE)


def _draws(histories: Histories, is_so: Flags) -> tuple[list[str], Floats, Flags]:
    """The numbers that are drawn and vary, a row a replication, and what these say."""
    owners = histories.scenario.value_names()
    parameters = histories.scenario.parameters
    # Chunk by chunk, so that the table of a large ensemble is never whole in memory.
    kept, n = [], 0
    for part in histories.part.parts("parameters"):
        kept.append(part)
        n += len(part)
        if n >= MOST_DRAWS:
            break
    # What follows from other numbers would only repeat their correlation.
    drawn = {
        str(name)
        for name in kept[0].columns
        if parameters[owners.get(str(name), str(name))].distribution is not None
    }
    rows = {
        int(replication): row
        for part in kept
        for replication, row in zip(
            part.index, part[sorted(drawn)].to_numpy(np.float64), strict=True
        )
    }
    # A replication that failed has parameters and no ending: rows go by the replication.
    is_there = np.array([int(r) in rows for r in histories.part.replications], dtype=np.bool_)
    values = np.array([rows[int(r)] for r in histories.part.replications[is_there]])
    if not values.size:
        return [], np.zeros((0, 0)), is_so[:0]
    varies = np.ptp(values, axis=0) > 0.0
    names = [name for name, does in zip(sorted(drawn), varies, strict=True) if does]
    return names, values[:, varies], is_so[is_there]


def _correlated(
    histories: Histories, names: Sequence[str], draws: Floats, is_so: Flags
) -> list[Driver]:
    """Every number with its rank correlation, the largest first."""
    owners, parameters = histories.scenario.value_names(), histories.scenario.parameters
    found = []
    for name, rho in zip(names, rank_correlations(draws, is_so.astype(np.float64)), strict=True):
        owner = owners.get(name, name)
        low, high = rank_correlation_interval(float(rho), len(is_so))
        found.append(Driver(name, grade_of(owner, parameters[owner]), float(rho), low, high))
    return sorted(found, key=lambda each: (-abs(each.rho), each.name))


def _unseen(floor: float, n: int, n_names: int) -> str:
    # The floor falls with the root of the number of replications less one.
    needed = math.ceil((floor / WORTH_SEEING) ** 2 * (n - 1) / 100.0) * 100
    return (
        f"No number stands out with n = {n:,}: chance alone gives the largest of {n_names:,} a "
        f"rank correlation of up to {floor:.2f}. About {needed:,} histories would show one of "
        f"{WORTH_SEEING}."
    )


def _by_third(name: str, draws: Floats, is_so: Flags, says: str) -> str:
    """How often something is so where a number is low, and where it is high."""
    first, last = np.quantile(draws, (1.0 / 3.0, 2.0 / 3.0))
    parts = []
    for which, among in (("lowest", draws <= first), ("highest", draws >= last)):
        n, n_yes = int(among.sum()), int(is_so[among].sum())
        shown = share(n_yes / n, *wilson(n_yes, n))
        parts.append(f"{shown[:-1]}, n = {n:,}) in the third with the {which}")
    return f"That {says}, by {name}: {', '.join(parts)}; the other numbers vary too."


def next_decision(histories: Histories) -> Iterator[Statement]:
    """When it is next decided on, over the histories."""
    point = histories.question.decision
    if point is None:
        return
    firsts: dict[int, float] = {}
    for part in histories.part.parts("decisions"):
        rows = part[part["name"].isin(point.names)]
        for replication, time in rows.groupby(level="replication")["time"].min().items():
            key = int(str(replication))
            firsts[key] = min(firsts.get(key, math.inf), float(time))
        if len(firsts) >= MOST_DRAWS:
            break
    if len(firsts) < FEWEST:
        return
    times = np.quantile(list(firsts.values()), (0.05, 0.5, 0.95), method="inverted_cdf")
    low, median, high = (day(to_date(float(time))) for time in times)
    spread = f"5 to 95 % of histories: {low} to {high}; " if low != high else ""
    text = f"{point.says} on {median} in the median ({spread}n = {len(firsts):,})"
    yield Statement(sentence(text), (histories.question.outcome,), CHANGE)
