"""The only clock: SimPy's, with absolute times and ranks.

Simultaneous events run in the order of their ranks, never of their scheduling. A wait
that another cause has ended leaves no trace: `Clock.peek` never returns its time.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Generator
from operator import attrgetter
from typing import Any

import simpy

CALENDAR_RANK = 0
MILESTONE_RANK = 1
FIRST_AGENT_RANK = 10
INCIDENT_RANK = 100_000
OBSERVER_RANK = 100_001
AFTER_RANK = 100_002


Event = simpy.Event
Process = Generator[simpy.Event, Any, Any]


class Clock(simpy.Environment):
    """A SimPy environment whose events stand at absolute times, in order of rank.

    The `last_agent` is the name of the one that acted last; empty before any has.
    """

    last_agent = ""

    def __init__(self, initial_time: float = 0.0) -> None:
        super().__init__(initial_time)
        self._processes: list[simpy.Process] = []

    # SimPy's own is a function of Python, and nothing is asked as often.
    now: float = property(attrgetter("_now"))  # type: ignore[assignment]

    def at(self, time: float, rank: int) -> simpy.Event:
        """An event that happens at an absolute time (days), in order of rank."""
        event = simpy.Event(self)
        self.put(event, time, rank)
        return event

    def put(self, event: simpy.Event, time: float, rank: int) -> None:
        """Schedule an event; if it is scheduled twice, the earlier time holds."""
        event._ok = True  # noqa: SLF001
        event._value = None  # noqa: SLF001
        # SimPy schedules delays, and now + (time - now) can miss the last bit of time.
        heapq.heappush(self._queue, (time, rank, next(self._eid), event))  # type: ignore[misc]

    def next_scheduled(self) -> tuple[float, int]:
        """Time and rank of the next event that will run (infinity for none)."""
        queue = self._queue
        while queue and queue[0][3].callbacks is None:
            heapq.heappop(queue)
        return (queue[0][0], queue[0][1]) if queue else (math.inf, 0)

    def peek(self) -> float:
        """The time of the next event that will run, in days."""
        return self.next_scheduled()[0]

    def step(self) -> None:
        """Run the next event."""
        if self._queue and self._queue[0][3].callbacks is None:  # a wait that has ended otherwise
            self.next_scheduled()
        super().step()

    def step_to_next(self) -> None:
        """Run the next event, of which `next_scheduled` has just told."""
        super().step()

    def start(self, process: Process) -> None:
        """Start a process at once, up to its first wait."""
        self._processes.append(self.process(process))

    def end(self) -> None:
        """Let go of all that still waits.

        Who waits and what he waits for hold each other: their memory would be free only when
        Python next looks for such circles.
        """
        for process in self._processes:
            if process.is_alive:
                process.target.callbacks = None  # type: ignore[assignment]  # as when it is over
        self._processes.clear()
        self._queue.clear()

    def call_at(self, time: float, rank: int, function: Callable[[], None]) -> None:
        """Call a function at an absolute time (days), in order of rank."""
        callbacks = self.at(time, rank).callbacks
        assert callbacks is not None  # noqa: S101  (a new event has them)
        callbacks.append(lambda _event: function())
