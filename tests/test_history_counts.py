"""Monthly counts: of files, and as they are shipped."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from simlib.evidence.history.csv_text import HistoryError
from simlib.evidence.history.event_files import Events, combine_events, load_events
from simlib.evidence.history.mapping import load_mapping
from simlib.evidence.history.tallies import (
    monthly_counts,
    panel,
    shipped_counts,
    shipped_coverage,
    shipped_panel,
    tables_to_ship,
    yearly_counts,
)
from simlib.evidence.panels import Unit
from simlib.scenario.bundled import folder
from support.data import history_file, write_ucdp

FILES = (
    "events_iraq_2010_2018",
    "events_syria_2016_2019",
    "events_turkey_2014_2019",
    "events_2024",
)


@functools.cache
def _history() -> Events:
    return combine_events([load_events(history_file(f"{name}.csv.gz")) for name in FILES])


@pytest.fixture
def events(tmp_path: Path) -> Events:
    """Return five rows: Diyala in February (deaths 2, 0, 1), nowhere in April, and another's."""

    def on(day: str, deaths: str, **others: str) -> dict[str, str]:
        dead = {"deaths_b": deaths, "best": deaths}
        return {"date_start": day, "date_end": day} | dead | others

    return load_events(
        write_ucdp(
            tmp_path / "GEDEvent_v24_1.csv",
            on("2024-02-03", "2"),
            on("2024-02-29", "0"),
            on("2024-02-01", "1"),
            on("2024-04-01", "4", adm_1=""),
            on("2024-05-01", "4", conflict_new_id="77"),
        )
    )


def test_rows_lethal_rows_and_deaths_are_counted_apart(events: Events) -> None:
    table = monthly_counts(events)
    assert table.to_dict("list") == {
        "vintage": ["GED 24.1", "GED 24.1"],
        "country": ["Iraq", "Iraq"],
        "series": ["isf_isis_iraq", "isf_isis_iraq"],
        "place": ["", "Diyala"],
        "month": ["2024-04", "2024-02"],
        "events": [1, 3],
        "lethal_events": [1, 2],
        "one_death_events": [0, 1],
        "deaths": [4, 3],
    }
    assert list(monthly_counts(events, by=["incident"])["events"]) == [1, 2, 1]


def test_a_panel_holds_zeros_for_months_without_events(events: Events) -> None:
    """From the first month with any row to the last, of no series too: February to May."""
    counted = panel(events, lethal=False)
    assert counted.units == (
        Unit("Iraq", "isf_isis_iraq", ""),
        Unit("Iraq", "isf_isis_iraq", "Diyala"),
    )
    assert_array_equal(counted.months, np.arange("2024-02", "2024-06", dtype="datetime64[M]"))
    assert_array_equal(counted.counts, [[0, 0, 1, 0], [3, 0, 0, 0]])
    assert counted.vintage == "GED 24.1"
    assert_array_equal(panel(events).counts, [[0, 0, 1, 0], [2, 0, 0, 0]])


def test_a_unit_without_a_place_is_the_whole_country(events: Events) -> None:
    units = [Unit("Iraq", "isf_isis_iraq", ""), Unit("Iraq", "isf_isis_iraq", "Anbar")]
    months = np.arange("2024-01", "2024-05", dtype="datetime64[M]")
    counted = panel(events, units=units, months=months, lethal=False)
    assert_array_equal(counted.counts, [[0, 3, 0, 1], [0, 0, 0, 0]])


def test_vintages_are_never_mixed(events: Events, tmp_path: Path) -> None:
    other = load_events(write_ucdp(tmp_path / "GEDEvent_v24_0_1.csv", {"id": "99"}))
    both = combine_events([events, other])
    with pytest.raises(HistoryError, match=r"never mixed \(got Candidate 24.0, GED 24.1\)"):
        panel(both)
    assert panel(both, vintage="Candidate 24.0").counts.sum() == 1
    with pytest.raises(HistoryError, match="vintage: unknown"):
        panel(both, vintage="GED 25.1")


def test_shipped_counts_fit_what_they_are_said_to_cover() -> None:
    """No row outside, every sum as the table of coverage has it."""
    keys = ["vintage", "country", "series"]
    counts, coverage = shipped_counts(), shipped_coverage()
    assert (counts["events"] >= 1).all()
    assert not counts.duplicated([*keys, "place", "month"]).any()
    both = counts.merge(coverage[[*keys, "first_month", "last_month"]], on=keys)
    assert len(both) == len(counts)
    assert ((both["first_month"] <= both["month"]) & (both["month"] <= both["last_month"])).all()
    sums = counts.groupby(keys)[["events", "lethal_events", "deaths"]].sum()
    stated = coverage.set_index(keys)[["events", "lethal_events", "deaths"]]
    assert sums.reindex(stated.index, fill_value=0).equals(stated)


