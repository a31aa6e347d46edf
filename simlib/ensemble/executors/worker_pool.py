"""A pool of worker processes on this machine, each in a slot of its own.

A slot holds one process and one task. So it is known which task a process died over, and
the death of one disturbs no other; a dead process is replaced when its slot is next used.
Each must answer before its first task: one that never does has not died over it.
Workers ignore Ctrl-C: the parent hears it, drops what is not yet begun and ends them.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from simlib.ensemble.executors.crew import InProcess, NotStarted, WorkerDied
from simlib.ensemble.executors.starting import (
    GUARD,
    ONE_THREAD,
    SAFE,
    begin,
    interrupts_held,
    ready,
    safe_path,
    stays_here,
)
from simlib.ensemble.surroundings import MOST_TRIES, PAUSE_SECONDS, shortage, watched
from simlib.errors import SimulationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from simlib.ensemble.executors.crew import Crew, Task


StartMethod: TypeAlias = Literal["loky", "spawn", "fork"]

_IDLE_SECONDS = 60


class _Slot:
    """One worker process, started when it is first needed."""

    def __init__(self, start_method: StartMethod) -> None:
        self._start_method = start_method
        self._executor: Executor | None = None
        self._ready: Future[Any] | None = None
        self._n_unstarted = 0
        """Starts in a row that came to nothing."""
        self._why = ""
        """Why its worker was ended, where it was."""
        self.future: Future[Any] | None = None

    @property
    def is_idle(self) -> bool:
        return self.future is None or self.future.done()

    def submit(self, task: Task) -> Future[Any]:
        with safe_path():
            self.future = self._with_deaths(self._submitted(task))
        return self.future

    def _submitted(self, task: Task) -> Future[Any]:
        """The future of a task that a worker has; start one where there is none."""
        while True:
            try:
                with interrupts_held():
                    executor = self._executor or self._started()
                    return executor.submit(watched, task.call, *task.arguments)
            except BrokenExecutor as error:  # it died while it was idle, or as it started
                end = None if self.future else self._end_of_worker(str(error))
                self.end()
                if isinstance(end, NotStarted):  # what no task was told of yet
                    self._refuse_more_starts(str(end))
            except (OSError, RuntimeError, MemoryError) as error:
                self.end()
                self._n_unstarted += 1
                lacking = shortage(error)
                why = lacking.cause if lacking else f"{type(error).__name__}: {error}"
                self._refuse_more_starts(why, lacking.lack[1] if lacking else "")
                time.sleep(PAUSE_SECONDS)

    def _started(self) -> Executor:
        self._why = ""
        self._executor = _executor(self._start_method)
        self._ready = self._executor.submit(ready)
        return self._executor

    def _refuse_more_starts(self, why: str, remedy: str = "") -> None:
        if self._n_unstarted < MOST_TRIES:
            return
        usual = f"{GUARD}, or use loky" if self._start_method == "spawn" else "free memory"
        raise SimulationError(
            f"no worker could be started in {MOST_TRIES} tries ({self._start_method}: {why}); "
            f"{remedy or usual}, or give --jobs 1; what is finished is kept, run again to go on"
        ) from None

    def _with_deaths(self, inner: Future[Any]) -> Future[Any]:
        """A future that tells the death of a worker from an error of its task."""
        outer: Future[Any] = Future()

        def hand_over(done: Future[Any]) -> None:
            if done.cancelled():  # when an error elsewhere ends the crew
                outer.cancel()
                return
            error = done.exception()
            if isinstance(error, BrokenExecutor):
                outer.set_exception(self._end_of_worker(str(error).partition(". ")[0]))
            elif error is not None:
                outer.set_exception(error)
            else:
                self._n_unstarted = 0
                outer.set_result(done.result())

        inner.add_done_callback(hand_over)
        return outer

    def _end_of_worker(self, said: str) -> Exception:
        if self._ready is not None and self._ready.done() and not self._ready.exception():
            self._n_unstarted = 0
            return WorkerDied(self._why or said)
        self._n_unstarted += 1
        return NotStarted(self._why or "the process ended before it was ready")

    def result(self, future: Future[Any]) -> Any:
        try:
            return future.result()
        except NotStarted as error:
            self._refuse_more_starts(str(error))
            raise

    def end_worker(self, why: str) -> None:
        """End the process, as if it had died."""
        self._why = why
        for process in _processes(self._executor):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)

    def end(self) -> None:
        """End the process at once."""
        executor, self._executor, self._ready = self._executor, None, None
        if executor is not None:
            _end(executor)
        self.future = None


class _Pool:
    """As many slots as there are jobs."""

    def __init__(self, jobs: int, start_method: StartMethod) -> None:
        self.slots = [_Slot(start_method) for _ in range(jobs)]
        self._slot_of: dict[Future[Any], _Slot] = {}

    @property
    def capacity(self) -> int:
        return len(self.slots)

    def share(self, data: bytes) -> bytes:
        return data

    def submit(self, task: Task) -> Future[Any]:
        slot = next(slot for slot in self.slots if slot.is_idle)
        future = slot.submit(task)
        self._slot_of[future] = slot
        return future

    def result(self, future: Future[Any]) -> Any:
        return self._slot_of.pop(future).result(future)

    def end_worker(self, future: Future[Any], why: str) -> bool:
        self._slot_of[future].end_worker(why)
        return True

    def end(self) -> None:
        for slot in self.slots:
            slot.end()
        self._slot_of.clear()


_kept: dict[int, _Pool] = {}
"""Pools of loky workers, kept for the next call by their number of jobs."""


@contextlib.contextmanager
def pool(jobs: int, start_method: StartMethod = "loky") -> Iterator[Crew]:
    """Open a crew and close it; on an error no worker is left behind.

    One worker stays in this process, and so does one that may have no children: a worker of
    somebody's pool. ``loky`` keeps its workers for the next call and needs no guard in scripts;
    ``spawn`` and ``fork`` are the standard library's.
    """
    if jobs == 1 or stays_here():
        yield InProcess()
        return
    crew = _kept.pop(jobs, None) if start_method == "loky" else None
    crew = crew or _Pool(jobs, start_method)
    try:
        yield crew
    except BaseException:
        crew.end()
        raise
    if start_method == "loky":
        _kept[jobs] = crew
    else:
        crew.end()


def _executor(start_method: StartMethod) -> Executor:
    if start_method != "loky":
        context = multiprocessing.get_context(start_method)
        return ProcessPoolExecutor(
            1, mp_context=context, initializer=begin, initargs=(os.getpid(),)
        )
    import loky

    executor: Executor = loky.ProcessPoolExecutor(
        max_workers=1,
        timeout=_IDLE_SECONDS,
        initializer=begin,
        initargs=(os.getpid(),),
        env={**ONE_THREAD, **SAFE},  # a worker that is replaced starts when it is idle
    )
    return executor


def _processes(executor: Executor | None) -> list[Any]:
    return list((getattr(executor, "_processes", None) or {}).values())


def _end(executor: Executor) -> None:
    """Drop what waits and end the workers at once."""
    if not isinstance(executor, ProcessPoolExecutor):
        # loky's own executor, not the standard library's, can end its workers itself.
        end: Callable[..., None] = executor.shutdown
        end(wait=True, kill_workers=True)
        return
    processes = _processes(executor)
    executor.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.kill()
    for process in processes:
        process.join()
