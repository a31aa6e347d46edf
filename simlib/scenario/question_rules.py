"""The question of a scenario: it is answered by a class or a yes/no, and claims say which."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simlib.scenario.context import Context
    from simlib.scenario.nodes import Path
    from simlib.scenario.schema import Outcome, Question


def check(context: Context) -> None:
    """Note what is wrong with the question, its references apart."""
    question = context.scenario.question
    if question is None:
        return
    outcome = context.scenario.outcomes.get(question.outcome)
    if outcome is not None:
        _check_answer(context, question, outcome)
    for i, name in enumerate(question.follows):
        followed = context.scenario.outcomes.get(name)
        if followed is not None and is_class(followed):
            context.add(("question", "follows", i), f"must be a number or a yes/no (got {name})")
    gone = context.scenario.outcomes.get(question.gone.outcome) if question.gone else None
    if gone is not None and gone.measure != "months_from_start":
        rule = "must be an outcome with the measure months_from_start"
        context.add(("question", "gone", "outcome"), rule)


def _check_answer(context: Context, question: Question, outcome: Outcome) -> None:
    has_classes = is_class(outcome)
    if not has_classes and outcome.posture is None:
        rule = f"must be a class or a yes/no (got {question.outcome})"
        context.add(("question", "outcome"), rule)
        return
    for i, claim in enumerate(question.claims):
        path: Path = ("question", "claims", i)
        if has_classes and not claim.classes:
            context.add((*path, "classes"), "must be given: the classes in which it is so")
        if not has_classes and claim.classes:
            context.add((*path, "classes"), "must be given for an outcome of classes only")
        for j, name in enumerate(claim.classes if outcome.classes else ()):
            context.expect((*path, "classes", j), "class", name, outcome.classes)
    for name in question.terms if outcome.classes else ():
        context.expect(("question", "terms", name), "class", name, outcome.classes)


def is_class(outcome: Outcome) -> bool:
    """Whether an outcome is a class of a milestone."""
    if outcome.milestone is None:
        return False
    return bool(outcome.classes) or outcome.measure in {None, "class"}
