"""The forecaster: fit what is known, write a scenario of the engine, run it, count.

A unit is a group of its series' incident type. It starts in the last known month at

    level = exp(a + c + b - x + sd**2 / 2)

with a trend of log-slope -(1 - rho) (b - x) + s, damped by rho, and an AR(1) multiplier of its
own with rho and sd. x is where the engine's multiplier starts, so that after k months the log
level is a + c + rho**k b + the multiplier's steps since: it goes on from where the record
left it. s is drawn once for a series, so that after some months the national level
has moved by as much as its random walk would.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from simlib.chance.distributions import quantile
from simlib.evidence.count_forecaster.count_fit import Drawn, FittedSeries, fit, weights_of
from simlib.evidence.count_forecaster.smoothing import Settings
from simlib.scenario import from_dict, load
from simlib.simulation import assemble, simulate
from simlib.world.state import ar1_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from simlib.evidence.panels import CountPanel, Unit
    from simlib.scenario.schema import Scenario

N_MONTHS = 60
"""Last known months that a fit reads; older ones change no forecast of a few months."""

RIVALS = tuple(
    Settings(sd=sd, rho=rho, between=between, drift=drift)
    for sd in (1.4, 0.8, 0.4, 0.2)
    for rho in (0.7, 0.92)
    for between in (1.5, 3.0)
    for drift in (0.05, 0.25)
)
"""Settings between which the known counts of a series decide, alike before they are seen.

How much and how lastingly multipliers move is what differs most between series: campaigns move
them by more than a factor of two a month, a low-level insurgency hardly.
"""

DECAY = ("fitted", "excite.decay")
"""The scenario and the parameter that have the mean delay of an excited incident in days."""
_MOST_TIMES = 10.0
"""No level is drawn higher than so many times the series' highest known count, plus one."""


@functools.cache
def decay_days() -> float:
    """Take the median of `DECAY`: what is back-tested excites as what runs."""
    scenario, parameter = DECAY
    ((kind, arguments),) = (load(scenario).parameters[parameter].distribution or {}).items()
    return quantile(kind, arguments, 0.5)


@dataclass(frozen=True, slots=True)
class CountForecaster:
    """simlib's engine as a forecaster, started from known monthly counts and from nothing else.

    Attributes
    ----------
    name
        Name in tables and figures.
    rivals
        Settings between which the known counts of each series decide.
    decay_days
        Mean delay of an excited incident; that of the scenarios (`DECAY`) when not given.
    """

    name: str = "incident_layer"
    rivals: tuple[Settings, ...] = RIVALS
    decay_days: float = field(default_factory=decay_days)

    def forecast(
        self, known: CountPanel, months: NDArray[np.datetime64], n_draws: int, root_seed: int
    ) -> NDArray[np.int64]:
        """Draw as `Forecaster.forecast` says: each draw is one replication of the engine.

        Raises
        ------
        ValueError
            Nothing is known, or a month to forecast is not later than the last known one.
        """
        if not known.counts.size:
            raise ValueError("known must hold a unit and a month (got none)")
        ahead = (months - known.months[-1]).astype(np.int64)
        if not (ahead > 0).all():
            raise ValueError(f"months must be later than {known.months[-1]} (got {months[0]})")
        series = self.fitted(known)
        span = (known.months[-1], months[-1])
        scenario = scenario_of(known.units, series, span, root_seed, self.decay_days)
        drawn = [each.draw(n_draws, root_seed) for each in series]
        return replay(scenario, series, drawn, int(ahead[-1]) + 1)[:, ahead]

    def fitted(self, known: CountPanel) -> tuple[FittedSeries, ...]:
        """Fit each series of a panel to its counts."""
        names = list(dict.fromkeys(unit[:2] for unit in known.units))
        return tuple(self._fitted(known, name) for name in names)

    def _fitted(self, known: CountPanel, name: tuple[str, ...]) -> FittedSeries:
        rows = tuple(row for row, unit in enumerate(known.units) if unit[:2] == name)
        counts = known.counts[list(rows), -N_MONTHS:]
        posteriors = fit(counts, self.rivals)
        label = " ".join(name).strip()
        return FittedSeries(label, rows, int(counts.max()), posteriors, weights_of(posteriors))


def scenario_of(
    units: Sequence[Unit],
    series: Sequence[FittedSeries],
    span: tuple[np.datetime64, np.datetime64],
    root_seed: int,
    decay_days: float,
) -> Scenario:
    """Write the scenario whose incidents are the counts from the last known month on."""
    parameters: dict[str, dict[str, Any]] = {}
    incidents: dict[str, dict[str, Any]] = {}
    for number, each in enumerate(series):
        likeliest = each.posteriors[int(each.weights.argmax())].settings
        typical = {"rho": likeliest.rho, "sd": likeliest.sd, "ratio": _ratio(likeliest.dispersion)}
        parameters.update({f"{k}_{number}": _drawn_anew(v) for k, v in typical.items()})
        for row in each.rows:
            levels = {f"level_{row}": _drawn_anew(1.0), f"slope_{row}": _drawn_anew(0.0)}
            parameters.update(levels)
        incidents[each.name] = {
            "groups": {_place(units[row]): _group(units[row], row, number) for row in each.rows},
            "excites": [{"type": each.name, "ratio": f"ratio_{number}", "decay_days": decay_days}],
        }
    return from_dict(
        {
            "simlib": 1,
            "name": "count forecaster",
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


def _drawn_anew(value: float) -> dict[str, Any]:
    return {"value": value, "unit": "see the count forecaster", "judgement": "drawn anew"}


def _place(unit: Unit) -> str:
    return f"{unit.country} {unit.place}".strip()


def _own(row: int) -> str:
    """Name a unit's target and multiplier."""
    return f"unit_{row}"


def _ratio(dispersion: float) -> float:
    """Turn a dispersion into a branching ratio n: long counts have 1 / (1 - n)**2 (Hawkes 1971)."""
    return 1.0 - 1.0 / math.sqrt(dispersion)


def replay(
    scenario: Scenario, series: Sequence[FittedSeries], drawn: Sequence[Drawn], n_months: int
) -> NDArray[np.int64]:
    """Run a replication for each draw, and count its incidents by unit and month.

    Shape (n_units, n_months, n_draws); the first month is the last known one anew.
    """
    blueprint = assemble(scenario)
    n_units, n_draws = sum(len(each.rows) for each in series), len(drawn[0].slope)
    names = [_own(row) for row in range(n_units)]
    starts = np.array([*blueprint.calendar.times, blueprint.horizon])[:n_months]
    row_of = np.array([names.index(target) for target in blueprint.channels.channels.targets])
    counts = np.empty((n_units, n_months, n_draws), dtype=np.int64)
    # The calendar keeps multipliers in the order of their names.
    in_order = sorted(range(n_units), key=lambda row: ar1_name(names[row]))
    first = np.empty(n_units)
    for draw in range(n_draws):
        # Where the engine will start each multiplier is known beforehand, from its address: the
        # x of the module's head, which the level takes out again.
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
    number: int, series: FittedSeries, drawn: Drawn, draw: int, first: NDArray[np.float64]
) -> dict[str, float]:
    """Give the parameters of a series in a replication, its multipliers starting at `first` sds."""
    settings = series.posteriors[int(drawn.settings[draw])].settings
    # b - x, and with it level and slope as at the top of this module; sd**2 / 2 because the
    # engine's multiplier has mean 1, not median 1.
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
