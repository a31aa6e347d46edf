"""What every executor is: a crew that takes tasks and says what came of each.

`completed` keeps it busy, `Patience` ends a worker that hangs, and `carried_out` tries again
what workers died over or the surroundings let down.
"""

from __future__ import annotations

import importlib
import os
import pickle
import time
from collections import deque
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from simlib.ensemble import surroundings
from simlib.ensemble.surroundings import MOST_TRIES, ShortageError, shortage, watched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


_TICK = 1.0
"""Seconds after which the crew is looked at, whether or not something came back."""


class WorkerDied(Exception):  # noqa: N818  (it says what happened)
    """The worker process ended while it ran a task: what is known of it, and how many in a row."""

    def __init__(self, message: str, n_deaths: int = 1) -> None:
        self.n_deaths = n_deaths
        super().__init__(message)


class NotStarted(Exception):  # noqa: N818  (as above)
    """The worker process ended before it took its first task: nothing is said of that."""


@dataclass(frozen=True, slots=True)
class Task:
    """One pure call: equal keys are equal calls, wherever and however often they run.

    `what` it is about is for people; the `seconds` it takes are expected, 0 where not known.
    Where it `is_alone`, nothing else shall run beside it.
    """

    key: str
    call: Callable[..., Any] = field(repr=False)
    arguments: tuple[Any, ...] = field(repr=False)
    what: str = ""
    seconds: float = 0.0
    n_tries: int = 0
    is_alone: bool = False


class Crew(Protocol):
    """Workers, wherever they are."""

    @property
    def capacity(self) -> int:
        """How many tasks it may hold at a time."""

    def share(self, data: bytes) -> Any:
        """What stands for data that many tasks take as an argument."""

    def submit(self, task: Task) -> Future[Any]:
        """Take a task; the future is done when there is something to be had by `result`."""

    def result(self, future: Future[Any]) -> Any:
        """What a task returned, or raise what it raised.

        Raises
        ------
        WorkerDied
            Its worker died over it.
        NotStarted
            Its worker never was ready.
        ShortageError
            The surroundings lacked something.
        """

    def end_worker(self, future: Future[Any], why: str) -> bool:
        """End the worker of a task that hangs, as if it had died; whether that can be done."""


class InProcess:
    """Runs every task at once, in this process."""

    capacity = 1

    def share(self, data: bytes) -> bytes:
        """The data."""
        return data

    def submit(self, task: Task) -> Future[Any]:
        """Call, and return what came of it as a future that is done."""
        future: Future[Any] = Future()
        try:
            future.set_result(watched(task.call, *task.arguments))
        except Exception as error:  # noqa: BLE001  (raised again by the future)
            future.set_exception(error)
        return future

    def result(self, future: Future[Any]) -> Any:
        """What a task returned, or raise what it raised."""
        return future.result()

    def end_worker(self, future: Future[Any], why: str) -> bool:
        """Nobody can: the worker is this process."""
        del future, why
        return False


def n_cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def completed(
    crew: Crew, waiting: deque[Task], tell: Callable[[str], None] = lambda _text: None
) -> Iterator[tuple[Task, Any]]:
    """Iterate over tasks and their results as they come.

    Few tasks are held at a time, so few results are in memory. While the caller works on
    one result, the crew has the next tasks already, and the caller may append to those that
    wait. Where nothing came of a task, the result is what stood in its way: `WorkerDied`,
    `NotStarted` or `ShortageError`. `tell` is told of a task from which nothing is heard.
    """
    running: dict[Future[Any], Task] = {}
    patience = Patience(crew, tell)
    while waiting or running:
        _fill(crew, waiting, running)
        began = time.monotonic()
        done, _ = wait(running, timeout=_TICK, return_when=FIRST_COMPLETED)
        # Never more than a look takes: a process that was stopped itself has not waited.
        waited = min(time.monotonic() - began, _TICK)
        patience.look(running, waited)
        finished = [(running.pop(future), future) for future in done]
        if not isinstance(crew, InProcess):
            _fill(crew, waiting, running)
        for task, future in finished:
            patience.forget(task)
            yield task, _result(crew, future)


