"""One replication: assemble the world of a scenario, run it to its horizon."""

from simlib.simulation.assembling import CATALOGUE, Blueprint, agent_class, assemble
from simlib.simulation.factoring import Factoring, Part
from simlib.simulation.running import (
    EngineType,
    needs_compiling,
    simulate,
    simulate_played,
    simulate_recorded,
    warm_up,
)

__all__ = [
    "CATALOGUE",
    "Blueprint",
    "EngineType",
    "Factoring",
    "Part",
    "agent_class",
    "assemble",
    "needs_compiling",
    "simulate",
    "simulate_played",
    "simulate_recorded",
    "warm_up",
]
