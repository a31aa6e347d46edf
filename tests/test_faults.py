"""The faults of long ensembles: each is injected, and what is promised of it is shown.

Faults inside one replication (nan, an agent that raises, loops or storms) are in
``test_faults_of_a_replication.py``, kills at random points in ``test_kills.py``, lost
workers of Dask in ``test_dask.py``.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import namedtuple
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import simlib
from simlib.ensemble import executors
from simlib.ensemble import running as working
from simlib.ensemble.executors import crew as trying
from simlib.ensemble.store import chunks, directory
from simlib.errors import SimlibWarning
from support.agents import (
    DEATHS,
    LETHAL,
    STOP,
    SURPRISE,
    Failing,
    Killing,
    Moody,
    Stopping,
    Watcher,
)
from support.results import reseal
from support.scenarios import TEXT, small, watched

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simlib.ensemble import Progress

N = 12


def run(directory: Path | None = None, n: int | range = N, **more: Any) -> simlib.Ensemble:
    """Return a small ensemble with an agent."""
    given = {"jobs": 1, "agents": [Watcher], "chunk_size": 4, "root_seed": 3, **more}
    return simlib.run(watched(), replications=n, directory=directory, **given)


def notes_of(seen: list[Progress]) -> list[str]:
    """Return what was told in words."""
    return [progress.note for progress in seen if progress.note]


def contents(directory: Path) -> dict[Path, bytes]:
    """Return all files of results."""
    return {path: path.read_bytes() for path in directory.rglob("*.parquet")}


# kill -9 of a worker


@pytest.mark.parametrize("deaths", [1, 2])
def test_a_worker_that_is_killed_costs_its_chunk_only(
    deaths: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed once or twice over one chunk: every replication comes out all the same."""
    folder = tmp_path / "deaths"
    folder.mkdir()
    for i in range(deaths):
        (folder / str(i)).touch()
    monkeypatch.setenv(DEATHS, str(folder))
    hurt = run(tmp_path / "hurt", jobs=2, agents=[Killing], start_method="spawn")
    assert not any(folder.iterdir()), "nobody died: the fault was not injected"
    assert (hurt.n, hurt.n_failed) == (N, 0)
    assert hurt.digest == run(tmp_path / "sound", agents=[Killing]).digest


def test_a_replication_that_kills_three_workers_is_missing_and_tried_again_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is stored for it; when it lives at the next run, nothing is missing."""
    folder = tmp_path / "deaths"
    folder.mkdir()
    for i in range(3):
        (folder / str(i)).touch()
    monkeypatch.setenv(DEATHS, str(folder))
    arguments: dict[str, Any] = {"jobs": 2, "agents": [Killing], "start_method": "spawn"}
    seen: list[Progress] = []
    message = rf"^replication {LETHAL}: missing, because 3 workers died over each \(.*\); run again"
    with pytest.warns(SimlibWarning, match=message):
        hurt = run(tmp_path / "out", **arguments, progress=seen.append)
    assert (hurt.n, hurt.n_failed) == (N - 1, 0)
    assert LETHAL not in hurt.outcomes.index
    assert seen[-1].n_missing == 1
    assert notes_of(seen)[-1].startswith(f"replication {LETHAL}: missing, ")
    assert not hurt.verify().faults
    seen.clear()
    whole = run(tmp_path / "out", **arguments, progress=seen.append)
    assert (seen[-1].n_total, seen[-1].n_missing, whole.n_failed) == (1, 0, 0)
    assert whole.digest == run(tmp_path / "sound", agents=[Killing]).digest


def test_where_every_worker_dies_there_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers die, and not the process that was started, over the first replication too."""
    monkeypatch.delenv(DEATHS, raising=False)
    only = range(LETHAL, LETHAL + 1)
    message = f"nothing could be simulated: 3 workers died over each of replication {LETHAL} "
    for _ in range(2):
        with pytest.raises(simlib.SimulationError, match=message):
            run(tmp_path, n=only, jobs=2, agents=[Killing], start_method="spawn")


# disk full, output not writable


def test_a_disk_too_small_is_refused_before_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")  # noqa: PYI024  (as shutil's own)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage(10**6, 10**6 - 2000, 2000))
    with pytest.raises(simlib.StoreError, match=r"need about \d\.\d MB and 2 kB is free; free "):
        run(tmp_path / "out", n=1000)
    assert not contents(tmp_path)


