"""What came: outcomes of questions from a CSV file, refused where they cannot be right."""

from __future__ import annotations

import csv
import datetime as dt
import io
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simlib.evidence.ledger.base_rates import LARGEST
from simlib.evidence.ledger.sealing import MOST_PROBLEMS, LedgerError
from simlib.files import raising, read_regular
from simlib.scenario.wording import near_or_all, shown

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

COLUMNS = ("id", "outcome")
ALSO = ("resolved_on", "source")
TRUTH = {"yes": 1.0, "no": 0.0, "1": 1.0, "0": 0.0, "true": 1.0, "false": 0.0}
MOST_BYTES = 1_048_576


@dataclass(frozen=True, slots=True)
class Resolution:
    """The answer to one question: 1 or 0, the name of a class, or a number; by whose account."""

    id: str
    outcome: float | str
    resolved_on: dt.date | None
    source: str


def read_resolutions(
    path: str | os.PathLike[str], ledger: Mapping[str, Any]
) -> dict[str, Resolution]:
    """Read outcomes, a row a question: ``id,outcome[,resolved_on,source]``.

    Parameters
    ----------
    path
        A CSV file with a heading.
    ledger
        The ledger that asks the questions.

    Raises
    ------
    LedgerError
        A line for each row that is wrong: an unknown or repeated id, a value of another
        kind, a day before the question could resolve.
    """
    rows = _rows(Path(path))
    questions = {question["id"]: question for question in ledger["questions"]}
    found: dict[str, Resolution] = {}
    problems = []
    for line, row in rows:
        try:
            resolution = _resolved(row, questions, ledger["as_of"])
        except LedgerError as error:
            problems.append(f"{path}:{line}: {error}")
            continue
        if resolution.id in found:
            problems.append(f"{path}:{line}: id: answered twice (got {shown(resolution.id)})")
        found[resolution.id] = resolution
    if problems:
        rest = len(problems) - MOST_PROBLEMS
        more = [f"and {rest} more"] if rest > 0 else []
        raise LedgerError("\n".join([*problems[:MOST_PROBLEMS], *more]))
    return found


def _rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    data = read_regular(path, MOST_BYTES, refuse=raising(LedgerError))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise LedgerError(f"{path}: must be UTF-8") from error
    reader = csv.reader(io.StringIO(text, newline=None), strict=True)
    try:
        head = next(reader, [])
        _check_head(head, path)
        rows = [
            (reader.line_num, _named(head, row, path, reader.line_num)) for row in reader if row
        ]
    except csv.Error as error:
        raise LedgerError(f"{path}:{reader.line_num}: cannot be read as CSV ({error})") from error
    return rows


def _check_head(head: Sequence[str], path: Path) -> None:
    unknown = [name for name in head if name not in {*COLUMNS, *ALSO}]
    if unknown or len(set(head)) < len(head) or not set(COLUMNS) <= set(head):
        wanted = f"{','.join(COLUMNS)}[,{','.join(ALSO)}]"
        raise LedgerError(f"{path}:1: the heading must be {wanted} (got {shown(','.join(head))})")


def _named(head: Sequence[str], row: Sequence[str], path: Path, line: int) -> dict[str, str]:
    if len(row) != len(head):
        raise LedgerError(f"{path}:{line}: must have {len(head)} fields (got {len(row)})")
    return {name: field.strip() for name, field in zip(head, row, strict=True)}


def _resolved(
    row: Mapping[str, str], questions: Mapping[str, dict[str, Any]], as_of: str
) -> Resolution:
    name = row["id"]
    if name not in questions:
        hint = near_or_all(name, questions)
        more = f"; {hint}" if hint else ""
        raise LedgerError(f"id: no such question (got {shown(name)}){more}")
    question = questions[name]
    day = _day(row.get("resolved_on", ""))
    _check_day(day, question, as_of)
    return Resolution(name, _value(row["outcome"], question), day, row.get("source", ""))


def _value(text: str, question: Mapping[str, Any]) -> float | str:
    if question["kind"] == "binary":
        if text.lower() not in TRUTH:
            raise LedgerError(f"outcome: must be yes or no (got {shown(text)})")
        return TRUTH[text.lower()]
    if question["kind"] == "classes":
        known = question["forecast"]["classes"]
        if text not in known:
            raise LedgerError(f"outcome: must be one of {', '.join(known)} (got {shown(text)})")
        return text
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or "_" in text:
        raise LedgerError(f"outcome: must be a number (got {shown(text)})")
    if abs(value) > LARGEST:
        raise LedgerError(f"outcome: must be from -{LARGEST:g} to {LARGEST:g} (got {shown(text)})")
    return value


def _day(text: str) -> dt.date | None:
    if not text:
        return None
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:
        raise LedgerError(f"resolved_on: must be a date such as 2025-12-31 (got {shown(text)})")
    return day


def _check_day(day: dt.date | None, question: Mapping[str, Any], as_of: str) -> None:
    limits = {
        "the day after what was known": dt.date.fromisoformat(as_of) + dt.timedelta(days=1),
        "it could be certain": dt.date.fromisoformat(question["earliest"]),
    }
    for what, limit in limits.items():
        if day is not None and day < limit:
            raise LedgerError(f"resolved_on: must not be before {what}, {limit} (got {day})")
