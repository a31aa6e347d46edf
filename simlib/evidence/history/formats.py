"""Forms in which events are published, by the columns they have, and their rows as one form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from simlib.evidence.history.csv_text import HistoryError
from simlib.scenario.wording import listed

if TYPE_CHECKING:
    import pandas as pd

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
NUMBERS = (
    *("date_precision", "precision", "conflict"),
    *("deaths_a", "deaths_b", "deaths_civilians", "deaths_unknown", "deaths"),
)
TEXTS = (
    *("event", "country", "governorate", "conflict_name", "dyad_name"),
    *("side_a", "side_b", "event_type", "sub_event_type"),
)


@dataclass(frozen=True, slots=True)
class Form:
    """A form of event files: columns of the file by what they are here.

    `release` is the column that states the release, empty where only the name of the file does.
    From the precision `centroid` on a place is no more than the middle of its governorate, from
    `nowhere` on only the country is known.
    """

    name: str
    source: Literal["UCDP", "ACLED"]
    columns: dict[str, str]
    release: str = ""
    centroid: int = 4
    nowhere: int = 6


PUBLISHED = Form(
    "UCDP GED or Candidate",
    "UCDP",
    {**_UCDP, "conflict": "conflict_new_id", "governorate": "adm_1"},
)
REDUCED = Form(
    "UCDP GED, reduced",
    "UCDP",
    {**_UCDP, "governorate": "governorate"},
    release="version",
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
    """Tell the form a table is in, of which it must have every column."""
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


def parsed(table: TextTable, form: Form) -> pd.DataFrame:
    """Read columns by what they are here; those a form has not are empty."""
    import pandas as pd

    names = form.columns
    frame = pd.DataFrame({"row": table.rows})
    for name in TEXTS:
        texts = table.columns[names[name]] if name in names else [""] * len(table.rows)
        frame[name] = pd.Series([text.strip() for text in texts], dtype="object")
    frame["date"] = table.dates(names["date"])
    frame["date_end"] = table.dates(names["date_end"]) if "date_end" in names else frame["date"]
    for name in NUMBERS:
        frame[name] = table.whole(names[name]) if name in names else np.nan
    published = names.get("published")
    frame["published"] = table.instants(published) if published else np.datetime64("NaT", "s")
    _check(frame, table, form)
    return frame


def _check(frame: pd.DataFrame, table: TextTable, form: Form) -> None:
    names = form.columns
    table.refuse(names["event"], (frame["event"] == "").to_numpy(), "must be given")
    is_twice = frame["event"].duplicated().to_numpy()
    table.refuse(names["event"], is_twice, "stands twice in the file")
    if "date_end" in names:
        is_early = (frame["date_end"] < frame["date"]).to_numpy()
        table.refuse(names["date_end"], is_early, f"must not be before {names['date']}")
