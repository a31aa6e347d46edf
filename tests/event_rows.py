"""Made-up events in the layout that UCDP and ACLED publish, and where real ones may lie."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

UCDP_COLUMNS = (
    *("id", "relid", "year", "active_year", "code_status", "type_of_violence"),
    *("conflict_dset_id", "conflict_new_id", "conflict_name", "dyad_dset_id", "dyad_new_id"),
    *("dyad_name", "side_a_dset_id", "side_a_new_id", "side_a", "side_b_dset_id"),
    *("side_b_new_id", "side_b", "number_of_sources", "source_article", "where_prec"),
    *("where_coordinates", "where_description", "adm_1", "adm_2", "latitude", "longitude"),
    *("geom_wkt", "priogrid_gid", "country", "country_id", "region", "event_clarity"),
    *("date_prec", "date_start", "date_end", "deaths_a", "deaths_b", "deaths_civilians"),
    *("deaths_unknown", "best", "high", "low", "gwnoa", "gwnob"),
)
ACLED_COLUMNS = (
    *("event_id_cnty", "event_date", "year", "time_precision", "disorder_type", "event_type"),
    *("sub_event_type", "actor1", "assoc_actor_1", "inter1", "actor2", "assoc_actor_2"),
    *("inter2", "interaction", "civilian_targeting", "iso", "region", "country", "admin1"),
    *("admin2", "admin3", "location", "latitude", "longitude", "geo_precision", "source"),
    *("source_scale", "notes", "fatalities", "tags", "timestamp"),
)

UCDP_ROW = {
    "id": "1",
    "relid": "IRQ-2024-1-1-1",
    "year": "2024",
    "type_of_violence": "1",
    "conflict_new_id": "259",
    "conflict_name": "Iraq: Government",
    "dyad_new_id": "524",
    "dyad_name": "Government of Iraq - IS",
    "side_a": "Government of Iraq",
    "side_b": "IS",
    "source_article": 'A made-up line, "quoted",\nover two lines',
    "where_prec": "1",
    "adm_1": "Diyala governorate",
    "latitude": "34",
    "longitude": "45",
    "country": "Iraq",
    "date_prec": "1",
    "date_start": "2024-02-03 00:00:00.000",
    "date_end": "2024-02-03 00:00:00.000",
    "deaths_a": "0",
    "deaths_b": "2",
    "deaths_civilians": "0",
    "deaths_unknown": "0",
    "best": "2",
    "high": "2",
    "low": "2",
}
ACLED_ROW = {
    "event_id_cnty": "IRQ1",
    "event_date": "2024-02-03",
    "year": "2024",
    "time_precision": "1",
    "event_type": "Explosions/Remote violence",
    "sub_event_type": "Air/drone strike",
    "actor1": "Military Forces of Turkey (2016-)",
    "actor2": "PKK: Kurdistan Workers Party",
    "country": "Iraq",
    "admin1": "Dahuk",
    "geo_precision": "1",
    "notes": "A made-up line,\nover two",
    "fatalities": "0",
    "timestamp": "1707782400",
}
"""1707782400 s is 13 February 2024, 00:00 UTC: 19,766 days of 86,400 s."""


def write_ucdp(path: Path, *rows: dict[str, str]) -> Path:
    """Write events in UCDP's layout; each row says what differs from `UCDP_ROW`."""
    return _write(
        path, UCDP_COLUMNS, [UCDP_ROW | {"id": str(i + 1)} | r for i, r in enumerate(rows)]
    )


def write_acled(path: Path, *rows: dict[str, str]) -> Path:
    """Write events in ACLED's layout; each row says what differs from `ACLED_ROW`."""
    base = [{"event_id_cnty": f"IRQ{i + 1}"} for i in range(len(rows))]
    return _write(path, ACLED_COLUMNS, [ACLED_ROW | b | r for b, r in zip(base, rows, strict=True)])


def _write(path: Path, columns: tuple[str, ...], rows: list[dict[str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


def history_file(name: str) -> Path:
    """Return a file of UCDP's events; the test is skipped where there is none."""
    folder = os.environ.get("SIMLIB_HISTORY")
    if not folder:
        pytest.skip("SIMLIB_HISTORY names no folder with UCDP event files")
    path = Path(folder) / name
    if not path.is_file():
        pytest.skip(f"no {name} in the folder that SIMLIB_HISTORY names")
    return path
