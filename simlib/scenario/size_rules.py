"""How much would happen: excitation that dies out, incidents that can be counted."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from simlib.scenario.incident_rules import meant
from simlib.scenario.schema import LEAST_RATIO, MOST_RATIO, Falling, Power, Table, Value

if TYPE_CHECKING:
    from simlib.scenario.context import Context
    from simlib.scenario.schema import Factor, IncidentGroup, Quantity

MOST_INCIDENTS = 1_000_000
"""Cap on the incidents expected in one replication, levels as at the start."""
MOST_TYPES = 300
"""Cap on the types of incidents."""
MOST_FACTORS = 100_000
"""Cap on the factors of all channels."""
_DAYS = {"day": 1.0, "month": 365.25 / 12}


def check(context: Context) -> None:
    """Note excitation that would not die out, and more incidents than the cap."""
    n_types = len(context.scenario.incidents)
    if n_types > MOST_TYPES:
        rule = f"must have at most {MOST_TYPES} incident types (got {n_types})"
        context.add(("incidents",), rule)
        return
    n_factors = sum(
        len(group.level) * len(group.factors)
        for incident in context.scenario.incidents.values()
        for group in incident.groups.values()
    )
    if n_factors > MOST_FACTORS:
        rule = f"must have at most {MOST_FACTORS} factors, counted at every place"
        context.add(("incidents",), f"{rule} (got {n_factors})")
        return
    points: tuple[tuple[str, Callable[[Quantity], float | None]], ...] = (
        ("means", context.value),
        ("95 % points", context.high_value),
    )
    for where, value in points:
        radius = spectral_radius(_ratios(context, value))
        if radius >= 1:
            rule = f"excitation must die out at the parameters' {where}"
            got = f"spectral radius {radius:.3g}, must be < 1"
            context.add(("incidents",), f"{rule} (got {got})")
            return
    expected = _expected(context)
    if expected > MOST_INCIDENTS:
        rule = f"must expect at most {MOST_INCIDENTS} incidents in a replication"
        context.add(("incidents",), f"{rule} (got {expected:.3g})")


def _ratios(
    context: Context, value: Callable[[Quantity], float | None]
) -> dict[str, dict[str, float]]:
    """Return the expected direct children by type of parent and of child.

    A place's own and its neighbors' shares sum to 1, so the types alone decide.
    """
    ratios: dict[str, dict[str, float]] = {name: {} for name in context.scenario.incidents}
    for name, incident in context.scenario.incidents.items():
        for excitation in incident.excites:
            ratio = max(value(excitation.ratio) or 0.0, 0.0)
            row = ratios[name]
            row[excitation.type] = row.get(excitation.type, 0.0) + ratio
    return ratios


def spectral_radius(ratios: dict[str, dict[str, float]]) -> float:
    """Return the largest modulus of the eigenvalues of a matrix, given row by row."""
    names = {name: i for i, name in enumerate(ratios)}
    matrix = np.zeros((len(names), len(names)))
    for name, row in ratios.items():
        for child, ratio in row.items():
            matrix[names[name], names[child]] = ratio
    return float(np.abs(np.linalg.eigvals(matrix)).max(initial=0.0))


def _expected(context: Context) -> float:
    scenario = context.scenario
    days = (scenario.end - scenario.start).days + 1.0
    return sum(
        (context.value(level) or 0.0) * days / _DAYS[group.per] * _multiplier(context, group, place)
        for incident in scenario.incidents.values()
        for group in incident.groups.values()
        for place, level in group.level.items()
    )


def _multiplier(context: Context, group: IncidentGroup, place: str) -> float:
    """Return the product of a group's factors at the start."""
    product = 1.0
    for factor in group.factors.values():
        product *= max(_factor(context, factor, place), 0.0)
    return product


def _factor(context: Context, factor: Factor, place: str) -> float:
    if isinstance(factor, Falling):
        x = _start(context, factor.falling, factor.at, place)
        return math.prod(max(x - i, 0.0) for i in range(factor.order))
    if isinstance(factor, Value):
        return _start(context, factor.value, factor.at, place)
    if isinstance(factor, Table):
        return _table(context, factor)
    if isinstance(factor, Power) and factor.reference != "start":
        reference = context.value(factor.reference) or math.nan
        ratio = _start(context, factor.power, factor.at, place) / reference
        elasticity = context.value(factor.elasticity) or 0.0
        with np.errstate(over="ignore"):
            return float(np.clip(ratio, LEAST_RATIO, MOST_RATIO) ** elasticity)
    return 1.0


def _table(context: Context, factor: Table) -> float:
    """Return a posture's multiplier at the start, or the mean over months."""
    posture = context.scenario.postures.get(factor.table)
    chosen = [factor.values[posture.start]] if posture else list(factor.values.values())
    values = [context.value(quantity) or 0.0 for quantity in chosen]
    return sum(values) / len(values)


def _start(context: Context, variable: str, at: str, place: str) -> float:
    declared = context.scenario.state.get(variable)
    if declared is None:
        return 1.0
    start = declared.start
    if not isinstance(start, dict):
        return context.value(start) or 0.0
    here = meant(context, place, context.scenario.places[place], at)
    return sum(context.value(start.get(name or "", 0.0)) or 0.0 for name in here)
