"""A deadline that an agent may extend, its ends by force, and what is asked of it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simlib.errors import Problem, ScenarioError
from simlib.scenario.parameter_values import typical
from simlib.scenario.schema import MilestoneChange, Option
from simlib.scenario.wording import listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from simlib.analysis.selection.observables import Public
    from simlib.scenario.schema import Scenario

HELD = "held"


@dataclass(frozen=True, slots=True)
class Deadline:
    """A milestone whose end an agent decides at scheduled meetings.

    Attributes
    ----------
    milestone
        Its name in the timeline.
    agent
        Who decides.
    extended
        The class in which the milestone ends when it is extended.
    decision
        The agent's decision that takes a number of months.
    leads
        Days before the agreed date of the scheduled meetings, or the parameters that say them.
    lengths
        Months that it may be extended by.
    """

    milestone: str
    agent: str
    extended: str
    decision: str
    leads: tuple[float | str, ...]
    lengths: tuple[int, ...]

    def refuse_without(self, scenario: Scenario) -> None:
        """Refuse a scenario in which nobody decides on this milestone.

        Raises
        ------
        ScenarioError
            It has no such milestone, no such agent or no such parameter.
        """
        if self.milestone not in scenario.timeline:
            rule = f"must have the milestone {self.milestone} (has {listed(scenario.timeline)})"
            raise ScenarioError([Problem("timeline", rule)])
        self.agreed(scenario)
        entry = scenario.agents.get(self.agent)
        if entry is None or not entry.active:
            raise ScenarioError([Problem("agents", f"must have the agent {self.agent}, active")])
        named = [lead for lead in self.leads if isinstance(lead, str)]
        lacking = [name for name in named if name not in scenario.parameters]
        if lacking:
            raise ScenarioError([Problem("parameters", f"must have {', '.join(lacking)}")])

    def agreed(self, scenario: Scenario) -> dt.date:
        """The date agreed for the milestone; raises `ScenarioError` where it has none."""
        date = scenario.timeline[self.milestone].date
        if date is None:
            raise ScenarioError([Problem(f"timeline.{self.milestone}", "must have a date")])
        return date

    def meetings(self, scenario: Scenario) -> tuple[dt.date, ...]:
        """The dates of the scheduled meetings."""
        agreed = self.agreed(scenario)
        means, _ = typical(scenario)
        days = (means[lead] if isinstance(lead, str) else lead for lead in self.leads)
        return tuple(agreed - dt.timedelta(days=lead) for lead in days)

    def held(self, scenario: Scenario) -> Option:
        """The option in which it ends as agreed and nobody decides."""
        change = MilestoneChange(date=self.agreed(scenario), forced=True)
        return Option(description="The end as agreed, forced.", timeline={self.milestone: change})

    def extension(self, months: int, at: dt.date) -> Option:
        """The option that goes on from `HELD` with an extension at a date."""
        change = MilestoneChange(shift=f"{months} months", forced=True)
        description = f"Held until {at}, then extended by {months} months, forced."
        return Option(description=description, of=HELD, at=at, timeline={self.milestone: change})

    def with_extensions(self, scenario: Scenario, dates: Iterable[dt.date]) -> Scenario:
        """The scenario with `HELD`, and an extension of each length at each date."""
        options = {HELD: self.held(scenario)} | {
            extension_name(months, at): self.extension(months, at)
            for at in dates
            for months in self.lengths
        }
        return scenario.model_copy(update={"options": scenario.options | options})


def extension_name(months: int, at: dt.date) -> str:
    """The name of the option of an extension at a date."""
    return f"extend_{months}m_{at}"


@dataclass(frozen=True, slots=True)
class GroundWeight:
    """A parameter that is given values of its own, one after the other.

    Attributes
    ----------
    parameter
        Weight of a ground in the decision, log odds per standard deviation.
    weights
        Those that it is given when none are asked for.
    along
        Returns, for a scenario with such a value, the parameters that go along with it.
    """

    parameter: str
    weights: tuple[float, ...]
    along: Callable[[Scenario], dict[str, float]]


@dataclass(frozen=True, slots=True)
class DecisionQuestion:
    """A deadline, and what is asked of it.

    Attributes
    ----------
    deadline
        The milestone, who decides on it, and when.
    public
        What everyone knows at a date, besides published series and postures.
    slope
        The weight for which the readings are compared again.
    with_before
        Returns a scenario that also counts what no answer can change: what came before it.
    headlines
        Outcomes that sentences speak of when none are asked for.
    """

    deadline: Deadline
    public: Public
    slope: GroundWeight
    with_before: Callable[[Scenario], Scenario]
    headlines: tuple[str, ...]
