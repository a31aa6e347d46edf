"""Event files: each form that is published is read, and a bad file is one clear line."""

from __future__ import annotations

import datetime as dt
import gzip
import zipfile
from pathlib import Path

import pytest

from simlib.evidence.history.csv_text import HistoryError
from simlib.evidence.history.event_files import COLUMNS, combine_events, load_events, version_of
from support.data import UCDP_COLUMNS, history_file, write_acled, write_ucdp

REDUCED_HEADER = (
    "id,version,country,date_start,date_end,date_prec,type_of_violence,conflict_name,dyad_name,"
    "side_a,side_b,where_prec,governorate,latitude,longitude,deaths_a,deaths_b,"
    "deaths_civilians,deaths_unknown,best,high,low"
)
REDUCED_ROW = (
    "7,GED 19.1 (HDX),Iraq,2017-05-01,2017-05-02,2,1,Iraq: Government,Government of Iraq - IS,"
    "Government of Iraq,IS,1,Anbar,33,42,3,0,0,0,3,3,3"
)
BRIEF = (
    "id,date,country,governorate,type_of_violence,conflict_id,conflict,best,release\n"
    "9,2024-03-05,Syria,Homs,1,13604,Syria: Islamic State,4,24.0.3\n"
)


def test_ucdp_is_read_as_published(tmp_path: Path) -> None:
    """Two lines of a quoted text are one row, which is named by the line it ends on."""
    file = write_ucdp(tmp_path / "GEDEvent_v24_0_2.csv", {}, {"adm_1": "", "where_prec": "6"})
    events = load_events(file)
    assert tuple(events.table.columns) == COLUMNS
    first, second = events.table.to_dict("records")
    assert (first["row"], second["row"]) == (3, 5)
    assert first["date"].date() == first["date_end"].date() == dt.date(2024, 2, 3)
    assert (first["place"], first["located"]) == ("Diyala", "point")
    assert (second["place"], second["located"]) == ("", "country")
    assert (first["series"], first["deaths"]) == ("isf_isis_iraq", 2)
    assert (first["release"], first["vintage"]) == ("24.0.2", "Candidate 24.0")
    assert first["published"].date() == dt.date(2024, 3, 31)


@pytest.mark.parametrize("packed", ["gz", "zip"])
def test_packed_files_are_read(packed: str, tmp_path: Path) -> None:
    plain = write_ucdp(tmp_path / "GEDEvent_v24_1.csv", {})
    file = tmp_path / f"GEDEvent_v24_1.csv.{packed}"
    if packed == "gz":
        file.write_bytes(gzip.compress(plain.read_bytes()))
    else:
        with zipfile.ZipFile(file, "w") as archive:
            archive.write(plain, plain.name)
    expected = load_events(plain).table.drop(columns="file")
    assert load_events(file).table.drop(columns="file").equals(expected)


def test_reduced_forms_are_read(tmp_path: Path) -> None:
    """A form with names gets ids from the mapping; one without sides tells no deaths by side."""
    (tmp_path / "reduced.csv").write_text(f"{REDUCED_HEADER}\n{REDUCED_ROW}\n")
    (tmp_path / "brief.csv").write_text(BRIEF)
    reduced = load_events(tmp_path / "reduced.csv").table.iloc[0]
    assert (reduced["conflict"], reduced["vintage"]) == (259, "GED 19.1")
    assert (reduced["incident"], reduced["target"]) == ("isis_attack", "isf")
    brief = load_events(tmp_path / "brief.csv").table.iloc[0]
    assert (brief["series"], brief["incident"]) == ("government_isis_syria", "")
    assert brief["deaths_a"] != brief["deaths_a"]  # nobody knows


def test_acled_is_read_as_exported(tmp_path: Path) -> None:
    """Both ways of writing a date; a geographic precision of 3 is the middle of a governorate."""
    file = write_acled(
        tmp_path / "acled.csv",
        {},
        {"event_date": "04 February 2024", "geo_precision": "3"},
        {"actor1": "Islamic State (Iraq)", "actor2": "Civilians (Iraq)", "admin1": "Ninewa",
         "event_type": "Violence against civilians", "sub_event_type": "Attack",
         "fatalities": "3"},
    )  # fmt: skip
    first, second, third = load_events(file).table.to_dict("records")
    assert (first["place"], first["located"], first["source"]) == ("Dohuk", "point", "ACLED")
    assert (first["incident"], first["target"]) == ("turkish_strike", "pkk")
    assert first["published"].date() == dt.date(2024, 2, 13)
    assert second["date"].date() == dt.date(2024, 2, 4)
    assert second["located"] == "governorate"
    assert (third["incident"], third["place"], third["deaths"]) == ("isis_attack", "Nineveh", 3)


def test_series_of_acled_and_ucdp_are_never_the_same(tmp_path: Path) -> None:
    ours = load_events(write_ucdp(tmp_path / "GEDEvent_v24_1.csv", {}))
    theirs = load_events(write_acled(tmp_path / "acled.csv", {}))
    assert not set(ours.table["series"]) & set(theirs.table["series"])
    assert set(combine_events([ours, theirs]).table["source"]) == {"UCDP", "ACLED"}


