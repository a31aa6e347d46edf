"""A harness that kills runs at random points and compares what they come to.

``make faults`` runs it whole: ``python tests/kills.py --kills 200``. A short version is
in ``test_kills.py``. A series is one directory: the run is killed, continued, killed
again, and at last left in peace; then its digest must be that of an uninterrupted run,
and every chunk that was whole at any kill must still be there, byte for byte. Between kills
files are damaged and lost, too: what was damaged is made again, and nothing else is.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import simlib
from simlib.ensemble import open_results
from support.agents import Watcher
from support.results import chunk_files, flip, sidecars
from support.scenarios import watched

BACKENDS: dict[str, dict[str, Any]] = {
    "in-process": {"jobs": 1},
    "pool": {"jobs": 2},
    "dask": {"jobs": 2, "scheduler": "local"},
}
REPLICATIONS = 160
CHUNK_SIZE = 4
KILLS_A_SERIES = 6
EARLY, SPOILED = 0.25, 0.5
PATIENCE = 180.0


@dataclass(slots=True)
class Tally:
    """What a number of kills came to."""

    n_parents: int = 0
    n_workers: int = 0
    n_series: int = 0
    n_spoiled: int = 0
    """Files damaged or removed between kills."""
    n_differing: int = 0
    n_files_seen: int = 0
    """Files of chunks that were whole at a kill."""
    n_files_lost: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def n_kills(self) -> int:
        """How many processes were killed."""
        return self.n_parents + self.n_workers

    def __str__(self) -> str:
        killed = f"{self.n_parents} of the run, {self.n_workers} of a worker"
        return (
            f"{self.n_kills} kills ({killed}) and {self.n_spoiled} files spoiled in "
            f"{self.n_series} series: {self.n_differing} digests differ, "
            f"{self.n_files_lost} of {self.n_files_seen} files of whole chunks lost"
        )


def simulate(backend: str, directory: Path, replications: int) -> str:
    """Run or continue the ensemble, and return its digest."""
    return simlib.run(
        watched(),
        replications=replications,
        root_seed=3,
        agents=[Watcher],
        directory=directory,
        chunk_size=CHUNK_SIZE,
        **BACKENDS[backend],
    ).digest


def started(backend: str, directory: Path, replications: int) -> subprocess.Popen[str]:
    """Start the ensemble in a process group of its own."""
    arguments = [sys.executable, __file__, "--child", backend, str(directory), str(replications)]
    return subprocess.Popen(
        arguments,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, sys.path))},
    )


def ended(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Wait for a process, end all of its group, and return what it said."""
    try:
        out, error = process.communicate(timeout=PATIENCE)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    return out, error


def wait_for(process: subprocess.Popen[str], is_so: Callable[[], bool]) -> None:
    """Wait until something is so, or a process has ended."""
    while process.poll() is None and not is_so():
        time.sleep(0.01)


def n_chunks(directory: Path) -> int:
    """Return how many chunks a directory holds."""
    return len(list(directory.glob("chunks/*/[0-9]*.json")))


def has_more(directory: Path, n: int) -> bool:
    """Whether there are more than so many chunks by now."""
    return n_chunks(directory) > n


def workers_of(process: int) -> list[int]:
    """Return the descendants of a process that run Python code of workers."""
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(status.parent.name)] = int(fields[1])
    found, front = [], [process]
    while front:
        front = [child for child, parent in parents.items() if parent in front]
        found += front
    return [child for child in found if _is_worker(child)]


def _is_worker(process: int) -> bool:
    try:
        command = Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ")
    except OSError:
        return False
    is_helper = b"resource_tracker" in command or b"semaphore_tracker" in command
    return not is_helper and (b"loky" in command or b"spawn_main" in command)


