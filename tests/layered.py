"""Panels drawn from the law that the incident layer assumes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simlib.evidence.panels import CountPanel, Unit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simlib.evidence.layer.settings import Settings

FIRST = np.datetime64("2010-01", "M")


def panel_of(counts: NDArray[np.int64]) -> CountPanel:
    """Return a panel of one series from counts, shape (n_units, n_months)."""
    units = tuple(Unit("Iraq", "series", f"Place {chr(65 + u)}") for u in range(len(counts)))
    months = FIRST + np.arange(counts.shape[1])
    return CountPanel(units, months, counts, "drawn")


def drawn_counts(
    settings: Settings, n_units: int, n_months: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw counts of a series that behaves as settings say.

    A count about its expectation m is a negative binomial with variance over mean equal to
    the dispersion f: a Poisson of a gamma with shape m / (f - 1) and scale f - 1.
    """
    first = settings.first_mean + settings.first_sd * rng.standard_normal()
    national = first + np.cumsum(settings.drift * rng.standard_normal(n_months))
    step = settings.sd * np.sqrt(1.0 - settings.rho**2)
    tempo = np.empty((n_units, n_months))
    tempo[:, 0] = settings.sd * rng.standard_normal(n_units)
    for month in range(1, n_months):
        tempo[:, month] = settings.rho * tempo[:, month - 1]
        tempo[:, month] += step * rng.standard_normal(n_units)
    own = settings.between * rng.standard_normal((n_units, 1))
    expected = np.exp(national + own + tempo)
    excess = settings.dispersion - 1.0
    return rng.poisson(rng.gamma(expected / excess) * excess)
