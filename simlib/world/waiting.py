"""One wait of one agent: whatever comes first ends it and disarms the rest."""

from __future__ import annotations

import datetime as dt
import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simlib.chance.addresses import name_hash
from simlib.journal import to_date, to_days

if TYPE_CHECKING:
    import simpy

    from simlib.journal import CauseKind

Occasion = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Cause:
    """What woke an agent, and the address of that occasion.

    Attributes
    ----------
    kind, text
        As journalled.
    occasion
        Three words that chance decided on this occasion is addressed by.
    row
        Row of the incident, else -1.
    """

    kind: CauseKind
    text: str
    occasion: Occasion
    row: int = -1


_LAST_DAY = to_days(dt.date.max)
"""Waits may be for what comes later: nothing does, in a scenario."""


@functools.lru_cache(maxsize=8192)
def dated_cause(kind: CauseKind, days: float) -> Cause:
    """Return the cause that a date or a review of that date is."""
    return named_cause(kind, "after all dates" if days > _LAST_DAY else str(to_date(days)))


def named_cause(kind: CauseKind, text: str) -> Cause:
    """Return a cause whose occasion is its kind and text."""
    return Cause(kind, f"{kind} {text}", (0, name_hash(f"{kind}|{text}"), 0))


class Wait:
    """A wait in progress.

    Attributes
    ----------
    event
        What the SimPy process waits for.
    rank
        Rank of the agent that waits.
    timed
        The cause if only time passes.
    cause
        What came first, once something has.
    """

    __slots__ = ("cause", "event", "milestone", "notices", "posture", "rank", "timed", "watch")

    def __init__(self, event: simpy.Event, rank: int) -> None:
        self.event, self.rank = event, rank
        self.timed: Cause | None = None
        self.cause: Cause | None = None
        self.notices: tuple[int, ...] = ()
        self.posture: str | None = None
        self.milestone: str | None = None
        self.watch: int | None = None
