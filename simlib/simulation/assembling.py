"""From a scenario and an option to what all their replications share."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from simlib.errors import SimulationError
from simlib.scenario import option_scenario
from simlib.world.clock import to_days
from simlib.world.incidents import ChannelPlan
from simlib.world.parameters import ParameterPlan
from simlib.world.places import Geography
from simlib.world.quantities import Quantities
from simlib.world.state import StartingState, lay_out
from simlib.world.tempo import Calendar

if TYPE_CHECKING:
    from simlib.agents.base import Agent
    from simlib.journal import Layout
    from simlib.scenario.schema import Scenario

CATALOGUE = {
    "coalition": "simlib.agents.coalition:Coalition",
    "committee": "simlib.agents.committee:JointCommittee",
    "hts": "simlib.agents.hts:HTS",
    "isf": "simlib.agents.isf:ISF",
    "isis": "simlib.agents.isis:ISIS",
    "israel": "simlib.agents.israel:Israel",
    "pkk": "simlib.agents.pkk:PKK",
    "sdf": "simlib.agents.sdf:SDF",
    "turkiye": "simlib.agents.turkiye:TurkishForces",
    "withdrawing_force": "simlib.agents.withdrawing_force:WithdrawingForce",
}
"""Where the class of each agent of the catalogue stands."""


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


def agent_class(name: str) -> type[Agent]:
    """Return the class of an agent of the catalogue.

    Raises
    ------
    SimulationError
        When the catalogue has no such agent.
    """
    if name not in CATALOGUE:
        raise SimulationError(f"no agent class {name!r}; pass it with agents=[...]")
    module, attribute = CATALOGUE[name].split(":")
    found: type[Agent] = getattr(import_module(module), attribute)
    return found


def _choose_agents(
    scenario: Scenario, agents: Sequence[type[Agent]], without: Collection[str]
) -> tuple[type[Agent], ...]:
    own = {agent.name: agent for agent in agents}
    for name in without:
        if name not in scenario.agents and name not in own:
            raise SimulationError(f"cannot leave out {name!r}: there is no such agent")
    names = {name for name, entry in scenario.agents.items() if entry.active} | set(own)
    chosen = sorted(names - set(without))
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
    changed = option_scenario(scenario, option) if option else scenario
    start, horizon = to_days(scenario.start), to_days(scenario.end) + 1.0
    quantities = Quantities()
    layout = lay_out(changed)
    geography = Geography(changed, layout)
    return Blueprint(
        scenario=changed,
        option=option or "",
        agents=_choose_agents(changed, agents, without),
        layout=layout,
        quantities=quantities,
        parameters=ParameterPlan(changed, written=scenario),
        start_state=StartingState(changed, layout, quantities),
        calendar=Calendar(changed, layout, quantities, start, horizon),
        channels=ChannelPlan(changed, layout, geography, quantities),
        start=start,
        horizon=horizon,
    )
