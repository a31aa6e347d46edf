"""What a file says before it means anything: a tree whose every node knows its place."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping as Mappable
from collections.abc import Sequence as Listable
from typing import Any, NamedTuple, TypeAlias

from simlib.errors import Problem, ScenarioError
from simlib.scenario.wording import bare, dotted, shown

MOST_NODES = 50_000
"""Cap on the nodes of a file and of all it extends, aliases counted as often as they stand."""
MOST_DEPTH = 50
"""Cap on the nesting of a file."""

Path: TypeAlias = tuple[str | int, ...]


class FileMark(NamedTuple):
    """A place in a file; line and column count from 1, and are 0 where there is no text."""

    file: str = ""
    line: int = 0
    column: int = 0


class Scalar(NamedTuple):
    """One value, as written and as YAML 1.2's core schema reads it."""

    text: str
    value: str | float | bool | dt.date | None
    mark: FileMark
    quoted: bool = False
    size: int = 1
    height: int = 1


class Sequence(NamedTuple):
    """A list."""

    items: tuple[Node, ...]
    mark: FileMark
    size: int
    height: int


class Mapping(NamedTuple):
    """A mapping, with the mark of every key."""

    items: dict[str, Node]
    mark: FileMark
    size: int
    height: int
    keys: dict[str, FileMark]

    def replaced(self, key: str, node: Node) -> Mapping:
        """The mapping with another value under one of its keys."""
        return self._replace(items={**self.items, key: node})

    def without(self, key: str) -> Mapping:
        """The mapping without one of its keys."""
        return self._replace(items={k: item for k, item in self.items.items() if k != key})


Node: TypeAlias = Scalar | Sequence | Mapping


def sequence(items: Listable[Node], mark: FileMark) -> Sequence:
    """A list node over its items."""
    size = 1 + sum(item.size for item in items)
    return Sequence(tuple(items), mark, size, 1 + max((i.height for i in items), default=0))


def mapping(items: dict[str, Node], keys: dict[str, FileMark], mark: FileMark) -> Mapping:
    """A mapping node over its values."""
    size = 1 + sum(1 + item.size for item in items.values())
    height = 1 + max((item.height for item in items.values()), default=0)
    return Mapping(items, mark, size, height, keys)


def describe(node: Node) -> str:
    """Describe a node as messages show what was met."""
    if isinstance(node, Mapping):
        return "a mapping" if node.items else "an empty mapping"
    if isinstance(node, Sequence):
        return "a list" if node.items else "an empty list"
    if node.value is None and not node.quoted:
        return "an empty value"
    if isinstance(node.value, str):
        return shown(node.text)
    return bare(node.text)


def find(root: Node, path: Path) -> tuple[FileMark, bool]:
    """The mark of the node at a path, and whether the path leads all the way.

    Where it does not, the mark is that of the deepest node on the way.
    """
    node = root
    for step in path:
        if isinstance(node, Mapping) and step in node.items:
            node = node.items[str(step)]
        elif isinstance(node, Sequence) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
        else:
            return node.mark, False
    return node.mark, True


def node_at(root: Node, path: Path) -> Node | None:
    """The node at a path of mappings; None where the path leads nowhere."""
    node = root
    for step in path:
        if not isinstance(node, Mapping) or step not in node.items:
            return None
        node = node.items[str(step)]
    return node


def problem_at(mark: FileMark, path: Path, rule: str, hint: str = "") -> Problem:
    """A problem that stands at a mark."""
    return Problem(dotted(path), rule, hint, mark.file, mark.line, mark.column)


def from_python(value: object, path: Path = ()) -> Node:
    """The tree of Python mappings, lists and scalars.

    Raises `ScenarioError` where something else is met, a key is no text, or it nests too deep.
    """
    mark = FileMark()
    if len(path) > MOST_DEPTH:
        raise _refused(path[:3], f"must nest at most {MOST_DEPTH} deep")
    if isinstance(value, Mappable):
        items = {}
        for key, item in value.items():
            if not isinstance(key, str):
                raise _refused(path, f"key must be text (got {bare(repr(key))})")
            _refuse_surrogates(key, path)
            items[key] = from_python(item, (*path, key))
        return mapping(items, dict.fromkeys(items, mark), mark)
    if isinstance(value, list | tuple):
        return sequence([from_python(item, (*path, i)) for i, item in enumerate(value)], mark)
    return _python_scalar(value, path)


