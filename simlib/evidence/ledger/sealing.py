"""Ledgers as files: canonical text, hashes, and the refusal of what was changed since.

Every question is hashed over its canonical JSON (sorted keys, no spaces, UTF-8), and the ledger
over its head and the hashes of its questions. So a change shows, and shows where. Someone who
changes a question can also renew the hashes: what cannot be renewed is the ledger's digest, once
it stands in a commit or in print. The day of writing is not hashed, so that the same run gives
the same digest on any day; who published the digest, and when, is what dates a ledger.

Hashes say that nothing was changed since a ledger was frozen, not that what was frozen makes
sense: whoever writes one by other means may seal anything. So its shape is checked too.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
from itertools import islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from pydantic import Field

from simlib.errors import ScenarioError, SimlibError
from simlib.evidence.ledger.base_rates import LARGEST, LEVELS
from simlib.files import canonical, raising, read_regular, write_whole
from simlib.scenario.fitting import fitted
from simlib.scenario.nodes import from_python
from simlib.scenario.schema import Model, Name
from simlib.scenario.wording import bare, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_Fitted = TypeVar("_Fitted", bound=Model)

SCHEMA = 1
MOST_BYTES = 20_000_000
MOST_PROBLEMS = 20
_ROUNDED = 1e-3
"""Probabilities are rounded: their sum is this near to 1."""
_OUTSIDE = ("digest", "dated", "questions")
"""What the hash of the head leaves out: itself, the day of writing, what has hashes of its own."""


class LedgerError(SimlibError):
    """A ledger cannot be read or written, or is not what was frozen."""


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
    under: Name = "observed"
    """The option that it is conditional on: it resolves only if that came about."""
    sha256: str


class LedgerHead(Model):
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
    branches: dict[Name, str] = Field(default_factory=dict)
    """Digest of the results by option that questions are conditional on."""
    digest: str


_FORMS = {"binary": "probability", "classes": "classes", "number": "quantiles"}
"""Kind of a question -> the key of its forecast and of its base rate that says it."""


def question_hash(question: Mapping[str, Any]) -> str:
    """The SHA-256 of a question without the hash it carries."""
    return _sha256({key: value for key, value in question.items() if key != "sha256"})


def digest_of(ledger: Mapping[str, Any]) -> str:
    """The digest of a ledger: its head, and its questions in their order."""
    head = {key: value for key, value in ledger.items() if key not in _OUTSIDE}
    return _sha256([head, [question["sha256"] for question in ledger["questions"]]])


def sealed(head: Mapping[str, Any], questions: list[dict[str, Any]]) -> dict[str, Any]:
    """A ledger with its hashes."""
    hashed = [{**question, "sha256": question_hash(question)} for question in questions]
    ledger = {"simlib_ledger": SCHEMA, **head, "questions": hashed}
    return {**ledger, "digest": digest_of(ledger)}


def text_of(ledger: Mapping[str, Any]) -> str:
    """A ledger as text: a line for each entry of the head and for each question."""
    lines = [
        f" {json.dumps(key)}: {json.dumps(value, ensure_ascii=False, allow_nan=False)},"
        for key, value in ledger.items()
        if key != "questions"
    ]
    rows = ",\n".join(f"  {canonical(question)}" for question in ledger["questions"])
    return "\n".join(["{", *lines, ' "questions": [', rows, " ]", "}", ""])


def refuse_overwriting(path: Path, *, overwrite: bool) -> None:
    """Refuse to write over a file, unless that is what is wanted."""
    if os.path.isfile(path) and not overwrite:  # noqa: PTH113  (a name may be too long)
        raise LedgerError(f"{path}: there is a file already; a ledger is not written over")


def write_ledger(
    ledger: Mapping[str, Any], path: str | os.PathLike[str], *, overwrite: bool = False
) -> None:
    """Write a ledger, whole or not at all.

    Raises
    ------
    LedgerError
        There is a file already.
    StoreError
        It cannot be written.
    """
    file = Path(path)
    refuse_overwriting(file, overwrite=overwrite)
    write_whole(file, text_of(ledger).encode())


def read_ledger(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a ledger and verify every hash.

    Raises
    ------
    LedgerError
        It is no ledger, or a question or the head is not what was frozen; the first question
        that was changed is named. Or what was frozen is no forecast: a line for each mistake.
    """
    ledger = _parsed(Path(path))
    try:
        _verify(ledger, str(path))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise LedgerError(f"{path}: is no ledger of simlib ({error})") from error
    broken = [f"{path}: {rule}" for rule in islice(_broken_rules(ledger), MOST_PROBLEMS)]
    if broken:
        raise LedgerError("\n".join(broken))
    return ledger


