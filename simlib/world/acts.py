"""What agents do to the world, recorded as data that can be played again without them.

A recorded replication is a list of acts. Played into a world without agents, all of them
give the same replication bit for bit; played in part, they clamp what some agents or
mechanisms do to the path it has under another option, while incidents go on happening by
the state they meet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from simlib.world.clock import AFTER_RANK, FIRST_AGENT_RANK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from simlib.world.world import World

Kind: TypeAlias = Literal["write", "enter", "move", "settle", "complete"]


@dataclass(frozen=True, slots=True)
class Act:
    """One change by an agent.

    Attributes
    ----------
    at
        When, in days.
    is_after
        Whether it came after an incident at that same instant, which it answers.
    agent
        Who.
    kind
        ``write``, ``enter`` (a posture's state), or ``move``, ``settle``, ``complete`` (a
        milestone).
    what
        The state variable, posture or milestone.
    positions, before, values
        Of a write: where in the state vector, and what stood and stands there, shape (n,).
        Of a posture: its position and the codes of its states.
    text
        The posture's new state, or the milestone's class.
    number
        The milestone's new date, in days.
    decision
        Row of the decision taken on the same occasion, else -1.
    """

    at: float
    is_after: bool
    agent: str
    kind: Kind
    what: str
    positions: NDArray[np.int64]
    before: NDArray[np.float64]
    values: NDArray[np.float64]
    text: str = ""
    number: float = 0.0
    decision: int = -1

    def part(self, mask: NDArray[np.bool_]) -> Act | None:
        """Return the part of a write at some of its positions; None where that is nothing."""
        if mask.all():
            return self
        if not mask.any():
            return None
        return Act(
            self.at, self.is_after, self.agent, self.kind, self.what,
            self.positions[mask], self.before[mask], self.values[mask],
            self.text, self.number, self.decision,
        )  # fmt: skip


_NOWHERE = np.zeros(0, dtype=np.int64)
_NOTHING = np.zeros(0)


class Recorder:
    """Keeps the acts of one replication, in the order they were done."""

    def __init__(self) -> None:
        self.acts: list[Act] = []
        self.answered_at = -np.inf
        """The last instant at which an incident woke somebody."""
        self._names: dict[int, str] = {}

    def write(
        self,
        world: World,
        agent: str,
        positions: NDArray[np.int64],
        values: NDArray[np.float64],
        decision: int,
    ) -> None:
        """Note a change of state that is about to be made."""
        if not self._names:
            self._names = {p: variable for (variable, _), p in world.layout.positions.items()}
        what = self._names[int(positions[0])]
        before = world.state[positions]
        self._add(world, agent, "write", what, (positions.copy(), before, values.copy()), decision)

    def enter(self, world: World, agent: str, posture: str, state: str, decision: int) -> None:
        """Note that a posture is about to enter a state."""
        positions = np.array([world.position(posture, None)])
        codes = sorted(world.scenario.postures[posture].states)
        values = np.array([float(codes.index(state))])
        arrays = (positions, world.state[positions], values)
        self._add(world, agent, "enter", posture, arrays, decision, state)

    def milestone(
        self, world: World, agent: str, kind: Kind, name: str, to: str | float = ""
    ) -> None:
        """Note what is about to become of a milestone."""
        text, number = ("", to) if isinstance(to, float) else (to, 0.0)
        nothing = (_NOWHERE, _NOTHING, _NOTHING)
        self._add(world, agent, kind, name, nothing, -1, text, number)

    def _add(  # noqa: PLR0913, PLR0917  (the columns of an act)
        self,
        world: World,
        agent: str,
        kind: Kind,
        what: str,
        arrays: tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]],
        decision: int,
        text: str = "",
        number: float = 0.0,
    ) -> None:
        now = float(world.clock.now)
        is_after = now == self.answered_at
        self.acts.append(Act(now, is_after, agent, kind, what, *arrays, text, number, decision))


def play(world: World, acts: Iterable[Act]) -> None:
    """Schedule acts in a world without agents.

    Parameters
    ----------
    world
        Its clock stands at the start.
    acts
        In order of time and, at one instant, in the order in which they are to be done;
        what answers an incident of an instant comes after what does not.
    """
    for at, is_after, group in _instants(acts):
        rank = AFTER_RANK if is_after else FIRST_AGENT_RANK
        world.clock.call_at(at, rank, lambda group=group: _do_all(world, group))  # type: ignore[misc]


def _instants(acts: Iterable[Act]) -> Iterator[tuple[float, bool, list[Act]]]:
    group: list[Act] = []
    for act in acts:
        if group and (act.at, act.is_after) != (group[0].at, group[0].is_after):
            yield group[0].at, group[0].is_after, group
            group = []
        group.append(act)
    if group:
        yield group[0].at, group[0].is_after, group


def _do_all(world: World, acts: list[Act]) -> None:
    for act in acts:
        _do(world, act)


def _do(world: World, act: Act) -> None:
    if act.kind == "write":
        world.change_many(act.positions, _replayed(world.state[act.positions], act), -1)
    elif act.kind == "enter":
        world.change_many(act.positions, act.values, -1)
        world.postures[act.what].append((act.at, act.text))
    elif act.kind == "settle":
        world.timeline.settle(act.what, act.text)
    elif act.kind == "complete":
        world.timeline.complete(act.what)
    elif act.number >= world.clock.now:
        world.timeline.move(act.what, act.number)


def _replayed(now: NDArray[np.float64], act: Act) -> NDArray[np.float64]:
    """Return what a write comes to: the same value over the same, else the same change.

    Where incidents have moved the variable to another value than the agent met, what the
    agent added stays what it added.
    """
    return np.where(now == act.before, act.values, now + (act.values - act.before))
