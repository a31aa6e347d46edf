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

    keys: tuple[str, ...]
    """Where it stands in the explicit form, from the top."""
    before: str
    after: str

    @property
    def path(self) -> str:
        """Where it stands, as text."""
        return ".".join(self.keys)

    def __str__(self) -> str:
        return f"{self.path}: {_shown(self.before)} there, {_shown(self.after)} here"


def differences(before: Scenario, after: Scenario) -> list[Difference]:
    """Return every field that differs between two scenarios, in the order of fields.

    Comments, the order of keys, short forms and what is inherited are no difference: the
    fully explicit forms are compared.
    """
    return list(_compared(explicit(before), explicit(after), ()))


def lines(found: list[Difference]) -> list[str]:
    """Return differences as lines, at most `MOST_SHOWN` and how many more there are."""
    shown = [str(each) for each in found[:MOST_SHOWN]]
    if len(found) > MOST_SHOWN:
        shown.append(f"and {len(found) - MOST_SHOWN} more")
    return shown


def _compared(before: Any, after: Any, keys: tuple[str, ...]) -> Iterator[Difference]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            inner = before.get(key, _ABSENT), after.get(key, _ABSENT)
            yield from _compared(*inner, (*keys, str(key)))
    elif before != after:
        yield Difference(keys, _text(before), _text(after))


def _text(value: Any) -> str:
    return "" if value is _ABSENT else flow(value)


def _shown(text: str) -> str:
    if len(text) > _WIDTH:
        return f"{text[: _WIDTH - 4]} ..."
    return text or "nothing"
