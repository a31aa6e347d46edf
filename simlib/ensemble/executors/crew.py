"""What every executor is: a crew that takes tasks and says what came of each."""

from __future__ import annotations

import os
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable, Iterator


class WorkerDied(Exception):  # noqa: N818  (it says what happened)
    """The worker process ended while it ran a task.

    Parameters
    ----------
    message
        What is known of its end.
    n_deaths
        How many workers in a row.
    """

    def __init__(self, message: str, n_deaths: int = 1) -> None:
        self.n_deaths = n_deaths
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Task:
    """One pure call: equal keys are equal calls, wherever and however often they run."""

    key: str
    call: Callable[..., Any] = field(repr=False)
    arguments: tuple[Any, ...] = field(repr=False)


class Crew(Protocol):
    """Workers, wherever they are."""

    @property
    def capacity(self) -> int:
        """How many tasks it may hold at a time."""

    def share(self, data: bytes) -> Any:
        """Return what stands for data that many tasks take as an argument."""

    def submit(self, task: Task) -> Future[Any]:
        """Take a task; the future is done when there is something to be had by `result`."""

    def result(self, future: Future[Any]) -> Any:
        """Return what a task returned, or raise what it raised.

        Raises
        ------
        WorkerDied
            Its worker died over it.
        """


class InProcess:
    """Runs every task at once, in this process."""

    capacity = 1

    def share(self, data: bytes) -> bytes:
        """Return the data."""
        return data

    def submit(self, task: Task) -> Future[Any]:
        """Call, and return what came of it as a future that is done."""
        future: Future[Any] = Future()
        try:
            future.set_result(task.call(*task.arguments))
        except Exception as error:  # noqa: BLE001  (raised again by the future)
            future.set_exception(error)
        return future

    def result(self, future: Future[Any]) -> Any:
        """Return what a task returned, or raise what it raised."""
        return future.result()


def n_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def completed(crew: Crew, waiting: deque[Task]) -> Iterator[tuple[Task, Any]]:
    """Iterate over tasks and their results as they come.

    Few tasks are held at a time, so few results are in memory. While the caller works on
    one result, the crew has the next tasks already.

    Parameters
    ----------
    crew
        Who does them.
    waiting
        Tasks, first to last; the caller may append while it iterates. Of a task whose
        worker died, the result is the `WorkerDied`.
    """
    running: dict[Future[Any], Task] = {}
    while waiting or running:
        _fill(crew, waiting, running)
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        finished = [(running.pop(future), future) for future in done]
        if not isinstance(crew, InProcess):
            _fill(crew, waiting, running)
        for task, future in finished:
            yield task, _result(crew, future)


def _fill(crew: Crew, waiting: deque[Task], running: dict[Future[Any], Task]) -> None:
    while waiting and len(running) < crew.capacity:
        task = waiting.popleft()
        running[crew.submit(task)] = task


def _result(crew: Crew, future: Future[Any]) -> Any:
    try:
        return crew.result(future)
    except WorkerDied as died:
        return died
