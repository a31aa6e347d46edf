"""When an outcome looks: windows, months and places, as days and names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simlib.journal import firsts_of_months, to_date, to_days
from simlib.scenario.schema import several, shifted

if TYPE_CHECKING:
    import datetime as dt

    from numpy.typing import NDArray

    from simlib.scenario.schema import Outcome, Scenario


def window(outcome: Outcome, scenario: Scenario) -> tuple[float, float]:
    """The first instant of the window and the first after it, in days.

    Both dates of an outcome are inclusive; the scenario's stand in where none is given. A window
    that follows a milestone may be anywhere: the whole run.
    """
    start, horizon = to_days(scenario.start), to_days(scenario.end) + 1.0
    if isinstance(outcome.start, str):
        return start, horizon
    first = to_days(outcome.start) if outcome.start else start
    if outcome.months or outcome.days:
        return first, after(first, outcome.months or 0, outcome.days or 0)
    return first, to_days(outcome.end) + 1.0 if outcome.end else horizon


def last_look(outcome: Outcome, scenario: Scenario) -> float:
    """The last instant that an outcome looks at, in days; what comes later cannot change it."""
    horizon = to_days(scenario.end) + 1.0
    if outcome.milestone is not None:
        return horizon
    last = to_days(outcome.on) + 1.0 if outcome.on else window(outcome, scenario)[1]
    return min(horizon, last)


def after(first: float, months: int, days: int) -> float:
    """The instant so many months and days after another, by the calendar.

    Examples
    --------
    >>> after(0.5, 12, 0)
    366.5
    """
    date = to_date(first)
    return to_days(shifted(date, f"{months} months")) + (first - to_days(date)) + days


def month_starts(scenario: Scenario) -> tuple[dt.date, ...]:
    """The first day of every calendar month the scenario touches."""
    _, *inner, _ = month_edges(scenario).tolist()
    return (scenario.start.replace(day=1), *map(to_date, inner))


def month_edges(scenario: Scenario) -> NDArray[np.float64]:
    """The edges of the months in days: the start, firsts of months, the horizon."""
    start, horizon = to_days(scenario.start), to_days(scenario.end) + 1.0
    return np.array([start, *firsts_of_months(start, horizon), horizon])


def within(scenario: Scenario, where: str | tuple[str, ...] | None) -> frozenset[str]:
    """The places that lie in the places or countries named; all, when none is.

    A base also lies in its governorate, and a segment in the country where it arrives.
    """
    wanted = frozenset(several(where))
    return frozenset(
        name
        for name in scenario.places
        if not wanted or not wanted.isdisjoint(scenario.regions_of(name))
    )
