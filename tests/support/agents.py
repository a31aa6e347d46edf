"""The agent that lives in the small scenario, and those of its kind that go wrong."""

from __future__ import annotations

import errno
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from simlib.agents.base import Agent

if TYPE_CHECKING:
    from simlib.agents.base import Life

FEW = 8.0
"""The raids a month below which `Failing` raises."""


class Watcher(Agent):
    """Reviews each month, and settles the milestone when it comes."""

    name = "watcher"

    def live(self) -> Life:
        """Live: wait, see, decide, change."""
        self.start(self.live_posture("talks.posture"))
        while True:
            yield self.wait(days=30, milestone="exit")
            if self.woken == "milestone":
                self.settle("exit", "met" if self.agrees("leave", 0.5) else "slipped")
                if self.class_of("exit") == "met":
                    self.complete("exit")
            elif self.decides("alarm", guards=self.see("guards", "North")):
                self.change("guards", "North", by=-1)


class Failing(Watcher):
    """Raises at its third review in replications that drew few raids."""

    def live(self) -> Life:
        """Live until the third review."""
        for _ in range(3):
            yield self.wait(days=30)
        if self.parameter("raids") < FEW:
            raise ZeroDivisionError("nothing to watch")
        yield self.wait(days=10_000)


LETHAL = 5
"""The replication that `Killing` dies in."""
DEATHS, SURPRISE, STOP = "SIMLIB_TEST_DEATHS", "SIMLIB_TEST_SURPRISE", "SIMLIB_TEST_STOP"


class Killing(Watcher):
    """Kills its process in one replication, always or as often as a folder has files."""

    def live(self) -> Life:
        """Live until the first review."""
        yield self.wait(days=30)
        if self._world.replication == LETHAL and self._has_a_death_left():
            os.kill(os.getpid(), signal.SIGKILL)
        yield self.wait(days=10_000)

    def _has_a_death_left(self) -> bool:
        if DEATHS not in os.environ:
            return True
        left = sorted(Path(os.environ[DEATHS]).iterdir())
        if left:
            left[0].unlink()
        return bool(left)


class Starving(Killing):
    """Is let down by the machine where `Killing` dies, and hides it in an error of its own."""

    def live(self) -> Life:
        """Live until the first review."""
        yield self.wait(days=30)
        if self._world.replication == LETHAL and self._has_a_death_left():
            lack = OSError(errno.EMFILE, os.strerror(errno.EMFILE), "table.csv")
            raise ValueError("no table") from lack
        yield self.wait(days=10_000)


class Moody(Watcher):
    """Does what a file says that is read anew: not deterministic."""

    def live(self) -> Life:
        """Live until the first review."""
        yield self.wait(days=30)
        self.change("guards", "North", by=float(Path(os.environ[SURPRISE]).read_text()))
        yield self.wait(days=10_000)


class Stopping(Watcher):
    """Sleeps for good once a file is there, so that a run can be caught in the act."""

    def live(self) -> Life:
        """Live until the first review."""
        import time

        yield self.wait(days=30)
        while Path(os.environ[STOP]).exists():
            time.sleep(0.05)
        yield self.wait(days=10_000)
