"""`simlib why` prints sentences, draws the paths, and names replications that replay."""

from __future__ import annotations

import csv
import re
import shlex
from typing import TYPE_CHECKING

import pytest
from matplotlib.figure import Figure

import simlib
from simlib.analysis import why
from support.commands import call
from support.known_answers import PLANTED, planted
from support.scenarios import TEXT

if TYPE_CHECKING:
    from pathlib import Path

    from simlib.analysis.mediation.explanation import Explanation

BUSIER = """\
  busier:
    parameters:
      raids: {value: 40, unit: incidents per month, judgement: test}
"""
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def explanation() -> Explanation:
    """Return why the planted scenario's options differ, and an outcome that does not."""
    found: Explanation = why(
        planted(), ["attacks", "exit_class"], baseline="never", counterfactual="early",
        agents=PLANTED, replications=10, jobs=1,
    )  # fmt: skip
    return found


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    """Return the file of a small scenario with an option that replaces a parameter."""
    file = tmp_path / "small.yaml"
    file.write_text(TEXT.replace("outcomes:\n", f"{BUSIER}outcomes:\n"))
    return file


def test_sentences_tables_figures_and_a_replay_that_runs(scenario: Path, tmp_path: Path) -> None:
    """From results: every file is there, and the command that is named does as it says."""
    out, kept = tmp_path / "out", tmp_path / "why"
    options = ("--option", "as_planned", "--option", "busier")
    done = call("run", scenario, "-o", out, "--replications", "6", "--no-figures", *options)
    assert done.returncode == 0, done.stderr
    done = call("why", out, "raids", "--option", "as_planned,busier", "-o", kept, "--jobs", "1")
    assert done.returncode == 0, done.stderr
    said = "100 % (100 to 100) of the extra incidents pass through the parameters that the options"
    assert said in " ".join(done.stdout.split())
    assert "Description, not attribution: 6 of 6 pairs part" in done.stdout
    assert all(len(line) <= 80 for line in done.stdout.splitlines() if line.startswith("Desc"))
    for name in ("effects", "shares", "paths", "ranking", "divergences"):
        assert f"table: {kept}/why-{name}.csv" in done.stdout
        with (kept / f"why-{name}.csv").open(newline="") as file:
            assert len(list(csv.reader(file))) > 1
    assert (kept / "why-raids.png").read_bytes().startswith(PNG)
    command = re.search(r"To see it:\n(simlib replay .*)", done.stdout)
    assert command is not None
    done = call(*shlex.split(command[1])[1:], "--journal", tmp_path / "journal.csv")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "journal.csv").exists()


def test_a_scenario_is_explained_too_and_nothing_is_found_where_nothing_is(
    scenario: Path,
) -> None:
    """Options that move a milestone which nobody minds: no share, no path, no replay."""
    done = call("why", scenario, "raids", "--option", "as_planned,later", "--replications", "4",
                "--jobs", "1")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "there is nothing to explain" in done.stdout
    assert "the journals of all 4 pairs are the same" in done.stdout
    assert "replay" not in done.stdout
    assert "% (" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("riads", "--option", "as_planned,later"), "outcomes: no such outcome (got 'riads')"),
        (("raids", "--option", "as_planned"), "option: must be two options A,B"),
        (("raids", "--option", "as_planned,latr"), "options: undefined option (got 'latr')"),
        (("raids", "--option", "as_planned,later", "--by", "x"), "by: must be one of agent"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(
    scenario: Path, arguments: tuple[str, ...], line: str, tmp_path: Path
) -> None:
    done = call("why", scenario, *arguments, "-o", tmp_path / "why")
    assert done.returncode == 2
    assert done.stderr.startswith(line)
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "why").exists()


def test_figures_are_labelled(explanation: Explanation) -> None:
    ax = Figure().subplots()
    assert simlib.plot.shares(explanation, ax) is ax
    assert ax.get_title(loc="left") == "Attacks"
    assert "attacks" in ax.get_xlabel()
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels == ["never", "planter", "early"]
    assert any("100 %" in text.get_text() for text in ax.texts)
    ax = simlib.plot.paths(explanation)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["planter > pressure > North"]
    assert any("not attribution" in text.get_text() for text in ax.texts)


def test_a_figure_of_no_effect_has_no_share(explanation: Explanation, tmp_path: Path) -> None:
    ax = simlib.plot.shares(explanation, outcome="exit_class.open")
    assert not any(" % " in text.get_text() for text in ax.texts)
    assert any("no share is given" in text.get_text() for text in ax.texts)
    simlib.plot.save_why(explanation, tmp_path / "open.png", "exit_class.open")
    assert (tmp_path / "open.png").read_bytes().startswith(PNG)
    with pytest.raises(KeyError, match="no finding on 'atacks'"):
        simlib.plot.paths(explanation, outcome="atacks")


def test_tables_rank_agents_mechanisms_and_places(explanation: Explanation) -> None:
    ranking = explanation.ranking()
    attacks = ranking[ranking["outcome"] == "attacks"]
    assert list(attacks["level"]) == ["agent", "mechanism", "place"]
    assert list(attacks["name"]) == ["planter", "pressure", "North"]
    assert list(attacks["percent_of_all_differing"]) == [100.0] * 3
    (path,) = explanation.paths().to_dict("records")
    assert path["option"] == "early"
    assert len(path["replications"].split()) == 3
