"""How results are shown: the answer first, then a short table by topic; or as JSON or CSV."""

from __future__ import annotations

import json
import math
import sys
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from typer import Option

from simlib.cli.folding import folded, paragraph, width
from simlib.cli.streams import say
from simlib.errors import Problem, ScenarioError
from simlib.files import csv_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from simlib.answers import Answer
    from simlib.answers.short_table import ShortLine
    from simlib.ensemble import Ensemble

Form: TypeAlias = Literal["short", "all", "json", "csv"]
"""What is written: a short table or all of it, for people; or for scripts."""
PEOPLE: tuple[Form, ...] = ("short", "all")
"""What people read; a script reads the others, and they have the output to themselves."""

Json = Annotated[bool, Option("--json", help="Answer and table as JSON, and nothing else.")]
Csv = Annotated[bool, Option("--csv", help="The whole table as CSV, and nothing else.")]


def form_of(*, every: bool, as_json: bool, as_csv: bool) -> Form:
    """What is asked for.

    Raises
    ------
    ScenarioError
        More than one is.
    """
    forms: dict[Form, bool] = {"all": every, "json": as_json, "csv": as_csv}
    asked = [form for form, is_asked in forms.items() if is_asked]
    if len(asked) > 1:
        rule = "give one of --all, --json and --csv"
        raise ScenarioError([Problem("output", rule)])
    return asked[0] if asked else "short"


def show_results(ensemble: Ensemble, form: Form = "short") -> None:
    """Write the answer and the outcome table of each option."""
    if form == "json":
        _write_json(ensemble)
    elif form == "csv":
        sys.stdout.write(csv_bytes(_records(ensemble)).decode())
    else:
        _show_answer(ensemble)
        _show_tables(ensemble, is_every=form == "all")


def _show_answer(ensemble: Ensemble) -> None:
    from simlib.answers import answer

    found: Answer = answer(ensemble)
    if not found.asks:
        return
    paragraph(found.asks)
    for topic, statements in found.by_topic().items():
        say("")
        paragraph(topic)
        for each in statements:
            paragraph(each.text, "  ")
    say("")


def _show_tables(ensemble: Ensemble, *, is_every: bool) -> None:
    from simlib.answers.short_table import lines_of, shown_outcomes

    every = tuple(ensemble.manifest["outcomes"])
    chosen = every if is_every else shown_outcomes(ensemble)
    for option in ensemble.options:
        part = ensemble.of(option)
        count = f"{part.n - part.n_failed:,} of {part.n:,} replications"
        title = f"{ensemble.name}{f', {option}' if option else ''}: {count}"
        paragraph(f"{title}, root seed {ensemble.root_seed}")
    for line in table_lines(list(lines_of(ensemble, chosen)), is_named=is_every):
        say(line)
    say("")
    note = "Estimates with their 95 % interval; 5 to 95 %: of the histories."
    if len(chosen) < len(every):
        note += f" {len(chosen)} of {len(every)} outcomes: --all shows every one."
    paragraph(note)


def table_lines(lines: Sequence[ShortLine], *, is_named: bool = False) -> Iterator[str]:
    """Iterate over the lines of a table by topic: label, estimate, 5 and 95 % points."""
    estimates = [line.estimate for line in lines]
    spreads = [line.spread for line in lines]
    # The label has what the numbers leave, and at least two fifths.
    most = (width() - 4) * 3 // 5
    second = min(max(map(len, ["5 to 95 %", *spreads])), most // 2)
    first = min(max(map(len, ["estimate", *estimates])), most - second)
    widths = (width() - 4 - first - second, first, second)
    yield from _row(("", "estimate", "5 to 95 %"), widths)
    for topic, own in groupby(lines, key=lambda line: line.topic):
        yield from _row((topic or "Outcomes", "", ""), (width(), 0, 0))
        for name, rows in groupby(own, key=lambda line: line.outcome):
            yield from _outcome_rows(list(rows), widths, f" [{name}]" if is_named else "")


def _outcome_rows(
    rows: Sequence[ShortLine], widths: tuple[int, int, int], name: str
) -> Iterator[str]:
    """Iterate over the rows of an outcome; each class or option has one below its label."""
    label = f"{rows[0].label}{name}"
    if not rows[0].part:
        yield from _row((label, rows[0].estimate, rows[0].spread), widths, "  ")
        return
    yield from _row((label, "", ""), (width(), 0, 0), "  ")
    for row in rows:
        yield from _row((row.part, row.estimate, row.spread), widths, "    ")


def _row(
    cells: tuple[str, str, str], widths: tuple[int, int, int], indent: str = ""
) -> Iterator[str]:
    """Iterate over the lines of a row: cells are folded, and nothing is cut off."""
    label, *numbers = cells
    columns = [folded(label, widths[0], indent)]
    columns += [folded(text, n) for text, n in zip(numbers, widths[1:], strict=True)]
    for i in range(max(map(len, columns))):
        parts = [lines[i] if i < len(lines) else "" for lines in columns]
        padded = (part.ljust(n) for part, n in zip(parts, widths, strict=True))
        yield "  ".join(padded).rstrip()


def _records(ensemble: Ensemble) -> Any:
    """The whole table with labels and topics; no mean of those that happen to be settled."""
    table = ensemble.table()
    topics = {name: topic for topic, names in ensemble.topics.items() for name in names}
    table.insert(0, "topic", table["outcome"].map(topics))
    table.insert(1, "label", table["outcome"].map(ensemble.labels))
    table.loc[table["n_censored"] > 0, ["mean", "mc_error", "low", "high"]] = math.nan
    return table


def _write_json(ensemble: Ensemble) -> None:
    from simlib.answers import answer

    found = answer(ensemble)
    content = {
        "name": ensemble.name,
        "context_of_use": ensemble.manifest["context_of_use"],
        "question": found.asks,
        "answer": [
            {"topic": each.topic, "text": each.text, "outcomes": list(each.outcomes)}
            for each in found.statements
        ],
        "outcomes": [_plain(row) for row in _records(ensemble).to_dict("records")],
        "options": list(ensemble.options),
        "replications": ensemble.n,
        "failed": ensemble.n_failed,
        "root_seed": ensemble.root_seed,
        "digest": ensemble.digest,
    }
    sys.stdout.write(json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n")


def _plain(row: dict[Any, Any]) -> dict[str, Any]:
    """A row as JSON knows it: what is no number, and what lies after the end, is null."""
    items: Iterable[tuple[str, Any]] = ((str(key), value) for key, value in row.items())
    return {
        key: None if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in items
    }
