"""Laws of ABC-SMC: known posteriors, resuming, refusals, and a scenario's incidents."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from simlib.errors import ScenarioError, StoreError
from simlib.evidence.abc_smc.forecaster_problem import (
    forecaster_problem,
    summarize,
    summary_names,
    ucdp_counts,
)
from simlib.evidence.abc_smc.inverse_problems import (
    InverseProblem,
    InversionError,
    fitted_inversion,
)
from simlib.evidence.abc_smc.populations import Effort, invert
from simlib.scenario import load
from simlib.statistics.moments import beta_arguments
from simlib.statistics.ranks import simulated_ranks, uniformity
from simlib.theatre.record.monthly import BEFORE_DECEMBER, SCORED

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from simlib.ensemble.execution import Execution, Progress

SEED = 20241231


@pytest.fixture(autouse=True)
def _seeded() -> None:
    """Seed the generator that pyABC proposes with."""
    np.random.seed(SEED % 2**31)  # noqa: NPY002


def _mean_of_five(values: Mapping[str, float], seed: int) -> NDArray[np.float64]:
    seen = np.random.default_rng(seed).normal(values["mean"], 1.0, 5)
    return np.array([seen.mean()])


def _toy(observed: float = 1.0, **more: Any) -> InverseProblem:
    """Return a normal mean with prior N(0, 1), seen as the mean of five."""
    return InverseProblem(
        {"mean": {"normal": {"mean": 0.0, "sd": 1.0}}},
        more.get("simulator", _mean_of_five),
        np.array([observed]),
        ("mean",),
        {"toy": more.get("version", 1)},
    )


def test_the_posterior_of_a_normal_mean_is_the_exact_one(tmp_path: Path) -> None:
    """Observed 1: N(5/6, 1/6).

    150 weighted draws have at least 75 effective ones: mean within 3 x .408 / 8.7 = .14, sd
    within 3 x .408 / sqrt(150) = .1; the tolerance of the last generation, below .1 in
    cumulative prior probability or .4 in the summary, adds at most .05 to the variance.
    """
    found = invert(_toy(), Effort(150, 4), directory=tmp_path / "abc")
    draws = found.draws("mean", 3000, SEED)
    assert draws.mean() == pytest.approx(5 / 6, abs=0.14)
    assert draws.std() == pytest.approx(np.sqrt(1 / 6), abs=0.13)
    assert found.generations[-1].tolerance < 0.1
    assert found.contraction("mean") > 0.7
    assert found.shift("mean") > 0.5


def test_a_summary_of_nothing_gives_the_prior_back(tmp_path: Path) -> None:
    """Negative control: noise as the summary. Contraction and shift within 4 errors of 0.

    Of 150 draws the mean place has error .0236 (shift: .08), the variance a relative one of
    .07 or so, more as they are weighted.
    """

    def noise(_values: Mapping[str, float], seed: int) -> NDArray[np.float64]:
        return np.random.default_rng(seed).normal(size=1)

    found = invert(_toy(simulator=noise), Effort(150, 2), directory=tmp_path)
    assert found.contraction("mean") == pytest.approx(0.0, abs=0.25)
    assert found.shift("mean") == pytest.approx(0.0, abs=0.35)


class _StopsAfter:
    """A simulator that is interrupted at its n-th run."""

    def __init__(self, n_runs: int) -> None:
        self.left = n_runs

    def __call__(self, values: Mapping[str, float], seed: int) -> NDArray[np.float64]:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        return _mean_of_five(values, seed)


@pytest.mark.parametrize("n_runs", [450, 650])
def test_a_stopped_inversion_goes_on_after_its_last_generation(tmp_path: Path, n_runs: int) -> None:
    """Stopped in the first generation and in a later one; stored ones are not redone."""
    before: list[Progress] = []
    with pytest.raises(KeyboardInterrupt):
        invert(
            _toy(simulator=_StopsAfter(n_runs)),
            Effort(40, 4),
            directory=tmp_path,
            progress=before.append,
        )
    after: list[Progress] = []
    found = invert(_toy(), Effort(40, 4), directory=tmp_path, progress=after.append)
    assert (len(before) > 0) is (n_runs == 650)
    assert after[: len(before)] == before
    assert [each.n_done for each in after] == [1, 2, 3, 4]
    tolerances = [generation.tolerance for generation in found.generations]
    assert tolerances == sorted(tolerances, reverse=True)
    again = invert(_toy(simulator=_StopsAfter(400)), Effort(40, 4), directory=tmp_path)
    assert again.generations == found.generations
    np.testing.assert_array_equal(again.places, found.places)


def _claimed(folder: Path, *tables: str) -> Path:
    """Return the store of an inversion that was begun, with these tables in it."""
    (folder / "inversion.json").write_text(
        json.dumps({"digest": _toy().digest, "population": 20}), encoding="utf-8"
    )
    store = folder / "populations.db"
    with contextlib.closing(sqlite3.connect(store)) as connection:
        for table in tables:
            connection.execute(f"CREATE TABLE {table} (id INTEGER)")
        connection.commit()
    return store


@pytest.mark.parametrize("tables", [(), ("version", "abc_smc", "populations")])
def test_a_store_that_was_cut_off_is_begun_anew(tables: tuple[str, ...], tmp_path: Path) -> None:
    """A file without an observation: what a process leaves that ends as it makes the store."""
    _claimed(tmp_path, *tables)
    assert len(invert(_toy(), Effort(20, 1), directory=tmp_path).generations) == 1


def test_a_store_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    """Neither another program's database nor a file that is none is replaced."""
    store = _claimed(tmp_path, "populations", "letters")
    for content, message in (
        (store.read_bytes(), r"is no store of populations \(got letters\)"),
        (b"no database at all, but long enough", r"cannot be read \(file is not a database\)"),
    ):
        store.write_bytes(content)
        with pytest.raises(InversionError, match=message):
            invert(_toy(), Effort(20, 1), directory=tmp_path)
        assert store.read_bytes() == content


