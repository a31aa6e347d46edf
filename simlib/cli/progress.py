"""How far a run is: a bar on a terminal, lines elsewhere; and what to do when it is stopped."""

from __future__ import annotations

import contextlib
import shlex
import signal
import sys
import time
from typing import TYPE_CHECKING, Any

import typer

from simlib.cli.signals import Stopped, asked, heard_by, status_of
from simlib.cli.streams import tell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from simlib.ensemble import Progress
    from simlib.evidence.abc_smc.inverse_problems import Simulator

noted: set[str] = set()
"""What this command was told while it ran."""
n_missing: list[int] = []
"""Of each run of this command: replications that could not be simulated."""


@contextlib.contextmanager
def stopping(output: Path | None) -> Iterator[Reporter]:
    """Report progress; when a signal asks to end, say what is kept and how to go on."""
    reporter = _Bar() if sys.stderr.isatty() else Reporter()
    reporter.output = output
    try:
        yield reporter
        n_missing.append(reporter.n_missing)
    except KeyboardInterrupt as stop:
        reporter.close()
        raise interrupted(stop, _how_to_go_on(reporter.last, reporter.output)) from None
    finally:
        reporter.close()


def interrupted(stop: KeyboardInterrupt, line: str) -> typer.Exit:
    """Say what an interruption leaves, and return what ends the command."""
    tell(line)
    if not isinstance(stop, Stopped):
        return typer.Exit(status_of(signal.SIGINT))
    stop.is_told = True
    return typer.Exit(stop.status)


def _how_to_go_on(last: Progress | None, output: Path | None) -> str:
    done = f"{last.n_done:,} of {last.n_total:,} replications" if last else "no replication"
    if output is None:
        return f"interrupted: {done} done, nothing kept (give -o DIRECTORY to keep results)"
    return f"interrupted: {done} kept in {output}; {_again()}"


def _again() -> str:
    return f"to go on: {shlex.join(['simlib', *sys.argv[1:]])}"


class Reporter:
    """Progress as lines, for files and pipes: one at each tenth of the way."""

    def __init__(self) -> None:
        self.last: Progress | None = None
        self.output: Path | None = None
        self.n_missing = self._tenth = self._n_total = 0

    def __call__(self, progress: Progress) -> None:
        """Take note of progress."""
        asked.heed()
        self.n_missing = max(self.n_missing, progress.n_missing)
        if progress.phase == "note":
            noted.add(progress.note)
            tell(progress.note)
        elif progress.phase == "compiling":
            tell("compiling the kernel ...")
        elif progress.phase == "done" and not progress.n_total:
            tell("all replications are there already: none is simulated again")
        elif progress.phase == "running":
            self.last = progress
            self._run(progress)

    def _run(self, progress: Progress) -> None:
        from simlib.ensemble.progress_words import announcement, standing

        if not progress.n_done:
            tell(announcement(progress))
            return
        tenth = 10 * progress.n_done // progress.n_total
        # A run that stops on precision sets itself a new total: the tenths begin anew.
        if tenth > self._tenth or progress.n_total != self._n_total:
            self._tenth, self._n_total = tenth, progress.n_total
            tell(standing(progress))

    def close(self) -> None:
        """Nothing to close."""


class _Bar(Reporter):
    """Progress as a bar, for a terminal."""

    def __init__(self) -> None:
        super().__init__()
        self._status: Any = None
        self._shown_at = 0.0

    def __call__(self, progress: Progress) -> None:
        """Take note of progress."""
        if progress.phase == "note":
            self.close()  # a line amid a bar would be overwritten
        super().__call__(progress)

    def _run(self, progress: Progress) -> None:
        from simlib.ensemble.progress_words import standing

        if not progress.n_done:
            super()._run(progress)
            return
        is_last = progress.n_done == progress.n_total
        now = time.monotonic()
        if now - self._shown_at < 0.1 and not is_last:
            return
        self._shown_at = now
        if self._status is None:
            self._status = _new_bar(progress.n_total)
        bar, task = self._status
        bar.update(
            task,
            completed=progress.n_done,
            total=progress.n_total,
            description=standing(progress),
        )

    def close(self) -> None:
        """Leave the bar as it stands."""
        if self._status is not None:
            self._status[0].stop()
            self._status = None


@contextlib.contextmanager
def checking(
    what: str = "chunks checked", *, is_told: bool = False
) -> Iterator[Callable[[int, int], None] | None]:
    """Report how much is done: a bar on a terminal; elsewhere a line at the end if it is told."""
    if not sys.stderr.isatty():
        yield _last_only(what) if is_told else None
        return
    bar, task = _new_bar(0)

    def tell_progress(n_done: int, n_total: int) -> None:
        text = f"{n_done:,} of {n_total:,} {what}"
        bar.update(task, completed=n_done, total=n_total, description=text)

    try:
        yield tell_progress
    finally:
        bar.stop()


def _last_only(what: str) -> Callable[[int, int], None]:
    """Tell when half and all is done."""

    def tell_progress(n_done: int, n_total: int) -> None:
        if n_done in {(n_total + 1) // 2, n_total}:
            tell(f"{n_done:,} of {n_total:,} {what}")

    return tell_progress


def _new_bar(n_total: int) -> tuple[Any, Any]:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Display

    columns = (BarColumn(24), TextColumn("{task.description}", markup=False))
    bar = Display(*columns, console=Console(stderr=True))
    task = bar.add_task("", total=n_total)
    bar.start()
    return bar, task


class Generations:
    """Tells each generation as it is there."""

    def __init__(self, output: Path) -> None:
        self._output = output
        self._last: Progress | None = None

    def __call__(self, progress: Progress) -> None:
        """Take note of one."""
        self._last = progress
        tell(progress.note)

    def how_to_go_on(self) -> str:
        """Say what is kept, and the command that goes on."""
        last = self._last
        done = f"{last.n_done} of {last.n_total} generations" if last else "no generation"
        return f"interrupted: {done} kept in {self._output}; {_again()}"


class StopBetweenRuns:
    """A request to stop that is heeded between runs: the store is never cut off in a write."""

    def __init__(self) -> None:
        self._asked: Stopped | None = None

    def ask(self, number: int, _frame: object) -> None:
        """Take note of a signal; a second one is not waited for."""
        is_second = self._asked is not None
        self._asked = self._asked or Stopped(number)
        if is_second:
            raise self._asked

    def unless_asked(self, simulator: Simulator) -> Simulator:
        """A simulator that runs only while nobody has asked to stop."""

        def simulate(values: Mapping[str, float], seed: int) -> NDArray[np.float64]:
            if self._asked is not None:
                raise self._asked
            return simulator(values, seed)

        return simulate


@contextlib.contextmanager
def stopping_between_runs(standing: Generations) -> Iterator[StopBetweenRuns]:
    """When a signal asks to end, say what is kept and how to go on."""
    stop = StopBetweenRuns()
    try:
        with heard_by(stop.ask):
            yield stop
    except KeyboardInterrupt as stopped:
        raise interrupted(stopped, standing.how_to_go_on()) from None
