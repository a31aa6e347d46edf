"""Which drawn parameters an outcome goes with: boxes, a tree, and how stable they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simlib.analysis.discovery import prim
from simlib.analysis.discovery.conditions import cases, read_condition
from simlib.analysis.discovery.discovered import Discovery, DrawnCases, LimitStability
from simlib.analysis.discovery.trees import grow
from simlib.errors import Problem, ScenarioError
from simlib.scenario import load_text, option_scenario
from simlib.scenario.requests import more_needed, whole
from simlib.statistics.resampling import is_stratified_half, redrawn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simlib.analysis.discovery.conditions import Cases, Condition
    from simlib.analysis.discovery.prim import Limit, Rows
    from simlib.ensemble import Ensemble

MOST_BOXES, MOST_RESAMPLES = 100, 10_000
LEAST_CASES = 20
"""Replications that must meet the condition, and that must not."""


def discover(
    ensemble: Ensemble,
    condition: str,
    *,
    parameters: Sequence[str] | None = None,
    max_boxes: int = 3,
    resamples: int = 100,
    how: prim.Peeling = prim.USUAL,
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
    drawn = _drawn(ensemble, read, found, parameters)
    peeled = prim.cover(*drawn.training, max_boxes=max_boxes, how=how)
    boxes, rest = [], drawn
    for i, each in enumerate(peeled):
        stability = _stability(rest.training, (ensemble.root_seed, resamples, i), how)
        boxes.append(rest.found(each.box, stability, of=drawn))
        rest = rest.outside(each.box)
    return Discovery(
        condition=found.reading,
        n_unsettled=found.n_unsettled,
        drawn=drawn,
        n_peeled=min(how.most_columns, len(drawn.names)),
        trajectory=peeled[0].trajectory,
        boxes=tuple(boxes),
        n_resamples=resamples,
        tree=grow(drawn.training, drawn.held_out),
    )


def _refuse_few(condition: str, found: Cases) -> None:
    n, n_cases = len(found.is_case), int(found.is_case.sum())
    if min(n_cases, n - n_cases) < LEAST_CASES:
        rule = (
            f"met in {n_cases} of {n} replications; at least {LEAST_CASES} must meet it, "
            f"and {LEAST_CASES} must not"
        )
        more = more_needed(LEAST_CASES, min(n_cases, n - n_cases), n)
        hint = f"take another number, or {more}"
        raise ScenarioError([Problem(f"condition {condition!r}", rule, hint)])


def _drawn(
    ensemble: Ensemble, condition: Condition, found: Cases, wanted: Sequence[str] | None
) -> DrawnCases:
    """The drawn parameters of the option; of an effect, of what it is against."""
    option = condition.options[-1]
    units = _units(ensemble, option, wanted)
    frame = ensemble.of(option).parameters.loc[found.replications, sorted(units)]
    varies = (frame != frame.iloc[0]).any()
    names = tuple(str(name) for name in frame.columns[varies])
    if not names:
        raise ScenarioError([Problem("parameters", "none is drawn from a distribution")])
    values = frame.loc[:, list(names)].to_numpy(dtype=np.float64)
    is_training = is_stratified_half(
        ensemble.root_seed, found.replications, found.is_case, "discovery"
    )
    training, held_out = (
        (values[rows], found.is_case[rows]) for rows in (is_training, ~is_training)
    )
    return DrawnCases(names, tuple(units[name] for name in names), training, held_out)


def _units(ensemble: Ensemble, option: str, wanted: Sequence[str] | None) -> dict[str, str]:
    """The units of all drawn values, or of those wanted by name or as parts of one."""
    scenario = load_text(ensemble.manifest["scenario"])
    changed = option_scenario(scenario, option) if option else scenario
    drawn = {
        name: (parameter.value_names(name), parameter.unit)
        for name, parameter in changed.parameters.items()
        if parameter.distribution is not None
    }
    units = {value: unit for values, unit in drawn.values() for value in values}
    if wanted is None:
        return units
    problems = [
        Problem("parameters", f"not drawn from a distribution (got {name!r})")
        for name in wanted
        if name not in units and name not in drawn
    ]
    if problems:
        raise ScenarioError(problems)
    parts = {value for name in wanted if name in drawn for value in drawn[name][0]}
    return {value: unit for value, unit in units.items() if value in parts or value in wanted}


def _stability(
    rows: Rows, resampling: tuple[int, int, int], how: prim.Peeling
) -> dict[Limit, LimitStability]:
    """How often each limit is set, and where, when peeling sees rows redrawn."""
    inputs, is_case = rows
    root_seed, n_resamples, number = resampling
    seen: dict[Limit, list[float]] = {}
    for resample in range(n_resamples):
        drawn = redrawn(root_seed, resample, len(inputs), f"discovery|{number}")
        box = prim.find(inputs[drawn], is_case[drawn], how).box
        for limit in box.limits:
            seen.setdefault(limit, []).append(box.value(limit))
    found = {}
    for limit, values in sorted(seen.items()):
        low, high = np.quantile(values, (0.1, 0.9))
        found[limit] = LimitStability(len(values) / n_resamples, float(low), float(high))
    return found
