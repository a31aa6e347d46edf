"""What is worked out from scenarios and ensembles: counterfactuals, and what drives them.

Names load when they are first used.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOMES: dict[str, str] = {
    "diff": "simlib.analysis.attributing.attribution",
    "discover": "simlib.analysis.exploring.discovery",
    "tripwires": "simlib.analysis.exploring.alarms",
    "Comparison": "simlib.analysis.comparing.comparison",
    "Effect": "simlib.analysis.comparing.pairing",
    "compare": "simlib.analysis.comparing.comparison",
    "fork": "simlib.analysis.comparing.forking",
    "Explanation": "simlib.analysis.explaining.explanation",
    "why": "simlib.analysis.explaining.whys",
    "screen": "simlib.analysis.drivers.screening",
    "sensitivity": "simlib.analysis.drivers.sobol",
    "load_losses": "simlib.analysis.decisions.losses",
    "readings": "simlib.analysis.decisions.two_readings",
    "value_of_information": "simlib.analysis.decisions.information",
    "value_of_learning": "simlib.analysis.decisions.valuing",
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
