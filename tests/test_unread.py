"""What nothing reads is a mistake of a file, and agents of one's own are left in peace."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from simlib.agents.registry import agent_names
from simlib.errors import ScenarioError
from simlib.scenario import bundled, check, load
from simlib.scenario.readers import words_of

if TYPE_CHECKING:
    from pathlib import Path

RULE = "is read by no expression, incident, agent or outcome"
BASE = """simlib: 1
name: base
context_of_use: A test.
start: 2025-01-01
end: 2025-12-31
places: {Anbar: {country: Iraq}}
agents: {council: {parameters: [patience], decisions: [meet]}}
decisions: {meet: {intercept: -1}}
parameters:
  patience: {value: 3, unit: months, judgement: test}
  pace: {value: 3, unit: raids, judgement: test}
  level: {expression: 2 * pace, unit: raids, judgement: test}
state: {guards: {over: governorate, unit: persons, start: 5}}
incidents: {raid: {groups: {all: {target: any, level: {Anbar: level}}}}}
"""
WITHDRAWAL = "agents: {council: {active: false}, withdrawing_force: {}}\n"
"""Somebody whose source is known decides."""


def problems(folder: Path, text: str) -> list[str]:
    """Return what is wrong with a file over the base."""
    (folder / "base.yaml").write_text(BASE, encoding="utf-8")
    (folder / "mine.yaml").write_text(f"extends: base.yaml\n{text}", encoding="utf-8")
    return [str(p).replace(f"{folder}/", "") for p in check(folder / "mine.yaml")]


@pytest.mark.parametrize("name", sorted(bundled.scenario_files()))
def test_bundled_scenarios_hold_nothing_idle(name: str) -> None:
    assert check(bundled.scenario_files()[name]) == []


def test_a_misspelt_parameter_is_refused_at_its_line(tmp_path: Path) -> None:
    text = """parameters:
  pace: {value: 4}
  pase:
    value: 4
    unit: raids
    judgement: twice as many
"""
    expected = f"mine.yaml:4:3: parameters.pase: {RULE}; did you mean 'pace'?"
    assert problems(tmp_path, text) == [expected]


def test_what_only_idle_parameters_mention_is_idle(tmp_path: Path) -> None:
    text = """parameters:
  new.one: {value: 4, unit: raids, judgement: test}
  new.two: {expression: new.one * pace, unit: raids, judgement: test}
"""
    found = problems(tmp_path, text)
    assert [line.partition(": is read")[0] for line in found] == [
        "mine.yaml:3:3: parameters.new.one",
        "mine.yaml:4:3: parameters.new.two",
    ]


def test_what_an_override_makes_idle_elsewhere_is_no_mistake(tmp_path: Path) -> None:
    """The parent's pace is not read any more; an override of it here would move nothing."""
    level = "parameters:\n  level: {value: 4}\n"
    assert problems(tmp_path, level) == []
    both = f"{level}  pace: {{value: 1}}\n"
    assert [RULE in line for line in problems(tmp_path, both)] == [True]


def test_an_option_that_moves_nothing_is_refused(tmp_path: Path) -> None:
    text = "parameters: {level: {value: 4}}\noptions: {quick: {parameters.pace: {value: 9}}}\n"
    (line,) = problems(tmp_path, text)
    assert line.startswith("mine.yaml:3:19: options.quick.parameters.pace: is read by no")


def test_state_milestones_and_decisions_are_read_by_somebody(tmp_path: Path) -> None:
    """By an agent whose source is known, an incident, an outcome or a condition."""
    idle = """state:
  police: {unit: persons, start: 5}
timeline:
  handover: {date: 2025-06-30}
decisions:
  meat: {intercept: 0}
"""
    found = [line.partition(": is read")[0] for line in problems(tmp_path, WITHDRAWAL + idle)]
    assert found == [
        "mine.yaml:4:3: state.police",
        "mine.yaml:6:3: timeline.handover",
        "mine.yaml:8:3: decisions.meat",
    ]
    read = """
outcomes:
  police: {state: police}
  handover: {milestone: handover, measure: months_late}
"""
    without = idle.partition("decisions")[0]
    assert problems(tmp_path, f"{WITHDRAWAL}{without}{read}") == []


@pytest.mark.parametrize(
    ("outcome", "rule"),
    [
        ("{count: raid, in: Anbar}", ""),
        ("{count: raid, in: Iraq, target: any}", ""),
        ("{count: raid, in: Basra}", "counts nothing: there is no raid of that kind there"),
        (
            "{count: raid, having: {lethal: 1}}",
            "counts nothing: no such incident has the mark lethal",
        ),
        ("{total: killed, of: raid}", "counts nothing: no such incident has the mark killed"),
    ],
)
def test_an_outcome_that_is_always_0_is_refused(tmp_path: Path, outcome: str, rule: str) -> None:
    text = f"places: {{Basra: {{country: Iraq}}}}\noutcomes:\n  n: {outcome}\n"
    expected = [f"mine.yaml:4:3: outcomes.n: {rule}"] if rule else []
    assert problems(tmp_path, text) == expected