def _python_scalar(value: Any, path: Path) -> Scalar:
    mark = FileMark()
    if isinstance(value, str):
        _refuse_surrogates(value, path)
        # What Python calls text was meant as text, as if it stood between quotes.
        return Scalar(value, value, mark, quoted=isinstance(core_value(value), bool | float))
    if value is None or isinstance(value, bool):
        return Scalar({None: "", True: "true", False: "false"}[value], value, mark)
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return Scalar(value.isoformat(), value.isoformat(), mark)
    if isinstance(value, int) and abs(value) < 10**40:
        return Scalar(str(int(value)), float(value), mark)
    if isinstance(value, float):
        return Scalar(repr(float(value)), float(value) + 0.0, mark)
    got = "a number of more than 40 digits" if isinstance(value, int) else type(value).__name__
    raise _refused(path, f"must be text, a number, a list or a mapping (got {got})")


def _refuse_surrogates(text: str, path: Path) -> None:
    """Refuse halves of characters, which no text that is written can hold."""
    for character in text:
        if "\ud800" <= character <= "\udfff":
            rule = f"must hold no control characters (got U+{ord(character):04X})"
            raise _refused(path, rule)


def _refused(path: Path, rule: str) -> ScenarioError:
    return ScenarioError([problem_at(FileMark(), path, rule)])


_NUMBER = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
"""Leading zeros are left out on purpose: readers disagree whether 010 is 8 or 10."""
_NOT_FINITE = {
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
}
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
LONGEST_NUMBER = 400
"""Most characters of a number; Python reads longer ones slowly, or not at all."""

_HINTS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"[-+]?\d+,\d+"), "write the decimal point as '.'"),
    (re.compile(r"[-+]?[\d.]+ *%"), "write a share as a decimal: 50% is 0.5"),
    (re.compile(r"[-+]?\d+ */ *\d+"), "write a fraction as a decimal: 1/2 is 0.5"),
    (re.compile(r"\d+(?::\d+)+(?:\.\d*)?"), "numbers with ':' are not read, write it in one unit"),
    (re.compile(r"[-+]?0\d+(?:\.\d*)?"), "leave out the leading zeros"),
    (re.compile(r"[-+]?\d[\d_, ]*[_, ]\d[\d.]*"), "write the digits without separators"),
    (re.compile(r"0[xXoObB][0-9a-fA-F]+"), "write it in decimal digits"),
    (re.compile(r"[-+]?\d[\d.]*(?:[eE][-+]?\d+)? *[^\W\d][^\d]*"),
     "give the number alone, in the unit that is meant"),
)  # fmt: skip


def core_value(text: str) -> str | float | bool | None:
    """The value of a plain scalar: empty, true or false, a number, or text.

    Examples
    --------
    >>> [core_value(text) for text in ("1e3", "NO", "010", "12:30", "~")]
    [1000.0, 'NO', '010', '12:30', None]
    """
    if text in _WORDS:
        return _WORDS[text]
    if text in _NOT_FINITE:
        return _NOT_FINITE[text]
    if text[0] in "+-.0123456789" and len(text) <= LONGEST_NUMBER and _NUMBER.fullmatch(text):
        return float(text) + 0.0
    return text


def number_hint(text: str, *, quoted: bool = False) -> str:
    """Why a text is not read as a number, where it looks like one."""
    stripped = text.strip()
    if quoted and stripped and isinstance(core_value(stripped), float):
        return "remove the quotes"
    if len(text) > LONGEST_NUMBER:
        return f"a number has at most {LONGEST_NUMBER} characters"
    if not stripped.startswith(("+", "-", ".")) and not stripped[:1].isdecimal():
        return ""
    for pattern, hint in _HINTS:
        if pattern.fullmatch(stripped):
            return hint
    return ""
