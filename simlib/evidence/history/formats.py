"""Forms in which events are published, by the columns they have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from simlib.evidence.history.refusals import HistoryError
from simlib.scenario.wording import listed

if TYPE_CHECKING:
    from simlib.evidence.history.csv_text import TextTable

_UCDP_DEATHS = {
    name: name for name in ("deaths_a", "deaths_b", "deaths_civilians", "deaths_unknown")
}
_UCDP = {
    "event": "id",
    "date": "date_start",
    "date_end": "date_end",
    "date_precision": "date_prec",
    "country": "country",
    "conflict_name": "conflict_name",
    "dyad_name": "dyad_name",
    "side_a": "side_a",
    "side_b": "side_b",
    "type_of_violence": "type_of_violence",
    "precision": "where_prec",
    **_UCDP_DEATHS,
    "deaths": "best",
}


@dataclass(frozen=True, slots=True)
class Form:
    """A form of event files.

    Attributes
    ----------
    name
        What people call it.
    source
        Who publishes it.
    columns
        Column of the file by what it is here.
    release
        Column that states the release; empty where only the name of the file does.
    centroid
        From this precision on a place is no more than the middle of its governorate.
    nowhere
        From this precision on only the country is known.
    """

    name: str
    source: Literal["UCDP", "ACLED"]
    columns: dict[str, str]
    release: str
    centroid: int
    nowhere: int


PUBLISHED = Form(
    "UCDP GED or Candidate",
    "UCDP",
    {**_UCDP, "conflict": "conflict_new_id", "governorate": "adm_1"},
    release="",
    centroid=4,
    nowhere=6,
)
REDUCED = Form(
    "UCDP GED, reduced",
    "UCDP",
    {**_UCDP, "governorate": "governorate"},
    release="version",
    centroid=4,
    nowhere=6,
)
BRIEF = Form(
    "UCDP Candidate, reduced",
    "UCDP",
    {
        "event": "id",
        "date": "date",
        "country": "country",
        "governorate": "governorate",
        "type_of_violence": "type_of_violence",
        "conflict": "conflict_id",
        "conflict_name": "conflict",
        "deaths": "best",
    },
    release="release",
    centroid=4,
    nowhere=6,
)
ACLED = Form(
    "ACLED export",
    "ACLED",
    {
        "event": "event_id_cnty",
        "date": "event_date",
        "date_precision": "time_precision",
        "country": "country",
        "governorate": "admin1",
        "precision": "geo_precision",
        "side_a": "actor1",
        "side_b": "actor2",
        "event_type": "event_type",
        "sub_event_type": "sub_event_type",
        "deaths": "fatalities",
        "published": "timestamp",
    },
    release="",
    centroid=3,
    nowhere=4,
)


WANTED = frozenset(
    column
    for form in (PUBLISHED, REDUCED, BRIEF, ACLED)
    for column in (*form.columns.values(), form.release)
)
"""Columns that some form reads."""


def form_of(table: TextTable) -> Form:
    """Return the form a table is in.

    Raises
    ------
    HistoryError
        It is in none, or lacks a column of the one it is in.
    """
    met = set(table.header)
    if {"event_id_cnty", "event_date"} & met:
        form = ACLED
    elif "conflict_new_id" in met or "adm_1" in met:
        form = PUBLISHED
    elif "date_start" in met:
        form = REDUCED
    elif "best" in met:
        form = BRIEF
    else:
        names = listed(met)
        raise HistoryError(
            f"{table.file}: row 1: must have the columns of UCDP GED, UCDP Candidate or ACLED "
            f"(got {names})"
        )
    needed = {*form.columns.values(), *([form.release] if form.release else [])}
    if missing := sorted(needed - met):
        raise HistoryError(
            f"{table.file}: row 1: column must be given: {missing[0]} (read as {form.name})"
        )
    return form
