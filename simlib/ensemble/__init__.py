"""Ensembles: many replications of one scenario, simulated, stored and summed up."""

from simlib.ensemble.execution import Progress
from simlib.ensemble.results import Ensemble, open_results
from simlib.ensemble.running import run

open = open_results  # noqa: A001  (`simlib.open`: lazy_loader renames nothing)

__all__ = ["Ensemble", "Progress", "open", "open_results", "run"]
