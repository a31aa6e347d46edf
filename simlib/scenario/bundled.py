"""Scenarios and seeds that come with simlib."""

from __future__ import annotations

import csv
import functools
from collections.abc import Mapping
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


@functools.cache
def folder(name: str) -> Path:
    """The folder ``scenarios`` or ``seeds``, of a wheel or of a checkout."""
    inside = _PACKAGE / "_data" / name
    return inside if inside.is_dir() else _PACKAGE.parent / name


@functools.cache
def scenario_folders() -> tuple[Path, ...]:
    """The folders of the bundled scenarios: ``scenarios`` and those in it.

    A folder beside a scenario of its name has the files that this scenario includes.
    """
    root = folder("scenarios")
    inner = (path for path in root.glob("*") if path.is_dir())
    return (root, *sorted(path for path in inner if not path.with_suffix(".yaml").exists()))


@functools.cache
def scenario_files() -> dict[str, Path]:
    """The files of the bundled scenarios by name."""
    return {file.stem: file for place in scenario_folders() for file in place.glob("*.yaml")}


def scenario_names() -> tuple[str, ...]:
    """The names of the bundled scenarios, sorted."""
    return tuple(sorted(scenario_files()))


REGISTER = "parameters.csv"
"""The register among the tables of ``seeds``: what numbers of scenarios rest on."""


@functools.cache
def seed_table(name: str) -> tuple[Mapping[str, str], ...]:
    """The rows of a table below ``seeds`` by column; the second line of the file is the first."""
    with (folder("seeds") / name).open(encoding="utf-8", newline="") as lines:
        return tuple(csv.DictReader(lines))
