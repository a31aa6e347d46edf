"""Figures: each takes results and an ``ax``, and returns the axes."""

from simlib.plot.distributions import distribution, probabilities
from simlib.plot.pages import figures, save_timeline
from simlib.plot.paths import paths, save_why, shares
from simlib.plot.timelines import timeline
from simlib.plot.trajectories import exit_curve, fan

__all__ = [
    "distribution",
    "exit_curve",
    "fan",
    "figures",
    "paths",
    "probabilities",
    "save_timeline",
    "save_why",
    "shares",
    "timeline",
]