def test_a_disk_that_fills_keeps_what_was_finished(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real full file system; with space again, the run goes on to the same digest."""
    out = small_disk / "out"
    monkeypatch.setattr(working.Work, "_refuse_full_disk", lambda *_: None)
    blocker = small_disk / "blocker"
    blocker.write_bytes(b"x" * 150_000)
    with pytest.raises(simlib.StoreError, match="the disk is full; ") as full:
        run(out, n=200)
    kept = simlib.open(out)
    assert 0 < kept.n < 200
    assert f"{kept.n} of 200 replications are kept; free about " in str(full.value)
    assert not kept.verify().faults
    blocker.unlink()
    assert run(out, n=kept.n + 4).digest == run(n=kept.n + 4).digest


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_write_that_fails_anywhere_loses_nothing(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The k-th flush fails, for every k: what is kept is whole, and is completed."""
    fsync, left = os.fsync, 0

    def failing(descriptor: int) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise OSError(code, os.strerror(code))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", failing)
    expected = run().digest
    for k in range(2, 40, 3):
        out, left = tmp_path / f"{code}-{k}", k
        with pytest.raises(simlib.StoreError, match=r"the disk is full|cannot be written"):
            run(out)
        left = 0
        if (out / "manifest.json").exists():
            assert not simlib.open(out).verify().faults
        assert run(out).digest == expected
        assert not list(out.rglob("*.tmp"))


def test_an_output_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(simlib.StoreError, match=r"cannot be made|is a file"):
        run(tmp_path / "file" / "out")


# truncated or flipped chunk


@pytest.mark.parametrize("how", ["truncated", "flipped", "emptied", "gone", "sidecar"])
def test_a_damaged_chunk_is_set_aside_reported_and_made_again(how: str, tmp_path: Path) -> None:
    sound = run(tmp_path)
    digest = sound.digest
    file = sorted(tmp_path.glob("outcomes/*/*.parquet"))[1]
    data = file.read_bytes()
    if how == "sidecar":
        file = sorted(tmp_path.glob("chunks/*/*.json"))[1]
        said = json.loads(file.read_text())
        file.write_text(json.dumps({**said, "digests": said["digests"][::-1]}))
    elif how == "gone":
        file.unlink()
    else:
        at = len(data) // 2
        file.write_bytes({
            "truncated": data[:at],
            "flipped": data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :],
            "emptied": b"",
        }[how])  # fmt: skip
    faults = simlib.open(tmp_path).verify().faults
    assert len(faults) == 1
    assert str(file) in faults[0]
    with pytest.raises(simlib.StoreError, match=r"damaged|no such file"):
        simlib.open(tmp_path).table()
    seen: list[Progress] = []
    again = run(tmp_path, progress=seen.append)
    assert len(notes_of(seen)) == 1
    assert "set aside in corrupt/ and simulated again" in notes_of(seen)[0]
    assert seen[-1].n_total == 4
    assert list(tmp_path.rglob("*.corrupt"))
    assert again.digest == digest
    assert not again.verify().faults


# version or machine changed


def remade_by(directory: Path, **versions: str) -> None:
    """Let a manifest say that other versions made the results."""
    file = directory / "manifest.json"
    made_by = json.loads(file.read_text())["made_by"]
    reseal(file, made_by=[*made_by[:-1], {**made_by[-1], **versions}])


def test_other_versions_go_on_when_stored_replications_come_out_again(tmp_path: Path) -> None:
    run(tmp_path)
    remade_by(tmp_path, numpy="1.0", machine="Plan9 mips")
    seen: list[Progress] = []
    grown = run(tmp_path, n=N + 4, progress=seen.append)
    (note,) = notes_of(seen)
    assert note.startswith("going on with other versions, with which stored ones agree: machine")
    assert "numpy 1.0 there" in note
    assert grown.digest == run(n=N + 4).digest
    assert grown.manifest["made_by"][0]["numpy"] == "1.0"
    assert len(grown.manifest["made_by"]) == 2


def test_other_versions_are_refused_when_stored_replications_differ(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where nothing that is recorded has changed."""
    surprise = tmp_path / "surprise"
    monkeypatch.setenv(SURPRISE, str(surprise))
    surprise.write_text("-1")
    out = tmp_path / "out"
    before = run(out, agents=[Moody])
    files_before = contents(out)
    surprise.write_text("-2")
    message = r"replication 0 does not come out as it is stored \(nothing that is recorded"
    with pytest.raises(simlib.StoreError, match=message):
        run(out, n=N + 4, agents=[Moody])
    with pytest.raises(simlib.StoreError, match=message):
        before.replay(0, agents=[Moody])
    remade_by(out, simlib="0.0.1")
    with pytest.raises(simlib.StoreError, match=r"as it is stored \(simlib 0.0.1 there, 0.1"):
        run(out, n=N + 4, agents=[Moody])
    assert contents(out) == files_before


# an agent raises


def test_a_replication_that_failed_is_kept_with_all_that_is_known(tmp_path: Path) -> None:
    with pytest.warns(SimlibWarning, match=r"of 12 replications failed; the first is replication "):
        found = run(tmp_path, agents=[Failing])
    failed = found.failures
    assert 0 < len(failed) < N
    first = failed.iloc[0]
    assert first["agent"] == "watcher"
    assert first["date"] == "2000-03-31"
    assert 'raise ZeroDivisionError("nothing to watch")' in first["traceback"]
    assert found.root_seed == 3
    with pytest.raises(simlib.SimulationError, match="nothing to watch"):
        found.replay(int(failed.index[0]), agents=[Failing])


# two runs on one directory, a run that is killed


def test_a_second_run_is_refused_and_names_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed, the first holds nothing any more; no temporary file of its is in the way."""
    gate, out = tmp_path / "gate", tmp_path / "out"
    gate.touch()
    code = (
        "import simlib; from support import agents, scenarios as s; "
        "simlib.run(s.watched(), replications=12, root_seed=3, jobs=1, "
        f"agents=[agents.Stopping], directory={str(out)!r}, chunk_size=4)"
    )
    path = os.pathsep.join(map(str, sys.path))
    monkeypatch.setenv(STOP, str(gate))
    first = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path})
    try:
        until = time.monotonic() + 60
        while not (out / ".holder").exists():
            assert first.poll() is None
            assert time.monotonic() < until
            time.sleep(0.05)
        with pytest.raises(simlib.StoreError, match=rf"is being written by process {first.pid} on"):
            run(out, agents=[Stopping])
    finally:
        first.send_signal(signal.SIGKILL)
        first.wait()
    gate.unlink()
    assert run(out, agents=[Stopping]).digest == run(agents=[Stopping]).digest