@pytest.mark.parametrize(
    ("changes", "incident"),
    [
        ({"deaths_a": "0", "deaths_b": "2", "best": "2"}, "counter_isis_operation"),
        ({"deaths_a": "2", "deaths_b": "0", "best": "2"}, "isis_attack"),
        ({"deaths_a": "1", "deaths_b": "1", "best": "2"}, ""),
        ({"deaths_a": "0", "deaths_b": "0", "best": "0"}, ""),
        ({"deaths_a": "0", "deaths_b": "2", "deaths_unknown": "1", "best": "3"}, ""),
    ],
)
def test_who_lost_people_tells_the_incident(
    changes: dict[str, str], incident: str, tmp_path: Path
) -> None:
    table = load_events(write_ucdp(tmp_path / "GEDEvent_v24_1.csv", changes)).table
    assert list(table["incident"]) == [incident]


def test_sides_are_told_by_name_not_by_order(tmp_path: Path) -> None:
    """In conflict 13616 side a is ISIS, in 259 side b is."""
    sdf = {
        "country": "Syria", "adm_1": "Ar-Raqqah governorate", "conflict_new_id": "13616",
        "side_a": "IS", "side_b": "SDF", "deaths_a": "2", "deaths_b": "0",
    }  # fmt: skip
    table = load_events(write_ucdp(tmp_path / "GEDEvent_v24_1.csv", sdf, {})).table
    assert list(table["target"]) == ["by_sdf", "by_isf"]
    assert list(table["place"]) == ["Raqqa", "Diyala"]


def test_a_government_of_hts_fights_isis_under_another_number(tmp_path: Path) -> None:
    """Conflict 14097 is HTS against ISIS: the government's since 8 December 2024."""
    hts = {"country": "Syria", "adm_1": "Hims", "conflict_new_id": "14097", "side_a": "IS"}
    days = [hts | {"date_start": day, "date_end": day} for day in ("2024-12-07", "2024-12-08")]
    table = load_events(write_ucdp(tmp_path / "GEDEvent_v24_1.csv", *days)).table
    assert list(table["series"]) == ["hts_isis_syria", "government_isis_syria"]


def test_what_is_not_mapped_is_counted_and_listed(tmp_path: Path) -> None:
    file = write_ucdp(
        tmp_path / "mine.csv",
        {},
        {"dyad_name": "A - B", "conflict_new_id": "77"},
        {"dyad_name": "A - B", "conflict_new_id": "77"},
        {"adm_1": "Atlantis"},
        {"adm_1": ""},
    )
    events = load_events(file)
    counts = {(r, v): n for r, v, n in events.unmapped_counts().itertuples(index=False)}
    assert counts == {
        ("release not known", ""): 5,
        ("no rule fits", "Iraq, A - B"): 2,
        ("place not known", "Iraq, Atlantis"): 1,
        ("not located", "Iraq"): 1,
    }
    listed = events.unmapped[events.unmapped["reason"] == "no rule fits"]
    assert list(listed["event"]) == ["2", "3"]
    assert list(listed["row"]) == [5, 7]


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("GEDEvent_v24_0_11.csv", "24.0.11"),
        ("GEDEvent_v24_1.csv", "24.1"),
        ("ged191-csv.zip", "19.1"),
        ("GEDEvent_v24_01_24_03.csv", "24.01.24.03"),
        ("events_2024.csv", ""),
        ("ged_syria.csv", ""),
    ],
)
def test_names_of_files_state_a_version(name: str, version: str) -> None:
    assert version_of(name) == version


BAD_ROWS: list[tuple[dict[str, str], str]] = [
    ({"best": "-3"}, "row 3: best: must be a whole number from 0 to 1e+10 (got '-3')"),
    ({"best": ""}, "row 3: best: must be a whole number from 0 to 1e+10 (got '')"),
    ({"deaths_a": "many"}, "row 3: deaths_a: must be a whole number from 0 to 1e+10 (got 'many')"),
    ({"best": "1.5"}, "row 3: best: must be a whole number from 0 to 1e+10 (got '1.5')"),
    ({"best": "inf"}, "row 3: best: must be a whole number from 0 to 1e+10 (got 'inf')"),
    ({"date_start": "2024-02-30"},
     "row 3: date_start: must be a date, as 2024-01-31 or 31 January 2024 (got '2024-02-30')"),
    ({"date_start": "2024"},
     "row 3: date_start: must be a date, as 2024-01-31 or 31 January 2024 (got '2024')"),
    ({"date_end": "0001-01-01"},
     "row 3: date_end: must be a date, as 2024-01-31 or 31 January 2024 (got '0001-01-01')"),
    ({"date_end": "2024-02-02"},
     "row 3: date_end: must not be before date_start (got '2024-02-02')"),
    ({"where_prec": "near"},
     "row 3: where_prec: must be a whole number from 0 to 1e+10 (got 'near')"),
    ({"id": ""}, "row 3: id: must be given (got '')"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "message"), BAD_ROWS)
