"""What happened in one replication: incidents and decisions, each with its cause.

Times are days since 2000-01-01, whole at midnight.
"""

from __future__ import annotations

import datetime as dt
import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MARKS = (
    "lethal",
    "reported",
    "success",
    "fatalities",
    "killed",
    "detained",
    "displaced",
    "neighbor",
    "escaped",
    "recaptured",
    "crossed",
    "partnered",
)
"""The closed vocabulary of marks. The position of a mark is part of its address, so new
marks are added at the end. ``reported`` and ``neighbor`` are uniforms of every incident."""

EPOCH = dt.date(2000, 1, 1)
DAYS_PER_MONTH = 365.25 / 12


def to_days(date: dt.date) -> float:
    """Return the first instant of a date in days since 2000-01-01.

    Examples
    --------
    >>> to_days(dt.date(2025, 1, 1))
    9132.0
    """
    return float((date - EPOCH).days)


def to_date(days: float) -> dt.date:
    """Return the date an instant falls on.

    Examples
    --------
    >>> to_date(9132.75)
    datetime.date(2025, 1, 1)
    """
    return EPOCH + dt.timedelta(days=math.floor(days))


@functools.lru_cache(maxsize=256)
def firsts_of_months(start: float, horizon: float) -> tuple[float, ...]:
    """Return the first instants of the months after start and before the horizon."""
    result: list[float] = []
    date = to_date(start)
    while True:
        year, month = divmod(date.year * 12 + date.month, 12)
        date = dt.date(year, month + 1, 1)
        days = to_days(date)
        if days >= horizon:
            return tuple(result)
        result.append(days)


CauseKind = Literal[
    "start", "review", "date", "milestone", "incident", "threshold", "posture", "scenario"
]
SCENARIO = "scenario"
"""Who is named in the journal for what happens by the scenario's events."""


@dataclass(frozen=True, slots=True)
class Channels:
    """The channels of a scenario, one row each: where incidents of a type recur."""

    types: tuple[str, ...]
    groups: tuple[str, ...]
    places: tuple[str, ...]
    targets: tuple[str, ...]
    countries: tuple[str, ...]
    """Country of the place; of the arrival end for border segments."""

    def __len__(self) -> int:
        return len(self.types)

    def describe(self, row: int) -> str:
        """Return type, place and target of a channel, for messages."""
        return f"{self.types[row]} at {self.places[row]} ({self.targets[row]})"


@dataclass(frozen=True, slots=True)
class Incidents:
    """Incidents in order of time, as columns of one length n.

    Attributes
    ----------
    time
        Days since 2000-01-01, shape (n,).
    channel
        Row of `channels`, shape (n,).
    parent
        Row of the incident that excited this one, else -1, shape (n,).
    opener
        Row of the decision that opened the channel, else -1, shape (n,).
    address
        What the incident's draws are addressed by, shape (n, 3).
    marks
        Values in the order of `MARKS`, shape (n, len(MARKS)).
    """

    time: NDArray[np.float64]
    channel: NDArray[np.int32]
    parent: NDArray[np.int32]
    opener: NDArray[np.int32]
    address: NDArray[np.uint64]
    marks: NDArray[np.float64]
    channels: Channels

    def __len__(self) -> int:
        return len(self.time)

    def caused_by(self, row: int) -> str:
        """Return the cause of an incident in words; empty when it has none that is named.

        The incident that excited it (``incident 12``), else the decision that opened its
        channel (``decision 3``).
        """
        if self.parent[row] >= 0:
            return f"incident {self.parent[row]}"
        return f"decision {self.opener[row]}" if self.opener[row] >= 0 else ""

    def mark(self, name: str) -> NDArray[np.float64]:
        """Return the column of one mark, shape (n,)."""
        return self.marks[:, MARKS.index(name)]


class Decision(NamedTuple):
    """One decision, journalled with what woke it."""

    time: float
    agent: str
    name: str
    place: str | None
    taken: str
    """``yes``, ``no``, or the class chosen."""
    probability: float
    """Of what was taken, before it was drawn; 1 where nothing was left to chance."""
    cause_kind: CauseKind
    cause: str
    """What woke the agent, in words, such as ``incident raid North``."""
    cause_row: int
    """Row of the incident that woke the agent, else -1."""
    value: float
    """A number decided with it (months, persons), else nan."""

    @property
    def caused_by(self) -> str:
        """What woke the agent: ``incident 12``, or the cause in words."""
        return f"incident {self.cause_row}" if self.cause_row >= 0 else self.cause


@dataclass(frozen=True, slots=True)
class MilestoneRecord:
    """What became of one milestone; times in days since 2000-01-01."""

    agreed: float
    """The first date it had; infinity where nobody gave it one."""
    date: float
    """As last moved; infinity when it was cancelled."""
    classification: str | None
    completed_at: float
    """nan while it is not completed."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each state variable stands in the flat state vector."""

    variables: dict[str, slice]
    places: dict[str, tuple[str, ...]]
    """Places of each variable; empty for a national scalar."""
    positions: dict[tuple[str, str | None], int]

    def index(self, variable: str, place: str | None = None) -> int:
        """Return the position of a variable at a place (None: a national scalar)."""
        return self.positions[variable, place]

    def slice_of(self, variable: str) -> slice:
        """Return the positions of a variable over all its places."""
        return self.variables[variable]

    def places_of(self, variable: str) -> tuple[str, ...]:
        """Return the places of a variable, in the order it is stored."""
        return self.places[variable]

    def name_of(self, where: int) -> str:
        """Return variable and place of a position of the state vector, for messages."""
        for (variable, place), position in self.positions.items():
            if position == where:
                return f"{variable} at {place}" if place else variable
        return str(where)


@dataclass(frozen=True, slots=True)
class Run:
    """The result of one replication."""

    scenario: str
    option: str
    replication: int
    parameters: dict[str, float]
    incidents: Incidents
    decisions: tuple[Decision, ...]
    postures: dict[str, tuple[tuple[float, str], ...]]
    """Each posture's states with the time they began."""
    milestones: dict[str, MilestoneRecord]
    snapshot_times: NDArray[np.float64]
    snapshots: NDArray[np.float64]
    """State at the start, at the first instant of each month (or when else it was observed)
    and at the horizon, shape (n_snapshots, n_state)."""
    layout: Layout
    start: float
    horizon: float
    compiled_seconds: float = 0.0
    """Time spent inside compiled calls; enters no digest."""
