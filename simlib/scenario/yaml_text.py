"""YAML text to nodes: strictly, on the events of the C parser.

PyYAML's own constructors read YAML 1.1 (``NO`` is false, ``12:30`` is 750), take the last
of two equal keys and can be made to run for seconds by a few hundred bytes. Here every
scalar is read by YAML 1.2's core schema, and sizes are counted before anything is built.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

import yaml
from yaml._yaml import CParser

from simlib.errors import Problem, ScenarioError
from simlib.files import read_regular
from simlib.scenario.nodes import (
    MOST_DEPTH,
    MOST_NODES,
    FileMark,
    Mapping,
    Node,
    Path,
    Scalar,
    Sequence,
    core_value,
    mapping,
    problem_at,
    sequence,
)
from simlib.scenario.wording import bare, shown

MOST_BYTES = 1_048_576
"""Largest file that is read."""
MOST_PROBLEMS = 1000
"""After so many problems nothing more is looked for."""

_UNPRINTABLE = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)  # fmt: skip


@dataclass(slots=True)
class Budget:
    """Nodes that may still be read, shared by a file and all that it extends."""

    left: int = MOST_NODES


def read_file(path: FilePath, shown_as: str, budget: Budget) -> Mapping:
    """Read a file.

    Raises `ScenarioError` where it is not a regular file of at most `MOST_BYTES` bytes, or not
    readable YAML.
    """
    data = read_regular(
        path,
        MOST_BYTES,
        refuse=lambda _path, rule: ScenarioError([Problem(bare(shown_as), rule)]),
    )
    return read_bytes(data, shown_as, budget)


def read_bytes(data: bytes, file: str, budget: Budget) -> Mapping:
    """Read UTF-8 text from bytes."""
    try:
        return read_text(data.decode("utf-8-sig"), file, budget)
    except UnicodeDecodeError as error:
        before = data[: error.start]
        column = len(before.rpartition(b"\n")[2].decode("utf-8", "replace")) + 1
        mark = FileMark(file, before.count(b"\n") + 1, column)
        rule = f"must be UTF-8 text (got byte 0x{data[error.start]:02x})"
        raise ScenarioError([problem_at(mark, (), rule)]) from None


def read_text(text: str, file: str, budget: Budget) -> Mapping:
    """Read one YAML document whose top is a mapping.

    The `ScenarioError` has every problem of its keys, or the first that ends reading.
    """
    if len(text) > MOST_BYTES:
        rule = f"must be at most {MOST_BYTES} bytes (got {len(text)} characters)"
        raise ScenarioError([problem_at(FileMark(file, 1, 1), (), rule)])
    strange = _UNPRINTABLE.search(text)
    if strange:
        raise ScenarioError([_unprintable(text, strange.start(), file)])
    reader = _Reader(text, file, budget)
    try:
        node = reader.document()
    except yaml.MarkedYAMLError as error:
        raise ScenarioError([*reader.problems, _not_yaml(error, text, file)]) from None
    except (yaml.YAMLError, UnicodeError) as error:
        rule = f"cannot be read as YAML ({bare(str(error).splitlines()[0])})"
        raise ScenarioError(
            [*reader.problems, problem_at(FileMark(file, 1, 1), (), rule)]
        ) from None
    if reader.problems:
        raise ScenarioError(reader.problems)
    return node


def _unprintable(text: str, position: int, file: str) -> Problem:
    line = text.count("\n", 0, position) + 1
    column = position - text.rfind("\n", 0, position)
    rule = f"must hold no control characters (got U+{ord(text[position]):04X})"
    return problem_at(FileMark(file, line, column), (), rule)


_YAML_WORDS = (
    ("cannot start any token", "a value cannot begin with this character", ""),
    ("could not find expected ':'", "expected ':' after a key", "missing space after ':'?"),
    ("mapping values are not allowed", "a second ':' stands on one line",
     "put text that holds ': ' between quotes"),
    ("did not find expected key", "expected a key or the end of the mapping",
     "is the indentation the same as above?"),
    ("did not find expected '-' indicator", "expected '-' or the end of the list",
     "is the indentation the same as above?"),
    ("did not find expected ',' or", "expected ',' or the closing bracket", ""),
    ("found unexpected end of stream", "a quote is not closed", ""),
    ("did not find expected node content", "expected a value", ""),
    ("block sequence entries are not allowed", "a list cannot begin here",
     "put '-' on a line of its own"),
    ("did not find expected <document start>", "expected the end of the file",
     "is the indentation the same as above?"),
)  # fmt: skip

_BEGAN_EARLIER = ("could not find expected ':'", "unexpected end of stream", "expected ',' or")
"""Complaints that are better placed where the key, quote or bracket began."""


def _not_yaml(error: yaml.MarkedYAMLError, text: str, file: str) -> Problem:
    """A parser's complaint in our words."""
    complaint = str(error.problem or "")
    at = error.problem_mark or error.context_mark
    if error.context_mark and any(words in complaint for words in _BEGAN_EARLIER):
        at = error.context_mark
    line, column = (at.line, at.column) if at else (0, 0)
    mark = FileMark(file, line + 1, column + 1)
    lines = text.splitlines()
    here = lines[line] if line < len(lines) else ""
    if here[column : column + 1] == "\t" or here[: len(here) - len(here.lstrip())].count("\t"):
        return problem_at(mark, (), "a tab stands where spaces are meant", "indent with spaces")
    for theirs, rule, hint in _YAML_WORDS:
        if theirs in complaint:
            got = f" (got {shown(here[column : column + 1])})" if "character" in rule else ""
            return problem_at(mark, (), f"{rule}{got}", hint)
    return problem_at(mark, (), f"cannot be read as YAML ({bare(complaint)})")


