"""Forced ends of the mission in Iraq: as agreed, or extended from a meeting on."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from simlib.errors import Problem, ScenarioError
from simlib.scenario.schema import MilestoneChange, Option
from simlib.scenario.wording import listed
from simlib.theatre.agents.committee import IRAQ, LEADS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simlib.scenario.schema import Scenario

HELD = "held"
LENGTHS = (6, 12, 24)
"""Months that the committee may extend by."""


def refuse_without_committee(scenario: Scenario) -> None:
    """Refuse a scenario in which no committee decides on the end of the mission in Iraq.

    Raises
    ------
    ScenarioError
        It has no such milestone or no such agent.
    """
    if IRAQ not in scenario.timeline:
        rule = f"must have the milestone {IRAQ} (has {listed(scenario.timeline)})"
        raise ScenarioError([Problem("timeline", rule)])
    entry = scenario.agents.get("committee")
    if entry is None or not entry.active:
        raise ScenarioError([Problem("agents", "must have the agent committee, active")])


def meetings(scenario: Scenario) -> tuple[dt.date, ...]:
    """Return the dates of the committee's scheduled meetings."""
    agreed = scenario.timeline[IRAQ].date
    return tuple(agreed - dt.timedelta(days=lead) for lead in LEADS)


def held(scenario: Scenario) -> Option:
    """Return the option in which the mission ends as agreed and the committee never meets."""
    change = MilestoneChange(date=scenario.timeline[IRAQ].date, forced=True)
    return Option(description="The end as agreed, forced.", timeline={IRAQ: change})


def extension(months: int, at: dt.date) -> Option:
    """Return the option that goes on from `HELD` with an extension at a date."""
    change = MilestoneChange(shift=f"{months} months", forced=True)
    description = f"Held until {at}, then extended by {months} months, forced."
    return Option(description=description, of=HELD, at=at, timeline={IRAQ: change})


def extension_name(months: int, at: dt.date) -> str:
    """Return the name of the option of an extension at a date."""
    return f"extend_{months}m_{at:%Y_%m_%d}"


def with_extensions(scenario: Scenario, dates: Iterable[dt.date]) -> Scenario:
    """Return a scenario with `HELD`, and an extension of each length at each date."""
    options = {HELD: held(scenario)} | {
        extension_name(months, at): extension(months, at) for at in dates for months in LENGTHS
    }
    return scenario.model_copy(update={"options": scenario.options | options})
