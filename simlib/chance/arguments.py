"""Named arguments of distributions and laws: rules that several of them share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

Arguments: TypeAlias = Mapping[str, float]

Z95 = 1.6448536269514722
"""95 % quantile of the standard normal."""


def spell(number: float) -> str:
    """Return a number as a person would write it: ``3``, ``0.25``, ``1e+300``."""
    return f"{number:.10g}"


def check_names(allowed: tuple[tuple[str, ...], ...], args: Arguments) -> list[str]:
    """Return what is wrong with the names of arguments that must be one of some sets."""
    if any(set(names) == set(args) for names in allowed):
        return []
    meant = " or ".join("{" + ", ".join(names) + "}" for names in allowed)
    got = "{" + ", ".join(args) + "}"
    return [f"arguments must be {meant} (got {got})"]


def check_signs(positive: Iterable[str], args: Arguments) -> list[str]:
    """Return what is wrong with arguments that must be above 0, where they are given."""
    return [
        f"{name} must be > 0 (got {spell(args[name])})"
        for name in positive
        if name in args and not args[name] > 0
    ]
