"""Figures: each takes results and an ``ax``, and returns the axes."""

import simlib.plot.caching  # noqa: F401  (before matplotlib)

# isort: split
from simlib.plot.analogue_figures import (
    analogue_panels,
    analogue_placebos,
    analogue_update,
    analogue_years,
    save_analogues,
)
from simlib.plot.curves import exit_curve, fan, inversion, ranks, rescaled
from simlib.plot.drawing import draw, figures
from simlib.plot.effect_rows import effects
from simlib.plot.forecast_verification import (
    backtest_coverage,
    backtest_figures,
    backtest_horizons,
    backtest_places,
    backtest_scores,
    backtest_transforms,
    ledger_pit,
    ledger_reliability,
)
from simlib.plot.histograms import effect, lead_times
from simlib.plot.outcome_panels import distribution, probabilities
from simlib.plot.pages import one_by_one, pages_of
from simlib.plot.place_maps import map, map_page, maps  # noqa: A004  (plot.map)
from simlib.plot.rows import (
    branching,
    calibration,
    extension_forecast,
    information,
    readings,
    sensitivity,
)
from simlib.plot.scatters import box, peeling, screening, tripwire
from simlib.plot.steps import attribution, paths, save_why, shares, shares_and_paths
from simlib.plot.style import image, svg
from simlib.plot.timelines import save_timeline, timeline

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
    "draw",
    "effect",
    "effects",
    "exit_curve",
    "extension_forecast",
    "fan",
    "figures",
    "image",
    "information",
    "inversion",
    "lead_times",
    "ledger_pit",
    "ledger_reliability",
    "map",
    "map_page",
    "maps",
    "one_by_one",
    "pages_of",
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
    "svg",
    "timeline",
    "tripwire",
]
