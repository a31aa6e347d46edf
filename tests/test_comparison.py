"""Paired effects: intervals that cover, reductions that are known, reasons that are true."""

from __future__ import annotations

import datetime as dt
import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch
from scipy.special import ndtri
from scipy.stats import multinomial

import simlib
from simlib.analysis.comparison.comparison import MOST_TOLD
from simlib.analysis.comparison.paired_effects import (
    PairedEffect,
    Subject,
    effect_of,
    reason_of,
    times,
)
from simlib.chance.philox import uniforms
from simlib.errors import ScenarioError, SimlibWarning, SimulationError, StoreError
from simlib.scenario import load_text, with_design
from simlib.scenario.schema import MilestoneChange, Option
from simlib.simulation import assemble, simulate
from simlib.statistics.intervals import Z95, tango, wilson
from simlib.statistics.summaries import of_number
from simlib.statistics.variance_explained import between_classes, foretold
from support.agents import FEW, Failing, Watcher
from support.commands import call
from support.scenarios import TEXT, watched

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from simlib.scenario.schema import Scenario

NUMBER = Subject("longer", "attacks", "", "number", "attacks")
FLAG = Subject("longer", "war", "", "flag", "")


def normals(n: int, n_columns: int, seed: int = 11) -> NDArray[np.float64]:
    """Return standard normals at fixed addresses, shape (n, n_columns)."""
    rows, columns = np.arange(n, dtype=np.uint64), np.arange(n_columns, dtype=np.uint64)
    return np.asarray(ndtri(uniforms(seed, 0, rows, columns)))


