"""The mapping of event files: readable, changeable, and checked to the line."""

from __future__ import annotations

from pathlib import Path

import pytest

from simlib.errors import ScenarioError
from simlib.evidence.history.event_files import load_events
from simlib.evidence.history.mapping import folded, load_mapping
from simlib.scenario import load
from support.data import write_ucdp

SMALL = """\
releases:
  mine: {vintage: Mine, published: 2024-05-01, file: "mine*.csv"}
conflicts: {}
places:
  Iraq:
    Diyala: [Middle]
final_release: "06-30"
candidate_lag_months: 1
rules:
  - series: clashes
    source: UCDP
    country: [Iraq]
    conflict: [259]
    incident: isis_attack
    target: isf
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Return the file of a small mapping."""
    file = tmp_path / "small.yaml"
    file.write_text(SMALL)
    return file


def test_the_shipped_mapping_places_every_governorate() -> None:
    """Each governorate of the theatre has its spellings, and no spelling has two."""
    places = load_mapping().places
    ours = {(country, name) for country, names in places.items() for name in names}
    theatre = load("theatre").places.items()
    theirs = {(p.country, name) for name, p in theatre if p.kind == "governorate"}
    assert ours == theirs
    assert len(load_mapping().governorates()) >= len(ours)


def test_a_mapping_of_ones_own_decides(small: Path, tmp_path: Path) -> None:
    file = write_ucdp(
        tmp_path / "mine_1.csv", {"adm_1": "The MIDDLE province"}, {"adm_1": "Middle"}
    )
    table = load_events(file, mapping=small).table
    assert list(table["series"]) == ["clashes", "clashes"]
    assert list(table["place"]) == ["", "Diyala"]
    assert set(table["vintage"]) == {"Mine"}
    assert {f"{day:%Y-%m-%d}" for day in table["published"]} == {"2024-05-01"}


def test_the_first_rule_that_fits_decides(small: Path, tmp_path: Path) -> None:
    more = SMALL + "  - {series: later, source: UCDP, conflict: [259]}\n"
    small.write_text(more)
    file = write_ucdp(tmp_path / "mine.csv", {}, {"country": "Syria", "adm_1": "Homs"})
    assert list(load_events(file, mapping=small).table["series"]) == ["clashes", "later"]


def test_a_rule_on_sides_alone_never_fits_a_file_without_sides(small: Path, tmp_path: Path) -> None:
    """Else it would fit every row of such a file; with a conflict the conflict tells."""
    rule = "  - {series: sides, source: UCDP, between: [[IS], ['*']]}\n"
    small.write_text(SMALL[: SMALL.index("  - series")] + rule)
    brief = tmp_path / "brief.csv"
    brief.write_text(
        "id,date,country,governorate,type_of_violence,conflict_id,conflict,best,release\n"
        "9,2024-03-05,Iraq,Diyala,1,259,Iraq: Government,4,24.0.3\n"
    )
    assert list(load_events(brief, mapping=small).table["series"]) == [""]
    told = write_ucdp(tmp_path / "mine.csv", {})
    assert list(load_events(told, mapping=small).table["series"]) == ["sides"]


BROKEN = [
    ("incident: isis_attack", "incident: isis_atack",
     "14:15: rules[0].incident: unknown incident type (got 'isis_atack'); did you mean 'isis_a"),
    ("target: isf", "target: ist",
     "15:13: rules[0].target: unknown target of isis_attack (got 'ist'); did you mean 'isf'?"),
    ("    target: isf\n", "",
     "14:15: rules[0].incident: must have a target beside it (got none)"),
    ("    incident: isis_attack\n", "",
     "14:13: rules[0].target: stands without an incident (got 'isf')"),
    ("    Diyala:", "    Diala:",
     "6:12: places.Iraq.Diala: unknown governorate of Iraq (got 'Diala'); did you mean 'Diyala'?"),
    ("country: [Iraq]", "contry: [Iraq]", "12:5: rules[0]: unknown key (got 'contry')"),
    ("source: UCDP", "source: GED", "11:13: rules[0].source: must be UCDP or ACLED (got 'GED')"),
    ("conflict: [259]", "conflict: [Iraq]",
     "13:16: rules[0].conflict[0]: must be a number (got 'Iraq')"),
    ("conflict: [259]", "event_type: [Battles]",
     "13:17: rules[0].event_type: never fits, UCDP tells no such thing"),
    ("conflict: [259]", "between: [[IS]]",
     "13:14: rules[0].between: must hold two lists of names (got 1)"),
    ("conflict: [259]", "note: x",
     "10:13: rules[0].series: must have one of conflict, between, event_type and sub_event_type"),
    ("published: 2024-05-01", "published: May",
     "2:36: releases.mine.published: must be a date, YYYY-MM-DD (got 'May')"),
    ('"06-30"', '"02-31"', "7:16: final_release: must be MM-DD (got '02-31')"),
    ("    Diyala: [Middle]", "    Diyala: [Middle]\n    Babil: [middle province]",
     "7:13: places.Iraq.Babil[0]: spelling means two governorates (got 'middle province')"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "message"), BROKEN)
def test_a_mistake_is_named_with_its_line(old: str, new: str, message: str, small: Path) -> None:
    assert old in SMALL
    small.write_text(SMALL.replace(old, new, 1))
    with pytest.raises(ScenarioError) as caught:
        load_mapping(small)
    assert f"{small}:{message}" in str(caught.value)


@pytest.mark.parametrize(
    ("version", "vintage", "day"),
    [
        ("24.1", "GED 24.1", "2024-06-30"),
        ("24.0.1", "Candidate 24.0", "2024-02-29"),
        ("24.0.11", "Candidate 24.0", "2024-12-31"),
        ("24.0.12", "Candidate 24.0", "2025-01-31"),
        ("23.0.12", "Candidate 23.0", "2024-01-31"),
    ],
)
def test_a_release_is_known_by_its_number(version: str, vintage: str, day: str) -> None:
    """The last day of June of its year, or of the month after its own."""
    release = load_mapping().release(version)
    assert release is not None
    assert (release.vintage, f"{release.published}") == (vintage, day)


@pytest.mark.parametrize("version", ["", "24.0.13", "24.2", "24.0.0", "24.01.24.03", "mine"])
def test_other_names_are_not_guessed(version: str) -> None:
    assert load_mapping().release(version) is None


def test_spellings_fold_case_accents_and_the_word_for_governorate() -> None:
    assert folded("Dar'a governorate") == folded("DARA") == "dara"
    assert folded("Deir ez-Zor") == folded("deir ez zor Governorate") == "deir ez zor"
    assert folded("Rif Dimashq") != folded("Dimashq")
