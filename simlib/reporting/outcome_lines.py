"""The rows of the report's tables: what each option's replications say of each outcome."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simlib.plot.style import words
from simlib.statistics.formatting import estimate, share, supported

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from simlib.ensemble import Ensemble
    from simlib.statistics.summaries import Summary


@dataclass(frozen=True, slots=True)
class OutcomeLine:
    """One row of the whole table: an outcome, or a class of one, under one option."""

    anchor: str
    """Where the row stands in the page."""
    option: str
    label: str
    topic: str
    summary: Summary

    @property
    def category(self) -> str:
        """The class in words; empty where the outcome is none."""
        return words(self.summary.category)

    @property
    def told(self) -> str:
        """What is expected, and how far it may lie from it, as short text."""
        return told(self.summary)

    @property
    def spread(self) -> str:
        """What holds 90 % of the replications."""
        return spread(self.summary)

    def cells(self) -> list[str | float]:
        """The row as the table has it: numbers as numbers, nan where there is none."""
        row = self.summary
        is_number = row.kind == "number"
        # The mean of what was settled in time is no mean of the outcome.
        mean = math.nan if is_number and row.n_censored else row.mean
        error = math.nan if is_number and row.n_censored else row.mc_error
        unit = row.unit if is_number else "probability"
        return [
            self.topic, self.label, self.category, self.option or "as written", unit,
            mean, error, row.low if not is_number else math.nan,
            row.high if not is_number else math.nan, row.q05, row.q50, row.q95,
            float(row.n), float(row.n_censored), row.outcome,
        ]  # fmt: skip


UNSAID = "Outcomes"
"""The topic of outcomes that name none."""
HEADS = (
    "topic", "outcome", "class", "option", "unit", "mean or probability", "Monte Carlo error",
    "low 95 %", "high 95 %", "5 %", "median", "95 %", "n", "still open", "name",
)  # fmt: skip
"""Heads of the whole table's columns, in the order of `OutcomeLine.cells`."""


@dataclass(frozen=True, slots=True)
class TopicRow:
    """One row of the short table: an outcome, and what each option says of it."""

    anchor: str
    label: str
    description: str
    unit: str
    lines: Mapping[str, tuple[OutcomeLine, ...]]
    """By option; several where the outcome is a class."""


def told(row: Summary) -> str:
    """An estimate as short text: a mean with its 95 % interval, or a probability in percent.

    Of what is not always settled by the end the median, and how often it is open.
    """
    if not row.n + row.n_censored:
        return "none observed"
    if row.kind != "number":
        return share(row.mean, row.low, row.high) if row.mean else f"< 3/{row.n}"
    if row.n_censored:
        return f"median {_quantiles(row)[1]}; open in {row.n_censored} of {row.n + row.n_censored}"
    return estimate(row.mean, row.low, row.high)


def spread(row: Summary) -> str:
    """What holds 90 % of the replications; empty where there is no spread."""
    if row.kind != "number" or row.q05 == row.q95 or not row.n:
        return ""
    low, _, high = _quantiles(row)
    return f"{low} to {high}"


def _quantiles(row: Summary) -> list[str]:
    """Quantiles with no more digits than the mean's interval supports: theirs is no smaller."""
    quantiles = (row.q05, row.q50, row.q95)
    finite = [q for q in quantiles if math.isfinite(q)]
    texts = iter(supported(row.low, row.high, *finite))
    return [next(texts) if math.isfinite(q) else "beyond the end" for q in quantiles]


def outcome_lines(parts: Mapping[str, Ensemble]) -> list[OutcomeLine]:
    """Every row of the whole table, by option and in the order of the scenario."""
    found: list[OutcomeLine] = []
    for option, part in parts.items():
        topics = {name: topic for topic, names in part.topics.items() for name in names}
        for row in part.summaries():
            topic = topics[row.outcome] or UNSAID
            label = part.labels[row.outcome]
            found.append(OutcomeLine(f"row-{len(found)}", option, label, topic, row))
    return found


def by_topic(lines: Sequence[OutcomeLine], about: Mapping[str, Any]) -> dict[str, list[TopicRow]]:
    """The short table: by topic a row for each outcome."""
    gathered: dict[str, dict[str, list[OutcomeLine]]] = {}
    for line in lines:
        options = gathered.setdefault(line.summary.outcome, {})
        options.setdefault(line.option, []).append(line)
    found: dict[str, list[TopicRow]] = {}
    for index, (name, options) in enumerate(gathered.items()):
        each = {option: tuple(rows) for option, rows in options.items()}
        first = next(iter(each.values()))[0]
        unit = first.summary.unit if first.summary.kind == "number" else ""
        row = TopicRow(f"n-{index}", first.label, about[name]["description"], unit, each)
        found.setdefault(first.topic, []).append(row)
    return found


def anchors(rows: Mapping[str, Sequence[TopicRow]]) -> Iterator[tuple[str, TopicRow]]:
    """Each outcome's name with its row in the short table."""
    for found in rows.values():
        for row in found:
            yield next(iter(row.lines.values()))[0].summary.outcome, row
