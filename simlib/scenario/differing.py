"""What differs between two scenarios, field by field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simlib.scenario.writing import explicit, flow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simlib.scenario.schema import Scenario

MOST_SHOWN = 20
_ABSENT = object()
_WIDTH = 60


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that differs; its value on each side, empty where it is absent."""

    path: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.path}: {_shown(self.before)} there, {_shown(self.after)} here"


def differences(before: Scenario, after: Scenario) -> list[Difference]:
    """Return every field that differs between two scenarios, in the order of fields.

    Comments, the order of keys, short forms and what is inherited are no difference: the
    fully explicit forms are compared.
    """
    return list(_compared(explicit(before), explicit(after), ""))


def lines(found: list[Difference]) -> list[str]:
    """Return differences as lines, at most `MOST_SHOWN` and how many more there are."""
    shown = [str(each) for each in found[:MOST_SHOWN]]
    if len(found) > MOST_SHOWN:
        shown.append(f"and {len(found) - MOST_SHOWN} more")
    return shown


def _compared(before: Any, after: Any, path: str) -> Iterator[Difference]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            inner = f"{path}.{key}" if path else str(key)
            yield from _compared(before.get(key, _ABSENT), after.get(key, _ABSENT), inner)
    elif before != after:
        yield Difference(path, _text(before), _text(after))


def _text(value: Any) -> str:
    return "" if value is _ABSENT else flow(value)


def _shown(text: str) -> str:
    if len(text) > _WIDTH:
        return f"{text[: _WIDTH - 4]} ..."
    return text or "nothing"
