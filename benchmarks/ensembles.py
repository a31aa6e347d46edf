"""Measure large ensembles: workers, the store, resuming, memory, Dask beside the pool.

Run it with ``make bench``, or alone; whatever is compared is measured in turns. Options:
``--repeats N`` of each measurement (3), ``--replications N`` of a run (400),
``--stored N`` of the simulated directory that is resumed (1,000,000), ``--memory N`` of
the runs whose memory is measured (1,000 and 10,000; may be repeated).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import simlib
from bench import Row, fresh, ratios, seconds
from simlib.ensemble import open_results, store
from simlib.ensemble.executors import n_cores
from simlib.ensemble.manifest import manifest_of
from simlib.ensemble.replications import Job, prepare, simulate_chunk
from simlib.ensemble.store import Directory
from simlib.files import refuse_links, sealed_json
from simlib.simulation import simulate

SCENARIO = "as_agreed"


def scaling(replications: int, repeats: int) -> Iterator[Row]:
    """Yield the same run with one process and with as many workers as there are cores."""
    scenario, most = simlib.load(SCENARIO), n_cores()
    jobs = sorted({1, 2, most})
    walls: dict[int, list[float]] = {each: [] for each in jobs}
    for each in jobs:
        simlib.run(scenario, replications=2 * each, jobs=each)  # workers are up
    for _ in range(repeats):
        for each, measured in walls.items():
            measured.append(seconds(simlib.run, scenario, replications=replications, jobs=each))
    for each, measured in walls.items():
        yield Row(f"{replications:,} replications, {each} workers", "s", tuple(measured))
        if each > 1:
            yield Row(f"  one process / {each} workers", "x", ratios(walls[1], measured))


def overhead(replications: int, repeats: int) -> Iterator[Row]:
    """Yield what keeping results costs: simulating alone beside a run into a directory."""
    scenario = simlib.load(SCENARIO)
    prepared = prepare(Job(scenario), "")
    simulate(prepared.blueprint, 0)  # compiles

    def alone() -> None:
        for replication in range(replications):
            run = simulate(prepared.blueprint, replication)
            prepared.plan.evaluate(run)
            prepared.plan.monthly_cells(run)

    plain, kept, writing = [], [], []
    for _ in range(repeats):
        plain.append(seconds(alone))
        with tempfile.TemporaryDirectory() as folder, timed_writing() as spent:
            kept.append(
                seconds(simlib.run, scenario, replications=replications, jobs=1, directory=folder)
            )
        writing.append(spent[0])
    yield Row(f"{replications:,} replications simulated, nothing kept", "s", tuple(plain))
    yield Row(f"{replications:,} replications into a directory, one process", "s", tuple(kept))
    shares = tuple(1 - a / b for a, b in zip(plain, kept, strict=True))
    yield Row("  share of the run that is not simulating", "", shares)
    yield Row("  share of the run in writing and flushing", "", ratios(writing, kept))


@contextlib.contextmanager
def timed_writing() -> Iterator[list[float]]:
    """Add up the time spent in `Directory.write`."""
    spent, write = [0.0], Directory.write

    def timed(self: Directory, chunk: store.Chunk) -> bool:
        began = time.perf_counter()
        is_new = write(self, chunk)
        spent[0] += time.perf_counter() - began
        return is_new

    Directory.write = timed  # type: ignore[method-assign]
    try:
        yield spent
    finally:
        Directory.write = write  # type: ignore[method-assign]


def simulated(path: Path, n: int, chunk_size: int = 64) -> Directory:
    """Make a directory of n replications: one real chunk under many names (hard links)."""
    job = Job(simlib.load(SCENARIO))
    directory = store.create(path, manifest_of(job, ("",)))
    directory.write(simulate_chunk(prepare(job, ""), "", range(chunk_size)))
    (first,) = directory.entries("")
    said = json.loads(first.sidecar.read_text())
    for start in range(chunk_size, n, chunk_size):
        stem = f"{start:08d}-{start + chunk_size:08d}"
        for table in first.files:
            file = first.file(table)
            os.link(file, file.with_name(f"{stem}.parquet"))
        moved = {**said, "first": start, "stop": start + chunk_size}
        first.sidecar.with_name(f"{stem}.json").write_bytes(sealed_json(moved))
    return directory


def resuming(n: int, repeats: int) -> Iterator[Row]:
    """Yield how long it takes to find out that nothing of n replications is missing."""
    with tempfile.TemporaryDirectory() as folder:
        directory = simulated(Path(folder) / "out", n)
        whole = range(n - n % 64)

        def scan() -> None:
            missing, notes = directory.missing("", whole)
            assert not missing
            assert not notes

        def listed() -> None:
            for sidecar in sorted((directory.path / "chunks").glob("*/*.json")):
                json.loads(sidecar.read_bytes())

        bare, opened, links = [], [], []
        for _ in range(repeats):
            bare.append(seconds(listed))
            opened.append(seconds(lambda: open_results(directory.path).n))
            links.append(seconds(refuse_links, directory.path))
        n_bytes = sum(p.stat().st_size for p in directory.path.rglob("*") if p.is_file())
        scans = tuple(seconds(scan) for _ in range(repeats))
        digests = tuple(
            seconds(lambda: open_results(directory.path).digest) for _ in range(repeats)
        )
    yield Row(f"simulated directory of {len(whole):,} replications", "GB", (n_bytes / 1e9,))
    yield Row("  opened: every sidecar read, and what it is of checked", "s", tuple(opened))
    yield Row("  opened / sidecars read alone", "x", ratios(opened, bare))
    yield Row("  share of opening in looking for links", "", ratios(links, opened))
    yield Row("  resume scan: every checksum", "s", scans)
    yield Row("  result digest", "s", digests)


def dask_beside_pool(replications: int, repeats: int) -> Iterator[Row]:
    """Yield the same run in the pool and on Dask's workers, starting them included."""
    scenario, jobs = simlib.load(SCENARIO), n_cores()
    ways: dict[str, Callable[[], object]] = {
        "pool": lambda: simlib.run(
            scenario, replications=replications, jobs=jobs, start_method="spawn"
        ),
        "Dask": lambda: simlib.run(
            scenario, replications=replications, jobs=jobs, scheduler="local"
        ),
    }
    walls: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(repeats):
        for way, run in ways.items():
            walls[way].append(seconds(run))
    for way, measured in walls.items():
        what = f"{replications:,} replications, {way}, {jobs} new workers"
        yield Row(what, "s", tuple(measured))
    yield Row("  Dask / pool", "x", ratios(walls["Dask"], walls["pool"]))


