"""Who reads, or is woken by, whom: measured by watching what the parties look at while they live.

A party reads another where it looks at, or waits for, something that the other changes: a
state variable, a posture, a milestone, or incidents of its making. What changes what is
measured too: agents by what they did, incidents by the effects of those that happened.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, TypeAlias

import numpy as np

from simlib.agents.base import Agent
from simlib.finding import Finding
from simlib.simulation.assembling import assemble, chosen_agents
from simlib.simulation.simulating import simulate_recorded
from simlib.theatre.questions.ownership import actor_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import pandas as pd
    import simpy

    from simlib.journal import Run
    from simlib.scenario.schema import Scenario
    from simlib.world.acts import Act

Kind: TypeAlias = Literal["state", "posture", "milestone", "incident"]

REPLICATIONS = 12
FEWEST = 3
"""Relations that each party has at least, in each direction."""


class Thing(NamedTuple):
    """What one party changes and another looks at."""

    kind: Kind
    name: str


class Watching(Agent):
    """An agent that notes what it looks at and waits for; it lives as it would without."""

    noted: ClassVar[set[tuple[str, Thing]]]

    def _note(self, kind: Kind, *names: str) -> None:
        self.noted.update((self.name, Thing(kind, name)) for name in names)

    def see(self, variable: str, place: str | None = None) -> float:
        """As the agent's own."""
        self._note("state", variable)
        return super().see(variable, place)

    def see_all(self, variable: str | tuple[str, ...]) -> np.ndarray[Any, np.dtype[np.float64]]:
        """As the agent's own."""
        self._note("state", *((variable,) if isinstance(variable, str) else variable))
        return super().see_all(variable)

    def posture(self, name: str) -> str:
        """As the agent's own."""
        self._note("posture", name)
        return super().posture(name)

    def recent(self, types: str | tuple[str, ...], *given: Any, **named: Any) -> int:
        """As the agent's own."""
        self._note("incident", *((types,) if isinstance(types, str) else types))
        return super().recent(types, *given, **named)

    def date_of(self, milestone: str) -> float:
        """As the agent's own."""
        self._note("milestone", milestone)
        return super().date_of(milestone)

    def class_of(self, milestone: str) -> str | None:
        """As the agent's own."""
        self._note("milestone", milestone)
        return super().class_of(milestone)

    def is_complete(self, milestone: str) -> bool:
        """As the agent's own."""
        self._note("milestone", milestone)
        return super().is_complete(milestone)

    def wait(self, **named: Any) -> simpy.Event:
        """As the agent's own."""
        notice = named.get("notice", ())
        self._note("incident", *((notice,) if isinstance(notice, str) else notice))
        for kind in ("posture", "milestone"):
            if named.get(kind):
                self._note(kind, named[kind])
        if named.get("above"):
            self._note("state", named["above"][0])
        return super().wait(**named)


@dataclass(frozen=True)
class Interactions(Finding):
    """Who reads whom, and by what.

    Attributes
    ----------
    actors
        The parties, sorted.
    replications
        How many were watched.
    read
        By reader and who is read: what the reader looks at or waits for.
    hang
        By reader and who is read: state and postures that the reader's incidents hang on.
    """

    stem = "interactions"

    actors: tuple[str, ...]
    replications: int
    read: Mapping[tuple[str, str], tuple[str, ...]]
    hang: Mapping[tuple[str, str], tuple[str, ...]]

    def reads(self, actor: str) -> tuple[str, ...]:
        """Whom a party reads or is woken by."""
        return tuple(other for other in self.actors if (actor, other) in self.read)

    def read_by(self, actor: str) -> tuple[str, ...]:
        """Who reads a party or is woken by it."""
        return tuple(other for other in self.actors if (other, actor) in self.read)

    def lonely(self) -> list[str]:
        """A line for each party that has fewer than `FEWEST` relations in a direction."""
        counts = [
            (actor, what, others)
            for actor in self.actors
            for what, others in (("reads", self.reads(actor)), ("is read by", self.read_by(actor)))
        ]
        return [
            f"{actor} {what} {len(others)}: {', '.join(others) or 'nobody'}"
            for actor, what, others in counts
            if len(others) < FEWEST
        ]

    def table(self) -> pd.DataFrame:
        """A row for each pair of which one reads the other, or has incidents that hang on it."""
        import pandas as pd

        rows = [
            {
                "reader": pair[0],
                "read": pair[1],
                "by": ", ".join(self.read.get(pair, ())),
                "its incidents hang on": ", ".join(self.hang.get(pair, ())),
            }
            for pair in sorted({*self.read, *self.hang})
        ]
        return pd.DataFrame(rows)

    def matrix(self) -> pd.DataFrame:
        """Readers in rows: by how many things each reads each other."""
        import pandas as pd

        counts = {
            other: [len(self.read.get((actor, other), ())) for actor in self.actors]
            for other in self.actors
        }
        return pd.DataFrame(counts, index=list(self.actors))

    def sentences(self) -> list[str]:
        """How many relations the least connected has, and who has too few."""
        least = min(min(len(self.reads(actor)), len(self.read_by(actor))) for actor in self.actors)
        said = f"{len(self.actors)} parties over {self.replications} replications: each reads at"
        return [f"{said} least {least} others and is read by as many", *self.lonely()]


