"""Workers start safely, are told from those that cannot, and do not hang for good."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections import deque
from concurrent.futures import Future
from multiprocessing import resource_tracker, spawn, util
from pathlib import Path
from typing import Any

import pytest

import simlib
from simlib.ensemble.executors import (
    StartMethod,
    Task,
    WorkerDied,
    cluster,
    completed,
    pool,
)
from simlib.ensemble.executors import crew as crew_module
from simlib.ensemble.executors.crew import Part, carried_out
from simlib.ensemble.executors.starting import safe_path
from simlib.errors import SimlibWarning
from support.scenarios import small

METHODS: tuple[StartMethod, ...] = ("loky", "spawn", "fork")
PYTHONPATH = os.pathsep.join(map(str, sys.path))


def double(number: int) -> int:
    """Return twice a number."""
    return 2 * number


def doubled(n: int) -> deque[Task]:
    """Return tasks with the numbers below n."""
    return deque(Task(f"{i}", double, (i,), what=f"number {i}") for i in range(n))


def script(text: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a script from another folder than its own, in an environment without a safe path."""
    file = folder / "script.py"
    file.write_text(textwrap.dedent(text))
    here = folder / "here"
    here.mkdir(exist_ok=True)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    return subprocess.run(
        [sys.executable, str(file), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=here,
        env={**environment, "PYTHONPATH": str(Path(__file__).parent)},
    )


# a safe path

TRAP = """\
import os, sys
with open(os.environ["TRAP"], "a") as file:
    file.write("x")
sys.modules.pop("pickle")
here = sys.path.pop(0)
import pickle
sys.modules["pickle"] = pickle
sys.path.insert(0, here)
"""

WAYS: dict[str, dict[str, Any]] = {
    **{method: {"start_method": method} for method in METHODS},
    "dask": {"scheduler": "local"},
}


@pytest.mark.parametrize("way", WAYS)
def test_no_process_runs_what_lies_in_the_folder_one_stands_in(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither of simlib's nor of those it starts them with; modules of the script are found."""
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "pickle.py").write_text(TRAP)
    (tmp_path / "beside.py").write_text("from support.agents import Watcher as Beside\n")
    monkeypatch.setenv("TRAP", str(tmp_path / "sprung"))
    done = script(
        f"""
        import os, simlib, beside
        from support import scenarios
        if __name__ == "__main__":
            found = simlib.run(
                scenarios.watched(), replications=8, jobs=2, chunk_size=2,
                agents=[beside.Beside], **{WAYS[way]!r},
            )
            assert "PYTHONSAFEPATH" not in os.environ, "it was not put back"
            print(found.n)
        """,
        tmp_path,
    )
    assert (done.returncode, done.stdout) == (0, "8\n"), done.stderr
    assert not (tmp_path / "sprung").exists()


def test_the_trap_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: a process that is started without more does run it."""
    (tmp_path / "pickle.py").write_text(TRAP)
    monkeypatch.setenv("TRAP", str(tmp_path / "sprung"))
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    subprocess.run([sys.executable, "-c", "import pickle"], check=True, cwd=tmp_path)
    assert (tmp_path / "sprung").exists()


def test_the_environment_is_put_back_by_whoever_leaves_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONSAFEPATH", "")
    first, second = safe_path(), safe_path()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert os.environ["PYTHONSAFEPATH"] == "1"
    second.__exit__(None, None, None)
    assert not os.environ["PYTHONSAFEPATH"]


def test_dasks_workers_here_are_for_this_machine_only() -> None:
    psutil = pytest.importorskip("psutil")
    with cluster("local", jobs=2) as crew:
        assert sorted(result for _, result in completed(crew, doubled(3))) == [0, 2, 4]
        here = psutil.Process()
        processes = [here, *here.children(recursive=True)]
        listening = [
            connection.laddr.ip
            for process in processes
            for connection in process.net_connections(kind="inet")
            if connection.status == psutil.CONN_LISTEN
        ]
    assert len(listening) >= 3  # a scheduler and two workers
    assert set(listening) == {"127.0.0.1"}


# workers that cannot start


@pytest.mark.parametrize("where", [{"start_method": "spawn"}, {"scheduler": "local"}])
def test_a_script_without_a_guard_is_one_line(where: dict[str, Any], tmp_path: Path) -> None:
    """Its workers, which run it again, end without a word."""
    done = script(
        f"""
        import simlib
        from support import scenarios
        print("begins")
        try:
            simlib.run(scenarios.small(), replications=8, jobs=2, **{where!r})
        except simlib.SimulationError as error:
            print(error)
        """,
        tmp_path,
    )
    *_, line = done.stdout.splitlines()
    assert "put the call under if __name__ == '__main__'" in line
    assert done.stdout.count("__main__") == 1
    assert "Traceback" not in done.stderr
    assert "bootstrapping" not in done.stderr


@pytest.mark.parametrize("method", ["loky", "spawn"])
def test_a_worker_that_never_is_ready_is_given_up_after_three_tries(
    method: StartMethod, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from loky.backend import resource_tracker as of_loky

    resource_tracker.ensure_running()
    of_loky.ensure_running()
    count = tmp_path / "count"
    false = tmp_path / "false"
    false.write_text(f"#!/bin/sh\necho >> {count}\nexit 1\n")
    false.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(false))
    monkeypatch.setattr(spawn, "_python_exe", os.fsencode(false))
    message = rf"^no worker could be started in 3 tries \({method}: .*, or give --jobs 1; "
    with pytest.raises(simlib.SimulationError, match=message), pool(5, method) as crew:
        list(carried_out(crew, [Part("", range(1))], lambda _part: doubled(1)[0], print))
    assert count.read_text().count("\n") == 3


@pytest.mark.parametrize("n", [2, 3])
def test_a_start_that_fails_is_tried_again(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    resource_tracker.ensure_running()
    start, left = util.spawnv_passfds, n

    def sometimes(*given: Any) -> int:
        nonlocal left
        left -= 1
        if left >= 0:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        return int(start(*given))

    monkeypatch.setattr(util, "spawnv_passfds", sometimes)
    if n < 3:
        with pool(2, "spawn") as crew:
            assert len(list(completed(crew, doubled(3)))) == 3
        return
    message = r"^no worker .* \(spawn: BlockingIOError: \[Errno 11\].*\); raise ulimit -u or "
    with pytest.raises(simlib.SimulationError, match=message), pool(2, "spawn") as crew:
        list(completed(crew, doubled(3)))


# workers that hang


def stop_once(number: int, marker: str) -> int:
    """Stop this process for good at a number, the first time."""
    if number == 1 and not Path(marker).exists():
        Path(marker).touch()
        os.kill(os.getpid(), signal.SIGSTOP)
    return number


@pytest.fixture
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"WORD_SECONDS": 1.0, "WORD_TIMES": 0.0, "END_TIMES": 0.0}.items():
        monkeypatch.setattr(crew_module, name, value)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.usefixtures("_hasty")
def test_a_worker_that_hangs_is_told_and_ended(
    method: StartMethod, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pool(2, method) as crew:
        list(completed(crew, doubled(4)))  # both workers are there
        monkeypatch.setattr(crew_module, "END_SECONDS", 3.0)
        told: list[str] = []
        marker = str(tmp_path / "stopped")
        waiting = deque(
            Task(f"{i}", stop_once, (i, marker), what=f"number {i}", seconds=0.01) for i in range(4)
        )
        found = {task.key: result for task, result in completed(crew, waiting, told.append)}
    died = found.pop("1")
    assert isinstance(died, WorkerDied)
    assert str(died).startswith("it hung for ")
    assert found == {"0": 0, "2": 2, "3": 3}
    assert told[0].startswith("number 1: no word from the worker for ")
    assert told[1].startswith("number 1: the worker hung for ")


def nap(number: int) -> int:
    """Take some seconds."""
    time.sleep(3.0)
    return number


@pytest.mark.usefixtures("_hasty")
def test_what_nobody_knows_how_long_it_takes_is_not_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nor is a task of Dask's: that is for whoever runs the workers."""
    monkeypatch.setattr(crew_module, "END_SECONDS", 1.5)
    told: list[str] = []
    with pool(2, "fork") as crew:
        found = list(completed(crew, deque([Task("x", nap, (1,), what="x")]), told.append))
    assert [result for _, result in found] == [1]
    with cluster("local", jobs=1) as crew:
        task = Task("y", nap, (1,), what="y", seconds=0.01)
        assert [result for _, result in completed(crew, deque([task]), told.append)] == [1]
    assert [text.partition(":")[0] for text in told] == ["x", "y"]


def test_more_patience_with_each_try() -> None:
    class Nobody:
        ended = 0

        def end_worker(self, *_: object) -> bool:
            self.ended += 1
            return True

    crew, future = Nobody(), Future[int]()
    watch = crew_module.Patience(crew, lambda _text: None)  # type: ignore[arg-type]
    for n_tries, seconds in ((0, 120.0), (1, 480.0), (2, 1920.0)):
        before = crew.ended
        task = Task(f"{n_tries}", double, (1,), seconds=1.0, n_tries=n_tries)
        watch.look({future: task}, seconds)
        assert crew.ended == before
        watch.look({future: task}, 1.0)
        assert crew.ended == before + 1


# a process that may have no children


def _in_a_daemon(connection: Any, where: dict[str, Any]) -> None:
    import warnings

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            said = simlib.run(small(), replications=8, jobs=2, **where).digest
        except BaseException as error:  # noqa: BLE001
            said = repr(error)
    kinds = [each.category for each in caught]
    connection.send((said, kinds.count(SimlibWarning)))


@pytest.mark.parametrize("way", WAYS)
def test_a_daemonic_process_works_alone_and_says_so(way: str) -> None:
    here, there = multiprocessing.Pipe()
    start = multiprocessing.get_context("spawn")
    process = start.Process(target=_in_a_daemon, args=(there, WAYS[way]), daemon=True)
    process.start()
    with contextlib.closing(here):
        assert here.poll(60)
        digest, n_warnings = here.recv()
    process.join()
    assert digest == simlib.run(small(), replications=8, jobs=1).digest
    assert n_warnings == 1
