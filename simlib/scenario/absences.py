"""Actors that are away: an event cannot move what is theirs, nor remove them again."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from simlib.scenario.schema import several

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from simlib.scenario.context import Context
    from simlib.scenario.nodes import Path
    from simlib.scenario.schema import Event, Removal


def check(context: Context, events: Mapping[str, tuple[Path, Event]]) -> None:
    """Note events that remove who is away, or change what rests while somebody is.

    Events by name, and where each is written. Whoever may leave or come back on a condition is
    left in peace, and so is an event on a condition unless they are away from start to end.
    """
    for agent, entry in context.scenario.agents.items():
        if entry.on_removal is None:
            continue
        leaves = [e for _, e in events.values() if agent in several(e.remove)]
        returns = [e.on for _, e in events.values() if agent in several(e.admit)]
        if None in returns or not leaves:
            continue
        back = [date for date in returns if date]
        for path, event in events.values():
            if context.is_moot(path):
                continue
            earlier = [e for e in leaves if e.on and (event.on is None or e.on < event.on)]
            if agent in several(event.remove) and _is_away(context, event, earlier, back):
                key = () if path[-1] == "remove" else ("remove",)
                context.add((*path, *key), f"must not remove who is away already (got {agent})")
            elif _is_away(context, event, leaves, back):
                for within in _moves(event, entry.on_removal):
                    rule = f"must not change while {agent} is away, whose it is"
                    context.add((*path, *within), rule, "admit them first")


def _is_away(context: Context, event: Event, leaves: list[Event], back: list[dt.date]) -> bool:
    """Whether somebody who leaves and comes back on dates is away when an event comes."""
    if event.on is None:
        return not back and any(e.on == context.scenario.start for e in leaves)
    left = [e.on for e in leaves if e.on is not None and e.on <= event.on]
    return bool(left) and not any(max(left) <= date <= event.on for date in back)


def _moves(event: Event, removal: Removal) -> Iterator[tuple[str, str]]:
    """What an event changes of that which rests."""
    for key in ("set", "times", "add"):
        changed = getattr(event, key)
        yield from ((key, name) for name in changed if name in {*removal.zero, *removal.set})
    yield from (("enter", posture) for posture in event.enter if posture in removal.rest)
