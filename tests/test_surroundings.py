"""What the machine lacks is never stored as a result: it is tried again, or one line."""

from __future__ import annotations

import errno
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import simlib
from simlib.ensemble import executors, surroundings
from simlib.ensemble import running as working
from simlib.ensemble.map_runs import Arrays, map_runs
from simlib.ensemble.store import Chunk, Directory
from simlib.ensemble.surroundings import ShortageError, is_of_surroundings, once_more
from simlib.errors import SimlibWarning, SimulationError
from support.agents import DEATHS, LETHAL, Killing, Starving, Watcher
from support.scenarios import watched

N = 12


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surroundings, "PAUSE_SECONDS", 0.01)


def run(directory: Path | None = None, **more: Any) -> simlib.Ensemble:
    """Return a small ensemble with an agent that the machine lets down.

    Its workers are new ones: they see the environment as it is now.
    """
    given = {
        "start_method": "spawn",
        "jobs": 1,
        "agents": [Starving],
        "chunk_size": 4,
        "root_seed": 3,
        **more,
    }
    return simlib.run(watched(), replications=N, directory=directory, **given)


def times(n: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let something happen n times; return the folder that counts it down."""
    folder = tmp_path / "times"
    folder.mkdir(exist_ok=True)
    for i in range(n):
        (folder / f"{i:03}").touch()
    monkeypatch.setenv(DEATHS, str(folder))
    return folder


# what is of the surroundings


def caused(error: BaseException, *causes: BaseException) -> BaseException:
    """Return an error with a chain of causes."""
    here = error
    for each in causes:
        here.__cause__ = each
        here = each
    return error


def handling(error: BaseException) -> BaseException:
    """Return an error that came up while another was handled."""
    found = KeyError("x")
    found.__context__ = error
    return found


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        np._core._exceptions._ArrayMemoryError((1,), np.dtype(float)),  # type: ignore[attr-defined]
        pa.ArrowMemoryError("malloc of size 64 failed"),
        *(OSError(code, os.strerror(code)) for code in (12, 28, 122, 24, 23, 11, 5, 30)),
        RuntimeError("can't start new thread"),
        ImportError("libx.so: failed to map segment from shared object"),
        caused(SimulationError("agent a: no"), ValueError("v"), OSError(errno.ENOSPC, "x")),
        handling(MemoryError()),
        ExceptionGroup("both", [ValueError("v"), MemoryError()]),
        "MemoryError: ",
        "_ArrayMemoryError: Unable to allocate 96.0 MiB",
        "OSError: [Errno 12] Cannot allocate memory",
        "BlockingIOError: [Errno 11] Resource temporarily unavailable",
        "SimulationError: agent a on 2000-03-31: OSError: [Errno 24] Too many open files: 'x'",
        "SimulationError: agent a on 2000-03-31: RuntimeError: can't start new thread",
        "WorkerDied: 3 worker processes died over it (killed)",
        "Traceback ...\n  File ...\nnumpy._core._exceptions._ArrayMemoryError: no\n\nKeyError: 'x'",
    ],
    ids=repr,
)
def test_of_the_surroundings(error: BaseException | str) -> None:
    assert is_of_surroundings(error)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("MemoryError"),
        FileNotFoundError(errno.ENOENT, "No such file"),
        PermissionError(errno.EACCES, "Permission denied"),
        RecursionError("maximum recursion depth exceeded"),
        RuntimeError("can't go on"),
        OSError("odd"),
        caused(SimulationError("agent a: no"), ZeroDivisionError()),
        "ValueError: told of a MemoryError: none",
        "SimulationError: agent a on 2000-03-31: ZeroDivisionError: nothing to watch",
        "FileNotFoundError: [Errno 2] No such file or directory",
        "",
    ],
    ids=repr,
)
def test_of_the_replication_itself(error: BaseException | str) -> None:
    assert not is_of_surroundings(error)


def test_a_chain_that_is_a_ring_ends() -> None:
    first, second = ValueError("a"), ValueError("b")
    first.__context__, second.__context__ = second, first
    assert not is_of_surroundings(first)


def test_it_travels_between_processes_whole() -> None:
    error = ShortageError(("out of memory", "free memory"), "MemoryError", "replication 3")
    there = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert str(there) == str(error)
    assert str(error).startswith("replication 3: out of memory (MemoryError); ")


# inside a replication


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("where", [{"jobs": 1}, {"jobs": 2}, {"jobs": 2, "scheduler": "local"}])
def test_a_momentary_lack_leaves_no_trace(
    n: int, where: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = times(n, tmp_path, monkeypatch)
    found = run(tmp_path / "out", **where)
    assert not any(folder.iterdir()), "nothing was lacking: the fault was not injected"
    assert (found.n, found.n_failed) == (N, 0)
    assert found.digest == run(tmp_path / "sound").digest


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_lasting_lack_is_one_line_and_what_is_finished_is_kept(
    jobs: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    times(100, tmp_path, monkeypatch)
    message = (
        rf"^replication {LETHAL}: too many open files \(OSError: \[Errno 24\] .*\); .* kept; "
        r"raise ulimit -n or give fewer --jobs, and run again to go on$"
    )
    with pytest.raises(simlib.SimulationError, match=message):
        run(tmp_path / "out", jobs=jobs)
    kept = simlib.open(tmp_path / "out")
    assert (kept.n, kept.n_failed) == (N - 4 + 1, 0)  # replication 4 came out alone
    for left in (tmp_path / "times").iterdir():
        left.unlink()
    assert run(tmp_path / "out", jobs=jobs).digest == run(tmp_path / "sound").digest


def test_a_lasting_lack_ends_the_command_with_one_line(tmp_path: Path) -> None:
    """No traceback, and nothing is counted as failed."""
    code = (
        "import sys; from simlib.cli import main; "
        "import simlib.ensemble.replications as it\n"
        "def starved(*_): raise MemoryError\n"
        "it.simulate = starved\n"
        f"sys.argv = ['simlib', 'run', 'as_agreed', '-o', {str(tmp_path / 'out')!r}, "
        "'--replications', '4', '--no-figures', '--jobs', '1']; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("replication 0: out of memory (MemoryError); ")
    assert "Traceback" not in done.stderr


# in the process that was started


@pytest.mark.parametrize("n", [2, 3])
def test_a_lack_in_the_parent_is_tried_again_and_then_one_line(
    n: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack, left = executors.pack, n

    def packed(what: object) -> bytes:
        nonlocal left
        left -= 1
        if left >= 0:
            raise MemoryError
        return pack(what)

    monkeypatch.setattr(executors, "pack", packed)
    if n < 3:
        assert run(agents=[Watcher], jobs=2).n == N
        return
    with pytest.raises(ShortageError, match=r"^out of memory \(MemoryError\)"):
        run(agents=[Watcher], jobs=2)


def test_a_lack_while_results_are_counted_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def starved(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(working.Work, "_count", starved)
    with pytest.raises(ShortageError, match=r"^out of memory"):
        run(agents=[Watcher])


def test_what_is_no_lack_is_raised_at_once() -> None:
    calls = []

    def fails() -> None:
        calls.append(1)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        once_more(fails)
    assert len(calls) == 1


@pytest.mark.parametrize("where", [{"jobs": 1}, {"jobs": 2}, {"jobs": 2, "scheduler": "local"}])
def test_what_can_no_longer_be_written_is_one_line(
    where: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A directory that was moved in mid-run, say: from wherever the chunks come."""
    write = Directory.write

    def written(self: Directory, chunk: Chunk) -> bool:
        if chunk.first >= 4:
            raise simlib.StoreError(f"{self.path}: is no longer there")
        return write(self, chunk)

    monkeypatch.setattr(Directory, "write", written)
    with pytest.raises(simlib.StoreError, match=r"out: is no longer there$"):
        run(tmp_path / "out", agents=[Watcher], **where)


# work in pieces


def squares(job: dict[str, str], rows: range) -> Arrays:
    """Return squares; the machine lets it down as often as a folder has files."""
    left = sorted(Path(job["folder"]).iterdir()) if rows.start == 10 else []
    if left:
        left[0].unlink()
        raise MemoryError
    return {"square": np.arange(rows.start, rows.stop) ** 2}


@pytest.mark.parametrize("jobs", [1, 2])
def test_pieces_are_tried_again_too(
    jobs: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = {"folder": str(times(2, tmp_path, monkeypatch))}
    found = map_runs(squares, job, 30, identity={}, each=10, jobs=jobs)
    assert np.array_equal(found["square"], np.arange(30) ** 2)
    times(3, tmp_path, monkeypatch)
    with pytest.raises(ShortageError, match=r"^rows 10 to 19: out of memory"):
        map_runs(squares, job, 30, identity={}, each=10, jobs=jobs)


# what is missing, on the command line


def test_the_command_ends_with_status_1_where_replications_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(DEATHS, raising=False)
    scenario = tmp_path / "small.yaml"
    scenario.write_text(simlib.resolve(watched()))
    package = tmp_path / "packages" / "killing-1.0.dist-info"
    package.mkdir(parents=True)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: killing\nVersion: 1.0\n")
    entry = "[simlib.agents]\nwatcher = support.agents:Killing\n"
    (package / "entry_points.txt").write_text(entry)
    arguments = ("run", scenario, "-o", tmp_path / "out", "--replications", "8", "--no-figures")
    path = os.pathsep.join([str(package.parent), *sys.path])
    done = subprocess.run(
        [sys.executable, "-m", "simlib.cli", *map(str, arguments), "--jobs", "2"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert done.returncode == 1, done.stderr
    told = [line for line in done.stderr.splitlines() if "missing" in line]
    assert len(told) == 1
    assert told[0].startswith(f"replication {LETHAL}: missing, because 3 workers died over each")
    assert "7 of 7 replications" in done.stdout
    assert simlib.open(tmp_path / "out").n == 7


def test_a_warning_stands_at_the_line_of_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(DEATHS, raising=False)
    with pytest.warns(SimlibWarning) as caught:
        run(agents=[Killing], jobs=2)
    assert {Path(each.filename).name for each in caught} == {Path(__file__).name}
