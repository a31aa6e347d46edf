"""Figures: each takes results and an ``ax``, and returns the axes."""

from simlib.plot.distributions import distribution, probabilities
from simlib.plot.learning import information
from simlib.plot.pages import figures, save_timeline
from simlib.plot.timelines import timeline
from simlib.plot.trajectories import exit_curve, fan
from simlib.plot.two_readings import extension_forecast, readings

__all__ = [
    "distribution",
    "exit_curve",
    "extension_forecast",
    "fan",
    "figures",
    "information",
    "probabilities",
    "readings",
    "save_timeline",
    "timeline",
]
