"""Reading: strict, quick, and with nothing but a scenario or a ScenarioError to show for it."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simlib.errors import Problem, ScenarioError
from simlib.scenario import check, from_dict, load, load_text
from simlib.scenario.nodes import core_value
from simlib.scenario.schema import Scenario
from simlib.scenario.wording import dotted, near, shown
from simlib.scenario.yaml_text import MOST_BYTES
from support.counting import n_calls
from support.texts import FINE, LARGE, SMALL

HERE = Path(__file__).parent
GOOD = sorted((HERE / "good_scenarios").glob("*.yaml"))


def problems_of(text: str) -> tuple[Problem, ...]:
    with pytest.raises(ScenarioError) as caught:
        load_text(text)
    return caught.value.problems


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e3", 1000.0), ("-0", 0.0), (".5", 0.5), ("5.", 5.0), ("+7", 7.0), ("1E-3", 0.001),
        ("0", 0.0), ("0.10", 0.1), ("true", True), ("False", False), ("null", None), ("~", None),
        ("", None), ("NO", "NO"), ("yes", "yes"), ("on", "on"), ("12:30", "12:30"),
        ("010", "010"), ("0o7", "0o7"), ("0x1F", "0x1F"), ("1_000", "1_000"), ("0,5", "0,5"),
        ("2025-01-01", "2025-01-01"), ("1e", "1e"), ("e3", "e3"), ("-", "-"), (".", "."),
        ("1.2.3", "1.2.3"), ("inf", "inf"), ("nan", "nan"), ("\u0663", "\u0663"),
    ],
)  # fmt: skip
def test_plain_scalars_follow_yaml_1_2(text: str, value: Any) -> None:
    """Core schema, leading zeros and other bases apart: those are left as text."""
    found = core_value(text)
    assert found == value
    assert type(found) is type(value)


def test_problem_stands_where_the_value_does() -> None:
    """Line and column count from 1: the value of the seventh line begins in column 15."""
    (problem,) = problems_of(SMALL + "replications: none\n")
    assert problem == Problem("replications", "must be a number (got 'none')", "", "<text>", 7, 15)
    assert str(problem) == "<text>:7:15: replications: must be a number (got 'none')"


def test_every_problem_is_told_at_once() -> None:
    text = SMALL.replace("2025-12-31", "soon").replace("simlib: 1", "simlib: 9") + "seed: 5\n"
    assert [problem.line for problem in problems_of(text)] == [1, 5, 7]


def test_broken_part_hides_no_other_and_brings_no_false_one() -> None:
    """A place whose kind is wrong is still a place; a rate that is wrong is judged once."""
    text = (
        SMALL.replace("places: {}", "places: {Anbar: {kind: town}, Basra: {}}")
        + "neighbors: [[Anbar, Basrah]]\n"
        + "parameters: {a: {value: x, unit: '1', judgement: j}}\n"
        + "state: {s: {unit: '1', start: a * 2}}\n"
    )
    assert [problem.path for problem in problems_of(text)] == [
        "places.Anbar.kind",
        "neighbors[0][1]",
        "parameters.a.value",
    ]


def test_missing_file() -> None:
    (problem,) = check("no_such_folder/no_such_file.yaml")
    assert str(problem) == "no_such_folder/no_such_file.yaml: no such file"


def test_bare_name_that_is_no_scenario() -> None:
    with pytest.raises(ScenarioError, match=r"^no such scenario \(got 'no_such_name'\); bundled:"):
        load("no_such_name")


def test_directory(tmp_path: Path) -> None:
    (problem,) = check(tmp_path)
    assert problem.rule == "must be a regular file (got a directory)"


def test_pipe_is_not_opened(tmp_path: Path) -> None:
    """Opening a FIFO would wait for a writer for ever."""
    pipe = tmp_path / "pipe.yaml"
    os.mkfifo(pipe)
    (problem,) = check(pipe)
    assert problem.rule == "must be a regular file (got a pipe)"


def test_unreadable_file(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 300 + ".yaml")
    (problem,) = check(path)
    assert problem.rule == "cannot be read (file name too long)"


def test_link_to_itself(tmp_path: Path) -> None:
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    (problem,) = check(tmp_path / "loop.yaml")
    assert problem.rule == "cannot be read (too many levels of symbolic links)"


def test_name_that_no_file_can_have() -> None:
    (problem,) = check("x" * 300)
    assert problem.rule.startswith("no such scenario")


def test_large_file_is_refused_by_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """100 MB (a hole on the disk) are not read."""
    path = tmp_path / "large.yaml"
    with path.open("wb") as file:
        file.truncate(100_000_000)
    monkeypatch.setattr(Path, "open", None)  # whoever opened the file would fail
    (problem,) = check(path)
    assert problem.rule == f"must be at most {MOST_BYTES} bytes (got 100000000 bytes)"


MOST_CALLS = 10
"""Calls of functions that one character of a text may cost."""


def calls_of(text: str) -> tuple[int, str]:
    """Return how many functions reading a text calls, C's included, and what it is told."""
    said = ""

    def read() -> None:
        nonlocal said
        try:
            load_text(text)
        except ScenarioError as error:
            said = str(error)

    return n_calls(read), said


