"""Public names and arguments of before, kept for one release with a warning.

The only general module that reaches `simlib.theatre`: by name, and only when an old call asks.
"""

from __future__ import annotations

import importlib
import warnings
from typing import Any

_RECORD, _ANALOGUES = "simlib.theatre.record", "simlib.theatre.analogues"
_QUESTIONS = "simlib.theatre.questions"

NAMES = {
    "simlib.analysis.Effect": "simlib.analysis:PairedEffect",
    "simlib.analysis.value_of_learning": "simlib.analysis:evppi",
    "simlib.evidence.Band": "simlib.statistics.ranks",
    "simlib.evidence.Part": "simlib.evidence:HistoryPart",
    "simlib.evidence.Uniformity": "simlib.statistics.ranks",
    "simlib.evidence.rank_statistics": "simlib.statistics.ranks",
    "simlib.evidence.simulated_ranks": "simlib.statistics.ranks",
    "simlib.evidence.simultaneous_band": "simlib.statistics.ranks",
    "simlib.evidence.uniformity": "simlib.statistics.ranks",
    "simlib.evidence.IncidentLayer": "simlib.evidence:CountForecaster",
    "simlib.evidence.estimate_tempo": "simlib.evidence:estimate_multiplier",
    "simlib.evidence.fitted_withdrawal_effect": f"{_ANALOGUES}.withdrawal",
    "simlib.evidence.layer_problem": "simlib.evidence:forecaster_problem",
    "simlib.evidence.pool_tempos": "simlib.evidence:pool_multipliers",
    "simlib.evidence.shipped_parts": f"{_RECORD}.monthly",
}
"""Public names that moved or were renamed (``module:name``), and the modules they stand in now."""

DEFAULTS = {
    "calibrate(fitters=)": (f"{_RECORD}.published", "FITTERS"),
    "correlations_of(headlines=)": (f"{_QUESTIONS}.iraq_mission", "HEADLINES"),
    "excitation_table(pools=)": (f"{_RECORD}.fitters", "POOLS"),
    "fit_regimes(regimes=)": (f"{_RECORD}.fitters", "REGIMES"),
    "fitted_excitation(pools=)": (f"{_RECORD}.fitters", "POOLS"),
    "forecaster_problem(given=)": (f"{_RECORD}.monthly", "BEFORE_DECEMBER"),
    "readings(question=)": (f"{_QUESTIONS}.iraq_mission", "EXTENSION"),
    "severity_table(regimes=)": (f"{_RECORD}.fitters", "REGIMES"),
    "study_analogues(analogues=)": (f"{_ANALOGUES}.withdrawal", "WITHDRAWALS"),
    "ucdp_counts(series=)": (f"{_RECORD}.monthly", "SCORED"),
    "value_of_information(question=)": (f"{_QUESTIONS}.iraq_mission", "EXTENSION"),
}
"""Arguments that had the theatre's objects as defaults, and where these stand now."""


def moved(name: str) -> Any:
    """What an old public name stands for, with a warning that says where it is."""
    home, _, renamed = NAMES[name].partition(":")
    attribute = renamed or name.rpartition(".")[2]
    _warn(f"{name} has moved: from {home} import {attribute}", stacklevel=4)
    return getattr(importlib.import_module(home), attribute)


def default(argument: str) -> Any:
    """What an argument was when it was not given, with a warning that says to give it.

    Parameters
    ----------
    argument
        Such as ``calibrate(fitters=)``, a key of `DEFAULTS`; for use in that function itself.
    """
    home, attribute = DEFAULTS[argument]
    _warn(f"{argument} must be given: from {home} import {attribute}", stacklevel=4)
    return getattr(importlib.import_module(home), attribute)


def _warn(message: str, stacklevel: int) -> None:
    warnings.warn(message, DeprecationWarning, stacklevel=stacklevel)
