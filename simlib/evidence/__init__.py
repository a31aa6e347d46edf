"""What the numbers rest on, and how good forecasts are.

Event history, calibration, back-tests, analogues, the forecast ledger and the register.
Names load when they are first used.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOMES: dict[str, str] = {
    "CountPanel": "simlib.evidence.panels",
    "Unit": "simlib.evidence.panels",
    "EventMapping": "simlib.evidence.history.mapping",
    "Events": "simlib.evidence.history.event_files",
    "HistoryError": "simlib.evidence.history.refusals",
    "LeakError": "simlib.evidence.history.refusals",
    "BackTest": "simlib.evidence.backtesting.result",
    "IncidentLayer": "simlib.evidence.layer.incident_layer",
    "Part": "simlib.evidence.backtesting.running",
    "as_if_published": "simlib.evidence.history.barrier",
    "backtest": "simlib.evidence.backtesting.result",
    "calibration_events": "simlib.evidence.history.barrier",
    "combine_events": "simlib.evidence.history.event_files",
    "estimate_tempo": "simlib.evidence.layer.tempos",
    "known": "simlib.evidence.history.barrier",
    "load_country_months": "simlib.evidence.history.country_months",
    "load_events": "simlib.evidence.history.event_files",
    "load_mapping": "simlib.evidence.history.mapping",
    "monthly_counts": "simlib.evidence.history.tallies",
    "panel": "simlib.evidence.history.tallies",
    "pooled": "simlib.evidence.layer.tempos",
    "require_known": "simlib.evidence.history.barrier",
    "shipped_counts": "simlib.evidence.history.shipped",
    "shipped_coverage": "simlib.evidence.history.shipped",
    "shipped_panel": "simlib.evidence.history.shipped",
    "shipped_parts": "simlib.evidence.backtesting.parts",
    "vintage_factor": "simlib.evidence.history.vintages",
}


def __getattr__(name: str) -> Any:
    """Load a name when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'simlib.evidence' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(_HOMES)
