"""Rolling origins: at which month what is known of a part of history, and what is forecast.

A forecast made on the first day of month t knows counts up to month t - 3: those of the
last two whole months are not published yet. Horizon 1 is month t itself, horizon 6 is
t + 5. From the last known month to horizon h are h + 2 months.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from simlib.evidence.panels import CountPanel

LAG = 3
"""Months from the last known one to the first that is forecast."""
HORIZONS = 6
SPAN = LAG - 1 + HORIZONS
"""Months from the first unknown one to the last that is forecast."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A month on whose first day a forecast is made, the last one known then, and those forecast.

    `HORIZONS` months are forecast, of which it is the first; fewer where the panel ends.
    """

    month: np.datetime64
    last_known: np.datetime64
    months: NDArray[np.datetime64]


@dataclass(frozen=True, slots=True)
class HistoryPart:
    """One vintage of history, back-tested by itself.

    Attributes
    ----------
    name
        Name in tables.
    panel
        The counts.
    n_known
        Months that the first forecast knows.
    """

    name: str
    panel: CountPanel
    n_known: int

    @property
    def origins(self) -> tuple[Origin, ...]:
        """When forecasts are made: at every month that can be forecast."""
        months = self.panel.months
        return tuple(
            Origin(months[i], months[i - LAG], months[i : i + HORIZONS])
            for i in range(self.n_known - 1 + LAG, len(months))
        )

    @property
    def digest(self) -> str:
        """Digest of all that a forecast may see or is scored on."""
        panel = self.panel
        text = f"{self.name} {self.n_known} {panel.vintage} {panel.months[0]} {panel.units}"
        return hashlib.sha256(text.encode() + panel.counts.tobytes()).hexdigest()


def known_at(panel: CountPanel, origin: Origin) -> CountPanel:
    """What a forecaster is given at an origin: a copy that holds nothing later."""
    return panel.until(origin.last_known)
