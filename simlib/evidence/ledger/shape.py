"""The shape of a ledger: what its head and its questions must hold, whoever sealed them.

Hashes say that nothing was changed since a ledger was frozen, not that what was frozen makes
sense: whoever writes one by other means may seal anything.
"""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from pydantic import Field

from simlib.errors import ScenarioError
from simlib.evidence.ledger.base_rates import LARGEST, LEVELS
from simlib.scenario.fitting import fitted
from simlib.scenario.nodes import from_python
from simlib.scenario.schema import Model, Name
from simlib.scenario.wording import bare, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_Fitted = TypeVar("_Fitted", bound=Model)
_ROUNDED = 1e-3
"""Probabilities are rounded: their sum is this near to 1."""


class Stated(Model):
    """A probability that was seen in the replications, with its 95 % interval."""

    probability: float
    interval: tuple[float, float]


class FrozenForecast(Model):
    """What the replications say: a probability, classes, or quantiles of a number."""

    n: int = Field(ge=1)
    probability: float | None = None
    interval: tuple[float, float] | None = None
    classes: dict[Name, Stated] | None = None
    mean: float | None = None
    mc_error: float | None = None
    cap: float | None = None
    quantiles: tuple[float, ...] | None = None


class FrozenBase(Model):
    """What history alone says of the same."""

    source: str
    probability: float | None = None
    classes: dict[Name, float] | None = None
    quantiles: tuple[float, ...] | None = None


class FrozenQuestion(Model):
    """One question of a ledger."""

    id: Name
    text: str
    kind: Literal["binary", "classes", "number"]
    resolves_on: dt.date
    earliest: dt.date
    source: str
    forecast: FrozenForecast
    base: FrozenBase
    sha256: str


class Head(Model):
    """What a ledger holds besides its questions."""

    simlib_ledger: Literal[1]
    scenario: Name
    scenario_digest: str
    result_digest: str
    root_seed: int = Field(ge=0)
    replications: int = Field(ge=1)
    failed: int = Field(ge=0)
    as_of: dt.date
    simlib: str
    context_of_use: str
    note: str
    levels: tuple[float, ...]
    dated: dt.date | None = None
    digest: str


_FORMS = {"binary": "probability", "classes": "classes", "number": "quantiles"}
"""Kind of a question -> the key of its forecast and of its base rate that says it."""


def broken_rules(ledger: Mapping[str, Any]) -> Iterator[str]:
    """Iterate over what is wrong with a ledger, each with the id of its question."""
    head, rules = _fitted(Head, {key: v for key, v in ledger.items() if key != "questions"})
    yield from rules
    if head is not None and head.levels != tuple(LEVELS.tolist()):
        yield f"levels: must be the {len(LEVELS)} levels of simlib (got {len(head.levels)})"
    questions = ledger["questions"]
    if not isinstance(questions, list) or not questions:
        yield "questions: must be a list of at least one"
        return
    names: set[str] = set()
    for i, given in enumerate(questions):
        question, rules = _fitted(FrozenQuestion, given)
        name = given.get("id") if isinstance(given, dict) else None
        which = f"question {bare(name)}" if isinstance(name, str) else f"question {i + 1}"
        yield from (f"{which}: {rule}" for rule in rules)
        if question is not None:
            yield from (f"{which}: {rule}" for rule in _of_question(question))
            if question.id in names:
                yield f"{which}: id: stands twice"
            names.add(question.id)


def _fitted(model: type[_Fitted], given: object) -> tuple[_Fitted | None, list[str]]:
    """Return a model of what stands in a file, or what is wrong with it."""
    try:
        found, log = fitted(model, from_python(given))
    except ScenarioError as error:
        return None, [str(error)]
    rules = [str(problem) for problem in log.problems]
    return (None if rules else found), rules


def _of_question(question: FrozenQuestion) -> Iterator[str]:
    if question.earliest > question.resolves_on:
        yield f"earliest: must not be after resolves_on (got {question.earliest})"
    key = _FORMS[question.kind]
    both = (("forecast", question.forecast), ("base", question.base))
    for name, said in both:
        given = [form for form in _FORMS.values() if getattr(said, form) is not None]
        if given != [key]:
            got = ", ".join(given) or "none"
            yield f"{name}: must have {key} where the kind is {question.kind} (got {got})"
        else:
            rules = _of_quantiles(said) if key == "quantiles" else _of_law(said)
            yield from (f"{name}.{key}{rule}" for rule in rules)
    if question.forecast.classes is not None and question.base.classes is not None:
        lacking = question.forecast.classes.keys() ^ question.base.classes.keys()
        if lacking:
            yield f"base.classes: must be those of the forecast (got {shown(min(lacking))} in one)"
    if question.forecast.cap is not None and abs(question.forecast.cap) > LARGEST:
        yield f"forecast.cap: must be at most {LARGEST:g} (got {question.forecast.cap:g})"


def _of_law(said: FrozenForecast | FrozenBase) -> Iterator[str]:
    """Iterate over what is wrong with probabilities, of a yes or of classes."""
    if said.classes is None:
        law = {"": said.probability or 0.0}
    else:
        law = {
            f".{bare(name)}": entry.probability if isinstance(entry, Stated) else entry
            for name, entry in said.classes.items()
        }
        total = sum(law.values())
        if abs(total - 1.0) > _ROUNDED:
            yield f": must sum to 1 (got {total:.10g})"
    for name, probability in law.items():
        if not 0.0 <= probability <= 1.0:
            yield f"{name}: must be between 0 and 1 (got {probability:g})"


def _of_quantiles(said: FrozenForecast | FrozenBase) -> Iterator[str]:
    quantiles = said.quantiles or ()
    if len(quantiles) != len(LEVELS):
        yield f": must be {len(LEVELS)}, one for each level (got {len(quantiles)})"
    elif any(low > high for low, high in pairwise(quantiles)):
        yield ": must not fall from one level to the next"
    elif max(map(abs, quantiles)) > LARGEST:
        yield f": must be from -{LARGEST:g} to {LARGEST:g} (got {max(quantiles, key=abs):g})"
