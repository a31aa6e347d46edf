"""A simulator, what it is asked to reproduce, what of it is unknown, and what is found of that."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple, TypeAlias

import numpy as np

from simlib.chance.addresses import seed_of, uniforms_of
from simlib.chance.distributions import quantile
from simlib.errors import SimlibError
from simlib.evidence.fitted import Fitted
from simlib.files import distinct
from simlib.finding import Finding, plot_room
from simlib.statistics.moments import beta_arguments, digits, weighted_moments

if TYPE_CHECKING:
    import datetime as dt

    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from simlib.scenario.schema import Scenario

Simulator: TypeAlias = "Callable[[Mapping[str, float], int], NDArray[np.float64]]"
"""Values of the unknowns and a seed below 2**31, to summaries."""
_N_PILOTS = 400
_LITTLE = 0.2
"""Share of the prior variance below which a posterior is about the prior."""
_BOUNDED = ("uniform", "triangular", "beta", "truncated_normal")


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
        """Refuse an observation that does not fit its names or is not finite, and no unknowns."""
        if self.observed.shape != (len(self.names),) or not np.isfinite(self.observed).all():
            raise InversionError(
                f"observed summaries must be {len(self.names)} finite numbers (got {self.observed})"
            )
        if not self.priors:
            raise InversionError("name at least one parameter that is drawn")

    def values(self, places: Mapping[str, float]) -> dict[str, float]:
        """Give the unknowns where their prior's cumulative probability has a value."""
        values = {}
        for name, distribution in self.priors.items():
            ((kind, arguments),) = distribution.items()
            values[name] = quantile(kind, dict(arguments), min(max(places[name], 0.0), 1.0))
        return values

    def summaries(self, places: Mapping[str, float]) -> NDArray[np.float64]:
        """Simulate at cumulative prior probabilities; the same place is the same run."""
        spelt = json.dumps({name: places[name] for name in sorted(places)})
        return self.simulator(self.values(places), seed_of(0, spelt) % 2**31)

    def projection(self) -> NDArray[np.float64]:
        """Give weights that turn summaries into what they say of each unknown.

        Runs from the prior, and the linear regression of the unknowns' places on the
        summaries: the posterior means are the statistics with the least loss (Fearnhead and
        Prangle 2012, doi 10.1111/j.1467-9868.2011.01010.x). An unknown that no summary says
        anything of has weights near 0 and does not count in the distance. Shape (n_unknowns,
        n_summaries); a summary that never varies is refused.
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


class Generation(NamedTuple):
    """A population that is complete, numbered from 1 to how many there shall be.

    The tolerance is the largest distance that was accepted, in cumulative prior probability.
    """

    number: int
    n_generations: int
    tolerance: float
    n_simulations: int

    def __str__(self) -> str:
        return (
            f"generation {self.number} of {self.n_generations}: {self.n_simulations:,} runs, "
            f"distance up to {self.tolerance:.3f}"
        )


@dataclass(frozen=True, slots=True)
class Inversion(Finding):
    """The last population: weighted draws of the approximate posterior.

    Attributes
    ----------
    places
        Cumulative prior probabilities, shape (n_unknowns, n_draws).
    weights
        Sum to 1, shape (n_draws,).
    generations
        All that were made, now or before.
    """

    stem: ClassVar[str] = "posterior"

    problem: InverseProblem
    places: NDArray[np.float64]
    weights: NDArray[np.float64]
    generations: tuple[Generation, ...]

    def values(self, name: str) -> NDArray[np.float64]:
        """Give the draws of an unknown, shape (n_draws,)."""
        ((kind, arguments),) = self.problem.priors[name].items()
        row = list(self.problem.priors).index(name)
        places = self.places[row].tolist()
        return np.array([quantile(kind, dict(arguments), place) for place in places])

    def draws(self, name: str, n_draws: int, root_seed: int) -> NDArray[np.float64]:
        """Draw an unknown without weights, by systematic resampling."""
        start = uniforms_of(root_seed, "resample", 1)[0]
        at = (start + np.arange(n_draws)) / n_draws
        chosen = np.searchsorted(np.cumsum(self.weights) * (1.0 + 1e-12), at)
        last = len(self.weights) - 1
        return np.asarray(self.values(name)[np.minimum(chosen, last)], dtype=np.float64)

    def contraction(self, name: str) -> float:
        """Tell 1 less posterior over prior variance of the cumulative prior probability.

        0 where the data say nothing, near 1 where they say nearly all; below 0 where the
        draws spread more than the prior.
        """
        row = self.places[list(self.problem.priors).index(name)]
        _, variance = weighted_moments(row, self.weights)
        return 1.0 - 12.0 * variance

    def shift(self, name: str) -> float:
        """Tell how far the posterior mean lies from the prior's, in the prior's sds."""
        row = self.places[list(self.problem.priors).index(name)]
        return float((self.weights @ row - 0.5) * np.sqrt(12.0))

    def family(self, name: str) -> dict[str, dict[str, float]]:
        """Spell the posterior of an unknown as a scenario does.

        A bounded prior gives a beta on the same range with the posterior's mean and variance,
        another one a normal or, where its values are all above 0, a log-normal with the
        posterior's median and .95 quantile.
        """
        ((kind, given),) = self.problem.priors[name].items()
        arguments = dict(given)
        values, weights = self.values(name), self.weights
        mean, variance = weighted_moments(values, weights)
        if kind in _BOUNDED:
            low, high = (quantile(kind, arguments, end) for end in (0.0, 1.0))
            low, high = arguments.get("low", max(low, 0.0)), arguments.get("high", high)
            if kind == "beta":
                low, high = arguments.get("low", 0.0), arguments.get("high", 1.0)
            return {"beta": beta_arguments(mean, variance, low, high)}
        if values.min() > 0.0 and quantile(kind, arguments, 0.0) >= 0.0:
            order = np.argsort(values)
            at = np.interp([0.5, 0.95], np.cumsum(weights[order]), values[order]).tolist()
            return {"lognormal": {"median": digits(at[0]), "p95": digits(at[1])}}
        return {"normal": {"mean": digits(mean), "sd": digits(float(np.sqrt(variance)))}}

    def sentences(self) -> list[str]:
        """Say each posterior as a scenario spells it, and where it is about the prior."""
        return [
            f"{name}: {self.family(name)}"
            f"{'; the posterior is about the prior' if self.contraction(name) < _LITTLE else ''}"
            for name in self.problem.priors
        ]

    def table(self) -> pd.DataFrame:
        """Set the posterior of each unknown beside its prior."""
        import pandas as pd

        labels, shares = ("5 %", "median", "95 %"), (0.05, 0.5, 0.95)
        rows = []
        for name, prior in self.problem.priors.items():
            ((kind, arguments),) = prior.items()
            before = [quantile(kind, dict(arguments), share) for share in shares]
            after = np.quantile(self.draws(name, 10_000, 0), shares).tolist()
            rows.append(
                {
                    "parameter": name,
                    **{f"prior {k}": v for k, v in zip(labels, before, strict=True)},
                    **{f"posterior {k}": v for k, v in zip(labels, after, strict=True)},
                    "gone": self.contraction(name),
                }
            )
        return pd.DataFrame(rows)

    def briefs(self) -> dict[str, pd.DataFrame]:
        """Show the posterior beside the prior."""
        return {
            "posterior beside prior; gone: share of the prior variance that is gone": self.table()
        }

    def tables(self) -> dict[str, pd.DataFrame]:
        """Give the posterior and its weighted draws."""
        import pandas as pd

        values = {name: self.values(name) for name in self.problem.priors}
        draws = pd.DataFrame({**values, "weight": self.weights})
        return {self.stem: self.table(), "draws": draws}

    def figures(self) -> dict[str, Callable[[], Axes]]:
        """Draw the posterior of each unknown over its prior."""
        return {
            f"posterior-{name}": functools.partial(plot_room().inversion, self, each)
            for each, name in distinct(self.problem.priors, as_they_are=True).items()
        }


def fitted_inversion(
    inverted: Inversion, scenario: Scenario, *, data: str, as_of: dt.date
) -> list[Fitted]:
    """State the posterior of each unknown as a distribution of a scenario; see `Inversion.family`.

    Parameters
    ----------
    inverted
        What `invert` returns.
    scenario
        Whose parameters they are.
    data
        What was observed, with its source and vintage.
    as_of
        Nothing later was read.
    """
    effort = inverted.generations[-1]
    method = (
        f"ABC-SMC through the incidents: {len(inverted.weights)} draws, generation "
        f"{effort.number}, distance up to {effort.tolerance:.3f}"
    )
    return [
        Fitted(
            name,
            inverted.family(name),
            scenario.parameters[name].unit,
            data,
            f"{method}; {inverted.contraction(name):.0%} of the prior variance gone",
            as_of,
        )
        for name in inverted.problem.priors
    ]
