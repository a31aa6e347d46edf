"""Figures: each takes results and an ``ax``, and returns the axes."""

import simlib.plot.caching  # noqa: F401  (before matplotlib)

# isort: split
from simlib.plot.analogues import (
    analogue_panels,
    analogue_placebos,
    analogue_update,
    analogue_years,
    save_analogues,
)
from simlib.plot.attributions import attribution
from simlib.plot.backtests import (
    backtest_coverage,
    backtest_figures,
    backtest_horizons,
    backtest_places,
    backtest_scores,
    backtest_transforms,
)
from simlib.plot.calibration import calibration
from simlib.plot.clustering import branching, inversion, ranks, rescaled
from simlib.plot.distributions import distribution, probabilities
from simlib.plot.drivers import screening, sensitivity
from simlib.plot.effects import effect, effects
from simlib.plot.exploring import box, lead_times, peeling, tripwire
from simlib.plot.learning import information
from simlib.plot.pages import figures, save_timeline
from simlib.plot.paths import paths, save_why, shares, shares_and_paths
from simlib.plot.reliability import ledger_pit, ledger_reliability
from simlib.plot.timelines import timeline
from simlib.plot.trajectories import exit_curve, fan
from simlib.plot.two_readings import extension_forecast, readings

__all__ = [
    "analogue_panels",
    "analogue_placebos",
    "analogue_update",
    "analogue_years",
    "attribution",
    "backtest_coverage",
    "backtest_figures",
    "backtest_horizons",
    "backtest_places",
    "backtest_scores",
    "backtest_transforms",
    "box",
    "branching",
    "calibration",
    "distribution",
    "effect",
    "effects",
    "exit_curve",
    "extension_forecast",
    "fan",
    "figures",
    "information",
    "inversion",
    "lead_times",
    "ledger_pit",
    "ledger_reliability",
    "paths",
    "peeling",
    "probabilities",
    "ranks",
    "readings",
    "rescaled",
    "save_analogues",
    "save_timeline",
    "save_why",
    "screening",
    "sensitivity",
    "shares",
    "shares_and_paths",
    "timeline",
    "tripwire",
]
