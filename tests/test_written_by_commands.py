"""What commands write and read: over nothing that is not theirs, from regular files only."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

import simlib
from simlib.cli.app import app
from simlib.cli.driver import present
from simlib.errors import SimlibError, StoreError
from simlib.evidence.abc_smc.forecaster_problem import ucdp_counts
from simlib.evidence.analogues.analogue_record import read_record
from simlib.evidence.excitation.shipped_fits import fitted_excitation
from simlib.evidence.history.event_files import load_events
from simlib.evidence.ledger.forecast_questions import load_questions
from simlib.evidence.ledger.resolutions import read_resolutions
from simlib.evidence.ledger.sealing import read_ledger
from simlib.files import Output
from simlib.files.outputs import RECORD
from simlib.finding import Finding
from simlib.scenario import load, load_text
from support.data import write_ucdp
from support.scenarios import TEXT, small
from test_observing import with_series

OTHER = "is not what this command wrote"


def call(*arguments: str | Path) -> str:
    """Run a command to its end, and return what it printed."""
    done = CliRunner().invoke(app, [str(each) for each in arguments])
    if isinstance(done.exception, SimlibError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout


def refused(*arguments: str | Path, match: str) -> None:
    """Run a command that is refused with one line."""
    with pytest.raises(SimlibError, match=match) as caught:
        call(*arguments)
    assert len(str(caught.value).splitlines()) == 1


def left(folder: Path) -> set[str]:
    """Return the names in a folder."""
    return {path.name for path in folder.iterdir()}


def test_every_command_that_writes_can_be_forced() -> None:
    """What has a file or a folder to write to has --force; what only reads has none."""
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    names = {
        name: {option for each in command.params for option in each.opts}
        for name, command in commands.items()
    }
    written = {"--output", "--journal", "--figure", "--unmapped", "--report"}
    assert {name for name, options in names.items() if "--force" in options} == {
        name for name, options in names.items() if options & written or name == "extend"
    }
    assert len(names) > len({name for name, options in names.items() if "--force" in options})


# history


@pytest.fixture
def events(tmp_path: Path) -> Path:
    """Return an event file."""
    return write_ucdp(tmp_path / "GEDEvent.csv", {}, {"adm_1": ""})


def test_history_writes_exactly_the_file_that_is_named(events: Path, tmp_path: Path) -> None:
    before = events.read_bytes()
    call("history", events, "-o", tmp_path / "GEDEvent.txt")
    tables = {"GEDEvent.txt", "GEDEvent_coverage.txt", "GEDEvent_incidents.txt"}
    assert left(tmp_path) == {"GEDEvent.csv", *tables}
    assert events.read_bytes() == before
    assert (tmp_path / "GEDEvent.txt").read_text().startswith("vintage,")
    call("history", events, "-o", tmp_path / "GEDEvent.txt")  # the same again
    (tmp_path / "GEDEvent_coverage.txt").write_text("mine")
    refused("history", events, "-o", tmp_path / "GEDEvent.txt", match=OTHER)
    assert (tmp_path / "GEDEvent_coverage.txt").read_text() == "mine"
    call("history", events, "-o", tmp_path / "GEDEvent.txt", "--force")
    assert (tmp_path / "GEDEvent_coverage.txt").read_text() != "mine"


@pytest.mark.parametrize("option", ["-o", "--unmapped"])
def test_history_writes_over_no_input(option: str, events: Path, tmp_path: Path) -> None:
    """Not by force, not where the input bears the name of a file beside, not through a link."""
    beside = write_ucdp(tmp_path / "x_coverage.csv", {"id": "9"})
    (tmp_path / "link.csv").symlink_to(events)
    before = events.read_bytes()
    given: tuple[str | Path, ...] = ("history", events, beside, "--force", option)
    refused(*given, events, match=r"is an input|was read as an input")
    refused(*given, tmp_path / "link.csv", match="is a link")
    if option == "-o":
        refused(*given, tmp_path / "x.csv", match=r"x_coverage\.csv: is an input")
        refused(*given, tmp_path / "y.csv", "--unmapped", tmp_path / "y.csv", match="twice")
    assert events.read_bytes() == before
    assert left(tmp_path) == {"GEDEvent.csv", "x_coverage.csv", "link.csv"}


# figures and replays


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return results of a few replications."""
    path = tmp_path_factory.mktemp("results") / "out"
    simlib.run(small(), replications=4, jobs=1, root_seed=3, directory=path)
    return path


