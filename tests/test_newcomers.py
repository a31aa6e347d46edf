"""What a newcomer types, and what comes back: one line at the place meant, and the next step."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

import simlib
from simlib.analysis import discover
from simlib.ensemble import Progress
from simlib.ensemble.progress_words import announcement, standing
from simlib.errors import ScenarioError, SimlibWarning, SimulationError, StoreError
from simlib.scenario.event_conditions import ConditionError, read_condition
from simlib.scenario.requests import more_needed
from simlib.scenario.wording import near
from support.commands import call
from support.scenarios import TEXT, small

# suggestions

OUTCOMES = ("militia_attacks", "isis_attacks_iraq_2025", "isis_attacks_syria_2025", "raids")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("isis_attacks", "'isis_attacks_iraq_2025' or 'isis_attacks_syria_2025'"),
        ("militia_atacks", "'militia_attacks'"),
        ("isis_attacks_iraq_2026", "'isis_attacks_iraq_2025'"),
        ("RAIDS", "'raids'"),
    ],
)
def test_what_begins_as_written_is_guessed_before_what_looks_alike(
    written: str, meant: str
) -> None:
    assert near(written, OUTCOMES) == f"did you mean {meant}?"


def test_an_incident_type_is_guessed_where_one_is_asked_for() -> None:
    """Not an outcome, though one has nearly the same name."""
    with pytest.raises(ConditionError, match="no incident type 'raids'") as caught:
        read_condition("raids >= 3", small())
    assert caught.value.hint.startswith("did you mean 'raid'? write INCIDENT")


# results that lack an option


def test_a_missing_option_names_the_command_that_adds_it(tmp_path: Path) -> None:
    """And the command does what it says."""
    out = tmp_path / "a folder"
    simlib.run(small(), replications=3, jobs=1, directory=out)
    done = call("compare", out, "--option", "as_planned,later", where=tmp_path)
    assert done.returncode == 2
    said, _, command = done.stderr.strip().partition("; to add: ")
    assert said.endswith("no results of option 'as_planned' and 'later'; there are (as written)")
    assert command == f"simlib extend '{out}' --option as_planned --option later"
    words: list[str | Path] = [
        "extend",
        out,
        "--option",
        "as_planned",
        "--option",
        "later",
        "--no-figures",
    ]
    assert call(*words, where=tmp_path).returncode == 0
    assert simlib.open(out).options == ("", "as_planned", "later")
    compared = call("compare", out, "--option", "as_planned,later", where=tmp_path)
    assert compared.returncode == 0, compared.stderr


def test_an_option_that_its_scenario_lacks_is_guessed(tmp_path: Path) -> None:
    kept = simlib.run(small(), replications=1, jobs=1, directory=tmp_path)
    with pytest.raises(StoreError, match="has no such option; did you mean 'later'") as caught:
        kept.of("latr")
    assert "simlib extend" not in str(caught.value)


def test_a_file_without_its_ending_is_guessed(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(TEXT)
    done = call("check", "mine", where=tmp_path)
    assert done.returncode == 2
    said = "no such scenario (got 'mine'); did you mean 'mine.yaml'? bundled: "
    assert done.stderr.startswith(said)


# where results are


def test_results_without_a_folder_are_kept_by_name_and_resumed(tmp_path: Path) -> None:
    """And a scenario that has changed since gets a folder of its own, as does another seed."""
    file = tmp_path / "small.yaml"
    file.write_text(TEXT)
    line = ("run", file, "-j", "1", "--no-figures", "-n")
    first = call(*line, "2", where=tmp_path)
    assert first.returncode == 0, first.stderr
    kept = "results are kept in simlib-results/small; -o DIRECTORY keeps them elsewhere"
    assert kept in first.stderr
    assert "results: simlib-results/small\n" in first.stdout
    again = call(*line, "2", where=tmp_path)
    assert "all replications are there already: none is simulated again" in again.stderr
    assert call(*line, "3", where=tmp_path).returncode == 0
    file.write_text(TEXT.replace("mean: 2}", "mean: 3}"))
    assert "simlib-results/small-2" in call(*line, "1", where=tmp_path).stderr
    assert "simlib-results/small-3" in call(*line, "1", "--root-seed", "9", where=tmp_path).stderr
    assert "simlib-results/small-2" in call(*line, "1", where=tmp_path).stderr
    folder = tmp_path / "simlib-results"
    assert [simlib.open(folder / name).n for name in ("small", "small-2", "small-3")] == [3, 1, 1]


# failures


def failing(folder: Path, when: str) -> Path:
    """Return a scenario that fails once something happens: a stock is no number any more."""
    event = f"events: {{broken: {{when: {when}, times: {{guards: 1.0e+307}}}}}}\n"
    file = folder / "failing.yaml"
    file.write_text(TEXT.replace("options:\n", f"{event}options:\n", 1))
    return file


@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning", "ignore:event broken")
def test_some_failures_are_a_warning_with_the_first_cause(tmp_path: Path) -> None:
    """From Python and on the command line, once, with what repeats it."""
    file = failing(tmp_path, "raid >= 18 a month")
    with pytest.warns(SimlibWarning, match=r"\d of 8 replications failed; the first is ") as told:
        ensemble = simlib.run(file, replications=8, jobs=1)
    said = next(str(each.message) for each in told if "failed" in str(each.message))
    assert 0 < ensemble.n_failed < 8
    done = call("run", file, "-n", "8", "-j", "1", "--no-figures", where=tmp_path)
    assert done.returncode == 1
    assert done.stderr.count("replications failed") == 1
    assert f"warning: {said}\n" in done.stderr
    again = done.stderr.splitlines()[-1].partition("to reproduce it: ")[2]
    repeated = call(*shlex.split(again)[1:], where=tmp_path)
    assert repeated.returncode == 1
    assert said.rpartition(": ")[2] in repeated.stderr


@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
def test_failures_of_all_are_an_error_with_the_first_cause(tmp_path: Path) -> None:
    file = failing(tmp_path, "raid")
    rule = "3 of 3 replications failed; the first is replication 0: .*guards"
    with pytest.raises(SimulationError, match=rule):
        simlib.run(file, replications=3, jobs=1)
    done = call("run", file, "-n", "3", "-j", "1", where=tmp_path)
    assert done.returncode == 2
    assert re.search(rule, done.stderr.splitlines()[-1])


# requests from which nothing could be said


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "discover {} 'raids > 60' -n 10",
            "are too few to say anything (got 10); give at least 40",
        ),
        ("tripwires {} raid -n 10", "are too few to say anything (got 10); give at least 20"),
        ("register {} -n 10", "are too few to say anything (got 10); give at least 30"),
        ("discover {} 'riads > 60'", "no outcome 'riads'; did you mean 'raids'? known: "),
        ("discover {} 'raids : latr > 60'", "no option 'latr' among the results; there are "),
    ],
)
def test_they_are_refused_before_anything_is_simulated(
    line: str, said: str, tmp_path: Path
) -> None:
    (tmp_path / "small.yaml").write_text(TEXT)
    done = call(*shlex.split(line.format("small.yaml")), where=tmp_path)
    assert done.returncode == 2
    *before, last = done.stderr.splitlines()
    assert said in last
    assert all(each.startswith("context of use") for each in before)


def test_how_many_are_needed_is_said_from_how_many_met_it() -> None:
    ensemble = simlib.run(small(), replications=60, jobs=1)
    least = sorted(ensemble.outcomes["raids"])[-3]
    with pytest.raises(ScenarioError, match=r"take another number, or give at least \d00"):
        discover(ensemble, f"raids >= {least:.0f}")
    assert more_needed(20, 3, 60) == "give at least 500 replications"
    assert more_needed(20, 0, 60) == "give more replications, or ask for what is more common"


# how long it takes


@pytest.mark.parametrize(
    ("progress", "said"),
    [
        (Progress("running", 1, 1000, seconds=41.0, jobs=2), "1 of 1,000"),
        (Progress("running", 2, 1000, seconds=0.5, jobs=1), "2 of 1,000"),
        (Progress("running", 100, 1000, seconds=10.0, jobs=2), "100 of 1,000, 10/s, 2 min left"),
        (Progress("running", 5, 10, seconds=50.0, jobs=2), "5 of 10, 10 s each, 50 s left"),
        (Progress("running", 3, 3, seconds=0.5), "3 of 3, 6/s, done"),
    ],
)
def test_nothing_is_estimated_before_it_is_known(progress: Progress, said: str) -> None:
    assert standing(progress) == said


def test_a_run_is_announced_without_a_time_where_none_is_known() -> None:
    assert announcement(Progress("running", 0, 60)) == "60 replications, with 1 worker"
    known = Progress("running", 0, 60, seconds_expected=3.0, jobs=2, n_options=2)
    assert announcement(known) == "60 replications over 2 options, about 3 s with 2 workers"


# parents by name


@pytest.mark.parametrize("parent", ["as_agreed", "as_agreed.yaml"])
def test_a_parent_is_named_with_or_without_its_ending(parent: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(f"simlib: 1\nname: mine\nextends: {parent}\nreplications: 5\n")
    found = simlib.load(file)
    assert (found.name, found.replications) == ("mine", 5)


# one mistake, one line, at the line that was written


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "end: 2025-06-30",
            r"2:6: end: breaks outcomes\.\w+\.to, which must .*, and \d\d more",
        ),
        ("start: 2025-02-01", r"2:8: start: breaks outcomes\.\w+\.from, which .*, and \d\d more"),
        ("end: 2023-01-01", r"2:6: end: must not be before start \(got 2023-01-01 < 2025-01-01\)"),
        ("start: 2028-01-01", r"2:8: start: breaks end, which must not be before start .*"),
        (
            "outcomes: {x: {count: isis_attack, from: 2024-01-01, months: 12}}",
            r"2:42: outcomes\.x\.from: must not be before the start \(got 2024-01-01 < .*",
        ),
        (
            "options: {extend_12m: {timeline: {iraq_mission_end: {announced: 2031-01-01}}}}",
            r"2:65: options\.\S+\.announced: must not be after the end \(got 2031-01-01 > .*",
        ),
        (
            "parameters: {isis.level_iraq: {value: -3, judgement: x}}",
            r"2:31: parameters\.isis\.level_iraq: breaks incidents\.\S+, which .*, and 10 more",
        ),
        (
            "parameters: {isis.level_iraq: {value: 1e9, judgement: x}}",
            r"2:31: parameters\.isis\.level_iraq: breaks incidents, which must expect at most .*",
        ),
    ],
)
def test_one_mistake_is_one_line_at_the_own_place(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(f"extends: as_agreed\n{text}\n")
    problems = [str(problem) for problem in simlib.check(file)]
    assert len(problems) == 1
    assert re.fullmatch(rf"{re.escape(str(file))}:{said}", problems[0]), problems[0]