def test_a_bad_value_is_named_with_file_and_row(
    changes: dict[str, str], message: str, tmp_path: Path
) -> None:
    with pytest.raises(HistoryError) as caught:
        load_events(write_ucdp(tmp_path / "GEDEvent_v24_1.csv", changes))
    assert str(caught.value) == f"GEDEvent_v24_1.csv: {message}"


def test_an_event_that_stands_twice_is_refused(tmp_path: Path) -> None:
    twice = write_ucdp(tmp_path / "twice.csv", {}, {"id": "1"})
    with pytest.raises(HistoryError, match=r"^twice.csv: row 5: id: stands twice in the file"):
        load_events(twice)
    parts = [load_events(write_ucdp(tmp_path / f"{name}.csv", {})) for name in "ab"]
    with pytest.raises(HistoryError, match=r"^b.csv: row 3: event 1 stands in a.csv \(row 3\) too"):
        combine_events(parts)


BAD_FILES = [
    (b"", "must hold a table (got an empty file)"),
    (b" \n\n", "must hold a table (got an empty file)"),
    (b"id;date;best\n1;2;3\n", "row 1: is no table with commas (got 'id;date;best')"),
    (b"\x89PNG\r\n", "row 1: must be UTF-8 text (got byte 0x89)"),
    (b"id,best\n1,2\n3,\xe9\n", "row 3: must be UTF-8 text (got byte 0xe9)"),
    (b"id,best\n", "must hold a row below the header (got none)"),
    (b"id,best\n1,2,3\n", "row 2: must have 2 values (got 3)"),
    (b"id,id\n1,2\n", "row 1: column stands twice (got 'id')"),
    (b'id,best\n1,"2\n', "row 2: is no table with commas (unexpected end of data)"),
    (b"a,b\n1,2\n",
     "row 1: must have the columns of UCDP GED, UCDP Candidate or ACLED (got a, b)"),
    (b"id,best\n1,2\n",
     "row 1: column must be given: conflict (read as UCDP Candidate, reduced)"),
    (b"event_date,notes\n2024-01-01,x\n",
     "row 1: column must be given: actor1 (read as ACLED export)"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "message"), BAD_FILES)
def test_a_bad_file_is_one_clear_line(data: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_bytes(data)
    with pytest.raises(HistoryError) as caught:
        load_events(tmp_path / "bad.csv")
    assert str(caught.value) == f"bad.csv: {message}"


def test_every_missing_column_of_ucdp_is_named(tmp_path: Path) -> None:
    file = write_ucdp(tmp_path / "x.csv", {})
    whole = file.read_text()
    for column in ("best", "side_a", "date_end", "country", "where_prec"):
        assert column in UCDP_COLUMNS
        file.write_text(whole.replace(f",{column},", f",{column}_gone,"))
        with pytest.raises(HistoryError, match=f"^x.csv: row 1: column must be given: {column} "):
            load_events(file)


def test_an_archive_with_a_password_is_one_line(tmp_path: Path) -> None:
    """Or with a way of packing that nobody has: both are said in the archive's entries."""
    file = tmp_path / "x.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.csv", "id,best\n1,2\n")
    data = file.read_bytes()
    for at, value in ((6, 1), (8, 99)):  # of an entry; the directory has them two bytes later
        changed = bytearray(data)
        for start in (data.index(b"PK\x03\x04") + at, data.index(b"PK\x01\x02") + at + 2):
            changed[start] = value
        file.write_bytes(bytes(changed))
        with pytest.raises(HistoryError, match=r"^x.zip: cannot be unpacked \(.*\)$"):
            load_events(file)


def test_what_cannot_be_opened_or_unpacked_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match=r"^none.csv: no such file$"):
        load_events(tmp_path / "none.csv")
    with pytest.raises(HistoryError, match=r"must be a regular file \(got a directory\)$"):
        load_events(tmp_path)
    for name in ("bad.gz", "bad.zip"):
        (tmp_path / name).write_bytes(b"no archive")
        with pytest.raises(HistoryError, match=rf"^{name}: cannot be unpacked"):
            load_events(tmp_path / name)
    cut = gzip.compress(b"id,best\n" * 1000)[:-20]
    (tmp_path / "cut.csv.gz").write_bytes(cut)
    with pytest.raises(HistoryError, match=r"^cut.csv.gz: cannot be unpacked"):
        load_events(tmp_path / "cut.csv.gz")
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("a.csv", "x")
        archive.writestr("b.csv", "x")
    with pytest.raises(HistoryError, match=r"^two.zip: must hold one CSV file \(got 2\)"):
        load_events(tmp_path / "two.zip")


def test_every_row_of_the_history_is_read_or_listed() -> None:
    """Rows with a series and rows that no rule fits are all rows; governorates are all known."""
    for name in ("events_iraq_2010_2018", "events_syria_2016_2019", "events_2024"):
        events = load_events(history_file(f"{name}.csv.gz"))
        reasons = events.unmapped["reason"].value_counts()
        assert (events.table["series"] != "").sum() + reasons["no rule fits"] == len(events.table)
        assert "place not known" not in reasons
        assert "release not known" not in reasons
