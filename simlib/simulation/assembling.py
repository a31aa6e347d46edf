"""From a scenario and an option to what all their replications share."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simlib.agents.registry import agent_class, agent_names
from simlib.agents.scenario_events import ScenarioEvents
from simlib.errors import Problem, ScenarioError, SimulationError
from simlib.journal import to_days
from simlib.scenario import option_scenario
from simlib.scenario.place_rules import not_installed
from simlib.scenario.variants import with_removals
from simlib.scenario.wording import bare
from simlib.world.channels import ChannelPlan
from simlib.world.multipliers import Calendar
from simlib.world.quantities import ParameterPlan, Quantities
from simlib.world.state import Geography, StartingState, lay_out

if TYPE_CHECKING:
    from simlib.agents.base import Agent
    from simlib.journal import Layout
    from simlib.scenario.schema import Scenario


@dataclass(frozen=True, slots=True)
class Blueprint:
    """Everything about a scenario and option that all replications share."""

    scenario: Scenario
    option: str
    agents: tuple[type[Agent], ...]
    layout: Layout
    quantities: Quantities
    parameters: ParameterPlan
    start_state: StartingState
    calendar: Calendar
    channels: ChannelPlan
    start: float
    horizon: float


def chosen_agents(
    scenario: Scenario, agents: Sequence[type[Agent]] = (), without: Collection[str] = ()
) -> tuple[type[Agent], ...]:
    """The classes of all who decide in a scenario, in the order of their names; see `assemble`.

    Raises
    ------
    ScenarioError
        The scenario names an agent that is neither installed nor given.
    SimulationError
        What is installed is no agent, or one that is left out is not there.
    """
    own = {agent.name: agent for agent in agents}
    for name in without:
        if name not in scenario.agents and name not in own:
            raise SimulationError(f"cannot leave out {name!r}: there is no such agent")
    active = {name for name, entry in scenario.agents.items() if entry.active}
    named = active - set(own) - set(without)
    unknown = [
        Problem(f"agents.{bare(name)}", *not_installed(name, agent_names()))
        for name in sorted(named - agent_names())
    ]
    if unknown:
        raise ScenarioError(unknown)
    chosen = sorted((active | set(own)) - set(without))
    return tuple(own.get(name) or agent_class(name) for name in chosen)


def assemble(
    scenario: Scenario,
    option: str | None = None,
    *,
    agents: Sequence[type[Agent]] = (),
    without: Collection[str] = (),
) -> Blueprint:
    """Prepare a scenario for simulation, once for all replications.

    Parameters
    ----------
    scenario
        A resolved scenario.
    option
        Name of one of its options; none leaves the timeline and parameters as they are.
    agents
        Further agent classes, or replacements of those of the same name.
    without
        Names of agents to leave out.

    Raises
    ------
    ScenarioError, SimulationError
        When the scenario lacks something that it refers to.
    """
    changed = with_removals(option_scenario(scenario, option) if option else scenario)
    start, horizon = to_days(scenario.start), to_days(scenario.end) + 1.0
    quantities = Quantities()
    layout = lay_out(changed)
    geography = Geography(changed, layout)
    living = chosen_agents(changed, agents, without)
    return Blueprint(
        scenario=changed,
        option=option or "",
        agents=(*([ScenarioEvents] if changed.events else []), *living),
        layout=layout,
        quantities=quantities,
        parameters=ParameterPlan(changed, written=scenario),
        start_state=StartingState(changed, layout, quantities),
        calendar=Calendar(changed, layout, quantities, start, horizon),
        channels=ChannelPlan(changed, layout, geography, quantities),
        start=start,
        horizon=horizon,
    )
