"""What every agent can do: wait, see, decide, change."""

from __future__ import annotations

import bisect
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Mapping
from typing import TYPE_CHECKING

import simpy

from simlib.agents.seeing import Seeing
from simlib.agents.sojourns import next_link, sojourn, tilted
from simlib.chance.addresses import name_hash
from simlib.chance.distributions import quantile
from simlib.errors import SimlibError, SimulationError
from simlib.journal import MARKS, Decision
from simlib.world.clock import DAYS_PER_MONTH, to_date
from simlib.world.waiting import Cause, Wait, dated_cause, named_cause

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from simlib.world.world import World

Life = Generator[simpy.Event, object, None]
Tilt = Callable[[str], Mapping[str, float]]

_WOKEN = {
    "incident": "notice",
    "start": "start",
    "review": "review",
    "date": "date",
    "milestone": "milestone",
    "threshold": "threshold",
    "posture": "posture",
}


class Agent(Seeing, ABC):
    """Somebody who decides.

    Subclasses give `name`, the agent's entry in the scenario's catalogue, and `live`, its
    life: a generator that yields waits. Everything an agent decides by chance is addressed
    by what woke it, so the same occasion has the same luck under every option.

    Attributes
    ----------
    woken
        What ended the last wait: ``start``, ``review``, ``date``, ``notice``,
        ``milestone``, ``threshold`` or ``posture``.
    """

    def __init__(self, world: World, rank: int) -> None:
        super().__init__(world)
        self._rank = rank
        self._cause = named_cause("start", "of the scenario")
        self._last_decision = (-math.inf, -1)
        self._start = world.clock.now

    @abstractmethod
    def live(self) -> Life:
        """Live: wait, see, decide, change, until the horizon."""

    def begin(self) -> None:
        """Start the agent's life."""
        self.start(self.live())

    def start(self, life: Life) -> None:
        """Start another process of the same agent."""
        self._world.clock.start(self._guarded(life))

    def _guarded(self, life: Life) -> Life:
        try:
            yield from life
        except SimlibError:
            raise
        except Exception as error:
            date = str(to_date(self.now))
            message = f"agent {self.name} on {date}: {type(error).__name__}: {error}"
            raise SimulationError(message, self.name, date) from error

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
        """Return an event that happens when the first of these comes; yield it.

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
        """
        wait = Wait(simpy.Event(self._world.clock), self._rank)
        self._add_time(wait, days, months, until)
        types = (notice,) if isinstance(notice, str) else notice
        wait.notices = tuple(self._type_number(name) for name in types)
        wait.posture, wait.milestone = posture, milestone
        crossed: Cause | None = None
        if above:
            variable, place, level = above
            where = self._world.position(variable, place)
            wait.watch = self._world.watches.wait(where, level, self._rank, self._world.state)
            if wait.watch is None:
                crossed = self._world.crossing(where, level, self._rank)
        assert wait.event.callbacks is not None  # noqa: S101  (a new event has them)
        wait.event.callbacks.append(lambda _event: self._resume(wait))
        self._world.arm(wait)
        if crossed:
            self._world.wake(wait, crossed)
        return wait.event

    def _type_number(self, name: str) -> int:
        if name not in self._world.types:
            raise SimulationError(f"agent {self.name}: no incident type {name!r}")
        return self._world.types.index(name)

    def _add_time(
        self, wait: Wait, days: int | None, months: int | None, until: float | None
    ) -> None:
        due = math.inf
        if days is not None:
            due = self._start + (math.floor((self.now - self._start) / days) + 1) * days
        if months is not None:
            due = min(due, self._next_month(months))
        if due < math.inf:
            wait.timed = dated_cause("review", due)
        if until is not None and until < due:
            due = max(until, self.now)
            wait.timed = dated_cause("date", due)
        if due < math.inf:
            self._world.clock.put(wait.event, due, self._rank)

    def _next_month(self, months: int) -> float:
        starts = self._world.month_starts
        first = bisect.bisect_right(starts, self.now)
        if months == 1:
            return starts[first] if first < len(starts) else math.inf
        start = to_date(self._start)
        for time in starts[first : first + months]:
            date = to_date(time)
            if ((date.year - start.year) * 12 + date.month - start.month) % months == 0:
                return time
        return math.inf

    def _resume(self, wait: Wait) -> None:
        self._world.disarm(wait)
        cause = wait.cause or wait.timed
        assert cause is not None  # noqa: S101  (something ended the wait)
        self._cause = cause

    @property
    def woken(self) -> str:
        """What ended the last wait."""
        return _WOKEN[self._cause.kind]

    @property
    def incident(self) -> dict[str, float | str]:
        """The incident that woke the agent: type, place, target, time and its marks."""
        if self._cause.row < 0:
            raise SimulationError(f"agent {self.name} was not woken by an incident")
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
        where = self._world.position(variable, place)
        value = (to or 0.0) if by is None else float(self._world.state[where]) + by
        self._change(where, value)

    def change_all(self, variable: str, values: NDArray[np.float64]) -> None:
        """Set a variable over all its places, in the order of `places`."""
        self._world.change_all(variable, values, self._opener())

    def _change(self, where: int, value: float) -> None:
        if value != self._world.state[where]:
            self._world.change(where, value, self._opener())

    def _opener(self) -> int:
        """Return the row of the decision taken on this occasion, else -1."""
        at, row = self._last_decision
        return row if at == self.now else -1

    def move_milestone(self, name: str, to: float) -> None:
        """Move a milestone to another date, in days (infinity: cancel it)."""
        self._world.timeline.move(name, to)

    def settle(self, name: str, classification: str) -> None:
        """Say what class a milestone ends in."""
        self._world.timeline.settle(name, classification)

    def complete(self, name: str) -> None:
        """Say that a milestone is done, now."""
        self._world.timeline.complete(name)

    # deciding

    def _journal(
        self, name: str, taken: str, probability: float, place: str | None, value: float
    ) -> None:
        decisions = self._world.decisions
        self._last_decision = (self.now, len(decisions))
        decisions.append(
            Decision(
                time=self.now,
                agent=self.name,
                name=name,
                place=place,
                taken=taken,
                probability=probability,
                cause_kind=self._cause.kind,
                cause=self._cause.text,
                cause_row=self._cause.row,
                value=value,
            )
        )

    def _uniform(self, name: str, place: str | None = None) -> float:
        what = name_hash(f"decision|{self.name}|{name}|{place or ''}")
        return self._world.uniform(what, self._cause.occasion)

    def decides(self, name: str, place: str | None = None, **seen: float) -> bool:
        """Decide yes or no by the scenario's logit of that name.

        Raises
        ------
        SimulationError
            When what is seen is not what the logit weighs.
        """
        logit = self._world.scenario.decisions.get(name)
        if logit is None or set(seen) != set(logit.weights):
            weighed = sorted(logit.weights) if logit else "no such decision"
            raise SimulationError(f"agent {self.name}: decision {name!r} weighs {weighed}")
        score = self._world.value_of(logit.intercept)
        for what in sorted(seen):
            score += self._world.value_of(logit.weights[what]) * seen[what]
        return self.agrees(name, 1.0 / (1.0 + math.exp(-max(-700.0, score))), place=place)

    def agrees(
        self,
        name: str,
        probability: float,
        *,
        place: str | None = None,
        value: float = math.nan,
    ) -> bool:
        """Decide yes with a given probability."""
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
        if abs(total - 1.0) > 1e-9:
            raise SimulationError(f"agent {self.name}: {name!r}: probabilities sum to {total}")
        u, before = self._uniform(name), 0.0
        for candidate in names:
            before += probabilities[candidate]
            if u < before:
                return candidate
        return names[-1]

    def draws(self, name: str, kind: str, **arguments: float) -> float:
        """Draw a number from a distribution of `simlib.chance.distributions`; journal it."""
        value = quantile(kind, arguments, self._uniform(name))
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
        chain = Cause("date", f"start of {name}", (name_hash(f"posture|{name}"), 0, 0))
        while posture.states[self.posture(name)].median_months is not None:
            here = self.posture(name)
            state = posture.states[here]
            median = value(state.median_months) * DAYS_PER_MONTH
            self._cause = chain
            lasting = sojourn(median, value(state.shape), age, self._uniform(f"{name}|{here}"))
            age = 0.0
            yield self.wait(until=self.now + lasting, posture=name)
            if self.posture(name) != here:  # another process has moved it
                chain = next_link(chain, self.posture(name))
                continue
            chances = {goal: value(p) for goal, p in state.next.items()}
            self._cause = chain
            goal = self._pick(f"{name}|after|{here}", tilted(chances, tilt(here) if tilt else {}))
            self._cause = Cause("date", f"end of {name} {here}", chain.occasion)
            self._journal(name, goal, chances[goal], None, math.nan)
            chain = next_link(chain, goal)
            self._world.enter(name, goal, chain, self._last_decision[1])

    def enter(self, posture: str, state: str) -> None:
        """Put a posture into a state at once (its semi-Markov life goes on from there)."""
        self._journal(posture, state, 1.0, None, math.nan)
        self._world.enter(posture, state, self._cause, self._last_decision[1])
