"""The page of the register: what it says beside the cards, whatever it is rendered to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from simlib.analysis.sensitivity.evidence_grades import GRADES
from simlib.evidence.register.cards import (
    cards,
    derivations_apart,
    derivations_of_the_rest,
)
from simlib.evidence.register.derivations import load_derivations
from simlib.evidence.register.implied import reached_within
from simlib.statistics.formatting import number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from simlib.evidence.register.cards import Card
    from simlib.evidence.register.correlations import Correlation, Correlations
    from simlib.scenario.schema import Scenario

JUDGED = GRADES["J"]
_ORDER = tuple(GRADES.values())
_NAMED = 10
_MEASURE = (
    "Every number moves at once over its whole distribution, so the measure ranks numbers by how "
    "unsure they are. It sees what rises or falls, not what turns (simlib sensitivity --method "
    "morris does), and constants not at all."
)


class Line(NamedTuple):
    """A line of a table: texts, one for each column."""

    cells: tuple[str, ...]


@dataclass(frozen=True)
class Page:
    """What stands on the page of the register.

    Attributes
    ----------
    scenario, as_of
        Which scenario the cards are of, and until when its numbers were known.
    cards
        By name: parameters, then rows of the register.
    correlations
        How outcomes go with the numbers; nothing where it was not looked at.
    implied
        Posture, state and how likely it is reached within a year.
    others
        Arithmetic behind figures that have no card of their own, by figure.
    apart
        Figures whose arithmetic, as it is told, does not give them, with what it gives.
    underived
        Rows of basis D that are no arithmetic on others, with the reason.
    """

    scenario: str
    as_of: str
    cards: Mapping[str, Card]
    correlations: Correlations | None
    implied: Sequence[Line]
    others: Mapping[str, Sequence[str]]
    apart: Sequence[Line]
    underived: Sequence[Line]

    def subjects(self, *, parameters: bool) -> dict[str, list[Card]]:
        """Return the cards of parameters, or of rows, by subject."""
        found: dict[str, list[Card]] = {}
        for card in self.cards.values():
            if card.is_parameter == parameters:
                found.setdefault(card.subject, []).append(card)
        return found

    def grades(self) -> list[Line]:
        """Return grade, parameters, of them with a clear correlation, rows of the register."""
        parameters = Counter(c.grade for c in self.cards.values() if c.is_parameter)
        listed = Counter(c.grade for c in self.cards.values() if not c.is_parameter)
        clear = Counter(self.cards[name].grade for name in self._ranking())
        known = self.correlations is not None
        return [
            Line(
                (
                    name,
                    str(parameters[name]),
                    *((str(clear[name]),) if known else ()),
                    str(listed[name]),
                )
            )
            for name in _ORDER
            if parameters[name] or listed[name]
        ]

    def index(self) -> list[Line]:
        """Return the parameters with a clear correlation by its size: rank, name, grade, each."""
        if self.correlations is None:
            return []
        return [
            Line((str(rank), name, self.cards[name].grade, *self._cells(name)))
            for rank, name in enumerate(self._ranking(), 1)
        ]

    def _ranking(self) -> list[str]:
        return [] if self.correlations is None else self.correlations.ranking()

    def _cells(self, name: str) -> list[str]:
        assert self.correlations is not None  # noqa: S101  (an index needs them)
        clear = {e.outcome: f"{e.rho:.2f}" for e in self.cards[name].correlations if e.is_clear}
        return [clear.get(outcome, "") for outcome in self.correlations.outcomes]

    def sentences(self) -> list[str]:
        """Return what the sensitivities say, in words."""
        known = self.correlations
        if known is None:
            return ["How outcomes go with the numbers was not looked at: no results were given."]
        ranking = known.ranking()
        judged = [name for name in ranking if self.cards[name].grade == JUDGED]
        floors = sorted(set(known.floors().values()))
        floor = number(floors[0]) + (f" to {number(floors[-1])}" if len(floors) > 1 else "")
        found = (
            f"Rank correlations over {known.label}: {len(ranking):,} of {len(known.drawn):,} "
            f"drawn parameters stand out from chance in one of {len(known.outcomes)} outcomes. "
            f"The others are indistinguishable from none: below {floor}, which the largest of as "
            "many correlations exceeds in one of twenty such ensembles when nothing matters."
        )
        largest = f"; the largest are {', '.join(judged[:_NAMED])}" if judged else ""
        return [
            found,
            f"Judgements among those that stand out: {len(judged):,}{largest}.",
            _MEASURE,
        ]


def page_of(scenario: Scenario, correlations: Correlations | None = None) -> Page:
    """Return what stands on the page of the register of a scenario.

    Parameters
    ----------
    scenario
        Resolved: what a later file replaces is what stands.
    correlations
        How outcomes go with the parameters; the page says that it does not know when not given.
    """
    found = cards(scenario, correlations)
    known = load_derivations()
    return Page(
        scenario=scenario.name,
        as_of="" if scenario.as_of is None else scenario.as_of.isoformat(),
        cards=found,
        correlations=correlations,
        implied=_implied(scenario),
        others=derivations_of_the_rest(scenario),
        apart=[Line((d.figure, words)) for d, words in derivations_apart(scenario)],
        underived=[Line((name, each.why)) for each in known.underived for name in each.rows],
    )


def _implied(scenario: Scenario) -> list[Line]:
    """Return posture, state and the probability of reaching it within a year, with its spread."""
    lines = []
    for posture, process in scenario.postures.items():
        for state in process.states:
            if state != process.start:
                reached = reached_within(scenario, posture, state)
                spread = f"{reached.low:.2f} to {reached.high:.2f}"
                lines.append(Line((posture, state, f"{reached.mean:.2f}", spread)))
    return lines


def correlation_words(found: Sequence[Correlation]) -> list[str]:
    """Return what correlations say: the clear ones with intervals, the rest in one phrase."""
    clear = sorted((e for e in found if e.is_clear), key=lambda e: -abs(e.rho))
    told = [f"{e.outcome} {e.rho:.2f} ({e.low:.2f} to {e.high:.2f})" for e in clear]
    n_rest = len(found) - len(clear)
    if n_rest and clear:
        told.append(f"{n_rest} other{'s' if n_rest > 1 else ''} indistinguishable from none")
    elif n_rest:
        told.append("indistinguishable from none")
    return told