def test_an_agent_of_ones_own_may_read_anything(tmp_path: Path) -> None:
    """Nothing is known of it but what its entry says: it is believed, or nothing is refused."""
    text = """agents: {tribes: {}}
parameters: {tribes.strength: {value: 4, unit: persons, judgement: test}}
state: {police: {unit: persons, start: 5}}
timeline: {handover: {date: 2025-06-30}}
"""
    assert problems(tmp_path, text) == []
    says = text.replace("tribes: {}", "tribes: {parameters: [pace]}")
    (line,) = problems(tmp_path, says)
    assert line == (
        f"mine.yaml:3:14: parameters.tribes.strength: {RULE}; an agent of your own says so in its "
        "entry, under parameters"
    )
    assert problems(tmp_path, says.replace("[pace]", "[tribes.strength]")) == []


def test_whoever_loads_from_python_may_hand_over_classes(tmp_path: Path) -> None:
    text = "parameters: {pase: {value: 4, unit: raids, judgement: test}}\n"
    assert len(problems(tmp_path, text)) == 1
    assert "pase" in load(tmp_path / "mine.yaml").parameters
    with pytest.raises(ScenarioError, match="is read by no expression"):
        load(tmp_path / "mine.yaml", is_closed=True)


def test_a_scenario_without_agents_is_not_judged(tmp_path: Path) -> None:
    alone = BASE.replace("agents: {council: {parameters: [patience], decisions: [meet]}}\n", "")
    (tmp_path / "alone.yaml").write_text(alone, encoding="utf-8")
    assert check(tmp_path / "alone.yaml") == []


def test_sources_are_read_with_what_they_import() -> None:
    """Texts and names made of them; nothing of an agent that simlib does not bring."""
    for name in sorted(agent_names()):
        words = words_of(name)
        assert words is not None
        assert words.hold(name)
        assert not words.hold("a name that no source has")
    assert words_of("tribes") is None


EXTREMES = [
    (
        "parameters:\n  part: {expression: 1 / pace, unit: x, judgement: test}\n  pace: {value: 0}",
        (
            "mine.yaml:3:22: parameters.part.expression: must be a number at the parameters' means "
            "(1 / pace: float division by zero)"
        ),
    ),
    (
        (
            "parameters:\n"
            "  pace: {distribution: {categorical: {'0': 0.2, '3': 0.8}}}\n"
            "  level: {expression: 6 / pace}\n"
        ),
        (
            "mine.yaml:4:23: parameters.level.expression: must be a number where pace is 0 "
            "(6 / pace: float division by zero)"
        ),
    ),
]


@pytest.mark.parametrize(("text", "line"), EXTREMES)
def test_what_divides_by_nothing_is_refused(tmp_path: Path, text: str, line: str) -> None:
    assert problems(tmp_path, text) == [line]


def test_what_divides_by_nothing_is_told_at_the_files_own_line(tmp_path: Path) -> None:
    """Where the expression is the parent's, the value that leaves it none is at fault."""
    base = BASE.replace("2 * pace", "6 / pace")
    for value in ("value: 0", "distribution: {categorical: {'0': 0.2, '3': 0.8}}"):
        (tmp_path / "base.yaml").write_text(base, encoding="utf-8")
        text = f"extends: base.yaml\nparameters:\n  pace: {{{value}}}\n"
        (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
        (problem,) = check(tmp_path / "mine.yaml")
        assert (problem.line, problem.path) == (3, "parameters.pace")
        assert problem.rule == (
            "must leave 'parameters.level' a number (6 / pace: float division by zero)"
        )


def test_a_parameter_that_enters_starts_only_is_not_changed_later(tmp_path: Path) -> None:
    """What recurs, an agent or a start reads it; only the last is over when an event comes."""
    text = """state: {guards: {start: force}}
parameters: {force: {value: 9, unit: persons, judgement: test}}
events:
  more: {on: 2025-03-01, parameter: {pace: 9, patience: 2}}
options:
  late:
    events.more: {on: 2025-04-01, parameter: {force: {times: 2}}}
"""
    rule = "moves nothing once the start is past (nothing asks for it later)"
    expected = f"mine.yaml:8:47: options.late.events.more.parameter.force: {rule}"
    assert problems(tmp_path, text) == [expected]
