"""``{times: 2}`` and ``{add: 0.1}`` over what is inherited: numbers, words, and refusals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from simlib.errors import ScenarioError
from simlib.scenario import from_dict, load, load_text, option_scenario, resolve, with_changes

if TYPE_CHECKING:
    from simlib.scenario.schema import Scenario

BASE = """simlib: 1
name: base
context_of_use: A test.
start: 2025-01-01
end: 2025-12-31
places: {Anbar: {country: Iraq}, Basra: {country: Iraq}}
parameters:
  pace: {distribution: {triangular: {low: 1, mode: 2, high: 4}}, unit: raids, register: A10}
  rate: {value: 3, unit: '1', judgement: a guess, note: of old}
  both: {expression: pace * rate, unit: '1', judgement: test}
  split: {distribution: {dirichlet: {anbar: 3, basra: 1}}, unit: share, judgement: test}
  caught: {distribution: {uniform: {low: 0.2, high: 0.6}}, unit: share, judgement: test}
state:
  fighters: {over: governorate, unit: persons, start: {total: 2 * rate, shares: split}}
  police: {over: governorate, unit: persons, start: {Anbar: 10, Basra: pace}}
  mood: {unit: index, start: 1}
decisions: {raid: {intercept: -2, weights: {many: 0.5}, judgement: test}}
incidents:
  attack:
    groups:
      all:
        target: any
        level: [{total: pace, shares: {Anbar: 0.5, Basra: 0.5}}, {Anbar: 1}]
        factors: {many: {power: fighters, elasticity: 1}}
options:
  faster: {parameters.pace: {times: 3}}
  fastest: {of: faster, parameters.pace: {times: 2, add: 1}}
"""


def child(text: str) -> Scenario:
    """Return what a file over the base means."""
    return load_text(f"{text}\nextends: base.yaml", base=FOLDER[0], file="child.yaml")


FOLDER: list[str] = []


@pytest.fixture(autouse=True)
def _base(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("scenarios")
    (folder / "base.yaml").write_text(BASE, encoding="utf-8")
    FOLDER[:] = [str(folder)]


def refused(text: str) -> str:
    """Return the one line that says what is wrong."""
    with pytest.raises(ScenarioError) as caught:
        child(text)
    (problem,) = caught.value.problems
    return str(problem)


def test_a_distribution_is_scaled_and_says_from_what() -> None:
    """The row of the register does not say this number, so it is named in the note."""
    pace = child("parameters: {pace: {times: 2, add: 0.5}}").parameters["pace"]
    assert pace.distribution == {"triangular": {"low": 2.5, "mode": 4.5, "high": 8.5}}
    assert pace.register_id is None
    assert pace.judgement == "a what-if"
    assert pace.note == (
        "inherited {triangular: {low: 1, mode: 2, high: 4}} (register A10), here times 2 plus 0.5"
    )


def test_numbers_and_expressions_are_scaled() -> None:
    parameters = child("parameters: {rate: {add: -1}, both: {times: 0.5}}").parameters
    assert parameters["rate"].value == 2
    assert parameters["rate"].judgement == "a guess"
    assert parameters["rate"].note == "of old; inherited 3, here plus -1"
    assert parameters["both"].expression == "0.5 * (pace * rate)"


def test_what_is_resolved_stands_by_itself() -> None:
    """The text holds the resulting numbers, and nothing relative is left."""
    scenario = child("parameters: {pace: {times: 2}, both: {times: 2}}\nname: child")
    assert load_text(resolve(scenario)) == scenario
    assert "times: 2" not in resolve(scenario)


def test_once_over_another(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A grandchild moves what its parent has moved."""
    folder = tmp_path_factory.mktemp("chain")
    (folder / "base.yaml").write_text(BASE, encoding="utf-8")
    (folder / "middle.yaml").write_text("extends: base.yaml\nparameters: {rate: {times: 2}}\n")
    (folder / "last.yaml").write_text("extends: middle.yaml\nparameters: {rate: {times: 2}}\n")
    assert load(folder / "last.yaml").parameters["rate"].value == 12


def test_options_move_what_they_go_on_from() -> None:
    """An option's change is of the scenario's number, or of that of the option before it."""
    scenario = child("parameters: {pace: {times: 10}}")
    faster, fastest = (
        option_scenario(scenario, name).parameters["pace"].distribution
        for name in ("faster", "fastest")
    )
    assert faster == {"triangular": {"low": 30, "mode": 60, "high": 120}}
    assert fastest == {"triangular": {"low": 61, "mode": 121, "high": 241}}


