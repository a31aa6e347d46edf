"""Crews: each task comes back once, and a death is of one task alone."""

from __future__ import annotations

import os
import time
from collections import deque
from pathlib import Path
from typing import Any

import pytest

from simlib.ensemble.executors import InProcess, StartMethod, Task, WorkerDied, completed, pool


def double(number: int) -> int:
    """Return twice a number."""
    return 2 * number


def die_at(number: int, fatal: int, after: float = 0.0) -> int:
    """End this process over one number."""
    time.sleep(after)
    if number == fatal:
        os._exit(3)
    return number


def process_id(_number: int) -> int:
    """Return which process this is."""
    return os.getpid()


def tasks(call: Any, n: int, *more: Any) -> deque[Task]:
    """Return tasks of a call with the numbers below n."""
    return deque(Task(str(i), call, (i, *more)) for i in range(n))


@pytest.mark.parametrize("jobs", [1, 2, 3])
@pytest.mark.parametrize("start_method", ["loky", "spawn"])
def test_every_task_comes_back_once(jobs: int, start_method: StartMethod) -> None:
    with pool(jobs, start_method) as crew:
        found = {task.key: result for task, result in completed(crew, tasks(double, 7))}
    assert found == {str(i): 2 * i for i in range(7)}


def test_tasks_added_on_the_way_are_done_too() -> None:
    waiting = tasks(double, 1)
    seen = []
    for task, result in completed(InProcess(), waiting):
        seen.append(result)
        if len(seen) < 4:
            waiting.append(Task(task.key + "x", double, (result + 1,)))
    assert seen == [0, 2, 6, 14]


@pytest.mark.parametrize("start_method", ["loky", "spawn"])
def test_a_death_is_of_one_task_alone(start_method: StartMethod) -> None:
    """The others come back, those that ran at that moment included."""
    with pool(3, start_method) as crew:
        found = {task.key: r for task, r in completed(crew, tasks(die_at, 9, 4, 0.1))}
    assert isinstance(found.pop("4"), WorkerDied)
    assert found == {str(i): i for i in range(9) if i != 4}


def test_an_error_of_a_task_is_raised_and_no_death() -> None:
    for jobs in (1, 2):
        with pytest.raises(TypeError), pool(jobs) as crew:
            list(completed(crew, deque([Task("x", double, (None,))])))


def test_workers_are_kept_for_the_next_call_and_ended_after_an_error() -> None:
    def workers() -> set[int]:
        with pool(2) as crew:
            return {result for _, result in completed(crew, tasks(process_id, 8))}

    first = workers()
    assert len(first) == 2
    assert workers() == first
    with pytest.raises(TypeError), pool(2) as crew:
        list(completed(crew, deque([Task("x", double, (None,))])))
    assert not any(Path(f"/proc/{worker}").exists() for worker in first)
    assert first.isdisjoint(workers())
