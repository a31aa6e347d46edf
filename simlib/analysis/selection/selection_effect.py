"""Effect of selection on an outcome: its observational against its interventional mean.

E[Y | A = extended] is taken over replications in which the agent extends by itself.
E[Y | do(A = extended)] is taken over all replications, each forked at a meeting and with a
length that are drawn from the extended ones' joint distribution, the agent frozen
after. J. Pearl, "Causal diagrams for empirical research", Biometrika 82 (1995),
doi:10.1093/biomet/82.4.669. The extended ones forced to what they chose themselves tell
selection (who is extended) from mechanics (how an extension comes about in the program).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Unpack

import numpy as np

from simlib.analysis.selection.forced_runs import (
    NEVER,
    Answer,
    AnsweredRuns,
    numbers_of,
    simulate_answers,
)
from simlib.chance.addresses import name_hash
from simlib.chance.philox import uniform
from simlib.errors import Problem, ScenarioError
from simlib.journal import to_date
from simlib.statistics.intervals import Z95, standard_error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from simlib.analysis.selection.deadlines import DecisionQuestion
    from simlib.ensemble.execution import Execution
    from simlib.scenario.schema import Scenario

FEWEST_EXTENDED = 10
"""With fewer extended replications there is no error to be stated."""
MEANS = ("extended", "others", "redone", "do_extended", "do_held")
CONTRASTS = ("gap", "selection", "mechanics", "observational", "interventional")


@dataclass(frozen=True, slots=True)
class MeanEstimate:
    """A mean or a difference of means with its Monte Carlo error; normal 95 % interval."""

    value: float
    error: float

    @property
    def low(self) -> float:
        """Lower end of the interval."""
        return self.value - Z95 * self.error

    @property
    def high(self) -> float:
        """Upper end of the interval."""
        return self.value + Z95 * self.error

    @property
    def shown(self) -> str:
        """The difference with its interval."""
        places = 1 if np.isfinite(self.value) and self.high - self.low >= 1.0 else 3
        value, low, high = (f"{x:+.{places}f}" for x in (self.value, self.low, self.high))
        return f"{value} ({low} to {high})"


@dataclass(frozen=True, slots=True)
class SelectionEffect:
    """What one outcome comes to, observed and by intervention.

    Attributes
    ----------
    outcome
        Its name.
    extended
        E[Y | A = extended], over replications that were extended.
    others
        E[Y | A = not extended].
    redone
        The extended ones forced at their own meeting, by their own length.
    do_extended
        E[Y | do(A = extended)], over all replications.
    do_held
        E[Y | do(A = end as agreed)], over all replications.
    gap
        `extended` less `do_extended`: how wrong it is to read the first as the second.
    selection
        `redone` less `do_extended`: that other worlds are extended than not.
    mechanics
        `extended` less `redone`: what is left if the same worlds are extended by force.
    observational
        `extended` less `others`: what a comparison of runs shows.
    interventional
        `do_extended` less `do_held`: what extending does.
    """

    outcome: str
    extended: MeanEstimate
    others: MeanEstimate
    redone: MeanEstimate
    do_extended: MeanEstimate
    do_held: MeanEstimate
    gap: MeanEstimate
    selection: MeanEstimate
    mechanics: MeanEstimate
    observational: MeanEstimate
    interventional: MeanEstimate


@dataclass(frozen=True, slots=True)
class SelectionEffects:
    """The effect of selection on every outcome, from one set of replications.

    Attributes
    ----------
    n, n_extended
        Replications, and how many of them were extended.
    effects
        By outcome.
    """

    n: int
    n_extended: int
    effects: dict[str, SelectionEffect]


def assigned(natural: AnsweredRuns, root_seed: int) -> list[Answer]:
    """Deal out meetings and lengths of the extended replications to all of them.

    Replications are put in the order of a uniform each and dealt out evenly, so that every
    extended one lends its meeting and length equally often, up to one.
    """
    n = len(natural.months)
    donors = np.flatnonzero(natural.is_extended)
    address = name_hash("readings|assigned")
    order = np.argsort([uniform(root_seed, r, address) for r in range(n)], kind="stable")
    chosen = np.empty(n, dtype=np.intp)
    chosen[order] = donors[np.arange(n) * len(donors) // n]
    return [_as_in(natural, r, int(donor)) for r, donor in enumerate(chosen)]


def _as_in(natural: AnsweredRuns, replication: int, donor: int) -> Answer:
    at = to_date(float(natural.decided_at[donor]))
    return Answer(replication, int(natural.months[donor]), at)


def select(
    natural: AnsweredRuns,
    scenario: Scenario,
    question: DecisionQuestion,
    *,
    given: Mapping[str, float] | None = None,
    **execution: Unpack[Execution],
) -> SelectionEffects:
    """Compare observational with interventional means of every outcome.

    Parameters
    ----------
    natural
        Runs in which the agent decides, one of each replication from 0 on.
    scenario, question, given, execution
        As they were simulated: see `simulate_answers`.

    Raises
    ------
    ScenarioError
        Fewer than `FEWEST_EXTENDED` replications are extended.
    """
    n = len(natural.months)
    own = np.flatnonzero(natural.is_extended)
    if not FEWEST_EXTENDED <= len(own) < n:
        rule = f"the {question.deadline.agent} extends in {len(own)} of {n} replications"
        hint = f"at least {FEWEST_EXTENDED}, and not all, are needed: give more"
        raise ScenarioError([Problem("replications", rule, hint)])
    everyone = assigned(natural, scenario.root_seed)
    holding = [Answer(r, NEVER) for r in range(n)]
    redone = [_as_in(natural, int(r), int(r)) for r in own]
    answers = [*everyone, *holding, *redone]
    found = simulate_answers(scenario, answers, question, given=given, **execution).outcomes
    parts = found[:n], found[n : 2 * n], found[2 * n :]
    effects = {
        name: _effect(name, natural.is_extended, natural.outcomes[:, i], [p[:, i] for p in parts])
        for i, name in enumerate(numbers_of(scenario))
    }
    return SelectionEffects(n, len(own), effects)


def _effect(
    name: str,
    is_extended: NDArray[np.bool_],
    natural: NDArray[np.float64],
    parts: list[NDArray[np.float64]],
) -> SelectionEffect:
    """Estimate the effect on one outcome from influence values, one a replication."""
    made, kept, own = parts
    redone = np.zeros(len(natural))
    redone[is_extended] = own
    means = {
        "extended": _influence(natural, is_extended),
        "others": _influence(natural, ~is_extended),
        "redone": _influence(redone, is_extended),
        "do_extended": _influence(made, np.ones_like(is_extended)),
        "do_held": _influence(kept, np.ones_like(is_extended)),
    }

    def less(one: str, other: str) -> MeanEstimate:
        (a, of_a), (b, of_b) = means[one], means[other]
        return _estimate(a - b, of_a - of_b)

    return SelectionEffect(
        outcome=name,
        **{key: _estimate(*mean) for key, mean in means.items()},
        gap=less("extended", "do_extended"),
        selection=less("redone", "do_extended"),
        mechanics=less("extended", "redone"),
        observational=less("extended", "others"),
        interventional=less("do_extended", "do_held"),
    )


def _influence(
    values: NDArray[np.float64], is_in: NDArray[np.bool_]
) -> tuple[float, NDArray[np.float64]]:
    """Return the mean over some replications, and the influence of each replication on it.

    The influence of a mean given an event is 1{in} (y - mean) / P(in); the mean of its
    square over n is the variance of the ratio of sums (delta method).
    """
    mean = float(np.mean(values[is_in]))
    return mean, np.where(is_in, values - mean, 0.0) / np.mean(is_in)


def _estimate(value: float, influence: NDArray[np.float64]) -> MeanEstimate:
    return MeanEstimate(value, standard_error(influence))
