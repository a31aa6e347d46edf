"""The command line: exit statuses, messages, no orphans."""

from __future__ import annotations

import csv
import gc
import math
import os
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest

import simlib
from simlib.cli.run_commands import _value
from simlib.errors import ScenarioError
from simlib.journal import Decision
from support.commands import call
from support.scenarios import TEXT


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Results that are given no folder lie where a command is called."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    """Return the file of a small scenario."""
    file = tmp_path / "small.yaml"
    file.write_text(TEXT)
    return file


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """Return the file of a scenario with two mistakes."""
    file = tmp_path / "broken.yaml"
    file.write_text(TEXT.replace("level: {North: 3, East: 1}", "level: {North: -3, East: 1}")
                    .replace("end: 2000-06-30", "end: 1999-06-30"))  # fmt: skip
    return file


def test_a_command_in_this_process_leaves_it_as_it_was(scenario: Path) -> None:
    """Garbage is looked for as often: kept for all tests that follow, it came to gigabytes."""
    before = gc.get_threshold(), warnings.showwarning, Path.cwd(), dict(os.environ)
    assert call("check", scenario, where=scenario.parent.parent).returncode == 0
    assert (gc.get_threshold(), warnings.showwarning, Path.cwd(), dict(os.environ)) == before


def test_a_run_keeps_results_and_figures_and_shows_a_table(scenario: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = call("run", scenario, "-o", out, "--replications", "6", "--jobs", "1")
    assert done.returncode == 0, done.stderr
    assert "context of use: Tests of the library." in done.stderr
    assert "6 replications, about" in done.stderr
    assert "small: 6 of 6 replications" in done.stdout
    assert "Raids Iraq spring" in done.stdout
    assert f"results: {out}" in done.stdout
    assert (out / "figures" / "outcomes.png").exists()
    assert "\x1b" not in done.stdout + done.stderr
    assert f"digest: {simlib.open(out).digest}" in done.stdout


def test_all_options_are_run_and_shown(scenario: Path) -> None:
    done = call("run", scenario, "--option", "all", "--replications", "2", "--jobs", "1")
    assert done.returncode == 0, done.stderr
    assert "small, as_planned: 2 of 2" in done.stdout
    assert "small, later: 2 of 2" in done.stdout
    assert "results: simlib-results/small" in done.stdout


def test_running_again_has_nothing_to_do(scenario: Path, tmp_path: Path) -> None:
    arguments = ("run", scenario, "-o", tmp_path / "out", "-n", "2", "-j", "1", "--no-figures")
    first, second = call(*arguments), call(*arguments)
    assert first.returncode == second.returncode == 0
    assert first.stdout == second.stdout
    assert "all replications are there already" in second.stderr


def test_a_directory_of_other_content_is_refused(scenario: Path, tmp_path: Path) -> None:
    done = call("run", scenario, "-o", tmp_path, "--replications", "2")
    assert done.returncode == 2
    assert "is not empty and holds no simlib results" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["check", "run", "resolve"])
def test_mistakes_are_the_text_of_the_error_and_status_2(name: str, broken: Path) -> None:
    with pytest.raises(ScenarioError) as caught:
        simlib.load(str(broken))
    done = call(name, broken)
    assert done.returncode == 2
    assert done.stderr.strip() == str(caught.value)
    assert done.stdout == ""


def test_a_good_scenario_passes_the_check(scenario: Path) -> None:
    done = call("check", scenario)
    assert (done.returncode, done.stderr) == (0, "")
    assert "no mistake found" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [("run", "nowhere.yaml"), ("plot", "nowhere"), ("replay", "x", "--replication", "1")],
)
def test_what_is_not_there_is_one_line_and_status_2(arguments: tuple[str, ...]) -> None:
    done = call(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_resolve_of_resolve_is_itself(scenario: Path, tmp_path: Path) -> None:
    once = call("resolve", scenario)
    (tmp_path / "explicit.yaml").write_text(once.stdout)
    assert call("resolve", tmp_path / "explicit.yaml").stdout == once.stdout


def test_replay_writes_the_journal_and_a_figure(scenario: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    call("run", scenario, "-o", out, "--replications", "2", "--no-figures")
    journal, figure = tmp_path / "1.csv", tmp_path / "1.png"
    done = call("replay", out, "--replication", "1", "--journal", journal, "--figure", figure)
    assert done.returncode == 0, done.stderr
    with journal.open(newline="") as file:
        rows = list(csv.DictReader(file))
    raids = [row for row in rows if row["what"] == "raid" and float(row["time"]) >= 0]
    assert len(raids) == simlib.open(out).outcomes.loc[1, "raids"]
    assert [float(row["time"]) for row in rows] == sorted(float(row["time"]) for row in rows)
    assert figure.read_bytes().startswith(b"\x89PNG")


def test_extend_and_verify_print_the_digest_of_one_whole_run(
    scenario: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert call("run", scenario, "-o", out, "--replications", "4", "--no-figures").returncode == 0
    done = call("extend", out, "--replications", "9", "--no-figures", "--jobs", "1")
    assert done.returncode == 0, done.stderr
    assert "small: 9 of 9 replications" in done.stdout
    whole = simlib.run(str(scenario), replications=9, jobs=1).digest
    verified = call("verify", out)
    assert verified.returncode == 0, verified.stderr
    assert "9 replications in " in verified.stdout
    assert f"digest: {whole}" in verified.stdout
    assert f"digest: {whole}" in done.stdout
    refused = call("extend", out)
    assert refused.returncode == 2
    assert "say how many replications there shall be, or until what" in refused.stderr


def test_verify_names_what_is_damaged_with_status_1(scenario: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    call("run", scenario, "-o", out, "--replications", "8", "--no-figures")
    file = min(out.glob("monthly/*/*.parquet"))
    file.write_bytes(file.read_bytes()[:-9])
    done = call("verify", out)
    assert done.returncode == 1
    assert f"{file}: damaged" in done.stderr
    assert "faults: 1; what is damaged is simulated again by the next run" in done.stderr
    assert done.stdout == ""
    again = call("run", scenario, "-o", out, "--replications", "8", "--no-figures")
    assert "set aside in corrupt/ and simulated again" in again.stderr
    assert call("verify", out).returncode == 0


def test_until_says_why_it_stopped(scenario: Path) -> None:
    done = call("run", scenario, "--until", "raids +- 4", "--jobs", "1")
    assert done.returncode == 0, done.stderr
    assert "stopped at 200 replications: raids: half-width " in done.stdout
    wrong = call("run", scenario, "--until", "raids")
    assert wrong.returncode == 2
    assert wrong.stderr.splitlines()[-1].startswith("until: must be 'OUTCOME[.CLASS] +- HALF")


def test_a_design_is_chosen_and_a_wrong_one_is_one_line(scenario: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = ("run", scenario, "-o", out, "--no-figures", "--design")
    assert call(*arguments, "sobol", "--replications", "8").returncode == 0
    assert simlib.open(out).manifest["design"] == "sobol"
    other = call(*arguments, "random", "--replications", "8")
    assert other.returncode == 2
    assert "design: sobol there, random here" in other.stderr
    for design, n, message in (
        ("sobl", "8", "design: must be one of random, sobol, latin_hypercube"),
        ("latin_hypercube", "8", "replications: must be a multiple of 100 in a Latin hypercube"),
    ):
        done = call("run", scenario, "--design", design, "--replications", n)
        assert done.returncode == 2
        assert message in done.stderr
    both = call("run", scenario, "--jobs", "2", "--dask-local", "2")
    assert both.returncode == 2
    assert "jobs: give one of --jobs, --scheduler and --dask-local" in both.stderr


@pytest.mark.parametrize("name", ["run", "extend", "verify", "plot", "replay", "check", "resolve"])
def test_every_command_explains_itself_with_examples(name: str) -> None:
    done = call(name, "--help")
    assert done.returncode == 0
    assert f"simlib {name} " in done.stdout
    assert "Examples:" in done.stdout


def children_of(process: int) -> set[int]:
    """Return the processes that descend from one, from the process table."""
    found: set[int] = set()
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == process:
            child = int(status.parent.name)
            found |= {child} | children_of(child)
    return found


@pytest.mark.skipif(not Path("/proc").exists(), reason="needs the process table")
@pytest.mark.parametrize("workers", ["--jobs", "--dask-local"])
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stop_says_how_to_go_on_and_leaves_no_orphan(
    scenario: Path, tmp_path: Path, number: signal.Signals, status: int, workers: str,
    request: pytest.FixtureRequest,
) -> None:  # fmt: skip
    out = tmp_path / "out"
    arguments = ("run", scenario, "-o", out, "--replications", "200000", workers, "2")
    # A group of its own hears Ctrl-C as from a terminal: the parent and all its workers.
    line = [sys.executable, "-m", "simlib.cli", *map(str, arguments)]
    process = subprocess.Popen(
        line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    request.addfinalizer(process.kill)
    kept = out / "chunks"
    wait_for(lambda: any(kept.rglob("*.json")) or process.poll() is not None, seconds=120)
    children = children_of(process.pid)
    if number == signal.SIGINT:
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == status, stderr
    assert "Traceback" not in stderr
    assert f"kept in {out}; to go on: simlib run" in stderr
    assert stdout == ""
    wait_for(lambda: not any(Path(f"/proc/{child}").exists() for child in children), seconds=10)
    ensemble = simlib.open(out)
    assert ensemble.n == len(ensemble.outcomes) > 0


def wait_for(is_so: object, *, seconds: float) -> None:
    """Wait until something is so."""
    assert callable(is_so)
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_replay_says_what_the_value_of_a_decision_is() -> None:
    known = Decision(
        9132.0, "coalition", "uk_leaves", None, "yes", 1.0, "start", "start", -1, -2.77127
    )
    assert _value(known) == ", \N{MINUS SIGN}2.77 months after the mission in Iraq ends"
    assert _value(known._replace(agent="nobody known")) == ", \N{MINUS SIGN}2.77 as its value"
    assert _value(known._replace(value=math.nan)) == ""


def test_figures_are_drawn_by_name_option_and_format(scenario: Path, tmp_path: Path) -> None:
    out, folder = tmp_path / "out", tmp_path / "drawn"
    ran = call("run", scenario, "-o", out, "--replications", "4", "--jobs", "1", "--option", "all")
    assert ran.returncode == 0, ran.stderr
    listed = call("plot", out, "--list")
    assert "  raids_iraq_spring: " in listed.stdout
    arguments = ("--outcome", "raid,guards_end", "--format", "svg", "-o", folder)
    drawn = call("plot", out, *arguments, "--option", "later", "--jobs", "1")
    assert drawn.returncode == 0, drawn.stderr
    assert {path.name for path in folder.glob("*.*g")} == {"raid.svg", "guards_end.svg"}
    assert "2 of 2 figures drawn" in drawn.stderr
    again = call("plot", out, *arguments, "--option", "later", "--jobs", "1")
    assert "all there already: nothing is drawn" in again.stdout
    assert not again.stderr
    wrong = call("plot", out, "--outcome", "riads")
    assert wrong.returncode != 0
    assert "no figure of that name (got 'riads'); did you mean 'raids'?" in wrong.stderr
    assert "must be png, svg or pdf (got 'gif')" in call("plot", out, "--format", "gif").stderr
