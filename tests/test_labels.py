"""What outcomes are called, and what they are about."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

import simlib
from simlib.errors import ScenarioError
from simlib.outcomes import label_of
from simlib.scenario import digest, load_text
from simlib.scenario.bundled import scenario_names
from simlib.scenario.spelling import heading, words

if TYPE_CHECKING:
    from pathlib import Path

    from simlib.scenario.schema import Outcome

TEXT = """\
simlib: 1
name: small
context_of_use: Test.
start: 2025-01-01
end: 2025-12-31
places: {East: {}}
incidents: {raid: {groups: {all: {target: anyone, level: {East: 3}}}}}
outcomes:
  raids: {count: raid, label: "Raids, 2025", topic: Violence}
  raids_in_east: {count: raid, in: East}
  quiet: {count: raid, topic: Violence}
"""


def outcomes_of(name: str) -> dict[str, Outcome]:
    return simlib.load(name, is_closed=False).outcomes


@pytest.mark.parametrize("name", scenario_names())
def test_outcomes_of_bundled_scenarios_are_labelled_described_and_about_something(
    name: str,
) -> None:
    outcomes = outcomes_of(name)
    lacking = [n for n, o in outcomes.items() if not (o.label and o.topic and o.description)]
    assert not lacking
    labels = [outcome.label for outcome in outcomes.values()]
    assert len(set(labels)) == len(labels)
    assert all(len(label) <= 72 and label[:1].isupper() and label[-1] != "." for label in labels)
    units = [outcome for outcome in outcomes.values() if f"({outcome.unit})" in outcome.label]
    assert not [outcome.label for outcome in units if outcome.unit]


def test_topics_of_the_headline_stand_together_and_publications_are_last() -> None:
    topics = [outcome.topic for outcome in outcomes_of("as_agreed").values()]
    in_order = list(dict.fromkeys(topics))
    assert in_order[0] == "The deadline"
    assert topics == sorted(topics, key=in_order.index)
    counted = [o.topic for o in outcomes_of("as_agreed").values() if o.series is not None]
    assert set(counted) == {in_order[-1]}


@pytest.fixture(scope="module")
def manifest() -> Any:
    return simlib.run(load_text(TEXT), replications=4, jobs=1)


def test_labels_and_topics_go_with_the_results(manifest: simlib.Ensemble) -> None:
    assert manifest.manifest["outcomes"]["raids"]["label"] == "Raids, 2025"
    assert manifest.manifest["outcomes"]["raids"]["topic"] == "Violence"
    assert manifest.labels == {
        "raids": "Raids, 2025",
        "raids_in_east": "Raids in east",
        "quiet": "Quiet",
    }
    assert manifest.topics == {"Violence": ("raids", "quiet"), "": ("raids_in_east",)}


def test_a_class_stands_behind_its_outcome(manifest: simlib.Ensemble) -> None:
    assert manifest.label("raids") == "Raids, 2025"
    assert manifest.label("raids", "not_yet") == "Raids, 2025: not yet"
    manifest.manifest["question"] = {"terms": {"not_yet": {"label": "Still to come"}}}
    assert manifest.label("raids", "not_yet") == "Raids, 2025: Still to come"


def test_names_are_words_and_numbers_of_a_text_stay() -> None:
    assert heading("counter_isis_operation") == "Counter-ISIS operation"
    assert words("isis.level_iraq > 6.26 and krg_seam is open.") == (
        "ISIS level Iraq > 6.26 and KRG seam is open."
    )
    assert words("extend_12m_from_2025-06-30") == "extend 12m from 2025-06-30"


def test_shares_of_a_governorate_are_said_with_the_name_of_the_place() -> None:
    """Its part of a vector is an identifier; spelled otherwise, it would stay in lower case."""
    scenario = simlib.load("as_agreed")
    parts = {
        part
        for each in scenario.parameters.values()
        for part in ((each.distribution or {}).get("dirichlet") or {})
    }
    places = {re.sub(r"\W", "_", name).lower(): name for name in scenario.places}
    found = {part: places[part] for part in parts & places.keys()}
    assert "dohuk" in found
    assert {part: words(part) for part in found} == found


def test_results_of_before_are_called_by_the_names_of_their_outcomes(
    manifest: simlib.Ensemble,
) -> None:
    for said in manifest.manifest["outcomes"].values():
        said.pop("label", None)
        said.pop("topic", None)
    old = simlib.Ensemble(manifest.directory)
    assert old.labels["raids_in_east"] == label_of("raids_in_east") == "Raids in east"
    assert old.topics == {"": ("raids", "raids_in_east", "quiet")}


def test_what_an_outcome_is_called_does_not_make_another_scenario(tmp_path: Path) -> None:
    renamed = load_text(TEXT.replace("Raids, 2025", "All raids").replace("Violence", "War"))
    assert digest(renamed) == digest(load_text(TEXT))
    longer = load_text(TEXT.replace("in: East", "in: East, from: 2025-02-01"))
    assert digest(longer) != digest(load_text(TEXT))


@pytest.mark.parametrize("words", ['"two\\nlines"', "x" * 101])
def test_a_label_is_a_few_words_on_one_line(words: str) -> None:
    with pytest.raises(ScenarioError, match="label"):
        load_text(TEXT.replace('"Raids, 2025"', words))
