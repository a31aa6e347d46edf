"""Results are read a chunk at a time: the same answers, in memory that has a bound."""

from __future__ import annotations

import dataclasses
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import simlib
from simlib.ensemble import stored_tables as budget
from simlib.ensemble.replications import Job, prepare, simulate_chunk
from simlib.ensemble.store import Entry
from simlib.ensemble.store import chunk_reading as reading
from simlib.ensemble.store.chunks import TABLES
from simlib.errors import SimlibWarning
from support.agents import FEW, Failing, Watcher
from support.results import write_large_results
from support.scenarios import small, watched

if TYPE_CHECKING:
    from collections.abc import Iterator

N = 24


def ensemble_in_chunks(size: int, agent: type[simlib.Agent] = Watcher) -> simlib.Ensemble:
    """Return replications of the watched scenario in chunks of one size."""
    return simlib.run(
        watched(), replications=N, root_seed=3, jobs=1, agents=[agent], chunk_size=size,
        journals=True,
    )  # fmt: skip


@pytest.fixture(scope="module", params=[1, 5, N], ids="chunks of {}".format)
def ensemble(request: pytest.FixtureRequest) -> simlib.Ensemble:
    """Return the same ensemble, cut in different ways."""
    return ensemble_in_chunks(request.param)


@pytest.fixture(scope="module", params=[1, 5, N], ids="chunks of {}".format)
def failing(request: pytest.FixtureRequest) -> simlib.Ensemble:
    """Return an ensemble of which some replications fail; of size 1, whole chunks do."""
    with pytest.warns(SimlibWarning, match=r"\d+ of \d+ replications failed; the first is "):
        return ensemble_in_chunks(request.param, Failing)


@pytest.fixture(scope="module")
def options() -> simlib.Ensemble:
    """Return two options; the second has a replication less, and other chunks."""
    found = simlib.run(
        small(), option="as_planned", replications=7, jobs=1, chunk_size=3, journals=True
    )
    prepared = prepare(Job(small(), journals=True), "later")
    for replications in (range(1, 5), range(5, 7)):
        found.directory.write(simulate_chunk(prepared, "later", replications))
    return simlib.Ensemble(found.directory, ("as_planned", "later"))


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, str]]:
    """Return a list that tells every read of a table from now on."""
    told: list[tuple[int, str]] = []
    read = Entry.read

    def telling(entry: Entry, table: str, columns: list[str] | None = None) -> Any:
        told.append((entry.first, table))
        return read(entry, table, columns)

    monkeypatch.setattr(Entry, "read", telling)
    return told


def fresh(ensemble: simlib.Ensemble) -> simlib.Ensemble:
    """Return the same results, of which nothing is held yet."""
    return simlib.Ensemble(ensemble.directory)


Line: TypeAlias = tuple[str, str, dict[str, float]]
"""Outcome, category and numbers of a line."""


def of_numbers(name: str, column: pd.Series[Any]) -> Line:
    """Return the line of a number from its whole column, by the definitions."""
    seen = column.dropna().astype(float)
    error = seen.std(ddof=1) / math.sqrt(len(seen)) if len(seen) > 1 else math.nan
    mean = seen.mean() if len(seen) else math.nan
    # What is censored comes last; a quantile cannot lie between it and what was seen.
    method: Any = "inverted_cdf" if len(seen) < len(column) else "linear"
    ranked = column.fillna(np.inf).to_numpy(dtype=float)
    q05, q50, q95 = np.quantile(ranked, [0.05, 0.5, 0.95], method=method).tolist()
    line = {"n": len(seen), "n_censored": len(column) - len(seen), "mean": mean}
    line |= {"mc_error": error, "low": mean - stats.norm.ppf(0.975) * error}
    return name, "", line | {"q05": q05, "q50": q50, "q95": q95}


def of_shares(name: str, column: pd.Series[Any], categories: list[Any]) -> Iterator[Line]:
    """Yield the line of each category from the whole column, by the definitions."""
    for category in categories:
        yes = column.eq(category)
        low, high = stats.binomtest(int(yes.sum()), len(yes)).proportion_ci(method="wilson")
        label = category if isinstance(category, str) else ""
        yield name, label, {"n": len(yes), "mean": yes.mean(), "low": low, "high": high}


