"""Negative controls: an engine with a fault fails the exam that the shipped one passes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simlib.chance.compiling import sources_digest
from verification.exams import LIMIT
from verification.mutants import COMPILED, INTERPRETED, Mutant, copy_package, examine_copy

TIMES = (0.0, 3.0, 6.0, 10.0, 15.0, 20.0, 25.0, 26.0, 30.0, 40.0, 50.0)


def passes(result: dict[str, Any]) -> bool:
    return bool(result["z"] < LIMIT and result["yc"] < LIMIT)


def shown(name: str, result: dict[str, Any]) -> str:
    return f"{name}: max |Z| = {result['z']:.2f}, max |Yc| = {result['yc']:.2f}"


ORDINARY = "an intensity one incident stale"
"""Each fault of compiled code takes a compilation of its own: one here, all as an exam."""


@pytest.mark.parametrize(
    "mutant",
    [
        pytest.param(each, id=each.name, marks=[] if each.name == ORDINARY else pytest.mark.exam)
        for each in COMPILED
    ],
)
def test_fault_of_compiled_code_fails(mutant: Mutant, tmp_path: Path) -> None:
    """Other sources were compiled, and the exam finds out."""
    copy = copy_package(tmp_path)
    for edit in mutant.edits:
        edit.apply(copy)
    result = examine_copy(copy, mutant.case, mutant.n, TIMES)
    print(shown(mutant.name, result))  # noqa: T201
    assert result["compiled"] != sources_digest()
    assert not passes(result)


def test_faults_of_interpreted_code_fail_and_the_copy_itself_passes(tmp_path: Path) -> None:
    """One copy takes every exam of a mutant and passes; then one fault after the other.

    They share the copy so that it is compiled once: numba's cache goes by path.
    """
    copy = copy_package(tmp_path)
    exams = {(mutant.case, mutant.n) for mutant in (*COMPILED, *INTERPRETED)}
    for case, n in sorted(exams):
        result = examine_copy(copy, case, n, TIMES)
        print(shown(f"no fault, {case} with n = {n}", result))  # noqa: T201
        assert result["compiled"] == sources_digest()
        assert passes(result)
    whole = result["sources"]
    for mutant in INTERPRETED:
        originals = {edit.file: (copy / edit.file).read_bytes() for edit in mutant.edits}
        for edit in mutant.edits:
            edit.apply(copy)
        result = examine_copy(copy, mutant.case, mutant.n, TIMES)
        print(shown(mutant.name, result))  # noqa: T201
        assert result["sources"] != whole
        assert not passes(result)
        for file, text in originals.items():
            (copy / file).write_bytes(text)
