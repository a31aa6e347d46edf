"""What a later release makes of a preliminary one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simlib.evidence.history.mapping import load_mapping
from simlib.evidence.history.refusals import HistoryError, LeakError
from simlib.scenario.wording import near_or_all, shown

if TYPE_CHECKING:
    import datetime as dt

    from simlib.evidence.history.mapping import EventMapping


def vintage_factor(country: str, *, as_of: dt.date, mapping: EventMapping | None = None) -> float:
    """Return final events over preliminary ones; nothing applies it by itself.

    Parameters
    ----------
    country
        One that the mapping has a factor of.
    as_of
        The date of the forecast that would use it.
    mapping
        Holds the factors, each with its note; the one that comes with simlib when not given.

    Raises
    ------
    HistoryError
        The country has none.
    LeakError
        The factor could not be known by then: both are of 2024, whose final release came out
        in 2025.
    """
    factors = load_mapping(mapping).vintage_factors
    if country not in factors:
        hint = near_or_all(country, factors)
        raise HistoryError(f"country: has no vintage factor (got {shown(country)}); {hint}")
    found = factors[country]
    if found.published > as_of:
        raise LeakError(
            f"vintage_factors.{country}: was published {found.published}, later than {as_of}"
        )
    return found.factor
