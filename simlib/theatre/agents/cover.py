"""Where Coalition cover and training rest on which bases."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

KURDISTAN = ("Dohuk", "Erbil", "Sulaymaniyah")
SEAM = ("Diyala", "Kirkuk", "Nineveh", "Salah al-Din")
"""Governorates that the line between Peshmerga and federal forces runs through."""
NORTH = frozenset((*KURDISTAN, "Kirkuk", "Nineveh"))
SYRIAN = frozenset(
    (
        "Aleppo", "Damascus", "Daraa", "Deir ez-Zor", "Hama", "Hasakah", "Homs", "Idlib",
        "Latakia", "Quneitra", "Raqqa", "Rif Dimashq", "Suwayda", "Tartus",
    )
)  # fmt: skip


def covers(
    places: tuple[str, ...], shares: tuple[float, float, float], remainder: float
) -> NDArray[np.float64]:
    """Cover over its start by governorate: a remainder, and the rest with people on bases.

    People over their start, 0-1, are those in the federal governorates of the south and west, in
    the north of Iraq, and in Syria; the remainder, 0-1, is provided from outside the country.

    Examples
    --------
    >>> covers(("Anbar", "Kirkuk", "Homs"), (0.0, 0.5, 1.0), 0.4).tolist()
    [0.4, 0.7, 1.0]
    """
    return np.asarray(remainder + (1.0 - remainder) * np.array(shares)[_rest_on(places)])


@functools.lru_cache
def _rest_on(places: tuple[str, ...]) -> NDArray[np.int64]:
    """Which of the three shares the cover of each place rests on."""
    shares = ("federal", "north", "syria")
    rest_on = ["syria" if p in SYRIAN else "north" if p in NORTH else "federal" for p in places]
    return np.array([shares.index(each) for each in rest_on])


def trains(places: tuple[str, ...], federal: float, harir: float) -> NDArray[np.float64]:
    """Training over its start by Iraqi governorate, by the base that it comes from.

    Examples
    --------
    >>> trains(("Anbar", "Erbil", "Homs"), 0.5, 0.9).tolist()
    [0.5, 0.9, 0.0]
    """
    given = [0.0 if p in SYRIAN else harir if p in KURDISTAN else federal for p in places]
    return np.array(given)
