"""The founding article: every fact is carried by some part of the model."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from simlib.scenario import load
from simlib.scenario.bundled import folder

if TYPE_CHECKING:
    from simlib.scenario.schema import Scenario

KINDS = {
    "agent": "agents",
    "state": "state",
    "milestone": "timeline",
    "parameter": "parameters",
    "incident": "incidents",
    "posture": "postures",
    "decision": "decisions",
    "place": "places",
}


@pytest.fixture(scope="module")
def theatre() -> Scenario:
    return load("theatre")


def _facts() -> list[dict[str, Any]]:
    text = (folder("seeds") / "article.yaml").read_text(encoding="utf-8")
    facts: list[dict[str, Any]] = yaml.safe_load(text)["facts"]
    return facts


def _register() -> set[str]:
    path = folder("seeds") / "parameters.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return {row["id"] for row in csv.DictReader(file)}


def missing_parts(facts: list[dict[str, Any]], theatre: Scenario) -> list[str]:
    """Return facts that nothing carries, and parts that do not exist."""
    register = _register()
    missing = []
    for fact in facts:
        parts = fact.get("carried_by") or []
        if not parts:
            missing.append(f"{fact['id']}: carried by nothing")
        for part in parts:
            ((kind, name),) = part.items()
            known = register if kind == "register" else getattr(theatre, KINDS[kind])
            if name not in known:
                missing.append(f"{fact['id']}: no {kind} {name!r}")
    return missing


def test_every_fact_is_carried(theatre: Scenario) -> None:
    facts = _facts()
    assert len(facts) >= 40
    assert missing_parts(facts, theatre) == []


def test_facts_have_names_of_their_own_and_a_kind() -> None:
    facts = _facts()
    assert len({fact["id"] for fact in facts}) == len(facts)
    assert {fact["kind"] for fact in facts} == {"actor", "system", "place", "date", "claim"}


def test_a_fact_carried_by_nothing_is_found(theatre: Scenario) -> None:
    """Negative control: an empty list and an unknown part are both reported."""
    facts: list[dict[str, Any]] = [
        {"id": "empty", "carried_by": []},
        {"id": "wrong", "carried_by": [{"state": "isf.submarines"}]},
    ]
    assert missing_parts(facts, theatre) == [
        "empty: carried by nothing",
        "wrong: no state 'isf.submarines'",
    ]
