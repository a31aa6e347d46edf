"""The forecaster: fit what is known, write a scenario, run it, count."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from simlib.evidence.count_forecaster.count_fit import fit, weights_of
from simlib.evidence.count_forecaster.drawing import draw
from simlib.evidence.count_forecaster.replayed_counts import Series, replay, scenario_of
from simlib.evidence.count_forecaster.settings import N_MONTHS, RIVALS, Settings, decay_days

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simlib.evidence.panels import CountPanel


@dataclass(frozen=True, slots=True)
class IncidentLayer:
    """simlib's incident layer, started from known monthly counts and from nothing else.

    Attributes
    ----------
    name
        Name in tables and figures.
    rivals
        Settings between which the known counts of each series decide.
    decay_days
        Mean delay of an excited incident; that of the scenarios (`settings.DECAY`) when not
        given.
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
        drawn = [draw(each, n_draws, root_seed) for each in series]
        return replay(scenario, series, drawn, int(ahead[-1]) + 1)[:, ahead]

    def fitted(self, known: CountPanel) -> tuple[Series, ...]:
        """Return each series of a panel with what its counts say."""
        names = list(dict.fromkeys(unit[:2] for unit in known.units))
        return tuple(self._series(known, name) for name in names)

    def _series(self, known: CountPanel, name: tuple[str, ...]) -> Series:
        rows = tuple(row for row, unit in enumerate(known.units) if unit[:2] == name)
        counts = known.counts[list(rows), -N_MONTHS:]
        posteriors = fit(counts, self.rivals)
        label = " ".join(name).strip()
        return Series(label, rows, int(counts.max()), posteriors, weights_of(posteriors))
