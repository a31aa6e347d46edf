"""Results say, show, draw and save themselves one way; long work is told where to run one way."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pandas as pd
import pytest

import simlib
from simlib import analysis, evidence
from simlib.ensemble.execution import Execution
from simlib.finding import Finding

PACKAGE = Path(simlib.__file__).parent
WHERE = ("jobs", "scheduler", "directory", "progress")
"""What says where work runs."""
SIMULATES = {"replications", "samples", "trajectories", "n_draws", "directory", "jobs", "progress"}
"""An argument of one of these names tells that a function simulates, or forecasts at length."""
READS = {"discover", "monthly_counts", "reached_within", "simulated_times"}
"""Public functions that have such an argument and only work on arrays or on results."""


def bases() -> dict[str, tuple[set[str], set[str]]]:
    """Return the names of the bases and of the methods of every class, by its name."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                methods = {each.name for each in node.body if isinstance(each, ast.FunctionDef)}
                found[node.name] = ({ast.unparse(base) for base in node.bases}, methods)
    return found


def keeps(name: str, classes: dict[str, tuple[set[str], set[str]]]) -> bool:
    """Whether a class is a finding, itself or by a base."""
    above = classes[name][0] & (classes.keys() | {"Finding"})
    return "Finding" in above or any(keeps(each, classes) for each in above)


def test_whatever_says_and_tabulates_is_a_finding() -> None:
    classes = bases()
    results = {n for n, (_, methods) in classes.items() if {"sentences", "table"} <= methods}
    results |= {n for n, (_, methods) in classes.items() if "briefs" in methods}
    results -= {"Finding"}
    assert len(results) >= 15
    assert {name for name in results if not keeps(name, classes)} == set()


def test_a_result_outside_the_protocol_is_found() -> None:
    classes = {
        "A": ({"Finding"}, {"table"}),
        "B": ({"A"}, set[str]()),
        "C": (set[str](), {"table"}),
    }
    assert [name for name in classes if keeps(name, classes)] == ["A", "B"]


def public() -> list[tuple[str, inspect.Signature]]:
    """Return the public functions that simulate."""
    found = {}
    for room in (simlib, analysis, evidence):
        for name in dir(room):
            each = getattr(room, name)
            if inspect.isfunction(each) and name not in READS:
                signature = inspect.signature(each)
                named = set(signature.parameters) & SIMULATES
                is_open = any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values())
                if named or is_open:
                    found[name] = signature
    return sorted(found.items())


@pytest.mark.parametrize(("name", "signature"), public())
def test_public_functions_say_where_work_runs_in_one_way(
    name: str, signature: inspect.Signature
) -> None:
    last = list(signature.parameters.values())[-1]
    if last.kind is last.VAR_KEYWORD:
        assert str(last.annotation) in {"Unpack[Execution]", "Unpack[Running]"}, name
    else:
        assert set(WHERE) <= set(signature.parameters), name


def test_execution_is_these_arguments() -> None:
    assert set(WHERE) == Execution.__optional_keys__


def test_an_ensemble_says_shows_and_saves_itself(tmp_path: Path) -> None:
    ensemble = simlib.run("as_agreed", options=["as_agreed", "extend_12m"], replications=4, jobs=1)
    assert isinstance(ensemble, Finding)
    assert ensemble.sentences()[1] == "as_agreed: 8 replications of as_agreed, extend_12m"
    assert list(ensemble.brief().columns[:4]) == ["option", "outcome", "category", "shown"]
    assert ensemble._repr_html_().startswith("<p>Compare keeping")
    figures = ensemble.figures()
    assert {"probabilities", "topic-isis", "maps", "exit-iraq_mission_end"} <= set(figures)
    one = ensemble.of("as_agreed")
    written = one.save(tmp_path)
    assert {path.stem for path in written} == {"outcomes", *one.figures()}
    assert len(pd.read_csv(tmp_path / "outcomes.csv")) == len(one.table())
