"""Two readings of "extended": seen to be extended, and made to be.

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
    Decided,
    Forced,
    decided,
    forced,
    numbers_of,
)
from simlib.chance.addresses import name_hash
from simlib.chance.philox import uniform
from simlib.errors import Problem, ScenarioError
from simlib.journal import to_date
from simlib.statistics.intervals import Z95, standard_error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from simlib.analysis.selection.decision_questions import Question
    from simlib.ensemble.execution import Execution
    from simlib.scenario.schema import Scenario

FEWEST_EXTENDED = 10
"""With fewer extended replications there is no error to be stated."""
CONTRASTS = ("gap", "selection", "mechanics", "seen", "made")


@dataclass(frozen=True, slots=True)
class Estimate:
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


@dataclass(frozen=True, slots=True)
class Gap:
    """What one outcome comes to under both readings.

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
    made_extended
        E[Y | do(A = extended)], over all replications.
    made_held
        E[Y | do(A = end as agreed)], over all replications.
    gap
        `extended` less `made_extended`: how wrong it is to read the first as the second.
    selection
        `redone` less `made_extended`: that other worlds are extended than not.
    mechanics
        `extended` less `redone`: what is left if the same worlds are extended by force.
    seen
        `extended` less `others`: what a comparison of runs shows.
    made
        `made_extended` less `made_held`: what extending does.
    """

    outcome: str
    extended: Estimate
    others: Estimate
    redone: Estimate
    made_extended: Estimate
    made_held: Estimate
    gap: Estimate
    selection: Estimate
    mechanics: Estimate
    seen: Estimate
    made: Estimate


@dataclass(frozen=True, slots=True)
class Selection:
    """Both readings for every outcome, from one set of replications.

    Attributes
    ----------
    n, n_extended
        Replications, and how many of them were extended.
    gaps
        By outcome.
    """

    n: int
    n_extended: int
    gaps: dict[str, Gap]


def assigned(natural: Decided, root_seed: int) -> list[Forced]:
    """Return all replications, each with meeting and length of an extended one.

    Replications are put in the order of a uniform each and dealt out evenly, so that every
    extended one lends its meeting and length equally often, up to one.

    Parameters
    ----------
    natural
        Runs in which the agent decided.
    root_seed
        Key of the uniforms.
    """
    n = len(natural.months)
    donors = np.flatnonzero(natural.is_extended)
    address = name_hash("readings|assigned")
    order = np.argsort([uniform(root_seed, r, address) for r in range(n)], kind="stable")
    chosen = np.empty(n, dtype=np.intp)
    chosen[order] = donors[np.arange(n) * len(donors) // n]
    return [_as_in(natural, r, int(donor)) for r, donor in enumerate(chosen)]


def _as_in(natural: Decided, replication: int, donor: int) -> Forced:
    at = to_date(float(natural.decided_at[donor]))
    return Forced(replication, at, int(natural.months[donor]))


def select(
    scenario: Scenario,
    n: int,
    question: Question,
    *,
    given: Mapping[str, float],
    natural: Decided | None = None,
    **execution: Unpack[Execution],
) -> Selection:
    """Compare both readings of "extended".

    Parameters
    ----------
    scenario
        A resolved scenario with the agent that decides.
    n
        Number of replications.
    question
        The deadline, and what is known of it.
    given
        Parameters that replace drawn ones.
    natural
        The runs in which the agent decides, where they are there already.
    execution
        Where it runs: `simlib.ensemble.execution.Execution`.

    Raises
    ------
    ScenarioError
        Fewer than `FEWEST_EXTENDED` replications are extended.
    """
    natural = natural or decided(scenario, n, question, given=given, **execution)
    own = np.flatnonzero(natural.is_extended)
    if not FEWEST_EXTENDED <= len(own) < n:
        rule = f"the {question.deadline.agent} extends in {len(own)} of {n} replications"
        hint = f"at least {FEWEST_EXTENDED}, and not all, are needed: give more"
        raise ScenarioError([Problem("replications", rule, hint)])
    everyone = assigned(natural, scenario.root_seed)
    holding = [Forced(r, scenario.start, NEVER) for r in range(n)]
    redone = [_as_in(natural, int(r), int(r)) for r in own]
    found = forced(scenario, [*everyone, *holding, *redone], question, given=given, **execution)
    parts = found[:n], found[n : 2 * n], found[2 * n :]
    gaps = {
        name: _gap(name, natural.is_extended, natural.outcomes[:, i], [p[:, i] for p in parts])
        for i, name in enumerate(numbers_of(scenario))
    }
    return Selection(n, len(own), gaps)


def _gap(
    name: str,
    is_extended: NDArray[np.bool_],
    natural: NDArray[np.float64],
    parts: list[NDArray[np.float64]],
) -> Gap:
    """Estimate both readings of one outcome from influence values, one a replication."""
    made, kept, own = parts
    redone = np.zeros(len(natural))
    redone[is_extended] = own
    means = {
        "extended": _influence(natural, is_extended),
        "others": _influence(natural, ~is_extended),
        "redone": _influence(redone, is_extended),
        "made_extended": _influence(made, np.ones_like(is_extended)),
        "made_held": _influence(kept, np.ones_like(is_extended)),
    }

    def less(one: str, other: str) -> Estimate:
        (a, of_a), (b, of_b) = means[one], means[other]
        return _estimate(a - b, of_a - of_b)

    return Gap(
        outcome=name,
        **{key: _estimate(*mean) for key, mean in means.items()},
        gap=less("extended", "made_extended"),
        selection=less("redone", "made_extended"),
        mechanics=less("extended", "redone"),
        seen=less("extended", "others"),
        made=less("made_extended", "made_held"),
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


def _estimate(value: float, influence: NDArray[np.float64]) -> Estimate:
    return Estimate(value, standard_error(influence))
