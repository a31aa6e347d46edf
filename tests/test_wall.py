"""The wall: no general room names a party, a place or a milestone of the theatre.

Which rooms may import the theatre is import-linter's; what stands here are words.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path

import pytest

from simlib.scenario import load

PACKAGE = Path(__file__).resolve().parents[1] / "simlib"
KNOWING = ("theatre", "cli", "_moved")
"""What may know the theatre: itself, the commands that ask its questions, and old names."""
STILL = {"analysis": 99, "evidence": 102, "plot": 3}
"""Rooms that still name it, and in how many lines at most; what leaves is taken off here."""
MORE = (
    *("ISIL", "Daesh", "PMF", "SNA", "Iran", "Iranian", "Iraqi", "Syrian", "Israeli"),
    *(
        "Turkey",
        "Turkish",
        "Türkiye",
        "Kurdish",
        "Kurdistan",
        "Ghweran",
        "al-Hol",
        "joint committee",
    ),
)
"""What else the parties and places are called."""


@functools.cache
def _names() -> re.Pattern[str]:
    theatre = load("theatre")
    countries = {place.country for place in theatre.places.values() if place.country}
    names = {*theatre.places, *countries, *theatre.agents, *theatre.timeline, *MORE}
    words = sorted((re.split(r"[\W_]+", name) for name in names), reverse=True)
    either = "|".join(r"[\W_]".join(map(re.escape, parts)) for parts in words)
    return re.compile(rf"(?<![^\W_])({either})s?(?![^\W_])", re.IGNORECASE)


def named(text: str) -> list[int]:
    """Return the lines of a text that name the theatre, from 1."""
    # SciPy's inverse survival and probability mass functions are called so too.
    lines = enumerate(text.replace(".isf(", "(").replace(".pmf(", "(").splitlines(), 1)
    return [i for i, line in lines if _names().search(line)]


def _rooms() -> list[str]:
    children = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or path.is_dir()}
    return sorted(children - {*KNOWING, "_data", "py", "__pycache__"})


def _lines(room: str) -> list[str]:
    files = [PACKAGE / f"{room}.py", *sorted((PACKAGE / room).rglob("*.py"))]
    return [
        f"{file.relative_to(PACKAGE)}:{line}"
        for file in files
        if file.is_file()
        for line in named(file.read_text(encoding="utf-8"))
    ]


@pytest.mark.parametrize("room", _rooms())
def test_a_general_room_names_nothing_of_the_theatre(room: str) -> None:
    found = _lines(room)
    if len(found) > STILL.get(room, 0):
        pytest.fail(f"{len(found)} lines of {room}: {', '.join(found)}")


def test_the_rooms_are_found() -> None:
    """Negative control: the theatre itself is full of names."""
    assert {"agents", "chance", "ensemble", "errors", "journal", "scenario", "world"} < {*_rooms()}
    assert len(_lines("theatre")) > 100


@pytest.mark.parametrize(
    "line",
    ["isis_attack", "AHEAD of ISIS", "iraq_mission_end", "the Iraqi army", "Deir ez-Zor", "TANF"],
)
def test_a_name_is_found(line: str) -> None:
    assert named(f"nothing here\n{line}") == [2]


@pytest.mark.parametrize(
    "line", ["crisis", "committed", "irrational", "isfinite", "sdfx", "law.isf(0.1)"]
)
def test_what_only_looks_like_a_name_is_none(line: str) -> None:
    assert named(line) == []
