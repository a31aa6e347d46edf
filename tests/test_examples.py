"""The examples run and print what stands beside them."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "examples"
EXAMPLES = sorted(FOLDER.glob("[0-9][0-9]_*.py"))
MOST_LINES = 60


def printed(example: Path) -> str:
    return example.with_suffix(".out").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["01_first_run", "03_own_agent"])
def test_example_runs_in_a_process_of_its_own(name: str, tmp_path: Path) -> None:
    """From an empty folder, with nothing loaded; one of them brings a class to the workers."""
    example = FOLDER / f"{name}.py"
    done = subprocess.run(
        [sys.executable, str(example)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == printed(example)


@pytest.mark.parametrize(
    "example", [e for e in EXAMPLES if e.stem[:2] not in {"01", "03"}], ids=lambda e: e.stem
)
def test_example_prints_what_stands_beside_it(
    example: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(example)])
    runpy.run_path(str(example), run_name="example")
    assert capsys.readouterr().out == printed(example)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.stem)
def test_example_is_short(example: Path) -> None:
    """An example is read in one sitting."""
    assert len(example.read_text(encoding="utf-8").splitlines()) <= MOST_LINES