def memory(replications: int) -> Iterator[Row]:
    """Yield the peak memory of a run into a directory, and of summing it up afterwards."""
    high = (
        "import pathlib, re; high = lambda: int(re.search(r'VmHWM:\\s+(\\d+)',"
        "pathlib.Path('/proc/self/status').read_text())[1]) / 1024; "
    )
    folder = Path(tempfile.mkdtemp())
    try:
        out = folder / "out"
        ran = fresh(
            f"{high}import simlib; simlib.run({SCENARIO!r}, replications={replications}, "
            f"jobs={n_cores()}, directory={str(out)!r}); print(high())"
        )
        summed = fresh(f"{high}import simlib; simlib.open({str(out)!r}).table(); print(high())")
    finally:
        shutil.rmtree(folder)
    yield Row(f"peak memory of a run of {replications:,}", "MiB", (float(ran),))
    yield Row(f"peak memory of its outcome table ({replications:,})", "MiB", (float(summed),))


def main() -> None:
    """Measure everything and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replications", type=int, default=400)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--stored", type=int, default=1_000_000)
    parser.add_argument("--memory", type=int, action="append")
    given = parser.parse_args()
    print("what, median of several measurements, unit, least to most")
    for rows in (
        scaling(given.replications, given.repeats),
        overhead(given.replications, given.repeats),
        resuming(given.stored, given.repeats),
        dask_beside_pool(given.replications, given.repeats),
        *(memory(n) for n in given.memory or (1_000, 10_000)),
    ):
        for row in rows:
            print(row, flush=True)


if __name__ == "__main__":
    main()
