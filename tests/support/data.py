"""Made-up data: events in the layout that UCDP and ACLED publish, panels, questions."""

from __future__ import annotations

import copy
import csv
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from simlib.evidence.ledger.freezing import freeze
from simlib.evidence.panels import CountPanel, Unit
from support.scenarios import TEXT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simlib.evidence.count_forecaster.smoothing import Settings

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


FIRST = np.datetime64("2010-01", "M")


def panel_of(counts: NDArray[np.int64]) -> CountPanel:
    """Return a panel of one series from counts, shape (n_units, n_months)."""
    units = tuple(Unit("Iraq", "series", f"Place {chr(65 + u)}") for u in range(len(counts)))
    months = FIRST + np.arange(counts.shape[1])
    return CountPanel(units, months, counts, "drawn")


def drawn_counts(
    settings: Settings, n_units: int, n_months: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw counts of a series that behaves as settings say.

    A count about its expectation m is a negative binomial with variance over mean equal to
    the dispersion f: a Poisson of a gamma with shape m / (f - 1) and scale f - 1.
    """
    first = settings.first_mean + settings.first_sd * rng.standard_normal()
    national = first + np.cumsum(settings.drift * rng.standard_normal(n_months))
    step = settings.sd * np.sqrt(1.0 - settings.rho**2)
    tempo = np.empty((n_units, n_months))
    tempo[:, 0] = settings.sd * rng.standard_normal(n_units)
    for month in range(1, n_months):
        tempo[:, month] = settings.rho * tempo[:, month - 1]
        tempo[:, month] += step * rng.standard_normal(n_units)
    own = settings.between * rng.standard_normal((n_units, 1))
    expected = np.exp(national + own + tempo)
    excess = settings.dispersion - 1.0
    return rng.poisson(rng.gamma(expected / excess) * excess)


QUESTIONS: dict[str, Any] = {
    "raids": {
        "text": "Raids in the first half of 2000, everywhere.",
        "kind": "number",
        "outcome": "raids",
        "resolves_on": "2000-07-31",
        "source": "nobody",
        "base": {"values": [10, 20], "times": 6, "source": "history"},
    },
    "many_raids": {
        "text": "Whether there are 90 raids or more in all.",
        "kind": "binary",
        "outcome": "raids",
        "at_least": 90,
        "resolves_on": "2000-07-31",
        "earliest": "2000-02-01",
        "source": "nobody",
        "base": {"probability": 0.5, "source": "history"},
    },
    "patrols_january": {
        "text": "Patrols in January of 2000, in both countries.",
        "kind": "number",
        "reads": {"count": "patrol", "from": "2000-01-01", "to": "2000-01-31"},
        "resolves_on": "2000-02-15",
        "source": "nobody",
        "base": {"distribution": {"gamma": {"shape": 2, "mean": 4}}, "source": "history"},
    },
    "exit": {
        "text": "How the exit of 30 April 2000 ends.",
        "kind": "classes",
        "reads": {"milestone": "exit", "classes": ["met", "slipped"]},
        "resolves_on": "2000-07-31",
        "source": "nobody",
        "base": {"classes": {"met": 0.5, "slipped": 0.25, "open": 0.25}, "source": "history"},
    },
}


def questions(**changed: dict[str, Any]) -> dict[str, Any]:
    """Return the questions as in a file, some of them with other keys."""
    asked = copy.deepcopy(QUESTIONS)
    for name, keys in changed.items():
        asked[name].update(keys)
    return {"questions": asked}


def scenario_file(folder: Path) -> Path:
    """Write the small scenario to a folder."""
    file = folder / "small.yaml"
    file.write_text(TEXT)
    return file


def small_ledger(folder: Path, n: int = 40) -> dict[str, Any]:
    """Freeze the questions over a few replications in this process."""
    return freeze(scenario_file(folder), questions(), replications=n, jobs=1)
