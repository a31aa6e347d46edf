"""What every agent can see: state, postures, milestones, recent incidents."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from simlib.agents.faults import MOST_USES, too_many_uses
from simlib.errors import SimulationError
from simlib.journal import MARKS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from simlib.world.world import World


class Seeing:
    """The part of an agent that looks at the world and changes nothing."""

    name: ClassVar[str]

    def __init__(self, world: World) -> None:
        self._world = world
        self._n_uses = 0

    def _use(self) -> World:
        """Return the world, counting how often before the next wait ends.

        Raises
        ------
        SimulationError
            When an agent looks and acts on without ever coming to wait.
        """
        self._n_uses += 1
        if self._n_uses > MOST_USES:
            raise too_many_uses()
        return self._world

    @property
    def now(self) -> float:
        """The time, in days since 2000-01-01."""
        return float(self._use().clock.now)

    def see(self, variable: str, place: str | None = None) -> float:
        """Return a state variable, at a place or (None) national."""
        self._n_uses += 1  # as `_use` does, but half of all looks pass here
        if self._n_uses > MOST_USES:
            raise too_many_uses()
        world = self._world
        return float(world.state[world.position(variable, place)])

    def see_all(self, variable: str) -> NDArray[np.float64]:
        """Return a copy of a variable over all its places, in the order of `places`."""
        self._n_uses += 1  # as `_use` does, but half of all looks pass here
        if self._n_uses > MOST_USES:
            raise too_many_uses()
        world = self._world
        return world.state[world.layout.slice_of(variable)].copy()

    def total(self, variable: str, country: str | None = None) -> float:
        """Return a variable's sum over its places, or over those of a country."""
        values = self.see_all(variable).tolist()
        if country is None:
            return math.fsum(values)
        places = self.places(variable)
        return math.fsum(
            v for v, p in zip(values, places, strict=True) if self.country_of(p) == country
        )

    def places(self, variable: str) -> tuple[str, ...]:
        """Return the places of a variable, sorted."""
        return self._world.layout.places_of(variable)

    def country_of(self, place: str) -> str | None:
        """Return the country of a place (of the governorate it lies within)."""
        entry = self._world.scenario.places[place]
        return self.country_of(entry.within) if entry.within else entry.country

    def posture(self, name: str) -> str:
        """Return the state a posture is in."""
        return self._use().postures[name][-1][1]

    def parameter(self, name: str) -> float:
        """Return a parameter of this replication."""
        if name not in self._world.parameters:
            raise SimulationError(f"no parameter {name!r}")
        return self._world.parameters[name]

    def recent(
        self,
        types: str | tuple[str, ...],
        country: str | None = None,
        *,
        days: float = 90.0,
        having: Mapping[str, float] | None = None,
    ) -> int:
        """Return how many incidents there were in the last days, with marks at least so."""
        chosen = (types,) if isinstance(types, str) else types
        least = tuple((MARKS.index(name), value) for name, value in (having or {}).items())
        return self._use().count_since(chosen, country, self.now - days, least)

    def date_of(self, milestone: str) -> float:
        """Return a milestone's date as publicly known now, in days."""
        return self._use().timeline.date(milestone)

    def agreed_date_of(self, milestone: str) -> float:
        """Return the date first agreed for a milestone, in days."""
        return self._use().timeline.agreed(milestone)

    def is_forced(self, milestone: str) -> bool:
        """Whether the option at hand forces a milestone, so that nobody decides it."""
        return self._use().timeline.is_forced(milestone)

    def class_of(self, milestone: str) -> str | None:
        """Return what class a milestone has ended in, if it has."""
        return self._use().timeline.classification(milestone)

    def is_complete(self, milestone: str) -> bool:
        """Whether a milestone has been completed."""
        return self._use().timeline.completed_at(milestone) <= self.now
