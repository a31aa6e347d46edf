"""Which drawn parameters an outcome goes with: boxes, a tree, and how stable they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simlib.analysis.discovery import prim
from simlib.analysis.discovery.boxes import Box, Fit, Limit, fit
from simlib.analysis.discovery.conditions import cases, read_condition
from simlib.analysis.discovery.discovered import Discovery, FoundBox, Named, Spread, found_limits
from simlib.analysis.discovery.trees import grow
from simlib.errors import Problem, ScenarioError
from simlib.scenario import load_text, option_scenario
from simlib.scenario.parameter_order import values_of
from simlib.scenario.requests import whole
from simlib.statistics.resampling import is_first_half, redrawn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from simlib.analysis.discovery.conditions import Cases, Condition
    from simlib.analysis.discovery.discovered import Rows
    from simlib.ensemble import Ensemble

MOST_BOXES, MOST_RESAMPLES = 100, 10_000
LEAST_CASES = 20
"""Replications that must meet the condition, and that must not."""


@dataclass(frozen=True, slots=True)
class _Inputs:
    """What was drawn in each replication."""

    named: Named
    values: NDArray[np.float64]


def discover(
    ensemble: Ensemble,
    condition: str,
    *,
    parameters: Sequence[str] | None = None,
    max_boxes: int = 3,
    resamples: int = 100,
    how: prim.Peeling | None = None,
) -> Discovery:
    """Find boxes of drawn parameters in which a condition on an outcome is often met.

    Peeling and the tree see one half of the replications, drawn by lot; coverage and
    density are reported on the other half as well, which no choice has seen.

    Parameters
    ----------
    ensemble
        Results of one option or several.
    condition
        ``raids_north > 60``, ``handover_class = slipped``, ``raids_north in worst 20 %``, or
        on the effect of one option against another ``raids_north : later - as_agreed > 5``.
    parameters
        Names of drawn parameters to look at (a Dirichlet's name stands for its parts); all
        that are drawn from a distribution when not given.
    max_boxes
        How many boxes at most, 1 to `MOST_BOXES`.
    resamples
        How often peeling is repeated on rows redrawn with replacement, 0 to
        `MOST_RESAMPLES`.
    how
        How patient and how far peeling goes, and what passes for chance.

    Raises
    ------
    ScenarioError
        The condition cannot be read or is met too seldom or too often, a parameter is not
        drawn, or a number is out of range.
    """
    max_boxes = whole("max_boxes", max_boxes, 1, MOST_BOXES)
    resamples = whole("resamples", resamples, 0, MOST_RESAMPLES)
    read = read_condition(condition, ensemble)
    found = cases(read, ensemble)
    _refuse_few(condition, found)
    inputs = _drawn(ensemble, read, found, parameters)
    is_training = _training(ensemble.root_seed, found)
    training = inputs.values[is_training], found.is_case[is_training]
    held_out = inputs.values[~is_training], found.is_case[~is_training]
    how = how or prim.Peeling()
    boxes: list[FoundBox] = []
    rest, others = training, held_out
    found_boxes = prim.cover(*training, max_boxes=max_boxes, how=how)
    for each in found_boxes:
        spreads = _spreads(rest, (ensemble.root_seed, resamples, len(boxes)), how)
        rows = (rest, others, training, held_out)
        boxes.append(_found(each.box, rows, inputs, spreads))
        rest, others = (_outside(each.box, part) for part in (rest, others))
    return Discovery(
        condition=found.reading,
        n_unsettled=found.n_unsettled,
        parameters=inputs.named.names,
        units=inputs.named.units,
        n_peeled=min(how.most_columns, len(inputs.named.names)),
        training=training,
        held_out=held_out,
        trajectory=found_boxes[0].trajectory,
        boxes=tuple(boxes),
        n_resamples=resamples,
        tree=grow(training, held_out),
    )


def _refuse_few(condition: str, found: Cases) -> None:
    n, n_cases = len(found.is_case), int(found.is_case.sum())
    if min(n_cases, n - n_cases) < LEAST_CASES:
        rule = (
            f"met in {n_cases} of {n} replications; at least {LEAST_CASES} must meet it, "
            f"and {LEAST_CASES} must not"
        )
        hint = "take another number, or more replications"
        raise ScenarioError([Problem(f"condition {condition!r}", rule, hint)])


def _training(root_seed: int, found: Cases) -> NDArray[np.bool_]:
    """Return a half by lot that has half of the cases and half of the others."""
    is_training = np.zeros(len(found.is_case), dtype=np.bool_)
    for rows in (np.flatnonzero(found.is_case), np.flatnonzero(~found.is_case)):
        is_training[rows] = is_first_half(root_seed, found.replications[rows], "discovery")
    return is_training


def _drawn(
    ensemble: Ensemble, condition: Condition, found: Cases, wanted: Sequence[str] | None
) -> _Inputs:
    """Return the drawn parameters of the option; of an effect, of what it is against."""
    option = condition.options[-1]
    scenario = load_text(ensemble.manifest["scenario"])
    changed = option_scenario(scenario, option) if option else scenario
    units = {
        value: (name, parameter.unit)
        for name, parameter in changed.parameters.items()
        if parameter.distribution is not None
        for value in values_of(name, parameter)
    }
    if wanted is not None:
        _refuse_undrawn(wanted, units)
        units = {v: each for v, each in units.items() if v in wanted or each[0] in wanted}
    frame = ensemble.of(option).parameters.loc[found.replications, sorted(units)]
    varies = (frame != frame.iloc[0]).any()
    names = tuple(str(name) for name in frame.columns[varies])
    if not names:
        raise ScenarioError([Problem("parameters", "none is drawn from a distribution")])
    values = frame.loc[:, list(names)].to_numpy(dtype=np.float64)
    return _Inputs(Named(names, tuple(units[name][1] for name in names)), values)


def _refuse_undrawn(wanted: Sequence[str], units: dict[str, tuple[str, str]]) -> None:
    known = {*units, *(name for name, _ in units.values())}
    problems = [
        Problem("parameters", f"not drawn from a distribution (got {name!r})")
        for name in wanted
        if name not in known
    ]
    if problems:
        raise ScenarioError(problems)


def _outside(box: Box, rows: Rows) -> Rows:
    outside = ~box.holds(rows[0])
    return rows[0][outside], rows[1][outside]


def _spreads(
    rows: Rows, resampling: tuple[int, int, int], how: prim.Peeling
) -> dict[Limit, Spread]:
    """Return how often each limit is set, and where, when peeling sees rows redrawn."""
    inputs, is_case = rows
    root_seed, n_resamples, number = resampling
    seen: dict[Limit, list[float]] = {}
    for resample in range(n_resamples):
        drawn = redrawn(root_seed, resample, len(inputs), f"discovery|{number}")
        box = prim.find(inputs[drawn], is_case[drawn], how).box
        for limit in box.limits:
            seen.setdefault(limit, []).append(box.value(limit))
    spreads = {}
    for limit, values in sorted(seen.items()):
        low, high = np.quantile(values, (0.1, 0.9))
        spreads[limit] = Spread(len(values) / n_resamples, float(low), float(high))
    return spreads


def _found(
    box: Box,
    rows: tuple[Rows, Rows, Rows, Rows],
    inputs: _Inputs,
    spreads: dict[Limit, Spread],
) -> FoundBox:
    rest, others, training, held_out = rows
    return FoundBox(
        box=box,
        limits=found_limits(box, inputs.named, (rest, others), spreads),
        training=_within(box, rest, training),
        held_out=_within(box, others, held_out),
        spreads=spreads,
    )


def _within(box: Box, rest: Rows, whole: Rows) -> Fit:
    """Return how a box fits the rest of some rows: coverage and mass are shares of all."""
    fitted, n_cases = fit(box, *rest), int(whole[1].sum())
    return Fit(
        coverage=fitted.n_cases / n_cases,
        density=fitted.density,
        mass=fitted.n_inside / len(whole[1]),
        n_inside=fitted.n_inside,
        n_cases=fitted.n_cases,
        n_restricted=fitted.n_restricted,
    )
