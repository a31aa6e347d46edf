"""Figures: each takes results and an ``ax``, and returns the axes."""

from simlib.plot.distributions import distribution, probabilities
from simlib.plot.effects import effect, effects
from simlib.plot.pages import figures, save_timeline
from simlib.plot.timelines import timeline
from simlib.plot.trajectories import exit_curve, fan

__all__ = [
    "distribution",
    "effect",
    "effects",
    "exit_curve",
    "fan",
    "figures",
    "probabilities",
    "save_timeline",
    "timeline",
]
