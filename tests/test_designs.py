"""Designs of the parameter draws: even, addressed, shared by options, with honest errors."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import pytest
from scipy.stats import binom, chi2, qmc

import simlib
from simlib.chance.addresses import name_hash
from simlib.chance.designs import BLOCK, Design, broken_rule, row
from simlib.chance.distributions import quantile
from simlib.scenario import digest, load, option_scenario, resolve
from simlib.simulation import assemble, simulate
from simlib.statistics.intervals import wilson
from simlib.statistics.summaries import of_classes, of_flag, of_number
from simlib.world.quantities import ParameterPlan
from support.scenarios import small
from support.worlds import world

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simlib.scenario.schema import Scenario

Even = Literal["sobol", "latin_hypercube"]
EVEN: tuple[Even, ...] = get_args(Even)
ALL: tuple[Design, ...] = get_args(Design)
UNIFORM = {"distribution": {"uniform": {"low": 0, "high": 1}}, "unit": "1", "judgement": "test"}
FIXED = {"value": 0.5, "unit": "1", "judgement": "test"}
MIX = {"distribution": {"dirichlet": {"x": 1, "y": 2}}, "unit": "1", "judgement": "test"}


def rows(
    design: Even, replications: range, *, n_columns: int = 5, root_seed: int = 3
) -> NDArray[np.float64]:
    """Return the rows of some replications, one below the other."""
    each = [row(design, n_columns, root_seed=root_seed, replication=i) for i in replications]
    return np.array(each)


def designed(design: str, root_seed: int = 3, **parts: Any) -> Scenario:
    """Return a scenario in which nothing happens, with a design."""
    return world(design=design, root_seed=root_seed, **parts)


@pytest.mark.parametrize("design", EVEN)
def test_row_alone_is_the_row_in_sequence(design: Even) -> None:
    """A row depends on its index, not on what was asked for before it.

    A fresh process that asks for replication 73,123 only has walked no sequence. It gives
    the row that stands between its neighbors here, after other blocks and seeds.
    """
    code = (
        "from simlib.chance.designs import row;"
        f"print(row({design!r}, 5, root_seed=3, replication=73_123).tolist())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    backwards = [rows(design, range(i, i + 1))[0] for i in range(73_400, 72_900, -1)]
    rows(design, range(3000), root_seed=4)
    forwards = rows(design, range(72_901, 73_401))
    assert (np.array(backwards)[::-1] == forwards).all()
    assert str(forwards[73_123 - 72_901].tolist()) == done.stdout.strip()


def test_sobol_rows_are_scipys_sequence() -> None:
    """The blocks put together are the sequence that SciPy walks through in one go.

    Its points are moved by half of their resolution, 2**-33, to the middle of their cell.
    """
    seed = name_hash("design|sobol|3")
    walked = qmc.Sobol(5, bits=32, rng=seed).random_base2(13)
    assert (rows("sobol", range(2**13)) == walked + 2.0**-33).all()


@pytest.mark.parametrize("m", [0, 5, 8, 10])
def test_sobol_fills_every_stratum(m: int) -> None:
    """2**m rows from the first on, or from a multiple of 2**m on, have one in each 2**-m."""
    for start in (0, 3 * 2**m, 7 * 2**m):
        strata = np.sort(np.floor(rows("sobol", range(start, start + 2**m)) * 2**m), axis=0)
        assert (strata == np.arange(2**m)[:, None]).all()


@pytest.mark.parametrize("block", [0, 1, 731])
def test_latin_hypercube_fills_every_stratum(block: int) -> None:
    """In each block every column has exactly one point in each hundredth."""
    points = rows("latin_hypercube", range(block * BLOCK, (block + 1) * BLOCK))
    assert (np.sort(np.floor(points * BLOCK), axis=0) == np.arange(BLOCK)[:, None]).all()


def test_latin_hypercube_blocks_are_their_own() -> None:
    """Blocks differ, and a block is a hypercube of SciPy's at the block's own address."""
    first, second = (rows("latin_hypercube", range(b * 100, b * 100 + 100)) for b in (0, 1))
    assert not (first == second).any()
    seed = name_hash("design|latin_hypercube|3|1")
    assert (second == qmc.LatinHypercube(5, rng=seed).random(100)).all()


@pytest.mark.parametrize("design", EVEN)
def test_rows_are_from_0_to_below_1_and_cannot_be_changed(design: Even) -> None:
    """What is kept for later replications is not at the mercy of an earlier one."""
    points = rows(design, range(1000), n_columns=50)
    assert points.min() >= 0
    assert points.max() < 1
    with pytest.raises(ValueError, match="read-only"):
        row(design, 5, root_seed=3, replication=0)[0] = 0.5


@pytest.mark.parametrize("design", EVEN)
def test_root_seeds_give_other_rows(design: Even) -> None:
    assert not (rows(design, range(100)) == rows(design, range(100), root_seed=4)).any()


@pytest.mark.parametrize("design", EVEN)
def test_without_columns_rows_are_empty(design: Even) -> None:
    assert row(design, 0, root_seed=1, replication=7).shape == (0,)
    assert ParameterPlan(designed(design)).draw(7, {}) == {}


def test_designs_load_scipy_stats_only_when_drawn() -> None:
    """It takes a second to load, and random draws do not need it."""
    code = (
        "import sys; from simlib.scenario import load; from simlib.world.quantities import draw;"
        "draw(load('as_agreed'), 0); print('scipy.stats' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_random_draws_are_numpys_philox() -> None:
    """The design `random` stands where it stood: word 0 at (name, 0, 0, 0), by inversion.

    NumPy advances its counter before the first block, so it begins at the one before.
    """
    scenario = designed("random", parameters={"a": UNIFORM, "b": UNIFORM, "c": FIXED})
    for i in (0, 1, 73_123):
        drawn = ParameterPlan(scenario).draw(i, {})
        for name in ("a", "b"):
            counter = np.array([name_hash(f"parameter|{name}") - 1, 0, 0, 0], dtype=np.uint64)
            bits = np.random.Philox(key=np.array([3, i], dtype=np.uint64), counter=counter)
            assert drawn[name] == np.random.Generator(bits).random()


@pytest.mark.parametrize("design", ALL)
def test_options_share_what_both_draw(design: str) -> None:
    """Columns are those of the scenario and all of its options, whichever is simulated.

    One option fixes a, another draws d, which is fixed as written; one changes the weights
    of the Dirichlet. What two of them draw from the same distribution is the same.
    """
    scenario = designed(
        design,
        parameters={"a": UNIFORM, "b": UNIFORM, "c": UNIFORM, "d": FIXED, "mix": MIX},
        options={
            "as_written": {},
            "fixes": {"parameters": {"a": FIXED}},
            "draws": {"parameters": {"d": UNIFORM}},
            "shifts": {"parameters": {"b": {"distribution": {"uniform": {"low": 5, "high": 6}}}}},
        },
    )
    for i in (0, 17, 73_123):
        written = assemble(scenario).parameters.draw(i, {})
        drawn = {o: assemble(scenario, o).parameters.draw(i, {}) for o in scenario.options}
        assert drawn["as_written"] == written
        assert drawn["fixes"] == {**written, "a": 0.5}
        assert drawn["draws"] == {**written, "d": drawn["draws"]["d"]}
        assert drawn["draws"]["d"] not in {*written.values()}
        assert drawn["shifts"] == {**written, "b": pytest.approx(5 + written["b"])}


def test_columns_of_a_changed_scenario_alone_would_be_others() -> None:
    """Negative control: what only the scenario as written draws is lost in the changed one."""
    parameters = {"a": UNIFORM, "b": UNIFORM}
    scenario = designed(
        "sobol", parameters=parameters, options={"fixes": {"parameters": {"a": FIXED}}}
    )
    alone = ParameterPlan(option_scenario(scenario, "fixes")).draw(5, {})
    assert alone["b"] != ParameterPlan(scenario).draw(5, {})["b"]


@pytest.mark.parametrize("design", EVEN)
def test_ensemble_draws_by_design(design: Even) -> None:
    """Parameters are quantiles of the rows; a run, its replay and one alone agree.

    The small scenario draws one parameter, uniform on 5 to 15, so there is one column.
    """
    scenario = small().model_copy(update={"design": design, "root_seed": 3})
    ensemble = simlib.run(scenario, options=["as_planned", "later"], replications=100, jobs=1)
    u = rows(design, range(100), n_columns=1)[:, 0]
    expected = [quantile("uniform", {"low": 5, "high": 15}, float(x)) for x in u]
    for option in ("as_planned", "later"):
        assert ensemble.of(option).parameters["raids"].tolist() == expected
    alone = simulate(assemble(scenario, "later"), 17)
    assert alone.parameters["raids"] == expected[17]
    assert ensemble.replay(17, option="later").parameters["raids"] == expected[17]


@pytest.mark.parametrize(
    ("design", "few", "many"), [("random", 5, 12), ("sobol", 5, 12), ("latin_hypercube", 100, 200)]
)
def test_larger_ensemble_begins_with_the_smaller(design: str, few: int, many: int) -> None:
    """Rows know nothing of the number of rows; a Latin hypercube grows by whole blocks."""
    scenario = small().model_copy(update={"design": design})
    smaller, larger = (simlib.run(scenario, replications=n, jobs=1) for n in (few, many))
    assert larger.parameters.iloc[:few].equals(smaller.parameters)
    assert larger.outcomes.iloc[:few].equals(smaller.outcomes)


def test_design_is_part_of_the_content() -> None:
    """Results of one design are not those of another, so their digests differ."""
    scenarios = [designed(design, parameters={"a": UNIFORM}) for design in ALL]
    assert len({digest(scenario) for scenario in scenarios}) == len(ALL)
    assert [f"design: {design}" in resolve(s) for design, s in zip(ALL, scenarios, strict=True)]
    assert load("as_agreed").design == "random"


@pytest.mark.parametrize(
    ("design", "replications", "rule"),
    [
        ("random", 7, ""),
        ("sobol", 7, ""),
        ("latin_hypercube", 300, ""),
        ("latin_hypercube", 7, "must be a multiple of 100 in a Latin hypercube (got 7)"),
    ],
)
def test_only_a_latin_hypercube_asks_for_whole_blocks(
    design: str, replications: int, rule: str
) -> None:
    assert broken_rule(design, replications) == rule


N_SEEDS, N_UNIFORMS = 200, 12


def variance_of_mean(design: str, n: int) -> float:
    """Return the variance over root seeds of the mean of a sum of uniforms."""
    parameters = {f"p{i:02}": UNIFORM for i in range(N_UNIFORMS)}
    written = designed(design, parameters=parameters)
    means = []
    for root_seed in range(N_SEEDS):
        plan = ParameterPlan(written.model_copy(update={"root_seed": root_seed}))
        means.append(np.mean([sum(plan.draw(i, {}).values()) for i in range(n)]))
    return float(np.var(means, ddof=1))


def chi_squared_bounds() -> NDArray[np.float64]:
    """Return what an estimate of a variance over all seeds leaves once in 10,000."""
    degrees = N_SEEDS - 1
    bounds: NDArray[np.float64] = chi2.ppf([5e-5, 1 - 5e-5], degrees) / degrees
    return bounds


def test_random_mean_has_the_variance_of_the_sample() -> None:
    """A uniform has variance 1/12, the sum of d d/12, its mean over n d / (12 n)."""
    low, high = chi_squared_bounds() * N_UNIFORMS / (12 * BLOCK)
    assert low < variance_of_mean("random", BLOCK) < high


def test_latin_hypercube_mean_has_the_variance_within_strata() -> None:
    """For what is additive only the place within strata is left to chance.

    Each column has one point in each of n strata of width 1/n, independent of the others
    and with variance 1 / (12 n^2). Which point goes with which of another column's does
    not enter a sum. So the mean of n has variance d / (12 n^3): n^2 = 10,000 times less
    than random draws.
    """
    low, high = chi_squared_bounds() * N_UNIFORMS / (12 * BLOCK**3)
    assert low < variance_of_mean("latin_hypercube", BLOCK) < high


def test_sobol_mean_has_far_less_variance_than_random() -> None:
    """As of the Latin hypercube, d / (12 n^3) is expected, n^2 = 16,384 times less.

    The first n = 2^7 points of a column also have one in each of n strata, and by the
    random matrix the places of two of them within theirs are independent. More than two are
    not, so the estimate has no chi-squared distribution; but by Markov's inequality it is
    below 100 times its expectation with probability .99, which is 164 times below random.
    """
    n = 128
    assert variance_of_mean("sobol", n) < 100 * N_UNIFORMS / (12 * n**3)


N_REPEATED, N_BLOCKS = 400, 6
BLOCKS = np.repeat(np.arange(N_BLOCKS), BLOCK)


def outcome_of(root_seed: int) -> NDArray[np.float64]:
    """Return 3 (x + y) + x y of two columns, of mean 3.25, over some blocks."""
    x, y = rows("latin_hypercube", range(len(BLOCKS)), n_columns=2, root_seed=root_seed).T
    result: NDArray[np.float64] = 3 * (x + y) + x * y
    return result


def coverage_bounds() -> tuple[float, float]:
    """Return how often 95 % intervals cover, but for once in 10,000."""
    low, high = binom.ppf([5e-5, 1 - 5e-5], N_REPEATED, 0.95)
    return float(low), float(high)


def test_interval_between_blocks_covers_the_mean() -> None:
    """Means of blocks are independent and near normal, so Student's t covers at 95 %.

    The control: the usual interval knows nothing of the strata. It covers every time, and
    is so much too wide that its error is more than five times the one between blocks.
    """
    between = [of_number("x", "", outcome_of(i), 600, blocks=BLOCKS) for i in range(N_REPEATED)]
    usual = [of_number("x", "", outcome_of(i), 600) for i in range(N_REPEATED)]
    low, high = coverage_bounds()
    assert low <= sum(r.low < 3.25 < r.high for r in between) <= high
    assert all(r.low < 3.25 < r.high for r in usual)
    ratio = np.median([u.mc_error / b.mc_error for u, b in zip(usual, between, strict=True)])
    assert ratio > 5


def test_interval_of_a_probability_between_blocks_covers_it() -> None:
    """P(x + y < 1) is 1/2; the shares of blocks of 100 are near normal."""
    hits = 0
    for root_seed in range(N_REPEATED):
        points = rows("latin_hypercube", range(len(BLOCKS)), n_columns=2, root_seed=root_seed)
        flags = (points.sum(axis=1) < 1).astype(np.float64)
        summary = of_flag("x", flags, 600, blocks=BLOCKS)
        hits += summary.low <= 0.5 <= summary.high
    low, high = coverage_bounds()
    assert low <= hits <= high


def test_error_between_blocks_is_that_of_their_means() -> None:
    """Blocks of mean 1, 2, 3: sd 1, so the error is 1 / sqrt(3); t with 2 degrees is 4.3027."""
    values = np.array([0.0, 2, 1, 3, 2, 4])
    summary = of_number("x", "", values, 6, blocks=np.array([0, 0, 1, 1, 5, 5]))
    assert summary.mean == 2
    assert summary.mc_error == pytest.approx(3**-0.5)
    assert summary.high - 2 == pytest.approx(2 - summary.low) == pytest.approx(4.302653 * 3**-0.5)


def test_what_is_censored_is_left_out_of_its_block() -> None:
    """Blocks (1, nan) and (3, 5): means 1 and 4, sd 3 / sqrt(2), error 3 / 2; mean 3."""
    values, blocks = np.array([1, np.nan, 3, 5]), np.array([0, 0, 1, 1])
    summary = of_number("x", "", values, 4, blocks=blocks)
    assert (summary.mean, summary.n_censored) == (3, 1)
    assert summary.mc_error == pytest.approx(1.5)


def test_one_block_says_nothing_of_the_error() -> None:
    one = np.zeros(4, dtype=np.int64)
    number = of_number("x", "", np.arange(4.0), 4, blocks=one)
    flag = of_flag("x", np.array([1.0, 0, 0, 0]), 4, blocks=one)
    nothing = of_flag("x", np.array([np.nan]), 1, blocks=one[:1])
    assert number.mean == 1.5
    assert np.isnan([number.mc_error, number.low, number.high, flag.mc_error]).all()
    assert (flag.mean, flag.low, flag.high) == (0.25, 0, 1)
    assert (nothing.n, nothing.low, nothing.high) == (0, 0, 1)


def test_probability_between_blocks_stays_within_0_and_1() -> None:
    """Shares 0 and .5: mean .25, error .25, and t with one degree is 12.7."""
    blocks = np.array([0, 0, 1, 1])
    rows_of = of_classes("x", ["met", "open"], ["open", "open", "met", "open"], 4, blocks=blocks)
    assert [(r.mean, r.mc_error, r.low, r.high) for r in rows_of] == [
        (0.25, 0.25, 0, 1),
        (0.75, 0.25, 0, 1),
    ]


def test_never_in_any_block_leaves_room_for_the_rare() -> None:
    """Blocks that all say never are so many no's; no spread does not mean no doubt."""
    summary = of_flag("x", np.zeros(600), 600, blocks=BLOCKS)
    assert (summary.mean, summary.mc_error) == (0, 0)
    assert (summary.low, summary.high) == wilson(0, N_BLOCKS)
