"""First and total variance indices of groups of columns, through SALib.

First index: share of the variance that goes on average when the group is known. Total
index: share that is left on average when all but the group is known; it counts every
interaction the group takes part in. Design and estimators are those of A. Saltelli,
P. Annoni, I. Azzini, F. Campolongo, M. Ratto and S. Tarantola (2010),
doi:10.1016/j.cpc.2009.09.018, on a scrambled sequence of Sobol's; intervals are
bootstrapped over the sequence's points, which takes them for independent and so makes
intervals too wide rather than too narrow.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from simlib.chance.addresses import name_hash
from simlib.errors import Problem, ScenarioError, SimulationError
from simlib.scenario.requests import whole
from simlib.statistics.intervals import Z95

if TYPE_CHECKING:
    from numpy.typing import NDArray

_RESAMPLES = 200
FEWEST_SAMPLES = 16
MOST_SAMPLES = 65_536
FEWEST_DIFFERENT = 20
"""Runs that must differ from the commonest value, for indices that are more than noise."""


def salib(part: str) -> Any:
    """Return a module of SALib, loaded when first needed.

    Raises
    ------
    SimulationError
        SALib is not installed.
    """
    try:
        return importlib.import_module(f"SALib.{part}")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "SALib":
            raise
        raise SimulationError(
            "sensitivity needs SALib: pip install 'simlib-scenarios[analysis]'"
        ) from None


@dataclass(frozen=True)
class Design:
    """Rows of uniforms from which indices of groups of columns are estimated.

    Attributes
    ----------
    groups
        Group of each column; the columns of a group are exchanged together.
    samples
        Points of the sequence, a power of 2; there are ``samples * (groups + 2)`` rows.
    address
        What the sequence and the bootstrap are drawn for; another one draws others.

    Raises
    ------
    ScenarioError
        The number of samples is no power of 2, or too small.
    """

    groups: tuple[str, ...]
    samples: int
    address: str

    def __post_init__(self) -> None:
        n = whole("samples", self.samples, FEWEST_SAMPLES, MOST_SAMPLES)
        if n & (n - 1):
            rule = f"must be a power of 2, {FEWEST_SAMPLES} to {MOST_SAMPLES} (got {n})"
            raise ScenarioError([Problem("samples", rule)])

    @property
    def names(self) -> tuple[str, ...]:
        """The groups, each once, in the order of their first columns."""
        return tuple(dict.fromkeys(self.groups))

    @property
    def problem(self) -> dict[str, Any]:
        """The columns as SALib describes them."""
        n = len(self.groups)
        names = [f"{i}" for i in range(n)]
        found = {"num_vars": n, "names": names, "bounds": [[0.0, 1.0]] * n}
        return {**found, "groups": list(self.groups)} if len(self.names) > 1 else found

    def rows(self) -> NDArray[np.float64]:
        """Return the uniforms, shape (rows, columns)."""
        # SALib asks whether there are groups: with one group there must be one column.
        if len(self.names) == 1 and len(self.groups) > 1:
            raise ValueError("a design needs two groups, or one column")
        found: NDArray[np.float64] = salib("sample.sobol").sample(
            self.problem,
            self.samples,
            calc_second_order=False,
            seed=name_hash(f"{self.address}|sequence"),
        )
        return found


@dataclass(frozen=True)
class Indices:
    """Indices of one outcome: shares of its variance, each with half of its 95 % interval.

    Attributes
    ----------
    mean, variance
        Of the outcome, over the runs.
    first, first_half, total, total_half
        By group. Estimates below 0 or above 1 are noise.
    remainder, remainder_half
        What the first indices leave of 1: interactions between groups.
    """

    mean: float
    variance: float
    first: dict[str, float]
    first_half: dict[str, float]
    total: dict[str, float]
    total_half: dict[str, float]
    remainder: float
    remainder_half: float


def indices(design: Design, values: NDArray[np.float64]) -> Indices:
    """Estimate the indices from an outcome's value at every row of a design.

    Parameters
    ----------
    design
        The design whose rows were simulated.
    values
        One finite number for each row; they must differ.
    """
    names = design.names
    found = salib("analyze.sobol").analyze(
        design.problem,
        values,
        calc_second_order=False,
        num_resamples=_RESAMPLES,
        keep_resamples=True,
        # SALib takes the seed 0 for none.
        seed=name_hash(f"{design.address}|bootstrap") or 1,
    )
    independent = values.reshape(design.samples, len(names) + 2)[:, [0, -1]]

    def by_group(key: str) -> dict[str, float]:
        return dict(zip(names, map(float, found[key]), strict=True))

    return Indices(
        mean=float(independent.mean()),
        variance=float(independent.var()),
        first=by_group("S1"),
        first_half=by_group("S1_conf"),
        total=by_group("ST"),
        total_half=by_group("ST_conf"),
        remainder=1.0 - float(np.sum(found["S1"])),
        remainder_half=Z95 * float(found["S1_conf_all"].sum(axis=1).std(ddof=1)),
    )


def why_not(design: Design, values: NDArray[np.float64]) -> str:
    """Return why values allow no indices, or nothing."""
    n_unseen = int(np.isnan(values).sum())
    if n_unseen:
        return f"not seen by the horizon in {n_unseen:,} of {len(values):,} runs"
    independent = values.reshape(design.samples, len(design.names) + 2)[:, [0, -1]]
    _, counts = np.unique(independent, return_counts=True)
    n_different = int(counts.sum() - counts.max())
    if n_different < FEWEST_DIFFERENT:
        return f"differs from its commonest value in {n_different:,} of {counts.sum():,} runs"
    return ""