def test_a_shipped_panel_has_every_governorate_and_sums_to_the_country() -> None:
    by_place = shipped_panel("isis_sdf_syria", vintage="GED 2016-18 + candidate 2019")
    whole = shipped_panel("isis_sdf_syria", vintage="GED 2016-18 + candidate 2019", places=False)
    assert {unit.place for unit in by_place.units} == {"", *load_mapping().places["Syria"]}
    assert whole.units == (Unit("Syria", "isis_sdf_syria", ""),)
    assert_array_equal(by_place.counts.sum(axis=0), whole.counts[0])
    assert (str(whole.months[0]), str(whole.months[-1])) == ("2016-01", "2019-11")


def test_a_series_that_files_cannot_tell_is_absent_not_zero() -> None:
    """The events of 2024 name no sides, and insurgents against the SDF have no one conflict."""
    with pytest.raises(HistoryError, match=r"series: not covered by Candidate 24.0 \(got 'insu"):
        shipped_panel("insurgents_sdf_syria", vintage="Candidate 24.0")
    with pytest.raises(HistoryError, match=r"vintage: unknown \(got 'GED'\); known: Candidate 24"):
        shipped_panel(vintage="GED")


SERIES_OF = {
    259: ("isf_isis_iraq", "isf_isis_syria"),
    354: ("turkiye_pkk_iraq", "turkiye_pkk_syria"),
    13604: ("government_isis_syria",),
    13616: ("isis_sdf_syria",),
    13809: ("government_sdf_syria",),
    14803: ("sna_sdf_syria",),
}


@pytest.mark.parametrize("name", ["monthly", "places"])
def test_counts_of_2024_agree_with_those_shipped_before(name: str) -> None:
    """Conflicts are split by country into series; their sums are the same events."""
    old = pd.read_csv(folder("seeds") / "history" / f"ucdp_2024_{name}.csv")
    measures = [c for c in old.columns if c in {"events", "lethal_events", "deaths"}]
    by = "month" if name == "monthly" else "place"
    if by == "place":
        old["place"] = old["place"].replace("not located", "")
    new = shipped_counts().query("vintage == 'Candidate 24.0'")
    for conflict, series in SERIES_OF.items():
        sums = new[new["series"].isin(series)].groupby(by)[measures].sum()
        rows = old[old["conflict_id"] == conflict].set_index(by)[measures]
        rows = rows[(rows != 0).any(axis=1)].sort_index()
        assert sums.equals(rows), conflict


def test_shipped_tables_are_what_the_files_give(tmp_path: Path) -> None:
    for ending, table in tables_to_ship(_history(), load_mapping()).items():
        name = f"monthly_counts{ending}.csv"
        table.to_csv(tmp_path / name, index=False)
        assert (tmp_path / name).read_text() == (folder("seeds") / "history" / name).read_text()


def test_shipped_panels_are_what_the_files_give() -> None:
    """The two ways to a panel, through the shipped tables and through the files, agree."""
    for vintage, series in (("GED 19.1", "turkiye_pkk_iraq"), ("Candidate 24.0", "sna_sdf_syria")):
        for lethal in (True, False):
            shipped = shipped_panel(series, vintage=vintage, lethal=lethal)
            located = [unit for unit in shipped.units if unit.place]
            found = panel(_history(), units=located, vintage=vintage, lethal=lethal)
            assert_array_equal(shipped.of(located).counts, found.counts)
            assert_array_equal(shipped.months, found.months)


YEARLY = {
    ("GED 19.1", "isf_isis_iraq"): {
        2014: (655, 12192), 2015: (557, 10123), 2016: (550, 9447), 2017: (509, 9889),
        2018: (134, 795),
    },
    ("GED 19.1", "turkiye_pkk_iraq"): {
        2015: (10, 15), 2016: (9, 118), 2017: (30, 322), 2018: (76, 449),
    },
    ("GED 2016-18 + candidate 2019", "government_isis_syria"): {
        2016: (926, 12040), 2017: (1130, 10711), 2018: (369, 4314), 2019: (97, 477),
    },
    ("GED 2016-18 + candidate 2019", "isis_sdf_syria"): {
        2016: (599, 3980), 2017: (1345, 8762), 2018: (505, 3734), 2019: (287, 1648),
    },
}  # fmt: skip
"""Events and deaths, counted beforehand from the same releases by dyad."""


def test_yearly_counts_are_those_counted_beforehand() -> None:
    counts = yearly_counts(_history())
    found = {
        (vintage, series): {int(year): (int(n), int(deaths)) for year, n, deaths in rows}
        for (vintage, series), part in counts.groupby(["vintage", "series"])
        if (rows := part[["year", "events", "deaths"]].itertuples(index=False, name=None))
    }
    for key, years in YEARLY.items():
        assert {year: found[key][year] for year in years} == years
    assert 2014 not in found["GED 19.1", "turkiye_pkk_iraq"]
