"""The command line as a whole: one spelling, names completed, lists, and a fast start."""

from __future__ import annotations

import json
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest
import typer

import simlib
from simlib.cli.app import app
from simlib.cli.old_spellings import RENAMED, respelled
from simlib.errors import ScenarioError
from simlib.scenario import bundled
from simlib.scenario.skimming import bundled_titles, names_in, titles
from support.commands import call
from support.scenarios import TEXT, small

COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]
ROOT = Path(__file__).parents[1]
PAGES = sorted(f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md"))
MOST_SECONDS = 0.5
"""Of processor time, until help, a list or a completion is there."""


def completed(line: str, where: Path) -> list[str]:
    """Return what a shell offers for the last word of a line."""
    place = str(len(line.split(" ")) - 1)
    words = {"COMP_WORDS": line, "COMP_CWORD": place, "_SIMLIB_COMPLETE": "complete_bash"}
    done = call(where=where, **words)
    assert done.stderr == ""
    return done.stdout.split()


# one spelling


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_by_two_names_and_an_example(name: str) -> None:
    command = COMMANDS[name]
    assert command.context_settings.get("help_option_names", ["-h", "--help"]) == ["-h", "--help"]
    assert f"simlib {name} " in f"{command.epilog} "
    assert command.help


def test_an_option_means_one_thing_and_is_spelled_one_way() -> None:
    """What may be given several times is a singular; no option stands under an old name."""
    spelled: dict[str, set[tuple[str, ...]]] = {}
    for command in COMMANDS.values():
        for each in command.params:
            if each.param_type_name == "option":
                spelled.setdefault(each.name, set()).add(tuple(sorted(each.opts)))
                assert not each.multiple or not each.name.endswith("s"), each.name
    assert {name: ways for name, ways in spelled.items() if len(ways) > 1} == {}
    assert not RENAMED.keys() & {way for ways in spelled.values() for each in ways for way in each}
    assert spelled["replications"] == {("--replications", "-n")}
    assert spelled["output"] == {("--output", "-o")}
    assert spelled["jobs"] == {("--jobs", "-j")}


@pytest.mark.parametrize(
    ("given", "now"),
    [
        (["compare", "x", "--options", "a,b"], ["compare", "x", "--option", "a,b"]),
        (["voi", "--dates=2025-01-01"], ["voi", "--date=2025-01-01"]),
        (["run", "--", "--options"], ["run", "--", "--options"]),
        (["run", "-o", "options"], ["run", "-o", "options"]),
    ],
)
def test_old_spellings_are_read(given: list[str], now: list[str]) -> None:
    assert respelled(given) == now


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", *PAGES])
def test_pages_show_commands_and_options_that_are_there(page: str) -> None:
    """Every option beside a command is one of it; none is spelled as before."""
    text = (ROOT / page).read_text(encoding="utf-8")
    for line in re.findall(r"^\$ simlib .*$|`simlib [a-z].*?`", text, re.MULTILINE):
        words = line.strip("`$ ").partition("#")[0].split()
        command = COMMANDS[words[1]]
        known = {way for each in command.params for way in (*each.opts, *each.secondary_opts)}
        assert {w.partition("=")[0] for w in words if w.startswith("--")} <= known, line


def test_an_old_spelling_works_with_one_warning(tmp_path: Path) -> None:
    simlib.run(small(), options="all", replications=3, jobs=1, directory=tmp_path / "out")
    done = call("compare", "out", "--options", "as_planned,later", where=tmp_path)
    assert done.returncode == 0
    warned = "warning: --options is spelled --option now; the next release has only that"
    assert [line for line in done.stderr.splitlines() if "warning" in line] == [warned]
    now = call("compare", "out", "--option", "as_planned", "--option", "later", where=tmp_path)
    assert (now.returncode, now.stdout) == (0, done.stdout)


def test_an_agent_by_its_path_is_refused_with_the_page_that_shows_how(tmp_path: Path) -> None:
    done = call("run", "as_agreed", "--agent", "module:Class", where=tmp_path)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    page, _, anchor = done.stderr.rpartition("docs/")[2].strip().partition("#")
    text = (Path(__file__).parents[1] / "docs" / page).read_text(encoding="utf-8")
    assert anchor.replace("-", " ") in text.lower()
    with pytest.raises(ScenarioError, match="agent: an agent is not loaded by its path"):
        respelled(["run", "--agent=a:B"])


# what there is


def test_bundled_scenarios_are_listed_with_a_question_each() -> None:
    found = bundled_titles()
    assert [each.name for each in found] == sorted(bundled.scenario_names())
    assert all(each.question.endswith((".", "?")) for each in found)


def test_scenarios_of_the_folder_are_listed_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(TEXT)
    (tmp_path / "questions.yaml").write_text("questions: []\n")
    (tmp_path / "broken.yaml").write_text("simlib: [\n")
    (tmp_path / "notes.txt").write_text(TEXT)
    assert [each[:2] for each in titles(tmp_path)] == [("small", "Tests of the library.")]
    done = call("list", where=tmp_path)
    assert done.returncode == 0
    assert "small.yaml" in done.stdout.partition("in this folder")[2]
    listed = json.loads(call("list", "--json", where=tmp_path).stdout)
    assert [each["name"] for each in listed] == [*sorted(bundled.scenario_names()), "small"]


def test_names_are_those_of_the_scenario_with_all_it_extends(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("extends: as_agreed\noptions: {mine: {}}\n")
    whole = simlib.load(tmp_path / "mine.yaml")
    for section in ("options", "outcomes", "agents", "parameters"):
        assert names_in(tmp_path / "mine.yaml", section).keys() == getattr(whole, section).keys()


# completion


def test_names_are_completed(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(TEXT)
    simlib.run(small(), options="all", replications=1, jobs=1, directory=tmp_path / "out")
    for line, words in (
        ("simlib run as_a", ["as_agreed"]),
        ("simlib run sm", ["small.yaml"]),
        ("simlib run small.yaml --option l", ["later"]),
        ("simlib compare small.yaml --option as_planned,l", ["as_planned,later"]),
        ("simlib why out ra", ["raids", "raids_iraq_spring"]),
        ("simlib compare out --outcome fat", ["fatalities"]),
        ("simlib run as_agreed --without isr", ["israel"]),
        ("simlib verify o", ["out"]),
        ("simlib extend out --option as_", ["as_planned"]),
    ):
        assert completed(line, tmp_path) == words


# the start


@pytest.mark.parametrize("words", [["--help"], ["run", "-h"], ["list"], ["levers", "-h"]])
def test_a_command_starts_fast_and_loads_nothing_heavy(words: list[str], tmp_path: Path) -> None:
    """Processor time of the process: on a busy machine it hardly grows."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    line = [sys.executable, "-m", "simlib.cli", *words]
    subprocess.run(line, cwd=tmp_path, capture_output=True, check=True)
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < MOST_SECONDS
    code = (
        f"import sys; sys.argv = ['simlib', *{words!r}]\n"
        "from simlib.cli.process import run\nrun()\n"
        "heavy = {'numba', 'numpy', 'pandas', 'matplotlib', 'simlib.scenario.schema'}\n"
        "sys.stderr.write(repr(sorted(heavy & set(sys.modules))))"
    )
    line = [sys.executable, "-c", code]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stderr == "[]"
