"""What each sentence of the founding article moves in the model: paired effects of one lever each.

`seeds/article_levers.yaml` has the sentences in our own words, with a lever, the outcomes it
should move and in which direction. All levers meet the same base under the same luck.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, Unpack

import numpy as np

from simlib.analysis.comparison.paired_effects import Subject, effect_of
from simlib.ensemble import run
from simlib.finding import Finding
from simlib.scenario import load
from simlib.scenario.bundled import folder
from simlib.scenario.fitting import read_model
from simlib.scenario.schema import Model, Name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from simlib.analysis.comparison.paired_effects import PairedEffect
    from simlib.ensemble import Ensemble
    from simlib.ensemble.execution import Running
    from simlib.scenario.schema import Scenario

Direction: TypeAlias = Literal["up", "down"]
Verdict: TypeAlias = Literal["as expected", "not seen", "the other way"]

BASE = "as_agreed"
"""The scenario, and its option, that every lever is compared with."""
EXTENDED = "iraq_end_class.formally_extended"
REPLICATIONS = 400
MOST_UNSEEN = 3
"""So many sentences may have no effect that is seen, each with its reason."""


class Lever(Model):
    """What is changed: an option of a scenario that extends the base, under the same luck."""

    scenario: Name = "article"
    option: Name = BASE


class ArticleSentence(Model):
    """A sentence of the article in our own words, and what it should do in the model."""

    says: str
    facts: tuple[Name, ...]
    """Ids in `seeds/article.yaml`."""
    lever: Lever
    moves: dict[str, Direction]
    """Outcomes that the lever should move, none of them its own headcount."""
    why: str
    """On what the direction rests: the article, or literature."""
    unseen: str = ""
    """Why no effect is seen, where none is."""


class ArticleSentences(Model):
    """Sentences by id."""

    sentences: dict[Name, ArticleSentence]


@dataclass(frozen=True, slots=True)
class Moved:
    """What one lever does to one outcome, beside what it should."""

    effect: PairedEffect
    expected: Direction

    @property
    def verdict(self) -> Verdict:
        """Whether the interval leaves out zero, and on which side."""
        if not self.effect.is_clear:
            return "not seen"
        is_up = self.effect.effect > 0.0
        return "as expected" if is_up == (self.expected == "up") else "the other way"


@dataclass(frozen=True)
class ArticleAlive(Finding):
    """Every sentence of the article with what its lever moves.

    Attributes
    ----------
    sentences_of
        The sentences, by id.
    moved
        What was expected of each, by id, with the effect that is seen.
    others
        Every effect of each that is clear, by id, expected or not.
    extended
        What each does to the probability of a formal extension, by id.
    levers
        What each lever is, in words, by id.
    n
        Pairs of replications.
    digest
        Of the results of the base: whoever makes the page again gets the same.
    """

    stem = "article"

    sentences_of: Mapping[str, ArticleSentence]
    moved: Mapping[str, tuple[Moved, ...]]
    others: Mapping[str, tuple[PairedEffect, ...]]
    extended: Mapping[str, PairedEffect]
    levers: Mapping[str, str]
    n: int
    digest: str

    def unseen(self) -> tuple[str, ...]:
        """Sentences of which no effect is seen as expected, or one goes the other way."""
        return tuple(
            name
            for name, moved in self.moved.items()
            if not any(each.verdict == "as expected" for each in moved)
            or any(each.verdict == "the other way" for each in moved)
        )

    def sentences(self) -> Sequence[str]:
        """How many sentences are seen to move what they should, and which are not."""
        unseen = self.unseen()
        n = len(self.moved)
        said = [f"{n - len(unseen)} of {n} sentences move what they should, in {self.n} pairs each"]
        reasons = {name: self.sentences_of[name].unseen or "no reason is given" for name in unseen}
        return [*said, *(f"not seen: {name}: {reason}" for name, reason in reasons.items())]

    def table(self) -> pd.DataFrame:
        """A row for each outcome of each sentence."""
        import pandas as pd

        rows = [
            {"sentence": name, "expected": each.expected, "verdict": each.verdict}
            | each.effect.row()
            for name, moved in self.moved.items()
            for each in moved
        ]
        return pd.DataFrame(rows)


def article_sentences() -> dict[str, ArticleSentence]:
    """The sentences that come with simlib, by id.

    Raises `ScenarioError` where the file is not as it should be.
    """
    found, log = read_model(ArticleSentences, folder("seeds") / "article_levers.yaml")
    log.refuse()
    return found.sentences


def article_alive(
    sentences: Mapping[str, ArticleSentence] | None = None,
    *,
    replications: int = REPLICATIONS,
    **running: Unpack[Running],
) -> ArticleAlive:
    """Simulate the base once and each lever as often, pair by pair.

    Parameters
    ----------
    sentences
        Those of the article, when not given.
    replications
        Pairs of each.
    running
        What else `simlib.run` takes; a directory has a folder for each scenario.
    """
    chosen = article_sentences() if sentences is None else dict(sentences)
    options: dict[str, list[str]] = {BASE: [BASE]}
    for sentence in chosen.values():
        own = options.setdefault(sentence.lever.scenario, [])
        if sentence.lever.option not in own:
            own.append(sentence.lever.option)
    found = {
        scenario: run(
            scenario, options=names, replications=replications, **_below(scenario, running)
        )
        for scenario, names in options.items()
    }
    base = found[BASE].of(BASE)
    effects = {
        name: paired_effects(base, found[sentence.lever.scenario].of(sentence.lever.option))
        for name, sentence in chosen.items()
    }
    return ArticleAlive(
        sentences_of=chosen,
        moved={
            name: tuple(Moved(effects[name][outcome], to) for outcome, to in sentence.moves.items())
            for name, sentence in chosen.items()
        },
        others={n: tuple(e for e in own.values() if e.is_clear) for n, own in effects.items()},
        extended={name: own[EXTENDED] for name, own in effects.items()},
        levers={name: lever_in_words(sentence.lever) for name, sentence in chosen.items()},
        n=replications,
        digest=base.digest,
    )


def _below(scenario: str, running: Running) -> Running:
    """How to run a scenario: in a folder of its own, where a directory is given."""
    directory = running.get("directory")
    return running if directory is None else {**running, "directory": Path(directory) / scenario}


@functools.cache
def lever_scenario(name: str) -> Scenario:
    """A scenario of levers, read once: many levers are options of one."""
    return load(name)


def lever_in_words(lever: Lever) -> str:
    """What a lever is: what its option says, or what its scenario asks."""
    scenario = lever_scenario(lever.scenario)
    if lever.option != BASE:
        return scenario.options[lever.option].description
    return scenario.context_of_use.partition("?")[0] + "?"


def paired_effects(base: Ensemble, other: Ensemble) -> dict[str, PairedEffect]:
    """The effect on every outcome that both have, classes apart, by name."""
    both = base.outcomes.index.intersection(other.outcomes.index)
    found = {}
    for outcome, about in base.manifest["outcomes"].items():
        if outcome not in other.manifest["outcomes"]:
            continue
        sides = [each.outcomes.loc[both, outcome].to_numpy() for each in (base, other)]
        for category in about["classes"] or ("",):
            subject = Subject("", outcome, category, about["kind"], about["unit"])
            effect = effect_of(subject, *(_numbers(side, category) for side in sides))
            found[effect.name] = effect
    return found


def _numbers(values: NDArray[Any], category: str) -> NDArray[np.float64]:
    """Numbers as they are; of classes 1 where it is the one meant."""
    return np.asarray(values == category if category else values, dtype=np.float64)
