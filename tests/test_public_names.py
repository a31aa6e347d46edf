"""The one door of the library: few names, sorted, and nothing heavy behind it."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import simlib

HEAVY = ("dask", "loky", "matplotlib", "numba", "pandas", "pyarrow", "scipy", "xarray")


def test_there_are_few_public_names_and_they_are_sorted() -> None:
    assert len(simlib.__all__) <= 20
    assert simlib.__all__ == sorted(simlib.__all__)
    assert dir(simlib) == simlib.__all__


@pytest.mark.parametrize("name", simlib.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(simlib, name) is not None


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'simlib' has no attribute 'simulat'"):
        simlib.simulat  # noqa: B018


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
