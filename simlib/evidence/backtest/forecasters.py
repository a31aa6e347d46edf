"""The one list of what is back-tested."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, cast

from simlib.errors import Problem, ScenarioError
from simlib.scenario.wording import shown

if TYPE_CHECKING:
    from simlib.evidence.panels import Forecaster

_BASELINES = "simlib.evidence.backtest.baselines"

BASELINES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "last_value": (_BASELINES, "LastValue", {}),
    "conflictology": (_BASELINES, "Conflictology", {"n_months": 12}),
    "pooled_bootstrap": (_BASELINES, "PooledBootstrap", {"n_months": 12}),
    "negative_binomial": (_BASELINES, "NegativeBinomial", {"n_months": 12}),
    "exponential_trend": (_BASELINES, "ExponentialTrend", {}),
}
"""Name -> module, class and arguments beside the name, of what others are compared with."""

CANDIDATES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "incident_layer": ("simlib.evidence.count_forecaster.forecaster", "CountForecaster", {}),
}
"""The same of what is compared with the baselines."""


def forecaster(name: str) -> Forecaster:
    """Return a forecaster by its name.

    Raises
    ------
    ScenarioError
        There is none of that name.
    """
    known = {**CANDIDATES, **BASELINES}
    if name not in known:
        raise ScenarioError(
            [Problem("forecaster", f"must be one of {', '.join(known)} (got {shown(name)})")]
        )
    module, kind, arguments = known[name]
    made = getattr(importlib.import_module(module), kind)
    return cast("Forecaster", made(name=name, **arguments))
