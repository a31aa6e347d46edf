"""How outcomes rise and fall with each number, over an ensemble: rank correlations.

A global measure: every number moves at once over its whole distribution. It sees what rises
or falls, not what turns; and it ranks numbers by how unsure they are, not by their units.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simlib._moved import default
from simlib.analysis.columns import Column, columns_of, numbers_of
from simlib.errors import StoreError
from simlib.scenario import digest
from simlib.statistics.intervals import rank_correlation_interval
from simlib.statistics.ranks import noise_floor, rank_correlations

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from simlib.ensemble import Ensemble
    from simlib.scenario.schema import Scenario

MOST_OUTCOMES = 6
FEWEST = 30
"""Replications below which no correlation is told."""


@dataclass(frozen=True, slots=True)
class Correlation:
    """Spearman's rank correlation of a number with an outcome, with its 95 % interval.

    The number is a drawn or derived value, a part where a Dirichlet's parts are drawn together;
    the outcome ``OUTCOME`` or ``OUTCOME.CLASS``. The floor is the size that the largest of as many
    correlations has, in one of twenty ensembles of this size, when none of the numbers matters.
    """

    value: str
    outcome: str
    rho: float
    low: float
    high: float
    floor: float

    @property
    def is_clear(self) -> bool:
        """Whether it stands out from what chance gives the largest of so many."""
        return abs(self.rho) > self.floor


@dataclass(frozen=True)
class Correlations:
    """Rank correlations of every varied number with some outcomes.

    Attributes
    ----------
    by_parameter
        For each outcome the largest among the values of a parameter, in the order of `outcomes`.
    drawn
        Parameters that are drawn; the others in `by_parameter` follow from them.
    n_replications
        Replications that did not fail.
    label
        Which results: scenario, option, root seed, digest.
    """

    by_parameter: Mapping[str, tuple[Correlation, ...]]
    outcomes: tuple[str, ...]
    drawn: frozenset[str]
    n_replications: int
    label: str

    def size(self, parameter: str) -> float:
        """A parameter's largest clear correlation, 0 where none is clear."""
        found = self.by_parameter.get(parameter, ())
        return max((abs(each.rho) for each in found if each.is_clear), default=0.0)

    def ranking(self) -> list[str]:
        """The drawn parameters with a clear correlation, the largest first."""
        clear = [name for name in self.by_parameter if name in self.drawn and self.size(name) > 0]
        return sorted(clear, key=lambda name: (-self.size(name), name))

    def floors(self) -> dict[str, float]:
        """The noise floor of each outcome."""
        return {e.outcome: e.floor for found in self.by_parameter.values() for e in found}


def correlations_of(
    ensemble: Ensemble,
    scenario: Scenario,
    outcomes: Sequence[str] | None = None,
    *,
    headlines: Sequence[str] | None = None,
) -> Correlations:
    """The rank correlations of an ensemble's numbers with outcomes.

    Intervals are those of D. G. Bonett and T. A. Wright (2000), doi:10.1007/BF02294183.

    Parameters
    ----------
    ensemble
        Results of the scenario; of several options the first is looked at.
    scenario
        The scenario they must be of, whatever its number of replications.
    outcomes
        ``OUTCOME`` or ``OUTCOME.CLASS``; when not given, the headlines that the scenario has,
        or its first few.
    headlines
        Outcomes that are looked at when none are asked for; to be given.

    Raises
    ------
    StoreError
        The results are of another scenario, or of too few replications.
    ScenarioError
        There is no such outcome.
    """
    if ensemble.manifest["scenario_digest"] != _digest(scenario, ensemble):
        raise StoreError(f"{ensemble.path}: holds results of another scenario than {scenario.name}")
    first = ensemble.of(ensemble.options[0])
    if not outcomes:
        usual = default("correlations_of(headlines=)") if headlines is None else headlines
        there = [name for name in usual if name in scenario.outcomes]
        outcomes = there or list(scenario.outcomes)[:MOST_OUTCOMES]
    columns = columns_of(scenario, outcomes)
    table = first.outcomes
    n = len(table)
    if n < FEWEST:
        raise StoreError(
            f"{ensemble.path}: must hold {FEWEST} or more replications that did not fail (got {n})"
        )
    lines = table[list(dict.fromkeys(c.outcome for c in columns))].to_dict("records")
    numbers = np.array(
        [numbers_of(columns, {str(name): value for name, value in line.items()}) for line in lines]
    )
    drawn = first.parameters.loc[table.index]
    varied = [str(name) for name in drawn if drawn[name].nunique() > 1]
    found = _correlations(columns, numbers, varied, drawn[varied].to_numpy(dtype=np.float64))
    option = f", option {first.options[0]}" if first.options[0] else ""
    return Correlations(
        by_parameter=_largest(found, scenario),
        outcomes=tuple(map(str, columns)),
        drawn=frozenset(n for n, p in scenario.parameters.items() if p.distribution is not None),
        n_replications=n,
        label=(
            f"{n:,} replications of {ensemble.name}{option}, root seed {ensemble.root_seed}, "
            f"result digest {first.digest[:12]}"
        ),
    )


def _digest(scenario: Scenario, ensemble: Ensemble) -> str:
    seed, design = ensemble.manifest["root_seed"], ensemble.manifest["design"]
    same = {"replications": 1, "root_seed": seed, "design": design}
    return digest(scenario.model_copy(update=same))


def _correlations(
    columns: Sequence[Column],
    numbers: NDArray[np.float64],
    names: Sequence[str],
    values: NDArray[np.float64],
) -> list[Correlation]:
    found = []
    for j, column in enumerate(columns):
        is_seen = ~np.isnan(numbers[:, j])
        n = int(is_seen.sum())
        if n < FEWEST or len(set(numbers[is_seen, j])) == 1:
            continue
        floor = noise_floor(n, len(names))
        rhos = rank_correlations(values[is_seen], numbers[is_seen, j])
        for name, rho in zip(names, map(float, rhos), strict=True):
            low, high = rank_correlation_interval(rho, n)
            found.append(Correlation(name, str(column), rho, low, high, floor))
    return found


def _largest(
    found: Sequence[Correlation], scenario: Scenario
) -> dict[str, tuple[Correlation, ...]]:
    """Return, by parameter, the largest correlation with each outcome among its values."""
    owners = scenario.value_names()
    best: dict[str, dict[str, Correlation]] = {}
    for each in found:
        known = best.setdefault(owners.get(each.value, each.value), {})
        before = known.get(each.outcome)
        if before is None or abs(each.rho) > abs(before.rho):
            known[each.outcome] = each
    return {name: tuple(known.values()) for name, known in best.items()}