def flags(*pairs: tuple[int, int, int]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return yes/no's of pairs, each given so many times: (baseline, counterfactual, times)."""
    rows = np.array([(a, b) for a, b, times in pairs for _ in range(times)], dtype=float)
    return rows[:, 0], rows[:, 1]


def options_text() -> str:
    """Return the small scenario with an option equal to the plan, and one of more raids."""
    more = "  twin: {}\n  crowded: {parameters: {raids: {value: 14, unit: x, judgement: test}}}\n"
    calm = f"  calm: {{parameters: {{raids: {{value: {FEW - 1}, unit: x, judgement: test}}}}}}\n"
    return TEXT.replace("outcomes:\n", f"{more}{calm}outcomes:\n")


def scenario() -> Scenario:
    return load_text(options_text())


# intervals


def test_the_interval_of_a_number_covers() -> None:
    """Normal differences of mean 0.3, n = 8 pairs: Student's interval covers in 95 %.

    Of 600 samples the share that cover has a standard error of .0089; within four.
    """
    n, samples = 8, 600
    drawn = normals(samples, 2 * n).reshape(samples, 2, n)
    found = [effect_of(NUMBER, one, one + 0.3 + change) for one, change in drawn]
    share = np.mean([effect.low <= 0.3 <= effect.high for effect in found])
    assert share == pytest.approx(0.95, abs=4 * 0.0089)


def test_the_interval_of_a_yes_no_covers() -> None:
    """Tango's interval by enumeration of all samples, n = 40: 93 % or more, and not 100 %.

    Also where pairs that differ are rare, where an interval of zero width covers nothing.
    """
    n = 40
    samples = [(u, d) for u, d in itertools.product(range(n + 1), repeat=2) if u + d <= n]
    ends = {sample: tango(*sample, n) for sample in samples}
    shares = []
    for up, down in [(0.02, 0.0), (0.05, 0.0), (0.05, 0.02), (0.1, 0.1), (0.3, 0.1), (0.6, 0.2)]:
        law = multinomial(n, [up, down, 1.0 - up - down])
        weights = law.pmf([(u, d, n - u - d) for u, d in samples])
        covers = [ends[s][0] <= up - down <= ends[s][1] for s in samples]
        shares.append(float(weights @ np.array(covers)))
    assert min(shares) >= 0.93
    assert np.mean(shares) < 0.99


def test_tangos_interval_agrees_with_what_is_known() -> None:
    """One-sided samples are Wilson's; the sides mirror; no difference has a width."""
    assert tango(3, 0, 50)[1] == pytest.approx(wilson(3, 50)[1])
    assert tango(14, 5, 50) == pytest.approx(tuple(-x for x in tango(5, 14, 50)[::-1]))
    z = Z95
    assert tango(0, 0, 30)[1] == pytest.approx(z * z / (30 + z * z))
    low, high = tango(14, 5, 50)
    assert low < 0.18 < high


# reductions


def test_the_reduction_of_a_linear_gaussian_pair_is_the_known_one() -> None:
    """A = t + a, B = t + .5 + b with sd 2 for t and 0.5 for a and b, n = 4,000 pairs.

    Independent 2 (4 + .25), paired .5: 17 times. Each log variance has a standard error of
    sqrt(2 / n) = .022, so within 15 % but for 1e-6. The correlation is 4 / 4.25.
    """
    shared, a, b = normals(4000, 3).T
    found = effect_of(NUMBER, 2 * shared + a / 2, 2 * shared + 0.5 + b / 2)
    assert found.variance_reduction == pytest.approx(17.0, rel=0.15)
    assert found.n_independent == found.n * found.variance_reduction
    assert found.correlation == pytest.approx(4 / 4.25, abs=0.01)
    assert found.effect == pytest.approx(0.5, abs=4 * math.sqrt(0.5 / 4000))
    assert found.mc_error == pytest.approx(math.sqrt(0.5 / 4000), rel=0.1)
    assert found.q50 == pytest.approx(0.5, abs=0.1)
    alone = effect_of(NUMBER, a, b)
    assert alone.variance_reduction == pytest.approx(1.0, abs=0.15)


def test_no_reduction_is_larger_than_what_is_possible() -> None:
    """B = r A exactly: the reduction is (1 + r^2) / (1 - r)^2, and that is the most."""
    (one,) = normals(300, 1).T
    for ratio in (0.0, 0.2, 0.9, 3.0):
        found = effect_of(NUMBER, one, ratio * one + 4.0)
        assert found.variance_reduction == pytest.approx((1 + ratio**2) / (1 - ratio) ** 2)
        assert found.most_possible == pytest.approx(found.variance_reduction)
    noisy = effect_of(NUMBER, one, 0.2 * one + normals(300, 1, seed=5)[:, 0])
    assert noisy.variance_reduction < noisy.most_possible


def test_censored_pairs_are_left_out_and_counted() -> None:
    """A pair counts when both of it were seen."""
    one = np.array([1.0, np.nan, 3.0, 4.0, np.nan])
    other = np.array([2.0, 5.0, np.nan, 7.0, np.nan])
    found = effect_of(NUMBER, one, other)
    assert (found.n, found.n_censored) == (2, 3)
    assert found.effect == 2.0
    assert "3 pairs left out, not settled by the horizon" in found.sentence()
    none = effect_of(NUMBER, one[1:2], other[1:2])
    assert (none.n, none.shown) == (0, "no pair observed")


def test_identical_pairs_claim_no_width_of_zero() -> None:
    """Numbers say that all are identical, yes/no's bound the effect; nothing is clear."""
    values = np.arange(20.0)
    number = effect_of(NUMBER, values, values)
    assert (number.effect, number.mc_error, number.n_differing) == (0.0, 0.0, 0)
    assert (math.isnan(number.low), number.is_clear) == (True, False)
    assert number.shown == "identical in all 20 pairs"
    assert math.isinf(number.variance_reduction)
    flag = effect_of(FLAG, *flags((1, 1, 5), (0, 0, 15)))
    assert flag.shown == "no pair differs, |effect| < 3/20"
    assert flag.low == -flag.high < 0.0
    always = effect_of(NUMBER, values, values - 2.0)
    assert (always.shown, always.is_clear) == ("\N{MINUS SIGN}2 in all 20 pairs", True)
    once = effect_of(NUMBER, values[:1], values[:1] + 3.0)
    assert (once.shown, math.isnan(once.variance_reduction)) == ("+3 in the one pair", True)


def test_a_class_that_differs_in_few_pairs_says_so() -> None:
    found = effect_of(FLAG, *flags((1, 1, 40), (0, 1, 3), (0, 0, 57)))
    assert found.effect == pytest.approx(0.03)
    assert found.low < 0.0 < found.high
    assert "only 3 pairs differ, so the interval is rough" in found.sentence()


# reasons


def classes_of(*sizes: int) -> NDArray[np.object_]:
    names = ("met", "extended", "slipped")
    return np.array([n for n, size in zip(names, sizes, strict=True) for _ in range(size)], object)


def test_shares_are_those_the_difference_was_made_of() -> None:
    """Between classes 4, a parameter 4, luck 2 parts of the variance, n = 600, 60 parameters.

    Errors of such shares are some .03; the other 59 parameters must not be taken for
    anything. Within .12 of .4, .4 and .2.
    """
    n = 600
    drawn, (luck,) = normals(n, 60), normals(n, 1, seed=2).T
    classes = classes_of(200, 200, 200)
    level = np.repeat([-1.0, 0.0, 1.0], 200) * math.sqrt(4 / (2 / 3))
    change = level + 2.0 * drawn[:, 17] + math.sqrt(2.0) * luck
    names = tuple(f"p{i}" for i in range(60))
    reason = reason_of(change, {"end": classes, "start": classes_of(600, 0, 0)}, (names, drawn))
    assert reason is not None
    assert (reason.milestone, reason.parameter) == ("end", "p17")
    assert reason.between_classes == pytest.approx(0.4, abs=0.12)
    assert reason.of_parameters == pytest.approx(0.4, abs=0.12)
    assert reason.of_rest == pytest.approx(0.2, abs=0.12)


def test_luck_is_not_taken_for_anything_else() -> None:
    """Negative control: n = 100 pure noise, 150 parameters, 20 classes.

    The usual shares would be 1 and some .2; adjusted and cross-validated they are small
    in the mean of 40 samples, each of standard error about .05.
    """
    n, shares = 100, []
    classes = np.array([f"c{i % 20}" for i in range(n)], object)
    for seed in range(40):
        drawn = normals(n, 151, seed=seed)
        shares.append(
            (between_classes(drawn[:, 0], classes), foretold(drawn[:, 0], drawn[:, 1:])[0])
        )
    assert np.mean(shares, axis=0) == pytest.approx([0.0, 0.0], abs=0.05)


def test_too_few_pairs_have_no_reason() -> None:
    change, drawn = normals(20, 1)[:, 0], normals(20, 3)
    assert reason_of(change, {"end": classes_of(10, 5, 5)}, (("a", "b", "c"), drawn)) is None


# comparisons


def test_identical_options_have_exactly_no_effect() -> None:
    """The twin of the plan shares every bit of luck."""
    found = simlib.compare(scenario(), ["as_planned", "twin"], replications=8, jobs=1)
    assert {effect.effect for effect in found.effects} == {0.0}
    assert {effect.n_differing for effect in found.effects} == {0}
    assert set(found.table()["share_differing"]) == {0.0}
    assert "0 of 4 outcomes (each class counted) differ clearly, 4 are identical" in " ".join(
        found.sentences()
    )


def test_effects_are_those_of_the_runs_themselves() -> None:
    """The mean paired difference, from replications simulated one by one."""
    found = simlib.compare(
        scenario(), ["as_planned", "crowded", "later"], replications=12, root_seed=5, jobs=1
    )
    assert (found.baseline, found.options) == ("as_planned", ("crowded", "later"))
    seeded = scenario().model_copy(update={"root_seed": 5})
    counts = []
    for option in ("as_planned", "crowded"):
        blueprint = assemble(seeded, option)
        runs = [simulate(blueprint, replication) for replication in range(12)]
        is_raid = np.array([kind == "raid" for kind in runs[0].incidents.channels.types])
        since = [run.incidents.time >= run.start for run in runs]
        counts.append([
            int((is_raid[run.incidents.channel] & is_in).sum())
            for run, is_in in zip(runs, since, strict=True)
        ])  # fmt: skip
    effect = found.effect("raids", "crowded")
    assert effect.effect == pytest.approx(np.mean(np.subtract(counts[1], counts[0])))
    assert effect.is_clear
    table = found.table()
    (row,) = table[(table["option"] == "crowded") & (table["outcome"] == "raids")].to_dict(
        "records"
    )
    assert row["effect"] == effect.effect
    assert row["n_saved"] == pytest.approx(12 * (effect.variance_reduction - 1))
    assert row["window_ends"] == dt.date(2000, 6, 30)


def test_results_that_have_the_options_are_compared_as_they_are(tmp_path: Path) -> None:
    kept = simlib.run(
        watched(), options="all", replications=9, root_seed=2, jobs=1, agents=[Watcher],
        directory=tmp_path / "out",
    )  # fmt: skip
    found = simlib.compare(simlib.open(tmp_path / "out"), ["later"], baseline="as_planned")
    assert found.ensemble.digest == kept.digest
    met = found.effect("exit_class.met")
    texts = [kept.of(option).outcomes["exit_class"] for option in ("as_planned", "later")]
    assert met.effect == pytest.approx(
        float((texts[1] == "met").mean() - (texts[0] == "met").mean())
    )
    one, other = found.pairs("exit_class.met")
    assert other.mean() - one.mean() == pytest.approx(met.effect)
    with pytest.raises(StoreError, match="no results of option 'latr'; there are as_planned"):
        simlib.compare(kept, ["as_planned", "latr"])
    with pytest.raises(StoreError, match="results are compared as they are: give no"):
        simlib.compare(kept, ["as_planned", "later"], replications=3)


def test_pairs_need_both_replications() -> None:
    """Replications of few raids fail in the plan, none where there are many: both are needed."""
    options = ["as_planned", "crowded"]
    living = "agents: {watcher: {}}\noutcomes:\n"
    failing = load_text(options_text().replace("outcomes:\n", living))
    arguments: dict[str, Any] = {"replications": 16, "root_seed": 3, "jobs": 1, "agents": [Failing]}
    with pytest.warns(SimlibWarning, match=r"\d+ of \d+ replications failed; the first is "):
        found = simlib.compare(failing, options, **arguments)
    n_failed = found.ensemble.of("as_planned").n_failed
    assert 0 < n_failed < 16
    assert found.n_pairs == {"crowded": 16 - n_failed}
    assert found.effect("raids").n == 16 - n_failed
    assert f"{n_failed} left out because at least one of the two failed" in found.sentences()[0]
    message = "no replication did not fail under both options; c"
    with pytest.warns(SimlibWarning), pytest.raises(SimulationError, match=message):
        simlib.compare(failing, ["crowded", "calm"], **arguments)


def test_in_a_latin_hypercube_errors_are_taken_between_blocks() -> None:
    spread = with_design(scenario(), "latin_hypercube")
    crowded = simlib.compare(spread, ["as_planned", "crowded"], replications=300, jobs=1)
    one, other = crowded.pairs("raids")
    expected = of_number("", "", other - one, 300, blocks=np.arange(300) // 100)
    effect = crowded.effect("raids")
    assert (effect.low, effect.high) == (expected.low, expected.high)
    plain = effect_of(NUMBER, one, other)
    assert effect.mc_error != plain.mc_error
    assert any("between blocks of the Latin hypercube" in line for line in crowded.sentences())


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["as_planned"], "options: must be two or more to compare (got 'as_planned')"),
        (["as_planned", "as_planned"], "must be two or more"),
        (["as_planned", "twn"], "options.twn: no such option"),
    ],
)
def test_what_cannot_be_compared_is_one_line(options: list[str], line: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        simlib.compare(scenario(), options, replications=2)
    assert line in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.fixture(scope="module")
def comparison() -> simlib.analysis.Comparison:
    """Return sixty pairs with an agent: the exit as planned, and called off."""
    off = Option(timeline={"exit": MilestoneChange(cancel=True)})
    planned = watched().model_copy(update={"options": {**watched().options, "off": off}})
    return simlib.compare(
        planned, ["as_planned", "off"], replications=60, root_seed=4, jobs=1, agents=[Watcher]
    )


def test_a_wrong_name_is_met_with_the_right_one(comparison: simlib.analysis.Comparison) -> None:
    with pytest.raises(
        ScenarioError, match=r"no such outcome \(got 'riads'\); did you mean 'raids'"
    ):
        comparison.effect("riads")
    with pytest.raises(ScenarioError, match=r"option: is not compared \(got 'laetr'\); one of off"):
        comparison.effect("raids", "laetr")


def test_a_small_reduction_has_its_reason_in_words(comparison: simlib.analysis.Comparison) -> None:
    """Called off, the exit is open in every replication: nothing can be cancelled by pairing.

    The difference is the class of the plan, all of it between how the exit ends there.
    """
    effect = comparison.effect("exit_class.met")
    assert effect.variance_reduction == pytest.approx(1.0)
    assert effect.reason is not None
    assert effect.reason.between_classes == pytest.approx(1.0)
    text = effect.pairing_sentence()
    assert text.startswith(
        "exit_class.met: 1.0 times, all that is possible: under off it is the same in every "
        "replication; 100% of the variance of the difference is between how and when exit ends"
    )
    assert text in " ".join(comparison.whole().sentences())
    assert text not in " ".join(comparison.sentences())
    shares = (effect.reason.between_classes, effect.reason.of_parameters, effect.reason.of_rest)
    assert sum(shares) == pytest.approx(1.0)


# figures


def test_an_effect_shows_pairs_beside_independent_runs() -> None:
    """All pairs are drawn, and of independent runs all but the farthest; options in the corner."""
    found = simlib.compare(scenario(), ["as_planned", "crowded"], replications=30, jobs=1)
    ax = Figure().subplots()
    assert simlib.plot.effect(found, "raids", ax=ax) is ax
    steps = [patch for patch in ax.patches if isinstance(patch, StepPatch)]
    pairs, strangers = (float(np.sum(step.get_data()[0])) for step in steps)
    assert pairs == pytest.approx(100.0)
    assert 98.0 < strangers <= 100.0 + 1e-9
    assert "incidents" in ax.get_xlabel()
    assert ax.get_title(loc="left") == "Raids: crowded against as planned"
    (corner,) = ax.child_axes
    assert len([patch for patch in corner.patches if isinstance(patch, StepPatch)]) == 2
    with pytest.raises(ScenarioError, match="no such outcome"):
        simlib.plot.effect(found, "riads")


def test_an_effect_on_a_class_shows_the_four_kinds_of_pairs(
    comparison: simlib.analysis.Comparison,
) -> None:
    ax = simlib.plot.effect(comparison, "exit_class.met")
    widths = [patch.get_width() for patch in ax.patches if hasattr(patch, "get_width")]
    assert sum(widths) == pytest.approx(100.0)
    one, other = comparison.pairs("exit_class.met")
    expected = 100 * np.array([
        np.mean(one * other), np.mean(one * (1 - other)), np.mean((1 - one) * other),
        np.mean((1 - one) * (1 - other)),
    ])  # fmt: skip
    assert widths == pytest.approx(expected)
    assert ax.get_yticklabels()[0].get_text() == "met under both"


def test_all_effects_stand_in_their_unit_with_their_numbers(
    comparison: simlib.analysis.Comparison,
) -> None:
    ax = simlib.plot.effects(comparison)
    drawn = [e for e in comparison.effects if e.n_differing]
    assert len(ax.get_yticklabels()) == len(drawn) > 2
    texts = [text.get_text() for text in ax.texts]
    assert sum(" to " in text and text.endswith(")") for text in texts) == len(drawn)
    units = {e.unit if e.kind == "number" else "percentage points" for e in drawn}
    assert units <= set(texts)
    assert "60 pairs on the same luck" in " ".join(texts)


def test_a_dot_stands_where_its_scale_says(comparison: simlib.analysis.Comparison) -> None:
    """The largest of a unit reaches the end that is named; others stand in proportion."""
    ax = simlib.plot.effects(comparison)
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    at = {float(np.ravel(d.get_ydata())[0]): float(np.ravel(d.get_xdata())[0]) for d in dots}
    labels = dict(zip(ax.get_yticks(), ax.get_yticklabels(), strict=True))
    shown = {labels[y].get_text(): x for y, x in at.items()}
    met, slipped = (comparison.effect(f"exit_class.{name}") for name in ("met", "slipped"))
    name = comparison.ensemble.labels["exit_class"]
    ratio = shown[f"{name}: met"] / shown[f"{name}: slipped"]
    assert ratio == pytest.approx(met.effect / slipped.effect)


# the command line


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the file of the small scenario."""
    path = tmp_path / "small.yaml"
    path.write_text(options_text())
    return path


def test_commands_compare_and_fork_from_end_to_end(file: Path, tmp_path: Path) -> None:
    """Results are kept, found again, compared without simulating, and continued."""
    out, forked = tmp_path / "out", tmp_path / "forked"
    status, said, told = call(
        "compare", file, "--option", "as_planned,later,crowded", "--replications", "5",
        "--jobs", "1", "-o", out, "--outcome", "raids",
    )  # fmt: skip
    assert status == 0, told
    assert "crowded against as_planned: 5 pairs of replications with the same luck" in said
    assert "effect (95 % interval)" in said
    assert "variance" not in said.partition("effect (95 % interval)")[2]
    assert (out / "comparison" / "effects.csv").read_text().count("\n") == 9
    for name in ("effects-later", "effects-crowded", "effect-crowded-raids"):
        assert (out / "comparison" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    status, said, told = call("compare", out, "--option", "crowded", "--baseline", "as_planned")
    assert (status, told) == (0, "")
    status, said, told = call(
        "fork", out, "--at", "2000-03-01", "--option", "later", "--of", "as_planned",
        "--replication", "3", "-o", forked,
    )  # fmt: skip
    assert status == 0, told
    assert "later_from_2000-03-01: in replication 3 the past before 2000-03-01" in said
    assert simlib.open(forked).of("later_from_2000-03-01").n == 1
    wrong = ("compare", out, "--option", "as_planned,later", "--outcome", "riads")
    status, said, told = call(*wrong)
    assert (status, said) == (2, "")
    assert told.startswith("outcomes: no such outcome (got 'riads'); did you mean 'raids'?")
    assert call("compare", out, "--option", "as_planned,latr")[0] == 2


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("compare FILE --option as_planned,latr", "options.latr: no such option"),
        ("compare FILE --option as_planned", "options: must be two or more to compare"),
        ("fork FILE --at 2000-13-01 --option later", "at: must be YYYY-MM-DD (got '2000-13-01')"),
        ("fork FILE --at 2000-03-01 --option latr", "did you mean 'later'?"),
        ("fork FILE --at 2000-03-01 --option crowded", "options.crowded.parameters: cannot be"),
        (
            "fork FILE --at 2000-03-01 --option later --replication 1 --replications 2",
            "replications: give --replication or --replications",
        ),
        ("fork nowhere --at 2000-03-01 --option later", "nowhere"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(file: Path, arguments: str, line: str) -> None:
    status, said, told = call(*(str(file) if a == "FILE" else a for a in arguments.split()))
    assert (status, said) == (2, "")
    assert line in told.splitlines()[-1]
    assert "Traceback" not in told


@pytest.mark.parametrize("name", ["compare", "fork"])
def test_the_commands_explain_themselves(name: str) -> None:
    status, said, _ = call(name, "--help")
    assert status == 0
    assert f"simlib {name} " in said
    assert "Examples:" in said


def test_effects_are_plain_values() -> None:
    """An effect can be compared and hashed: it holds numbers only."""
    one = effect_of(NUMBER, np.arange(4.0), np.arange(4.0) ** 2)
    assert isinstance(one, PairedEffect)
    assert hash(one) == hash(effect_of(NUMBER, np.arange(4.0), np.arange(4.0) ** 2))


def test_a_screen_has_the_largest_clear_effects_in_their_units(
    comparison: simlib.analysis.Comparison,
) -> None:
    brief = comparison.brief()
    assert len(brief) <= MOST_TOLD
    assert list(brief.columns) == ["option", "outcome", "effect (95 % interval)", "from", "to"]
    assert any("percentage points" in text for text in brief["effect (95 % interval)"])
    whole = comparison.whole().brief()
    assert len(whole) == sum(effect.n_differing > 0 for effect in comparison.effects)
    assert {"name", "less variance"} <= set(whole.columns)
    assert len(" ".join(comparison.sentences())) < len(" ".join(comparison.whole().sentences()))


def test_what_rounding_makes_of_equal_numbers_is_no_effect() -> None:
    one = np.array([0.3, 0.7, 1e6])
    other = one * (1.0 + 2e-16)
    found = effect_of(NUMBER, one, other)
    assert (found.n_differing, found.effect, found.is_clear) == (0, 0.0, False)
    assert found.shown == "identical in all 3 pairs"
    assert effect_of(NUMBER, one, one + 1e-6 * one).n_differing == 3


@pytest.mark.parametrize(
    ("reduction", "text"), [(418_229.0, "over 1,000 times"), (68.8, "69 times")]
)
def test_a_reduction_has_no_more_digits_than_it_supports(reduction: float, text: str) -> None:
    assert times(reduction) == text
