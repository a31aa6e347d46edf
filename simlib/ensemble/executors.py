"""Where replications run: in this process, or in a pool of workers.

The boundary is `concurrent.futures.Executor`. Workers ignore Ctrl-C: the parent hears it,
drops what is not yet begun and ends them, so that none is left behind.
"""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import os
import pickle
import signal
import threading
from collections import deque
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeAlias, TypeVar

from simlib.errors import SimulationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

P = ParamSpec("P")
T = TypeVar("T")

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
_AHEAD = 2
"""Tasks kept waiting for each worker: enough to keep it busy, few enough to hold."""


class InProcess(Executor):
    """Runs every call at once, in this process."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Call, and return what came of it as a future that is done."""
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001  (raised again by the future)
            future.set_exception(error)
        return future


def pack(what: object) -> bytes:
    """Return anything as bytes for a worker, also what a script or a notebook defines."""
    data: bytes = importlib.import_module("cloudpickle").dumps(what)
    return data


def unpack(data: bytes) -> Any:
    """Return what `pack` packed. Only bytes from the parent process ever come here."""
    return pickle.loads(data)  # noqa: S301


def n_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextlib.contextmanager
def pool(jobs: int, start_method: StartMethod = "loky") -> Iterator[Executor]:
    """Open an executor and close it; on an error no worker is left behind.

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
    executor = _loky(jobs) if start_method == "loky" else _standard(jobs, start_method)
    try:
        yield executor
    except BaseException:
        _end(executor)
        raise
    if start_method != "loky":
        executor.shutdown()


def completed(
    executor: Executor, call: Callable[..., T], tasks: Iterable[tuple[Any, ...]], *, jobs: int
) -> Iterator[T]:
    """Iterate over results as they come, keeping few tasks and results in memory."""
    if isinstance(executor, InProcess):
        for task in tasks:
            yield call(*task)
        return
    waiting = deque(tasks)
    pending: set[Future[T]] = set()
    while waiting or pending:
        with _interrupts_held():
            while waiting and len(pending) < _AHEAD * jobs:
                pending.add(executor.submit(call, *waiting.popleft()))
        done, pending = wait(pending, return_when=FIRST_COMPLETED)
        for future in done:
            yield _result(future)


def _result(future: Future[T]) -> T:
    try:
        return future.result()
    except BrokenExecutor as error:
        message = "a worker process died; what it had finished is kept, run again to go on"
        raise SimulationError(message) from error


def _loky(jobs: int) -> Executor:
    import loky

    with _interrupts_held():
        executor: Executor = loky.get_reusable_executor(
            max_workers=jobs,
            timeout=_IDLE_SECONDS,
            initializer=_ignore_interrupts,
            env=ONE_THREAD,
        )
    return executor


def _standard(jobs: int, start_method: str) -> Executor:
    context = multiprocessing.get_context(start_method)
    return ProcessPoolExecutor(jobs, mp_context=context, initializer=_ignore_interrupts)


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


def _ignore_interrupts() -> None:
    os.environ.update(ONE_THREAD)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextlib.contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back while workers start: they inherit the mask and never hear it."""
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
