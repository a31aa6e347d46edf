"""The wall: no general room names a party, a place or a milestone of the theatre, or imports it.

What stands here are words and imports, also for type checkers and in docstrings;
import-linter (``make check``) sees the imports between rooms as a whole.
"""

from __future__ import annotations

import ast
import functools
import importlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import simlib
from simlib import _moved, evidence
from simlib.scenario import load
from simlib.theatre.record.fitters import POOLS
from simlib.theatre.record.monthly import shipped_parts

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(simlib.__file__).parent
KNOWING = ("theatre", "cli", "_moved")
"""What may know the theatre: itself, the commands that ask its questions, old names."""
STILL: dict[str, int] = {}
"""Rooms that still name it, and in how many lines at most; what leaves is taken off here."""
SPELLED = (
    *("isf", "isis", "isil", "daesh", "islamic state", "pkk", "sdf", "sna", "hts", "ypg", "pmf"),
    *("iran", "iranian", "iraqi", "syrian", "israeli", "turkey", "turkish", "türkiye"),
    *("kurd", "kurds", "kurdish", "kurdistan", "ghweran", "al-hol", "tanf", "mosul"),
    *("coalition", "committee", "afghanistan", "mali", "sohr", "centcom"),
)
"""Parties and places as they are spelled, and what the scenario has no name of its own for."""


@functools.cache
def _named() -> re.Pattern[str]:
    """Return what finds any party, place, milestone, incident, posture or series."""
    theatre = load("theatre")
    countries = {place.country for place in theatre.places.values() if place.country}
    ours = {
        *theatre.agents, *theatre.places, *countries, *theatre.timeline,
        *theatre.incidents, *theatre.postures, *theatre.series,
    }  # fmt: skip
    words = "|".join(sorted(map(re.escape, ours | set(SPELLED)), key=len, reverse=True))
    # ``law.isf`` is SciPy's inverse survival function, ``isfinite`` no party either.
    return re.compile(rf"(?<![a-z.])({words})(?![a-z])", re.IGNORECASE)


def naming(source: str) -> list[int]:
    """Return the lines that name something of the theatre."""
    lines = enumerate(source.splitlines(), start=1)
    return [number for number, line in lines if _named().search(line)]


def importing(source: str) -> Iterator[int]:
    """Yield the line of every import of `simlib.theatre`, for type checkers too."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                found = [alias.name for alias in names]
            case ast.ImportFrom(module=str(module), names=names):
                found = [f"{module}.{alias.name}" for alias in names]
            case _:
                continue
        if any(name.startswith("simlib.theatre") for name in found):
            yield node.lineno


def _rooms() -> list[str]:
    children = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or path.is_dir()}
    return sorted(children - {*KNOWING, "_data", "py", "__pycache__"})


def _files(room: str) -> list[Path]:
    files = [PACKAGE / f"{room}.py", *sorted((PACKAGE / room).rglob("*.py"))]
    return [file for file in files if file.is_file()]


def _lines(room: str) -> list[str]:
    return [
        f"{file.relative_to(PACKAGE)}:{line}"
        for file in _files(room)
        for line in naming(file.read_text(encoding="utf-8"))
    ]


@pytest.mark.parametrize("room", _rooms())
def test_a_general_room_names_nothing_of_the_theatre(room: str) -> None:
    found = _lines(room)
    if len(found) > STILL.get(room, 0):
        pytest.fail(f"{len(found)} lines of {room}: {', '.join(found)}")


@pytest.mark.parametrize("room", _rooms())
def test_a_general_room_imports_nothing_of_the_theatre(room: str) -> None:
    assert [file for file in _files(room) if list(importing(file.read_text("utf-8")))] == []


def test_the_rooms_are_found() -> None:
    """Negative control: the theatre itself is full of names."""
    assert {"agents", "chance", "ensemble", "errors", "journal", "scenario", "world"} < {*_rooms()}
    assert len(_lines("theatre")) > 100


@pytest.mark.parametrize(
    "line",
    [
        'SERIES = ("isf_isis_iraq",)',
        '"""Attacks in Iraq before the first meeting."""',
        "if agent == 'committee':",
        "x = 'ucdp_259'",
        "# Deir ez-Zor",
        "HEARD = ('detention_break',)",
        "the SDF's",
        "iraq_mission_end",
        "AHEAD of ISIS",
        "TANF",
    ],
)
def test_what_names_it_is_found(line: str) -> None:
    assert naming(line) == [1]


@pytest.mark.parametrize(
    "line", ["np.isfinite(x)", "os.path.isfile(x)", "law.isf(0.1)", "counts[259]", "crisis"]
)
def test_what_only_looks_like_it_passes(line: str) -> None:
    assert naming(line) == []


def test_an_import_of_it_is_found() -> None:
    assert list(importing("from simlib.theatre.record import parts")) == [1]
    assert list(importing("if TYPE_CHECKING:\n    import simlib.theatre")) == [2]
    assert list(importing("from simlib.evidence import theatre")) == []


def test_old_names_are_there_and_warn() -> None:
    with pytest.warns(DeprecationWarning, match="from simlib.theatre.record.monthly import"):
        assert getattr(evidence, "shipped_parts") is shipped_parts  # noqa: B009
    with pytest.raises(AttributeError, match=r"No simlib\.evidence attribute shipped_part"):
        getattr(evidence, "shipped_part")  # noqa: B009


@pytest.mark.parametrize("old", _moved.NAMES)
def test_old_name_stands_for_what_moved_and_warns(old: str) -> None:
    room, _, name = old.rpartition(".")
    with pytest.warns(DeprecationWarning, match=f"{old} has moved"):
        found = getattr(importlib.import_module(room), name)
    home, _, renamed = _moved.NAMES[old].partition(":")
    assert found is getattr(importlib.import_module(home), renamed or name)


def test_arguments_that_were_the_theatres_are_still_known_and_warn() -> None:
    with pytest.warns(
        DeprecationWarning, match=r"fitted_excitation\(pools=\) must be given"
    ) as said:
        old = evidence.fitted_excitation()
    assert old == evidence.fitted_excitation(pools=POOLS)
    assert said[0].filename == __file__


def test_every_such_argument_is_asked_for_where_it_stands() -> None:
    """`fit_regimes(regimes=)` in a function of that name with that argument, and each once."""
    calls = re.compile(r'default\("(\w+)\((\w+)=\)"\)')
    found = []
    for module in (file for room in ("analysis", "evidence") for file in _files(room)):
        source = module.read_text(encoding="utf-8")
        for function, argument in calls.findall(source):
            found.append(f"{function}({argument}=)")
            (head,) = re.findall(rf"def {function}\((.*?)\) -> ", source, re.DOTALL)
            assert re.search(rf"\b{argument}: .*\| None = None,", head.rstrip() + ",")
    assert sorted(found) == sorted(_moved.DEFAULTS)


@pytest.mark.parametrize("home", sorted({*_moved.DEFAULTS.values()}))
def test_what_is_taken_for_them_is_there(home: tuple[str, str]) -> None:
    module, attribute = home
    assert getattr(importlib.import_module(module), attribute)
