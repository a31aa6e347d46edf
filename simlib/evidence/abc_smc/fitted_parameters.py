"""From weighted draws to distributions as scenarios spell them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simlib.chance.distributions import quantile
from simlib.evidence.fitted import Fitted
from simlib.statistics.moments import beta_arguments, digits

if TYPE_CHECKING:
    import datetime as dt

    from simlib.evidence.abc_smc.populations import Inverted
    from simlib.scenario.schema import Scenario

_BOUNDED = ("uniform", "triangular", "beta", "truncated_normal")


def fitted_inversion(
    inverted: Inverted, scenario: Scenario, *, data: str, as_of: dt.date
) -> list[Fitted]:
    """Return the posterior of each unknown as a distribution of a scenario.

    A bounded prior gives a beta on the same range with the posterior's mean and variance,
    another one a normal or, where its values are all above 0, a log-normal with the
    posterior's median and .95 quantile.

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
        f"ABC-SMC through the incident layer: {len(inverted.weights)} draws, generation "
        f"{effort.number}, distance up to {effort.tolerance:.3f}"
    )
    return [
        Fitted(
            name,
            _family(inverted, name),
            scenario.parameters[name].unit,
            data,
            f"{method}; {inverted.contraction(name):.0%} of the prior variance gone",
            as_of,
        )
        for name in inverted.problem.priors
    ]


def _family(inverted: Inverted, name: str) -> dict[str, dict[str, float]]:
    ((kind, given),) = inverted.problem.priors[name].items()
    arguments = dict(given)
    values, weights = inverted.values(name), inverted.weights
    mean = float(weights @ values)
    variance = float(weights @ (values - mean) ** 2)
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
