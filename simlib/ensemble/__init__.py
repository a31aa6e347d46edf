"""Ensembles: many replications of one scenario, simulated, stored and summed up.

`Ensemble` reads; what simulates is functions: `run`, `extend`, `replay`, `verify`.
"""

from simlib.ensemble.execution import Execution, Progress
from simlib.ensemble.replaying import replay, replayed_states, states
from simlib.ensemble.results import Ensemble, States, Verification, open_results
from simlib.ensemble.running import extend, run
from simlib.ensemble.verifying import verify

open = open_results  # noqa: A001  (`simlib.open`: lazy_loader renames nothing)

__all__ = [
    "Ensemble",
    "Execution",
    "Progress",
    "States",
    "Verification",
    "extend",
    "open",
    "open_results",
    "replay",
    "replayed_states",
    "run",
    "states",
    "verify",
]
