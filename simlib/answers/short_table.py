"""The outcome table as people read it: by topic, under labels, with what an estimate supports."""

from __future__ import annotations

import math
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from simlib.statistics.formatting import share

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simlib.ensemble.results import Ensemble
    from simlib.statistics.summaries import Summary

ALWAYS = 24
"""Outcomes that are all shown where there are no more."""
OF_A_TOPIC = 2
"""Outcomes of each topic that are shown where there are more."""


class ShortLine(NamedTuple):
    """A line of the table: one outcome, or one of its classes."""

    topic: str
    outcome: str
    label: str
    part: str
    """The option, of several, and the class in words; empty where there is neither."""
    estimate: str
    spread: str
    """The 5 and 95 % points over histories; empty for a probability."""


def shown_outcomes(ensemble: Ensemble) -> tuple[str, ...]:
    """The outcomes a short table has: those of the question, and the first of each topic.

    Of several options, beside one another, only those of the question. Without topics, all.
    """
    every = [name for names in ensemble.topics.values() for name in names]
    asked = _asked(ensemble.manifest.get("question"))
    if len(every) <= ALWAYS or set(ensemble.topics) == {""}:
        return tuple(every)
    first = {name for names in ensemble.topics.values() for name in names[:OF_A_TOPIC]}
    chosen = asked if asked and len(ensemble.options) > 1 else asked | first
    return tuple(name for name in every if name in chosen)


def _asked(question: dict[str, Any] | None) -> set[str]:
    """The outcomes that answer a question, and those that follow."""
    if not question:
        return set()
    gone = question.get("gone")
    return {question["outcome"], *question.get("follows", ()), *([gone["outcome"]] if gone else [])}


def lines_of(ensemble: Ensemble, outcomes: Sequence[str]) -> Iterator[ShortLine]:
    """Iterate over the lines of some outcomes by topic; options stand below one another."""
    found: dict[str, list[tuple[str, Summary]]] = {}
    for option in ensemble.options:
        for row in ensemble.of(option).summaries():
            found.setdefault(row.outcome, []).append((option or "as written", row))
    is_one = len(ensemble.options) == 1
    for topic, names in ensemble.topics.items():
        for name in (name for name in names if name in outcomes):
            for option, row in found[name]:
                term = ensemble.term(row.category)
                part = term if is_one else ": ".join(filter(None, (option, term)))
                label = ensemble.labels[name]
                yield ShortLine(topic, name, label, part, _estimate(row), spread_of(row))


def html_table(lines: Sequence[ShortLine]) -> str:
    """Lines as a table of HTML, topics as rows of their own; whatever they say is escaped."""
    rows = ["<tr><th></th><th>estimate (95 % interval)</th><th>5 to 95 % of histories</th></tr>"]
    for topic, own in groupby(lines, key=lambda line: line.topic):
        if topic:
            rows.append(f"<tr><th colspan=3 style='text-align:left'>{escape(topic)}</th></tr>")
        for line in own:
            label = f"{line.label}: {line.part}" if line.part else line.label
            cells = "".join(f"<td>{escape(text)}</td>" for text in (line.estimate, line.spread))
            rows.append(f"<tr><td style='text-align:left'>{escape(label)}</td>{cells}</tr>")
    return f"<table>{''.join(rows)}</table>"


def _estimate(row: Summary) -> str:
    if row.kind != "number" and row.n:
        return share(row.mean, row.low, row.high)
    unit = f" {row.unit}" if row.unit and row.n else ""
    if row.n_censored and row.n:
        head, _, tail = row.shown.partition(";")
        return f"{head}{unit};{tail}" if tail else row.shown
    return f"{row.shown}{unit}"


def spread_of(row: Summary) -> str:
    """The 5 and 95 % points over replications; empty of a probability."""
    if row.kind != "number" or math.isnan(row.q05):
        return ""
    if math.isinf(row.q95):
        return "" if math.isinf(row.q05) else f"{_rough(row.q05)} to after the end"
    return f"{_rough(row.q05)} to {_rough(row.q95)}"


def _rough(value: float) -> str:
    """A number with two significant digits: quantiles of few histories support no more.

    Examples
    --------
    >>> _rough(1428.0), _rough(0.0591), _rough(39.6), _rough(1.0)
    ('1,400', '0.059', '40', '1')
    """
    if value == 0.0:
        return "0"
    exponent = math.floor(math.log10(abs(value))) - 1
    rounded = round(value, -exponent)
    return f"{rounded:,.{0 if rounded == int(rounded) else -exponent}f}"
