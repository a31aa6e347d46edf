"""What the numbers rest on, and how good forecasts are.

Event history, calibration, back-tests, analogues, the forecast ledger and the register.
Names load when they are first used.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOMES: dict[str, str] = {
    "Band": "simlib.evidence.sbc",
    "CountPanel": "simlib.evidence.panels",
    "EventMapping": "simlib.evidence.history.mapping",
    "Events": "simlib.evidence.history.event_files",
    "HistoryError": "simlib.evidence.history.refusals",
    "LeakError": "simlib.evidence.history.refusals",
    "Uniformity": "simlib.evidence.sbc",
    "Unit": "simlib.evidence.panels",
    "as_if_published": "simlib.evidence.history.barrier",
    "calibration_events": "simlib.evidence.history.barrier",
    "combine_events": "simlib.evidence.history.event_files",
    "known": "simlib.evidence.history.barrier",
    "load_country_months": "simlib.evidence.history.country_months",
    "load_events": "simlib.evidence.history.event_files",
    "load_mapping": "simlib.evidence.history.mapping",
    "monthly_counts": "simlib.evidence.history.tallies",
    "panel": "simlib.evidence.history.tallies",
    "rank_statistics": "simlib.evidence.sbc",
    "require_known": "simlib.evidence.history.barrier",
    "shipped_counts": "simlib.evidence.history.shipped",
    "shipped_coverage": "simlib.evidence.history.shipped",
    "shipped_panel": "simlib.evidence.history.shipped",
    "simulated_ranks": "simlib.evidence.sbc",
    "simultaneous_band": "simlib.evidence.sbc",
    "uniformity": "simlib.evidence.sbc",
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