def test_an_inversion_goes_through_no_link(tmp_path: Path) -> None:
    """A store that is a link to a file elsewhere: refused, and that file is as it was."""
    folder, other = tmp_path / "inverted", tmp_path / "other.db"
    folder.mkdir()
    _claimed(folder).unlink()
    other.write_bytes(b"")
    (folder / "populations.db").symlink_to(other)
    with pytest.raises(StoreError, match=r"populations\.db: is a link"):
        invert(_toy(), Effort(20, 1), directory=folder)
    assert other.read_bytes() == b""


def test_another_problem_is_not_continued(tmp_path: Path) -> None:
    invert(_toy(), Effort(20, 1), directory=tmp_path)
    for problem, effort in (
        (_toy(observed=2.0), Effort(20, 1)),
        (_toy(version=2), Effort(20, 1)),
        (_toy(), Effort(30, 1)),
    ):
        with pytest.raises(InversionError, match="holds an inversion of another problem"):
            invert(problem, effort, directory=tmp_path)


@pytest.mark.slow
def test_the_approximate_posterior_is_calibrated(tmp_path: Path) -> None:
    """60 inversions of a normal mean: ranks inside the band; draws of a quarter the sd are not.

    A small check: the band of 60 ranks is wide.
    """

    def experiment(seed: int, width: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        generator = np.random.default_rng(seed)
        truth = generator.normal()
        seen = generator.normal(truth, 1.0, 5).mean()
        found = invert(_toy(float(seen)), Effort(80, 4), directory=tmp_path / f"{seed}")
        draws = found.draws("mean", 19, seed)
        return np.array([truth]), (draws.mean() + width * (draws - draws.mean()))[None, :]

    right = simulated_ranks(lambda seed: experiment(seed, 1.0), 60, SEED)
    narrow = simulated_ranks(lambda seed: experiment(seed, 0.25), 60, SEED)
    assert uniformity(right[0], 20).is_uniform
    assert not uniformity(narrow[0], 20).is_uniform


def test_counts_of_2024_are_those_shipped() -> None:
    """Eleven months of four conflicts; 53 events of 259, as the table says."""
    observed = ucdp_counts(series=SCORED)
    assert observed.counts.shape == (11, 4)
    assert observed.counts[:, observed.series.index("ucdp_259")].sum() == 53
    assert observed.first == dt.date(2024, 1, 1)


def test_a_month_after_the_barrier_is_refused_with_its_row(tmp_path: Path) -> None:
    with pytest.raises(InversionError, match=r"monthly.csv:12: month 2024-11 ends after 2024-11-1"):
        ucdp_counts(series=SCORED, as_of=dt.date(2024, 11, 15))
    path = tmp_path / "counts.csv"
    path.write_text("conflict_id,month,events\n259,2024-01,3\n", encoding="utf-8")
    with pytest.raises(InversionError, match="no count of ucdp_13604 2024-01"):
        ucdp_counts(path, SCORED)
    path.write_text("conflict_id,month\n259,2024-01\n", encoding="utf-8")
    with pytest.raises(InversionError, match="column must be given: events"):
        ucdp_counts(path, SCORED)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("259,2024-02,-2", r"row 3: events: must be a whole number .*\(got '-2'\)"),
        (f"259,2024-02,{'9' * 30}", "row 3: events: must be a whole number"),
        ("259,9999-12,1", "row 3: month: must be a month"),
        ("259,2024-02", r"row 3: must have 3 values \(got 2\)"),
        ("259,2024-01,1", "row 3: 259, 2024-01 stands twice"),
    ],
)
def test_a_wrong_count_is_told_with_its_row(row: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "counts.csv"
    path.write_text(f"conflict_id,month,events\n259,2024-01,3\n{row}\n", encoding="utf-8")
    with pytest.raises(InversionError, match=words):
        ucdp_counts(path, ["ucdp_259"])


def test_summaries_of_months_worked_out_by_hand() -> None:
    """Counts 1, 3, 5, 3: mean 3, variance 8/3, lag-1 correlation 0 (-2, 0, 2, 0)."""
    found = summarize(np.array([[1], [3], [5], [3]]))
    expected = [np.log(3.5), np.log((8 / 3 + 0.5) / 3.5), 0.0]
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert len(summary_names(["a", "b"])) == 6
    assert np.isfinite(summarize(np.zeros((4, 2), dtype=np.int64))).all()


def test_more_drift_gives_more_dispersed_months() -> None:
    """Mean log dispersion of four series over 30 runs: higher at sd .6 than at .2.

    Its sd over runs is about .3, so the difference of means has error .08; the difference
    is about .5.
    """
    problem = forecaster_problem(
        load("theatre"), ["tempo.sd"], ucdp_counts(series=SCORED), BEFORE_DECEMBER
    )
    dispersion = slice(4, 8)
    low, high = (
        np.mean([problem.simulator({"tempo.sd": sd}, s)[dispersion].mean() for s in range(30)])
        for sd in (0.2, 0.6)
    )
    assert high > low + 0.2


def test_the_same_place_is_the_same_run() -> None:
    problem = forecaster_problem(
        load("theatre"), ["tempo.sd", "tempo.rho"], ucdp_counts(series=SCORED), BEFORE_DECEMBER
    )
    place = {"tempo.sd": 0.3, "tempo.rho": 0.7}
    first = problem.summaries(place)
    np.testing.assert_array_equal(first, problem.summaries(place))
    assert (first != problem.summaries({**place, "tempo.sd": 0.31})).any()


def test_what_cannot_be_inverted_is_refused() -> None:
    scenario, observed = load("theatre"), ucdp_counts(series=SCORED)
    for names, message in (
        (["tempo.no"], "no parameter 'tempo.no'"),
        (["excite.isis"], "no continuous distribution"),
        (["structure.clustering"], "no continuous distribution"),
        ([], "at least one parameter"),
    ):
        with pytest.raises(InversionError, match=message):
            forecaster_problem(scenario, names, observed, {})
    with pytest.raises(InversionError, match="has no series ucdp_1"):
        forecaster_problem(scenario, ["tempo.sd"], observed._replace(series=("ucdp_1",)), {})
    with pytest.raises(InversionError, match="must begin in the month"):
        forecaster_problem(scenario, ["tempo.sd"], observed._replace(first=dt.date(2024, 2, 1)), {})
    for population, generations in ((5, 1), (200, 0), (10**9, 6), (200, 10**9)):
        with pytest.raises(ScenarioError, match=r"(population|generations): must be a whole"):
            Effort(population, generations)


def test_a_posterior_is_spelt_as_its_prior_is_bounded(tmp_path: Path) -> None:
    """A beta with mean .3 and variance .02 on [.2, .6] has them again; others as they are."""
    arguments = beta_arguments(0.3, 0.005, 0.2, 0.6)
    a, b = arguments["a"], arguments["b"]
    assert 0.2 + 0.4 * a / (a + b) == pytest.approx(0.3, abs=1e-3)
    assert 0.16 * a * b / (a + b) ** 2 / (a + b + 1) == pytest.approx(0.005, rel=1e-2)
    scenario = load("theatre")
    problem = replace(
        _toy(),
        priors={"tempo.sd": scenario.parameters["tempo.sd"].distribution or {}},
        simulator=lambda values, seed: _mean_of_five({"mean": 10 * values["tempo.sd"]}, seed),
        observed=np.array([4.0]),
    )
    found = invert(problem, Effort(50, 2), directory=tmp_path)
    (fitted,) = fitted_inversion(found, scenario, data="toy", as_of=dt.date(2024, 12, 31))
    assert found.sentences()[0].startswith(f"tempo.sd: {dict(fitted.distribution)}")
    assert list(found.tables()) == ["posterior", "draws"]
    assert fitted.name == "tempo.sd"
    assert fitted.distribution["beta"]["low"] == 0.2
    assert fitted.distribution["beta"]["high"] == 0.6
    assert "of the prior variance gone" in fitted.method


@pytest.mark.parametrize(
    ("execution", "rule"),
    [
        ({}, "directory: must be given: generations are stored there"),
        ({"jobs": 2, "directory": "x"}, "jobs: must be left out: an inversion runs in this"),
        ({"scheduler": "local", "directory": "x"}, "scheduler: must be left out"),
    ],
)
def test_where_an_inversion_cannot_run_is_refused(execution: Execution, rule: str) -> None:
    with pytest.raises(ScenarioError, match=rule):
        invert(_toy(), Effort(20, 1), **execution)
