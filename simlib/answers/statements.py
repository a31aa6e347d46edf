"""What an answer is made of: statements, and the replications that they are about."""

from __future__ import annotations

import datetime as dt
import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from simlib.chance import designs
from simlib.scenario.variants import option_lineage
from simlib.statistics.formatting import estimate, share
from simlib.statistics.likelihood_words import spanned, word_of
from simlib.statistics.summaries import Summary, of_flag, of_number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from simlib.ensemble import Ensemble
    from simlib.scenario.schema import Event, Question, Scenario

    Flags = NDArray[np.bool_]
    Floats = NDArray[np.float64]

FEWEST = 20
"""Replications below which nothing is told of a part of an ensemble."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence of an answer, under its heading, with the outcomes it rests on."""

    text: str
    outcomes: tuple[str, ...]
    topic: str


@dataclass(frozen=True)
class Histories:
    """The replications of one option that did not fail, as a question asks about them."""

    ensemble: Ensemble
    question: Question
    scenario: Scenario
    option: str

    @functools.cached_property
    def part(self) -> Ensemble:
        """The ensemble of the option."""
        return self.ensemble.of(self.option)

    @property
    def n(self) -> int:
        """How many there are."""
        return len(self.endings)

    @functools.cached_property
    def endings(self) -> NDArray[Any]:
        """The class that each ends in; of a yes/no ``yes`` or ``no``."""
        values = self.part.values(self.question.outcome)
        if self.about(self.question.outcome)["kind"] == "class":
            return values
        return np.where(values == 1.0, "yes", "no").astype(object)

    @functools.cached_property
    def classes(self) -> tuple[str, ...]:
        """The classes there may be, and others that came about."""
        declared = self.about(self.question.outcome)["classes"] or ["yes", "no"]
        return (*declared, *sorted({str(x) for x in self.endings} - set(declared)))

    @property
    def set_by(self) -> str:
        """What sets the ending so that nobody decides it, if anything: the option, the scenario."""
        milestone = self.scenario.outcomes[self.question.outcome].milestone
        for each in option_lineage(self.scenario, self.option) if self.option else ():
            change = each.timeline.get(milestone) if milestone else None
            if (change is not None and change.forced) or _sets(each.events, milestone):
                return "the option"
        return "the scenario" if _sets(self.scenario.events, milestone) else ""

    def about(self, outcome: str) -> Any:
        """What the manifest says of an outcome."""
        return self.ensemble.manifest["outcomes"][outcome]

    def label(self, outcome: str) -> str:
        """What people read in place of the outcome's name."""
        return self.ensemble.labels[outcome]

    def ending(self, name: str) -> str:
        """An ending in words, within a sentence."""
        term = self.question.terms.get(name)
        label = term.label if term else name.replace("_", " ")
        return label[:1].lower() + label[1:]

    def ends_in(self, *names: str) -> Flags:
        """Which of them end in one of some classes."""
        return np.isin(self.endings.astype(str), names)

    def probability(self, is_so: Flags) -> Summary:
        """How likely something is, with its interval."""
        return of_flag("", is_so.astype(np.float64), len(is_so), blocks=self.blocks)

    def summary(self, outcome: str, among: Flags | None = None) -> Summary:
        """What some of them, all when not said, say of an outcome that is no class."""
        values, about = self.part.values(outcome), self.about(outcome)
        blocks = self.blocks
        if among is not None:
            values, blocks = values[among], None if blocks is None else blocks[among]
        if about["kind"] == "flag":
            return of_flag(outcome, values, len(values), blocks=blocks)
        return of_number(outcome, about["unit"], values, len(values), blocks=blocks)

    @property
    def blocks(self) -> NDArray[np.integer] | None:
        """The block of each, where the design has blocks: errors are taken between them."""
        return designs.blocks(self.ensemble.manifest["design"], self.part.replications)


def _sets(events: Mapping[str, Event], milestone: str | None) -> bool:
    """Whether an event on a date moves a milestone, and nobody decides it."""
    return any(each.on and each.forced and milestone in each.move for each in events.values())


def likely(found: Summary) -> str:
    """A probability with its word, interval and number of replications."""
    return f"{word_of(found.mean)}, {share_of(found)}"


def share_of(found: Summary) -> str:
    """A probability with its interval, number of replications, and the words it may span."""
    words = spanned(found.low, found.high)
    text = f"{share(found.mean, found.low, found.high)[:-1]}, n = {found.n:,})"
    return f"{text}; the interval spans {words}" if words else text


def shown(found: Summary) -> str:
    """An estimate with its interval and unit."""
    if found.kind != "number":
        return share(found.mean, found.low, found.high)
    unit = f" {found.unit}" if found.unit else ""
    return f"{estimate(found.mean, found.low, found.high)}{unit}"


def sentence(text: str) -> str:
    """Text with a capital at its beginning and a full stop at its end."""
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def month(start: dt.date, months: float) -> str:
    """The month that lies so many months after a date.

    Examples
    --------
    >>> month(dt.date(2025, 1, 1), 8.9)
    'September 2025'
    """
    date = start + dt.timedelta(days=months * 365.25 / 12)
    return f"{_MONTHS[date.month - 1]} {date.year}"


def day(date: dt.date) -> str:
    """A date as people write it.

    Examples
    --------
    >>> day(dt.date(2027, 12, 31))
    '31 December 2027'
    """
    return f"{date.day} {_MONTHS[date.month - 1]} {date.year}"


_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August"),
    *("September", "October", "November", "December"),
)
