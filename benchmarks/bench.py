"""Measure simlib beside plain SimPy and a peer, in one run on one machine.

Run it with ``make bench``. Nothing here is committed as a number: speed belongs to the
machine it was measured on. Options: ``--replications N`` of the whole run (1,000),
``--repeats N`` of each measurement (5).
"""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

import birth_death
import plain_simpy
import simlib
from simlib import simulation
from simlib.scenario import from_dict, load_text
from simlib.scenario.expressions import _compiled, _parsed

TESTS = Path(__file__).resolve().parents[1] / "tests"


@dataclass(frozen=True, slots=True)
class Row:
    """One measured number: what, in which unit, each value measured."""

    what: str
    unit: str
    values: tuple[float, ...] = ()
    skipped: str = ""

    def __str__(self) -> str:
        if self.skipped:
            return f"{self.what:62} skipped: {self.skipped}"
        middle = statistics.median(self.values)
        low, high = (number(value) for value in (min(self.values), max(self.values)))
        return f"{self.what:62} {number(middle):>10} {self.unit:14} ({low} to {high})"


def number(value: float) -> str:
    """Return a number with three significant digits, thousands separated."""
    digits = max(0, 2 - math.floor(math.log10(abs(value)))) if value else 0
    return f"{value:,.{digits}f}"


def seconds(function: Callable[..., object], *arguments: object, **named: object) -> float:
    """Return how long a call takes."""
    began = time.perf_counter()
    function(*arguments, **named)
    return time.perf_counter() - began


def ratios(above: Iterable[float], below: Iterable[float]) -> tuple[float, ...]:
    """Return the ratios of values measured in pairs."""
    return tuple(a / b for a, b in zip(above, below, strict=True))


def engines(repeats: int) -> Iterator[Row]:
    """Yield the shipped engine beside the plain ones, on the reference scenario."""
    blueprint = simulation.assemble(simlib.load("as_agreed"))
    run = simulation.simulate(blueprint, 0)  # compiles
    days, intensities = run.horizon - run.start, plain_simpy.mean_intensities(run)
    sys.path.insert(0, str(TESTS))
    from oracle import simulate_plain

    times: dict[str, list[float]] = {"ours": [], "plain": [], "addressed": []}
    # In turns, so that whatever else the machine does falls on all alike.
    for k in range(repeats):
        times["ours"].append(seconds(simulation.simulate, blueprint, 0))
        times["plain"].append(seconds(plain_simpy.simulate, intensities, days, k))
        times["addressed"].append(seconds(simulate_plain, blueprint, 0))
    yield Row("one replication of as_agreed", "s", tuple(times["ours"]))
    yield Row("  incidents in it", "", (float(len(run.incidents)),))
    yield Row(
        "plain SimPy and random: as many, stateless, no decisions", "s", tuple(times["plain"])
    )
    yield Row("  plain SimPy / simlib", "x", ratios(times["plain"], times["ours"]))
    yield Row("the tests' addressed SimPy engine: the same journal", "s", tuple(times["addressed"]))
    yield Row("  addressed SimPy / simlib", "x", ratios(times["addressed"], times["ours"]))


def reading(repeats: int) -> Iterator[Row]:
    """Yield the slowest kinds of large scenario files beside the bare events of YAML.

    Read alone on a machine that does nothing else, each is to take less than a second.
    """
    sys.path.insert(0, str(TESTS))
    from support.texts import LARGE

    for kind in ("factors", "outcomes", "expressions", "unknown keys, few enough"):
        text = LARGE[kind]
        times: dict[str, list[float]] = {"ours": [], "yaml": []}
        for _ in range(repeats):
            _parsed.cache_clear()
            _compiled.cache_clear()
            times["ours"].append(seconds(read_or_refuse, text))
            times["yaml"].append(seconds(parse_only, text))
        yield Row(f"reading {len(text):,} characters of {kind}", "s", tuple(times["ours"]))
        yield Row("  simlib / events of YAML's C parser", "x", ratios(times["ours"], times["yaml"]))


def parse_only(text: str) -> None:
    """Take every event of a YAML text, or those before its first mistake, and keep none."""
    for _ in yaml.parse(text, yaml.CSafeLoader):
        pass


def read_or_refuse(text: str) -> None:
    """Read a scenario; one that is refused has been read too."""
    with contextlib.suppress(simlib.ScenarioError):
        load_text(text)


