"""Small worlds for the tests of engine and simulation, and ways to compare their runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from simlib.scenario import from_dict
from simlib.simulation import assemble, simulate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simlib.agents.base import Agent
    from simlib.journal import Decision, Run
    from simlib.scenario.schema import Scenario

PLACES: dict[str, dict[str, Any]] = {
    "East": {"country": "Syria"},
    "North": {"country": "Iraq"},
    "South": {"country": "Iraq"},
}
BORDER: dict[str, Any] = {
    "places": {
        "East": {"country": "Syria"},
        "North": {"country": "Iraq"},
        "South": {"country": "Iraq"},
        "Fort": {"kind": "base", "within": "North"},
        "Gap": {"kind": "segment", "ends": ["East", "North"]},
    },
    "neighbors": [["East", "North"], ["North", "South"]],
}
"""Three provinces in a row, a base in North, the border of East and North."""
COLUMNS = ("time", "channel", "parent", "opener", "address", "marks")


def world(**parts: Any) -> Scenario:
    """Return a scenario of ten days from 2000-01-01 (t = 0), with what is given in place."""
    mapping: dict[str, Any] = {
        "simlib": 1,
        "name": "test",
        "context_of_use": "Tests of the library.",
        "start": "2000-01-01",
        "end": "2000-01-10",
        "places": PLACES,
        "history_days": 0,
    }
    return from_dict({**mapping, **parts})


def recurring(level: dict[str, float], **more: Any) -> dict[str, Any]:
    """Return an incident type of one group, with expected incidents a day by place."""
    incident: dict[str, Any] = {key: more.pop(key) for key in ("excites", "notable") if key in more}
    incident["groups"] = {"all": {"target": "all", "per": "day", "level": level, **more}}
    return incident


def run_of(
    scenario: Scenario,
    *agents: type[Agent],
    replication: int = 0,
    option: str | None = None,
    **more: Any,
) -> Run:
    """Assemble a scenario and simulate one replication."""
    return simulate(assemble(scenario, option, agents=agents), replication, **more)


def differing_columns(one: Run, other: Run) -> list[str]:
    """Return the columns in which two journals of incidents differ, to the last bit."""
    return [
        name
        for name in COLUMNS
        if getattr(one.incidents, name).tobytes() != getattr(other.incidents, name).tobytes()
    ]


def decided(run: Run, before: float = np.inf) -> list[str]:
    """Return the decisions before a time, spelt out with every field (nan equals nan)."""
    return [repr(decision) for decision in run.decisions if decision.time < before]


def woken(run: Run, agent: str) -> list[tuple[float, str]]:
    """Return when and by what kind of cause an agent was woken, as it recorded it."""
    return [(d.time, d.cause_kind) for d in run.decisions if d.agent == agent]


def of(run: Run, agent: str) -> list[Decision]:
    """Return the decisions of one agent."""
    return [decision for decision in run.decisions if decision.agent == agent]


def times_of(run: Run, type_: str, place: str | None = None) -> NDArray[np.float64]:
    """Return when the incidents of a type happened, in days, at a place or anywhere."""
    channels = run.incidents.channels
    chosen = np.array(
        [
            kind == type_ and place in (None, where)
            for kind, where in zip(channels.types, channels.places, strict=True)
        ]
    )
    times: NDArray[np.float64] = run.incidents.time[chosen[run.incidents.channel]]
    return times


def state_at_end(run: Run, variable: str, place: str | None = None) -> float:
    """Return a state variable at the horizon."""
    return float(run.snapshots[-1, run.layout.index(variable, place)])
