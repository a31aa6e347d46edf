"""The world as agents see it: state, chance, timeline and what wakes them."""

from __future__ import annotations

import bisect
import math
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from simlib.chance.philox import uniform_at
from simlib.errors import SimulationError
from simlib.journal import firsts_of_months, to_date, to_days
from simlib.scenario.expressions import compile_quantity
from simlib.world.clock import AFTER_RANK, FIRST_AGENT_RANK
from simlib.world.kernel.kernel_tables import FIRED_WATCH
from simlib.world.state import presence_name
from simlib.world.waiting import Cause, Wait, Watches, named_cause

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from numpy.typing import NDArray

    from simlib.journal import Channels, Decision, Layout
    from simlib.scenario.schema import Quantity, Scenario
    from simlib.world.acts import Act, Recorder
    from simlib.world.clock import Clock
    from simlib.world.engine import CompiledIncidents
    from simlib.world.milestones import Timeline
    from simlib.world.revision import Revision
    from simlib.world.waiting import News, Occasion


class World:
    """State and timeline of one replication, and the waits of its agents.

    Only the world changes, and only through its names.
    """

    def __init__(
        self,
        scenario: Scenario,
        *,
        replication: int,
        parameters: Mapping[str, float],
        clock: Clock,
        layout: Layout,
        channels: Channels,
    ) -> None:
        self.scenario, self.replication, self.parameters = scenario, replication, parameters
        self.clock, self.layout, self.channels = clock, layout, channels
        # The engine numbers types in this order, and asks for arrays as long as the state.
        self.watches = Watches(len(layout.positions))
        self.types = tuple(sorted(scenario.incidents))
        self.type_numbers = {type_: number for number, type_ in enumerate(self.types)}
        self._values: dict[Quantity, float] = {}
        self._logits: dict[str, tuple[float, dict[str, float]]] = {}
        self.decisions: list[Decision] = []
        self._month = (math.inf, math.inf)
        """The first instants of this month and of the next, of which every review asks."""
        self.month_starts = firsts_of_months(clock.now, to_days(scenario.end) + 1.0)
        self.postures: dict[str, list[tuple[float, str]]] = {
            name: [(clock.now, posture.start)] for name, posture in scenario.postures.items()
        }
        self.drawn = parameters
        """The parameters at the start; `parameters` are those of now."""
        self.lives: dict[str, list[Any]] = {}
        """Every life of each agent: one that is removed and comes back begins another."""
        self.resting: set[str] = set()
        """Postures that nobody moves, because an actor is away."""
        self.held: set[int] = set()
        """Positions of the state that nobody changes, because they are an actor's who is away."""
        self.recorder: Recorder | None = None
        self.worked_out: dict[Callable[..., Any], Any] = {}
        """What agents work out of the parameters of now alone, by the function that does."""
        self.revision: Revision
        self.timeline: Timeline
        self.engine: CompiledIncidents
        self.state: NDArray[np.float64]
        # Who waits for what: by number of a type, by posture, by milestone, by number of a watch.
        self._notices: list[list[Wait]] = [[] for _ in self.types]
        self._by_posture: dict[str, list[Wait]] = {name: [] for name in scenario.postures}
        self._by_milestone: dict[str, list[Wait]] = {name: [] for name in scenario.timeline}
        self._by_watch: dict[int, list[Wait]] = {}
        self._by_news: dict[News, list[Wait]] = {}
        self._heard: dict[
            tuple[tuple[str, ...], str | None, str | None],
            tuple[tuple[int, ...], tuple[list[Wait], ...]],
        ] = {}
        """What each kind of wait is registered with, found once."""
        self._repeats: dict[tuple[str, object], int] = {}
        self._masks: dict[tuple[tuple[str, ...], str | None], NDArray[np.bool_]] = {}
        self._positions: dict[str, NDArray[np.int64]] = {}
        self._tables: dict[tuple[str, ...], NDArray[np.int64]] = {}
        # The kernel takes arrays, also for a single change: these are made once.
        self._one_position, self._one_value = np.zeros(1, dtype=np.int64), np.zeros(1)
        # The key, and what is asked of it: made once, as numbers of 64 bits are dear to make.
        self._address = np.array([scenario.root_seed, replication, 0, 0, 0], dtype=np.uint64)
        # Uniforms that were asked for: none decides twice.
        self._asked: set[tuple[int, Occasion]] = set()

    def connect(self, timeline: Timeline, engine: CompiledIncidents) -> None:
        """Give the world its timeline and the engine of its incidents."""
        self.timeline, self.engine, self.state = timeline, engine, engine.state
        self.start_state = engine.state.copy()
        engine.on_notable, engine.on_crossed = self._hand_notice, self._cross_after

    def next_month(self) -> float:
        """When the next month begins, in days; infinity after the last."""
        if not self._month[0] <= self.clock.now < self._month[1]:
            first = bisect.bisect_right(self.month_starts, self.clock.now)
            begun = self.month_starts[first - 1] if first else -math.inf
            ends = self.month_starts[first] if first < len(self.month_starts) else math.inf
            self._month = begun, ends
        return self._month[1]

    def end(self) -> None:
        """Let go of agents, engine and timeline, so that their memory is free at once."""
        self.clock.end()
        self.lives.clear()
        self.engine.release()
        del self.timeline, self.engine

    # state

    def position(self, variable: str, place: str | None) -> int:
        """Where a variable stands in the state vector."""
        try:
            return self.layout.positions[variable, place]
        except KeyError:
            raise SimulationError(f"no state variable {variable!r} at {place!r}") from None

    def value_of(self, quantity: Quantity) -> float:
        """The value of a quantity that agents ask for, evaluated once a replication."""
        if quantity not in self._values:
            self._values[quantity] = float(compile_quantity(quantity)(self.parameters))
        return self._values[quantity]

    def logit(self, decision: str) -> tuple[float, dict[str, float]]:
        """The intercept of a decision and its weights, sorted, evaluated once a replication.

        Raises `SimulationError` where the scenario has no such decision.
        """
        if decision not in self._logits:
            logit = self.scenario.decisions.get(decision)
            if logit is None:
                raise SimulationError(f"no decision {decision!r}")
            weights = {what: self.value_of(logit.weights[what]) for what in sorted(logit.weights)}
            self._logits[decision] = self.value_of(logit.intercept), weights
        return self._logits[decision]

    def revise(self, changes: Mapping[str, float], opener: int) -> None:
        """Go on with other parameters, for agents and for what recurs."""
        self.parameters, tables = self.revision.revised(self.parameters, changes)
        self._values.clear()
        self._logits.clear()
        self.worked_out.clear()
        self.engine.revise(tables, opener)

    def change(self, where: int, value: float, opener: int) -> None:
        """Set one state variable; stocks stop at 0, signed variables do not.

        Raises `SimulationError` where the value is not a finite number.
        """
        if self.engine.note(where, value):
            return
        self._one_position[0], self._one_value[0] = where, value
        self.change_many(self._one_position, self._one_value, opener)

    def positions_of(self, variable: str, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """Where a variable stands, having seen that there is a value for each place.

        Raises `SimulationError` where there are more or fewer.
        """
        if variable not in self._positions:
            span = self.layout.slice_of(variable)
            self._positions[variable] = np.arange(span.start, span.stop)
        positions = self._positions[variable]
        if values.shape != positions.shape:  # compiled code would read on past the end
            wanted, got = len(positions), values.shape
            raise SimulationError(f"{variable}: must be {wanted} values in a row (got {got})")
        return positions

    def positions_of_each(self, variables: tuple[str, ...]) -> NDArray[np.int64]:
        """Where variables over the same places stand, shape (variables, places).

        Raises `SimulationError` where their places are not the same.
        """
        if variables not in self._tables:
            places = {self.layout.places_of(variable) for variable in variables}
            if len(places) != 1:
                raise SimulationError(f"{', '.join(variables)}: must have the same places")
            spans = (self.layout.slice_of(variable) for variable in variables)
            self._tables[variables] = np.array([range(s.start, s.stop) for s in spans])
        return self._tables[variables]

    def change_many(
        self, positions: NDArray[np.int64], values: NDArray[np.float64], opener: int
    ) -> None:
        """Set state variables, as `change` does one."""
        result = self.engine.write(positions, values, opener)
        if result == FIRED_WATCH:
            self._cross(self.watches.take_fired())
        elif result < 0:
            where, value = int(positions[-1 - result]), values[-1 - result]
            name = self.layout.name_of(where)
            date = str(to_date(self.clock.now))
            raise SimulationError(f"{name} became {value} on {date}", "", date)

    def hold(self) -> None:
        """Let nobody move what is theirs who are away now."""
        names = self.scenario.removable()
        away = [n for n in names if self.state[self.position(presence_name(n), None)] == 0.0]
        removals = [each for name in away if (each := self.scenario.agents[name].on_removal)]
        self.resting = {posture for each in removals for posture in each.rest}
        slices = (self.layout.slice_of(v) for each in removals for v in (*each.zero, *each.set))
        self.held = {position for span in slices for position in range(span.start, span.stop)}
        self.engine.hold(self.held)

    def enter(self, posture: str, state: str, cause: Cause, opener: int) -> None:
        """Let a posture enter a state, and wake who waits for it."""
        codes = sorted(self.scenario.postures[posture].states)
        self.change(self.position(posture, None), float(codes.index(state)), opener)
        self.postures[posture].append((self.clock.now, state))
        woken = Cause("posture", f"posture {posture} {state}", cause.occasion)
        for wait in tuple(self._by_posture[posture]):
            self.wake(wait, woken)

    # played acts

    def play(self, acts: Iterable[Act]) -> None:
        """Schedule acts in a world without agents, whose clock stands at the start.

        They come in order of time and, at one instant, in the order in which they are to be done;
        what answers an incident of an instant comes after what does not.
        """
        for (at, is_after), group in groupby(acts, key=lambda act: (act.at, act.is_after)):
            rank = AFTER_RANK if is_after else FIRST_AGENT_RANK
            self.clock.call_at(at, rank, partial(self._do_all, tuple(group)))

    def _do_all(self, acts: Iterable[Act]) -> None:
        for act in acts:
            self._do(act)

    def _do(self, act: Act) -> None:
        if act.kind == "write":
            self.change_many(act.positions, act.values_over(self.state[act.positions]), -1)
        elif act.kind == "enter":
            self.change_many(act.positions, act.values, -1)
            self.postures[act.what].append((act.at, act.text))
        elif act.kind == "settle":
            self.timeline.settle(act.what, act.text)
        elif act.kind == "complete":
            self.timeline.complete(act.what)
        elif act.kind == "hold":
            self.hold()
        elif act.kind == "revise":
            self.revise({act.what: act.number}, -1)
        elif act.number >= self.clock.now:
            self.timeline.move(act.what, act.number)

    # chance

    def uniform(self, name: int, occasion: Occasion) -> float:
        """The uniform that decides something on an occasion.

        Raises `SimulationError` where it was asked for before: two decisions would share a number.
        """
        if (name, occasion) in self._asked:
            raise SimulationError("two decisions of one name on one occasion; name them apart")
        self._asked.add((name, occasion))
        address = self._address
        address[2], address[3], address[4] = name ^ occasion[0], occasion[1], occasion[2]
        return uniform_at(address)

    # looking back

    def count_since(
        self,
        types: tuple[str, ...],
        country: str | None,
        since: float,
        least: tuple[tuple[int, float], ...],
    ) -> int:
        """How many incidents there were since a time, with marks of at least so."""
        if math.isnan(since) or any(math.isnan(value) for _, value in least):
            raise SimulationError(f"incidents of {', '.join(types)}: nan is no limit")
        key = (types, country)
        if key not in self._masks:
            homes = zip(self.channels.types, self.channels.countries, strict=True)
            chosen = [type_ in types and country in (None, home) for type_, home in homes]
            self._masks[key] = np.array(chosen, dtype=np.bool_)
        return self.engine.count(self._masks[key], since, least)

    # waking

    def wake(self, wait: Wait, cause: Cause) -> None:
        """End a wait now, unless something has ended it already."""
        if wait.cause is None and wait.callbacks is not None:
            wait.cause = cause
            self.clock.put(wait, self.clock.now, wait.rank)

    def arm(
        self, wait: Wait, notice: tuple[str, ...], posture: str | None, milestone: str | None
    ) -> None:
        """Register a wait with incidents, a posture and a milestone that may end it.

        Raises `SimulationError` where there is no such type of incident.
        """
        key = (notice, posture, milestone)
        if key not in self._heard:
            self._heard[key] = self._all_heard(*key)
        wait.notices, wait.lists = self._heard[key]
        for waits in wait.lists:
            waits.append(wait)
        self.engine.wait(wait.notices, 1)

    def _all_heard(
        self, notice: tuple[str, ...], posture: str | None, milestone: str | None
    ) -> tuple[tuple[int, ...], tuple[list[Wait], ...]]:
        """The numbers of types of incidents, and the lists of those who wait."""
        for name in notice:
            if name not in self.type_numbers:
                raise SimulationError(f"no incident type {name!r}")
        types = tuple(self.type_numbers[name] for name in notice)
        lists = [self._notices[type_] for type_ in types]
        lists += [self._by_posture[posture]] if posture else []
        lists += [self._by_milestone[milestone]] if milestone else []
        return types, tuple(lists)

    def hear(self, wait: Wait, news: News) -> None:
        """Register a wait with a decision, a completion or the release of a posture."""
        wait.lists = (self._by_news.setdefault(news, []),)
        wait.lists[0].append(wait)

    def watch(self, wait: Wait, number: int) -> None:
        """Register a wait with one of the `watches` too."""
        wait.watch = number
        self._by_watch.setdefault(number, []).append(wait)

    def disarm(self, wait: Wait) -> None:
        """Forget a wait that has ended."""
        for waits in wait.lists:
            waits.remove(wait)
        if wait.notices:
            self.engine.wait(wait.notices, -1)
        if wait.watch is not None:
            watching = self._by_watch[wait.watch]
            watching.remove(wait)
            if not watching:
                self.watches.disarm(wait.watch)

    def tell(self, news: News) -> None:
        """Wake who waits for a decision or the completion of a milestone."""
        for wait in tuple(self._by_news.get(news, ())):
            self.wake(wait, named_cause("scenario", " ".join(news)))

    def fall_due(self, milestone: str) -> None:
        """Wake who waits for a milestone whose date has come."""
        cause = self._once_more(named_cause("milestone", milestone), "")
        for wait in tuple(self._by_milestone[milestone]):
            self.wake(wait, cause)

    def _once_more(self, cause: Cause, whose: object) -> Cause:
        """Tell apart occasions of one name: a moved milestone, a second crossing in a day."""
        key = (cause.text, whose)
        repeats = self._repeats.get(key, 0)
        self._repeats[key] = repeats + 1
        a0, a1, _ = cause.occasion
        return Cause(cause.kind, cause.text, (a0, a1, repeats))

    def _hand_notice(self, row: int) -> None:
        if self.recorder is not None:
            self.recorder.answered_at = self.clock.now
        _, channel, address, _ = self.engine.row(row)
        type_ = self.channels.types[channel]
        text = f"incident {type_} {self.channels.places[channel]}"
        for wait in tuple(self._notices[self.types.index(type_)]):
            self.wake(wait, Cause("incident", text, address, row))

    def _cross_after(self, fired: list[int]) -> None:
        if fired and self.recorder is not None:  # an incident has crossed, not a decision
            self.recorder.answered_at = self.clock.now
        self._cross(fired)

    def _cross(self, fired: list[int]) -> None:
        for watch in fired:
            waits = tuple(self._by_watch.get(watch, ()))
            if waits:
                where, level = int(self.watches.integers[watch, 0]), self.watches.levels[watch]
                cause = self.crossing(where, float(level), waits[0].rank)
                for wait in waits:
                    self.wake(wait, cause)

    def crossing(self, where: int, level: float, rank: int) -> Cause:
        """The cause that a crossing is for the agent of that rank, today."""
        variable, place = next(k for k, p in self.layout.positions.items() if p == where)
        at = f" {place}" if place else ""
        text = f"{variable}{at} {level:g} on {to_date(self.clock.now)}"
        return self._once_more(named_cause("threshold", text), rank)
