"""What a lever sets itself: what it moves beyond that is what counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simlib.scenario.expressions import names
from simlib.scenario.variants import option_lineage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simlib.scenario.schema import Quantity, Scenario

BASE = "as_agreed"


def set_by(base: Scenario, scenario: Scenario, option: str) -> set[str]:
    """Return the state variables, postures and milestones that a lever itself sets."""
    lineage = option_lineage(scenario, option)
    parameters = dict(scenario.parameters)
    milestones = {n for n, entry in scenario.timeline.items() if base.timeline.get(n) != entry}
    events = dict(scenario.events)
    for each in lineage:
        parameters |= each.parameters
        milestones |= set(each.timeline)
        events |= each.events
    changed = {n for n, entry in parameters.items() if base.parameters.get(n) != entry}
    found = milestones | {n for n in scenario.state if _starts_by(scenario, n) & changed}
    for event in events.values():
        found |= {*event.set, *event.times, *event.add, *event.enter, *event.move}
    if any(name.endswith(("_exit", "_end")) for name in milestones):
        found |= {"coalition.troops"}
    return found


def _starts_by(scenario: Scenario, variable: str) -> set[str]:
    """Return the parameters that a variable starts by, also over other parameters."""
    start = scenario.state[variable].start
    givers = scenario.value_names()
    found: set[str] = set()
    waiting = [n for q in (start.values() if isinstance(start, dict) else [start]) for n in _of(q)]
    while waiting:
        parameter = givers[waiting.pop()]
        if parameter not in found:
            found.add(parameter)
            waiting += _of(scenario.parameters[parameter].expression or 0.0)
    return found


def _of(quantity: Quantity) -> Iterator[str]:
    return iter(names(quantity) if isinstance(quantity, str) else ())


def outcomes_beyond(base: Scenario, scenario: Scenario, option: str) -> list[str]:
    """Return the outcomes that do not read what the lever itself sets."""
    own = set_by(base, scenario, option)
    return [
        name
        for name, outcome in base.outcomes.items()
        if not {outcome.state, outcome.posture, outcome.milestone} & own
    ]