def whole_run(replications: int, repeats: int, jobs: int) -> Iterator[Row]:
    """Yield the speed of a whole ensemble, and what of it is not the compiled kernel."""
    scenario = simlib.load("as_agreed")
    simlib.run(scenario, replications=jobs, jobs=jobs)  # workers are up, kernels compiled
    walls, incidents, overheads = [], [], []
    for _ in range(repeats):
        began = time.perf_counter()
        ensemble = simlib.run(scenario, replications=replications, jobs=jobs)
        walls.append(time.perf_counter() - began)
        incidents.append(float(ensemble.monthly["count"].sum()) / walls[-1])
        overheads.append(walls[-1] * jobs / ensemble.seconds[1])
    yield Row(f"{replications:,} replications, {jobs} workers", "s", tuple(walls))
    yield Row("  replications", "per second", tuple(replications / wall for wall in walls))
    yield Row("  incidents", "per second", tuple(incidents))
    alone = tuple(ratio / jobs for ratio in overheads)
    yield Row("  wall time / time in compiled calls of all workers", "x", alone)
    yield Row("  wall time x workers / time in compiled calls", "x", tuple(overheads))


def exam(repeats: int, trajectories: int = 20) -> Iterator[Row]:
    """Yield reactions per second on the birth-death exam, beside GillesPy2's C++ solver.

    Its solver is a program of its own: many trajectories in one call keep the start of
    that program out of the number. Both are measured in turns.
    """
    blueprint = simulation.assemble(from_dict(birth_death.scenario()))

    def ours(*, keep_journal: bool) -> None:
        for k in range(trajectories):
            simulation.simulate(blueprint, k, keep_journal=keep_journal)

    theirs = gillespy2_run(trajectories)
    run: dict[str, Callable[[], object]] = {
        "simlib, whole journal": lambda: ours(keep_journal=True),
        "simlib, no journal": lambda: ours(keep_journal=False),
    }
    if not isinstance(theirs, str):
        run["GillesPy2 (C++)"] = theirs
    times: dict[str, list[float]] = {how: [] for how in run}
    simulation.simulate(blueprint, 0)  # compiles
    for _ in range(repeats):
        for how, function in run.items():
            times[how].append(seconds(function))
    reactions = birth_death.expected_reactions() * trajectories
    what = f"{birth_death.PARTICLES:,}-particle birth-death exam, "
    for how, measured in times.items():
        yield Row(what + how, "reactions/s", tuple(reactions / one for one in measured))
    if isinstance(theirs, str):
        yield Row(what + "GillesPy2 (C++)", "reactions/s", skipped=theirs)
    else:
        both = ratios(times["GillesPy2 (C++)"], times["simlib, no journal"])
        yield Row("  simlib without journal / GillesPy2", "x", both)


def gillespy2_run(trajectories: int) -> Callable[[], object] | str:
    """Return a call of GillesPy2's compiled solver, or why there is none."""
    for program in ("g++", "scons", "make"):
        if shutil.which(program) is None:
            return f"no {program} on PATH"
    try:
        model = birth_death.gillespy2_model()
    except ImportError as error:
        return str(error)
    from gillespy2 import SSACSolver

    solver = SSACSolver(model=model)
    model.run(solver=solver, number_of_trajectories=1)  # compiles
    return lambda: model.run(solver=solver, number_of_trajectories=trajectories)


def fresh(code: str) -> str:
    """Run code in a fresh process and return what it prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def imports(repeats: int) -> Row:
    """Return how long `import simlib` takes in a fresh process, the interpreter left out."""
    code = "import time; t = time.perf_counter(); import simlib; print(time.perf_counter() - t)"
    return Row("import simlib", "s", tuple(float(fresh(code)) for _ in range(repeats)))


def memory(replications: int, repeats: int, jobs: int) -> Row:
    """Return the peak memory of the process that gathers the results."""
    what = f"peak memory at {replications:,} replications"
    if not Path("/proc/self/status").exists():
        return Row(what, "MiB", skipped="no /proc here")
    # The kernel's high-water mark of this program: getrusage would count the parent's too.
    code = (
        "import pathlib, re, simlib; scenario = simlib.load('as_agreed');"
        f"simlib.run(scenario, replications={replications}, jobs={jobs});"
        "status = pathlib.Path('/proc/self/status').read_text();"
        "print(re.search(r'VmHWM:\\s+(\\d+) kB', status)[1])"
    )
    return Row(what, "MiB", tuple(float(fresh(code)) / 2**10 for _ in range(repeats)))


def main() -> None:
    """Measure everything and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replications", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()
    few = max(2, given.repeats // 2)
    print("what, median of several measurements, unit, least to most")
    for rows in (
        engines(given.repeats),
        exam(given.repeats),
        reading(given.repeats),
        whole_run(given.replications, few, given.jobs),
        [imports(given.repeats)],
        (memory(n, few, given.jobs) for n in (200, 2000)),
    ):
        for row in rows:
            print(row, flush=True)


if __name__ == "__main__":
    main()
