"""What the numbers rest on, and how good forecasts are.

Event history, calibration, back-tests, analogues, the forecast ledger and the register.
Names load when they are first used.
"""

from __future__ import annotations

import importlib
from typing import Any

from simlib._moved import NAMES, moved

_HOMES: dict[str, str] = {
    "BackTest": "simlib.evidence.backtesting.result",
    "Band": "simlib.evidence.sbc",
    "CountPanel": "simlib.evidence.panels",
    "DailyCounts": "simlib.evidence.clustering.days",
    "EventMapping": "simlib.evidence.history.mapping",
    "Events": "simlib.evidence.history.event_files",
    "HistoryError": "simlib.evidence.history.refusals",
    "IncidentLayer": "simlib.evidence.layer.incident_layer",
    "InverseProblem": "simlib.evidence.inverting.problems",
    "LeakError": "simlib.evidence.history.refusals",
    "Part": "simlib.evidence.backtesting.running",
    "Publications": "simlib.evidence.observing.publications",
    "Uniformity": "simlib.evidence.sbc",
    "Unit": "simlib.evidence.panels",
    "as_if_published": "simlib.evidence.history.barrier",
    "backtest": "simlib.evidence.backtesting.result",
    "calibrate": "simlib.evidence.calibrating.collecting",
    "calibration_events": "simlib.evidence.history.barrier",
    "cards": "simlib.evidence.register.cards",
    "combine_events": "simlib.evidence.history.event_files",
    "correlations_of": "simlib.evidence.register.correlations",
    "daily_counts": "simlib.evidence.clustering.days",
    "estimate_tempo": "simlib.evidence.layer.tempos",
    "excitation_table": "simlib.evidence.clustering.shipped_fits",
    "exponent_posterior": "simlib.evidence.severity.power_law",
    "fit_excitation": "simlib.evidence.clustering.fitting",
    "fit_model_law": "simlib.evidence.severity.model_law",
    "fit_power_law": "simlib.evidence.severity.power_law",
    "fit_regimes": "simlib.evidence.clustering.regimes",
    "fitted_excitation": "simlib.evidence.clustering.shipped_fits",
    "fitted_inversion": "simlib.evidence.inverting.fitted_parameters",
    "freeze": "simlib.evidence.ledger.freezing",
    "goodness_of_fit": "simlib.evidence.severity.power_law",
    "invert": "simlib.evidence.inverting.populations",
    "known": "simlib.evidence.history.barrier",
    "layer_problem": "simlib.evidence.inverting.layer",
    "load_country_months": "simlib.evidence.history.country_months",
    "load_derivations": "simlib.evidence.register.derivations",
    "load_events": "simlib.evidence.history.event_files",
    "load_mapping": "simlib.evidence.history.mapping",
    "load_questions": "simlib.evidence.ledger.questions",
    "monthly_counts": "simlib.evidence.history.tallies",
    "page_of": "simlib.evidence.register.pages",
    "panel": "simlib.evidence.history.tallies",
    "pool_tempos": "simlib.evidence.layer.tempos",
    "publications": "simlib.evidence.observing.publications",
    "rank_statistics": "simlib.evidence.sbc",
    "reached_within": "simlib.evidence.register.implied",
    "read_ledger": "simlib.evidence.ledger.sealing",
    "read_resolutions": "simlib.evidence.ledger.resolutions",
    "rederive": "simlib.evidence.register.derivations",
    "require_known": "simlib.evidence.history.barrier",
    "residual_test": "simlib.evidence.clustering.residuals",
    "score": "simlib.evidence.ledger.scoring",
    "severity_table": "simlib.evidence.severity.regimes_of_severity",
    "shipped_counts": "simlib.evidence.history.shipped",
    "shipped_coverage": "simlib.evidence.history.shipped",
    "shipped_panel": "simlib.evidence.history.shipped",
    "simulated_ranks": "simlib.evidence.sbc",
    "simulated_times": "simlib.evidence.clustering.hawkes",
    "simultaneous_band": "simlib.evidence.sbc",
    "study_analogues": "simlib.evidence.analogues.study",
    "ucdp_counts": "simlib.evidence.inverting.layer",
    "uniformity": "simlib.evidence.sbc",
    "vintage_factor": "simlib.evidence.history.vintages",
    "write_ledger": "simlib.evidence.ledger.sealing",
}


def __getattr__(name: str) -> Any:
    """Load a name when it is first asked for."""
    if f"{__name__}.{name}" in NAMES:
        return moved(f"{__name__}.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'simlib.evidence' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(_HOMES)