def _fill(crew: Crew, waiting: deque[Task], running: dict[Future[Any], Task]) -> None:
    while waiting and len(running) < crew.capacity:
        is_taken = any(task.is_alone for task in running.values())
        if is_taken or (waiting[0].is_alone and running):
            return
        task = waiting.popleft()
        running[crew.submit(task)] = task


def _result(crew: Crew, future: Future[Any]) -> Any:
    try:
        return crew.result(future)
    except (WorkerDied, NotStarted) as what_happened:
        return what_happened
    except Exception as error:
        found = shortage(error)  # one that came up on the way, outside of the task
        if found is None:
            raise
        return found


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


def pack(what: object) -> bytes:
    """Anything as bytes for a worker, also what a script or a notebook defines."""
    data: bytes = importlib.import_module("cloudpickle").dumps(what)
    return data


def unpack(data: bytes) -> Any:
    """What `pack` packed. Only bytes from the parent process ever come here."""
    return pickle.loads(data)  # noqa: S301


@dataclass(frozen=True, slots=True)
class Part:
    """Replications of one option, or other rows, that are one task."""

    option: str
    replications: range
    n_deaths: int = 0
    """How many workers died over it."""
    n_shortages: int = 0
    """How often the surroundings let it down."""
    rows: str = "replication"
    """What one is called."""

    @property
    def n_tries(self) -> int:
        """How often it was tried."""
        return self.n_deaths + self.n_shortages

    @property
    def is_alone(self) -> bool:
        """Whether nothing shall run beside it: it was let down, or it is a suspect."""
        return self.n_shortages > 0 or self.n_deaths >= MOST_TRIES - 1

    def divided(self) -> list[Part]:
        """Its replications one by one."""
        return [replace(self, replications=range(r, r + 1)) for r in self.replications]

    def __str__(self) -> str:
        first, last = self.replications.start, self.replications.stop - 1
        which = f"{self.rows} {first}" if first == last else f"{self.rows}s {first} to {last}"
        return f"{which} of option {self.option}" if self.option else which


def carried_out(
    crew: Crew,
    parts: list[Part],
    task_of: Callable[[Part], Task],
    tell: Callable[[str], None],
    *,
    divides: bool = True,
) -> Iterator[tuple[Part, Any]]:
    """Iterate over parts and what came of each, as they come.

    A part whose worker dies, or that the surroundings let down, is tried again when all
    others are begun, the second time alone and, where it `divides` (a result may be of less
    than a part), in single replications. What came of it is a `WorkerDied` where workers died
    over it each time; `ShortageError` is raised where the surroundings let it down each time.
    `tell` is told of workers from which nothing is heard.
    """
    waiting: deque[Task] = deque()
    part_of: dict[str, Part] = {}

    def add(part: Part) -> None:
        task = task_of(part)
        part_of[task.key] = part
        waiting.append(task)

    for part in parts:
        add(part)
    for task, result in completed(crew, waiting, tell):
        part = part_of[task.key]
        if isinstance(result, NotStarted):
            add(part)
            continue
        if isinstance(result, ShortageError):
            time.sleep(surroundings.PAUSE_SECONDS)
            again = replace(part, n_shortages=part.n_shortages + 1)
        elif isinstance(result, WorkerDied):
            again = replace(part, n_deaths=part.n_deaths + result.n_deaths)
        else:
            yield part, result
            continue
        is_one = len(part.replications) == 1 or not divides
        if is_one and again.n_tries >= MOST_TRIES:
            if isinstance(result, ShortageError):
                raise result.over(str(part))
            yield again, result
            continue
        for each in [again] if is_one or again.n_tries < MOST_TRIES - 1 else again.divided():
            add(each)
