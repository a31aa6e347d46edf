"""The 10,000-particle birth-death exam, for simlib and for GillesPy2's C++ solver.

Birth X -> 2X at 0.1 X and death X -> 0 at 0.11 X per day, X = 10,000 at the start, over
50 days: the law of case 001-01 of the SBML Discrete Stochastic Model Test Suite (Evans,
Gillespie and Wilkinson 2008, doi:10.1093/bioinformatics/btm566), a hundred times larger.
"""

from __future__ import annotations

import math
from typing import Any

PARTICLES = 10_000
BIRTH, DEATH = 0.1, 0.11
"""Per particle and day."""
DAYS = 50


def expected_reactions() -> float:
    """Return the expected number of reactions: (L + M) times the integral of E X(t)."""
    drift = BIRTH - DEATH
    return (BIRTH + DEATH) * PARTICLES * math.expm1(drift * DAYS) / drift


def scenario() -> dict[str, Any]:
    """Return the exam in the public vocabulary: one state variable, two incident types."""

    def reaction(rate: float, change: int) -> dict[str, Any]:
        group = {
            "target": "X",
            "per": "day",
            "level": {"Vessel": rate},
            "factors": {"particles": {"falling": "X", "order": 1}},
            "effects": [{"change": "X", "by": change}],
        }
        return {"groups": {"X": group}}

    return {
        "simlib": 1,
        "name": "birth_death",
        "context_of_use": "Measuring the engine against a known law.",
        "start": "2000-01-01",
        "end": "2000-02-19",
        "history_days": 0,
        "places": {"Vessel": {"kind": "governorate"}},
        "state": {"X": {"over": "governorate", "unit": "particles", "start": PARTICLES}},
        "incidents": {"birth": reaction(BIRTH, 1), "death": reaction(DEATH, -1)},
    }


def gillespy2_model() -> Any:
    """Return the exam as a GillesPy2 model; raises ImportError where it is missing."""
    import gillespy2

    model = gillespy2.Model(name="birth_death")
    particles = gillespy2.Species(name="X", initial_value=PARTICLES)
    birth = gillespy2.Parameter(name="birth", expression=BIRTH)
    death = gillespy2.Parameter(name="death", expression=DEATH)
    model.add_species(particles)
    model.add_parameter([birth, death])
    model.add_reaction(
        [
            gillespy2.Reaction(name="r1", reactants={"X": 1}, products={"X": 2}, rate=birth),
            gillespy2.Reaction(name="r2", reactants={"X": 1}, products={}, rate=death),
        ]
    )
    model.timespan(gillespy2.TimeSpan.linspace(t=DAYS, num_points=2))
    return model
