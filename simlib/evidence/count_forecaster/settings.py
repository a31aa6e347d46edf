"""What the incident layer takes as given, and between which settings the counts decide."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from simlib.chance.distributions import quantile
from simlib.scenario import load


@dataclass(frozen=True, slots=True)
class Settings:
    """How a series behaves: monthly counts of units u at months t.

    The logarithm of the expected count is ``a[t] + c[u] + b[u, t]``: a national random
    walk, what sets a governorate apart, and its own tempo, a stationary AR(1).

    Attributes
    ----------
    first_mean, first_sd
        National log level in the first month, before any count. Low: a series of which
        nothing is known is rare.
    drift
        Standard deviation of a month's step of the national log level.
    between
        Standard deviation of `c` between governorates.
    rho, sd
        Monthly autocorrelation and stationary standard deviation of a governorate's tempo.
    dispersion
        Variance over mean of a month's count where its expectation is given: what
        excitation adds to chance.
    """

    first_mean: float = -4.0
    first_sd: float = 2.0
    drift: float = 0.1
    between: float = 1.5
    rho: float = 0.85
    sd: float = 1.0
    dispersion: float = 1.5


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

How much and how lastingly tempos move is what differs most between series: campaigns move
them by more than a factor of two a month, a low-level insurgency hardly.
"""

DECAY = ("fitted", "excite.decay")
"""The scenario and the parameter that have the mean delay of an excited incident in days."""


@functools.cache
def decay_days() -> float:
    """Return the median of `DECAY`: the layer that forecasts is the layer that runs."""
    scenario, parameter = DECAY
    ((kind, arguments),) = (load(scenario).parameters[parameter].distribution or {}).items()
    return quantile(kind, arguments, 0.5)
