"""What-ifs are files of a few lines that each move something beyond what they set."""

from __future__ import annotations

import functools
import math
import re
from pathlib import Path

import pytest

from simlib.outcomes import plan
from simlib.scenario import load
from simlib.scenario.bundled import folder, scenario_names
from simlib.simulation import Blueprint, assemble, simulate
from support.levers import BASE, outcomes_beyond, set_by

FILES = sorted((folder("scenarios") / "whatifs").glob("*.yaml"))
MOST_LINES, FEWEST = 12, 20
MOST_PAIRS = 40
"""Pairs in which each has the time to show."""
LEVERS = {"timeline", "parameters", "events", "postures"}
README = (folder("scenarios") / "whatifs" / "README.md").read_text(encoding="utf-8")

Values = dict[str, float | str]


@functools.cache
def _outcomes(name: str, replication: int) -> Values:
    blueprint = _blueprint(name)
    found = plan(blueprint.scenario, blueprint.channels.channels).evaluate(
        simulate(blueprint, replication)
    )
    return {k: "nan" if isinstance(v, float) and math.isnan(v) else v for k, v in found.items()}


@functools.cache
def _blueprint(name: str) -> Blueprint:
    return assemble(load(name), BASE)


def test_there_are_twenty_and_they_are_bundled() -> None:
    assert len(FILES) >= FEWEST
    assert {file.stem for file in FILES} <= set(scenario_names())


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_what_if_is_a_few_lines_with_one_lever(file: Path) -> None:
    lines = file.read_text(encoding="utf-8").splitlines()
    keys = {found[1] for line in lines if (found := re.match(r"(\w+):", line))}
    assert len(lines) <= MOST_LINES
    assert len(keys & LEVERS) == 1
    assert keys - LEVERS == {"simlib", "name", "extends", "context_of_use"}
    assert load(file.stem).context_of_use.startswith("What if ")
    assert f"`{file.stem}`" in README


@pytest.mark.parametrize("name", [file.stem for file in FILES])
def test_a_what_if_moves_something_beyond_what_it_sets(name: str) -> None:
    """Under the same luck, an outcome that does not read what the lever sets is another."""
    beyond = outcomes_beyond(load(BASE), load(name), BASE)
    assert beyond
    assert any(
        any(_outcomes(name, r)[outcome] != _outcomes(BASE, r)[outcome] for outcome in beyond)
        for r in range(MOST_PAIRS)
    )


def test_what_a_lever_sets_is_found() -> None:
    """By an event, by a milestone, and by a parameter that a variable starts with."""
    base = load(BASE)
    assert set_by(base, base, BASE) == set()
    assert "pkk.posture" in set_by(base, load("pkk_dissolves"), BASE)
    assert "coalition.troops" in set_by(base, load("harir_closes_early"), BASE)
    assert {"border.guards", "isf.pmf"} <= set_by(base, load("pmf_and_guards_halved"), BASE)
