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
    "Uniformity": "simlib.evidence.sbc",
    "Unit": "simlib.evidence.panels",
    "fitted_withdrawal_effect": "simlib.evidence.analogues.study",
    "study_analogues": "simlib.evidence.analogues.study",
    "rank_statistics": "simlib.evidence.sbc",
    "simulated_ranks": "simlib.evidence.sbc",
    "simultaneous_band": "simlib.evidence.sbc",
    "uniformity": "simlib.evidence.sbc",
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
