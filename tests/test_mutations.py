"""Scenarios with one place changed to what nobody means: refused in a line, or simulated."""

from __future__ import annotations

import copy
import math
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from simlib.errors import SimlibError
from simlib.outcomes import plan
from simlib.outcomes.incident_counts import plan_published
from simlib.scenario import from_dict, load, resolve
from simlib.scenario.canonical import explicit
from simlib.simulation import assemble, simulate

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent / "good_scenarios"
WHOLE = (
    "incidents_of_every_kind", "parameters_of_every_kind", "published_series",
    "timeline_and_options", "exam_of_birth_and_death",
)  # fmt: skip
"""Scenarios that extend no other."""
STRANGE: tuple[Any, ...] = (
    *(-1, 0, 0.5, 3, 1e300, -1e300, 5e-324, 10**50, math.nan, math.inf, True, None),
    *("", "$\\frac{$", "x" * 300, "\u202e", "1900-01-01", "2200-12-31", "9999-12-31", "0001-01-01"),
    *("max((0 - 2) ** 0.5, 1)", "10 ** 400", "1e400", "log(0)", "1 / 0", "-100 years"),
    *([], {}, ["North"], ["North", "South", "East"], {"value": 1}, [[[1]]]),
)
EACH = 120


def places(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Iterate over the paths of everything below the top."""
    if path:
        yield path
    if isinstance(tree, dict):
        for key, item in tree.items():
            yield from places(item, (*path, key))
    elif isinstance(tree, list):
        for i, item in enumerate(tree):
            yield from places(item, (*path, i))


def changed(tree: Any, path: tuple[Any, ...], value: Any) -> Any:
    """Return a tree with another value at a path."""
    result = copy.deepcopy(tree)
    inner = result
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return result


def live(mapping: Any) -> None:
    """Read a scenario and simulate each of its options once, without agents."""
    scenario = from_dict(mapping)
    resolve(scenario)
    for option in (None, *scenario.options):
        blueprint = assemble(scenario, option, without=tuple(scenario.agents))
        channels = blueprint.channels.channels
        run = simulate(blueprint, 0)
        outcomes = plan(scenario, channels)
        outcomes.evaluate(run)
        outcomes.monthly_cells(run)
        plan_published(scenario, channels).monthly(run)


@pytest.mark.parametrize("name", WHOLE)
def test_what_nobody_means_is_one_of_our_errors(name: str) -> None:
    """No other exception leaves, whatever stands in whichever place."""
    tree = explicit(load(HERE / f"{name}.yaml"))
    live(tree)
    every = sorted(places(tree), key=repr)
    lot = random.Random(name)  # noqa: S311  (no secret)
    refused = []
    for _ in range(EACH):
        path, value = lot.choice(every), lot.choice(STRANGE)
        try:
            live(changed(tree, path, value))
        except SimlibError as error:
            refused.append(str(error))
    assert 0 < len(refused) < EACH
    assert all(line.isprintable() for text in refused for line in text.splitlines())
