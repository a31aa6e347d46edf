"""A scenario as text: fully explicit, and the same for equal scenarios."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
import re
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from simlib.scenario.nodes import core_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simlib.scenario.schema import Scenario

WIDTH = 100
_PLAIN = re.compile(r"[^\W\d_](?:[\w ./()+*-]*[\w)])?")
_OLD_WORDS = frozenset({"y", "n", "yes", "no", "on", "off"})
"""True and false to readers of YAML 1.1, which others may use."""
_WORDS: dict[str, Any] = {
    "question": True,
    "outcomes": {"__all__": {"label", "topic"}},
    "state": {"__all__": {"map"}},
}
"""What only people read: results of before go on under other words."""
_EMPTY: tuple[Any, ...] = (None, "", (), {})


def resolve(scenario: Scenario) -> str:
    """A scenario as YAML text in which nothing is left to a parent or a default.

    Fields that are empty by default are left out. Reading the text gives the same
    scenario again, and its text is the same text.
    """
    return written(explicit(scenario)) + "\n"


def written(content: dict[str, Any], width: int = WIDTH) -> str:
    """A mapping as YAML text; what fits on one line stands on one."""
    return "\n".join(_block(content, 0, width))


def digest(scenario: Scenario) -> str:
    """The SHA-256 of a scenario's content; neither the order of keys nor words enter it."""
    content = scenario.model_dump(mode="json", by_alias=True, exclude=_WORDS)
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def explicit(value: Any) -> Any:
    """A model as mappings, lists and scalars, without what is empty by default."""
    if isinstance(value, BaseModel):
        return {
            info.alias or name: explicit(getattr(value, name))
            for name, info in type(value).model_fields.items()
            if not info.exclude
            and (
                info.is_required()
                or getattr(value, name) not in _EMPTY
                or getattr(value, name) != info.default
            )
        }
    if isinstance(value, dict):
        return {key: explicit(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [explicit(item) for item in value]
    return value


def _block(content: dict[str, Any], indent: int, width: int) -> Iterator[str]:
    """Yield the lines of a mapping; what fits on one line stands on one."""
    space = " " * indent
    for key, value in content.items():
        head = f"{space}{_text(key)}:"
        line = flow(value)
        if len(head) + 1 + len(line) <= width or not isinstance(value, dict | list) or not value:
            yield f"{head} {line}"
        elif isinstance(value, dict):
            yield head
            yield from _block(value, indent + 2, width)
        else:
            yield head
            yield from _items(value, indent + 2, width)


def _items(content: list[Any], indent: int, width: int) -> Iterator[str]:
    for value in content:
        line = flow(value)
        if isinstance(value, dict) and indent + 2 + len(line) > width:
            lines = list(_block(value, indent + 2, width))
            yield f"{' ' * indent}- {lines[0][indent + 2 :]}"
            yield from lines[1:]
        else:
            yield f"{' ' * indent}- {line}"


def flow(value: Any) -> str:
    """A value as YAML on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_text(k)}: {flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, int | dt.date):
        return str(value)
    return _text(value)


def _number(value: float) -> str:
    """The shortest text that is read back as the same number."""
    if value == math.floor(value) and abs(value) < 1e15:
        return str(int(value))
    return repr(value)


def _text(text: str) -> str:
    is_text = isinstance(core_value(text), str) and text.lower() not in _OLD_WORDS
    if is_text and _PLAIN.fullmatch(text) and "  " not in text:
        return text
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    if character == "\n":
        return "\\n"
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
