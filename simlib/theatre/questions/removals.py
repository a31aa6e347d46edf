"""Nobody is ornament: what moves, besides an actor's own, when it is taken away."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Unpack

from simlib.ensemble import run
from simlib.finding import Finding
from simlib.scenario import load
from simlib.scenario.schema import Option, Removal, several
from simlib.theatre.questions.article import BASE, REPLICATIONS, paired_effects
from simlib.theatre.questions.ownership import owners_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

    from simlib.analysis.comparison.paired_effects import PairedEffect
    from simlib.ensemble.execution import Running
    from simlib.scenario.schema import Scenario

FEWEST = 5
"""Outcomes besides its own that move when an actor is removed."""
ERRORS = 3.5
"""Standard errors beyond which one has moved: of eighty outcomes .04 by chance."""


@dataclass(frozen=True)
class Removals(Finding):
    """What moves besides an actor's own when it is taken away at the start.

    Attributes
    ----------
    moved
        By actor, the effects on outcomes that are not its own, the clearest first.
    n
        Pairs of replications.
    """

    stem = "removals"

    moved: Mapping[str, tuple[PairedEffect, ...]]
    n: int

    def n_moved(self, actor: str) -> int:
        """How many outcomes move besides an actor's own; the classes of one count once."""
        return len({effect.outcome for effect in self.moved[actor]})

    def idle(self) -> list[str]:
        """Who moves fewer than `FEWEST` outcomes besides its own."""
        return [actor for actor in self.moved if self.n_moved(actor) < FEWEST]

    def sentences(self) -> Sequence[str]:
        """Who moves least, and who too little."""
        actor = min(self.moved, key=self.n_moved)
        n = self.n_moved(actor)
        said = f"removing {actor} moves {n} outcomes besides its own, the fewest of all"
        return [said, *(f"{name} moves fewer than {FEWEST}" for name in self.idle())]

    def table(self) -> pd.DataFrame:
        """A row for each outcome that moves."""
        import pandas as pd

        rows = [
            {"removed": actor} | effect.row()
            for actor, effects in self.moved.items()
            for effect in effects
        ]
        return pd.DataFrame(rows)


def removals(
    actors: Sequence[str] = (), *, replications: int = REPLICATIONS, **running: Unpack[Running]
) -> Removals:
    """Take each actor away at the start, under the same luck.

    Parameters
    ----------
    actors
        Whom; everybody when not given.
    replications
        Pairs of each.
    running
        What else `simlib.run` takes.
    """
    scenario = load(BASE)
    options = {f"without {name}": name for name in actors or scenario.agents}
    found = run(
        with_removals(scenario, options),
        options=[BASE, *options],
        replications=replications,
        **running,
    )
    base = found.of(BASE)
    return Removals(
        moved={
            actor: _outside(scenario, actor, paired_effects(base, found.of(option)).values())
            for option, actor in options.items()
        },
        n=replications,
    )


def with_removals(scenario: Scenario, options: Mapping[str, str]) -> Scenario:
    """A scenario with options that each take an actor away."""
    added = {option: Option(remove=(actor,)) for option, actor in options.items()}
    return scenario.model_copy(update={"options": {**scenario.options, **added}})


def _outside(
    scenario: Scenario, actor: str, effects: Iterable[PairedEffect]
) -> tuple[PairedEffect, ...]:
    """Clear effects on outcomes that are not the actor's, the clearest first."""
    outside = outcomes_outside(scenario, actor)
    moved = [(_errors(effect), effect) for effect in effects if effect.outcome in outside]
    clear = [each for each in moved if each[0] > ERRORS]
    return tuple(effect for _, effect in sorted(clear, key=lambda each: -each[0]))


def _errors(effect: PairedEffect) -> float:
    """An effect in its standard errors; infinite where all pairs differ by the same."""
    if effect.mc_error == 0.0:
        return math.inf if effect.effect else 0.0
    return abs(effect.effect) / effect.mc_error


def outcomes_outside(scenario: Scenario, actor: str) -> frozenset[str]:
    """The outcomes that are not an actor's own, and do not go with it when it is removed."""
    return frozenset(
        name
        for name in scenario.outcomes
        if actor not in owners_of(scenario, name) and not _goes_with(scenario, actor, name)
    )


def _goes_with(scenario: Scenario, actor: str, name: str) -> bool:
    """Whether an outcome tells only what an actor's removal sets, rests or closes."""
    removal, outcome = scenario.agents[actor].on_removal or Removal(), scenario.outcomes[name]
    counted = [*several(outcome.count), *several(outcome.of)]
    return (
        outcome.state in {*removal.zero, *removal.set}
        or outcome.posture in removal.rest
        or bool(counted and {*counted} <= {*removal.close})
    )
