"""What every agent can do: see, wait, change, decide, live a posture."""

from __future__ import annotations

import bisect
import contextlib
import functools
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np
import simpy

from simlib.agents.semi_markov import next_occasion, sojourn, tilted
from simlib.chance.addresses import name_hash
from simlib.chance.distributions import quantile
from simlib.errors import SimulationError
from simlib.journal import DAYS_PER_MONTH, MARKS, Decision, to_date
from simlib.world.waiting import Cause, Wait, dated_cause, named_cause

if TYPE_CHECKING:
    from typing import NoReturn

    from numpy.typing import NDArray

    from simlib.world.clock import Clock
    from simlib.world.waiting import News
    from simlib.world.world import World

Life = Generator[simpy.Event, object, None]
T = TypeVar("T")
Tilt = Callable[[str], Mapping[str, float]]

_OVER = object()
_ROUNDING = 1e-9
"""How far probabilities may lie off by rounding."""
MOST_USES = 100_000
"""Cap on how often an agent sees, decides or changes between two of its waits.

The agents of the reference scenario do so at most some 90 times. What counts is calls,
never seconds, so the agent stops at the same call wherever it is run.
"""


@contextlib.contextmanager
def naming(agent: str, clock: Clock) -> Iterator[None]:
    """Make whatever is raised inside the failure of one agent.

    `SystemExit` too fails the replication and not the program. `KeyboardInterrupt` is
    somebody at the keyboard and `GeneratorExit` the end of a run: both go through.
    """
    clock.last_agent = agent
    try:
        yield
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:
        raise _named(error, agent, str(to_date(clock.now))) from error