@pytest.mark.parametrize("kind", LARGE)
def test_megabyte_of_anything_is_read_or_refused_in_so_many_calls_a_character(kind: str) -> None:
    """Work is counted, so that a busy machine changes nothing.

    The kinds need at most 7.3 calls a character; what went over all pairs of 6,000 entries
    would make 36 million calls, 100 a character. How long that takes is a row of the
    benchmark.
    """
    text = LARGE[kind]
    assert len(text) <= MOST_BYTES
    n_calls, said = calls_of(text)
    assert n_calls <= MOST_CALLS * len(text)
    assert (said == "") == (kind in FINE)


def test_calls_grow_no_faster_than_the_text() -> None:
    """Four times as many expressions, each over the one before: four times the calls.

    Within 15 %: what is called once, whatever the size, is in both.
    """
    head, _, tail = LARGE["expressions"].partition("  p1:")
    lines = f"  p1:{tail}".splitlines(keepends=True)
    load_text(SMALL)  # what is called once a process
    few, many = (calls_of(head + "".join(lines[:n]))[0] for n in (1_400, 5_600))
    assert few > 100_000
    assert 3.4 < many / few < 4.6


@settings(max_examples=300)
@given(st.text(alphabet=st.sampled_from("ab1:-,[]{}&*!|>'\"%@`#?\n\t \x85\u2028e.~<"), max_size=60))
def test_any_text_is_a_scenario_or_a_scenario_error(text: str) -> None:
    with pytest.raises(ScenarioError):
        load_text(text)


@settings(max_examples=200)
@given(st.text(max_size=40), st.sampled_from(["", SMALL, "a: "]))
def test_any_unicode_too(text: str, before: str) -> None:
    with contextlib.suppress(ScenarioError):
        assert isinstance(load_text(before + text), Scenario)


SCRAPS = [
    "", "~", "x", "-1", "0", "1e400", ".nan", "true", "[]", "{}", "[1]", "{a: 1}", "'5'", "2 *",
    "2025-02-30", "*a", "&a x", "!t x", "- x", "? x", "\t", "|", "a: b", "<<: {a: 1}",
]  # fmt: skip


@settings(max_examples=300)
@given(st.data())
def test_mutated_scenario_is_read_or_refused(data: st.DataObject) -> None:
    """One value, key or line of a good scenario is replaced, doubled or taken away."""
    path = data.draw(st.sampled_from(GOOD))
    lines = path.read_text(encoding="utf-8-sig").split("\n")
    i = data.draw(st.integers(0, len(lines) - 1))
    scrap = data.draw(st.sampled_from(SCRAPS))
    head, colon, tail = lines[i].partition(": ")
    mutant = data.draw(
        st.sampled_from(
            [[], [lines[i]] * 2, [scrap], [f"{head}{colon}{scrap}"], [f"{scrap}{colon}{tail}"],
             [f" {lines[i]}"], [lines[i][:-1]], [lines[i].replace(": ", ": {", 1)]]
        )
    )  # fmt: skip
    text = "\n".join([*lines[:i], *mutant, *lines[i + 1 :]])
    with contextlib.suppress(ScenarioError):
        assert isinstance(load_text(text, base=path.parent), Scenario)


KINDS = "must be text, a number, a list or a mapping"
SMALL_DICT: dict[str, Any] = {
    "simlib": 1,
    "name": "small",
    "context_of_use": "A test.",
    "start": dt.date(2025, 1, 1),
    "end": "2025-12-31",
    "places": {},
}


def test_mapping_is_read_as_text_would_be() -> None:
    assert from_dict(SMALL_DICT) == load_text(SMALL)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("replications", "5", "replications: must be a number (got '5'); remove the quotes"),
        ("replications", True, "replications: must be a number (got true)"),
        ("replications", float("nan"), "replications: must be a finite number (got nan)"),
        ("replications", 10**50, f"replications: {KINDS} (got a number of more than 40 digits)"),
        ("places", {"Anbar": object()}, f"places.Anbar: {KINDS} (got object)"),
        ("places", {5: {}}, "places: key must be text (got 5)"),
        ("name", "\ud800", "name: must hold no control characters (got U+D800)"),
        ("end", dt.datetime(2025, 1, 1, tzinfo=dt.UTC), f"end: {KINDS} (got datetime)"),
        ("plaices", {}, "unknown key (got 'plaices'); did you mean 'places'?"),
    ],
)  # fmt: skip
def test_mapping_is_refused_as_text_would_be(key: str, value: object, message: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        from_dict({**SMALL_DICT, key: value})
    assert str(caught.value).startswith(message)


def test_mapping_that_holds_itself() -> None:
    circle: dict[str, Any] = {}
    circle["places"] = circle
    with pytest.raises(ScenarioError, match="must nest at most 50 deep"):
        from_dict(circle)


@given(st.text(max_size=100))
def test_shown_text_is_one_harmless_line(text: str) -> None:
    for said in (shown(text), dotted((text, 1, text))):
        assert said.isprintable()
    assert len(shown(text)) < 700


def test_near_finds_the_nearest_whatever_the_case() -> None:
    assert near("ANBAAR", ["Anbar", "Basra"]) == "did you mean 'Anbar'?"
    assert near("London", ["Anbar", "Basra"]) == ""
