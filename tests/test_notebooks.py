"""The notebooks run from nothing, show pictures, and were written without traces of a machine."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
import pytest

import simlib
from simlib.ensemble import Progress, notebook_progress
from simlib.ensemble.notebook_progress import NotebookBar, usual_listener
from support.notebooks import executed
from support.scenarios import small

FOLDER = Path(__file__).resolve().parents[1] / "examples"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
MOST_BYTES = 400_000
MACHINE = re.compile(r'(?<![\w.])/(?:home|root|tmp|work|Users|usr)/[^"\s]*|[A-Z]:\\\\')


def shown(notebook: Any) -> list[tuple[str, ...]]:
    """Return the kinds of what each cell shows, in order."""
    cells = (cell.outputs for cell in notebook.cells if cell.cell_type == "code")
    return [
        tuple("image/png" if "image/png" in o.get("data", {}) else o.output_type for o in outputs)
        for outputs in cells
    ]


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_a_notebook_runs_and_shows_what_is_kept_in_it(file: Path, tmp_path: Path) -> None:
    kept = nbformat.read(file, as_version=4)
    found = executed(file, tmp_path)
    assert shown(found) == shown(kept)
    assert ("image/png",) in shown(kept)


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_what_is_kept_is_small_and_tells_of_no_machine(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert len(text) < MOST_BYTES
    assert MACHINE.findall(text) == []
    outputs = [
        o for cell in nbformat.reads(text, as_version=4).cells for o in cell.get("outputs", ())
    ]
    assert not [o for o in outputs if o.output_type == "error" or o.get("name") == "stderr"]


def test_there_are_two() -> None:
    assert [file.stem for file in NOTEBOOKS] == ["09_the_question", "10_own_theatre"]


# the bar


class Screen:
    """Stands for IPython: keeps what is displayed in one place."""

    def __init__(self, shell: object) -> None:
        self.texts: list[str] = []
        self._shell = shell

    def get_ipython(self) -> object:
        """Return the shell that runs, if one does."""
        return self._shell

    def display(self, looks: dict[str, str], **_how: object) -> Screen:
        """Show something, and return what changes it."""
        self.update(looks)
        return self

    def update(self, looks: dict[str, str], **_how: object) -> None:
        """Show something else in its place."""
        self.texts.append(looks["text/html"])


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    """Return a notebook's screen in the place of IPython."""
    found = Screen(SimpleNamespace(kernel=object()))
    monkeypatch.setitem(sys.modules, "IPython", found)
    monkeypatch.setitem(sys.modules, "IPython.display", found)
    monkeypatch.setattr(notebook_progress, "_EVERY", 0.0)
    return found


def test_a_run_in_a_notebook_draws_a_bar_and_ends_with_one_line(screen: Screen) -> None:
    simlib.run(small(), replications=4, jobs=1, chunk_size=1)
    *bars, last = screen.texts
    assert last == "4 replications simulated"
    assert any('<progress value="2" max="4"></progress> 2 of 4' in each for each in bars)


def test_results_that_are_there_say_so(screen: Screen, tmp_path: Path) -> None:
    simlib.run(small(), replications=2, jobs=1, directory=tmp_path)
    simlib.run(small(), replications=2, jobs=1, directory=tmp_path)
    assert screen.texts[-1] == "all replications are there already"


def test_what_is_told_is_escaped_and_counts_failures(screen: Screen) -> None:
    bar = NotebookBar()
    bar(Progress("running", 3, 9, n_failed=1, seconds=0.1))
    assert screen.texts[-1].endswith("</progress> 3 of 9, 1 failed")


@pytest.mark.parametrize("shell", [None, SimpleNamespace()])
def test_elsewhere_nothing_is_drawn(shell: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not in a terminal's IPython, and not where there is none."""
    monkeypatch.setitem(sys.modules, "IPython", Screen(shell))
    assert not isinstance(usual_listener(), NotebookBar)
    monkeypatch.delitem(sys.modules, "IPython")
    assert not isinstance(usual_listener(), NotebookBar)
