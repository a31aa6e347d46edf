"""What is worked out from scenarios and ensembles: counterfactuals, and what drives them.

Names load when they are first used.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOMES: dict[str, str] = {
    "diff": "simlib.analysis.attribution",
    "discover": "simlib.analysis.discovery",
    "tripwires": "simlib.analysis.alarms",
    "Comparison": "simlib.analysis.comparison",
    "Effect": "simlib.analysis.pairing",
    "compare": "simlib.analysis.comparison",
    "fork": "simlib.analysis.forking",
    "Explanation": "simlib.analysis.explanation",
    "why": "simlib.analysis.explaining",
    "screen": "simlib.analysis.screening",
    "sensitivity": "simlib.analysis.sobol",
    "load_losses": "simlib.analysis.losses",
    "readings": "simlib.analysis.two_readings",
    "value_of_information": "simlib.analysis.information",
    "value_of_learning": "simlib.analysis.valuing",
}


def __getattr__(name: str) -> Any:
    """Load a name when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'simlib.analysis' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(_HOMES)
