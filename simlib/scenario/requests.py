"""Numbers and dates that a caller gives: how each is written, and its bounds."""

from __future__ import annotations

import datetime as dt
import math
import numbers
from typing import Any

from simlib.errors import Problem, ScenarioError
from simlib.scenario.fitting import FIRST_YEAR, LAST_YEAR
from simlib.scenario.schema import MOST_REPLICATIONS
from simlib.scenario.wording import bare, shown

LAST_SEED = 2**63 - 1
"""Largest root seed."""


def whole(name: str, value: Any, least: int, most: int) -> int:
    """A whole number of Python's or NumPy's that lies between two bounds.

    A truth value, a fraction, text, or what lies outside is a `ScenarioError`.

    Examples
    --------
    >>> whole("jobs", 3, 1, 8)
    3
    """
    if isinstance(value, numbers.Integral) and not isinstance(value, bool):
        found = int(value)
        if least <= found <= most:
            return found
    raise _refused(name, f"must be a whole number from {least} to {most}", value)


def n_replications(requested: Any, usual: int, least: int = 1) -> int:
    """How many replications are requested; the usual number where none is given.

    Raises `ScenarioError` where it is no whole number from 1 to `MOST_REPLICATIONS`, or less than
    what is asked for can be said from.
    """
    wanted = usual if requested is None else requested
    found = whole("replications", wanted, 1, MOST_REPLICATIONS)
    if found < least:
        rule = f"are too few to say anything (got {found})"
        raise ScenarioError([Problem("replications", rule, f"give at least {least}")])
    return found


def more_needed(needed: int, n_met: int, n: int) -> str:
    """What to do where so few of some replications met what more must meet.

    The number is a quarter more than what would do on average, in whole hundreds.

    Examples
    --------
    >>> more_needed(20, 6, 100)
    'give at least 500 replications'
    """
    if not n_met:
        return "give more replications, or ask for what is more common"
    return f"give at least {100 * math.ceil(1.25 * needed * n / n_met / 100)} replications"


def real(name: str, value: Any, least: float, most: float) -> float:
    """A number of Python's or NumPy's that lies between two bounds.

    A truth value, nan, text, or what lies outside is a `ScenarioError`.

    Examples
    --------
    >>> real("ahead", 4, 0, 520)
    4.0
    """
    if isinstance(value, numbers.Real) and not isinstance(value, bool):
        try:
            found = float(value)
        except OverflowError:
            found = math.inf
        if least <= found <= most:
            return found
    raise _refused(name, f"must be a number from {least:g} to {most:g}", value)


def day(name: str, given: str | dt.date) -> dt.date:
    """A date, or one that is written YYYY-MM-DD.

    Raises `ScenarioError` where it is none, or not of the years that scenarios may speak of.
    """
    found: dt.date | None
    try:
        found = dt.date.fromisoformat(str(given))
    except ValueError:
        found = None
    if found is None or found.isoformat() != str(given):
        raise ScenarioError([Problem(name, f"must be YYYY-MM-DD (got {shown(str(given))})")])
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        rule = f"must be a date from {FIRST_YEAR} to {LAST_YEAR} (got {found})"
        raise ScenarioError([Problem(name, rule)])
    return found


def _refused(name: str, rule: str, value: Any) -> ScenarioError:
    # Python prints no integer of more than some thousand digits.
    is_long = isinstance(value, int) and abs(value) >= 10**40
    got = "a number of more than 40 digits" if is_long else bare(repr(value))
    return ScenarioError([Problem(name, f"{rule} (got {got})")])
