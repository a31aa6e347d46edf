"""One replication: assemble the world of a scenario, run it to its horizon."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np

from simlib.agents.faults import naming
from simlib.chance.compiling import is_cached
from simlib.errors import SimulationError
from simlib.journal import Run
from simlib.scenario import option_lineage, option_scenario
from simlib.scenario.expressions import compile_quantity
from simlib.world.clock import (
    CALENDAR_RANK,
    FIRST_AGENT_RANK,
    OBSERVER_RANK,
    Clock,
    to_date,
    to_days,
)
from simlib.world.engine import CompiledIncidents
from simlib.world.incidents import ChannelPlan
from simlib.world.parameters import ParameterPlan
from simlib.world.places import Geography
from simlib.world.quantities import Quantities
from simlib.world.state import StartingState, lay_out, name_of
from simlib.world.tempo import Calendar
from simlib.world.timeline import Timeline
from simlib.world.watches import Watches
from simlib.world.world import IncidentEngine, World

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simlib.agents.base import Agent
    from simlib.journal import Layout
    from simlib.scenario.schema import Quantity, Scenario

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
}
"""Where the class of each agent of the catalogue stands."""

EngineType = Callable[..., IncidentEngine]


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


class _Values:
    """Quantities that agents ask for, evaluated once a replication."""

    def __init__(self, parameters: Mapping[str, float]) -> None:
        self._parameters = parameters
        self._known: dict[Quantity, float] = {}

    def __call__(self, quantity: Quantity) -> float:
        if quantity not in self._known:
            self._known[quantity] = float(_compiled(quantity)(self._parameters))
        return self._known[quantity]


@lru_cache(maxsize=4096)
def _compiled(quantity: Quantity) -> Callable[[Mapping[str, float]], float]:
    return compile_quantity(quantity)


class _Observer:
    """Takes snapshots of the state just after all events of an instant."""

    def __init__(self, world: World, times: Sequence[float]) -> None:
        self._world = world
        self.times = times
        self.snapshots = np.empty((len(times), len(world.state)))
        for i, time in enumerate(times):
            world.clock.call_at(time, OBSERVER_RANK, lambda i=i: self._look(i))  # type: ignore[misc]

    def _look(self, i: int) -> None:
        state = self._world.state
        if not np.isfinite(state).all():
            where = int(np.flatnonzero(~np.isfinite(state))[0])
            variable = name_of(self._world.layout, where)
            date = str(to_date(self._world.clock.now))
            raise SimulationError(f"{variable} became {state[where]} by {date}", "", date)
        self.snapshots[i] = state


def _keep_calendar(world: World, calendar: Calendar, multipliers: NDArray[np.float64]) -> None:
    """Set month, trends and tempo when each month begins."""

    def turn(month: int) -> None:
        world.change_many(calendar.positions, multipliers[month], -1)

    for month, time in enumerate(calendar.times[1:], start=1):
        world.clock.call_at(time, CALENDAR_RANK, lambda month=month: turn(month))  # type: ignore[misc]


def _build(
    blueprint: Blueprint,
    replication: int,
    given: Mapping[str, float],
    engine_type: EngineType,
    keep_journal: bool,  # noqa: FBT001
    times: Sequence[float],
) -> tuple[World, _Observer]:
    scenario = blueprint.scenario
    parameters = blueprint.parameters.draw(replication, given)
    values = blueprint.quantities.evaluate(parameters)
    clock = Clock(blueprint.start)
    state = blueprint.start_state.evaluate(values)
    watches = Watches(len(state))
    plan = blueprint.channels
    world = World(
        scenario,
        replication=replication,
        parameters=parameters,
        clock=clock,
        layout=blueprint.layout,
        watches=watches,
        channels=plan.channels,
        types=plan.types,
        values=_Values(parameters),
    )
    multipliers = blueprint.calendar.evaluate(replication, values)
    state[blueprint.calendar.positions] = multipliers[0]
    engine = engine_type(
        clock,
        channels=plan.channels,
        layout=blueprint.layout,
        state=state,
        floor=blueprint.start_state.floor,
        evaluated=plan.evaluate(values, state),
        key=(scenario.root_seed, replication),
        watches=watches,
        n_types=len(plan.types),
        span=(blueprint.start - scenario.history_days, blueprint.start, blueprint.horizon),
        keep_journal=keep_journal,
    )
    options = option_lineage(scenario, blueprint.option) if blueprint.option else ()
    world.connect(Timeline(clock, scenario, options, world.fall_due), engine)
    _keep_calendar(world, blueprint.calendar, multipliers)
    return world, _Observer(world, times)


def _looking_times(blueprint: Blueprint, observe: Sequence[float] | None) -> list[float]:
    """Return when state is sampled: at the start, as asked or monthly, at the horizon."""
    start, horizon = blueprint.start, blueprint.horizon
    if observe is None:
        return [*blueprint.calendar.times, horizon]
    outside = [time for time in observe if not start <= time <= horizon]
    if outside:
        raise SimulationError(f"cannot observe at {outside[0]} (from {start} to {horizon})")
    return sorted({start, *observe, horizon})


def simulate(
    blueprint: Blueprint,
    replication: int,
    *,
    parameters: Mapping[str, float] | None = None,
    engine: EngineType = CompiledIncidents,
    keep_journal: bool = True,
    observe: Sequence[float] | None = None,
) -> Run:
    """Simulate one replication.

    Parameters
    ----------
    blueprint
        What `assemble` returns.
    replication
        Index of the replication, 0 or more; with the root seed it is the key of all
        chance, so the same index is the same run on any machine and in any order.
    parameters
        Values that replace drawn ones.
    engine
        Class of the engine that lets incidents happen.
    keep_journal
        Whether incidents are kept; agents that look back on them need it.
    observe
        Times (days) of the snapshots of state, each just after all events of its instant;
        the start and the horizon are always among them. Not given: the first of each month.

    Raises
    ------
    SimulationError
        When an agent raises, the state leaves its range, or a time to observe at lies
        outside of the run.
    """
    times = _looking_times(blueprint, observe)
    world, observer = _build(blueprint, replication, parameters or {}, engine, keep_journal, times)
    clock = world.clock
    world.engine.begin()
    for rank, agent in enumerate(blueprint.agents, start=FIRST_AGENT_RANK):
        with naming(agent.name, clock):
            agent(world, rank).begin()
    clock.start(world.engine.process())
    clock.run_through(blueprint.horizon)
    return Run(
        scenario=blueprint.scenario.name,
        option=blueprint.option,
        replication=replication,
        parameters=dict(world.parameters),
        incidents=world.engine.incidents(),
        decisions=tuple(world.decisions),
        postures={name: tuple(states) for name, states in world.postures.items()},
        milestones=world.timeline.records(),
        snapshot_times=np.array(observer.times),
        snapshots=observer.snapshots,
        layout=blueprint.layout,
        start=blueprint.start,
        horizon=blueprint.horizon,
        compiled_seconds=world.engine.compiled_seconds,
    )


def needs_compiling() -> bool:
    """Whether the kernel is not in the cache, so that the first run compiles it."""
    return not is_cached("advance")


def warm_up() -> None:
    """Compile the kernel, or load it from the cache."""
    from simlib.world.kernel.warming import compile_all

    compile_all()


__all__ = ["Blueprint", "assemble", "needs_compiling", "simulate", "warm_up"]
