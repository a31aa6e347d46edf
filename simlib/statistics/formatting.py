"""Numbers as short text."""

from __future__ import annotations

import math
import re

_TIED = re.compile(r"(?<=\d) (?=%)|(?<=\bn) (?== )|(?<=\bn =) (?=\d)")


def number(value: float) -> str:
    """A number whole, or with three significant digits.

    Examples
    --------
    >>> number(1234.5), number(12.34), number(12.0), number(0.01234), number(float("inf"))
    ('1,234', '12.3', '12', '0.0123', '> end')
    """
    if math.isnan(value):
        return "-"
    if math.isinf(value):
        return "> end"
    if abs(value) >= 100 or value == round(value):
        return f"{value:,.0f}"
    return f"{value:,.{_decimals(value, 3)}f}"


def signed(value: float) -> str:
    """A number with its sign, a minus that is as wide as a plus."""
    text = number(abs(value))
    if not value or math.isnan(value):
        return text
    return ("+" if value > 0 else "\N{MINUS SIGN}") + text


def with_error(mean: float, error: float) -> str:
    """A mean with its error, both to the error's second digit.

    Examples
    --------
    >>> with_error(29.9849, 1.1722), with_error(8123.4, 219.0), with_error(3.0, 0.0)
    ('30.0 ± 1.2', '8,123 ± 219', '3 ± 0')
    """
    if math.isnan(error) or error == 0.0:
        return f"{number(mean)} ± {number(error)}"
    decimals = _decimals(error, 2)
    return f"{mean:,.{decimals}f} ± {error:,.{decimals}f}"


def supported(low: float, high: float, *values: float, is_signed: bool = False) -> list[str]:
    """Values with no more digits than an interval supports: its half is 2 to 20 of the last.

    Examples
    --------
    >>> supported(412.2, 630.9, 512.4), supported(0.0251, 0.0932, 0.059)
    (['510'], ['0.06'])
    """
    half = abs(high - low) / 2.0
    if not math.isfinite(half) or half == 0.0:
        return [signed(value) if is_signed else number(value) for value in values]
    texts = [_to_step(value, _exponent(half)) for value in values]
    if not is_signed:
        return [text.replace("-", "\N{MINUS SIGN}") for text in texts]
    return [_with_sign(text) for text in texts]


def _exponent(half: float) -> int:
    """The power of ten of the last digit that half an interval supports."""
    return math.floor(math.log10(half / 2.0))


def _to_step(value: float, exponent: int) -> str:
    """A number rounded to a power of ten; never a zero with a sign."""
    text = f"{round(value / 10.0**exponent) * 10.0**exponent:,.{max(0, -exponent)}f}"
    return text.lstrip("-") if not text.strip("-0.,") else text


def _with_sign(text: str) -> str:
    if text.startswith("-"):
        return "\N{MINUS SIGN}" + text[1:]
    return text if not text.strip("0.,") else "+" + text


def estimate(value: float, low: float, high: float, *, is_signed: bool = False) -> str:
    """A value with its interval, with no more digits than that supports.

    Examples
    --------
    >>> estimate(512.4, 412.2, 630.9), estimate(-3.04, -5.2, -0.9, is_signed=True)
    ('510 (410 to 630)', '\N{MINUS SIGN}3 (\N{MINUS SIGN}5 to \N{MINUS SIGN}1)')
    """
    if math.isnan(low) or low == high:
        return signed(value) if is_signed else number(value)
    middle, least, most = supported(low, high, value, low, high, is_signed=is_signed)
    return f"{middle} ({least} to {most})"


def share(value: float, low: float, high: float) -> str:
    """A share, 0-1, in percent with its interval, to whole percents where that is all it supports.

    Examples
    --------
    >>> share(0.15, 0.0706, 0.2907), share(0.0, 0.0, 0.0032)
    ('15 % (7 to 29 %)', '0 % (0 to 0.32 %)')
    """
    half = 50.0 * abs(high - low)
    exponent = min(0, _exponent(half)) if half else 0
    middle, least, most = (
        _to_step(100.0 * each, exponent) if each else "0" for each in (value, low, high)
    )
    return f"{middle} % ({least} to {most} %)"


def percent(share: float) -> str:
    """A share, 0-1, in percent.

    Examples
    --------
    >>> percent(0.1234), percent(float("nan"))
    ('12.3 %', '-')
    """
    return "-" if math.isnan(share) else f"{100 * share:.1f} %"


def _decimals(value: float, digits: int) -> int:
    return min(max(digits - 1 - math.floor(math.log10(abs(value))), 0), 8)


def tied(text: str, tie: str = "\N{NO-BREAK SPACE}") -> str:
    """A text in which a number stays with its percent sign, and n with its number.

    Examples
    --------
    >>> tied("15 % of all, n = 60", "~")
    '15~% of all, n~=~60'
    """
    return _TIED.sub(tie, text)
