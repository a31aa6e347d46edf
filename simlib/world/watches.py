"""Thresholds on state that wake an agent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from simlib.world.kernel import kernel_tables as t

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_WATCHES = 256


class Watches:
    """Watches on the state vector: each fires on upward crossing and re-arms below.

    Attributes
    ----------
    integers, levels, is_watched
        The arrays the kernel works on; see `simlib.world.kernel.kernel_tables`.
    """

    def __init__(self, n_state: int) -> None:
        self.integers = np.zeros((MOST_WATCHES, 4), dtype=np.int64)
        self.levels = np.zeros(MOST_WATCHES)
        self.is_watched = np.zeros(n_state, dtype=np.int64)
        self._numbers: dict[tuple[int, float, int], int] = {}

    def live_in(self, views: dict[str, NDArray[Any]]) -> None:
        """Go on in the kernel's memory, where the tables have been copied to."""
        self.integers, self.levels = views["watch_i"], views["watch_f"]
        self.is_watched = views["is_watched"]

    def __len__(self) -> int:
        return len(self._numbers)

    def wait(self, where: int, level: float, who: int, state: NDArray[np.float64]) -> int | None:
        """Wait for an upward crossing.

        Returns
        -------
        The watch's number, or None when the variable is above already and the watch is
        armed: then it fires at once.
        """
        key = (where, level, who)
        if key not in self._numbers:
            self._numbers[key] = len(self._numbers)
            row = self.integers[self._numbers[key]]
            row[:] = (where, 1, 0, 0)
            self.levels[self._numbers[key]] = level
            self.is_watched[where] = 1
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
        """Return the watches that have fired since the last call."""
        n = len(self)
        if n == 0:
            return []
        fired: list[int] = np.flatnonzero(self.integers[:n, t.FIRED]).tolist()
        self.integers[:n, t.FIRED] = 0
        return fired
