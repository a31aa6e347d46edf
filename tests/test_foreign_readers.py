"""Results open without simlib: pandas, Arrow's datasets (which R reads with), DuckDB."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pandas as pd
import pyarrow.dataset as ds
import pytest

import simlib
from simlib.ensemble.store.chunk_reading import DATES
from simlib.errors import SimlibWarning
from support.agents import Failing, Watcher
from support.scenarios import watched

if TYPE_CHECKING:
    from pathlib import Path

N = 20


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> simlib.Ensemble:
    """Return two options in chunks of 8, extended once, with what a killed run leaves."""
    path: Path = tmp_path_factory.mktemp("results")
    simlib.run(
        watched(), options="all", replications=N - 5, root_seed=3, jobs=1, agents=[Watcher],
        directory=path, chunk_size=8,
    )  # fmt: skip
    found = simlib.open(path).extend(N, agents=[Watcher], jobs=1)
    folder = path / "outcomes" / "option=later"
    (folder / ".00000020-00000028.parquet.99.tmp").write_bytes(b"PAR1")
    return found


def expected(results: simlib.Ensemble, table: str) -> pd.DataFrame:
    """Return a table as simlib reads it."""
    frame: pd.DataFrame = getattr(results, table).reset_index()
    return frame


@pytest.mark.parametrize("table", ["outcomes", "parameters", "milestones", "decisions", "monthly"])
def test_pandas_reads_a_table_as_simlib_does(results: simlib.Ensemble, table: str) -> None:
    found = pd.read_parquet(results.path / table)
    ours = expected(results, table)
    assert len(found) == len(ours)
    # Days stand beside their times, and are not stored.
    for name in ours.columns.difference(list(DATES.get(table, {}).values())):
        theirs = found[name].astype(object) if name != "month" else found[name]
        assert theirs.astype(str).tolist() == ours[name].astype(str).tolist()


def test_arrow_datasets_read_partitions(results: simlib.Ensemble) -> None:
    """What R's ``open_dataset`` reads: options as a column, one schema for all files."""
    dataset = ds.dataset(results.path / "outcomes", format="parquet", partitioning="hive")
    assert dataset.count_rows() == 2 * N
    later = dataset.to_table(filter=ds.field("option") == "later", use_threads=False)
    ours = results.of("later").outcomes
    assert later.column("raids").to_pylist() == ours["raids"].tolist()
    assert later.column("exit_class").to_pylist() == ours["exit_class"].tolist()


def test_duckdb_counts_what_simlib_counts(results: simlib.Ensemble) -> None:
    monthly = duckdb.read_parquet(f"{results.path}/monthly/*/*.parquet", hive_partitioning=True)
    rows = monthly.aggregate("option, type, sum(count)").fetchall()
    ours = results.monthly.groupby(["option", "type"])["count"].sum()
    assert {(o, t): n for o, t, n in rows} == ours.to_dict()


def test_failures_open_too_and_no_failure_has_no_folder(
    results: simlib.Ensemble, tmp_path: Path
) -> None:
    assert not (results.path / "failures").exists()
    with pytest.warns(SimlibWarning, match=r"\d+ of \d+ replications failed; the first is "):
        failing = simlib.run(
            watched(), replications=N, root_seed=3, jobs=1, agents=[Failing], directory=tmp_path
        )
    found = pd.read_parquet(tmp_path / "failures")
    assert found["replication"].tolist() == failing.failures.index.tolist()
    assert len(pd.read_parquet(tmp_path / "outcomes")) == N - len(found)


def test_nothing_needs_simlib_to_be_unpacked(results: simlib.Ensemble) -> None:
    """No pickle: every file is JSON or Parquet, and no column holds objects."""
    endings = {path.suffix for path in results.path.rglob("*") if path.is_file()}
    assert endings <= {".json", ".parquet", ".tmp", ".lock", ""}
    for file in results.path.rglob("*.parquet"):
        for kind in ds.dataset(file, format="parquet").schema.types:
            assert "binary" not in str(kind)
            assert "extension" not in str(kind)
