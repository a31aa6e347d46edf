"""Every file of the corpus: bad ones with their exact messages, good ones to a fixed point."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from simlib.errors import ScenarioError
from simlib.scenario import check, digest, load, load_text, resolve
from simlib.scenario.context import Context
from simlib.scenario.fitting import ProblemLog
from simlib.scenario.schema import Model, Ref, Registered
from support.counting import n_calls

HERE = Path(__file__).parent
BAD = sorted((HERE / "bad_scenarios").glob("*.yaml"))
GOOD = sorted((HERE / "good_scenarios").glob("*.yaml"))

LINE = re.compile(r"[a-z0-9_]+\.yaml:[1-9]\d*:[1-9]\d*: \S.*|and [1-9]\d* more", re.IGNORECASE)


@pytest.fixture(scope="module", autouse=True)
def _imported() -> None:
    """Import what loads when it is first needed: it is no work of the file that needs it."""
    load(HERE / "good_scenarios" / "parameters_of_every_kind.yaml")


def messages(path: Path) -> str:
    """Return what loading a file raises, without the folder it lies in."""
    with pytest.raises(ScenarioError) as caught:
        load(path)
    return str(caught.value).replace(f"{path.parent}{os.sep}", "")


def test_the_corpus_is_there() -> None:
    """An empty folder would pass every test below."""
    assert len(BAD) >= 250
    assert len(GOOD) >= 18
    assert [bad.with_suffix(".txt") for bad in BAD] == sorted(BAD[0].parent.glob("*.txt"))


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_bad_scenario_says_what_is_wrong(path: Path) -> None:
    """The messages are those beside the file, to the letter, and no bomb goes off.

    No file here needs 20,000 calls; reading the bundled theatre takes 600,000.
    """
    said: list[str] = []
    assert n_calls(lambda: said.append(messages(path))) < 200_000
    assert f"{said[0]}\n" == path.with_suffix(".txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_messages_keep_the_form(path: Path) -> None:
    """Place, path, rule, hint on one line; at most 20; no full stop and nothing to obey."""
    lines = path.with_suffix(".txt").read_text(encoding="utf-8").split("\n")
    assert lines.pop() == ""
    assert 1 <= len(lines) <= ScenarioError.SHOWN + 1
    for line in lines:
        assert LINE.fullmatch(line)
        assert "invalid" not in line.lower()
        assert not line.endswith(".")
        assert line.isprintable()
        assert len(line) < 500


def test_nothing_a_file_says_is_run() -> None:
    """The canary that several bad files would make lies nowhere."""
    for path in BAD:
        if b"canary" in path.read_bytes():
            messages(path)
    assert sum(b"canary" in path.read_bytes() for path in BAD) >= 2
    assert not Path("canary").exists()


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_good_scenario_is_a_fixed_point(path: Path) -> None:
    """Reading what was written gives an equal scenario, writing that the same text."""
    assert check(path) == []
    scenario = load(path)
    written = resolve(scenario)
    again = load_text(written)
    assert again == scenario
    assert resolve(again) == written
    assert digest(again) == digest(scenario)


def references(annotation: Any) -> Iterator[Ref]:
    """Yield every reference below a type."""
    if isinstance(annotation, Ref):
        yield annotation
    for inner in get_args(annotation):
        yield from references(inner)


def test_every_reference_of_the_schema_is_to_something_a_scenario_has() -> None:
    """Each kind of name that the models refer to is one that is looked up."""
    found = {
        ref.among or ref.what
        for model in (*Model.__subclasses__(), *Registered.__subclasses__())
        for field in model.model_fields.values()
        for ref in (*field.metadata, *references(field.annotation))
        if isinstance(ref, Ref)
    }
    context = Context(load(GOOD[0]), ProblemLog())
    assert found == context.vocabularies.keys()
