"""Which numbers matter, crossed with how firm the evidence for each is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simlib.evidence.register.cards import cards
from simlib.evidence.register.correlations import FEWEST, correlations_of
from simlib.scenario.register_rows import GRADES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simlib.ensemble import Ensemble
    from simlib.evidence.register.cards import Card
    from simlib.evidence.register.correlations import Correlation
    from simlib.scenario.schema import Scenario

MOST_NUMBERS = 20


@dataclass(frozen=True, slots=True)
class GradeRow:
    """A grade of evidence: how many numbers have it, are varied, and matter clearly."""

    grade: str
    n: int
    n_varied: int
    n_clear: int
    largest: float
    """Size of the largest clear rank correlation; 0 where none is clear."""
    first: str
    """The number that has it."""


@dataclass(frozen=True, slots=True)
class NumberRow:
    """A number that matters: what it rests on, and how outcomes go with it."""

    card: Card
    correlations: tuple[Correlation, ...]


@dataclass(frozen=True, slots=True)
class GradedNumbers:
    """Numbers by what they rest on and by how much outcomes go with them."""

    why_not: str
    """Why it was not looked at how outcomes go with them; empty where it was."""
    n: int
    outcomes: tuple[str, ...]
    grades: tuple[GradeRow, ...]
    numbers: tuple[NumberRow, ...]
    n_clear: int


def graded_numbers(
    ensemble: Ensemble, scenario: Scenario, outcomes: Sequence[str]
) -> GradedNumbers:
    """Cross the numbers of a scenario with their grades.

    Parameters
    ----------
    ensemble
        The results of one option.
    outcomes
        ``OUTCOME`` or ``OUTCOME.CLASS``: what rises or falls with the numbers.
    """
    n = len(ensemble.outcomes)
    is_enough = n >= FEWEST
    known = correlations_of(ensemble, scenario, outcomes, headlines=()) if is_enough else None
    names = scenario.parameters
    found = {name: card for name, card in cards(scenario, known).items() if name in names}
    ranking = [] if known is None else known.ranking()
    sizes = {} if known is None else {name: known.size(name) for name in ranking}
    return GradedNumbers(
        why_not="" if is_enough else f"asks for {FEWEST} replications or more; there are {n}",
        n=n,
        outcomes=() if known is None else known.outcomes,
        grades=tuple(_grade_rows(scenario, found, sizes)),
        numbers=tuple(_number_row(found[name]) for name in ranking[:MOST_NUMBERS]),
        n_clear=len(ranking),
    )


def _grade_rows(
    scenario: Scenario, found: dict[str, Card], sizes: dict[str, float]
) -> list[GradeRow]:
    order = list(GRADES.values())
    grades = sorted({card.grade for card in found.values()},
                    key=lambda g: (order.index(g) if g in order else len(order), g))  # fmt: skip
    rows = []
    for grade in grades:
        names = [name for name, card in found.items() if card.grade == grade]
        varied = [n for n in names if scenario.parameters[n].distribution is not None]
        clear = sorted((n for n in names if n in sizes), key=lambda n: -sizes[n])
        first = clear[0] if clear else ""
        rows.append(
            GradeRow(grade, len(names), len(varied), len(clear), sizes.get(first, 0.0), first)
        )
    return rows


def _number_row(card: Card) -> NumberRow:
    clear = sorted((c for c in card.correlations if c.is_clear), key=lambda c: -abs(c.rho))
    return NumberRow(card, tuple(clear))