def _verify(ledger: dict[str, Any], path: str) -> None:
    if ledger["simlib_ledger"] != SCHEMA:
        got = ledger["simlib_ledger"]
        raise LedgerError(f"{path}: ledgers of schema {SCHEMA} are read (got {got})")
    for question in ledger["questions"]:
        if question["sha256"] != question_hash(question):
            raise LedgerError(f"{path}: question {question['id']} was changed after it was frozen")
    if ledger["digest"] != digest_of(ledger):
        rule = "the head, or which questions there are and their order, was changed"
        raise LedgerError(f"{path}: {rule} after it was frozen")


def _parsed(path: Path) -> dict[str, Any]:
    data = read_regular(path, MOST_BYTES, refuse=raising(LedgerError))
    try:
        found = json.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise LedgerError(f"{path}: cannot be read as JSON ({error})") from error
    if not isinstance(found, dict) or "simlib_ledger" not in found:
        raise LedgerError(f"{path}: is no ledger of simlib")
    return found


def _sha256(value: Any) -> str:
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def _broken_rules(ledger: Mapping[str, Any]) -> Iterator[str]:
    """Iterate over what is wrong with a ledger, each with the id of its question."""
    head, rules = _fitted(LedgerHead, {key: v for key, v in ledger.items() if key != "questions"})
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
    """A model of what stands in a file, or what is wrong with it."""
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
    for name, frozen in both:
        given = [form for form in _FORMS.values() if getattr(frozen, form) is not None]
        if given != [key]:
            got = ", ".join(given) or "none"
            yield f"{name}: must have {key} where the kind is {question.kind} (got {got})"
        else:
            rules = _of_quantiles(frozen) if key == "quantiles" else _of_law(frozen)
            yield from (f"{name}.{key}{rule}" for rule in rules)
    if question.forecast.classes is not None and question.base.classes is not None:
        lacking = question.forecast.classes.keys() ^ question.base.classes.keys()
        if lacking:
            yield f"base.classes: must be those of the forecast (got {shown(min(lacking))} in one)"
    if question.forecast.cap is not None and abs(question.forecast.cap) > LARGEST:
        yield f"forecast.cap: must be at most {LARGEST:g} (got {question.forecast.cap:g})"


def _of_law(frozen: FrozenForecast | FrozenBase) -> Iterator[str]:
    """Iterate over what is wrong with probabilities, of a yes or of classes."""
    if frozen.classes is None:
        law = {"": frozen.probability or 0.0}
    else:
        law = {
            f".{bare(name)}": entry.probability if isinstance(entry, Stated) else entry
            for name, entry in frozen.classes.items()
        }
        total = sum(law.values())
        if abs(total - 1.0) > _ROUNDED:
            yield f": must sum to 1 (got {total:.10g})"
    for name, probability in law.items():
        if not 0.0 <= probability <= 1.0:
            yield f"{name}: must be between 0 and 1 (got {probability:g})"


def _of_quantiles(frozen: FrozenForecast | FrozenBase) -> Iterator[str]:
    quantiles = frozen.quantiles or ()
    if len(quantiles) != len(LEVELS):
        yield f": must be {len(LEVELS)}, one for each level (got {len(quantiles)})"
    elif any(low > high for low, high in pairwise(quantiles)):
        yield ": must not fall from one level to the next"
    elif max(map(abs, quantiles)) > LARGEST:
        yield f": must be from -{LARGEST:g} to {LARGEST:g} (got {max(quantiles, key=abs):g})"
