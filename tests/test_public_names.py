"""The one door of the library: few names, sorted, and nothing heavy behind it."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

import simlib
from simlib import analysis, evidence

HEAVY = ("dask", "loky", "matplotlib", "numba", "pandas", "pyarrow", "scipy", "xarray")


def test_there_are_few_public_names_and_they_are_sorted() -> None:
    names = dir(simlib)
    assert 15 < len(names) <= 22
    assert names == sorted(names)


@pytest.mark.parametrize(
    ("module", "name"),
    [(module, name) for module in (simlib, analysis, evidence) for name in dir(module)],
)
def test_every_public_name_is_there(module: ModuleType, name: str) -> None:
    assert getattr(module, name) is not None


def test_a_star_stands_for_the_public_names() -> None:
    names: dict[str, object] = {}
    exec("from simlib import *", names)
    assert set(dir(simlib)) <= set(names)
    assert names["open"] is simlib.open


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="No simlib attribute simulat"):
        simlib.simulat  # type: ignore[attr-defined]  # noqa: B018


def test_importing_simlib_loads_nothing_heavy_and_takes_no_time() -> None:
    code = (
        "import time; began = time.perf_counter(); import simlib; "
        "seconds = time.perf_counter() - began; import json, sys; "
        "print(json.dumps([seconds, sorted(sys.modules)]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    seconds, modules = json.loads(done.stdout)
    assert not set(HEAVY) & set(modules)
    assert seconds < 0.3


def test_the_version_stands_in_one_place() -> None:
    project = Path(__file__).parents[1] / "pyproject.toml"
    build = tomllib.loads(project.read_text())
    assert build["project"]["dynamic"] == ["version"]
    assert build["tool"]["hatch"]["version"]["path"] == "simlib/_version.py"
    assert simlib.__version__.count(".") == 2
