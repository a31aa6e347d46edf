"""What a map shows: a number for each place where there can be one, with its unit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from simlib.errors import Problem, ScenarioError
from simlib.scenario.spelling import heading, words
from simlib.statistics.intervals import standard_error, student, tango

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from simlib.ensemble import Ensemble

    Floats = NDArray[np.float64]

Show: TypeAlias = Literal["month", "total"] | int
"""Incidents per month, all in the window, or the probability of so many or more in it."""
Window: TypeAlias = tuple[str, str]
"""First and last month of a window, ``2025-01`` and ``2025-12``."""
REPLAYED = 40
"""Replications that are replayed for a map of a state variable."""
_MONTH = re.compile(r"[0-9]{4}-[0-9]{2}(-[0-9]{2})?")


@dataclass(frozen=True, slots=True)
class MapValues:
    """One number for each place; places that are left out have none."""

    values: dict[str, float]
    unit: str
    title: str
    note: str
    is_change: bool = False
    clear: frozenset[str] = frozenset()
    """Of a change: places where its 95 % interval leaves out 0."""


def incident_types(ensemble: Ensemble) -> list[str]:
    """The types of incidents that may happen at a place of the map."""
    where, types = ensemble.manifest["map"]["where"], ensemble.manifest["types"]
    return [name for name in types if where.get(name)]


def in_windows(
    ensemble: Ensemble,
    what: str,
    windows: Sequence[Window],
    show: Show = "month",
    against: Ensemble | None = None,
) -> list[MapValues]:
    """What a map of a type of incidents, or of a state variable, shows in each window.

    Raises
    ------
    ScenarioError
        Several options are looked at at once, or a window holds no month.
    StoreError
        There is nothing of that name.
    """
    for each in (ensemble, against):
        if each is not None and len(each.options) > 1:
            names = ", ".join(each.options)
            rule = f"a map is of one option: ensemble.of(OPTION), of {names}"
            raise ScenarioError([Problem("ensemble", rule)])
    if what in ensemble.manifest["types"]:
        return _of_incidents(ensemble, what, windows, show, against)
    return [_of_state(ensemble, what, window[1], against) for window in windows]


def mapped_states(ensemble: Ensemble) -> dict[str, str]:
    """The state variables that the scenario has drawn on maps, with what they are called."""
    found: dict[str, str] = ensemble.manifest.get("map", {}).get("states", {})
    return found


def whole(ensemble: Ensemble) -> Window:
    """All months of the results."""
    months = ensemble.manifest["months"]
    return months[0][:7], months[-1][:7]


def _months(ensemble: Ensemble, window: Window) -> slice:
    """The months of a window."""
    months = [month[:7] for month in ensemble.manifest["months"]]
    if not all(_MONTH.fullmatch(end) for end in window):
        rule = f"must be months, 2025-01 and 2025-12 (got {' and '.join(window)})"
        raise ScenarioError([Problem("during", rule)])
    within = [i for i, month in enumerate(months) if window[0][:7] <= month <= window[1][:7]]
    if not within:
        rule = f"must hold a month of {months[0]} to {months[-1]} (got {' to '.join(window)})"
        raise ScenarioError([Problem("during", rule)])
    return slice(within[0], within[-1] + 1)


def _of_incidents(
    ensemble: Ensemble,
    what: str,
    windows: Sequence[Window],
    show: Show,
    against: Ensemble | None,
) -> list[MapValues]:
    months = [_months(ensemble, window) for window in windows]
    type_ = ensemble.manifest["types"].index(what)
    counts = ensemble.place_counts(*months)[..., type_]
    before = None
    if against is not None:
        # Replications that failed under one option have no other half.
        _, here, there = np.intersect1d(
            ensemble.replications, against.replications, return_indices=True
        )
        counts, before = counts[:, here], against.place_counts(*months)[..., type_][:, there]
    return [
        _counted(ensemble, what, _as_shown(counts[i], span, show), show, span)
        if before is None or against is None
        else _changed(
            ensemble,
            what,
            (_as_shown(before[i], span, show), _as_shown(counts[i], span, show)),
            show,
            span,
            against,
        )
        for i, span in enumerate(months)
    ]


def _as_shown(counts: NDArray[np.int32], months: slice, show: Show) -> Floats:
    """The number that each replication has at each place, shape (n_replications, n_places)."""
    if isinstance(show, int):
        return np.where(counts >= show, 100.0, 0.0)
    n_months = months.stop - months.start if show == "month" else 1
    return np.asarray(counts / n_months, dtype=np.float64)


def _unit(show: Show) -> str:
    if isinstance(show, int):
        return f"probability of {show} or more (%)"
    return "incidents per month" if show == "month" else "incidents in all"


def _span(ensemble: Ensemble, months: slice) -> str:
    all_of = ensemble.manifest["months"]
    first, last = all_of[months][0][:7], all_of[months][-1][:7]
    return first if first == last else f"{first} to {last}"


def _by_place(ensemble: Ensemble, what: str, values: Floats) -> dict[str, float]:
    """Numbers of the places where incidents of a type may happen."""
    places, where = list(ensemble.manifest["places"]), ensemble.manifest["map"]["where"][what]
    numbers = zip(places, values.tolist(), strict=True)
    return {place: value for place, value in numbers if place in where or value}


def _counted(
    ensemble: Ensemble, what: str, numbers: Floats, show: Show, months: slice
) -> MapValues:
    note = f"{_span(ensemble, months)}; mean of {len(numbers):,} replications"
    if isinstance(show, int):
        note = f"{_span(ensemble, months)}; share of {len(numbers):,} replications"
    mean = numbers.mean(axis=0) if len(numbers) else np.zeros(numbers.shape[1])
    title = f"{heading(what)}, by place"
    return MapValues(_by_place(ensemble, what, mean), _unit(show), title, note)


def _changed(
    ensemble: Ensemble,
    what: str,
    pairs: tuple[Floats, Floats],
    show: Show,
    months: slice,
    against: Ensemble,
) -> MapValues:
    change = pairs[1] - pairs[0]
    what_of = f" of {show} or more" if isinstance(show, int) else ""
    return MapValues(
        _by_place(ensemble, what, change.mean(axis=0)),
        f"change ({'percentage points' if isinstance(show, int) else _unit(show)})",
        f"{heading(what)}{what_of}: {_named(ensemble)} against {_named(against)}",
        f"{_span(ensemble, months)}; {len(change):,} pairs on the same luck",
        is_change=True,
        clear=_clear(ensemble.manifest["places"], change, show),
    )


def _named(ensemble: Ensemble) -> str:
    return words(ensemble.options[0] or "as written")


def _clear(places: Iterable[str], change: Floats, show: Show) -> frozenset[str]:
    columns = zip(places, change.T, strict=True)
    return frozenset(place for place, column in columns if _leaves_out_zero(column, show))


def _leaves_out_zero(change: Floats, show: Show) -> bool:
    n = len(change)
    if isinstance(show, int):
        low, high = tango(int((change > 0).sum()), int((change < 0).sum()), n)
        return low > 0.0 or high < 0.0
    if n < 2 or not change.any():
        return False
    return bool(abs(change.mean()) > student(n) * standard_error(change))


def _of_state(ensemble: Ensemble, what: str, on: str, against: Ensemble | None) -> MapValues:
    day = on if len(on) > len("2025-01") else f"{on}-28"
    here = ensemble.states(what, day, REPLAYED)
    title = mapped_states(ensemble).get(what) or heading(what)
    if against is None:
        of = f"the first {len(here.values)} of {len(ensemble.replications):,}"
        note = f"{here.date}; mean of {of} replications, replayed"
        return MapValues(_means(here.values), here.unit, title, note)
    # Replications that failed under one option have no other half.
    before = against.states(what, day, REPLAYED)
    change = here.values.sub(before.values).dropna()  # noqa: PD011  (of `States`)
    return MapValues(
        _means(change),
        f"change ({here.unit})",
        f"{title}: {_named(ensemble)} against {_named(against)}",
        f"{here.date}; {len(change):,} pairs on the same luck, replayed",
        is_change=True,
        clear=_clear(change.columns, change.to_numpy(), "total"),
    )


def _means(values: pd.DataFrame) -> dict[str, float]:
    return dict(zip(values.columns, values.to_numpy().mean(axis=0).tolist(), strict=True))