# duplicate completion


class Twice:
    """A crew that completes every task twice, the second time as it is told."""

    capacity = 1

    def __init__(self, monkeypatch: pytest.MonkeyPatch, alter: Any) -> None:
        once = executors.completed

        def completed(*given: Any) -> Iterator[tuple[Any, Any]]:
            for task, result in once(*given):
                yield task, result
                yield task, alter(result)

        monkeypatch.setattr(trying, "completed", completed)


def test_a_duplicate_completion_that_is_equal_is_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = run().digest
    Twice(monkeypatch, lambda chunk: chunk)
    seen: list[Progress] = []
    assert run(tmp_path, progress=seen.append).digest == expected
    assert seen[-1].n_done == N


def test_a_duplicate_completion_that_differs_is_a_hard_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import dataclasses

    def altered(chunk: Any) -> Any:
        return dataclasses.replace(chunk, digests=[chunk.digests[0], *["0" * 64] * 3])

    Twice(monkeypatch, altered)
    message = r"not deterministic: replication 1 was simulated twice .* \(3 of 4 in its chunk\)"
    with pytest.raises(simlib.SimulationError, match=message):
        run(tmp_path)


# hostile results


def forged(directory: Path, table: Any) -> None:
    """Put a table in the place of the first outcomes, with the checksum it wants."""
    import hashlib

    file = next(iter(sorted(directory.glob("outcomes/*/*.parquet"))))
    pq.write_table(table, file)
    sidecar = next(iter(sorted(directory.glob("chunks/*/*.json"))))
    hashes = json.loads(sidecar.read_text())["sha256"]
    reseal(sidecar, sha256={**hashes, "outcomes": hashlib.sha256(file.read_bytes()).hexdigest()})


def test_forged_results_fail_in_one_line_or_are_told_by_verify(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tmp_path)
    forged(
        tmp_path, pa.table({"replication": pa.array([0, 1, 2, 3], pa.int32()), "raids": [1.0] * 4})
    )
    (fault,) = simlib.open(tmp_path).verify().faults
    assert "its digests are not those of its tables" in fault
    monkeypatch.setattr(chunks, "MAX_ROWS", 3)
    with pytest.raises(simlib.StoreError, match=r"is no table .has more than 3 rows"):
        simlib.open(tmp_path).table()
    monkeypatch.setattr(directory, "MAX_MANIFEST", 10)
    with pytest.raises(simlib.StoreError, match=r"manifest\.json: must be at most 10 bytes"):
        simlib.open(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"first": -4},
        {"stop": 10**12},
        {"option": ["x"], "n_failed": "many"},
        {"sha256": None},
        {"digests": ["x"] * 4},
        {"digests": []},
    ],
)
def test_a_forged_sidecar_is_one_line(tmp_path: Path, change: dict[str, Any]) -> None:
    run(tmp_path)
    sidecar = next(iter(sorted(tmp_path.glob("chunks/*/*.json"))))
    reseal(sidecar, **change)
    with pytest.raises(simlib.StoreError) as caught:
        simlib.open(tmp_path).table()
    assert len(str(caught.value).splitlines()) == 1
    assert str(sidecar) in str(caught.value)


def test_what_steers_a_terminal_never_reaches_it(tmp_path: Path) -> None:
    """A name with an escape sequence in the manifest is shown without it."""
    simlib.run(small(), replications=2, jobs=1, directory=tmp_path)
    stopped = {"replications": 2, "why": "\x1b]0;x\x07"}
    reseal(tmp_path / "manifest.json", name="\x1b[2Jsmall\u202e", stopped=stopped)
    scenario = tmp_path.parent / f"{tmp_path.name}.yaml"
    scenario.write_text(TEXT)
    command = [sys.executable, "-m", "simlib.cli", "run", str(scenario), "-o", str(tmp_path)]
    done = subprocess.run(
        [*command, "--replications", "2", "--no-figures"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "small" in done.stdout
    assert not {"\x1b", "\x07", "\u202e"} & set(done.stdout + done.stderr)
