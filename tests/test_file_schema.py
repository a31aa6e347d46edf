"""The JSON Schema of scenario files: what is right passes, what is plainly wrong is marked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from simlib.scenario import bundled, schema
from simlib.scenario.file_schema import file_schema
from simlib.scenario.nodes import Mapping, Node, Scalar
from simlib.scenario.schema import Model
from simlib.scenario.yaml_text import Budget, read_file, read_text
from support.commands import call

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
GOOD = [
    *bundled.scenario_files().values(),
    *sorted(bundled.folder("scenarios").glob("theatre/*.yaml")),
    *sorted((HERE / "good_scenarios").rglob("*.yaml")),
]
VALIDATOR = Draft202012Validator(file_schema())


def plain(node: Node) -> Any:
    """Return what an editor sees of a tree."""
    if isinstance(node, Scalar):
        return node.text if node.quoted else node.value
    if isinstance(node, Mapping):
        return {key: plain(item) for key, item in node.items.items()}
    return [plain(item) for item in node.items]


def wrong(tree: Mapping) -> list[str]:
    """Return where an editor marks something, and what."""
    return [f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(plain(tree))]


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(file_schema())


@pytest.mark.parametrize("file", GOOD, ids=lambda file: file.stem)
def test_what_is_right_passes(file: Path) -> None:
    assert wrong(read_file(file, str(file), Budget())) == []


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("optoins: {}", "$: "),
        ("start: [2025]", "$.start: "),
        ("replications: many", "$.replications: "),
        ("options: {a: {timeline.x: {shft: 1 month}}}", "$.options.a"),
        ("design: sobl", "$.design: "),
        ("outcomes: {a: {count: raid, reduce: median}}", "$.outcomes.a.reduce: "),
        ("places: {A: {kind: town, contry: Iraq}}", "$.places.A"),
        ("parameters: {a: {value: {times: 2}}}", "$.parameters.a.value: "),
    ],
)
def test_what_is_plainly_wrong_is_marked_where_it_stands(text: str, where: str) -> None:
    found = wrong(read_text(text, "here", Budget()))
    assert found
    assert all(line.startswith(where) for line in found)


def described() -> Iterator[tuple[str, str, str]]:
    """Yield every model and key of the schema whose field has a docstring of its own."""
    source = Path(schema.__file__).read_text(encoding="utf-8")
    for name, model in vars(schema).items():
        if isinstance(model, type) and issubclass(model, Model) and model is not Model:
            for field, info in model.model_fields.items():
                after = source.partition(f"class {name}(")[2].partition(f"\n    {field}: ")[2]
                line = after.split("\n")[1].strip() if after else ""
                if line.startswith('"""'):
                    yield name, info.alias or field, line.strip('"')


def test_what_the_models_say_of_a_key_is_its_description() -> None:
    found = file_schema()
    keys = list(described())
    assert len(keys) > 50
    for model, key, line in keys:
        of = found if model == "Scenario" else found["$defs"].get(model)
        if of is not None:  # bases of models stand nowhere
            assert of["properties"][key]["description"].startswith(line), f"{model}.{key}"


def test_the_command_prints_it() -> None:
    assert json.loads(call("schema").stdout) == file_schema()