def whole_chunks(directory: Path) -> dict[Path, str]:
    """Return the files of every chunk that is whole, with what they hold."""
    if not (directory / "manifest.json").exists():
        return {}
    found = open_results(directory).directory.listing("").entries
    entries = [entry for entry in found if not entry.fault()]
    files = [path for entry in entries for path in (entry.sidecar, *map(entry.file, entry.files))]
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def series(backend: str, root: Path, chance: random.Random, seconds: float, tally: Tally) -> str:
    """Kill one run again and again, leave it in peace, and return its digest."""
    directory = root / f"{backend}-{tally.n_series}"
    tally.n_series += 1
    seen: dict[Path, str] = {}
    for _ in range(KILLS_A_SERIES):
        process = started(backend, directory, REPLICATIONS)
        # One in four before anything new is written, the others while chunks are.
        is_early = chance.random() < EARLY
        if is_early:
            wait_for(process, (directory / ".holder").exists)
        else:
            wait_for(process, functools.partial(has_more, directory, n_chunks(directory)))
        time.sleep(chance.uniform(0.0, seconds))
        # Whoever loses a worker of Dask's while workers are started has no cluster.
        workers = [] if is_early or backend == "in-process" else workers_of(process.pid)
        if process.poll() is None and workers and chance.random() < 0.3:
            _kill(chance.choice(workers))
            tally.n_workers += 1
        elif process.poll() is None:
            process.kill()
            tally.n_parents += 1
        out, error = ended(process)
        seen.update(whole_chunks(directory))
        if process.returncode == 0:
            break
        if process.returncode != -signal.SIGKILL:
            tally.faults.append(error.strip() or out)
        if seen and chance.random() < SPOILED:
            for path in spoil(directory, chance):
                seen.pop(path, None)
            tally.n_spoiled += 1
    out, error = ended(started(backend, directory, REPLICATIONS))
    there = whole_chunks(directory)
    tally.n_files_seen += len(seen)
    tally.n_files_lost += sum(there.get(path) != held for path, held in seen.items())
    if error.strip():
        tally.faults.append(error.strip())
    shutil.rmtree(directory)
    return out.strip()


def spoil(directory: Path, chance: random.Random) -> list[Path]:
    """Damage or remove a file of results, and return the files that go with it."""
    sidecar = chance.choice(sidecars(directory))
    files = chunk_files(directory, sidecar)
    file = chance.choice([*files, sidecar, directory / "manifest.json"])
    if chance.random() < 0.5 or file.name == "manifest.json":
        file.unlink()
    elif chance.random() < 0.5:
        flip(file, chance.random())
    else:
        file.write_bytes(file.read_bytes()[: chance.randrange(file.stat().st_size)])
    return [] if file.name == "manifest.json" else files


def _kill(process: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)


def trial(backend: str, n_kills: int, seed: int) -> Tally:
    """Kill runs of one backend so many times and compare what they come to."""
    tally, chance = Tally(), random.Random(f"{backend} {seed}")  # noqa: S311  (when to kill)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        process = started(backend, root / "uninterrupted", REPLICATIONS)
        wait_for(process, lambda: n_chunks(root / "uninterrupted") > 0)
        began = time.monotonic()
        expected, error = ended(process)
        seconds = time.monotonic() - began
        assert expected.strip(), error
        while tally.n_kills < n_kills:
            digest = series(backend, root, chance, seconds, tally)
            tally.n_differing += digest != expected.strip()
    return tally


def main() -> None:
    """Kill every backend and print what came of it; status 1 when anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="of each backend")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--backend", choices=sorted(BACKENDS), action="append")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        backend, directory, replications = given.child
        print(simulate(backend, Path(directory), int(replications)))
        return
    is_bad = False
    for backend in given.backend or BACKENDS:
        tally = trial(backend, given.kills, given.seed)
        print(f"{backend}: {tally}", flush=True)
        for fault in dict.fromkeys(tally.faults):
            print(f"  said: {fault}", flush=True)
        is_bad |= bool(tally.n_differing or tally.n_files_lost)
    sys.exit(is_bad)


if __name__ == "__main__":
    main()
