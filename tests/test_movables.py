"""What can be moved: every example line is valid, and a new file begins with some of them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from simlib.errors import ScenarioError
from simlib.evidence.register.movables import Movable, movables
from simlib.evidence.register.new_scenario import new_scenario
from simlib.scenario import check, load, load_text
from simlib.theatre.questions.iraq_mission import LEVERS
from support.commands import call
from support.scenarios import TEXT, WATCHED, WATCHED_OUTCOMES

if TYPE_CHECKING:
    from simlib.scenario.schema import Scenario

KINDS = ("milestone", "posture", "agent", "decision", "state", "parameter")


@pytest.fixture(scope="module")
def theatre() -> Scenario:
    return load("as_agreed")


@pytest.fixture(scope="module")
def every(theatre: Scenario) -> list[Movable]:
    return movables(theatre)


def together(found: list[Movable]) -> str:
    """Return one file of many examples: sections once, options and events under own names."""
    sections: dict[str, list[str]] = {}
    for i, each in enumerate(found):
        section, inner = each.example.removesuffix("}").split(": {", 1)
        inner = re.sub(r"^(moved|change):", rf"\1_{i}:", inner)
        sections.setdefault(section, []).append(f"  {inner}\n")
    return "".join(f"{section}:\n{''.join(lines)}" for section, lines in sections.items())


@pytest.mark.parametrize("kind", KINDS[:-1])
def test_every_example_is_valid(every: list[Movable], kind: str) -> None:
    """All of a kind in one file, taken as they are printed (those of one line)."""
    own = [each for each in every if each.kind == kind]
    lines = [each for each in own if "\n" not in each.example]
    assert len(lines) >= 0.5 * len(own) > 0
    load_text(f"extends: as_agreed\nname: all\n{together(lines)}")


def test_examples_of_parameters_are_valid_each_alone(every: list[Movable]) -> None:
    """Some of them, each as an option."""
    start = "parameters: {"
    own = [each.example for each in every if each.example.startswith(start)][::20]
    assert len(own) > 15
    options = "".join(
        f"  moved_{i}: {{parameters: {{{example.removeprefix(start)}}}\n"
        for i, example in enumerate(own)
    )
    load_text(f"extends: as_agreed\nname: all\noptions:\n{options}")


def test_everything_of_a_scenario_is_listed(theatre: Scenario, every: list[Movable]) -> None:
    sections = (
        *(theatre.timeline, theatre.postures, theatre.agents),
        *(theatre.decisions, theatre.state, theatre.parameters),
    )
    assert [each.name for each in every] == [name for section in sections for name in section]
    assert {each.kind for each in every} == set(KINDS)
    assert all(each.today and each.example for each in every)
    assert sum(not each.meaning for each in every) < 0.2 * len(every)


def test_values_today_are_those_of_the_scenario() -> None:
    scenario = load_text(TEXT.replace("outcomes:", f"{WATCHED}outcomes:") + WATCHED_OUTCOMES)
    found = {each.name: each for each in movables(scenario)}
    assert found["raids"].today == "10 (5.50 to 14.5)"
    assert found["raids"].unit == "incidents per month"
    assert found["raids"].example == "parameters: {raids: {times: 2}}"
    assert (found["guards"].today, found["guards"].meaning) == ("100", "in each governorate")
    assert found["exit"].today == "2000-04-30"
    assert found["talks.posture"].today == "apart"
    assert found["alarm"].meaning == "yes or no, weighing guards"


def test_a_word_finds_names_kinds_and_meanings(theatre: Scenario) -> None:
    assert [each.name for each in movables(theatre, "isis.level_iraq")] == ["isis.level_iraq"]
    assert {each.kind for each in movables(theatre, "MILESTONE")} >= {"milestone"}
    with pytest.raises(ScenarioError, match=r"did you mean 'isis\.level_iraq'"):
        movables(theatre, "isis.level_irak")


def test_a_new_file_shows_ten_levers_and_changes_nothing(theatre: Scenario) -> None:
    text = new_scenario(theatre, "as_agreed", "mine", LEVERS)
    scenario = load_text(text)
    assert scenario == theatre.model_copy(update={"name": "mine"})
    commented = " ".join(re.findall(r"^#   .*", text, re.MULTILINE))
    assert all(f"{name}: " in commented or f"[{name}]" in commented for name in LEVERS)
    assert max(map(len, text.splitlines())) <= 100


def test_all_that_a_new_file_shows_can_be_pulled_at_once(theatre: Scenario) -> None:
    text = new_scenario(theatre, "as_agreed", "mine", LEVERS)
    pulled = re.sub(r"^# (?=\w+:$|  [\w.]+: )", "", text, flags=re.MULTILINE)
    scenario = load_text(pulled)
    assert len(scenario.events) == len(theatre.events) + 1
    assert len(scenario.options) == len(theatre.options) + 3
    assert scenario.options["moved_1"].remove == ("turkiye",)
    assert scenario.parameters["isis.level_iraq"] != theatre.parameters["isis.level_iraq"]


def test_the_command_begins_a_file_once(tmp_path: Path) -> None:
    done = call("new", "mine.yaml", where=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert check(tmp_path / "mine.yaml") == []
    before = (tmp_path / "mine.yaml").read_text(encoding="utf-8")
    again = call("new", "mine.yaml", "--from", "regional_war", where=tmp_path)
    assert again.returncode == 2
    assert again.stderr == "mine.yaml: is there already; give another name\n"
    assert (tmp_path / "mine.yaml").read_text(encoding="utf-8") == before
    over = call("new", "more.yaml", "--from", "mine.yaml", where=tmp_path)
    assert over.returncode == 0
    assert "extends: mine.yaml\nname: more\n" in (tmp_path / "more.yaml").read_text()
    assert check(tmp_path / "more.yaml") == []
    elsewhere = call("new", "folder/more.yaml", "--from", "mine.yaml", where=tmp_path)
    assert "must be a bundled scenario, or a file in the folder of" in elsewhere.stderr


def test_the_command_lists_levers_of_any_file(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(TEXT, encoding="utf-8")
    done = call("levers", "small.yaml", where=tmp_path)
    assert done.returncode == 0
    assert "raids (parameter)\n" in done.stdout
    assert "  example   parameters: {raids: {times: 2}}\n" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    listed: list[dict[str, Any]] = json.loads(
        call("levers", "small.yaml", "--json", where=tmp_path).stdout
    )
    assert [each["name"] for each in listed] == ["exit", "guards", "raids"]
    assert set(listed[0]) == {"kind", "name", "meaning", "unit", "today", "example"}
    missing = call("levers", "small.yaml", "raid_s", where=tmp_path)
    assert missing.returncode == 2
    assert missing.stderr.count("\n") == 1
