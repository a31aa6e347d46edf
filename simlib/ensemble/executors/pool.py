"""A pool of worker processes on this machine, each in a slot of its own.

A slot holds one process and one task. So it is known which task a process died over, and
the death of one disturbs no other; a dead process is replaced when its slot is next used.
Workers ignore Ctrl-C: the parent hears it, drops what is not yet begun and ends them.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
import time
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from simlib.ensemble.executors.crew import InProcess, WorkerDied

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from simlib.ensemble.executors.crew import Crew, Task

StartMethod: TypeAlias = Literal["loky", "spawn", "fork"]

ONE_THREAD = dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
        "NUMEXPR_NUM_THREADS",
    ),
    "1",
)
"""Environment of the workers: numerical libraries use one thread each."""

_IDLE_SECONDS = 60
_PARENT_SECONDS = 0.5
"""How often a worker looks whether its parent is still there."""


class _Slot:
    """One worker process, started when it is first needed."""

    def __init__(self, start_method: StartMethod) -> None:
        self._start_method = start_method
        self._executor: Executor | None = None
        self._future: Future[Any] | None = None

    @property
    def is_idle(self) -> bool:
        return self._future is None or self._future.done()

    def submit(self, task: Task) -> Future[Any]:
        with interrupts_held():
            if self._executor is None or self._is_broken():
                self.end()
                self._executor = _executor(self._start_method)
            try:
                inner = self._executor.submit(task.call, *task.arguments)
            except BrokenExecutor:  # it died while it was idle
                self.end()
                self._executor = _executor(self._start_method)
                inner = self._executor.submit(task.call, *task.arguments)
        self._future = _with_deaths(inner)
        return self._future

    def _is_broken(self) -> bool:
        future = self._future
        return future is not None and isinstance(future.exception(), WorkerDied)

    def end(self) -> None:
        """End the process at once."""
        if self._executor is not None:
            _end(self._executor)
        self._executor = self._future = None


class _Pool:
    """As many slots as there are jobs."""

    def __init__(self, jobs: int, start_method: StartMethod) -> None:
        self.slots = [_Slot(start_method) for _ in range(jobs)]

    @property
    def capacity(self) -> int:
        return len(self.slots)

    def share(self, data: bytes) -> bytes:
        return data

    def submit(self, task: Task) -> Future[Any]:
        return next(slot for slot in self.slots if slot.is_idle).submit(task)

    def result(self, future: Future[Any]) -> Any:
        return future.result()

    def end(self) -> None:
        for slot in self.slots:
            slot.end()


_kept: dict[int, _Pool] = {}
"""Pools of loky workers, kept for the next call by their number of jobs."""


@contextlib.contextmanager
def pool(jobs: int, start_method: StartMethod = "loky") -> Iterator[Crew]:
    """Open a crew and close it; on an error no worker is left behind.

    Parameters
    ----------
    jobs
        Number of workers; 1 stays in this process.
    start_method
        ``loky`` keeps its workers for the next call and needs no guard in scripts;
        ``spawn`` and ``fork`` are the standard library's.
    """
    if jobs == 1:
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


def _with_deaths(inner: Future[Any]) -> Future[Any]:
    """Return a future that tells the death of a worker from an error of its task."""
    outer: Future[Any] = Future()

    def hand_over(done: Future[Any]) -> None:
        if done.cancelled():  # when an error elsewhere ends the crew
            outer.cancel()
            return
        error = done.exception()
        if isinstance(error, BrokenExecutor):
            outer.set_exception(WorkerDied(str(error).partition("\n")[0]))
        elif error is not None:
            outer.set_exception(error)
        else:
            outer.set_result(done.result())

    inner.add_done_callback(hand_over)
    return outer


def _executor(start_method: StartMethod) -> Executor:
    if start_method != "loky":
        context = multiprocessing.get_context(start_method)
        return ProcessPoolExecutor(
            1, mp_context=context, initializer=_begin, initargs=(os.getpid(),)
        )
    import loky

    executor: Executor = loky.ProcessPoolExecutor(
        max_workers=1,
        timeout=_IDLE_SECONDS,
        initializer=_begin,
        initargs=(os.getpid(),),
        env=ONE_THREAD,
    )
    return executor


def _end(executor: Executor) -> None:
    """Drop what waits and end the workers at once."""
    if not isinstance(executor, ProcessPoolExecutor):
        # loky's own executor, not the standard library's, can end its workers itself.
        end: Callable[..., None] = executor.shutdown
        end(wait=True, kill_workers=True)
        return
    processes = list((getattr(executor, "_processes", None) or {}).values())
    executor.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.kill()
    for process in processes:
        process.join()


def _begin(parent: int) -> None:
    """Begin the life of a worker: deaf to Ctrl-C, and not to outlive its parent."""
    os.environ.update(ONE_THREAD)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    # A parent that is killed cannot end its workers: they would wait for it for a minute.
    while os.getppid() == parent:
        time.sleep(_PARENT_SECONDS)
    os._exit(1)


@contextlib.contextmanager
def interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back while workers start: they inherit the mask and never hear it."""
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # Starting the tracker that spawned processes need would let the signal through again.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
