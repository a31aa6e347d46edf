"""Waits of an agent: what may end them, and what has ended the last."""

from __future__ import annotations

import bisect
import math
from typing import TYPE_CHECKING

from simlib.agents.seeing import Seeing
from simlib.errors import SimulationError
from simlib.journal import MARKS
from simlib.world.clock import to_date
from simlib.world.waiting import Cause, Wait, dated_cause, named_cause

if TYPE_CHECKING:
    from typing import NoReturn

    import simpy

    from simlib.world.world import World

_WOKEN = {
    "incident": "notice",
    "start": "start",
    "review": "review",
    "date": "date",
    "milestone": "milestone",
    "threshold": "threshold",
    "posture": "posture",
}


class Waiting(Seeing):
    """The part of an agent that waits and knows what woke it."""

    def __init__(self, world: World, rank: int) -> None:
        super().__init__(world)
        self._rank = rank
        self._cause = named_cause("start", "of the scenario")
        self._start = world.clock.now

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

        Raises
        ------
        SimulationError
            When a number is no time or no level.
        """
        wait = Wait(self._use().clock.event(), self._rank)
        self._add_time(wait, days, months, until)
        types = (notice,) if isinstance(notice, str) else notice
        wait.notices = tuple(self._type_number(name) for name in types)
        wait.posture, wait.milestone = posture, milestone
        crossed: Cause | None = None
        if above:
            variable, place, level = above
            if math.isnan(level):
                _refuse("level above which to wake", level)
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
            raise SimulationError(f"no incident type {name!r}")
        return self._world.types.index(name)

    def _add_time(
        self, wait: Wait, days: int | None, months: int | None, until: float | None
    ) -> None:
        due, now = math.inf, float(self._world.clock.now)
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
            self._world.clock.put(wait.event, due, self._rank)

    def _next_month(self, months: int) -> float:
        starts = self._world.month_starts
        first = bisect.bisect_right(starts, self._world.clock.now)
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
        self._world.clock.last_agent, self._n_uses = self.name, 0
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


def _refuse(what: str, value: float) -> NoReturn:
    raise SimulationError(f"{what}: not possible (got {value})")
