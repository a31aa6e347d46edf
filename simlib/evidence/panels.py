"""Counts by unit and month, the common form of history, forecasts and what is scored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


class Unit(NamedTuple):
    """What is counted: a published series in a place.

    Attributes
    ----------
    country
        Country of the place.
    series
        Name of the series, such as ``raids_north``.
    place
        Governorate; empty where only the country is known.
    """

    country: str
    series: str
    place: str


@dataclass(frozen=True, slots=True)
class CountPanel:
    """Counts of units over consecutive calendar months.

    Attributes
    ----------
    units
        The rows.
    months
        First days of the months, ``datetime64[M]``, consecutive, shape (n_months,).
    counts
        Events, shape (n_units, n_months).
    vintage
        Which release the counts are of, such as ``GED 19.1``; vintages are never mixed.
    """

    units: tuple[Unit, ...]
    months: NDArray[np.datetime64]
    counts: NDArray[np.int64]
    vintage: str

    def __post_init__(self) -> None:
        """Refuse counts that do not fit units and months.

        Raises
        ------
        ValueError
            Shapes differ, a count is negative, or months are not consecutive.
        """
        if self.counts.shape != (len(self.units), len(self.months)):
            raise ValueError(
                f"counts must have shape {(len(self.units), len(self.months))} "
                f"(got {self.counts.shape})"
            )
        if (self.counts < 0).any():
            raise ValueError(f"counts must be >= 0 (got {self.counts.min()})")
        if len(self.months) > 1 and (np.diff(self.months) != np.timedelta64(1, "M")).any():
            raise ValueError("months must be consecutive")

    def until(self, month: np.datetime64) -> CountPanel:
        """Keep the months up to and with one."""
        is_kept = self.months <= month
        return CountPanel(self.units, self.months[is_kept], self.counts[:, is_kept], self.vintage)

    def by_place(self, series: str, places: Sequence[str]) -> NDArray[np.float64]:
        """Sum a series at some places over all months, shape (n_places,)."""
        totals = dict.fromkeys(places, 0)
        for unit, counts in zip(self.units, self.counts, strict=True):
            if unit.series == series and unit.place in totals:
                totals[unit.place] += int(counts.sum())
        return np.array([totals[place] for place in places], dtype=np.float64)

    def of(self, units: Sequence[Unit]) -> CountPanel:
        """Keep the rows of some units, in their order.

        Raises
        ------
        KeyError
            A unit is not in the panel.
        """
        position = {unit: row for row, unit in enumerate(self.units)}
        rows = [position[unit] for unit in units]
        return CountPanel(tuple(units), self.months, self.counts[rows], self.vintage)


class PanelLevel(NamedTuple):
    """What counts are of: a unit, or the sum of some rows of a panel.

    Its name is ``unit`` (a series in a governorate), ``series`` (a series in a country) or
    ``country`` (all series of a country); place or series are empty where it is a sum over them.
    """

    name: str
    unit: Unit
    rows: tuple[int, ...]


def levels_of(units: Sequence[Unit]) -> tuple[PanelLevel, ...]:
    """The units themselves, then series by country, then countries."""
    found = [PanelLevel("unit", unit, (row,)) for row, unit in enumerate(units)]
    for name, n_kept in (("series", 2), ("country", 1)):
        sums: dict[tuple[str, ...], list[int]] = {}
        for row, unit in enumerate(units):
            sums.setdefault(unit[:n_kept], []).append(row)
        found += [
            PanelLevel(name, Unit(*(*kept, "", "")[:3]), tuple(rows)) for kept, rows in sums.items()
        ]
    return tuple(found)


def at_levels(levels: Sequence[PanelLevel], counts: NDArray[Any]) -> NDArray[np.int64]:
    """Sum counts of units, shape (n_units, ...), to levels: joint draws draw by draw."""
    return np.stack([counts[list(level.rows)].sum(axis=0) for level in levels])


class Forecaster(Protocol):
    """What turns known counts into a predictive distribution of later ones."""

    @property
    def name(self) -> str:
        """Name in tables and figures."""
        ...

    def forecast(
        self, known: CountPanel, months: NDArray[np.datetime64], n_draws: int, root_seed: int
    ) -> NDArray[np.int64]:
        """Draw joint counts of later months from what is known.

        Parameters
        ----------
        known
            Everything that may be used; its last month is the last that is known.
        months
            Later months, increasing; the gap to the last known one is the reporting lag.
        n_draws
            Draws of the predictive distribution.
        root_seed
            Makes the draws repeatable.

        Returns
        -------
        ndarray
            Shape (n_units, n_later_months, n_draws); a draw is one joint history.
        """
        ...
