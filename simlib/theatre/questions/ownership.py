"""Whose an incident, and whose an outcome is: what is left when a party's own are set aside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simlib.agents.registry import agent_class, is_named_by
from simlib.scenario.schema import several

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simlib.scenario.schema import Outcome, Scenario, SeriesRow

ACTORS = {
    "isis_attack": "isis",
    "counter_isis_operation.isf": "isf",
    "counter_isis_operation.sdf": "sdf",
    "counter_isis_operation.government": "hts",
    "coalition_strike": "coalition",
    "isis_infiltration": "isis",
    "detention_break": "isis",
    "turkish_strike": "turkiye",
    "pkk_attack": "pkk",
    "turkiye_sdf_clash": "turkiye",
    "hts_sdf_clash": "hts",
    "israeli_strike": "israel",
    "israeli_overflight": "israel",
    "militia_attack": "militias",
}
"""Whose incidents they are, by type or by type and group."""
STEMS = {"border": "isf", "iraq": "parliament", "militia": "militias"}
"""Whose state variables are that do not begin with their party's name."""
OF_MILESTONES = frozenset({"committee", "coalition"})
"""Who decides on milestones, and who executes them."""


def actor_of(type_: str, group: str) -> str:
    """Whose incidents those of a group are."""
    return ACTORS.get(f"{type_}.{group}") or ACTORS[type_]


def owners_of(scenario: Scenario, name: str) -> frozenset[str]:
    """Whose an outcome is: of whom it counts incidents, or tells state, posture or decisions."""
    outcome = scenario.outcomes[name]
    if outcome.state is not None:
        stem = outcome.state.partition(".")[0]
        return frozenset({STEMS.get(stem, stem)})
    if outcome.posture is not None:
        return frozenset({scenario.postures[outcome.posture].owner})
    if outcome.milestone is not None:
        return OF_MILESTONES
    if outcome.decision is not None:
        decision = outcome.decision
        return frozenset(a for a in scenario.agents if is_named_by(agent_class(a), decision))
    return frozenset(_actors_counted(scenario, outcome))


def _actors_counted(scenario: Scenario, outcome: Outcome) -> Iterator[str]:
    rows: tuple[Outcome | SeriesRow, ...] = (outcome,)
    if outcome.series is not None:
        rows = scenario.series[outcome.series].rows
    for row in rows:
        types = several(getattr(row, "incident", None) or outcome.count or outcome.of)
        for type_ in types:
            for group, entry in scenario.incidents[type_].groups.items():
                is_there = any(_lies_in(scenario, place, row) for place in entry.level)
                if is_there and row.target in (None, entry.target):
                    yield actor_of(type_, group)


def _lies_in(scenario: Scenario, place: str, row: Outcome | SeriesRow) -> bool:
    wanted = several(row.place)
    return not wanted or bool(scenario.regions_of(place) & {*wanted})
