"""Figures: each takes results and an ``ax``, and returns the axes."""

from simlib.plot.attributions import attribution
from simlib.plot.backtests import (
    backtest_coverage,
    backtest_figures,
    backtest_horizons,
    backtest_places,
    backtest_scores,
    backtest_transforms,
)
from simlib.plot.distributions import distribution, probabilities
from simlib.plot.drivers import screening, sensitivity
from simlib.plot.effects import effect, effects
from simlib.plot.exploring import box, lead_times, peeling, tripwire
from simlib.plot.learning import information
from simlib.plot.pages import figures, save_timeline
from simlib.plot.paths import paths, save_why, shares
from simlib.plot.timelines import timeline
from simlib.plot.trajectories import exit_curve, fan
from simlib.plot.two_readings import extension_forecast, readings

__all__ = [
    "attribution",
    "backtest_coverage",
    "backtest_figures",
    "backtest_horizons",
    "backtest_places",
    "backtest_scores",
    "backtest_transforms",
    "box",
    "distribution",
    "effect",
    "effects",
    "exit_curve",
    "extension_forecast",
    "fan",
    "figures",
    "information",
    "lead_times",
    "paths",
    "peeling",
    "probabilities",
    "readings",
    "save_timeline",
    "save_why",
    "screening",
    "sensitivity",
    "shares",
    "timeline",
    "tripwire",
]