def test_figures_are_drawn_again_over_their_own_only(results: Path, tmp_path: Path) -> None:
    folder = tmp_path / "figures"
    call("plot", results, "-o", folder)
    drawn = left(folder)
    assert RECORD in drawn
    call("plot", results, "-o", folder)
    (folder / "outcomes.png").write_bytes(b"mine")
    refused("plot", results, "-o", folder, match=rf"outcomes\.png: .*{OTHER}")
    assert (folder / "outcomes.png").read_bytes() == b"mine"
    call("plot", results, "-o", folder, "--force")
    assert left(folder) == drawn
    assert (folder / "outcomes.png").read_bytes() != b"mine"


def test_a_run_refuses_its_figures_before_it_begins(tmp_path: Path) -> None:
    scenario, out = tmp_path / "s.yaml", tmp_path / "out"
    scenario.write_text(TEXT)
    out.mkdir()
    (out / "figures").symlink_to(tmp_path / "nowhere" / "at all")
    (out / "figures").unlink()
    (out / "figures").write_bytes(b"mine")
    refused("run", scenario, "-o", out, "--replications", "2", match="figures: is no folder")
    assert left(out) == {"figures"}


@pytest.mark.parametrize(
    ("option", "name", "message"),
    [
        ("--figure", "x.xyz", r"x\.xyz: must end in \.png, \.svg or \.pdf"),
        ("--figure", "n" * 300 + ".png", "cannot be written"),
        ("--journal", "n" * 300, "cannot be written"),
        ("--journal", "/", "is a directory"),
        ("--figure", "/dev/null/x.png", "is no folder"),
        ("--journal", "/dev/null", "is a device"),
        ("--journal", "manifest.json", r"manifest\.json: is an input"),
    ],
)
def test_a_replay_refuses_before_it_is_made(
    option: str, name: str, message: str, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line, by force too, and nothing is simulated."""

    def never(*_: object, **__: object) -> None:
        raise AssertionError("it was replayed")

    monkeypatch.setattr(simlib.Ensemble, "replay", never)
    monkeypatch.chdir(results)
    before = left(results)
    refused("replay", results, "--replication", "1", option, name, "--force", match=message)
    assert left(results) == before


def test_a_replay_writes_into_folders_that_are_missing(results: Path, tmp_path: Path) -> None:
    """A figure by its suffix; the same again is fine, another replication's is refused."""
    journal, figure = tmp_path / "a" / "17.csv", tmp_path / "b" / "c" / "17.svg"
    given = ("replay", results, "--journal", journal, "--figure", figure, "--replication")
    for _ in range(2):
        call(*given, "1")
    assert figure.read_text().startswith("<?xml")
    before = journal.read_bytes()
    refused(*given, "2", match=OTHER)
    assert journal.read_bytes() == before
    call(*given, "2", "--force")
    assert journal.read_bytes() != before


FOLDING = TEXT.replace("country: Syria", "country: 'Ira-q'").replace(
    "country: Iraq", "country: 'Ira q'"
)


def test_countries_whose_names_fold_to_one_have_two_pages(tmp_path: Path) -> None:
    scenario = load_text(FOLDING.replace(", in: Iraq", ""))
    ensemble = simlib.run(scenario, replications=2, jobs=1)
    written = simlib.plot.figures(ensemble, tmp_path)
    assert len(written) == len({path.name.lower() for path in written})
    assert len([path for path in written if path.name.startswith("months-ira-q-")]) == 2


class Units(Finding):
    """A result with a unit that a spreadsheet would compute."""

    stem = "effects"

    def sentences(self) -> list[str]:
        """Say nothing."""
        return []

    def table(self) -> pd.DataFrame:
        """Give two units."""
        return pd.DataFrame({"unit": ["=1+1", "persons"], "n": [-1.0, 2.0]})


def test_no_cell_of_a_kept_table_is_a_formula(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Text of a scenario, such as a unit, comes into tables."""
    present(Output(tmp_path, "why"), Units())
    assert capsys.readouterr().out.splitlines()[-1] == f"table: {tmp_path / 'effects.csv'}"
    assert (tmp_path / "effects.csv").read_text() == "unit,n\n'=1+1,-1.0\npersons,2.0\n"


@pytest.mark.parametrize("command", ["compare", "why", "discover"])
def test_a_source_of_any_length_is_one_line(command: str) -> None:
    more = {
        "compare": ["--option", "a,b"],
        "why": ["x", "--option", "a,b"],
        "discover": ["x > 1"],
    }
    refused(command, f"{'n' * 300}.yaml", *more[command], match="cannot be read|no such")


# forecasts


def forecast(tmp_path: Path, *more: str | Path) -> tuple[str | Path, ...]:
    """Return the command that forecasts two months of a publisher."""
    scenario = tmp_path / "s.yaml"
    if not scenario.exists():
        scenario.write_text(with_series())
    sizes = ("--months", "2", "--replications", "4", "--jobs", "1")
    return ("forecast", scenario, "--as", "monitors", *sizes, *more)


def test_a_forecast_replaces_no_file_unasked(tmp_path: Path) -> None:
    output = tmp_path / "counts.csv"
    output.write_text("mine")
    refused(*forecast(tmp_path, "-o", output), match=OTHER)
    assert output.read_text() == "mine"
    call(*forecast(tmp_path, "-o", output, "--force"))
    assert output.read_text().startswith("series,month,")
    refused(*forecast(tmp_path, "-o", tmp_path / "s.yaml", "--force"), match="an input")


def test_a_folder_beside_a_forecast_survives(tmp_path: Path) -> None:
    """Only what the run itself put there goes when it is done."""
    parts = tmp_path / "counts.csv.parts"
    (parts / "sub").mkdir(parents=True)
    (parts / "sub" / "mine.txt").write_text("mine")
    call(*forecast(tmp_path, "-o", tmp_path / "counts.csv"))
    assert [path.name for path in parts.rglob("*") if path.is_file()] == ["mine.txt"]


def test_a_forecast_keeps_nothing_through_a_link(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "00000000-00000004.npz").write_bytes(b"mine")
    (tmp_path / "counts.csv.parts").symlink_to(elsewhere)
    refused(*forecast(tmp_path, "-o", tmp_path / "counts.csv"), match=r"\.parts: is a link")
    assert left(elsewhere) == {"00000000-00000004.npz"}


def test_a_ledger_is_refused_before_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is there, and what could not be written."""

    def never(*_: object, **__: object) -> None:
        raise AssertionError("it was run")

    monkeypatch.setattr("simlib.evidence.ledger.freezing.freeze", never)
    scenario, ledger = tmp_path / "s.yaml", tmp_path / "ledger.json"
    scenario.write_text(TEXT)
    ledger.write_text("mine")
    given = ("forecast", scenario, "--replications", "2", "-o")
    refused(*given, ledger, match="a ledger is not written over")
    for name, message in (
        ("s.yaml", "was read as an input"),
        (".", "is a directory"),
        ("n" * 300, "cannot be written"),
        ("s.yaml/x.json", "is no folder"),
    ):
        refused(*given, tmp_path / name, "--force", match=message)
    assert ledger.read_text() == "mine"


# readers

READERS: dict[str, Callable[[Path], Any]] = {
    "scenario": load,
    "events": load_events,
    "packed events": lambda path: load_events(path.rename(path.with_suffix(".csv.gz"))),
    "archived events": lambda path: load_events(path.rename(path.with_suffix(".csv.zip"))),
    "questions": lambda path: load_questions(small(), path),
    "ledger": read_ledger,
    "outcomes": lambda path: read_resolutions(path, {"questions": [], "as_of": "2000-01-01"}),
    "record": lambda path: read_record(dt.date(2024, 12, 31), path),
    "counts": lambda path: ucdp_counts(path, ["ucdp_259"]),
    "fits": lambda path: fitted_excitation(path, pools={}),
}


@pytest.mark.parametrize("reader", READERS)
def test_a_pipe_or_a_folder_is_not_read(reader: str, tmp_path: Path) -> None:
    """Opening a pipe would wait for a writer for ever."""
    pipe, folder = tmp_path / "pipe.yaml", tmp_path / "folder.yaml"
    os.mkfifo(pipe)
    folder.mkdir()
    for path, kind in ((pipe, "a pipe"), (folder, "a directory")):
        with pytest.raises(SimlibError, match=rf"must be a regular file \(got {kind}\)"):
            READERS[reader](path)


@pytest.mark.parametrize("reader", sorted(set(READERS) - {"packed events", "archived events"}))
def test_a_device_is_not_read(reader: str, tmp_path: Path) -> None:
    """Also through a link: it has no end."""
    link = tmp_path / "link.yaml"
    link.symlink_to("/dev/zero")
    with pytest.raises(SimlibError, match=r"must be a regular file \(got a device or socket\)"):
        READERS[reader](link)


@pytest.mark.parametrize("reader", READERS)
def test_what_was_read_is_an_input(reader: str, tmp_path: Path) -> None:
    """Whatever is in it: it is never written over."""
    path = tmp_path / "given.yaml"
    path.write_bytes(b"a,b\n1,2\n")
    with pytest.raises(SimlibError):
        READERS[reader](path)
    (there,) = tmp_path.iterdir()
    with pytest.raises(StoreError, match="was read as an input"):
        simlib.files.write_file(there, b"two", force=True)
