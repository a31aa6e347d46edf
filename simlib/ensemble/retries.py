"""Parts of work, tried again when what is around them fails."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from simlib.ensemble import surroundings
from simlib.ensemble.executors import NotStarted, Task, WorkerDied, completed
from simlib.ensemble.surroundings import MOST_TRIES, ShortageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from simlib.ensemble.executors import Crew


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
        """Return its replications one by one."""
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
    """Iterate over parts and their results as they come.

    A part whose worker dies, or that the surroundings let down, is tried again when all
    others are begun, the second time alone and, where it `divides`, in single replications.

    Parameters
    ----------
    crew
        Who does them.
    parts
        All of them.
    task_of
        Makes a task of a part.
    tell
        Told of workers from which nothing is heard.
    divides
        Whether a result may be of less than a part.

    Yields
    ------
    tuple
        A part and what came of it; a `WorkerDied` where workers died over it each time.

    Raises
    ------
    ShortageError
        The surroundings let a part down each time.
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
