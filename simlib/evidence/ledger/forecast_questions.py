"""Questions that resolve: what is asked, what answers it, when, and what history alone says."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

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
    from simlib.scenario.schema import Scenario

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


class Questionnaire(Model):
    """Questions by id."""

    questions: dict[Name, ForecastQuestion]
    note: str = ""

    def outcomes_of(self, scenario: Scenario) -> dict[str, tuple[str, Outcome]]:
        """Return the outcome each question reads, with its name in `extended`."""
        found = {}
        for name, question in self.questions.items():
            if question.reads is not None:
                found[name] = (f"question.{name}", question.reads)
            else:
                given = str(question.outcome)
                found[name] = (given, scenario.outcomes[given])
        return found

    def extended(self, scenario: Scenario) -> Scenario:
        """Return a scenario that counts what the questions ask besides its own outcomes."""
        own = dict(self.outcomes_of(scenario).values())
        return scenario.model_copy(update={"outcomes": {**scenario.outcomes, **own}})


def load_questions(
    scenario: Scenario,
    questions: Questionnaire | Mapping[str, Any] | str | os.PathLike[str] | None = None,
) -> Questionnaire:
    """Return questions that a scenario can answer.

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


class _QuestionChecker:
    """Notes what is wrong with one question, with its line."""

    def __init__(self, context: Context, name: str, question: ForecastQuestion) -> None:
        self._context, self._question = context, question
        self._path = ("questions", name)

    def add(self, key: str, rule: str, hint: str = "") -> None:
        """Note a problem under a key of the question."""
        self._context.log.add_at((*self._path, *key.split(".")), rule, hint)

    def check(self) -> None:
        """Note everything."""
        question = self._question
        if len(question.text.split()) < FEWEST_WORDS:
            self.add("text", f"must say what counts (got {shown(question.text)})")
        self._check_dates()
        outcome = self._outcome()
        if outcome is not None:
            self._check_kind(outcome)
        classes = self.classes(outcome)
        for key, rule in broken_base(question.base, question.kind, classes):
            self.add(key, rule)

    @staticmethod
    def classes(outcome: Outcome | None) -> tuple[str, ...]:
        """Return the classes an outcome may have: every class of a deadline."""
        return CLASSES if outcome is not None and outcome.milestone is not None else ()

    def _check_dates(self) -> None:
        scenario, question = self._context.scenario, self._question
        as_of = scenario.as_of or scenario.start
        earliest = question.earliest or question.resolves_on
        if question.resolves_on <= as_of:
            rule = f"must be after what is known, {as_of} (got {question.resolves_on})"
            self.add("resolves_on", rule)
        if not as_of < earliest <= question.resolves_on:
            rule = f"must be after {as_of} and not after resolves_on (got {earliest})"
            self.add("earliest", rule)

    def _outcome(self) -> Outcome | None:
        question, scenario = self._question, self._context.scenario
        if (question.outcome is None) == (question.reads is None):
            self.add("outcome", "must have exactly one of outcome and reads")
            return None
        if question.reads is not None:
            before = len(self._context.log.problems)
            check_outcome(self._context, (*self._path, "reads"), question.reads)
            check_references(self._context, (*self._path, "reads"))
            is_sound = len(self._context.log.problems) == before
            return question.reads if is_sound else None
        if question.outcome not in scenario.outcomes:
            got = str(question.outcome)
            hint = near_or_all(got, scenario.outcomes)
            self.add("outcome", f"undefined outcome (got {shown(got)})", hint)
            return None
        return scenario.outcomes[question.outcome]

    def _check_kind(self, outcome: Outcome) -> None:
        question, kind = self._question, kind_of(outcome)
        needs = {"flag": "binary", "class": "classes", "number": "number"}[kind]
        is_cut = kind == "number" and question.at_least is not None
        wanted = "binary" if is_cut else needs
        if question.kind != wanted:
            hint = "give at_least" if (question.kind, kind) == ("binary", "number") else ""
            self.add("kind", f"must be {wanted}: so is the outcome (got {question.kind})", hint)
        is_deadline = outcome.milestone is not None
        if question.at_least is not None and (kind != "number" or is_deadline):
            self.add("at_least", "must be given for a number only, and not for a deadline's")
        if is_deadline and question.kind == "number" and question.cap is None:
            self.add("cap", "must be given: the deadline may not be settled by the horizon")
        if question.cap is not None and question.kind != "number":
            self.add("cap", "must be given for a number only")
        if question.cap is not None and abs(question.cap) > LARGEST:
            self.add("cap", f"must be at most {LARGEST:g} (got {question.cap:g})")


def _check(questionnaire: Questionnaire, context: Context) -> None:
    if not questionnaire.questions:
        context.log.add(context.log.tree, ("questions",), "must hold at least one question")
    for name, question in questionnaire.questions.items():
        _QuestionChecker(context, name, question).check()
