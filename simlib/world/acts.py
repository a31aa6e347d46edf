"""What agents do to the world, recorded as data that can be played again without them.

A recorded replication is a list of acts. Played into a world without agents, all of them
give the same replication bit for bit; played in part, they clamp what some agents or
mechanisms do to the path it has under another option, while incidents go on happening by
the state they meet.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simlib.journal import Layout
    from simlib.scenario.schema import Scenario
    from simlib.world.clock import Clock

Kind: TypeAlias = Literal["write", "enter", "move", "settle", "complete", "revise", "hold"]

_NOWHERE = np.zeros(0, dtype=np.int64)
_NOTHING = np.zeros(0)


@dataclass(frozen=True, slots=True)
class Act:
    """One change by an agent.

    Attributes
    ----------
    at
        When, in days.
    is_after
        Whether it came after an incident at that same instant, which it answers.
    kind
        ``write``, ``enter`` (a posture's state), ``move``, ``settle``, ``complete`` (a
        milestone), ``revise`` (a parameter), or ``hold`` (what is theirs who are away).
    what
        The state variable, posture, milestone or parameter.
    positions, before, values
        Of a write: where in the state vector, and what stood and stands there, shape (n,).
        Of a posture: its position and the codes of its states.
    text, number
        The posture's new state or the milestone's class; the milestone's new date, in days,
        or the parameter's new value.
    decision
        Row of the decision taken on the same occasion, else -1.
    """

    at: float
    is_after: bool
    agent: str
    kind: Kind
    what: str
    positions: NDArray[np.int64] = field(default_factory=lambda: _NOWHERE)
    before: NDArray[np.float64] = field(default_factory=lambda: _NOTHING)
    values: NDArray[np.float64] = field(default_factory=lambda: _NOTHING)
    text: str = ""
    number: float = 0.0
    decision: int = -1

    def part(self, mask: NDArray[np.bool_]) -> Act | None:
        """The part of a write at some of its positions; None where that is nothing."""
        if mask.all():
            return self
        if not mask.any():
            return None
        where, before, values = self.positions[mask], self.before[mask], self.values[mask]
        return replace(self, positions=where, before=before, values=values)

    def values_over(self, now: NDArray[np.float64]) -> NDArray[np.float64]:
        """The values that a write sets: the same over the same, else by the same change.

        Where incidents have moved the variable to another value than the agent met, what the
        agent added stays what it added.
        """
        return np.where(now == self.before, self.values, now + (self.values - self.before))


class Recorder:
    """Keeps the acts of one replication, in the order they were done."""

    def __init__(
        self, scenario: Scenario, clock: Clock, layout: Layout, state: NDArray[np.float64]
    ) -> None:
        self.acts: list[Act] = []
        self.answered_at = -np.inf
        """The last instant at which an incident woke somebody."""
        self._scenario, self._clock, self._layout, self._state = scenario, clock, layout, state
        self._names = {p: variable for (variable, _), p in layout.positions.items()}

    def write(
        self, agent: str, positions: NDArray[np.int64], values: NDArray[np.float64], decision: int
    ) -> None:
        """Note a change of state that is about to be made."""
        what, before = self._names[int(positions[0])], self._state[positions]
        self.acts.append(
            Act(
                *self._instant(), agent, "write", what,
                positions.copy(), before, values.copy(), decision=decision,
            )
        )  # fmt: skip

    def enter(self, agent: str, posture: str, state: str, decision: int) -> None:
        """Note that a posture is about to enter a state."""
        where = np.array([self._layout.index(posture)])
        code = np.array([float(sorted(self._scenario.postures[posture].states).index(state))])
        self.acts.append(
            Act(
                *self._instant(), agent, "enter", posture,
                where, self._state[where], code, text=state, decision=decision,
            )
        )  # fmt: skip

    def note(
        self, agent: str, kind: Kind, name: str, to: str | float = "", *, decision: int = -1
    ) -> None:
        """Note what is about to become of a milestone or a parameter."""
        text, number = ("", to) if isinstance(to, float) else (to, 0.0)
        act = Act(*self._instant(), agent, kind, name, text=text, number=number, decision=decision)
        self.acts.append(act)

    def _instant(self) -> tuple[float, bool]:
        now = float(self._clock.now)
        return now, now == self.answered_at
