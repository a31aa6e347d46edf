"""Ensembles: many replications of one scenario, simulated, stored and summed up."""

from simlib.ensemble.progress import Progress
from simlib.ensemble.results import Ensemble, open_results
from simlib.ensemble.running import run

__all__ = ["Ensemble", "Progress", "open_results", "run"]
