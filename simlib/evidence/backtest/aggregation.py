"""Counts of units, and of what they add up to: series, countries, all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simlib.evidence.panels import Unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


class Level(NamedTuple):
    """What counts are of.

    Attributes
    ----------
    name
        ``unit`` (a series in a governorate), ``series`` (a series in a country) or
        ``country`` (all series of a country).
    unit
        The unit, with an empty place or series where it is a sum over them.
    rows
        Rows of the panel that are summed.
    """

    name: str
    unit: Unit
    rows: tuple[int, ...]


def levels_of(units: Sequence[Unit]) -> tuple[Level, ...]:
    """Return the units themselves, then series by country, then countries."""
    found = [Level("unit", unit, (row,)) for row, unit in enumerate(units)]
    for name, n_kept in (("series", 2), ("country", 1)):
        sums: dict[tuple[str, ...], list[int]] = {}
        for row, unit in enumerate(units):
            sums.setdefault(unit[:n_kept], []).append(row)
        found += [
            Level(name, Unit(*(*kept, "", "")[:3]), tuple(rows)) for kept, rows in sums.items()
        ]
    return tuple(found)


def at_levels(levels: Sequence[Level], counts: NDArray[Any]) -> NDArray[np.int64]:
    """Return counts of every level from counts of units: joint draws are summed draw by draw.

    Parameters
    ----------
    levels
        What `levels_of` returns.
    counts
        Shape (n_units, ...).

    Returns
    -------
    ndarray
        Shape (n_levels, ...).
    """
    return np.stack([counts[list(level.rows)].sum(axis=0) for level in levels])
