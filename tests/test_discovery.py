"""Scenario discovery: the parameter that matters is found, the others are not."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

import simlib
from simlib.analysis.discovery.conditions import cases, read_condition
from simlib.analysis.discovery.scenario_discovery import discover
from simlib.statistics.intervals import wilson
from simlib.statistics.resampling import is_first_half
from support.commands import call
from support.known_answers import DRAWN, NOISE, drawn

if TYPE_CHECKING:
    from simlib.analysis.discovery.discovered import Discovery

N = 300


@functools.cache
def ensemble() -> simlib.Ensemble:
    """Return two options of the scenario with noise."""
    return simlib.run(drawn(), options=["as_planned", "more"], replications=N, jobs=1)


@functools.cache
def found(condition: str = "raids : as_planned in worst 30 %") -> Discovery:
    return discover(ensemble(), condition, resamples=15)


def test_the_parameter_that_matters_is_found_and_no_other() -> None:
    """Six months of raids above the 70 % point go with `raids` above about 12 a month.

    Counts vary by about 8 around 6 x raids, so the limit lies within 1.5 of the 70 % point.
    """
    box = found().box()
    assert [(limit.parameter, limit.side) for limit in box.limits] == [("raids", "at_least")]
    assert box.limits[0].value == pytest.approx(12.0, abs=1.5)
    assert box.limits[0].unit == "incidents per month"
    assert box.limits[0].p_held_out < 0.001
    assert found().is_found


def test_what_matters_is_stable_over_resamples_and_noise_is_not() -> None:
    """The planted limit is set in 9 of 10 resamples, no limit of noise in half of them."""
    table = found().stability_table()
    is_planted = (table["parameter"] == "raids") & (table["side"] == "at_least")
    assert table["restricted_share"][is_planted].item() >= 0.9
    assert (table["restricted_share"][table["parameter"].isin(NOISE)] < 0.5).all()


def test_numbers_on_the_other_half_are_those_of_replications_not_looked_at() -> None:
    """The halves are disjoint and hold everything; a box is judged by counting again."""
    discovery = found()
    training, held_out = discovery.drawn.training, discovery.drawn.held_out
    assert len(training[1]) + len(held_out[1]) == N
    rows = {part.tobytes() for half in (training, held_out) for part in half[0]}
    assert len(rows) == N
    inside = discovery.box().box.holds(held_out[0])
    fitted = discovery.box().held_out
    assert fitted.density == held_out[1][inside].mean()
    assert fitted.coverage == (inside & held_out[1]).sum() / held_out[1].sum()
    assert wilson(fitted.n_cases, fitted.n_inside)[0] > discovery.base_rate


def test_where_nothing_matters_a_sentence_says_so() -> None:
    """Patrols come at a fixed level: no drawn parameter has to do with them."""
    discovery = found("patrols : as_planned in worst 30 %")
    assert not discovery.box().limits
    assert not discovery.is_found
    assert any("nothing found" in sentence for sentence in discovery.sentences())
    assert discovery.table().empty
    assert discovery.tree.depth == 0


def test_a_tree_finds_the_same_rule() -> None:
    tree = found().tree
    assert tree.depth >= 1
    assert "raids > 1" in found().tree_table()["rule"].iloc[0]
    assert sum(leaf.training.mass for leaf in tree.leaves) == pytest.approx(1.0)
    assert tree.leaves[0].held_out.density > 2 * found().base_rate


def test_an_effect_of_an_option_can_be_the_condition() -> None:
    """The option doubles raids, so its effect is large where there are many."""
    discovery = found("raids : more - as_planned in worst 30 %")
    assert {limit.parameter for limit in discovery.box().limits} == {"raids"}
    assert discovery.condition.startswith("Raids (more against as planned) in highest 30 % (> ")


def test_only_what_is_drawn_is_looked_at() -> None:
    """Fixed and derived parameters are left out; a Dirichlet has its parts."""
    assert set(found().drawn.names) == {"raids", "parts.one", "parts.two", *NOISE}
    only = discover(ensemble(), "raids : more > 120", parameters=["parts"], resamples=0)
    assert only.drawn.names == ("parts.one", "parts.two")


def test_any_box_of_the_trajectory_can_be_looked_at() -> None:
    discovery = found()
    table = discovery.trajectory_table()
    box = discovery.box(at=5)
    assert box.held_out.density == table["density_held_out"][5]
    assert len(box.box.columns) == table["n_restricted"][5]
    with pytest.raises(IndexError, match="the trajectory has rows 0 to"):
        discovery.box(at=len(table))


def test_the_same_results_give_the_same_discovery() -> None:
    again = discover(ensemble(), "raids : as_planned in worst 30 %", resamples=15)
    assert again.sentences() == found().sentences()
    assert again.table().equals(found().table())


@pytest.mark.parametrize(
    ("condition", "rule"),
    [
        ("riads : more > 3", "no outcome 'riads'"),
        ("raids > 3", "several options"),
        ("raids : most > 3", "no option 'most'"),
        ("raids : more >> 3", "cannot be read"),
        ("raids : more", "cannot be read"),
        ("raids : more > many", "is compared with a number (got 'many')"),
        ("raids : more > nan", "is compared with a number (got 'nan')"),
        ("raids : more in middle 20 %", "cannot be ranked by 'middle'"),
        ("raids : more in worst 0 %", "a share is above 0"),
        ("exit_class : more = early", "no class 'early'"),
        ("exit_class : more > met", "a class is compared with = or !="),
        ("exit_class : more - as_planned = met", "has no difference"),
        ("exit_class : more in worst 20 %", "has no highest values"),
        ("raids : more > 100000", "met in 0 of 300 replications"),
        ("exit_months : more - as_planned > 0", "settled in no replication"),
    ],
)
def test_a_wrong_condition_is_told_in_one_line(condition: str, rule: str) -> None:
    with pytest.raises(simlib.ScenarioError) as caught:
        discover(ensemble(), condition, resamples=0)
    assert rule in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_not_drawn_is_refused() -> None:
    with pytest.raises(
        simlib.ScenarioError, match=r"not drawn from a distribution \(got 'scale'\)"
    ):
        discover(ensemble(), "raids : more > 100", parameters=["scale"], resamples=0)


def test_what_is_not_completed_is_later_than_everything() -> None:
    """Nobody completes the milestone: it is late in every replication."""
    late = cases(read_condition("exit_months : more > 3", ensemble()), ensemble())
    assert late.is_case.all()
    assert late.n_unsettled == 0


def test_halves_are_drawn_by_lot() -> None:
    """Half of any block of a design is in each: four standard errors around n / 2."""
    first = is_first_half(3, np.arange(400), "test")
    assert first.sum() == 200
    assert abs(first[::2].sum() - 100) <= 4 * 0.5 * np.sqrt(200)
    assert (first != is_first_half(4, np.arange(400), "test")).any()


def test_figures_show_both_halves_and_every_limit() -> None:
    ax = simlib.plot.peeling(found())
    legend = ax.get_legend()
    assert legend is not None
    labels = [text.get_text() for text in legend.get_texts()]
    assert sum("on the other half" in label for label in labels) == 2
    ax = simlib.plot.box(found())
    assert [label.get_text() for label in ax.get_yticklabels()] == ["raids"]
    assert any("of resamples" in text.get_text() for text in ax.texts)
    none = found("patrols : as_planned in worst 30 %")
    nothing = simlib.plot.box(none)
    assert "nothing found" in nothing.texts[0].get_text()
    assert not nothing.axison
    assert set(none.figures()) == {"peeling"}
    assert set(found().figures()) == {"peeling", "box"}


def test_the_command_writes_tables_and_figures(tmp_path: Path) -> None:
    scenario = tmp_path / "drawn.yaml"
    scenario.write_text(DRAWN)
    out = tmp_path / "out"
    arguments = ("-o", str(out), "--replications", "100", "--resamples", "5", "--jobs", "1")
    done = call("discover", str(scenario), "raids : more - as_planned > 60", *arguments)
    assert done.returncode == 0, done.stderr
    assert "Box 1: raids >=" in done.stdout
    written = {path.name for path in out.iterdir()}
    assert written == {
        *("boxes.csv", "boxes.txt", "trajectory.csv", "stability.csv", "tree.csv"),
        *("peeling.png", "box.png", "results", ".simlib-written"),
    }
    wrong = call("discover", str(out / "results"), "riads > 3")
    assert wrong.returncode == 2
    assert "no outcome 'riads'; did you mean 'raids'?" in wrong.stderr
