"""Dask: a real scheduler and worker processes, and a worker that is killed mid-run."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import simlib
from simlib.errors import SimlibWarning
from support.agents import DEATHS, LETHAL, Killing, Watcher
from support.scenarios import small, watched

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simlib.ensemble import Progress

N = 120


@contextlib.contextmanager
def dask(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command of Dask's in a process, and end it."""
    process = subprocess.Popen(
        [sys.executable, "-m", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, sys.path))},
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[str]:
    """Return the address of a scheduler that runs in a process of its own."""
    file = tmp_path / "scheduler.json"
    options = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file")
    with dask("distributed.cli.dask_scheduler", *options, str(file)) as process:
        until = time.monotonic() + 60
        while not file.exists() or not file.read_text():
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.1)
        yield str(json.loads(file.read_text())["address"])


def worker(scheduler: str) -> Any:
    """Run a worker of one thread."""
    options = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1")
    return dask("distributed.cli.dask_worker", scheduler, *options)


def expected(n: int = N) -> str:
    """Return the digest of the same ensemble, simulated in this process."""
    return simlib.run(watched(), replications=n, root_seed=3, jobs=1, agents=[Watcher]).digest


def test_a_worker_killed_mid_run_costs_its_chunk_only(scheduler: str, tmp_path: Path) -> None:
    """Two workers begin; one is killed amid the run; the digest is that of one process."""
    seen: list[Progress] = []
    with worker(scheduler) as first, worker(scheduler) as second:

        def kill_one(progress: Progress) -> None:
            seen.append(progress)
            if progress.n_done >= N // 4 and first.poll() is None:
                first.send_signal(signal.SIGKILL)

        ensemble = simlib.run(
            watched(),
            replications=N,
            root_seed=3,
            agents=[Watcher],
            scheduler=scheduler,
            directory=tmp_path / "out",
            progress=kill_one,
            chunk_size=4,
        )
        assert first.wait(10) == -signal.SIGKILL
        assert second.poll() is None
    assert (ensemble.n, ensemble.n_failed) == (N, 0)
    assert ensemble.digest == expected()
    assert seen[-1].n_done == N
    assert not ensemble.verify().faults


def test_a_client_may_be_given_and_stays_open(scheduler: str) -> None:
    distributed = pytest.importorskip("distributed")
    with worker(scheduler), distributed.Client(scheduler, set_as_default=False) as client:
        for n in (6, 9):
            ensemble = simlib.run(small(), replications=n, scheduler=client)
            assert ensemble.digest == simlib.run(small(), replications=n, jobs=1).digest
        assert client.status == "running"


def test_workers_of_another_version_are_refused(
    scheduler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker brings its versions with each chunk; here the parent is the odd one out."""
    from simlib.ensemble import environment
    from simlib.ensemble import running as working

    here = {**environment.versions(), "numpy": "1.0"}
    monkeypatch.setattr(working, "versions", lambda: here)
    message = r"would mix versions in one ensemble: numpy \S+ there, 1.0 here"
    with worker(scheduler), pytest.raises(simlib.SimulationError, match=message):
        simlib.run(small(), replications=6, scheduler=scheduler)


def test_a_replication_that_kills_every_worker_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Dask as in the pool: the rest is there, and the digest is the same."""
    monkeypatch.delenv(DEATHS, raising=False)
    with pytest.warns(SimlibWarning, match=f"^replication {LETHAL}: missing, because 3 workers "):
        found = [
            simlib.run(
                watched(),
                replications=8,
                root_seed=3,
                agents=[Killing],
                jobs=2,
                scheduler=scheduler,
                chunk_size=1,
                directory=tmp_path / str(scheduler),
            )
            for scheduler in (None, "local")
        ]
    for ensemble in found:
        assert ensemble.outcomes.index.tolist() == [r for r in range(8) if r != LETHAL]
        assert ensemble.n_failed == 0
    assert found[0].digest == found[1].digest