def expected(name: str, column: pd.Series[Any], about: dict[str, Any]) -> Iterator[Line]:
    """Yield the lines of an outcome."""
    if about["kind"] == "number":
        yield of_numbers(name, column)
    elif about["kind"] == "flag":
        yield from of_shares(name, column, [1.0])
    else:
        others = sorted(set(column) - set(about["classes"]))
        yield from of_shares(name, column, [*about["classes"], *others])


@pytest.mark.parametrize("n_columns", [1, 3, 100])
def test_lines_are_those_of_the_whole_columns(
    ensemble: simlib.Ensemble,
    reads: list[tuple[int, str]],
    n_columns: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However many columns a pass gathers, and however the replications are cut.

    There is a pass for each batch and no more: with k outcomes and batches of b columns
    each chunk is read ceil(k / b) times. Means and errors are the same sums, rounded
    once or twice more: 1e-12; Wilson's interval is SciPy's.
    """
    whole, about = ensemble.outcomes, ensemble.manifest["outcomes"]
    lines = [line for name in about for line in expected(name, whole[name], about[name])]
    monkeypatch.setattr(budget, "MOST_BYTES", n_columns * N * 8)
    reads.clear()
    rows = [dataclasses.asdict(row) for row in fresh(ensemble).summaries()]
    n_chunks = len(ensemble.directory.entries(""))
    assert len(reads) == n_chunks * -(-len(about) // n_columns)
    assert len(rows) == len(lines)
    for row, (name, category, line) in zip(rows, lines, strict=True):
        assert (row["outcome"], row["category"], row["n_asked"]) == (name, category, N)
        assert {key: row[key] for key in line} == pytest.approx(line, rel=1e-12, nan_ok=True)


@pytest.mark.parametrize("size", [1, 7])
def test_no_cut_changes_a_bit(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = ensemble_in_chunks(N), ensemble_in_chunks(size)
    table = one.table()
    monkeypatch.setattr(budget, "MOST_BYTES", 1)
    pd.testing.assert_frame_equal(other.table(), table, check_exact=True)


def test_one_outcome_is_gathered_alone_and_asked_again_costs_nothing(
    ensemble: simlib.Ensemble, reads: list[tuple[int, str]]
) -> None:
    found = fresh(ensemble)
    row = found.summary("raids")[0]
    assert set(found._columns._held) == {"raids"}
    n_reads = len(reads)
    assert found.summary("raids") == [row]
    assert found.values("raids").mean() == row.mean
    assert len(reads) == n_reads == len(ensemble.directory.entries(""))


def test_values_are_the_columns_of_outcomes(ensemble: simlib.Ensemble) -> None:
    for name, column in ensemble.outcomes.items():
        np.testing.assert_array_equal(ensemble.values(str(name)), column.to_numpy())
    with pytest.raises(KeyError, match="no outcome 'riads'"):
        ensemble.values("riads")


def test_a_chunk_that_failed_counts_among_those_asked(failing: simlib.Ensemble) -> None:
    """Of N asked those that drew few raids failed, and no other."""
    kept = failing.parameters.index
    n_kept = N - failing.n_failed
    assert 0 < n_kept < N
    assert (failing.parameters["raids"] >= FEW).all()
    row = failing.summary("raids")[0]
    assert (row.n, row.n_asked) == (n_kept, N)
    assert {row.n_asked for row in failing.summaries()} == {N}
    months = failing.monthly_counts("raid")
    assert months.sum(axis=1).tolist() == failing.outcomes["raids"].tolist()
    assert failing.to_xarray()["replication"].to_numpy().tolist() == kept.tolist()


def test_an_ensemble_of_failures_only_is_said_to_rest_on_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It is an error, and what is known of the failures is kept."""
    monkeypatch.setattr("support.agents.FEW", 1e9)
    message = f"{N} of {N} replications failed; the first is replication 0: .* nothing to watch"
    with pytest.raises(simlib.SimulationError, match=message):
        simlib.run(watched(), replications=N, jobs=1, agents=[Failing], directory=tmp_path)
    found = simlib.open(tmp_path)
    assert found.n_failed == N
    table = found.table()
    assert set(table["n"]) == {0}
    assert set(table["n_asked"]) == {N}
    assert set(table["shown"]) == {"none observed"}
    assert found.monthly_counts("raid").shape == (0, 6)
    assert found.to_xarray().compute().shape == (0, 6, 3, 2)
    assert len(found.failures) == N


def counted(ensemble: simlib.Ensemble) -> np.ndarray[Any, Any]:
    """Return the cube of one option, from rows of the whole table, one by one."""
    manifest = ensemble.manifest
    replications = ensemble.outcomes.index.tolist()
    axes = (replications, manifest["months"], list(manifest["places"]), manifest["types"])
    dense = np.zeros([len(axis) for axis in axes], dtype=np.int32)
    for row in ensemble.monthly.reset_index().to_dict("records"):
        where = (row["replication"], str(row["month"]), row["place"], row["type"])
        dense[tuple(axis.index(at) for axis, at in zip(axes, where, strict=True))] = row["count"]
    return dense


@pytest.mark.parametrize("budgeted", [1, 10**9])
def test_monthly_counts_are_sums_of_the_rows(
    failing: simlib.Ensemble, budgeted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budget, "MOST_BYTES", budgeted)
    found, dense = fresh(failing), counted(failing)
    lands = np.array(list(found.manifest["places"].values()))
    totals = found.monthly_totals()
    for index, of_type in enumerate(found.manifest["types"]):
        whole = found.monthly_counts(of_type)
        assert whole.dtype == np.int32
        assert (whole == dense[..., index].sum(axis=2)).all()
        for land in found.countries():
            there = dense[:, :, lands == land, index].sum(axis=2)
            assert (found.monthly_counts(of_type, land) == there).all()
            assert totals.loc[of_type, land] == there.sum()
    with pytest.raises(KeyError, match="no incident type 'riad'"):
        found.monthly_counts("riad")
    with pytest.raises(KeyError, match="no country 'Atlantis'"):
        found.monthly_counts("raid", "Atlantis")


def test_figures_of_all_countries_are_drawn_from_one_pass(
    ensemble: simlib.Ensemble, reads: list[tuple[int, str]]
) -> None:
    found = fresh(ensemble)
    found.monthly_totals()
    for land in (*found.countries(), None):
        for of_type in found.manifest["types"]:
            found.monthly_counts(of_type, land)
    n_chunks = len(ensemble.directory.entries(""))
    assert [table for _, table in reads] == ["monthly"] * n_chunks


def test_what_is_given_away_is_the_users_own(ensemble: simlib.Ensemble) -> None:
    before = ensemble.monthly_counts("raid").sum()
    given = ensemble.monthly_counts("raid")
    given += 1
    assert ensemble.monthly_counts("raid").sum() == before


def test_the_cube_reads_a_block_when_it_is_computed(
    ensemble: simlib.Ensemble, reads: list[tuple[int, str]]
) -> None:
    """No read until then; then of the chunk that is looked at alone."""
    cube = fresh(ensemble).to_xarray()
    half = cube.sel(type="raid").sum("place")
    assert reads == []
    assert cube.name == "incidents"
    assert cube.dtype == np.int32
    entries = ensemble.directory.entries("")
    assert cube.chunks is not None
    assert cube.chunks[0] == tuple(entry.stop - entry.first for entry in entries)
    half.sel(replication=0).compute()
    assert reads == [(0, "monthly")]


def test_the_cube_computed_is_the_counts(failing: simlib.Ensemble) -> None:
    cube = failing.to_xarray()
    assert (cube.compute() == counted(failing)).all()
    assert cube["replication"].to_numpy().tolist() == failing.outcomes.index.tolist()
    assert cube["month"].to_numpy().astype(str).tolist()[0].startswith("2000-01-01")
    assert cube["place"].to_numpy().tolist() == list(failing.manifest["places"])
    assert cube["type"].to_numpy().tolist() == failing.manifest["types"]


def test_the_cube_of_several_options_has_what_all_have(
    options: simlib.Ensemble, reads: list[tuple[int, str]]
) -> None:
    cube = options.to_xarray()
    assert reads == []
    assert cube.dims == ("option", "replication", "month", "place", "type")
    assert cube.chunks is not None
    assert cube["replication"].to_numpy().tolist() == list(range(1, 7))
    assert cube["option"].to_numpy().tolist() == ["as_planned", "later"]
    first = counted(options.of("as_planned"))[1:]
    assert (cube.sel(option="as_planned").compute() == first).all()
    assert (cube.sel(option="later").compute() == counted(options.of("later"))).all()


def test_a_cube_outlives_the_ensemble_of_a_temporary_directory() -> None:
    cube = simlib.run(small(), replications=2, jobs=1).to_xarray()
    assert cube.sum().compute() > 0


@pytest.mark.parametrize("missing", ["xarray", "dask.array"])
def test_a_missing_extra_is_one_clear_line(
    ensemble: simlib.Ensemble, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(simlib.StoreError, match=r"needs the extra cube: pip install 'simlib-s"):
        ensemble.to_xarray()


@pytest.mark.parametrize("table", TABLES)
def test_parts_add_up_to_the_table(failing: simlib.Ensemble, table: str) -> None:
    """A chunk without a row gives no part, a table without a row one (nobody decides)."""
    parts, whole = list(failing.parts(table)), getattr(failing, table)
    pd.testing.assert_frame_equal(pd.concat(parts), whole)
    assert all(len(part) for part in parts) or len(parts) == 1 > len(whole)


@pytest.mark.parametrize("table", TABLES)
def test_parts_of_several_options_add_up(options: simlib.Ensemble, table: str) -> None:
    """Nobody decides or fails there: of such tables there is one part, without a row."""
    whole = getattr(options, table)
    parts = list(options.parts(table))
    pd.testing.assert_frame_equal(pd.concat(parts), whole)
    assert whole.index.names == ["option", "replication"]
    assert len(parts) == (5 if len(whole) else 1)


def test_parts_are_read_one_at_a_time(
    ensemble: simlib.Ensemble, reads: list[tuple[int, str]]
) -> None:
    next(ensemble.parts("decisions"))
    assert reads == [(0, "decisions")]
    with pytest.raises(simlib.StoreError, match="no table 'journal'; there are outcomes, param"):
        ensemble.parts("journal")


@pytest.mark.parametrize("table", reading.COLUMNS)
def test_a_table_of_no_row_has_its_columns(failing: simlib.Ensemble, table: str) -> None:
    """As the columns of a table with rows, in their order."""
    pd.testing.assert_index_equal(reading.frame(table, []).columns, getattr(failing, table).columns)


QUESTIONS = {
    "table": "ensemble.table()",
    "counts": "ensemble.monthly_counts('raid', 'Iraq')",
    "parts": "sum(len(part) for part in ensemble.parts('outcomes'))",
    "cube": "ensemble.to_xarray().sum('place').mean('replication').compute(scheduler='sync')",
}

PEAK = """
import json, sys, tracemalloc
import pyarrow as pa
import simlib
from simlib.ensemble import stored_tables as budget
budget.MOST_BYTES = 2**16
def ask(path):
    ensemble = simlib.open(path)
    {question}
ask(sys.argv[1])
found = []
for path in sys.argv[1:]:
    tracemalloc.start()
    ask(path)
    found.append(tracemalloc.get_traced_memory()[1] + pa.default_memory_pool().max_memory())
    tracemalloc.stop()
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def directories(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return results of 2,000 and of 20,000 replications."""
    folder = tmp_path_factory.mktemp("simulated")
    paths = [folder / "few", folder / "many"]
    for path, n in zip(paths, (2_000, 20_000), strict=True):
        write_large_results(path, n)
    return paths


@pytest.mark.parametrize("question", QUESTIONS)
def test_memory_does_not_grow_with_the_replications(directories: list[Path], question: str) -> None:
    """Ten times the replications take less than twice the memory, or a quarter of the table.

    The peak is what Python and NumPy (tracemalloc) and Arrow (its pool) have allocated. A
    budget of 64 KB is less than one column of 20,000, so one is gathered at a time. What
    is left in proportion is the list of chunks, the labels of the replications, and a
    column with its sorted copies: of more than forty, so less than a quarter of the table,
    which takes 8 bytes x 20,000 x 44. The cube is computed without threads, of which each
    holds a block.
    """
    code = PEAK.format(question=QUESTIONS[question])
    command = [sys.executable, "-c", code, *map(str, directories)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    few, many = json.loads(done.stdout)
    assert many < max(2 * few, 8 * 20_000 * 44 / 4)
