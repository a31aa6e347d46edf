"""Measure counterfactuals: what recording and playing cost, and what pairing saves.

Run it with ``make bench``, or alone; whatever is compared is measured in turns. Options:
``--repeats N`` of each measurement (3), ``--replications N`` of the timed runs (20),
``--pairs N`` of the comparison (200).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np

import simlib
from bench import Row, ratios, seconds
from simlib.simulation import assemble, simulate, simulate_played, simulate_recorded

SCENARIO = "as_agreed"
OPTIONS = ("as_agreed", "extend_12m")


def acting(replications: int, repeats: int) -> Iterator[Row]:
    """Yield the same replications simulated, recorded, and played without agents."""
    blueprint = assemble(simlib.load(SCENARIO), OPTIONS[1])
    acts = [simulate_recorded(blueprint, each)[1] for each in range(replications)]
    walls: dict[str, list[float]] = {"simulated": [], "recorded": [], "played": []}

    def through(how: str) -> None:
        for each in range(replications):
            if how == "played":
                simulate_played(blueprint, each, acts[each])
            else:
                (simulate if how == "simulated" else simulate_recorded)(blueprint, each)

    for _ in range(repeats):
        for how, measured in walls.items():
            measured.append(seconds(through, how))
    for how in ("recorded", "played"):
        yield Row(f"a replication {how} / simulated", "x", ratios(walls[how], walls["simulated"]))


def pairing(pairs: int) -> Iterator[Row]:
    """Yield how many times as many independent runs the same precision would take."""
    comparison = simlib.compare(SCENARIO, list(OPTIONS), replications=pairs)
    reductions = [e.variance_reduction for e in comparison.effects if e.n_differing]
    yield Row("outcomes that differ", "", (float(len(reductions)),))
    yield Row("  of them 10 times or more", "", (float(sum(r >= 10.0 for r in reductions)),))
    yield Row("  runs saved, middle outcome", "x", (float(np.median(reductions)),))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--replications", type=int, default=20)
    parser.add_argument("--pairs", type=int, default=200)
    given = parser.parse_args()
    for row in (*acting(given.replications, given.repeats), *pairing(given.pairs)):
        print(row)


if __name__ == "__main__":
    main()
