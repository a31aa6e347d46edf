"""Quantities: numbers, or arithmetic over parameter names.

An expression is made of numbers, dotted names, ``+ - * / **``, parentheses and the functions
``min max exp log sqrt``. It is parsed here, symbol by symbol, and nothing else is ever run.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable, Mapping
from types import CodeType
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
_BINDING = {"+": 1, "-": 1, "*": 2, "/": 2, "**": 4}
_SIGN_BINDING = 3
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


class _Parser:
    """Checks one expression by precedence climbing, and writes it as Python.

    The grammar is a part of Python's, so the symbols may stand as they are; names
    become look-ups in the mapping ``p``, numbers are written as floats.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _tokens(text)
        self._position = 0
        self._depth = 0
        self._written: list[str] = []
        self.names: set[str] = set()

    def whole(self) -> str:
        """Return the expression as Python."""
        self._operation(1)
        if self._peek().kind != "end":
            raise _wrong(self._text, self._peek().text)
        return " ".join(self._written)

    def _peek(self) -> _Token:
        return self._tokens[self._position]

    def _take(self) -> _Token:
        token = self._tokens[self._position]
        self._position += 1
        return token

    def _symbol(self, symbol: str) -> None:
        token = self._take()
        if token.text != symbol:
            raise _wrong(self._text, token.text)
        self._written.append(symbol)

    def _operation(self, least: int) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise ExpressionError(f"must nest at most {DEEPEST} deep")
        first = len(self._written)
        self._operand()
        while _BINDING.get(self._peek().text, 0) >= least:
            symbol = self._peek().text
            if symbol == "**":
                self._power(first)
                continue
            self._symbol(symbol)
            self._operation(_BINDING[symbol] + 1)
        self._depth -= 1

    def _power(self, first: int) -> None:
        """Write a power of what stands from a place on, as a call: it is never complex."""
        self._take()
        self._written[first:] = ["power", "(", *self._written[first:], ","]
        # A power binds to the right: 2 ** 3 ** 2 is 2 ** 9.
        self._operation(_BINDING["**"])
        self._written.append(")")

    def _number(self) -> None:
        text = self._take().text
        if text[0] == "0" and text[1:2].isdigit():
            raise _wrong(self._text, text)
        if not math.isfinite(float(text)):
            raise ExpressionError(f"must be made of finite numbers (got {bare(text)})")
        self._written.append(repr(float(text)))

    def _operand(self) -> None:
        token = self._peek()
        if token.kind == "number":
            self._number()
        elif token.kind == "name":
            self._named(self._take().text)
        elif token.text == "(":
            self._symbol("(")
            self._operation(1)
            self._symbol(")")
        elif token.text in {"-", "+"}:
            self._symbol(token.text)
            self._operation(_SIGN_BINDING)
        else:
            raise _wrong(self._text, token.text)

    def _named(self, name: str) -> None:
        if self._peek().text != "(":
            self.names.add(name)
            self._written.append(f"p[{name!r}]")
            return
        if name not in FUNCTIONS:
            rule = f"unknown function (got {shown(name)})"
            raise ExpressionError(rule, near_or_all(name, FUNCTIONS))
        self._written.append(name)
        self._symbol("(")
        self._operation(1)
        n_arguments = 1
        while self._peek().text == ",":
            self._symbol(",")
            self._operation(1)
            n_arguments += 1
        self._symbol(")")
        least, most = FUNCTIONS[name]
        if not least <= n_arguments <= most:
            wanted = str(least) if least == most else f"{least} to {most}"
            plural = "" if most == 1 else "s"
            raise ExpressionError(f"{name} takes {wanted} argument{plural} (got {n_arguments})")


@functools.lru_cache(maxsize=32768)
def _parsed(text: str) -> tuple[str, frozenset[str]]:
    parser = _Parser(text)
    return parser.whole(), frozenset(parser.names)


def names(quantity: Quantity) -> set[str]:
    """Return the parameters an expression mentions.

    Raises
    ------
    ExpressionError
        It is not an expression.

    Examples
    --------
    >>> sorted(names("max(raiders.recruits, 2) * pace"))
    ['pace', 'raiders.recruits']
    """
    return set(_parsed(quantity)[1]) if isinstance(quantity, str) else set()


@functools.lru_cache(maxsize=32768)
def _code(text: str) -> CodeType:
    return compile(f"lambda p: {_parsed(text)[0]}", "<expression>", "eval")


def _power(base: float, exponent: float) -> float:
    result = base**exponent
    if isinstance(result, complex):
        raise ValueError("root of a negative number")  # noqa: TRY004  (of value, not of kind)
    return float(result)


_GLOBALS = {
    "__builtins__": {},
    "exp": math.exp,
    "log": math.log,
    "max": max,
    "min": min,
    "power": _power,
    "sqrt": math.sqrt,
}


def compile_quantity(quantity: Quantity) -> Callable[[Mapping[str, float]], float]:
    """Return a function of the parameters by name that evaluates a quantity.

    The function raises `SimulationError` where the value is no finite number.

    Raises
    ------
    ExpressionError
        The quantity is not an expression.

    Examples
    --------
    >>> compile_quantity("2 * raiders.recruits ** 2")({"raiders.recruits": 3.0})
    18.0
    """
    if not isinstance(quantity, str):
        constant = float(quantity)
        return lambda _parameters: constant
    # The code holds nothing but arithmetic over p: it was written above, symbol by symbol.
    raw = eval(_code(quantity), dict(_GLOBALS))  # noqa: S307

    def evaluated(parameters: Mapping[str, float]) -> float:
        try:
            value = raw(parameters)
        except KeyError as error:
            raise SimulationError(f"{quantity}: no parameter {error}") from None
        except OverflowError:
            raise SimulationError(f"{quantity}: a number that is too large") from None
        except (ArithmeticError, ValueError) as error:
            raise SimulationError(f"{quantity}: {error}") from None
        if not math.isfinite(value):
            raise SimulationError(f"{quantity}: no finite number (got {value})")
        return float(value)

    return evaluated
