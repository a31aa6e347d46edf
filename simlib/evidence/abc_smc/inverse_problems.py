"""A simulator, what it is asked to reproduce, and what of it is unknown."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from simlib.chance.addresses import seed_of, uniforms_of
from simlib.chance.distributions import quantile
from simlib.errors import SimlibError

if TYPE_CHECKING:
    from numpy.typing import NDArray

Simulator: TypeAlias = "Callable[[Mapping[str, float], int], NDArray[np.float64]]"
"""Values of the unknowns and a seed below 2**31, to summaries."""
_N_PILOTS = 400


class InversionError(SimlibError):
    """An inversion that cannot be begun or continued."""


@dataclass(frozen=True, slots=True)
class InverseProblem:
    """Unknowns with their priors, a simulator, and observed summaries.

    Attributes
    ----------
    priors
        Unknown -> distribution, as a scenario spells it.
    simulator
        Values and a seed to summaries; pure.
    observed
        Summaries observed, shape (n_summaries,).
    names
        What the summaries are.
    identity
        What the numbers depend on besides, as JSON can say it; what is stored is
        continued only where this is the same.
    """

    priors: Mapping[str, Mapping[str, Mapping[str, float]]]
    simulator: Simulator
    observed: NDArray[np.float64]
    names: tuple[str, ...]
    identity: Mapping[str, object]

    def __post_init__(self) -> None:
        """Refuse an observation that does not fit its names.

        Raises
        ------
        InversionError
            Their numbers differ, a summary is no finite number, or nothing is unknown.
        """
        if self.observed.shape != (len(self.names),) or not np.isfinite(self.observed).all():
            raise InversionError(
                f"observed summaries must be {len(self.names)} finite numbers (got {self.observed})"
            )
        if not self.priors:
            raise InversionError("name at least one parameter that is drawn")

    def values(self, places: Mapping[str, float]) -> dict[str, float]:
        """Return the unknowns where their prior's cumulative probability has a value."""
        values = {}
        for name, distribution in self.priors.items():
            ((kind, arguments),) = distribution.items()
            values[name] = quantile(kind, dict(arguments), min(max(places[name], 0.0), 1.0))
        return values

    def summaries(self, places: Mapping[str, float]) -> NDArray[np.float64]:
        """Simulate at a place in the unit cube; the same place is the same run.

        Parameters
        ----------
        places
            Unknown -> cumulative probability of its prior.
        """
        spelt = json.dumps({name: places[name] for name in sorted(places)})
        return self.simulator(self.values(places), seed_of(0, spelt) % 2**31)

    def projection(self) -> NDArray[np.float64]:
        """Return weights that turn summaries into what they say of each unknown.

        Runs from the prior, and the linear regression of the unknowns' places on the
        summaries: the posterior means are the statistics with the least loss (Fearnhead and
        Prangle 2012, doi 10.1111/j.1467-9868.2011.01010.x). An unknown that no summary says
        anything of has weights near 0 and does not count in the distance.

        Returns
        -------
        ndarray
            Shape (n_unknowns, n_summaries).

        Raises
        ------
        InversionError
            A summary never varies.
        """
        places = uniforms_of(0, "pilots", (_N_PILOTS, len(self.priors)))
        runs = np.array(
            [self.summaries(dict(zip(self.priors, row, strict=True))) for row in places.tolist()]
        )
        scales = runs.std(axis=0)
        if (scales == 0.0).any():
            still = self.names[int(np.flatnonzero(scales == 0.0)[0])]
            raise InversionError(f"summary {still} is the same in every run from the prior")
        standard = (runs - runs.mean(axis=0)) / scales
        weights = np.linalg.lstsq(standard, places - places.mean(axis=0), rcond=None)[0]
        return np.asarray(weights.T / scales, dtype=np.float64)

    @property
    def digest(self) -> str:
        """Digest of all that a stored inversion must share to be continued."""
        spelt = json.dumps(
            {
                "priors": {name: dict(prior) for name, prior in self.priors.items()},
                "observed": self.observed.tolist(),
                "names": self.names,
                **self.identity,
            },
            sort_keys=True,
            default=dict,
        )
        return hashlib.sha256(spelt.encode()).hexdigest()
