"""The page of the register: a card for every number, and what they come to together."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import quote

from simlib.evidence.register.cards import cards
from simlib.evidence.register.figures import (
    derivations_apart,
    derivations_of_the_rest,
    load_derivations,
)
from simlib.evidence.register.implied import reached_within
from simlib.finding import Finding
from simlib.scenario.register_rows import GRADES
from simlib.statistics.formatting import number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import pandas as pd

    from simlib.evidence.register.cards import Card
    from simlib.evidence.register.correlations import Correlation, Correlations
    from simlib.scenario.register_rows import RegisterRow
    from simlib.scenario.schema import Scenario

    Cells = tuple[str, ...]
    """A line of a table: texts, one for each column."""

BEGIN, END = "<!-- sensitivities -->", "<!-- end of sensitivities -->"
"""What stands between them, and lines that begin with `GOES_WITH`, depend on an ensemble."""
GOES_WITH = "- Goes with: "
_SPECIAL = re.compile(r"([\\`*_\[\]<>|#~])")
_NAMED = 10
_MEASURE = (
    "Every number moves at once over its whole distribution, so the measure ranks numbers by how "
    "unsure they are. It sees what rises or falls, not what turns (simlib sensitivity --method "
    "morris does), and constants not at all."
)


@dataclass(frozen=True)
class RegisterPage(Finding):
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
        Posture, state, how likely it is reached within a year, and the spread of that.
    others
        Arithmetic behind figures that have no card of their own, by figure.
    apart
        Figures whose arithmetic, as it is told, does not give them, with what it gives.
    underived
        Rows of basis D that are no arithmetic on others, with the reason.
    """

    stem: ClassVar[str] = "register"

    scenario: str
    as_of: str
    cards: Mapping[str, Card]
    correlations: Correlations | None
    implied: Sequence[Cells]
    others: Mapping[str, Sequence[str]]
    apart: Sequence[Cells]
    underived: Sequence[Cells]

    def table(self) -> pd.DataFrame:
        """A row a card: number, value, points, grade, source and what uses it."""
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "name": card.name,
                    "kind": "parameter" if card.is_parameter else "row",
                    "title": card.title,
                    "value": card.value,
                    "unit": card.unit,
                    "points": card.points,
                    "grade": card.grade,
                    "source": "" if card.row is None else card.row.source,
                    "uses": "; ".join(card.uses),
                }
                for card in self.cards.values()
            ]
        )

    def brief(self) -> pd.DataFrame:
        """Count by grade: parameters, of them with a clear correlation, rows of the register."""
        import pandas as pd

        counted = {
            "parameters": Counter(c.grade for c in self.cards.values() if c.is_parameter),
            "clear": Counter(self.cards[name].grade for name in self._ranking()),
            "rows": Counter(c.grade for c in self.cards.values() if not c.is_parameter),
        }
        if self.correlations is None:
            del counted["clear"]
        grades = [grade for grade in GRADES.values() if any(c[grade] for c in counted.values())]
        counts = {name: [each[grade] for grade in grades] for name, each in counted.items()}
        return pd.DataFrame({"grade": grades, **counts})

    def index(self) -> pd.DataFrame:
        """List the parameters with a clear correlation by its size: rank, name, grade, each."""
        import pandas as pd

        outcomes = self.correlations.outcomes if self.correlations else ()
        lines = []
        for rank, name in enumerate(self._ranking(), 1):
            card = self.cards[name]
            clear = {e.outcome: f"{e.rho:.2f}" for e in card.correlations if e.is_clear}
            sizes = (clear.get(outcome, "") for outcome in outcomes)
            lines.append((rank, name, card.grade, *sizes))
        return pd.DataFrame(lines, columns=["", "parameter", "grade", *outcomes])

    def _ranking(self) -> list[str]:
        return [] if self.correlations is None else self.correlations.ranking()

    def sentences(self) -> list[str]:
        """Say which numbers matter."""
        known = self.correlations
        if known is None:
            return ["How outcomes go with the numbers was not looked at: no results were given."]
        ranking = known.ranking()
        judged = [name for name in ranking if self.cards[name].grade == GRADES["J"]]
        floors = sorted(set(known.floors().values()))
        floor = number(floors[0]) + (f" to {number(floors[-1])}" if len(floors) > 1 else "")
        largest = f"; the largest are {', '.join(judged[:_NAMED])}" if judged else ""
        found = (
            f"Rank correlations over {known.label}: {len(ranking):,} of {len(known.drawn):,} "
            f"drawn parameters stand out from chance in one of {len(known.outcomes)} outcomes. "
            f"The others are indistinguishable from none: below {floor}, which the largest of as "
            "many correlations exceeds in one of twenty such ensembles when nothing matters."
        )
        judgements = f"Judgements among those that stand out: {len(judged):,}{largest}."
        return [found, judgements, _MEASURE]

    def markdown(self, command: str) -> str:
        """Write the page as Markdown; `command` renders it again."""
        lines = (*self._head(command), *self._matters(), *self._arithmetic(), *self._cards(), "")
        return "\n".join(lines)

    def _head(self, command: str) -> Iterator[str]:
        n_parameters = sum(card.is_parameter for card in self.cards.values())
        yield from (f"# Register of {_plain(self.scenario)}", "")
        yield (
            f"Generated by `{command}`; edit the scenario or the seeds instead. Every number the "
            f"scenario rests on, as known on {self.as_of or 'a date that is not given'}: "
            f"{n_parameters:,} parameters and {len(self.cards) - n_parameters:,} rows of "
            "`seeds/parameters.csv`. Points are the 5, 50 and 95 % points of what is drawn. "
            "Arithmetic is re-derived by a test (`seeds/derivations.yaml`)."
        )
        yield ""

    def _matters(self) -> Iterator[str]:
        yield from (BEGIN, "## Which numbers matter", "")
        for sentence in self.sentences():
            yield from (_plain(sentence), "")
        brief = self.brief()
        yield from _table(list(map(str, brief)), brief.to_numpy().tolist())
        if self.correlations is not None:
            # A heading breaks between words only.
            outcomes = (_plain(name.replace("_", " ")) for name in self.correlations.outcomes)
            lines = (
                (str(rank), f"[{_code(name)}](#{anchor(name)})", *rest)
                for rank, name, *rest in self.index().to_numpy().tolist()
            )
            yield from _rows(("", "parameter", "grade", *outcomes), lines)
        yield END

    def _arithmetic(self) -> Iterator[str]:
        yield from ("## What the postures imply", "")
        yield (
            "Probability of entering a state within twelve months: mean and 5 to 95 % over the "
            "draws."
        )
        yield ""
        yield from _table(("posture", "state", "probability", "spread"), self.implied)
        yield from ("## Arithmetic behind other figures", "")
        for name, sentences in self.others.items():
            yield f"- {_code(name)} {_code('; '.join(sentences))}"
        yield from ("", "## Told arithmetic that does not give the figure", "")
        yield from (f"- {_code(figure)} {_code(text)}" for figure, text in self.apart)
        yield from ("", "## Derived rows that are not re-derived", "")
        yield from (f"- {_code(name)} {_plain(why)}" for name, why in self.underived)

    def _cards(self) -> Iterator[str]:
        for title, of_parameters in (("Parameters", True), ("Rows of the register", False)):
            yield from ("", f"## {title}")
            by_subject: dict[str, list[Card]] = {}
            for card in self.cards.values():
                if card.is_parameter == of_parameters:
                    by_subject.setdefault(card.subject, []).append(card)
            for subject, found in by_subject.items():
                yield from ("", f"### {title}: {_plain(subject)}")
                for card in found:
                    yield from _card(card)


