"""Whether what is asked comes about, how it ends otherwise, and when it is over."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING

import numpy as np

from simlib.answers.statements import FEWEST, Statement, day, likely, month, sentence, share_of
from simlib.statistics.formatting import supported
from simlib.statistics.intervals import median_between
from simlib.statistics.likelihood_words import opening_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simlib.answers.statements import Flags, Floats, Histories

ANSWER = "The answer"
ENDS = "How it ends"


def claims(histories: Histories, *, under: str = "", n_told: int = 0) -> Iterator[Statement]:
    """How likely each claim is, or the first few; what an option gives is said to be given."""
    question = histories.question
    if histories.set_by:
        texts = [f"how it ends is set by {histories.set_by}: {_classes(histories)}."]
    else:
        texts = [
            f"{opening_of(found.mean)} that {claim.says}: {share_of(found)}."
            for claim in question.claims[: n_told or None]
            for found in [histories.probability(histories.ends_in(*(claim.classes or ("yes",))))]
        ]
    for text in texts:
        yield Statement(f"{under}{text}" if under else sentence(text), (question.outcome,), ANSWER)


def _classes(histories: Histories) -> str:
    """The classes that came about, with how many of them."""
    counts = {name: int(histories.ends_in(name).sum()) for name in histories.classes}
    parts = [f"{histories.ending(name)} in {n:,}" for name, n in counts.items() if n]
    return f"{', '.join(parts)} of {histories.n:,} histories"


def endings(histories: Histories) -> Iterator[Statement]:
    """How likely each ending is, and what is meant by it."""
    question = histories.question
    for name in histories.classes:
        found = histories.probability(histories.ends_in(name))
        term = question.terms.get(name)
        means = f" {sentence(term.means)}" if term else ""
        label = term.label if term else name.replace("_", " ")
        text = f"{label}: {likely(found)}.{means}"
        yield Statement(text, (question.outcome,), ENDS)


def gone(histories: Histories) -> Iterator[Statement]:
    """When it is over, and how often it is not by the end: never a mean of those that are."""
    question = histories.question
    if question.gone is None:
        return
    values = histories.part.values(question.gone.outcome)
    after = np.where(np.isnan(values), math.inf, values)
    of = (question.outcome, question.gone.outcome)
    still = histories.probability(np.isnan(values))
    scenario = histories.scenario
    text = f"{question.gone.says}: {_median(after, histories)}"
    text += f"; not by {day(scenario.end)}: {likely(still)}"
    yield Statement(sentence(text), of, ENDS)
    parts = [
        f"{histories.ending(name)} {_briefly(after[is_so], scenario.start)}"
        for name, is_so in _enough(histories)
    ]
    if len(parts) > 1:
        yield Statement(f"By ending, in the median: {'; '.join(parts)}.", of, ENDS)


def _median(after: Floats, histories: Histories) -> str:
    median = float(np.quantile(after, 0.5, method="inverted_cdf"))
    if math.isinf(median):
        return f"in half or more of {histories.n:,} histories not by the end"
    low, high = median_between(after)
    start = histories.scenario.start
    if low == -math.inf:
        between = "too few for an interval"
    elif math.isinf(high):
        between = f"95 % interval {month(start, low)} to after the end"
    else:
        middle, least, most = supported(low, high, median, low, high)
        between = f"{middle} months after {day(start)}, 95 % interval {least} to {most}"
    return f"in the median by {month(start, median)} ({between}; n = {histories.n:,})"


def _briefly(after: Floats, start: dt.date) -> str:
    median = float(np.quantile(after, 0.5, method="inverted_cdf"))
    when = "not by the end" if math.isinf(median) else month(start, median)
    return f"{when} (n = {len(after):,}, {int(np.isinf(after).sum()):,} open)"


def _enough(histories: Histories) -> list[tuple[str, Flags]]:
    """The endings of which there are enough, and which replications have them."""
    found = [(name, histories.ends_in(name)) for name in histories.classes]
    return [(name, is_so) for name, is_so in found if is_so.sum() >= FEWEST]
