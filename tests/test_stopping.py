"""Rules that say when to stop: what they look at and find, for any number of workers."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.special import stdtrit

import simlib
from simlib.ensemble.stopping import MOST, Precision, Ranking, Target, Verdict, looks, rule_of
from simlib.scenario import with_design
from support.agents import Watcher
from support.scenarios import small, watched

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simlib.ensemble import Progress

BOTH = ("as_planned", "later")


def test_looks_grow_to_the_most_and_suit_the_design() -> None:
    for design, unit in (("random", 100), ("latin_hypercube", 100), ("sobol", 256)):
        sizes = list(looks(design, MOST))
        assert sizes[-1] == MOST
        assert all(size % unit == 0 for size in sizes[:-1])
        assert all(1 < b / a <= 2 for a, b in itertools.pairwise(sizes))
    assert list(looks("random", 150)) == [150]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("raids +- 0.5", Precision(Target("raids"), 0.5)),
        ("exit_class.met±1e-2", Precision(Target("exit_class", "met"), 0.01)),
        ("exit_class.met +/- .01", Precision(Target("exit_class", "met"), 0.01)),
        ("wrong ranking of raids < 0.05", Ranking(Target("raids"), 0.05)),
    ],
)
def test_rules_are_read(text: str, rule: object) -> None:
    assert rule_of(text, watched(), BOTH) == rule


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("raids", BOTH, r"until: must be 'OUTCOME\[.CLASS\] \+- HALF_WIDTH' or .* \(got 'raids'\)"),
        ("raids +- 0", BOTH, r"must be above 0 \(got '0'\)"),
        ("riads +- 1", BOTH, r"no such outcome \(got 'riads'\); did you mean 'raids'\?"),
        ("exit_class +- 1", BOTH, "say which class: one of exit_class.met, exit_class.slipped"),
        ("exit_class.left +- 1", BOTH, "exit_class has no such class; one of met, slipped"),
        ("raids.met +- 1", BOTH, "raids has no such class; one of none"),
        ("wrong ranking of raids < 0.5", BOTH, "must be above 0 and below 0.5"),
        ("wrong ranking of raids < 0.1", ("",), "a ranking needs at least two options"),
    ],
)
def test_what_is_no_rule_is_one_clear_line(
    text: str, options: tuple[str, ...], message: str
) -> None:
    with pytest.raises(simlib.ScenarioError, match=message):
        rule_of(text, watched(), options)


def test_a_run_stops_at_the_first_look_that_is_precise_enough(tmp_path: Path) -> None:
    """The half-width is 1.96 s / sqrt(n), at that look and not at the one before."""
    notes: list[str] = []

    def listen(progress: Progress) -> None:
        notes.append(progress.note)

    ensemble = simlib.run(small(), until="raids +- 2", jobs=1, directory=tmp_path, progress=listen)
    raids = ensemble.outcomes["raids"].to_numpy()
    sizes = list(looks("random", MOST))
    before = sizes[sizes.index(len(raids)) - 1]
    half = {n: 1.959964 * raids[:n].std(ddof=1) / math.sqrt(n) for n in (before, len(raids))}
    assert half[len(raids)] <= 2 < half[before]
    assert ensemble.manifest["stopped"] == {
        "until": "raids +- 2",
        "replications": len(raids),
        "is_met": True,
        "why": f"raids: half-width {half[len(raids)]:.3g} <= 2 at {len(raids):,} replications",
    }
    assert notes[-2] == f"stopped: {ensemble.manifest['stopped']['why']}"


def test_where_it_stops_does_not_depend_on_workers_nor_on_what_is_there(tmp_path: Path) -> None:
    arguments = {"until": "exit_class.met +- 0.055", "root_seed": 3, "agents": [Watcher]}
    alone = simlib.run(watched(), jobs=1, chunk_size=7, **arguments)  # type: ignore[arg-type]
    pooled = simlib.run(watched(), jobs=3, **arguments)  # type: ignore[arg-type]
    assert alone.digest == pooled.digest
    kept = simlib.run(
        watched(), replications=250, root_seed=3, jobs=1, agents=[Watcher], directory=tmp_path
    )
    grown = kept.extend(until="exit_class.met +- 0.055", agents=[Watcher], jobs=1)
    assert grown.digest == alone.digest
    assert grown.manifest["stopped"] == pooled.manifest["stopped"]


def test_the_most_asked_for_is_said_to_be_the_reason() -> None:
    ensemble = simlib.run(small(), until="raids +- 0.001", replications=250, jobs=1)
    assert ensemble.n == 250
    assert not ensemble.manifest["stopped"]["is_met"]
    assert ensemble.manifest["stopped"]["why"].startswith("the most asked for; raids: half-width")


def test_options_that_are_equal_are_never_ranked() -> None:
    """Both options have the same raids: nothing is known of their order, however long."""
    ensemble = simlib.run(
        small(), options="all", until="wrong ranking of raids < 0.05", replications=400, jobs=1
    )
    stopped = ensemble.manifest["stopped"]
    assert (stopped["replications"], stopped["is_met"]) == (400, False)
    assert "P(wrong ranking) <= 0.5 >= " in stopped["why"]


class Race:
    """Stands for the first outcomes of one option."""

    def __init__(self, column: NDArray[np.float64]) -> None:
        self.column = column
        self.replications = np.arange(len(column))

    def values(self, _outcome: str) -> NDArray[np.float64]:
        """Return the values."""
        return self.column


def judged(rule: Ranking, differences: NDArray[np.float64], look: int) -> Verdict:
    """Return what a rule says of two options with these paired differences."""
    n = len(differences)
    race = {"as_planned": Race(np.zeros(n)), "later": Race(differences)}
    return rule.judge(race, n, look)  # type: ignore[arg-type]


def test_a_clear_ranking_is_safe_at_the_first_look() -> None:
    differences = np.random.default_rng(1).normal(-1.0, 1.0, 200)
    verdict = judged(Ranking(Target("x"), 0.05), differences, 1)
    assert verdict.is_met
    assert verdict.text.startswith("x: later < as_planned; P(wrong ranking) <= ")


def test_a_wrong_ranking_is_as_rare_as_promised() -> None:
    """Of 200 races with a true effect of .03 standard deviations, at most epsilon err.

    The rule looks at sizes 200 to 3,000 and may be wrong with probability .2 over all
    looks together: binomial, so at most 40 + 4 sqrt(200 x .2 x .8) = 62 of 200. The
    negative control lets every look spend the whole of epsilon, which is wrong more often.
    """
    rng, sizes = np.random.default_rng(5), list(looks("random", 3000))
    n_wrong = {"rule": 0, "control": 0}
    for _ in range(200):
        differences = rng.normal(0.03, 1.0, sizes[-1])
        for how in n_wrong:
            for look, n in enumerate(sizes, start=1):
                epsilon = 0.2 if how == "rule" else 0.2 * look * (look + 1)
                verdict = judged(Ranking(Target("x"), epsilon), differences[:n], look)
                if verdict.is_met:
                    n_wrong[how] += verdict.text.startswith("x: later")
                    break
    assert n_wrong["rule"] <= 62
    assert n_wrong["rule"] < n_wrong["control"]


def test_between_blocks_of_a_latin_hypercube_the_interval_is_students() -> None:
    """The half-width at a stop is t(m - 1) times the spread of m block means / sqrt(m)."""
    scenario = with_design(small(), "latin_hypercube")
    ensemble = simlib.run(scenario, until="raids +- 1.5", jobs=1)
    means = ensemble.outcomes["raids"].to_numpy().reshape(-1, 100).mean(axis=1)
    m = len(means)
    half = stdtrit(m - 1, 0.975) * means.std(ddof=1) / math.sqrt(m)
    assert f"half-width {half:.3g} <= 1.5 at {100 * m:,}" in ensemble.manifest["stopped"]["why"]
    with pytest.raises(simlib.ScenarioError, match="must be a multiple of 100 in a Latin hyper"):
        simlib.run(scenario, replications=250, jobs=1)
    with pytest.raises(simlib.ScenarioError, match="must be a multiple of 100 in a Latin hyper"):
        simlib.run(scenario, replications=range(50, 200), jobs=1)