def interactions(
    scenario: Scenario, option: str | None = None, *, replications: int = REPLICATIONS
) -> Interactions:
    """Watch some replications: who looks at, or waits for, what whom changes."""
    noted: set[tuple[str, Thing]] = set()
    agents = [
        type(agent.__name__, (Watching, agent), {"noted": noted})
        for agent in chosen_agents(scenario)
    ]
    blueprint = assemble(scenario, option, agents=agents)
    changed: set[tuple[str, Thing]] = set()
    for replication in range(replications):
        run, acts = simulate_recorded(blueprint, replication)
        changed.update(_done(acts), _happened(run, scenario))
    owners = _by_thing(changed)
    actors = tuple(sorted(scenario.agents))
    return Interactions(
        actors=actors,
        replications=replications,
        read=_pairs(noted, owners, actors),
        hang=_pairs(_hanging(scenario), owners, actors),
    )


def _done(acts: Iterable[Act]) -> Iterator[tuple[str, Thing]]:
    """Who changed what by acting; what stays as it was is no change."""
    kinds: dict[str, Kind] = {"write": "state", "enter": "posture"}
    for act in acts:
        if act.kind != "write" or not np.array_equal(act.before, act.values):
            yield act.agent, Thing(kinds.get(act.kind, "milestone"), act.what)


def _happened(run: Run, scenario: Scenario) -> Iterator[tuple[str, Thing]]:
    """Whose incidents happened, and what they changed."""
    channels = run.incidents.channels
    here = run.incidents.time >= run.start
    for channel in np.unique(run.incidents.channel[here]).tolist():
        type_, group = channels.types[channel], channels.groups[channel]
        actor = actor_of(type_, group)
        yield actor, Thing("incident", type_)
        for effect in scenario.incidents[type_].groups[group].effects:
            yield actor, Thing("state", effect.change or effect.move or "")


def _hanging(scenario: Scenario) -> Iterator[tuple[str, Thing]]:
    """What incidents of each party hang on: their factors, gates and marks."""
    for type_, incident in scenario.incidents.items():
        for name, group in incident.groups.items():
            actor = actor_of(type_, name)
            factors = [*group.factors.values()]
            factors += itertools.chain(*(mark.factors.values() for mark in group.marks.values()))
            for variable in itertools.chain(*map(_variables, factors)):
                yield actor, thing_of(scenario, variable)
            for gate in group.gates:
                yield actor, thing_of(scenario, gate.variable)


def _variables(factor: Any) -> tuple[str, ...]:
    """What one factor reads."""
    found = [getattr(factor, key, None) for key in ("power", "falling", "value", "table")]
    return tuple(name for name in (*found, *getattr(factor, "shield", ())) if name)


def thing_of(scenario: Scenario, variable: str) -> Thing:
    """A state variable, or a posture, by its name."""
    return Thing("posture" if variable in scenario.postures else "state", variable)


def _by_thing(changed: Iterable[tuple[str, Thing]]) -> dict[Thing, set[str]]:
    owners: dict[Thing, set[str]] = {}
    for actor, thing in changed:
        owners.setdefault(thing, set()).add(actor)
    return owners


def _pairs(
    looks: Iterable[tuple[str, Thing]], owners: Mapping[Thing, set[str]], actors: tuple[str, ...]
) -> dict[tuple[str, str], tuple[str, ...]]:
    """By reader and who is read, the names of the things between them."""
    found: dict[tuple[str, str], set[str]] = {}
    for reader, thing in looks:
        for owner in owners.get(thing, set()) & {*actors} - {reader}:
            found.setdefault((reader, owner), set()).add(thing.name)
    return {pair: tuple(sorted(names)) for pair, names in sorted(found.items())}
