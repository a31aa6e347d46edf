"""The answer to what a scenario asks, from its results."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pydantic import TypeAdapter

from simlib.answers import consequences, endings, grounds
from simlib.answers.short_table import html_table, lines_of, shown_outcomes
from simlib.answers.statements import Histories, Statement
from simlib.ensemble import Ensemble, open_results
from simlib.finding import Finding
from simlib.scenario import load_text
from simlib.scenario.schema import Question
from simlib.scenario.wording import AS_WRITTEN

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    import pandas as pd

    from simlib.analysis.comparison.comparison import Comparison

NO_QUESTION = "The scenario asks no question: give it a section question."


@dataclass(frozen=True)
class Answer(Finding):
    """What results say of the question of their scenario.

    Attributes
    ----------
    asks
        The question; empty where the scenario has none.
    statements
        The sentences of the answer, in order, each under its heading.
    """

    stem: ClassVar[str] = "answer"

    asks: str
    statements: tuple[Statement, ...]

    def sentences(self) -> list[str]:
        """The question, then every statement."""
        if not self.asks:
            return [NO_QUESTION]
        return [self.asks, *(each.text for each in self.statements)]

    def by_topic(self) -> dict[str, list[Statement]]:
        """Statements under their headings."""
        found: dict[str, list[Statement]] = {}
        for each in self.statements:
            found.setdefault(each.topic, []).append(each)
        return found

    def table(self) -> pd.DataFrame:
        """A row a statement: its heading, its text, and the outcomes it rests on."""
        import pandas as pd

        rows = [(each.topic, each.text, " ".join(each.outcomes)) for each in self.statements]
        return pd.DataFrame(rows, columns=["topic", "statement", "outcomes"])

    def briefs(self) -> dict[str, pd.DataFrame]:
        """Nothing beside the sentences: the table only says them again."""
        return {}

    def _repr_html_(self) -> str:
        """The question, and statements under their headings."""
        if not self.asks:
            return f"<p>{NO_QUESTION}</p>"
        parts = [f"<h3>{html.escape(self.asks)}</h3>"]
        for topic, statements in self.by_topic().items():
            lines = "".join(f"<li>{html.escape(each.text)}</li>" for each in statements)
            parts.append(f"<h4>{html.escape(topic)}</h4><ul>{lines}</ul>")
        return "".join(parts)


def answer(
    source: Ensemble | Comparison | str | os.PathLike[str], *, question: Question | None = None
) -> Answer:
    """Answer what a scenario asks from its results, in sentences with their numbers.

    Words of likelihood are those of Intelligence Community Directive 203; each stands beside
    its probability, 95 % interval and number of histories.

    Parameters
    ----------
    source
        Results: an ensemble, a comparison or a directory.
    question
        What is asked; what the scenario of the results asks, when not given.

    Raises
    ------
    StoreError
        There are no results.
    """
    ensemble = _ensemble_of(source)
    asked = question or _asked(ensemble)
    if asked is None:
        return Answer("", ())
    scenario = load_text(ensemble.manifest["scenario"])
    options = [Histories(ensemble, asked, scenario, option) for option in ensemble.options]
    told = [histories for histories in options if histories.n]
    return Answer(asked.asks, tuple(_statements(told)))


def html_of(ensemble: Ensemble) -> str:
    """What a notebook shows of results: the answer, then a short table by topic."""
    found = answer(ensemble)
    chosen = shown_outcomes(ensemble)
    parts = [f"<p>{html.escape(sentence)}</p>" for sentence in ensemble.sentences()]
    parts += [found._repr_html_()] if found.asks else []
    rest = f"{len(chosen)} of {len(ensemble.labels)} outcomes; table() has all."
    return "".join([*parts, html_table(list(lines_of(ensemble, chosen))), f"<p>{rest}</p>"])


def _ensemble_of(source: Ensemble | Comparison | str | os.PathLike[str]) -> Ensemble:
    if isinstance(source, Ensemble):
        return source
    found = getattr(source, "ensemble", None)
    return found if isinstance(found, Ensemble) else open_results(source)  # type: ignore[arg-type]


def _asked(ensemble: Ensemble) -> Question | None:
    """The question as the manifest says it; results of before have none."""
    said = ensemble.manifest.get("question")
    return TypeAdapter(Question).validate_python(said) if said else None


def _statements(options: list[Histories]) -> Iterator[Statement]:
    """Say all there is to say, the answer first; the first option is what others differ from."""
    if not options:
        return
    base, *others = options
    if others:
        yield from endings.claims(base, under=f"{base.option or AS_WRITTEN}: ")
        for other in others:
            yield from endings.claims(other, under=f"{other.option or AS_WRITTEN}: ", n_told=1)
    else:
        yield from endings.claims(base)
    if not base.set_by:
        yield from endings.endings(base)
    yield from endings.gone(base)
    yield from consequences.by_ending(base)
    for other in others:
        yield from consequences.by_option(base, other)
    yield from grounds.judgement(base)
    yield from grounds.drivers(base)
    yield from grounds.next_decision(base)
