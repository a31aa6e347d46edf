"""How processes start: on a safe path, deaf to Ctrl-C, and not to outlive their parent."""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import signal
import threading
import time
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING

from simlib.errors import SimulationError, warn

if TYPE_CHECKING:
    from collections.abc import Iterator

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

GUARD = "put the call under if __name__ == '__main__'"
_IS_WORKER = "SIMLIB_WORKER"
SAFE = {"PYTHONSAFEPATH": "1", _IS_WORKER: "1"}
"""Of every process that is started: it runs no module of the folder one stands in. A worker
is then sent the modules' path of its parent."""
_PARENT_SECONDS = 0.5
"""How often a worker looks whether its parent is still there."""

_lock = threading.Lock()
_before: list[dict[str, str | None]] = []
"""What the environment was before whoever is starting processes now."""


@contextlib.contextmanager
def safe_path() -> Iterator[None]:
    """Let processes that start meanwhile, whoever starts them, take a safe path."""
    with _lock:
        _before.append({name: os.environ.get(name) for name in SAFE})
        os.environ.update(SAFE)
    try:
        yield
    finally:
        with _lock:
            before = _before.pop()
            if not _before:  # nobody else is starting any
                _restore(before)


def _restore(before: dict[str, str | None]) -> None:
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


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


def stays_here() -> bool:
    """Whether this process may have no children of its own; the caller is warned."""
    if not multiprocessing.current_process().daemon:
        return False
    warn("a daemonic process may start no workers: all is simulated in this one")
    return True


def refuse_bootstrapping() -> None:
    """Refuse to work in a process that only runs a script again to begin its life.

    One of simlib's own workers ends there without a word: its parent says what is wrong.
    Somebody else's process gets a `SimulationError`.
    """
    if not getattr(multiprocessing.current_process(), "_inheriting", False):
        return
    if _IS_WORKER in os.environ:
        os._exit(1)
    raise SimulationError(f"a process that starts runs its whole script again; {GUARD}")


def begin(parent: int) -> None:
    """Begin the life of a worker: deaf to Ctrl-C, and not to outlive its parent."""
    os.environ.update(ONE_THREAD)
    # Looking for circles after every few hundred objects takes a sixth of a worker's time; a
    # replication leaves none, and what figures leave can wait.
    gc.set_threshold(50_000, 20, 50)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    except RuntimeError:  # no more threads: the parent says that it could not start
        os._exit(1)


def _end_with(parent: int) -> None:
    # A parent that is killed cannot end its workers: they would wait for it for a minute.
    while os.getppid() == parent:
        time.sleep(_PARENT_SECONDS)
    os._exit(1)


def ready() -> bool:
    """Answer: what a worker is asked before its first task."""
    return True
