"""When an outcome looks: windows, months and places, as days and names."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simlib.scenario.schema import Outcome, Scenario

EPOCH = dt.date(2000, 1, 1)
DAYS_PER_MONTH = 365.25 / 12.0


def days_of(date: dt.date) -> float:
    """Return the first instant of a date, in days since 2000-01-01."""
    return float((date - EPOCH).days)


def window(outcome: Outcome, scenario: Scenario) -> tuple[float, float]:
    """Return the first instant of the window and the first after it, in days.

    Both dates of an outcome are inclusive; the scenario's stand in where none is given.
    """
    first = days_of(outcome.start or scenario.start)
    return first, days_of(outcome.end or scenario.end) + 1.0


def month_starts(scenario: Scenario) -> tuple[dt.date, ...]:
    """Return the first day of every calendar month the scenario touches."""
    first, last = scenario.start, scenario.end
    n_months = 12 * (last.year - first.year) + last.month - first.month + 1
    months = (first.month - 1 + i for i in range(n_months))
    return tuple(dt.date(first.year + m // 12, m % 12 + 1, 1) for m in months)


def month_edges(scenario: Scenario) -> NDArray[np.float64]:
    """Return the edges of the months in days: the start, firsts of months, the horizon."""
    inner = [days_of(month) for month in month_starts(scenario)[1:]]
    return np.array([days_of(scenario.start), *inner, days_of(scenario.end) + 1.0])


def names(value: str | tuple[str, ...] | None) -> tuple[str, ...]:
    """Return one name, several or none as a tuple."""
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else value


def within(scenario: Scenario, where: str | tuple[str, ...] | None) -> frozenset[str]:
    """Return the places that lie in the places or countries named; all, when none is.

    A base also lies in its governorate, and a segment in the country where it arrives.
    """
    wanted = frozenset(names(where))
    return frozenset(
        name
        for name in scenario.places
        if not wanted or not wanted.isdisjoint(_names_of(scenario, name))
    )


def _names_of(scenario: Scenario, name: str) -> set[str]:
    found, place = {name}, scenario.places[name]
    if place.country is not None:
        found.add(place.country)
    if place.within is not None:
        found |= _names_of(scenario, place.within)
    if place.ends is not None and place.country is None:
        country = scenario.places[place.ends[1]].country
        found |= {country} if country is not None else set()
    return found
