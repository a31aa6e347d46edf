"""One replication: build its world, let agents live and incidents happen to the horizon."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from simlib.agents.base import naming
from simlib.chance.compiling import is_cached
from simlib.errors import SimulationError
from simlib.journal import Decision, Run, to_date
from simlib.scenario import option_lineage
from simlib.world.acts import Act, Recorder
from simlib.world.clock import CALENDAR_RANK, FIRST_AGENT_RANK, OBSERVER_RANK, Clock
from simlib.world.engine import CompiledIncidents, compile_kernel
from simlib.world.milestones import Timeline
from simlib.world.revision import Revision
from simlib.world.world import World

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simlib.agents.base import Agent
    from simlib.simulation.assembling import Blueprint
    from simlib.world.multipliers import Calendar

EngineType = Callable[..., CompiledIncidents]


MOST_EVENTS = 1_000_000
"""Cap on the events of one replication; the reference scenario has between 490 and 580."""
MOST_AT_ONCE = 20_000
"""Cap on the events of one instant; at the start of the reference scenario there are 19.

Each agent that is woken is an event. Agents that wake one another without end, or wait for
what is now, reach this cap in about a second. Both caps are constants, never times: a
replication fails or does not, and at the same event, wherever it is run.
"""


class _Observer:
    """Takes snapshots of the state just after all events of an instant."""

    def __init__(self, world: World, times: Sequence[float]) -> None:
        self._world = world
        self.times = times
        self.snapshots = np.empty((len(times), len(world.state)))
        for i, time in enumerate(times):
            world.clock.call_at(time, OBSERVER_RANK, partial(self._look, i))

    def _look(self, i: int) -> None:
        self.snapshots[i] = self._world.state

    def check(self) -> None:
        """Raise `SimulationError` where a value of the state was no finite number."""
        wrong = np.argwhere(~np.isfinite(self.snapshots))
        if len(wrong):
            i, where = map(int, wrong[0])
            variable, date = self._world.layout.name_of(where), str(to_date(self.times[i]))
            got = self.snapshots[i, where]
            raise SimulationError(f"{variable} became {got} by {date}", "", date)


def _keep_calendar(world: World, calendar: Calendar, multipliers: NDArray[np.float64]) -> None:
    """Set month, trends and AR(1) multipliers when each month begins."""
    for time, values in zip(calendar.times[1:], multipliers[1:], strict=True):
        change = partial(world.change_many, calendar.positions, values, -1)
        world.clock.call_at(time, CALENDAR_RANK, change)


def _build(
    blueprint: Blueprint,
    replication: int,
    given: Mapping[str, float] | None,
    times: Sequence[float],
    engine_type: EngineType = CompiledIncidents,
) -> tuple[World, _Observer]:
    """The world of one replication, its history drawn, before anybody acts."""
    scenario, calendar, plan = blueprint.scenario, blueprint.calendar, blueprint.channels
    parameters = blueprint.parameters.draw(replication, given or {})
    values = blueprint.quantities.evaluate(parameters)
    state = blueprint.start_state.evaluate(values)
    multipliers = calendar.evaluate(replication, values)
    world = World(
        scenario,
        replication=replication,
        parameters=parameters,
        clock=Clock(blueprint.start),
        layout=blueprint.layout,
        channels=plan.channels,
    )
    state[calendar.positions] = multipliers[0]
    engine = engine_type(
        world.clock,
        channels=plan.channels,
        layout=blueprint.layout,
        state=state,
        floor=blueprint.start_state.floor,
        evaluated=plan.evaluate(values, state),
        key=(scenario.root_seed, replication),
        watches=world.watches,
        n_types=len(world.types),
        span=(blueprint.start - scenario.history_days, blueprint.start, blueprint.horizon),
    )
    world.revision = Revision(blueprint.parameters, blueprint.quantities, plan, state, given or {})
    options = option_lineage(scenario, blueprint.option) if blueprint.option else ()
    world.connect(Timeline(world.clock, scenario, options, world.fall_due), engine)
    _keep_calendar(world, calendar, multipliers)
    observer = _Observer(world, times)
    engine.begin()
    return world, observer


def _looking_times(blueprint: Blueprint, observe: Sequence[float] | None) -> list[float]:
    """When state is sampled: at the start, as asked or monthly, at the horizon."""
    start, horizon = blueprint.start, blueprint.horizon
    if observe is None:
        return [*(time for time in blueprint.calendar.times if time < horizon), horizon]
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
    kept = partial(engine, keep_journal=keep_journal)
    world, observer = _build(blueprint, replication, parameters, times, kept)
    _begin_agents(world, blueprint.agents)
    return _run_through(world, observer, blueprint)


def simulate_recorded(
    blueprint: Blueprint,
    replication: int,
    *,
    parameters: Mapping[str, float] | None = None,
    observe: Sequence[float] | None = None,
) -> tuple[Run, list[Act]]:
    """Simulate one replication, and keep what its agents do as acts; see `simulate`."""
    times = _looking_times(blueprint, observe)
    world, observer = _build(blueprint, replication, parameters, times)
    recorder = Recorder(world.scenario, world.clock, world.layout, world.state)
    world.recorder = recorder
    _begin_agents(world, blueprint.agents)
    return _run_through(world, observer, blueprint), recorder.acts


def simulate_played(
    blueprint: Blueprint,
    replication: int,
    acts: Iterable[Act],
    *,
    parameters: Mapping[str, float] | None = None,
    decisions: Iterable[Decision] = (),
    observe: Sequence[float] | None = None,
) -> Run:
    """Simulate one replication in which nobody decides: acts are played instead, in order.

    All acts that `simulate_recorded` kept give the same run bit for bit, but for the
    decisions that opened channels. The option's timeline announces nothing; `decisions` are
    what the run's journal says was decided.
    """
    times = _looking_times(blueprint, observe)
    silent = replace(blueprint, option="")
    world, observer = _build(silent, replication, parameters, times)
    world.play(acts)
    world.decisions.extend(decisions)
    return _run_through(world, observer, blueprint)


def _begin_agents(world: World, agents: Iterable[type[Agent]]) -> None:
    for rank, agent in enumerate(agents, start=FIRST_AGENT_RANK):
        with naming(agent.name, world.clock):
            agent(world, rank).begin()


def _run_through(world: World, observer: _Observer, blueprint: Blueprint) -> Run:
    world.clock.start(world.engine.process())
    _step_through(world.clock, blueprint.horizon)
    observer.check()
    run = Run(
        scenario=blueprint.scenario.name,
        option=blueprint.option,
        replication=world.replication,
        parameters=dict(world.drawn),
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
    world.end()
    return run


def _step_through(clock: Clock, horizon: float) -> None:
    """Run every event up to the horizon (days), those of the horizon itself included."""
    n_events, n_here, here = 0, 0, -math.inf
    while (time := clock.next_scheduled()[0]) <= horizon:
        n_events += 1
        n_here = n_here + 1 if time == here else 1
        here = time
        if n_here > MOST_AT_ONCE:
            raise _too_many(f"{MOST_AT_ONCE} events at one instant of", clock)
        if n_events > MOST_EVENTS:
            raise _too_many(f"{MOST_EVENTS} events by", clock)
        clock.step_to_next()


def _too_many(what: str, clock: Clock) -> SimulationError:
    date = str(to_date(clock.now))
    who = f"; agent {clock.last_agent} was the last to act" if clock.last_agent else ""
    return SimulationError(f"more than {what} {date}{who}", clock.last_agent, date)


def needs_compiling() -> bool:
    """Whether the kernel is not in the cache, so that the first run compiles it."""
    return not is_cached("advance")


def warm_up() -> None:
    """Compile the kernel, or load it from the cache."""
    compile_kernel()
