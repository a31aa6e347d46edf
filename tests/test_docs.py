"""The pages are true: their Python runs, their keys exist, their links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pytest
import yaml

from built_pages import BACKTESTS, REGISTER, committed, current
from simlib.chance import distributions
from simlib.scenario import schema
from simlib.scenario.models import Model

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").glob("*.md"))]
EXECUTED = (
    *("README.md", "docs/tutorial.md", "docs/agents.md", "docs/ensembles.md"),
    *("docs/counterfactuals.md", "docs/history.md", "docs/analogues.md", "docs/forecasts.md"),
    *("docs/backtests.md", "docs/calibration.md", "docs/excitation.md", "docs/incident_layer.md"),
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
    known = {key for _, key in schema_keys()} | set(distributions.KINDS) | {"extends"}
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
            assert keys <= set(schema.Scenario.model_fields) | {"extends"}, page.name


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


def test_placements_are_documented() -> None:
    """All the places an effect can act at are named."""
    for placement in get_args(get_args(schema.Effect.model_fields["to"].annotation)[0]):
        assert f"`{placement}`" in SCENARIOS
