"""Numbers as short text."""

from __future__ import annotations

import math


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
