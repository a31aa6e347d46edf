"""How long a worker may be silent: a word after a while, and its end after a longer one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from simlib.ensemble.executors.crew import Crew, Task

WORD_SECONDS, WORD_TIMES = 20.0, 20.0
"""After so many seconds, and so many times the time expected, silence is told."""
END_SECONDS, END_TIMES = 120.0, 60.0
"""After so many the worker is ended and its task tried again, as after a death."""
GROWTH = 4.0
"""How many times more with each try: what is only slow comes through."""


@dataclass(slots=True)
class Patience:
    """Keeps the time of all tasks that run."""

    crew: Crew
    tell: Callable[[str], None]
    _waited: dict[str, float] = field(default_factory=dict)
    _told: set[str] = field(default_factory=set)
    _slowest: float = 0.0
    """Of the tasks that came back: what is expected of others, at least."""

    def look(self, running: dict[Future[Any], Task], seconds: float) -> None:
        """Take note that so many seconds went by, and act where a task is overdue."""
        for future, task in running.items():
            waited = self._waited[task.key] = self._waited.get(task.key, 0.0) + seconds
            if future.done():
                continue
            expected = max(task.seconds, self._slowest)
            last = max(END_SECONDS, END_TIMES * expected) * GROWTH**task.n_tries
            # Of what nobody knows how long it takes, long silence says little.
            word = max(WORD_SECONDS, WORD_TIMES * expected) if expected else last
            if waited > word and task.key not in self._told:
                self._told.add(task.key)
                self.tell(f"{task.what}: no word from the worker for {waited:.0f} s")
            if expected and waited > last:
                why = f"it hung for {waited:.0f} s and was ended"
                if self.crew.end_worker(future, why):
                    self._waited[task.key] = 0.0
                    self.tell(f"{task.what}: the worker hung for {waited:.0f} s and was ended")

    def forget(self, task: Task) -> None:
        """Take note that a task came back."""
        self._slowest = max(self._slowest, self._waited.pop(task.key, 0.0))
        self._told.discard(task.key)
