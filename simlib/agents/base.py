"""What every agent can do: wait, see, decide, change."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Mapping
from typing import TYPE_CHECKING

import numpy as np
import simpy

from simlib.agents.faults import naming
from simlib.agents.sojourns import next_link, sojourn, tilted
from simlib.agents.waits import Waiting
from simlib.chance.addresses import name_hash
from simlib.chance.distributions import quantile
from simlib.errors import SimulationError
from simlib.journal import Decision
from simlib.world.clock import DAYS_PER_MONTH
from simlib.world.waiting import Cause

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simlib.world.world import World

Life = Generator[simpy.Event, object, None]
Tilt = Callable[[str], Mapping[str, float]]

_ROUNDING = 1e-9
"""How far probabilities may lie off by rounding."""


class Agent(Waiting, ABC):
    """Somebody who decides.

    Subclasses give `name`, the agent's entry in the scenario's catalogue, and `live`, its
    life: a generator that yields waits. Everything an agent decides by chance is addressed
    by what woke it, so the same occasion has the same luck under every option.

    Attributes
    ----------
    woken
        What ended the last wait: ``start``, ``review``, ``date``, ``notice``,
        ``milestone``, ``threshold`` or ``posture``.
    """

    def __init__(self, world: World, rank: int) -> None:
        super().__init__(world, rank)
        self._last_decision = (-math.inf, -1)

    @abstractmethod
    def live(self) -> Life:
        """Live: wait, see, decide, change, until the horizon."""

    def begin(self) -> None:
        """Start the agent's life."""
        self.start(self.live())

    def start(self, life: Life) -> None:
        """Start another process of the same agent."""
        self._use().clock.start(self._guarded(life))

    def _guarded(self, life: Life) -> Life:
        with naming(self.name, self._world.clock):
            for event in life:
                if not isinstance(event, simpy.Event):
                    raise SimulationError(f"must yield self.wait(...) (got {type(event).__name__})")
                if event.callbacks is None:  # SimPy goes on at once, without an event
                    self._use()
                yield event

    # changing

    def change(
        self,
        variable: str,
        place: str | None = None,
        *,
        to: float | None = None,
        by: float | None = None,
    ) -> None:
        """Change a state variable, to a value or by an amount, with effect at once."""
        where = self._use().position(variable, place)
        value = (to or 0.0) if by is None else float(self._world.state[where]) + by
        self._change(where, value)

    def change_all(self, variable: str, values: NDArray[np.float64]) -> None:
        """Set a variable over all its places, in the order of `places`."""
        world = self._use()
        if world.recorder is not None:
            positions = world.positions_of(variable, values)
            world.recorder.write(world, self.name, positions, values, self._opener())
        world.change_all(variable, values, self._opener())

    def _change(self, where: int, value: float) -> None:
        world = self._world
        if value == world.state[where]:
            return
        if world.recorder is not None:
            at, to = np.array([where]), np.array([value])
            world.recorder.write(world, self.name, at, to, self._opener())
        world.change(where, value, self._opener())

    def _opener(self) -> int:
        """Return the row of the decision taken on this occasion, else -1."""
        at, row = self._last_decision
        return row if at == self._world.clock.now else -1

    def move_milestone(self, name: str, to: float) -> None:
        """Move a milestone to another date, in days (infinity: cancel it)."""
        world = self._use()
        if world.recorder is not None:
            world.recorder.milestone(world, self.name, "move", name, float(to))
        world.timeline.move(name, to)

    def settle(self, name: str, classification: str) -> None:
        """Say what class a milestone ends in."""
        world = self._use()
        if world.recorder is not None:
            world.recorder.milestone(world, self.name, "settle", name, classification)
        world.timeline.settle(name, classification)

    def complete(self, name: str) -> None:
        """Say that a milestone is done, now."""
        world = self._use()
        if world.recorder is not None:
            world.recorder.milestone(world, self.name, "complete", name)
        world.timeline.complete(name)

    # deciding

    def _journal(
        self, name: str, taken: str, probability: float, place: str | None, value: float
    ) -> None:
        world = self._use()
        now, decisions = float(world.clock.now), world.decisions
        self._last_decision = (now, len(decisions))
        decisions.append(
            Decision(
                time=now,
                agent=self.name,
                name=name,
                place=place,
                taken=taken,
                probability=probability,
                cause_kind=self._cause.kind,
                cause=self._cause.text,
                cause_row=self._cause.row,
                value=value,
            )
        )

    def _uniform(self, name: str, place: str | None = None) -> float:
        what = name_hash(f"decision|{self.name}|{name}|{place or ''}")
        return self._world.uniform(what, self._cause.occasion)

    def decides(self, name: str, place: str | None = None, **seen: float) -> bool:
        """Decide yes or no by the scenario's logit of that name.

        Raises
        ------
        SimulationError
            When what is seen is not what the logit weighs, or no finite number.
        """
        logit = self._world.scenario.decisions.get(name)
        if logit is None or set(seen) != set(logit.weights):
            weighed = sorted(logit.weights) if logit else "no such decision"
            raise SimulationError(f"decision {name!r} weighs {weighed}")
        score = self._world.value_of(logit.intercept)
        for what in sorted(seen):
            score += self._world.value_of(logit.weights[what]) * seen[what]
        if not math.isfinite(score):
            where = f" at {place}" if place else ""
            raise SimulationError(f"decision {name!r}{where}: score became {score} (saw {seen})")
        return self.agrees(name, 1.0 / (1.0 + math.exp(-max(-700.0, score))), place=place)

    def agrees(
        self,
        name: str,
        probability: float,
        *,
        place: str | None = None,
        value: float = math.nan,
    ) -> bool:
        """Decide yes with a given probability.

        Raises
        ------
        SimulationError
            When it is no probability.
        """
        if not 0.0 <= probability <= 1.0 + _ROUNDING:
            where = f" at {place}" if place else ""
            raise SimulationError(f"decision {name!r}{where}: no probability (got {probability})")
        yes = self._uniform(name, place) < probability
        chance = probability if yes else 1.0 - probability
        self._journal(name, "yes" if yes else "no", chance, place, value)
        return yes

    def chooses(self, name: str, probabilities: Mapping[str, float]) -> str:
        """Choose a class; probabilities are taken in order of names and sum to 1."""
        taken = self._pick(name, probabilities)
        self._journal(name, taken, probabilities[taken], None, math.nan)
        return taken

    def _pick(self, name: str, probabilities: Mapping[str, float]) -> str:
        names = sorted(probabilities)
        total = math.fsum(probabilities.values())
        if not abs(total - 1.0) <= _ROUNDING or min(probabilities.values()) < -_ROUNDING:
            raise SimulationError(f"decision {name!r}: no probabilities (got {probabilities})")
        u, before = self._uniform(name), 0.0
        for candidate in names:
            before += probabilities[candidate]
            if u < before:
                return candidate
        return names[-1]

    def draws(self, name: str, kind: str, **arguments: float) -> float:
        """Draw a number from a distribution of `simlib.chance.distributions`; journal it."""
        value = quantile(kind, arguments, self._uniform(name))
        if not math.isfinite(value):
            raise SimulationError(f"decision {name!r}: drew {value} ({kind} of {arguments})")
        self._journal(name, "yes", 1.0, None, value)
        return value

    def records(
        self,
        name: str,
        *,
        value: float = math.nan,
        taken: str = "yes",
        place: str | None = None,
    ) -> None:
        """Journal a decision in which nothing is left to chance."""
        self._journal(name, taken, 1.0, place, value)

    # postures

    def live_posture(self, name: str, tilt: Tilt | None = None) -> Life:
        """Live a semi-Markov posture: Weibull sojourns, then the next state.

        Parameters
        ----------
        name
            The posture; the first sojourn is conditioned on its age at the start.
        tilt
            Given the state that is left, shifts of the log-odds of what follows.
        """
        posture = self._world.scenario.postures[name]
        value = self._world.value_of
        age = value(posture.age_months) * DAYS_PER_MONTH
        chain = Cause("date", f"start of {name}", (name_hash(f"posture|{name}"), 0, 0))
        while posture.states[self.posture(name)].median_months is not None:
            here = self.posture(name)
            state = posture.states[here]
            median = value(state.median_months) * DAYS_PER_MONTH
            self._cause = chain
            lasting = sojourn(median, value(state.shape), age, self._uniform(f"{name}|{here}"))
            age = 0.0
            yield self.wait(until=self.now + lasting, posture=name)
            if self.posture(name) != here:  # another process has moved it
                chain = next_link(chain, self.posture(name))
                continue
            chances = {goal: value(p) for goal, p in state.next.items()}
            self._cause = chain
            goal = self._pick(f"{name}|after|{here}", tilted(chances, tilt(here) if tilt else {}))
            self._cause = Cause("date", f"end of {name} {here}", chain.occasion)
            self._journal(name, goal, chances[goal], None, math.nan)
            chain = next_link(chain, goal)
            self._enter(name, goal, chain)

    def enter(self, posture: str, state: str) -> None:
        """Put a posture into a state at once (its semi-Markov life goes on from there)."""
        self._journal(posture, state, 1.0, None, math.nan)
        self._enter(posture, state, self._cause)

    def _enter(self, posture: str, state: str, cause: Cause) -> None:
        world, opener = self._world, self._last_decision[1]
        if world.recorder is not None:
            world.recorder.enter(world, self.name, posture, state, opener)
        world.enter(posture, state, cause, opener)
