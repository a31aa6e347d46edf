"""Rank correlations with a noise floor: what stands out, and what chance alone gives."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.stats import spearmanr

import simlib
from simlib.analysis.columns import Column
from simlib.errors import ScenarioError, StoreError
from simlib.evidence.register.correlations import (
    Correlation,
    _correlations,
    correlations_of,
)
from simlib.scenario import load_text
from simlib.statistics.ranks import noise_floor
from support.scenarios import TEXT

if TYPE_CHECKING:
    from simlib.ensemble import Ensemble
    from simlib.scenario.schema import Scenario

IDLE = "  idle: {distribution: {uniform: {low: 0, high: 1}}, unit: none, judgement: test}\n"
MIX = (
    "  mix: {distribution: {dirichlet: {one: 2, two: 1}}, unit: share, judgement: test}\n"
    "  twice: {expression: 2 * raids, unit: incidents per month, judgement: test}\n"
)


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load_text(TEXT.replace("incidents:\n", f"{IDLE}{MIX}incidents:\n", 1))


@pytest.fixture(scope="module")
def ensemble(scenario: Scenario, tmp_path_factory: pytest.TempPathFactory) -> Ensemble:
    folder = tmp_path_factory.mktemp("register") / "out"
    return simlib.run(scenario, replications=150, jobs=1, directory=folder)


def _of_noise(rng: np.random.Generator, n: int, m: int) -> list[Correlation]:
    values = rng.standard_normal((n, m))
    numbers = rng.poisson(3.0, (n, 1)).astype(np.float64)
    return _correlations([Column("count")], numbers, [f"{i}" for i in range(m)], values)


def test_the_floor_holds_over_all_numbers_at_once() -> None:
    """Of 300 ensembles in which nothing matters, 1 in 20 has a number above the floor.

    Binomial with p = .05: 15 expected, sd 3.8; 4 to 27 is more than three of them. Poisson
    counts have ties, as outcomes do.
    """
    rng = np.random.default_rng(11)
    n_above = sum(any(e.is_clear for e in _of_noise(rng, 200, 40)) for _ in range(300))
    assert 4 <= n_above <= 27


def test_a_floor_for_one_number_would_not_hold() -> None:
    """Negative control: of 40 numbers, one is above that in 1 - .95 ** 40 = 87 % of cases."""
    rng = np.random.default_rng(12)
    floor = noise_floor(200, 1)
    n_above = sum(any(abs(e.rho) > floor for e in _of_noise(rng, 200, 40)) for _ in range(60))
    assert n_above > 40


def test_rho_is_spearmans() -> None:
    """The same as SciPy's, ties and all."""
    rng = np.random.default_rng(13)
    values = rng.integers(0, 9, (80, 3)).astype(np.float64)
    numbers = (values[:, :1] + rng.integers(0, 9, (80, 1))).astype(np.float64)
    found = _correlations([Column("count")], numbers, ["a", "b", "c"], values)
    for i, each in enumerate(found):
        expected = float(spearmanr(values[:, i], numbers[:, 0]).statistic)
        assert each.rho == pytest.approx(expected, abs=1e-12)


def test_intervals_cover() -> None:
    """Of 400 normal pairs with r = .5, rho = 6 / pi asin(r / 2), 95 % lie inside.

    Binomial: sd 4.4 of 380 expected; three of them, and what the approximation loses.
    """
    rng = np.random.default_rng(14)
    rho = 6 / np.pi * np.arcsin(0.25)
    n_inside = 0
    for _ in range(400):
        x = rng.standard_normal((100, 1))
        y = 0.5 * x + np.sqrt(0.75) * rng.standard_normal((100, 1))
        (each,) = _correlations([Column("y")], y, ["x"], x)
        n_inside += each.low <= rho <= each.high
    assert 362 <= n_inside <= 394


def test_unseen_replications_are_left_out() -> None:
    """Outcomes not seen (nan) do not count, and a constant outcome has no correlation."""
    rng = np.random.default_rng(15)
    x = rng.standard_normal((90, 1))
    numbers = np.column_stack([np.where(np.arange(90) < 40, x[:, 0], np.nan), np.ones(90)])
    found = _correlations([Column("late"), Column("same")], numbers, ["x"], x)
    assert [(e.outcome, round(e.rho, 12)) for e in found] == [("late", 1.0)]
    assert found[0].floor == noise_floor(40, 1)


def test_what_matters_stands_out_and_what_is_idle_does_not(
    scenario: Scenario, ensemble: Ensemble
) -> None:
    """The level of raids moves their number; what nothing names is drawn, but moves nothing."""
    known = correlations_of(ensemble, scenario, headlines=())
    assert known.ranking() == ["raids"]
    assert known.size("raids") > 0.8
    assert known.size("idle") == 0.0
    assert known.drawn == {"raids", "idle", "mix"}
    # What follows from a drawn number goes with outcomes as that does, but is not ranked.
    assert known.by_parameter["twice"][0].rho == pytest.approx(known.by_parameter["raids"][0].rho)
    assert {e.value for e in known.by_parameter["mix"]} <= {"mix.one", "mix.two"}
    assert known.outcomes == ("raids", "raids_iraq_spring", "fatalities", "guards_end")
    # Guards never change: nothing can be said of that outcome.
    assert {e.outcome for e in known.by_parameter["raids"]} == set(known.outcomes[:3])


def test_outcomes_that_are_asked_for(scenario: Scenario, ensemble: Ensemble) -> None:
    assert correlations_of(ensemble, scenario, ["fatalities"]).outcomes == ("fatalities",)
    with pytest.raises(ScenarioError, match="no such outcome"):
        correlations_of(ensemble, scenario, ["fatality"])


def test_results_of_another_scenario_are_refused(ensemble: Ensemble) -> None:
    with pytest.raises(StoreError, match="another scenario than small"):
        correlations_of(ensemble, load_text(TEXT), headlines=())


def test_a_few_replications_are_refused(scenario: Scenario, tmp_path: Path) -> None:
    few = simlib.run(scenario, replications=8, jobs=1, directory=tmp_path / "few")
    with pytest.raises(StoreError, match=r"must hold 30 or more .* \(got 8\)"):
        correlations_of(few, scenario, headlines=())
