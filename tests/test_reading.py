"""Reading: strict, quick, and with nothing but a scenario or a ScenarioError to show for it."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simlib.errors import Problem, ScenarioError
from simlib.scenario import check, from_dict, load, load_text
from simlib.scenario.reading import MOST_BYTES
from simlib.scenario.scalars import core_value
from simlib.scenario.schema import Scenario
from simlib.scenario.wording import dotted, near, shown

HERE = Path(__file__).parent
GOOD = sorted((HERE / "good_scenarios").glob("*.yaml"))
SMALL = """simlib: 1
name: small
context_of_use: A test.
start: 2025-01-01
end: 2025-12-31
places: {}
"""


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


def test_large_file_is_refused_by_its_size(tmp_path: Path) -> None:
    """100 MB (a hole on the disk) are not read."""
    path = tmp_path / "large.yaml"
    with path.open("wb") as file:
        file.truncate(100_000_000)
    began = time.perf_counter()
    (problem,) = check(path)
    assert time.perf_counter() - began < 0.1
    assert problem.rule == f"must be at most {MOST_BYTES} bytes (got 100000000 bytes)"


WITHIN = MOST_BYTES - 200
PLACES = SMALL.replace("{}", "") + "".join(f"  P{i}: {{country: A}}\n" for i in range(12_000))
FINE = {"places", "neighbors", "parameters", "expressions", "milestones", "comment", "lines"}
"""The kinds that are scenarios; all others are refused."""
LARGE = {
    "keys": SMALL + "".join(f"k{i}: 1\n" for i in range(WITHIN // 10)),
    "unknown keys, few enough": SMALL + "".join(f"key_{i}_{'x' * 9}: 1\n" for i in range(40_000)),
    "flow": SMALL + "a: [" + "1," * (WITHIN // 2) + "]\n",
    "places": PLACES,
    "bad places": SMALL.replace("{}", "") + "".join(f"  P{i}: {{k: 1}}\n" for i in range(12_000)),
    "too many places": SMALL.replace("{}", "")
    + "".join(f"  P{i}: {{k: 1}}\n" for i in range(48_000)),
    "neighbors": SMALL.replace("{}", "")
    + "".join(f"  P{i}: {{}}\n" for i in range(5_000))
    + "neighbors:\n"
    + "".join(f"  - [P{i}, P{i + 1}]\n" for i in range(4_900)),
    "milestones": SMALL
    + "timeline:\n  m0: {date: 2025-02-02}\n"
    + "".join(f"  m{i}: {{date: 2025-02-02, conditional_on: m{i - 1}}}\n" for i in range(1, 8_000)),
    "types": SMALL.replace("{}", "{A: {}}")
    + "incidents:\n"
    + "".join(
        f"  t{i}: {{groups: {{g: {{target: a, level: {{A: 1}}}}}}, "
        f"excites: [{{type: t{i // 2}, ratio: 0.5, decay_days: 1}}]}}\n"
        for i in range(2_200)
    ),
    "factors": SMALL.replace("{}", "")
    + "".join(f"  P{i}: {{}}\n" for i in range(5_000))
    + "state:\n"
    + "".join(f"  v{i}: {{unit: a, over: governorate}}\n" for i in range(2_000))
    + "incidents:\n  t:\n    groups:\n      g:\n        target: a\n        level:\n"
    + "".join(f"          P{i}: 1\n" for i in range(5_000))
    + "        factors:\n"
    + "".join(f"          f{i}: {{value: v{i}}}\n" for i in range(2_000)),
    "outcomes": SMALL.replace("{}", "{A: {}}")
    + "incidents:\n"
    + "".join(f"  t{i}: {{groups: {{g: {{target: a{i}, level: {{}}}}}}}}\n" for i in range(300))
    + "outcomes:\n"
    + "".join(f"  o{i}: {{count: t{i % 300}, target: b, in: C}}\n" for i in range(5_000)),
    "parameters": SMALL
    + "parameters:\n"
    + "".join(f"  p{i}: {{value: 1, unit: a, judgement: b}}\n" for i in range(6_000)),
    "expressions": SMALL
    + "parameters:\n  p0: {value: 1, unit: a, judgement: b}\n"
    + "".join(
        f"  p{i}: {{expression: p{i - 1} * 1, unit: a, judgement: b}}\n" for i in range(1, 6_000)
    ),
    "undefined": SMALL
    + "neighbors:\n"
    + "".join(f"  - [Pxxx{i}, Pyyy{i}]\n" for i in range(30_000)),
    "comment": SMALL + "#" * WITHIN,
    "text": SMALL + "note: '" + "x" * WITHIN + "'\n",
    "spaces": SMALL + "note: x" + " " * WITHIN + "y\n",
    "lines": SMALL + "\n" * WITHIN,
    "digits": SMALL + "replications: " + "9" * WITHIN + "\n",
    "decimals": SMALL + "replications: 0." + "9" * WITHIN + "\n",
    "commas": SMALL + "replications: " + "1," * (WITHIN // 2) + "\n",
    "colons": SMALL + "replications: " + "1:" * (WITHIN // 2) + "1\n",
    "brackets": SMALL + "a: " + "[" * WITHIN + "\n",
    "braces": SMALL + "a: " + "{" * WITHIN + "\n",
    "questions": SMALL + "? " * (WITHIN // 2) + "\n",
    "dashes": SMALL + "a:\n " + "- " * (WITHIN // 2) + "\n",
    "quotes": SMALL + "a: " + '"' * WITHIN + "\n",
    "anchors": SMALL + "".join(f"a{i}: &a{i} x\n" for i in range(50_000)),
    "aliases": SMALL + "a: &a x\nb: [" + "*a," * (WITHIN // 3) + "]\n",
    "tags": SMALL + "a: [" + "!t x," * (WITHIN // 5) + "]\n",
    "documents": SMALL + "---\n" * (WITHIN // 4),
    "name": SMALL.replace("name: small", "name: " + "x" * WITHIN),
}


@pytest.mark.parametrize("kind", LARGE)
def test_megabyte_of_anything_takes_less_than_a_second(kind: str) -> None:
    """Either it is a scenario or it is refused; the time is this process's own."""
    text = LARGE[kind]
    assert len(text) <= MOST_BYTES
    began = time.process_time()
    try:
        load_text(text)
    except ScenarioError as error:
        said = str(error)
    else:
        said = ""
    assert time.process_time() - began < 1
    assert (said == "") == (kind in FINE)


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
