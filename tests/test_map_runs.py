"""Work in pieces: the same on any number of workers, and finished pieces are not redone."""

from __future__ import annotations

import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from simlib.ensemble import map_runs as mapping
from simlib.ensemble.execution import Execution
from simlib.ensemble.map_runs import Arrays, map_runs
from simlib.errors import ScenarioError, StoreError

if TYPE_CHECKING:
    from simlib.ensemble.execution import Progress


def squares(job: dict[str, str], rows: range) -> Arrays:
    """Return squares, and leave a line where there is a file for it."""
    if "log" in job:
        with Path(job["log"]).open("a", encoding="utf-8") as log:
            log.write(f"{rows.start}\n")
    if rows.start >= int(job.get("fails_from", "1000")):
        raise ValueError("stopped")
    return {"square": np.arange(rows.start, rows.stop) ** 2, "pair": np.ones((len(rows), 2))}


def test_pieces_join_to_the_whole_on_any_number_of_workers() -> None:
    wanted = np.arange(47) ** 2
    for jobs in (1, 2):
        found = map_runs(squares, {}, 47, identity={}, each=10, jobs=jobs)
        assert np.array_equal(found["square"], wanted)
        assert found["pair"].shape == (47, 2)


def test_finished_pieces_are_kept_and_not_redone(tmp_path: Path) -> None:
    """Work that failed half-way goes on; a damaged piece is done again; other work is not it."""
    log = tmp_path / "log"
    seen: list[Progress] = []
    how = Execution(jobs=1, directory=tmp_path, progress=seen.append)
    with pytest.raises(ValueError, match="stopped"):
        map_runs(
            squares, {"log": str(log), "fails_from": "20"}, 40, identity={"x": 1}, each=10, **how
        )
    log.unlink()
    found = map_runs(squares, {"log": str(log)}, 40, identity={"x": 1}, each=10, **how)
    assert log.read_text(encoding="utf-8").split() == ["20", "30"]
    assert np.array_equal(found["square"], np.arange(40) ** 2)
    assert (seen[-1].n_done, seen[-1].n_total) == (20, 20)
    damaged = sorted(tmp_path.rglob("*.npz"))[1]
    damaged.write_bytes(damaged.read_bytes()[:-7])
    map_runs(squares, {"log": str(log)}, 40, identity={"x": 1}, each=10, **how)
    map_runs(squares, {"log": str(log)}, 10, identity={"x": 2}, each=10, **how)
    assert log.read_text(encoding="utf-8").split() == ["20", "30", "10", "0"]


@pytest.mark.parametrize(
    ("n_rows", "jobs", "name"),
    [(0, 1, "replications"), (10**12, 1, "replications"), (5, 0, "jobs"), (5, 100_000, "jobs")],
)
def test_nothing_or_too_much_to_do_is_one_line(n_rows: int, jobs: int, name: str) -> None:
    with pytest.raises(ScenarioError, match=rf"^{name}: must be a whole number from 1 to"):
        map_runs(squares, {}, n_rows, identity={}, jobs=jobs)


def pieces(folder: Path, identity: dict[str, int]) -> list[Path]:
    """Do a work of three pieces, keep them, and return their files in order."""
    before = set(folder.rglob("*.npz"))
    map_runs(squares, {}, 30, identity=identity, each=10, jobs=1, directory=folder)
    return sorted(set(folder.rglob("*.npz")) - before)


@pytest.mark.parametrize("how", ["another piece", "another work", "changed", "unlabelled"])
def test_a_piece_that_is_not_what_its_name_says_is_done_again(how: str, tmp_path: Path) -> None:
    first, second, _ = pieces(tmp_path, {"x": 1})
    if how == "another piece":
        second.write_bytes(first.read_bytes())
    elif how == "another work":
        second.write_bytes(pieces(tmp_path, {"x": 2})[0].read_bytes())
    else:
        with np.load(second) as held:
            arrays = {name: held[name] for name in held.files}
        if how == "changed":
            arrays["square"] = arrays["square"] + 1
        else:
            arrays = {name: array for name, array in arrays.items() if name in {"square", "pair"}}
        np.savez_compressed(second, allow_pickle=False, **arrays)
    log = tmp_path / "log"
    job = {"log": str(log)}
    found = map_runs(squares, job, 30, identity={"x": 1}, each=10, jobs=1, directory=tmp_path)
    assert np.array_equal(found["square"], np.arange(30) ** 2)
    assert log.read_text(encoding="utf-8").split() == ["10"]


def test_a_link_among_the_pieces_is_refused_and_not_followed(tmp_path: Path) -> None:
    first, *_ = pieces(tmp_path / "out", {"x": 1})
    elsewhere = tmp_path / "mine.npz"
    first.rename(elsewhere)
    first.symlink_to(elsewhere)
    before = elsewhere.read_bytes()
    with pytest.raises(StoreError, match=r"00000000-00000010\.npz: is a link; "):
        pieces(tmp_path / "out", {"x": 1})
    assert elsewhere.read_bytes() == before


def test_a_piece_that_unpacks_without_end_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, second, _ = pieces(tmp_path, {"x": 1})
    with zipfile.ZipFile(second) as packed:
        n_bytes = sum(part.file_size for part in packed.infolist())
    monkeypatch.setattr(mapping, "_MAX_PIECE", n_bytes - 1)
    log = tmp_path / "log"
    job = {"log": str(log)}
    map_runs(squares, job, 20, identity={"x": 1}, each=10, jobs=1, directory=tmp_path)
    assert log.read_text(encoding="utf-8").split() == ["0", "10"]


def test_an_argument_that_says_nothing_of_where_work_runs_is_refused() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'workers'; where work runs"):
        map_runs(squares, {}, 3, identity={}, workers=2)  # type: ignore[call-arg]


def test_the_object_that_said_it_before_still_does_and_warns(tmp_path: Path) -> None:
    how = SimpleNamespace(jobs=1, directory=tmp_path, progress=None)
    with pytest.warns(DeprecationWarning, match="give jobs=, directory= and progress="):
        found = map_runs(squares, {}, 3, identity={}, how=how)  # type: ignore[call-arg]
    assert found["square"].tolist() == [0, 1, 4]
    assert (tmp_path / "pieces").is_dir()


def test_pieces_run_on_dask_too() -> None:
    found = map_runs(squares, {}, 30, identity={}, each=10, scheduler="local", jobs=2)
    assert np.array_equal(found["square"], np.arange(30) ** 2)
