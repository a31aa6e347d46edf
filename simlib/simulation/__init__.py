"""One replication: assemble the world of a scenario, run it to its horizon."""

from simlib.simulation.assembling import Blueprint, assemble, chosen_agents
from simlib.simulation.factoring import Factoring, IntensityPart
from simlib.simulation.simulating import (
    EngineType,
    needs_compiling,
    simulate,
    simulate_played,
    simulate_recorded,
    warm_up,
)

__all__ = [
    "Blueprint",
    "EngineType",
    "Factoring",
    "IntensityPart",
    "assemble",
    "chosen_agents",
    "needs_compiling",
    "simulate",
    "simulate_played",
    "simulate_recorded",
    "warm_up",
]
