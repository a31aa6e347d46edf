"""What one would write first: a SimPy process per channel and Python's own generator.

It knows no state, no effects and no decisions. Its intensities are the mean intensities
of a run of the full model, so that both make about as many incidents.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import numpy as np
import simpy

if TYPE_CHECKING:
    from collections.abc import Generator

    from simlib.journal import Run


def mean_intensities(run: Run) -> list[float]:
    """Return the incidents per day of every channel that had any."""
    counts = np.bincount(run.incidents.channel)
    return [float(count) / (run.horizon - run.start) for count in counts if count]


def channel(
    clock: simpy.Environment,
    number: int,
    intensity: float,
    rng: random.Random,
    journal: list[tuple[float, int]],
) -> Generator[simpy.Event, None, None]:
    """Let incidents happen at exponential gaps, forever."""
    while True:
        yield clock.timeout(rng.expovariate(intensity))
        journal.append((clock.now, number))


def simulate(intensities: list[float], days: float, seed: int) -> int:
    """Simulate all channels and return the number of incidents."""
    clock, rng = simpy.Environment(), random.Random(seed)
    journal: list[tuple[float, int]] = []
    for number, intensity in enumerate(intensities):
        clock.process(channel(clock, number, intensity, rng, journal))
    clock.run(until=days)
    return len(journal)