def page_of(scenario: Scenario, correlations: Correlations | None = None) -> RegisterPage:
    """Gather what stands on the page of the register of a scenario.

    Parameters
    ----------
    scenario
        Resolved: what a later file replaces is what stands.
    correlations
        How outcomes go with the parameters; the page says that it does not know when not given.
    """
    underived = load_derivations().underived
    return RegisterPage(
        scenario=scenario.name,
        as_of="" if scenario.as_of is None else scenario.as_of.isoformat(),
        cards=cards(scenario, correlations),
        correlations=correlations,
        implied=_implied(scenario),
        others=derivations_of_the_rest(scenario),
        apart=[(d.figure, words) for d, words in derivations_apart(scenario)],
        underived=[(name, each.why) for each in underived for name in each.rows],
    )


def _implied(scenario: Scenario) -> list[Cells]:
    lines: list[Cells] = []
    for posture, process in scenario.postures.items():
        for state in process.states:
            if state != process.start:
                reached = reached_within(scenario, posture, state)
                spread = f"{reached.low:.2f} to {reached.high:.2f}"
                lines.append((posture, state, f"{reached.mean:.2f}", spread))
    return lines


def _card(card: Card) -> Iterator[str]:
    yield from ("", f"#### {_code(card.name)}", "")
    if card.title:
        yield f"{_plain(card.title)}."
    points = f" ({_plain(card.points)})" if card.points else ""
    row = f", row [{_code(card.row_id)}](#{anchor(card.row_id)})" if card.row_id else ""
    yield f"{_code(card.value)} {_plain(card.unit)}{points}, **{card.grade}**{row}"
    yield ""
    if card.row is not None and not card.is_parameter:
        yield f"- Source: {_source(card.row)}"
    yield from (f"- {_plain(note)}" for note in card.notes)
    yield from (f"- Arithmetic: {_code(text)}" for text in card.derivations)
    yield f"- Used: {_plain('; '.join(card.uses)) or 'not used'}"
    if card.correlations:
        yield f"{GOES_WITH}{_plain('; '.join(_correlated(card.correlations)))}"


def _correlated(found: Sequence[Correlation]) -> list[str]:
    """Say what correlations come to: the clear ones with intervals, the rest in one phrase."""
    clear = sorted((e for e in found if e.is_clear), key=lambda e: -abs(e.rho))
    words = [f"{e.outcome} {e.rho:.2f} ({e.low:.2f} to {e.high:.2f})" for e in clear]
    n_rest = len(found) - len(clear)
    if n_rest and clear:
        words.append(f"{n_rest} other{'s' if n_rest > 1 else ''} indistinguishable from none")
    elif n_rest:
        words.append("indistinguishable from none")
    return words


def _source(row: RegisterRow) -> str:
    title = _plain(row.source)
    url = quote(row.url, safe=":/?&=%#+,;@!$'*~")
    return f"[{title}](<{url}>), {row.date}" if row.url else f"{title}, {row.date}"


def _table(head: Sequence[str], lines: Iterable[Sequence[object]]) -> Iterator[str]:
    return _rows(head, ([_plain(str(cell)) for cell in line] for line in lines))


def _rows(head: Sequence[str], lines: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    yield from (f"| {' | '.join(line)} |" for line in lines)
    yield ""


def _plain(text: str) -> str:
    """Escape text, so that Markdown and HTML see nothing but text in it."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _code(text: str) -> str:
    fence = "``" if "`" in text else "`"
    return f"{fence}{' '.join(text.split())}{fence}"


def anchor(name: str) -> str:
    """What a heading of code is linked by."""
    return re.sub(r"[^\w -]", "", name.casefold()).replace(" ", "-")
