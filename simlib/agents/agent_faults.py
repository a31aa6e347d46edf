"""Whatever an agent raises becomes an error that names the agent and the date."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from simlib.errors import SimulationError
from simlib.journal import to_date

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simlib.world.clock import Clock

MOST_USES = 100_000
"""Cap on how often an agent sees, decides or changes between two of its waits.

The agents of the reference scenario do so at most some 130 times. What counts is calls,
never seconds, so the agent stops at the same call wherever it is run.
"""


@contextlib.contextmanager
def naming(agent: str, clock: Clock) -> Iterator[None]:
    """Make whatever is raised inside the failure of one agent.

    `SystemExit` too fails the replication and not the program. `KeyboardInterrupt` is
    somebody at the keyboard and `GeneratorExit` the end of a run: both go through.
    """
    clock.last_agent = agent
    try:
        yield
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:
        raise _named(error, agent, str(to_date(clock.now))) from error


def _named(error: BaseException, agent: str, date: str) -> SimulationError:
    if not isinstance(error, SimulationError):
        message = f"agent {agent} on {date}: {type(error).__name__}: {_text(error)}"
    elif error.date:  # its text tells the date
        message = f"agent {agent}: {error}"
    else:
        message = f"agent {agent} on {date}: {error}"
    return SimulationError(message, agent, date)


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001  (its class is the agent's own)
        return "(cannot be told)"


def too_many_uses() -> SimulationError:
    """Return the error of an agent that never comes to wait."""
    return SimulationError(f"more than {MOST_USES} calls without a wait that has ended")
