"""One scenario and root seed, one digest: for any way of running it."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest

import simlib
from simlib.errors import SimlibWarning
from simlib.scenario import load_text
from support.agents import Failing, Watcher
from support.scenarios import TEXT, small, watched

if TYPE_CHECKING:
    from simlib.ensemble import Progress
    from simlib.ensemble.executors import StartMethod

N = 12


def digest(jobs: int = 1, chunk_size: int | None = None, start_method: StartMethod = "loky") -> str:
    """Return the digest of a small ensemble with an agent, run one way."""
    ensemble = simlib.run(
        watched(),
        replications=N,
        root_seed=3,
        jobs=jobs,
        agents=[Watcher],
        chunk_size=chunk_size,
        start_method=start_method,
    )
    return ensemble.digest


@pytest.fixture(scope="module")
def expected() -> str:
    """Return the digest of the plainest way: one chunk in this process."""
    return digest(chunk_size=N)


@pytest.mark.parametrize("chunk_size", [1, 5])
def test_the_digest_does_not_depend_on_the_chunk_size(expected: str, chunk_size: int) -> None:
    assert digest(chunk_size=chunk_size) == expected


@pytest.mark.parametrize("jobs", [2, 4])
def test_the_digest_does_not_depend_on_the_number_of_workers(expected: str, jobs: int) -> None:
    assert digest(jobs=jobs) == expected


@pytest.mark.parametrize("start_method", ["spawn", "fork"])
def test_the_digest_does_not_depend_on_the_start_method(
    expected: str, start_method: StartMethod
) -> None:
    if start_method == "fork" and (not hasattr(os, "fork") or sys.version_info >= (3, 12)):
        pytest.skip("forking a process with threads is warned of from Python 3.12 on")
    assert digest(jobs=2, start_method=start_method) == expected


def test_the_digest_does_not_depend_on_the_hash_seed(expected: str) -> None:
    code = "import test_running; print(test_running.digest())"
    for seed in ("0", "1", "12345"):
        environment = {
            **os.environ,
            "PYTHONHASHSEED": seed,
            "PYTHONPATH": os.pathsep.join(map(str, sys.path)),
        }
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == expected


def test_the_digest_changes_with_the_root_seed(expected: str) -> None:
    other = simlib.run(watched(), replications=N, root_seed=4, jobs=1, agents=[Watcher])
    assert other.digest != expected


def test_two_half_ensembles_are_one_whole() -> None:
    whole = simlib.run(small(), replications=10, jobs=1)
    halves = [simlib.run(small(), replications=half, jobs=1) for half in (range(5), range(5, 10))]
    pd.testing.assert_frame_equal(pd.concat([half.outcomes for half in halves]), whole.outcomes)
    pd.testing.assert_frame_equal(pd.concat([half.parameters for half in halves]), whole.parameters)


def test_running_again_completes_what_is_there(tmp_path: Path) -> None:
    out = tmp_path / "out"
    simlib.run(small(), replications=5, jobs=1, directory=out, chunk_size=2)
    seen: list[Progress] = []
    again = simlib.run(
        small(), replications=9, jobs=1, directory=out, chunk_size=3, progress=seen.append
    )
    assert seen[-1].n_total == 4
    assert again.digest == simlib.run(small(), replications=9, jobs=1).digest
    assert simlib.open(out).digest == again.digest
    simlib.run(small(), replications=9, jobs=1, directory=out, progress=seen.append)
    assert (seen[-1].phase, seen[-1].n_total) == ("done", 0)


def test_another_scenario_is_refused_field_by_field(tmp_path: Path) -> None:
    """Comments and the order of keys are no change; every field that is one has a line."""
    simlib.run(small(), replications=1, jobs=1, directory=tmp_path)
    text = TEXT.replace("mean: 2}", "mean: 3}").replace("{North: 3, East: 1}", "{North: 3}")
    with pytest.raises(simlib.StoreError) as refused:
        simlib.run(load_text(text), replications=1, jobs=1, directory=tmp_path, root_seed=1)
    assert str(refused.value).splitlines() == [
        f"{tmp_path}: holds results of another scenario; give another directory",
        "  incidents.raid.groups.main.marks.fatalities.law.geometric.mean: 2 there, 3 here",
        "  incidents.patrol.groups.main.level.East: 1 there, nothing here",
        "  root_seed: 0 there, 1 here",
    ]
    lines = TEXT.splitlines(keepends=True)
    start = next(i for i, line in enumerate(lines) if line.startswith("start:"))
    swapped = [*lines[:start], lines[start + 1], "# a comment\n", lines[start], *lines[start + 2 :]]
    simlib.run(load_text("".join(swapped)), replications=2, jobs=1, directory=tmp_path)


def test_other_agents_are_refused(tmp_path: Path) -> None:
    simlib.run(watched(), replications=1, jobs=1, directory=tmp_path, agents=[Watcher])
    arguments = {"replications": 1, "jobs": 1, "directory": tmp_path}
    with pytest.raises(simlib.StoreError, match=r"other added agents.*\n  agents.watcher: another"):
        simlib.run(watched(), **arguments, agents=[Failing])  # type: ignore[arg-type]


def test_failures_are_the_same_for_any_number_of_workers() -> None:
    with pytest.warns(SimlibWarning, match=r"\d+ of \d+ replications failed; the first is "):
        one, two = (
            simlib.run(watched(), replications=N, root_seed=3, jobs=jobs, agents=[Failing])
            for jobs in (1, 2)
        )
    assert one.n_failed == two.n_failed > 0
    assert one.digest == two.digest


def test_progress_is_told_from_the_first_to_the_last() -> None:
    seen: list[Progress] = []
    simlib.run(small(), replications=6, jobs=1, chunk_size=2, progress=seen.append)
    running = [progress for progress in seen if progress.phase == "running"]
    assert [progress.n_done for progress in running] == [0, 2, 4, 6]
    assert running[0].seconds_expected > 0
    assert running[-1].per_second == pytest.approx(6 / running[-1].seconds)
    assert running[1].seconds_left == pytest.approx(4 / running[1].per_second)
    assert seen[-1].phase == "done"


def test_extending_is_running_more_and_changes_nothing_before(tmp_path: Path) -> None:
    """The first N of an extended ensemble are the N there were, byte for byte."""
    before = simlib.run(small(), replications=5, jobs=1, directory=tmp_path)
    files = {path: path.read_bytes() for path in tmp_path.rglob("*.parquet")}
    after = before.extend(11, jobs=1)
    assert after.n == 11
    assert {path: path.read_bytes() for path in files} == files
    assert after.digest == simlib.run(small(), replications=11, jobs=1).digest
    assert before.extend(3, jobs=1).digest == after.digest


def test_extending_asks_for_the_agents_that_were_added(tmp_path: Path) -> None:
    kept = simlib.run(watched(), replications=2, jobs=1, directory=tmp_path, agents=[Watcher])
    with pytest.raises(simlib.StoreError, match="give the agents that were added: watcher"):
        kept.extend(4, jobs=1)
    assert kept.extend(4, jobs=1, agents=[Watcher]).n == 4


def test_journals_are_kept_on_request_and_change_no_digest(tmp_path: Path) -> None:
    plain = simlib.run(small(), replications=3, jobs=1, directory=tmp_path / "plain")
    full = simlib.run(small(), replications=3, jobs=1, directory=tmp_path / "full", journals=True)
    assert full.digest == plain.digest
    incidents = full.extend(4, jobs=1).incidents
    assert sorted(incidents.index.unique()) == [0, 1, 2, 3]
    run = full.replay(2)
    own = incidents[incidents.index == 2]
    assert (own["time"].to_numpy() == run.incidents.time).all()
    assert own["type"].tolist() == [
        run.incidents.channels.types[channel] for channel in run.incidents.channel
    ]
    with pytest.raises(simlib.StoreError, match="journals were not kept"):
        _ = plain.incidents
    with pytest.raises(simlib.StoreError, match="was begun without journals"):
        simlib.run(small(), replications=3, jobs=1, directory=tmp_path / "plain", journals=True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"option": "sooner"}, "options.sooner: no such option; known: as_planned, later"),
        ({"replications": 0}, r"replications: must be a whole number from 1 to .*got 0"),
        ({"replications": 10**20}, r"replications: must be a whole number from 1 to 10000000 \("),
        ({"replications": 10_000_001}, r"replications: must be .* \(got 10000001\)"),
        ({"replications": range(10_000_001)}, r"replications: must be replications below 1000"),
        ({"replications": range(5, 5)}, r"replications: must be at least one replication"),
        ({"replications": 1.9}, r"replications: must be a whole number .*got 1.9\)"),
        ({"replications": True}, r"replications: must be a whole number .*got True\)"),
        ({"replications": "3"}, r"replications: must be a whole number .*got '3'\)"),
        ({"root_seed": -1}, r"root_seed: must be a whole number from 0 to .*got -1"),
        ({"root_seed": 2**63}, r"root_seed: must be a whole number from 0 to .*got 9223372036"),
        ({"jobs": 0}, r"jobs: must be a whole number from 1 to .*got 0"),
        ({"jobs": 100_000}, r"jobs: must be a whole number from 1 to .*got 100000"),
        ({"chunk_size": math.nan}, r"chunk_size: must be a whole number from 1 to .*got nan"),
        ({"option": "later", "options": ["later"]}, "give option or options, not both"),
        ({"replications": range(5, 9), "until": "raids +- 1"}, "must begin with 0 where a rule"),
        ({"scheduler": "tcp://127.0.0.1:1"}, "no Dask scheduler answers at tcp://127.0.0.1:1"),
    ],
)
def test_wrong_arguments_are_one_clear_line(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(simlib.SimlibError, match=message):
        simlib.run(small(), **arguments)  # type: ignore[arg-type]
