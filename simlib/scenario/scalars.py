"""Plain scalars as YAML 1.2's core schema reads them, and why others are no numbers."""

from __future__ import annotations

import math
import re

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
    """Return what a plain scalar means: empty, true or false, a number, or text.

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
    """Return why a text is not read as a number, where it looks like one."""
    stripped = text.strip()
    if quoted and stripped and isinstance(core_value(stripped), float):
        return "remove the quotes"
    if len(text) > LONGEST_NUMBER:
        return f"a number has at most {LONGEST_NUMBER} characters"
    for pattern, hint in _HINTS:
        if pattern.fullmatch(stripped):
            return hint
    return ""