@pytest.mark.parametrize(
    ("text", "variable", "expected"),
    [
        ("{fighters: {start: {times: 3}}}", "fighters", "3 * (2 * rate)"),
        ("{fighters: {start: {add: 5}}}", "fighters", "((2 * rate) + 5)"),
        ("{police: {start: {times: 2}}}", "police", {"Anbar": 20, "Basra": "2 * (pace)"}),
        ("{police: {start: {Anbar: {add: 5}}}}", "police", {"Anbar": 15, "Basra": "pace"}),
        ("{mood: {start: {times: 4, add: -1}}}", "mood", 3),
    ],
)
def test_starts_are_moved(text: str, variable: str, expected: object) -> None:
    """A total moves and its shares stay; numbers by place are each taken times."""
    start = child(f"state: {text}").state[variable].start
    if variable == "fighters":
        assert isinstance(start, dict)
        assert start["Anbar"] == f"{expected} * split.anbar"
    else:
        assert start == expected


def test_levels_and_weights_are_moved() -> None:
    text = """
incidents:
  attack: {groups: {all: {level: {times: 2}, factors: {many: {elasticity: {times: 0.5}}}}}}
decisions: {raid: {intercept: {add: 1}, weights: {many: {times: 2}}}}
"""
    scenario, base = child(text), child("")
    group, before = scenario.incidents["attack"].groups["all"], base.incidents["attack"]
    assert group.factors["many"].model_dump()["elasticity"] == 0.5
    assert group.level != before.groups["all"].level
    assert str(group.level["Basra"]).count("2 * (pace)") == 1
    assert scenario.decisions["raid"].intercept == -1
    assert scenario.decisions["raid"].weights == {"many": 1}


REFUSED = [
    (
        "parameters:\n  pase: {times: 2}",
        (
            "child.yaml:2:3: parameters.pase: no such parameter is inherited that could be moved "
            "(got 'pase'); did you mean 'pace'?"
        ),
    ),
    (
        "options:\n  new:\n    parameters.pase: {times: 2}",
        (
            "child.yaml:3:5: options.new.parameters.pase: no such parameter is inherited that "
            "could be moved (got 'pase'); did you mean 'pace'?"
        ),
    ),
    (
        "parameters:\n  split: {times: 2}",
        (
            "child.yaml:2:18: parameters.split: must be given anew: shares that sum to 1 cannot be "
            "moved together; inherited: {dirichlet: {anbar: 3, basra: 1}}"
        ),
    ),
    (
        "parameters:\n  caught: {times: 2}",
        "child.yaml:2:19: parameters.caught: must stay between 0 and 1, as a share (got high 1.2)",
    ),
    (
        "parameters:\n  rate: {times: 2, value: 5}",
        "child.yaml:2:17: parameters.rate: must have times or value, not both",
    ),
    (
        "parameters:\n  rate: {times: twice}",
        "child.yaml:2:17: parameters.rate.times: must be a number (got 'twice')",
    ),
    (
        "state:\n  police: {start: {add: 5}}",
        (
            "child.yaml:2:19: state.police.start: must add to one number (got a mapping); add to a "
            "place by its name"
        ),
    ),
    (
        "state:\n  army: {unit: persons, start: {times: 5}}",
        "child.yaml:2:32: state.army.start: nothing is inherited there that could be moved",
    ),
]


@pytest.mark.parametrize(("text", "line"), REFUSED)
def test_what_cannot_move_is_refused_at_its_line(text: str, line: str) -> None:
    assert refused(text) == line


def test_a_file_without_a_parent_has_nothing_to_move() -> None:
    mapping = {"simlib": 1, "name": "alone", "parameters": {"pace": {"times": 2}}}
    with pytest.raises(ScenarioError, match="no such parameter is inherited"):
        from_dict(mapping)


def test_a_scenario_in_hand_is_extended() -> None:
    """With changes as a file over it would make; itself it stays as it is."""
    base = child("")
    mapping = {"name": "more", "parameters": {"pace": {"times": 2}}, "end": "2025-06-30"}
    changed = with_changes(base, mapping)
    text = "name: more\nparameters: {pace: {times: 2}}\nend: 2025-06-30"
    # The options of a scenario in hand have numbers, which stay.
    assert changed.model_copy(update={"options": {}}) == child(text).model_copy(
        update={"options": {}}
    )
    assert option_scenario(changed, "faster") == option_scenario(base, "faster").model_copy(
        update={"name": "more", "end": changed.end, "options": changed.options}
    )
    assert base == child("")
    with pytest.raises(ScenarioError, match="did you mean 'pace'"):
        with_changes(base, {"parameters": {"pase": {"times": 2}}})
