"""From a posterior to a scenario of the engine, and to what each replication draws.

A unit is a group of its series' incident type. It starts in the last known month at

    level = exp(a + c + b - x + sd**2 / 2)

with a trend of log-slope -(1 - rho) (b - x) + s, damped by rho, and a tempo of its own
with rho and sd. x is where the engine's tempo starts, so that after k months the log level
is a + c + rho**k b + the tempo's steps since: the tempo goes on from where the record
left it. s is drawn once for a series, so that after some months the national level
has moved by as much as its random walk would.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simlib.scenario import from_dict
from simlib.simulation import assemble, simulate
from simlib.world.state import tempo_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from simlib.evidence.count_forecaster.count_fit import Posterior
    from simlib.evidence.count_forecaster.drawing import Drawn
    from simlib.evidence.panels import Unit
    from simlib.scenario.schema import Scenario

_MOST_TIMES = 10.0
"""No level is drawn higher than so many times the series' highest known count, plus one."""


class Series(NamedTuple):
    """A series of a panel with what its counts say.

    Attributes
    ----------
    name
        Country and series; the incident type.
    rows
        Rows of the panel.
    highest
        Highest known count of a unit in a month.
    posteriors
        One for each rival settings.
    weights
        Their probabilities.
    """

    name: str
    rows: tuple[int, ...]
    highest: int
    posteriors: tuple[Posterior, ...]
    weights: NDArray[np.float64]


def scenario_of(
    units: Sequence[Unit],
    series: Sequence[Series],
    span: tuple[np.datetime64, np.datetime64],
    root_seed: int,
    decay_days: float,
) -> Scenario:
    """Return the scenario whose incidents are the counts to be forecast.

    Parameters
    ----------
    units
        Rows of the panel.
    series
        All of its series.
    span
        Last known month and last month that is forecast.
    root_seed
        Of the scenario.
    decay_days
        Mean delay of an excited incident.
    """
    parameters: dict[str, dict[str, Any]] = {}
    incidents: dict[str, dict[str, Any]] = {}
    for number, each in enumerate(series):
        likeliest = each.posteriors[int(each.weights.argmax())].settings
        typical = {"rho": likeliest.rho, "sd": likeliest.sd, "ratio": _ratio(likeliest.dispersion)}
        parameters.update({f"{k}_{number}": _fitted(v) for k, v in typical.items()})
        for row in each.rows:
            parameters.update({f"level_{row}": _fitted(1.0), f"slope_{row}": _fitted(0.0)})
        incidents[each.name] = {
            "groups": {_place(units[row]): _group(units[row], row, number) for row in each.rows},
            "excites": [{"type": each.name, "ratio": f"ratio_{number}", "decay_days": decay_days}],
        }
    return from_dict(
        {
            "simlib": 1,
            "name": "incident layer",
            "context_of_use": "Forecasts of monthly counts from known monthly counts alone.",
            "start": str(span[0].astype("datetime64[D]")),
            "end": str((span[1] + 1).astype("datetime64[D]") - 1),
            "places": {_place(unit): {"country": unit.country} for unit in units},
            "parameters": parameters,
            "incidents": incidents,
            "history_days": 0,
            "root_seed": root_seed,
        }
    )


def _group(unit: Unit, row: int, number: int) -> dict[str, Any]:
    return {
        "target": _own(row),
        "level": {_place(unit): f"level_{row}"},
        "trend": {"log_slope": f"slope_{row}", "damping": f"rho_{number}"},
        "tempo": {"series": _own(row), "rho": f"rho_{number}", "sd": f"sd_{number}"},
    }


def _fitted(value: float) -> dict[str, Any]:
    return {
        "value": value,
        "unit": "see the count forecaster",
        "judgement": "drawn anew",
    }


def _place(unit: Unit) -> str:
    return f"{unit.country} {unit.place}".strip()


def _own(row: int) -> str:
    """Return what a unit's target and tempo are called."""
    return f"unit_{row}"


def _ratio(dispersion: float) -> float:
    """Return the branching ratio n of a dispersion: long counts have 1 / (1 - n)**2."""
    return 1.0 - 1.0 / math.sqrt(dispersion)


def replay(
    scenario: Scenario, series: Sequence[Series], drawn: Sequence[Drawn], n_months: int
) -> NDArray[np.int64]:
    """Run a replication for each draw, and count its incidents by unit and month.

    Parameters
    ----------
    scenario
        What `scenario_of` returns.
    series, drawn
        The series, and what was drawn of each.
    n_months
        Months of the scenario.

    Returns
    -------
    ndarray
        Shape (n_units, n_months, n_draws); the first month is the last known one anew.
    """
    blueprint = assemble(scenario)
    n_units, n_draws = sum(len(each.rows) for each in series), len(drawn[0].slope)
    names = [_own(row) for row in range(n_units)]
    starts = np.array([*blueprint.calendar.times, blueprint.horizon])[:n_months]
    row_of = np.array([names.index(target) for target in blueprint.channels.channels.targets])
    counts = np.empty((n_units, n_months, n_draws), dtype=np.int64)
    # The calendar keeps tempos in the order of their names.
    in_order = sorted(range(n_units), key=lambda row: tempo_name(names[row]))
    first = np.empty(n_units)
    for draw in range(n_draws):
        first[in_order] = blueprint.calendar.innovations(draw)[:, 0]
        given: dict[str, float] = {}
        for number, (each, own) in enumerate(zip(series, drawn, strict=True)):
            given.update(_given(number, each, own, draw, first[list(each.rows)]))
        incidents = simulate(blueprint, draw, parameters=given, observe=()).incidents
        month = np.searchsorted(starts, incidents.time, side="right") - 1
        where = row_of[incidents.channel] * n_months + month
        counts[:, :, draw] = np.bincount(where, minlength=n_units * n_months).reshape(n_units, -1)
    return counts


def _given(
    number: int, series: Series, drawn: Drawn, draw: int, first: NDArray[np.float64]
) -> dict[str, float]:
    """Return the parameters of a series in a replication; see the top of this module.

    Parameters
    ----------
    number
        Of the series.
    series, drawn
        The series, and what was drawn of it.
    draw
        The replication.
    first
        Where the tempos of its units start, in standard deviations, shape (n_units,).
    """
    settings = series.posteriors[int(drawn.settings[draw])].settings
    left = drawn.passing[:, draw] - settings.sd * first
    log_level = drawn.lasting[:, draw] + left + 0.5 * settings.sd**2
    level = np.exp(np.minimum(log_level, math.log(_MOST_TIMES * (series.highest + 1))))
    slope = drawn.slope[draw] - (1.0 - settings.rho) * left
    given = {
        f"rho_{number}": settings.rho,
        f"sd_{number}": settings.sd,
        f"ratio_{number}": _ratio(settings.dispersion),
    }
    given.update(zip((f"level_{row}" for row in series.rows), level.tolist(), strict=True))
    given.update(zip((f"slope_{row}" for row in series.rows), slope.tolist(), strict=True))
    return given
