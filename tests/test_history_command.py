"""The command on event files."""

from __future__ import annotations

import functools
from pathlib import Path

import pandas as pd
import pytest

from support.commands import call
from support.data import write_ucdp

history = functools.partial(call, "history")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return three events of February 2024, one of no series."""
    return write_ucdp(
        tmp_path / "GEDEvent_v24_0_2.csv",
        {},
        {"adm_1": "", "best": "0", "deaths_b": "0"},
        {"conflict_new_id": "77", "dyad_name": "A - B"},
    )


def test_counts_are_shown_and_kept(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out" / "counts.csv"
    done = history(file, "-o", out, "--unmapped", tmp_path / "left.csv", "--as-of", "2024-03-31")
    assert (done.returncode, done.stderr) == (0, "")
    lines = [line.split() for line in done.stdout.splitlines()]
    assert ["Candidate", "24.0", "isf_isis_iraq", "2024", "2", "1", "2", "0.500"] in lines
    assert "every row is dated and was published by 2024-03-31" in done.stdout
    assert "3 rows: 2 in a series, 1 of a known incident type" in done.stdout
    assert list(pd.read_csv(out)["events"]) == [1, 1]
    coverage = pd.read_csv(tmp_path / "out" / "counts_coverage.csv").set_index("series")
    assert coverage.loc["isf_isis_iraq", "events"] == 2
    assert coverage.loc["turkiye_pkk_iraq", "events"] == 0
    assert len(pd.read_csv(tmp_path / "out" / "counts_incidents.csv")) == 1
    left = pd.read_csv(tmp_path / "left.csv")
    assert sorted(left["reason"]) == ["no incident", "no rule fits", "not located"]


def test_the_barrier_refuses_or_leaves_out_and_says_so(file: Path) -> None:
    refused = history(file, "--as-of", "2024-03-30")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == (
        "GEDEvent_v24_0_2.csv: row 3: event 1 was published 2024-03-31, later than 2024-03-30; "
        "2 more rows\n"
    )
    left_out = history(file, "--as-of", "2024-03-30", "--leave-out")
    assert left_out.returncode == 0
    assert "3 of 3 rows left out: dated or published after 2024-03-30" in left_out.stdout


def test_a_mistake_is_one_line_and_status_2(file: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.csv"
    broken.write_text(file.read_text().replace("2024-02-03", "soon"))
    mapping = tmp_path / "mine.yaml"
    mapping.write_text("rules: []\n")
    for arguments, message in (
        ((broken,), "broken.csv: row 3: date_start: must be a date"),
        ((file, "--mapping", mapping), "releases: must be given"),
        ((file, "--leave-out"), "leave-out: needs a date (got no --as-of)"),
        ((file, "--as-of", "May"), "date: must be YYYY-MM-DD (got 'May')"),
        ((file, file), "event 1 stands in GEDEvent_v24_0_2.csv (row 3) too"),
    ):
        done = history(*arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert message in done.stderr
        assert "Traceback" not in done.stderr
