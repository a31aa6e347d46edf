"""Nothing dated or published after the date of a forecast is read."""

from __future__ import annotations

import ast
import datetime as dt
from pathlib import Path

import numpy as np
import pytest

import simlib
from simlib.errors import SimlibError
from simlib.evidence.history.barrier import (
    as_if_published,
    calibration_events,
    known,
    load_country_months,
    require_known,
)
from simlib.evidence.history.csv_text import HistoryError, LeakError
from simlib.evidence.history.event_files import load_events
from simlib.evidence.history.mapping import vintage_factor
from simlib.evidence.history.tallies import shipped_panel
from support.data import history_file, write_acled, write_ucdp


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return events of 3 and of 28 to 29 February, in the release of 31 March 2024."""
    late = {"date_start": "2024-02-28", "date_end": "2024-02-29"}
    return write_ucdp(tmp_path / "GEDEvent_v24_0_2.csv", {}, late)


@pytest.mark.parametrize(
    ("as_of", "message"),
    [
        (dt.date(2024, 2, 2),
         ("row 3: event 1 is dated 2024-02-03 and was published 2024-03-31, "
         "later than 2024-02-02; 1 more rows")),
        (dt.date(2024, 3, 30),
         "row 3: event 1 was published 2024-03-31, later than 2024-03-30; 1 more rows"),
    ],
)  # fmt: skip
def test_a_calibration_cannot_read_the_future(as_of: dt.date, message: str, file: Path) -> None:
    with pytest.raises(LeakError) as caught:
        calibration_events(file, as_of)
    assert str(caught.value) == f"GEDEvent_v24_0_2.csv: {message}"
    assert isinstance(caught.value, SimlibError)


def test_what_was_known_is_read(file: Path) -> None:
    """Negative control: on the day of the release nothing is refused."""
    assert len(calibration_events(file, dt.date(2024, 3, 31)).table) == 2


def test_an_event_that_ends_later_is_dated_later(file: Path) -> None:
    early = as_if_published(load_events(file), 0)
    day = np.datetime64("2000-01-01")
    table = early.table.assign(published=day)
    with pytest.raises(LeakError, match="row 5: event 2 is dated to end 2024-02-29, later than"):
        require_known(type(early)(table, early.unmapped), dt.date(2024, 2, 28))


def test_a_release_without_a_date_is_not_known(tmp_path: Path) -> None:
    file = write_ucdp(tmp_path / "mine.csv", {})
    with pytest.raises(LeakError, match="event 1 has no known date of publication; name its rel"):
        calibration_events([file], dt.date(2030, 1, 1))


def test_rows_of_acled_are_known_since_their_timestamp(tmp_path: Path) -> None:
    """A row coded anew after the date is another row than the one known then."""
    file = write_acled(tmp_path / "acled.csv", {})
    assert len(calibration_events(file, dt.date(2024, 2, 13)).table) == 1
    with pytest.raises(LeakError, match="IRQ1 was published 2024-02-13, later than 2024-02-12"):
        calibration_events(file, dt.date(2024, 2, 12))


def test_leaving_out_is_a_choice_and_is_counted(tmp_path: Path) -> None:
    """Releases of February and of March; on 15 April only the first is out."""
    march = {"id": "8", "date_start": "2024-03-01", "date_end": "2024-03-01", "adm_1": ""}
    events = calibration_events(
        [
            write_ucdp(tmp_path / "GEDEvent_v24_0_2.csv", {}),
            write_ucdp(tmp_path / "GEDEvent_v24_0_3.csv", march, march | {"id": "9"}),
        ],
        dt.date(2024, 12, 31),
    )
    kept = known(events, dt.date(2024, 4, 15))
    assert list(kept.events.table["event"]) == ["1"]
    assert kept.n_left_out == 2
    assert kept.events.unmapped.empty
    require_known(kept.events, dt.date(2024, 4, 15))
    with pytest.raises(LeakError):
        require_known(events, dt.date(2024, 4, 15))


def test_a_declared_lag_replaces_publication_and_stands_in_the_vintage(file: Path) -> None:
    """February 2024 ends on the 29th; three months on, May ends on the 31st."""
    lagged = as_if_published(load_events(file), 3)
    assert {f"{day:%Y-%m-%d}" for day in lagged.table["published"]} == {"2024-05-31"}
    assert set(lagged.table["vintage"]) == {"Candidate 24.0, as if published after 3 months"}
    require_known(lagged, dt.date(2024, 5, 31))
    with pytest.raises(LeakError, match="was published 2024-05-31, later than 2024-05-30"):
        require_known(lagged, dt.date(2024, 5, 30))
    with pytest.raises(ValueError, match=r"lag_months must be >= 0 \(got -1\)"):
        as_if_published(lagged, -1)


COUNTRY_MONTHS = (
    "country,month,events,deaths_best,deaths_high,deaths_civilians,state_based_events,"
    "non_state_events,one_sided_events\n"
    "IRQ,2023-12,5.0,7.0,9.0,1.0,5.0,0.0,0.0\n"
    "IRQ,2024-01,6.0,7.0,9.0,1.0,5.0,0.0,0.0\n"
)


def test_totals_are_known_when_their_year_is_final(tmp_path: Path) -> None:
    file = tmp_path / "totals.csv"
    file.write_text(COUNTRY_MONTHS)
    assert list(load_country_months(file)["events"]) == [5, 6]
    assert len(load_country_months(file, as_of=dt.date(2025, 6, 30))) == 2
    with pytest.raises(LeakError) as caught:
        load_country_months(file, as_of=dt.date(2024, 12, 31))
    assert str(caught.value) == (
        "totals.csv: row 3: IRQ 2024-01 was published in final form 2025-06-30, "
        "later than 2024-12-31; 0 more rows"
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "2024-01",
            "January",
            "row 3: month: must be a month, YYYY-MM, from 1900 to 2200 (got 'January')",
        ),
        ("6.0", "-6.0", "row 3: events: must be a whole number from 0 to 1e+10 (got '-6.0')"),
        ("month", "moon", "row 1: column must be given: month"),
    ],
)
def test_bad_totals_are_one_line(old: str, new: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "totals.csv").write_text(COUNTRY_MONTHS.replace(old, new, 1))
    with pytest.raises(HistoryError) as caught:
        load_country_months(tmp_path / "totals.csv")
    assert str(caught.value) == f"totals.csv: {message}"


def test_totals_of_2024_at_hand_are_refused_as_of_2024() -> None:
    """They are of a release of 2025; the first of them is named."""
    file = history_file("country_month_2010_2024.csv")
    table = load_country_months(file)
    first = table.loc[table["month"].dt.year == 2024, "row"].min()
    with pytest.raises(LeakError, match=rf"^country_month_2010_2024.csv: row {first}: IRN 2024-01"):
        load_country_months(file, as_of=dt.date(2024, 12, 31))


def test_events_at_hand_were_known_on_31_december_2024() -> None:
    """The release of November 2024 is the last; a day earlier it is refused."""
    file = history_file("events_2024.csv.gz")
    assert len(calibration_events(file, dt.date(2024, 12, 31)).table) == 1193
    with pytest.raises(LeakError, match="was published 2024-12-31, later than 2024-12-30"):
        calibration_events(file, dt.date(2024, 12, 30))


def test_a_shipped_vintage_is_refused_before_it_was_out() -> None:
    assert shipped_panel(vintage="GED 19.1", as_of=dt.date(2019, 6, 30)).counts.sum() > 0
    with pytest.raises(
        LeakError, match=r"coverage.csv: row \d+: GED 19.1 was published 2019-06-30"
    ):
        shipped_panel(vintage="GED 19.1", as_of=dt.date(2019, 6, 29))


def test_the_factor_between_vintages_is_of_2025() -> None:
    """Both vintages are of 2024: a forecast as of 2024 cannot know how they differ."""
    assert vintage_factor("Iraq", as_of=dt.date(2025, 7, 1)) == pytest.approx(250 / 201, abs=0.005)
    assert vintage_factor("Syria", as_of=dt.date(2025, 7, 1)) == pytest.approx(966 / 992, abs=0.005)
    with pytest.raises(LeakError, match=r"vintage_factors.Iraq: was published 2025-06-30"):
        vintage_factor("Iraq", as_of=dt.date(2024, 12, 31))
    with pytest.raises(HistoryError, match=r"country: has no vintage factor \(got 'Iran'\)"):
        vintage_factor("Iran", as_of=dt.date(2025, 7, 1))


SIMLIB = Path(simlib.__file__).parent
BEHIND = "evidence/history/"
"""Where events may be read without a barrier; everything else asks `calibration_events`."""
SHOWS = ("cli/evidence_commands.py", "history")
"""The command that shows what event files hold, and takes its barrier as an option."""


def goes_around(path: str, source: str) -> bool:
    """Whether a module reads event files without a barrier."""
    if path.startswith(BEHIND):
        return False
    tree = ast.parse(source)
    if path == SHOWS[0]:
        tree.body = [node for node in tree.body if getattr(node, "name", "") != SHOWS[1]]
    names = {
        node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute | ast.Name)
    }
    return "load_events" in names


def test_nothing_goes_around_the_barrier() -> None:
    modules = {file.relative_to(SIMLIB).as_posix(): file for file in SIMLIB.rglob("*.py")}
    assert "evidence/history/barrier.py" in modules
    for path, file in modules.items():
        assert not goes_around(path, file.read_text(encoding="utf-8")), path


def test_going_around_the_barrier_is_found() -> None:
    """Negative control."""
    assert goes_around("evidence/calibrating/x.py", "events = load_events(path)")
    assert goes_around("evidence/calibrating/x.py", "events = event_files.load_events(path)")
    assert not goes_around("evidence/calibrating/x.py", "events = calibration_events(path, day)")
    assert goes_around("cli/evidence_commands.py", "def invert():\n    load_events(path)")
    assert not goes_around("cli/evidence_commands.py", "def history():\n    load_events(path)")
