"""The pages are true: their Python runs, their keys exist, their links lead somewhere."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pytest
import yaml

from built_pages import BACKTESTS, REGISTER, committed, current
from simlib.chance import distributions
from simlib.scenario import schema
from simlib.scenario.resolving import OF_FILES
from simlib.scenario.schema import Model
from simlib.scenario.short_forms import SHORT

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
PAGES = [
    *(ROOT / name for name in ("README.md", "SECURITY.md", "CONTRIBUTING.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]
EXECUTED = (
    *("README.md", "docs/tutorial.md", "docs/agents.md", "docs/ensembles.md"),
    *("docs/counterfactuals.md", "docs/history.md", "docs/analogues.md", "docs/forecasts.md"),
    *("docs/backtests.md", "docs/calibration.md", "docs/excitation.md", "docs/count_forecaster.md"),
    *("docs/report.md", "docs/figures.md"),
)
SCENARIOS = (ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    """Return the fenced blocks of one language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def schema_keys() -> Iterator[tuple[str, str]]:
    """Yield model and key, as written in a file, of every field of the schema."""
    for name, model in vars(schema).items():
        if isinstance(model, type) and issubclass(model, Model):
            for field, info in model.model_fields.items():
                yield name, info.alias or field


@pytest.mark.parametrize("page", EXECUTED)
def test_python_of_page_runs(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Python blocks of a page, one after the other, run as they stand."""
    monkeypatch.chdir(tmp_path)
    sources = blocks((ROOT / page).read_text(encoding="utf-8"), "python")
    assert sources
    namespace: dict[str, object] = {"__name__": "page"}
    for source in sources:
        exec(compile(source, page, "exec"), namespace)


@pytest.mark.parametrize(("model", "key"), list(schema_keys()))
def test_schema_key_is_documented(model: str, key: str) -> None:
    """The page on scenario files names every key there is."""
    assert re.search(rf"`{re.escape(key)}`", SCENARIOS), f"{model}.{key}"


def test_documented_keys_exist() -> None:
    """A key in the first column of a table is in the schema, or names a distribution."""
    known = {key for _, key in schema_keys()} | set(distributions.KINDS) | {*OF_FILES, *SHORT}
    for line in SCENARIOS.splitlines():
        if line.startswith("| `"):
            named = set(re.findall(r"`([a-z_]+)`", line.split("|")[1]))
            assert named <= known, line


def test_every_distribution_is_documented() -> None:
    """The table of distributions is complete."""
    rows = set(re.findall(r"^\| `([a-z_]+)` \|", SCENARIOS, re.MULTILINE))
    assert set(distributions.KINDS) <= rows


def test_yaml_of_pages_parses() -> None:
    """The YAML shown has the top-level keys of a scenario."""
    for page in PAGES:
        for source in blocks(page.read_text(encoding="utf-8"), "yaml"):
            keys = set(yaml.safe_load(source))
            assert keys <= {*schema.Scenario.model_fields, *OF_FILES}, page.name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """A relative link or picture names a file of the project."""
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_a_page_that_is_built_is_the_one_whose_digest_is_committed() -> None:
    """Who builds the back-tests' page sees whether what the pages quote has changed."""
    digests = committed()
    assert set(digests) == {REGISTER, BACKTESTS}
    assert digests == digests | current()


def test_no_built_page_is_committed() -> None:
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {f"/{REGISTER}", "/docs/tables/"} <= set(ignored)


ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def defined(source: str) -> set[str]:
    """Return the functions and classes of a module, methods as `Class.method`."""
    found = set()
    for node in ast.parse(source).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            methods = (each for each in node.body if isinstance(each, ast.FunctionDef))
            found |= {f"{node.name}.{method.name}" for method in methods}
    return found


def missing(text: str) -> list[str]:
    """Return what a page names, as `file`: `function`, and is not there."""
    wrong, names = [], set()
    for name in re.findall(r"`([^`]+)`", text):
        if name.startswith("simlib/"):
            file = ROOT / name
            names = defined(file.read_text(encoding="utf-8")) if file.is_file() else set()
            wrong += [] if file.is_file() else [name]
        elif name not in names and " " not in name:
            wrong.append(name)
    return wrong


def test_the_way_through_the_files_is_there() -> None:
    assert ARCHITECTURE.count("`simlib/") > 20
    assert missing(ARCHITECTURE) == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("`simlib/nowhere.py`: `run`", ["simlib/nowhere.py", "run"]),
        ("`simlib/journal.py`: `Run`, `Walk`", ["Walk"]),
        ("`simlib/journal.py`: `Run.fly`", ["Run.fly"]),
        ("`simlib/journal.py`: `Run` of `simlib run`", []),
    ],
)
def test_a_way_that_is_not_there_is_found(text: str, wrong: list[str]) -> None:
    assert missing(text) == wrong


def test_the_map_shows_every_room() -> None:
    """A room is a package of simlib; the map may show one that is not built yet."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"^  ([a-z]+)/ ", text, re.MULTILINE))
    assert {file.parent.name for file in (ROOT / "simlib").glob("*/__init__.py")} <= shown


def test_placements_are_documented() -> None:
    """All the places an effect can act at are named."""
    for placement in get_args(get_args(schema.IncidentEffect.model_fields["to"].annotation)[0]):
        assert f"`{placement}`" in SCENARIOS
