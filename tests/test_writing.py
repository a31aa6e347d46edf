"""Writing: the explicit form is a fixed point, and the digest is of content alone."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from simlib.errors import ScenarioError
from simlib.scenario import digest, from_dict, load, load_text, resolve

GOOD = sorted((Path(__file__).parent / "good_scenarios").glob("*.yaml"))

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
NAMES = st.from_regex(r"[A-Za-z\u00d8-\u00f6][A-Za-z0-9_ .'&-]{0,12}", fullmatch=True)
NUMBERS = st.floats(0, 1e300) | st.integers(0, 10**15)
PARAMETERS = st.fixed_dictionaries(
    {"value": st.floats(allow_nan=False, allow_infinity=False), "unit": TEXT, "judgement": TEXT}
)
SCENARIOS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "simlib": st.just(1),
        "name": NAMES,
        "context_of_use": TEXT,
        "start": st.dates(dt.date(1950, 1, 1), dt.date(2050, 1, 1)),
        "end": st.dates(dt.date(2050, 1, 1), dt.date(2050, 12, 31)),
        "places": st.dictionaries(NAMES, st.fixed_dictionaries({"country": NAMES}), max_size=4),
        "parameters": st.dictionaries(NAMES, PARAMETERS, max_size=4),
        "state": st.dictionaries(
            NAMES, st.fixed_dictionaries({"unit": TEXT, "start": NUMBERS, "note": TEXT}), max_size=4
        ),
        "history_days": st.floats(0, 3650),
        "root_seed": st.integers(0, 2**63 - 1),
    }
)


@settings(max_examples=60)
@given(SCENARIOS)
def test_written_text_is_read_back(content: dict[str, Any]) -> None:
    """Whatever text and numbers a scenario holds, the text holds the same."""
    try:
        scenario = from_dict(content)
    except ScenarioError as error:
        # The only thing that these contents may break.
        assert "differ only in case" in str(error)  # noqa: PT017
        return
    written = resolve(scenario)
    assert load_text(written) == scenario
    assert resolve(load_text(written)) == written
    assert digest(load_text(written)) == digest(scenario)


def shuffled(content: Any, random: Any) -> Any:
    """Return the same content with the keys of every mapping in another order."""
    if isinstance(content, dict):
        keys = list(content)
        random.shuffle(keys)
        return {key: shuffled(content[key], random) for key in keys}
    if isinstance(content, list):
        return [shuffled(item, random) for item in content]
    return content


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
@settings(max_examples=8)
@given(random=st.randoms(use_true_random=False))
def test_order_of_keys_does_not_enter_the_digest(path: Path, random: Any) -> None:
    scenario = load(path)
    content = scenario.model_dump(mode="json", by_alias=True, exclude_none=True)
    again = from_dict(shuffled(content, random))
    assert again == scenario
    assert digest(again) == digest(scenario)


def test_comments_and_style_do_not_enter_the_digest() -> None:
    path = next(path for path in GOOD if path.stem == "base")
    plain = path.read_text(encoding="utf-8")
    spelt = plain.replace("low: 1,", "low: 1.0e0,").replace("name: base", "name: 'base' # here")
    assert spelt != plain
    assert digest(load_text(spelt)) == digest(load_text(plain))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("root_seed: 1", "root_seed: 2"),
        ("Iraq", "Irak"),
        ("A test", "A test."),
        ("start: 1", "start: 1.5"),
    ],
)
def test_content_enters_the_digest(before: str, after: str) -> None:
    """Negative control: a change of content is another digest."""
    text = (
        "simlib: 1\nname: small\ncontext_of_use: A test\nstart: 2025-01-01\nend: 2025-12-31\n"
        "places: {Anbar: {country: Iraq}}\nroot_seed: 1\nstate: {x: {unit: a, start: 1}}\n"
    )
    changed = text.replace(before, after, 1)
    assert digest(load_text(text)) != digest(load_text(changed))


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_written_text_is_plain_yaml(path: Path) -> None:
    """Other readers need nothing of ours: PyYAML's safe loader reads the same keys and text."""
    scenario = load(path)
    read = yaml.safe_load(resolve(scenario))
    assert read["context_of_use"] == scenario.context_of_use
    assert list(read["places"]) == list(scenario.places)
    assert all(len(line) <= 100 or ': "' in line for line in resolve(scenario).splitlines())


def test_order_of_the_file_is_kept() -> None:
    """Outcomes are shown in the order in which they were declared."""
    path = next(path for path in GOOD if path.stem == "incidents_of_every_kind")
    scenario = load(path)
    assert list(scenario.outcomes)[:3] == ["attacks", "deaths", "press"]
    assert list(load_text(resolve(scenario)).outcomes) == list(scenario.outcomes)
