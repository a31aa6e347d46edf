"""Errors that simlib raises on purpose.

::

    SimlibError
    ├── ScenarioError      a scenario file or a scenario object is wrong
    ├── SimulationError    a replication could not be simulated
    └── StoreError         a results directory cannot be written or read

What is no error, and whoever calls should know all the same, is a `SimlibWarning`.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Sequence
from dataclasses import dataclass


class SimlibError(Exception):
    """Base class of every error that simlib raises on purpose."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a scenario, and where.

    Parameters
    ----------
    path
        Dotted path inside the document, such as ``parameters.recruits.low``;
        empty for the document itself.
    rule
        The rule that is broken, with the value met: ``must be >= 0 (got -4)``.
    hint
        What to do about it; may be empty.
    file, line, column
        Where it stands; line and column count from 1, and are 0 when the scenario
        was not read from text.
    """

    path: str
    rule: str
    hint: str = ""
    file: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}: " if self.line else ""
        path = f"{self.path}: " if self.path else ""
        hint = f"; {self.hint}" if self.hint else ""
        return f"{place}{path}{self.rule}{hint}"


class ScenarioError(SimlibError):
    """A scenario is wrong.

    Parameters
    ----------
    problems
        Every problem found, in the order of the file. At most 20 are shown.
    """

    SHOWN = 20

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        lines = [str(problem) for problem in self.problems[: self.SHOWN]]
        rest = len(self.problems) - len(lines)
        if rest > 0:
            lines.append(f"and {rest} more")
        return "\n".join(lines)


class SimulationError(SimlibError):
    """A replication could not be simulated.

    Parameters
    ----------
    message
        What went wrong.
    agent, date
        Which agent raised, and on which simulated date; empty where none did.
    """

    def __init__(self, message: str, agent: str = "", date: str = "") -> None:
        self.agent, self.date = agent, date
        super().__init__(message, agent, date)

    def __str__(self) -> str:
        return str(self.args[0])


class StoreError(SimlibError):
    """A results directory cannot be written or read."""


class SimlibWarning(UserWarning):
    """What whoever calls should know; the command line tells it in lines of its own."""


def warn(text: str) -> None:
    """Warn at the caller's own line: the first outside of simlib."""
    frame, level = inspect.currentframe(), 1
    while frame is not None and _is_inside(str(frame.f_globals.get("__name__"))):
        frame, level = frame.f_back, level + 1
    warnings.warn(text, SimlibWarning, stacklevel=level)


def _is_inside(module: str) -> bool:
    return module.partition(".")[0] in {"simlib", "contextlib"}
