"""What the numbers rest on, and how good forecasts are.

Event history, calibration, back-tests, analogues, the forecast ledger and the register.
Names load when they are first used.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOMES: dict[str, str] = {
    "CountPanel": "simlib.evidence.panels",
    "Publications": "simlib.evidence.observing.publications",
    "Unit": "simlib.evidence.panels",
    "freeze": "simlib.evidence.ledger.freezing",
    "load_questions": "simlib.evidence.ledger.questions",
    "publications": "simlib.evidence.observing.publications",
    "read_ledger": "simlib.evidence.ledger.sealing",
    "read_resolutions": "simlib.evidence.ledger.resolutions",
    "score": "simlib.evidence.ledger.scoring",
    "write_ledger": "simlib.evidence.ledger.sealing",
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
