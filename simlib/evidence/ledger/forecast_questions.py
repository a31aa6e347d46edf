"""Questions that resolve: what is asked, what answers it, when, and what history alone says."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from simlib.evidence.ledger.base_rates import LARGEST, BaseRate, broken_base
from simlib.outcomes.planning import kind_of
from simlib.scenario import bundled
from simlib.scenario.checking import check_references
from simlib.scenario.context import CLASSES, Context
from simlib.scenario.fitting import read_model
from simlib.scenario.outcome_rules import check_outcome
from simlib.scenario.schema import Model, Name, Outcome
from simlib.scenario.wording import near_or_all, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simlib.scenario.nodes import Path
    from simlib.scenario.schema import Scenario

    BrokenRule = tuple[str, str, str]
    """Key of a question, what must hold of it, and a hint."""

FEWEST_WORDS = 5
"""A question of fewer words cannot say what counts."""


class ForecastQuestion(Model):
    """One question, written so that two people who see the same sources agree on its answer."""

    text: str
    """What exactly counts."""
    kind: Literal["binary", "classes", "number"]
    outcome: Name | None = None
    """An outcome of the scenario that answers it (exactly one of this and `reads`)."""
    reads: Outcome | None = None
    """An outcome of its own."""
    at_least: float | None = None
    """Of a binary question about a number: yes where it is so large."""
    cap: float | None = None
    """Of a number: what is larger, or not settled by the horizon, counts as this."""
    resolves_on: dt.date
    earliest: dt.date | None = None
    """First day on which the answer may be certain; `resolves_on` when not given."""
    source: str
    """By whose account it resolves."""
    base: BaseRate
    under: tuple[Name, ...] = ()
    """Options under which it is asked once more: a forecast of what follows if that comes."""


class Questionnaire(Model):
    """Questions by id."""

    questions: dict[Name, ForecastQuestion]
    conditions: dict[Name, str] = Field(default_factory=dict)
    """How one tells that an option came about: by option."""
    note: str = ""

    def outcomes_of(self, scenario: Scenario) -> dict[str, tuple[str, Outcome]]:
        """The outcome each question reads, with its name in `extended`."""
        found = {}
        for name, question in self.questions.items():
            if question.reads is not None:
                found[name] = (f"question.{name}", question.reads)
            else:
                given = str(question.outcome)
                found[name] = (given, scenario.outcomes[given])
        return found

    def options(self) -> tuple[str, ...]:
        """The options that questions are asked under, in order of their names."""
        return tuple(sorted({name for q in self.questions.values() for name in q.under}))

    def extended(self, scenario: Scenario) -> Scenario:
        """A scenario that counts what the questions ask besides its own outcomes."""
        own = dict(self.outcomes_of(scenario).values())
        return scenario.model_copy(update={"outcomes": {**scenario.outcomes, **own}})


def load_questions(
    scenario: Scenario,
    questions: Questionnaire | Mapping[str, Any] | str | os.PathLike[str] | None = None,
) -> Questionnaire:
    """Questions that a scenario can answer.

    Parameters
    ----------
    scenario
        Has the outcomes, or the vocabulary for them.
    questions
        A mapping as in a file, or the path of a YAML or JSON file; those that come with
        simlib, about the reference scenario, when not given.

    Raises
    ------
    ScenarioError
        With every problem that was found, each with its line.
    """
    if isinstance(questions, Questionnaire):
        questions = questions.model_dump(exclude_none=True, by_alias=True)
    shipped = bundled.folder("seeds") / "questions.yaml"
    found, log = read_model(Questionnaire, shipped if questions is None else questions)
    if not log.problems:
        _check(found, Context(scenario, log))
    log.refuse()
    return found


def _check(questionnaire: Questionnaire, context: Context) -> None:
    """Note everything that is wrong with questions, each with its line."""
    if not questionnaire.questions:
        context.log.add(context.log.tree, ("questions",), "must hold at least one question")
    for name, question in questionnaire.questions.items():
        path = ("questions", name)
        for key, rule, hint in _broken(context, path, question):
            context.log.add_at((*path, *key.split(".")), rule, hint)
        for rule, hint in _broken_options(question, questionnaire, context.scenario):
            context.log.add_at((*path, "under"), rule, hint)


def _broken(context: Context, path: Path, question: ForecastQuestion) -> Iterator[BrokenRule]:
    scenario, outcome = context.scenario, None
    if len(question.text.split()) < FEWEST_WORDS:
        yield "text", f"must say what counts (got {shown(question.text)})", ""
    yield from _broken_dates(question, scenario)
    if (question.outcome is None) == (question.reads is None):
        yield "outcome", "must have exactly one of outcome and reads", ""
    elif question.reads is not None:
        outcome = _sound(context, (*path, "reads"), question.reads)
    elif (name := str(question.outcome)) in scenario.outcomes:
        outcome = scenario.outcomes[name]
    else:
        hint = near_or_all(name, scenario.outcomes)
        yield "outcome", f"undefined outcome (got {shown(name)})", hint
    if outcome is not None:
        yield from _broken_kind(question, outcome)
    # An outcome of a deadline may have every class of one.
    classes = CLASSES if outcome is not None and outcome.milestone is not None else ()
    yield from ((key, rule, "") for key, rule in broken_base(question.base, question.kind, classes))


def _broken_options(
    question: ForecastQuestion, asked: Questionnaire, scenario: Scenario
) -> Iterator[tuple[str, str]]:
    for option in question.under:
        if option not in scenario.options:
            hint = near_or_all(option, scenario.options)
            yield f"undefined option (got {shown(option)})", hint
        elif option not in asked.conditions:
            yield f"conditions must say how one tells that {shown(option)} came about", ""


def _broken_dates(question: ForecastQuestion, scenario: Scenario) -> Iterator[BrokenRule]:
    as_of = scenario.as_of or scenario.start
    earliest = question.earliest or question.resolves_on
    if question.resolves_on <= as_of:
        rule = f"must be after what is known, {as_of} (got {question.resolves_on})"
        yield "resolves_on", rule, ""
    if not as_of < earliest <= question.resolves_on:
        rule = f"must be after {as_of} and not after resolves_on (got {earliest})"
        yield "earliest", rule, ""


def _sound(context: Context, path: Path, outcome: Outcome) -> Outcome | None:
    """A question's own outcome, where nothing is wrong with it; note what is."""
    before = len(context.log.problems)
    check_outcome(context, path, outcome)
    check_references(context, path)
    return outcome if len(context.log.problems) == before else None


def _broken_kind(question: ForecastQuestion, outcome: Outcome) -> Iterator[BrokenRule]:
    kind, is_deadline = kind_of(outcome), outcome.milestone is not None
    needs = {"flag": "binary", "class": "classes", "number": "number"}[kind]
    is_cut = kind == "number" and question.at_least is not None
    wanted = "binary" if is_cut else needs
    if question.kind != wanted:
        hint = "give at_least" if (question.kind, kind) == ("binary", "number") else ""
        yield "kind", f"must be {wanted}: so is the outcome (got {question.kind})", hint
    if question.at_least is not None and (kind != "number" or is_deadline):
        yield "at_least", "must be given for a number only, and not for a deadline's", ""
    if is_deadline and question.kind == "number" and question.cap is None:
        yield "cap", "must be given: the deadline may not be settled by the horizon", ""
    if question.cap is not None and question.kind != "number":
        yield "cap", "must be given for a number only", ""
    if question.cap is not None and abs(question.cap) > LARGEST:
        yield "cap", f"must be at most {LARGEST:g} (got {question.cap:g})", ""