class _Reader:
    """Builds nodes from events, counting as it goes."""

    def __init__(self, text: str, file: str, budget: Budget) -> None:
        self.problems: list[Problem] = []
        self._file, self._budget = file, budget
        self._next = CParser(text).get_event
        self._anchors: dict[str, Node | None] = {}

    def document(self) -> Mapping:
        self._next()
        event = self._next()
        if isinstance(event, yaml.StreamEndEvent):
            raise self._stop(
                FileMark(self._file, 1, 1), (), "must hold a scenario (got an empty file)"
            )
        self._check_start(event)
        event = self._next()
        node = self._node(event, (), 1)
        if not isinstance(node, Mapping):
            raise self._stop(*self._top(node))
        self._next()
        event = self._next()
        if not isinstance(event, yaml.StreamEndEvent):
            rule = "must hold one document (got a second)"
            raise self._stop(self._mark(event), (), rule, "remove '---'")
        return node

    def _check_start(self, event: Any) -> None:
        if event.version not in {None, (1, 2)} or event.tags:
            rule = "must have no directive but '%YAML 1.2'"
            raise self._stop(self._mark(event), (), rule)

    def _top(self, node: Node) -> tuple[FileMark, Path, str, str]:
        if isinstance(node, Sequence):
            return node.mark, (), "must be a mapping at the top (got a list)", ""
        assert isinstance(node, Scalar)  # noqa: S101
        if node.value is None:
            return node.mark, (), "must hold a scenario (got an empty file)", ""
        hint = "missing space after ':'?" if ":" in node.text else ""
        return node.mark, (), f"must be a mapping at the top (got {shown(node.text)})", hint

    def _mark(self, event: Any) -> FileMark:
        at = event.start_mark
        return FileMark(self._file, at.line + 1, at.column + 1)

    def _note(self, mark: FileMark, path: Path, rule: str, hint: str = "") -> None:
        """Note a problem that reading goes on after, unless there are too many."""
        self.problems.append(problem_at(mark, path, rule, hint))
        if len(self.problems) >= MOST_PROBLEMS:
            raise ScenarioError(self.problems)

    def _stop(self, mark: FileMark, path: Path, rule: str, hint: str = "") -> ScenarioError:
        """The error that ends reading: all that was found before, and this."""
        return ScenarioError([*self.problems, problem_at(mark, path, rule, hint)])

    def _spend(self, n_nodes: int, event: Any, path: Path) -> None:
        self._budget.left -= n_nodes
        if self._budget.left < 0:
            rule = f"must hold at most {MOST_NODES} nodes, aliases expanded"
            raise self._stop(self._mark(event), path[:2], rule)

    def _node(self, event: Any, path: Path, depth: int) -> Node:
        self._spend(1, event, path)
        if depth > MOST_DEPTH:
            raise self._stop(self._mark(event), path[:3], f"must nest at most {MOST_DEPTH} deep")
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, path, depth)
        if event.tag is not None:
            rule = f"tags are not read (got {shown(str(event.tag))})"
            self._note(self._mark(event), path, rule)
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        if isinstance(event, yaml.ScalarEvent):
            node: Node = self._scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self._sequence(event, path, depth)
        else:
            node = self._mapping(event, path, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _alias(self, event: Any, path: Path, depth: int) -> Node:
        if event.anchor not in self._anchors:
            rule = f"alias without an anchor before it (got {shown('*' + event.anchor)})"
            raise self._stop(self._mark(event), path, rule)
        node = self._anchors[event.anchor]
        if node is None:
            rule = f"alias stands inside what it names (got {shown('*' + event.anchor)})"
            raise self._stop(self._mark(event), path, rule)
        self._spend(node.size, event, path)
        if depth + node.height - 1 > MOST_DEPTH:
            raise self._stop(self._mark(event), path[:3], f"must nest at most {MOST_DEPTH} deep")
        return node

    def _scalar(self, event: Any) -> Scalar:
        text = event.value
        quoted = event.style not in {None, ""}
        value = text if quoted else core_value(text)
        return Scalar(text, value, self._mark(event), quoted)

    def _sequence(self, start: Any, path: Path, depth: int) -> Sequence:
        items: list[Node] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            items.append(self._node(event, (*path, len(items)), depth + 1))
        return sequence(items, self._mark(start))

    def _mapping(self, start: Any, path: Path, depth: int) -> Mapping:
        items: dict[str, Node] = {}
        keys: dict[str, FileMark] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            mark = self._mark(event)
            key = self._key(event, path, depth)
            value = self._node(self._next(), (*path, key), depth + 1)
            if key in keys:
                rule = f"key stands twice (got {shown(key)})"
                hint = f"first on line {keys[key].line}"
                self._note(mark, path, rule, hint)
                continue
            items[key], keys[key] = value, mark
        return mapping(items, keys, self._mark(start))

    def _key(self, event: Any, path: Path, depth: int) -> str:
        """A key; numbers stand for their digits, as months and values need."""
        node = self._node(event, path, depth + 1)
        if not isinstance(node, Scalar) or isinstance(event, yaml.AliasEvent):
            raise self._stop(self._mark(event), path, "key must be text")
        if node.quoted or (isinstance(node.value, str) and node.text != "<<"):
            return node.text
        if isinstance(node.value, str):
            hint = "use extends, or write the keys out"
            self._note(node.mark, path, "merge keys are not read", hint)
        elif node.value is None or isinstance(node.value, bool):
            got = bare(node.text) if node.text else "an empty key"
            rule = f"key must be text (got {got})"
            self._note(node.mark, path, rule, "put it between quotes")
        return node.text
