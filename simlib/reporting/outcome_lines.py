"""The rows of the report's tables: what each option's replications say of each outcome."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simlib.answers.short_table import spread_of

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
    category: str
    """The class as the question calls it, or in words; empty where the outcome is none."""
    summary: Summary

    @property
    def told(self) -> str:
        """What is expected, and how far it may lie from it, as short text."""
        return self.summary.shown

    @property
    def spread(self) -> str:
        """What holds 90 % of the replications; empty of a probability, or where all are one."""
        row = self.summary
        return "" if row.q05 == row.q95 else spread_of(row)

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


def outcome_lines(parts: Mapping[str, Ensemble]) -> list[OutcomeLine]:
    """Every row of the whole table, by option and in the order of the scenario."""
    found: list[OutcomeLine] = []
    for option, part in parts.items():
        topics = {name: topic for topic, names in part.topics.items() for name in names}
        for row in part.summaries():
            topic = topics[row.outcome] or UNSAID
            label = part.labels[row.outcome]
            term = part.term(row.category)
            found.append(OutcomeLine(f"row-{len(found)}", option, label, topic, term, row))
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