def _named(error: BaseException, agent: str, date: str) -> SimulationError:
    if not isinstance(error, SimulationError):
        message = f"agent {agent} on {date}: {type(error).__name__}: {_text(error)}"
    elif error.date:  # its text tells the date
        message = f"agent {agent}: {error}"
    else:
        message = f"agent {agent} on {date}: {error}"
    return SimulationError(message, agent, date)


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001  (its class is the agent's own)
        return "(cannot be told)"


class Agent(ABC):
    """Somebody who decides.

    Subclasses give `name`, the agent's entry in the scenario's catalogue, and `live`, its
    life: a generator that yields waits. Everything an agent decides by chance is addressed
    by what woke it, so options share its random numbers wherever they share the occasion.

    Attributes
    ----------
    woken
        What ended the last wait: ``start``, ``review``, ``date``, ``notice``,
        ``milestone``, ``threshold`` or ``posture``.
    """

    name: ClassVar[str]
    values: ClassVar[Mapping[str, str]] = {}
    """What the value of a decision is, with its unit, by the decision's name."""

    def __init__(self, world: World, rank: int) -> None:
        lives = world.lives.setdefault(self.name, [])
        self._life = len(lives)
        self._is_gone = False
        lives.append(self)
        self._world = world
        self._rank = rank
        self._n_uses = 0
        self._start = world.clock.now
        of = f"of life {self._life + 1}" if self._life else "of the scenario"
        self._cause = named_cause("start", of)
        self._last_decision = (-math.inf, -1)

    @abstractmethod
    def live(self) -> Life:
        """Live: wait, see, decide, change, until the horizon."""

    def begin(self) -> None:
        """Start the agent's life."""
        self.start(self.live())

    def start(self, life: Life) -> None:
        """Start another process of the same agent."""
        self._use().clock.start(self._guarded(life))

    def leave(self) -> None:
        """End all that the agent does; nothing wakes it any more."""
        self._is_gone = True

    def return_anew(self) -> None:
        """Begin another life in place of one that has ended."""
        type(self)(self._world, self._rank).begin()

    def _guarded(self, life: Life) -> Life:
        with naming(self.name, self._world.clock):
            while not self._is_gone and (event := next(life, _OVER)) is not _OVER:
                if not isinstance(event, simpy.Event):
                    raise SimulationError(f"must yield self.wait(...) (got {type(event).__name__})")
                if event.callbacks is None:  # SimPy goes on at once, without an event
                    self._use()
                yield event

    def _use(self) -> World:
        """The world; counts how often it is asked for before the next wait ends.

        Raises `SimulationError` where an agent looks and acts on without ever coming to wait.
        """
        self._n_uses += 1
        if self._n_uses > MOST_USES:
            raise _too_many_uses()
        return self._world

    # seeing

    @property
    def now(self) -> float:
        """The time, in days since 2000-01-01."""
        return self._use().clock.now

    def see(self, variable: str, place: str | None = None) -> float:
        """A state variable, at a place or (None) national."""
        self._n_uses += 1  # as `_use` does, but half of all looks pass here
        if self._n_uses > MOST_USES:
            raise _too_many_uses()
        world = self._world
        # As `position` has it, which names what is not there; but nothing is asked as often.
        where = world.layout.positions.get((variable, place))
        found: float = world.state.item(world.position(variable, place) if where is None else where)
        return found

    def see_all(self, variable: str | tuple[str, ...]) -> NDArray[np.float64]:
        """A copy of a variable over all its places, in the order of `places`.

        Several variables over the same places give the shape (variables, places).
        """
        world = self._use()
        if isinstance(variable, tuple):
            return world.state[world.positions_of_each(variable)]
        return world.state[world.layout.slice_of(variable)].copy()

    def total(self, variable: str, country: str | None = None) -> float:
        """A variable's sum over its places, or over those of a country."""
        values = self.see_all(variable).tolist()
        if country is None:
            return math.fsum(values)
        places = self.places(variable)
        return math.fsum(
            v for v, p in zip(values, places, strict=True) if self.country_of(p) == country
        )

    def places(self, variable: str) -> tuple[str, ...]:
        """The places of a variable, sorted."""
        return self._world.layout.places_of(variable)

    def country_of(self, place: str) -> str | None:
        """The country of a place (of the governorate it lies within)."""
        entry = self._world.scenario.places[place]
        return self.country_of(entry.within) if entry.within else entry.country

    def posture(self, name: str) -> str:
        """The state a posture is in."""
        return self._use().postures[name][-1][1]

    def parameter(self, name: str) -> float:
        """A parameter of this replication."""
        try:
            return self._world.parameters[name]
        except KeyError:
            raise SimulationError(f"no parameter {name!r}") from None

    def once(self, function: Callable[[Any], T]) -> T:
        """What a function of the agent makes of parameters alone, worked out until they change."""
        found = self._use().worked_out
        if function not in found:
            found[function] = function(self)
        result: T = found[function]
        return result

    def recent(
        self,
        types: str | tuple[str, ...],
        country: str | None = None,
        *,
        days: float = 90.0,
        having: Mapping[str, float] | None = None,
    ) -> int:
        """How many incidents there were in the last days, with marks at least so."""
        chosen = (types,) if isinstance(types, str) else types
        least = tuple((MARKS.index(name), value) for name, value in (having or {}).items())
        return self._use().count_since(chosen, country, self.now - days, least)

    def date_of(self, milestone: str) -> float:
        """A milestone's date as publicly known now, in days; infinity while it has none."""
        return self._use().timeline.of(milestone).date

    def agreed_date_of(self, milestone: str) -> float:
        """The date first agreed for a milestone, in days; infinity while it has none."""
        return self._use().timeline.of(milestone).agreed

    def is_forced(self, milestone: str) -> bool:
        """Whether the option at hand forces a milestone, so that nobody decides it."""
        return self._use().timeline.of(milestone).is_forced

    def class_of(self, milestone: str) -> str | None:
        """The class a milestone has ended in, if it has."""
        return self._use().timeline.of(milestone).classification

    def is_complete(self, milestone: str) -> bool:
        """Whether a milestone has been completed."""
        return self._use().timeline.of(milestone).completed_at <= self.now

    # waiting

    def wait(  # noqa: PLR0913
        self,
        *,
        days: int | None = None,
        months: int | None = None,
        until: float | None = None,
        notice: str | tuple[str, ...] = (),
        posture: str | None = None,
        milestone: str | None = None,
        above: tuple[str, str | None, float] | None = None,
    ) -> simpy.Event:
        """An event that happens when the first of these comes; yield it.

        Parameters
        ----------
        days, months
            The next review on the agent's fixed grid: so many days counted from the
            scenario's start, or every so many calendar months (their first instant).
        until
            A date, in days.
        notice
            A notable incident of a type, or of one of several types.
        posture, milestone
            A change of that posture; the date of that milestone, wherever it moves.
        above
            ``(variable, place, level)``: an upward crossing; at once if the variable is
            above already, and not again before it has been below.

        Raises
        ------
        SimulationError
            When a number is no time or no level.
        """
        world = self._use()
        wait = Wait(world.clock, self._rank, self._resume)
        self._add_time(wait, days, months, until)
        world.arm(wait, (notice,) if isinstance(notice, str) else notice, posture, milestone)
        if above:
            variable, place, level = above
            if math.isnan(level):
                _refuse("level above which to wake", level)
            where = world.position(variable, place)
            number = world.watches.wait(where, level, self._rank, world.state)
            if number is None:
                world.wake(wait, world.crossing(where, level, self._rank))
            else:
                world.watch(wait, number)
        return wait

    def _hear(self, news: News) -> simpy.Event:
        """An event that happens with a decision, a completion or the release of a posture."""
        world = self._use()
        wait = Wait(world.clock, self._rank, self._resume)
        world.hear(wait, news)
        return wait

    def _add_time(
        self, wait: Wait, days: int | None, months: int | None, until: float | None
    ) -> None:
        due, now = math.inf, self._world.clock.now
        if days is not None:
            if not 0 < days < math.inf:
                _refuse("days of a wait", days)
            due = self._start + (math.floor((now - self._start) / days) + 1) * days
        if months is not None:
            if not months >= 1:
                _refuse("months of a wait", months)
            due = min(due, self._next_month(months))
        if due < math.inf:
            wait.timed = dated_cause("review", due)
        if until is not None:
            if math.isnan(until):
                _refuse("date until which to wait", until)
            if until < due:
                due = max(until, now)
                wait.timed = dated_cause("date", due)
        if due < math.inf:
            self._world.clock.put(wait, due, self._rank)

    def _next_month(self, months: int) -> float:
        if months == 1:
            return self._world.next_month()
        reviews = _every(months, self._start, self._world.month_starts)
        following = bisect.bisect_right(reviews, self._world.clock.now)
        return reviews[following] if following < len(reviews) else math.inf

    def _resume(self, wait: Wait) -> None:
        self._world.disarm(wait)
        self._world.clock.last_agent, self._n_uses = self.name, 0
        cause = wait.cause or wait.timed
        assert cause is not None  # noqa: S101  (something ended the wait)
        self._cause = cause

    @property
    def woken(self) -> str:
        """What ended the last wait."""
        return "notice" if self._cause.kind == "incident" else self._cause.kind

    @property
    def incident(self) -> dict[str, float | str]:
        """The incident that woke the agent: type, place, target, time and its marks."""
        if self._cause.row < 0:
            raise SimulationError("not woken by an incident")
        time, channel, _, marks = self._world.engine.row(self._cause.row)
        channels = self._world.channels
        return {
            "type": channels.types[channel],
            "place": channels.places[channel],
            "target": channels.targets[channel],
            "country": channels.countries[channel],
            "time": time,
            **{name: float(marks[i]) for i, name in enumerate(MARKS)},
        }

    # changing

    def change(
        self,
        variable: str,
        place: str | None = None,
        *,
        to: float | None = None,
        by: float | None = None,
    ) -> None:
        """Change a state variable, to a value or by an amount, with effect at once."""
        world = self._use()
        where = world.position(variable, place)
        before = world.state.item(where)
        value = (to or 0.0) if by is None else before + by
        if value == before or where in world.held:
            return
        if world.recorder is not None:
            at, changed = np.array([where]), np.array([value])
            world.recorder.write(self.name, at, changed, self._opener())
        world.change(where, value, self._opener())

    def change_all(self, variable: str, values: NDArray[np.float64]) -> None:
        """Set a variable over all its places, in the order of `places`."""
        world = self._use()
        positions = world.positions_of(variable, values)
        if world.held and world.held.intersection(positions.tolist()):
            is_held = [where in world.held for where in positions.tolist()]
            values = np.where(is_held, world.state[positions], values)
        if world.recorder is not None:
            world.recorder.write(self.name, positions, values, self._opener())
        before = world.state[world.layout.slice_of(variable)]
        # Else compiled code is called for nothing; lists so short compare faster than arrays.
        if values.tolist() != before.tolist():
            world.change_many(positions, values, self._opener())

    def _opener(self) -> int:
        """The row of the decision taken on this occasion, else -1."""
        at, row = self._last_decision
        return row if at == self._world.clock.now else -1

    def move_milestone(self, name: str, to: float) -> None:
        """Move a milestone to another date, in days (infinity: cancel it)."""
        world = self._use()
        if world.recorder is not None:
            world.recorder.note(self.name, "move", name, float(to))
        world.timeline.move(name, to)

    def settle(self, name: str, classification: str) -> None:
        """Say what class a milestone ends in."""
        world = self._use()
        if world.recorder is not None:
            world.recorder.note(self.name, "settle", name, classification)
        world.timeline.settle(name, classification)

    def complete(self, name: str) -> None:
        """Say that a milestone is done, now."""
        world = self._use()
        if world.recorder is not None:
            world.recorder.note(self.name, "complete", name)
        world.timeline.complete(name)
        world.tell(("completion", name))

    # deciding

    def _journal(
        self, name: str, taken: str, probability: float, place: str | None, value: float
    ) -> None:
        world = self._use()
        now, decisions, cause = world.clock.now, world.decisions, self._cause
        self._last_decision = (now, len(decisions))
        what = now, self.name, name, place, taken, probability
        decisions.append(Decision(*what, cause.kind, cause.text, cause.row, value))
        world.tell(("decision", name))

    def _uniform(self, name: str, place: str | None = None) -> float:
        what = name_hash(f"decision|{self.name}|{name}|{place or ''}")
        return self._world.uniform(what, self._cause.occasion)

    def decides(self, name: str, place: str | None = None, **seen: float) -> bool:
        """Decide yes or no by the scenario's logit of that name.

        Raises
        ------
        SimulationError
            When there is no such logit, or what is seen is not what it weighs or no finite number.
        """
        score, weights = self._world.logit(name)
        if seen.keys() != weights.keys():
            raise SimulationError(f"decision {name!r} weighs {list(weights)}")
        for what, weight in weights.items():
            score += weight * seen[what]
        if not math.isfinite(score):
            where = f" at {place}" if place else ""
            raise SimulationError(f"decision {name!r}{where}: score became {score} (saw {seen})")
        return self.agrees(name, 1.0 / (1.0 + math.exp(-max(-700.0, score))), place=place)

    def agrees(
        self,
        name: str,
        probability: float,
        *,
        place: str | None = None,
        value: float = math.nan,
    ) -> bool:
        """Decide yes with a given probability.

        Raises
        ------
        SimulationError
            When it is no probability.
        """
        if not 0.0 <= probability <= 1.0 + _ROUNDING:
            where = f" at {place}" if place else ""
            raise SimulationError(f"decision {name!r}{where}: no probability (got {probability})")
        yes = self._uniform(name, place) < probability
        chance = probability if yes else 1.0 - probability
        self._journal(name, "yes" if yes else "no", chance, place, value)
        return yes

    def chooses(self, name: str, probabilities: Mapping[str, float]) -> str:
        """Choose a class; probabilities are taken in order of names and sum to 1."""
        taken = self._pick(name, probabilities)
        self._journal(name, taken, probabilities[taken], None, math.nan)
        return taken

    def _pick(self, name: str, probabilities: Mapping[str, float]) -> str:
        names = sorted(probabilities)
        total = math.fsum(probabilities.values())
        if not abs(total - 1.0) <= _ROUNDING or min(probabilities.values()) < -_ROUNDING:
            raise SimulationError(f"decision {name!r}: no probabilities (got {probabilities})")
        u, before = self._uniform(name), 0.0
        for candidate in names:
            before += probabilities[candidate]
            if u < before:
                return candidate
        return names[-1]

    def draws(self, name: str, kind: str, **arguments: float) -> float:
        """Draw a number from a distribution of `simlib.chance.distributions`; journal it."""
        value = quantile(kind, arguments, self._uniform(name))
        if not math.isfinite(value):
            raise SimulationError(f"decision {name!r}: drew {value} ({kind} of {arguments})")
        self._journal(name, "yes", 1.0, None, value)
        return value

    def records(
        self,
        name: str,
        *,
        value: float = math.nan,
        taken: str = "yes",
        place: str | None = None,
    ) -> None:
        """Journal a decision in which nothing is left to chance."""
        self._journal(name, taken, 1.0, place, value)

    # postures

    def live_posture(self, name: str, tilt: Tilt | None = None) -> Life:
        """Live a semi-Markov posture: Weibull sojourns, then the next state.

        Parameters
        ----------
        name
            The posture; the first sojourn is conditioned on its age at the start.
        tilt
            Given the state that is left, shifts of the log-odds of what follows.
        """
        posture = self._world.scenario.postures[name]
        value = self._world.value_of
        age = value(posture.age_months) * DAYS_PER_MONTH
        age = 0.0 if self._life else age
        chain = Cause("date", f"start of {name}", (name_hash(f"posture|{name}"), self._life, 0))
        while True:
            state = posture.states[here := self.posture(name)]
            if name in self._world.resting:
                yield self._hear(("release", name))
                chain = next_occasion(chain, here)
                continue
            if state.median_months is None:
                return
            self._cause = chain
            median = value(state.median_months) * DAYS_PER_MONTH
            lasting = sojourn(median, value(state.shape), age, self._uniform(f"{name}|{here}"))
            age = 0.0
            yield self.wait(until=self.now + lasting, posture=name)
            if self.posture(name) != here or name in self._world.resting:  # it has been moved
                chain = next_occasion(chain, self.posture(name))
                continue
            chances = {goal: value(p) for goal, p in state.next.items()}
            self._cause = chain
            chances = tilted(chances, tilt(here) if tilt else {})
            goal = self._pick(f"{name}|after|{here}", chances)
            self._cause = Cause("date", f"end of {name} {here}", chain.occasion)
            self._journal(name, goal, chances[goal], None, math.nan)
            chain = next_occasion(chain, goal)
            self._enter(name, goal, chain)

    def enter(self, posture: str, state: str) -> None:
        """Put a posture into a state at once (its semi-Markov life goes on from there)."""
        self._journal(posture, state, 1.0, None, math.nan)
        self._enter(posture, state, self._cause)

    def _enter(self, posture: str, state: str, cause: Cause) -> None:
        world, opener = self._world, self._last_decision[1]
        if posture in world.resting:
            return
        if world.recorder is not None:
            world.recorder.enter(self.name, posture, state, opener)
        world.enter(posture, state, cause, opener)


@functools.lru_cache
def _every(months: int, start: float, firsts: tuple[float, ...]) -> tuple[float, ...]:
    """The first instants of months that lie a multiple of so many after that of the start."""
    first = to_date(start)
    dates = ((time, to_date(time)) for time in firsts)
    since = ((time, (d.year - first.year) * 12 + d.month - first.month) for time, d in dates)
    return tuple(time for time, passed in since if passed % months == 0)


def _refuse(what: str, value: float) -> NoReturn:
    raise SimulationError(f"{what}: not possible (got {value})")


def _too_many_uses() -> SimulationError:
    return SimulationError(f"more than {MOST_USES} calls without a wait that has ended")
