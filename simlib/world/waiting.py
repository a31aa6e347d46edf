"""What agents wait for: causes that end a wait, and watches on the state vector."""

from __future__ import annotations

import datetime as dt
import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from simlib.chance.addresses import name_hash
from simlib.journal import to_date, to_days
from simlib.world.clock import Event
from simlib.world.kernel import kernel_tables as t

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from simlib.journal import CauseKind
    from simlib.world.clock import Clock

MOST_WATCHES = 256
Occasion = tuple[int, int, int]
News = tuple[Literal["decision", "completion", "release"], str]
"""A decision that is taken, a milestone that is completed, a posture that may move; by name."""


@dataclass(frozen=True, slots=True)
class Cause:
    """What woke an agent (as journalled), and the address of that occasion.

    Three words address what chance decides on it; the row is that of the incident, else -1.
    """

    kind: CauseKind
    text: str
    occasion: Occasion
    row: int = -1


_LAST_DAY = to_days(dt.date.max)
"""Waits may be for what comes later: nothing does, in a scenario."""


@functools.lru_cache(maxsize=8192)
def dated_cause(kind: CauseKind, days: float) -> Cause:
    """The cause that a date or a review of that date is."""
    return named_cause(kind, "after all dates" if days > _LAST_DAY else str(to_date(days)))


def named_cause(kind: CauseKind, text: str) -> Cause:
    """A cause whose occasion is its kind and text."""
    return Cause(kind, f"{kind} {text}", (0, name_hash(f"{kind}|{text}"), 0))


class Wait(Event):
    """A wait in progress of one agent: whatever comes first ends it and disarms the rest.

    It was `timed` if only time passes; the `cause` is what came first, once something has. It
    stands in `lists` of those who wait, counts among those who wait for the types of incidents
    that are its `notices`, and for one `watch`.
    """

    timed: Cause | None = None
    cause: Cause | None = None
    notices: tuple[int, ...] = ()
    lists: tuple[list[Wait], ...] = ()
    watch: int | None = None

    def __init__(self, clock: Clock, rank: int, on_end: Callable[[Any], None]) -> None:
        self.env, self.rank = clock, rank
        self.callbacks = [on_end]


class Watches:
    """Watches on the state vector: each fires on upward crossing and re-arms below.

    The kernel works on their arrays; see `simlib.world.kernel.kernel_tables`.
    """

    def __init__(self, n_state: int) -> None:
        self.integers = np.zeros((MOST_WATCHES, 4), dtype=np.int64)
        self.levels = np.zeros(MOST_WATCHES)
        self.is_watched = np.zeros(n_state, dtype=np.int64)
        self._numbers: dict[tuple[int, float, int], int] = {}
        self._control = np.zeros(t.N_WATCHES + 1, dtype=np.int64)

    @property
    def tables(self) -> dict[str, NDArray[Any]]:
        """The arrays by the names of the kernel's tables."""
        return {"watch_i": self.integers, "watch_f": self.levels, "is_watched": self.is_watched}

    def live_in(self, views: dict[str, NDArray[Any]], control: NDArray[np.int64]) -> None:
        """Go on in the kernel's memory, where the tables have been copied to."""
        self._control = control
        self.integers, self.levels = views["watch_i"], views["watch_f"]
        self.is_watched = views["is_watched"]

    def __len__(self) -> int:
        return len(self._numbers)

    def wait(self, where: int, level: float, who: int, state: NDArray[np.float64]) -> int | None:
        """Wait for an upward crossing.

        It is the watch's number, or None when the variable is above already and the watch is
        armed: then it fires at once.
        """
        key = (where, level, who)
        if key not in self._numbers:
            self._numbers[key] = len(self._numbers)
            row = self.integers[self._numbers[key]]
            row[:] = (where, 1, 0, 0)
            self.levels[self._numbers[key]] = level
            self.is_watched[where] = 1
            self._control[t.N_WATCHES] = len(self._numbers)
        number = self._numbers[key]
        row = self.integers[number]
        if state[where] < level:
            row[t.ARMED] = 1
        elif row[t.ARMED]:
            row[t.ARMED] = 0
            return None
        row[t.WAITED] = 1
        return number

    def disarm(self, number: int) -> None:
        """Stop waiting on a watch."""
        self.integers[number, t.WAITED] = 0

    def test(self, where: int, x: float) -> bool:
        """Fire or re-arm the watches on a variable that has become x; tell of any fired."""
        fired = False
        for number in range(len(self)):
            row = self.integers[number]
            if row[t.WATCH_STATE] != where:
                continue
            if x < self.levels[number]:
                row[t.ARMED] = 1
            elif row[t.ARMED] and row[t.WAITED]:
                row[t.ARMED] = 0
                row[t.FIRED] = 1
                fired = True
        return fired

    def take_fired(self) -> list[int]:
        """The watches that have fired since the last call."""
        n = len(self)
        if n == 0:
            return []
        fired: list[int] = np.flatnonzero(self.integers[:n, t.FIRED]).tolist()
        self.integers[:n, t.FIRED] = 0
        return fired
