"""`simlib register` prints a card, sums all up, writes pages, and guesses what was meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.commands import call
from support.scenarios import TEXT

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    """Return the file of a small scenario."""
    file = tmp_path / "small.yaml"
    file.write_text(TEXT)
    return file


def test_a_card_of_a_parameter_without_results() -> None:
    done = call("register", "isis.stock")
    assert done.returncode == 0, done.stderr
    assert "triangular(low 1500, mode 2500, high 5000) persons" in done.stdout
    assert "source, row A27" in done.stdout
    assert "state isis.fighters" in done.stdout
    assert "give --results DIRECTORY or --replications N" in done.stdout


def test_a_card_of_a_row() -> None:
    done = call("register", "B4-2024-RATE")
    assert done.returncode == 0, done.stderr
    assert "= [B4-2024] / 11.2 = 138.2" in done.stdout
    assert "1,548 / 12 and 1,548 / 10" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("isis.stok",), "did you mean 'isis.stock'?"),
        (("A277",), "did you mean 'A27'?"),
        (("as_agred",), "did you mean 'as_agreed'?"),
        (("as_agreed", "-o", "page.pdf"), "must end in .md (got page.pdf)"),
        (("as_agreed", "-o", "page.html"), "(got page.html); HTML is no longer built"),
        (("a", "b", "c"), "must be a scenario and a parameter at most"),
        (("A27", "--outcome", "x"), "give --results DIRECTORY or --replications N"),
        (("A27", "--results", "x", "--replications", "9"), "give one of --results"),
        (("A27", "--results", "nowhere"), "nowhere: holds no simlib results"),
    ],
)
def test_what_cannot_be_is_one_line_and_status_2(arguments: tuple[str, ...], said: str) -> None:
    done = call("register", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_pages_and_a_summary_from_replications(scenario: Path, tmp_path: Path) -> None:
    """From simulated ones, and from stored ones with the same numbers."""
    out, page = tmp_path / "out", tmp_path / "pages" / "register.md"
    done = call("register", scenario, "--replications", "60", "--jobs", "1")
    assert done.returncode == 0, done.stderr
    assert "1 of 1 drawn parameters stand out" in done.stdout
    done = call("run", scenario, "-o", out, "--replications", "60", "--jobs", "1", "--no-figures")
    assert done.returncode == 0, done.stderr
    again = call("register", scenario, "raids", "--results", out, "--outcome", "raids")
    assert again.returncode == 0, again.stderr
    assert "goes with   raids: 0." in again.stdout
    assert "fatalities" not in again.stdout
    done = call("register", scenario, "--results", out, "-o", page)
    assert done.returncode == 0, done.stderr
    assert "60 replications of small" in page.read_text(encoding="utf-8")


def test_a_page_that_cannot_be_written_is_told(scenario: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    done = call("register", scenario, "-o", tmp_path / "taken" / "register.md")
    assert done.returncode == 2
    assert "taken: is no folder" in done.stderr
