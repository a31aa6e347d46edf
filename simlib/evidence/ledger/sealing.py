"""Ledgers as files: canonical text, hashes, and the refusal of what was changed since.

Every question is hashed over its canonical JSON (sorted keys, no spaces, UTF-8), and the ledger
over its head and the hashes of its questions. So a change shows, and shows where. Someone who
changes a question can also renew the hashes: what cannot be renewed is the ledger's digest, once
it stands in a commit or in print. The day of writing is not hashed, so that the same run gives
the same digest on any day; who published the digest, and when, is what dates a ledger.
"""

from __future__ import annotations

import hashlib
import json
import os
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simlib.errors import SimlibError
from simlib.evidence.ledger.shape import broken_rules
from simlib.files import canonical, raising, read_regular, write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA = 1
MOST_BYTES = 20_000_000
MOST_PROBLEMS = 20
_OUTSIDE = ("digest", "dated", "questions")
"""What the hash of the head leaves out: itself, the day of writing, what has hashes of its own."""


class LedgerError(SimlibError):
    """A ledger cannot be read or written, or is not what was frozen."""


def question_hash(question: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a question without the hash it carries."""
    return _sha256({key: value for key, value in question.items() if key != "sha256"})


def digest_of(ledger: Mapping[str, Any]) -> str:
    """Return the digest of a ledger: its head, and its questions in their order."""
    head = {key: value for key, value in ledger.items() if key not in _OUTSIDE}
    return _sha256([head, [question["sha256"] for question in ledger["questions"]]])


def sealed(head: Mapping[str, Any], questions: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a ledger with its hashes."""
    hashed = [{**question, "sha256": question_hash(question)} for question in questions]
    ledger = {"simlib_ledger": SCHEMA, **head, "questions": hashed}
    return {**ledger, "digest": digest_of(ledger)}


def text_of(ledger: Mapping[str, Any]) -> str:
    """Return a ledger as text: a line for each entry of the head and for each question."""
    lines = [
        f" {json.dumps(key)}: {json.dumps(value, ensure_ascii=False, allow_nan=False)},"
        for key, value in ledger.items()
        if key != "questions"
    ]
    rows = ",\n".join(f"  {canonical(question)}" for question in ledger["questions"])
    return "\n".join(["{", *lines, ' "questions": [', rows, " ]", "}", ""])


def refuse_overwriting(path: Path, *, overwrite: bool) -> None:
    """Refuse to write over a file.

    Raises
    ------
    LedgerError
        There is one, and it was not said to.
    """
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
    broken = [f"{path}: {rule}" for rule in islice(broken_rules(ledger), MOST_PROBLEMS)]
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
