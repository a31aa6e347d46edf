"""Quantities: numbers, or arithmetic over parameter names.

An expression is made of numbers, dotted names, ``+ - * / **``, parentheses and the functions
``min max exp log sqrt``. It is parsed here, symbol by symbol, and nothing else is ever run.
"""

from __future__ import annotations

import functools
import itertools
import math
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from simlib.errors import SimulationError
from simlib.scenario.nodes import number_hint
from simlib.scenario.wording import bare, near_or_all, shown

if TYPE_CHECKING:
    from simlib.scenario.schema import Quantity

FUNCTIONS: dict[str, tuple[int, int]] = {
    "exp": (1, 1),
    "log": (1, 1),
    "max": (2, 10),
    "min": (2, 10),
    "sqrt": (1, 1),
}
"""Function -> least and most arguments."""

LONGEST = 1000
DEEPEST = 50

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)"
    r"|(?P<name>[^\W\d]\w*(?:\.[^\W]\w*)*)"
    r"|(?P<symbol>\*\*|[-+*/(),]))"
)
_BINARY = frozenset({"+", "-", "*", "/", "**"})
_END = "the end"


class ExpressionError(ValueError):
    """An expression cannot be read; the message is the rule, `hint` what to do."""

    def __init__(self, rule: str, hint: str = "") -> None:
        super().__init__(rule)
        self.hint = hint


class _Token(NamedTuple):
    kind: str
    text: str


def _tokens(text: str) -> list[_Token]:
    if len(text) > LONGEST:
        raise ExpressionError(f"must have at most {LONGEST} characters (got {len(text)})")
    tokens = []
    position = 0
    end = len(text.rstrip())
    while position < end:
        found = _TOKEN.match(text, position)
        if found is None:
            raise _wrong(text, text[position:].lstrip()[:1])
        tokens.append(_Token(str(found.lastgroup), found.group(str(found.lastgroup))))
        position = found.end()
    return [*tokens, _Token("end", _END)]


def _wrong(text: str, met: str) -> ExpressionError:
    hint = number_hint(text, quoted=True)
    if hint:
        return ExpressionError(f"must be a number (got {shown(text)})", hint)
    rule = f"must be a number or an expression (got {shown(text)})"
    if met == _END:
        return ExpressionError(rule, "it ends too early")
    return ExpressionError(rule, f"{shown(met)} is not understood there")


class _Expression:
    """Checks one expression symbol by symbol, and writes it as Python.

    The grammar is a part of Python's, so symbols stand as they are and Python decides what
    binds first; names become look-ups in the mapping ``p``, numbers are written as floats.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._open: list[tuple[str, int]] = []
        """Signs and brackets without their end: function (or symbol), arguments so far."""
        self._wants_operand = True
        self.written: list[str] = []
        self.names: set[str] = set()
        tokens = _tokens(text)
        for token, following in itertools.pairwise(tokens):
            if self._wants_operand:
                self._operand(token, following.text)
            else:
                self._operator(token)
        if self._wants_operand or self._open:
            raise _wrong(text, _END)

    def _operand(self, token: _Token, following: str) -> None:
        if token.kind == "number":
            self._write(_float(self._text, token.text))
        elif token.kind == "name" and following != "(":
            self.names.add(token.text)
            self._write(f"p[{token.text!r}]")
        elif token.kind == "name":
            if token.text not in FUNCTIONS:
                rule = f"unknown function (got {shown(token.text)})"
                raise ExpressionError(rule, near_or_all(token.text, FUNCTIONS))
            self.written.append(token.text)
        elif token.text in {"(", "-", "+"}:
            is_call = token.text == "(" and self.written[-1:] and self.written[-1] in FUNCTIONS
            self._open.append((self.written[-1] if is_call else token.text, 1))
            if len(self._open) >= DEEPEST:
                raise ExpressionError(f"must nest at most {DEEPEST} deep")
            self.written.append(token.text)
        else:
            raise _wrong(self._text, token.text)

    def _write(self, python: str) -> None:
        """Write what ends an operand, and so the signs before it."""
        self.written.append(python)
        self._wants_operand = False
        while self._open and self._open[-1][0] in {"-", "+"}:
            self._open.pop()

    def _operator(self, token: _Token) -> None:
        function, n_arguments = self._open[-1] if self._open else ("", 0)
        if token.text == ")" and function:
            _check_arguments(function, n_arguments)
            self._open.pop()
            self._write(")")
            return
        if token.text == "," and function in FUNCTIONS:
            self._open[-1] = function, n_arguments + 1
        elif token.text not in _BINARY:
            raise _wrong(self._text, token.text)
        self.written.append(token.text)
        self._wants_operand = True


def _float(text: str, number: str) -> str:
    if number[0] == "0" and number[1:2].isdigit():
        raise _wrong(text, number)
    if not math.isfinite(float(number)):
        raise ExpressionError(f"must be made of finite numbers (got {bare(number)})")
    return repr(float(number))


def _check_arguments(function: str, n_arguments: int) -> None:
    least, most = FUNCTIONS.get(function, (1, 1))
    if not least <= n_arguments <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        plural = "" if most == 1 else "s"
        raise ExpressionError(f"{function} takes {wanted} argument{plural} (got {n_arguments})")


@functools.lru_cache(maxsize=32768)
def _parsed(text: str) -> tuple[str, frozenset[str]]:
    checked = _Expression(text)
    return " ".join(checked.written), frozenset(checked.names)


def names(quantity: Quantity) -> set[str]:
    """The parameters an expression mentions; raises `ExpressionError` where it is none.

    Examples
    --------
    >>> sorted(names("max(raiders.recruits, 2) * pace"))
    ['pace', 'raiders.recruits']
    """
    return set(_parsed(quantity)[1]) if isinstance(quantity, str) else set()


_GLOBALS = {
    "__builtins__": {},
    "exp": math.exp,
    "log": math.log,
    "max": max,
    "min": min,
    "sqrt": math.sqrt,
}


def compile_quantity(quantity: Quantity) -> Callable[[Mapping[str, float]], float]:
    """A function of the parameters by name that evaluates a quantity.

    Raises `ExpressionError` where the quantity is no expression; the function raises
    `SimulationError` where the value is no finite number.

    Examples
    --------
    >>> compile_quantity("2 * raiders.recruits ** 2")({"raiders.recruits": 3.0})
    18.0
    """
    if isinstance(quantity, str):
        return _compiled(quantity)
    constant = float(quantity)
    return lambda _parameters: constant


@functools.lru_cache(maxsize=32768)
def _compiled(text: str) -> Callable[[Mapping[str, float]], float]:
    # The code holds nothing but arithmetic over p: it was written above, symbol by symbol.
    raw = eval(f"lambda p: {_parsed(text)[0]}", dict(_GLOBALS))  # noqa: S307

    def evaluated(parameters: Mapping[str, float]) -> float:
        try:
            value = raw(parameters)
        except KeyError as error:
            raise SimulationError(f"{text}: no parameter {error}") from None
        except TypeError:
            value = 1j  # a function was given a complex number
        except OverflowError:
            raise SimulationError(f"{text}: a number that is too large") from None
        except (ArithmeticError, ValueError) as error:
            raise SimulationError(f"{text}: {error}") from None
        if isinstance(value, complex):
            raise SimulationError(f"{text}: root of a negative number")
        if not math.isfinite(value):
            raise SimulationError(f"{text}: no finite number (got {value})")
        return float(value)

    return evaluated
