"""Scenarios compared: what differs, and the gap of outcomes split over it."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from typer.testing import CliRunner

from simlib.analysis.columns import Column
from simlib.analysis.comparison import attribution
from simlib.analysis.comparison.attribution import (
    MOST_GROUPS,
    MOST_TOLD,
    OTHER,
    OutcomeGap,
    changes_between,
    diff,
)
from simlib.cli.app import app
from simlib.ensemble.execution import Execution
from simlib.errors import ScenarioError
from simlib.outcomes import plan
from simlib.scenario import from_dict, load_text, resolve
from simlib.simulation import assemble, simulate
from simlib.statistics.summaries import of_number
from simlib.world.quantities import ParameterPlan
from support.scenarios import small as elsewhere

if TYPE_CHECKING:
    from pathlib import Path

    from simlib.scenario.schema import Scenario

HERE = Execution(jobs=1)


def small(**changed: Any) -> Scenario:
    """Return a scenario of two kinds of incident in two places, with what is changed in it."""
    numbers = {"raids": 20.0, "strikes": 6.0, "shift": 0.0, "months": 12} | changed
    level = {"Anbar": "raids.level", "Nineveh": "raids.level"}
    place = {"country": "Iraq"}

    def normal(mean: float) -> dict[str, Any]:
        law = {"normal": {"mean": mean, "sd": 2.0}}
        return {"distribution": law, "unit": "1/month", "judgement": changed.get("words", "wide")}

    return from_dict(
        {
            "simlib": 1,
            "name": changed.get("name", "small"),
            "context_of_use": "A test. Not for decisions.",
            "start": "2025-01-01",
            "end": "2025-12-31",
            "history_days": 0,
            "places": {"Anbar": place, "Nineveh": place},
            "parameters": {
                "raids.level": normal(numbers["raids"]),
                "strikes.level": normal(numbers["strikes"] + numbers["shift"]),
                **{f"p{i}.x": {"value": float(i + changed.get("moved", 0)), "unit": "1"}
                   | {"judgement": "test"} for i in range(changed.get("n_more", 0))},
            },
            "incidents": {
                "raid": {"groups": {"all": {"target": "isf", "level": level}}},
                "strike": {
                    "groups": {"all": {"target": "isis", "level": {"Anbar": "strikes.level"}}}
                },
            },
            "outcomes": {
                "raids": {"count": "raid", "from": "2025-01-01", "to": "2025-12-31"},
                "strikes": {"count": "strike", "from": "2025-01-01", "to": "2025-12-31"},
                "all": {"count": ["raid", "strike"], "from": "2025-01-01", "to": "2025-12-31"},
            },
            "root_seed": 3,
        }
    )  # fmt: skip


def test_a_gap_is_split_as_its_parts_add() -> None:
    """Raids and strikes do not touch one another, so each group's share is its own gap.

    Raising raids by 5 a month in each of two places adds 120 a year, strikes by 3 add 36:
    the paired means lie within 4 standard errors, and shares sum to the gap exactly.
    """
    found = diff(small(), small(raids=25.0, shift=3.0), replications=40, **HERE)
    assert [group.name for group in found.changes.groups] == [
        "parameters.raids.level", "parameters.strikes.level",
    ]  # fmt: skip
    gap = found.gap("all")
    assert gap.is_clear
    for name, wanted, own in (("raids", 120.0, "raids"), ("strikes", 36.0, "strikes")):
        share = gap.shares[f"parameters.{name}.level"]
        assert abs(share.mean - wanted) < 4.0 * share.mc_error
        assert math.isclose(share.mean, found.gap(own).gap.mean)
    total = sum(share.mean for share in gap.shares.values())
    assert math.isclose(total, gap.gap.mean, abs_tol=1e-9)
    assert found.gap("raids").shares["parameters.strikes.level"].mean == 0.0


def test_interacting_changes_share_what_they_do_together() -> None:
    """Level and elasticity multiply; shares are exact Shapley values, pair by pair.

    Against all four hybrids simulated here, each straight from its scenario.
    """
    first, second = small(), small(raids=30.0)
    level = "level: {Anbar: raids.level, Nineveh: raids.level}"
    second = load_text(resolve(second).replace(level, level.replace("Anbar: ", "Anbar: 2 * ")))
    found = diff(first, second, outcomes=["raids"], replications=6, **HERE)
    names = [group.name for group in found.changes.groups]
    assert len(names) == 2

    def counts(chosen: list[str]) -> np.ndarray:
        scenario = found.changes.hybrid(chosen)
        blueprint = assemble(scenario)
        outcomes = plan(scenario, blueprint.channels.channels)
        runs = [simulate(blueprint, replication) for replication in range(6)]
        return np.array([outcomes.evaluate(run)["raids"] for run in runs], dtype=np.float64)

    none, one, other, both = counts([]), counts(names[:1]), counts(names[1:]), counts(names)
    wanted = ((one - none) + (both - other)) / 2.0
    share = found.gap("raids").shares[names[0]]
    assert math.isclose(share.mean, float(wanted.mean()))
    assert float((both - one - other + none).mean()) != 0.0


def test_a_changed_distribution_swaps_by_quantile() -> None:
    """A normal moved by 3 moves each replication's draw by 3, and no other draw at all."""
    one, other = ParameterPlan(small()), ParameterPlan(small(shift=3.0))
    for replication in range(20):
        before, after = one.draw(replication, {}), other.draw(replication, {})
        assert math.isclose(after["strikes.level"] - before["strikes.level"], 3.0)
        assert after["raids.level"] == before["raids.level"]


def test_hybrids_of_nothing_and_of_all_are_the_two_scenarios() -> None:
    first, second = small(), small(raids=25.0, shift=1.0, words="other words")
    changes = changes_between(first, second)
    assert resolve(changes.hybrid([])) == resolve(first)
    whole = changes.hybrid([group.name for group in changes.groups])
    assert whole.parameters["raids.level"].distribution == (
        second.parameters["raids.level"].distribution
    )
    assert simulate(assemble(whole), 4).incidents.time.tolist() == (
        simulate(assemble(second), 4).incidents.time.tolist()
    )


def test_each_hybrid_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two groups: four scenarios, however often they are looked at, read and simulated."""
    made: list[str] = []

    def counted(tree: dict[str, Any]) -> Scenario:
        made.append(str(tree["parameters"]))
        return from_dict(tree)

    first, second = small(), small(raids=25.0, shift=1.0)
    monkeypatch.setattr(attribution, "from_dict", counted)
    diff(first, second, replications=5, **HERE)
    assert len(made) == len(set(made)) == 4


def test_words_and_seeds_are_listed_and_change_no_number() -> None:
    first = small()
    second = small(name="other", words="another reason").model_copy(update={"root_seed": 9})
    found = diff(first, second, replications=5, **HERE)
    assert found.gaps == ()
    assert found.sentences() == [
        *(f"changes no number: {line}" for line in found.changes.listed),
        "no difference that a number rests on",
    ]
    assert found.briefs() == {}
    assert {line.split(":")[0] for line in found.changes.listed} == {
        "name", "root_seed", "parameters.raids.level.judgement",
        "parameters.strikes.level.judgement",
    }  # fmt: skip


def test_a_gap_that_may_be_nothing_is_not_split() -> None:
    """A parameter nothing reads: every pair is the same, and no share is given."""
    found = diff(small(n_more=1), small(n_more=1, moved=1), replications=5, **HERE)
    assert found.changes.groups
    assert all(not gap.is_clear and not gap.shares for gap in found.gaps)
    assert "is not split" not in found.sentences()[0]
    assert found.sentences()[1].startswith("3 of 3 outcomes")


def test_many_changes_are_few_groups_and_given_ones_stay() -> None:
    first, second = small(n_more=12), small(n_more=12, moved=1, raids=25.0)
    groups = changes_between(first, second).groups
    assert len(groups) == MOST_GROUPS
    assert OTHER in {group.name for group in groups}
    assert sum(len(group.changes) for group in groups) == 13
    given = changes_between(first, second, {"mine": ["parameters.p3", "parameters.p4.x"]})
    mine = next(group for group in given.groups if group.name == "mine")
    assert mine.changes == (("parameters", "p3.x"), ("parameters", "p4.x"))
    with pytest.raises(ScenarioError, match=r"group none: no change in it \(got parameters.q\)"):
        changes_between(first, second, {"none": ["parameters.q"]})


def test_parts_that_hang_together_are_one_group() -> None:
    """A new parameter and the level that reads it are a scenario only together."""
    text = resolve(small())
    extra = "parameters:\n  raids.factor: {value: 2, unit: '1', judgement: test}\n"
    second = load_text(
        text.replace("parameters:\n", extra).replace(
            "level: {Anbar: raids.level,", "level: {Anbar: raids.factor * raids.level,"
        )
    )
    (group,) = changes_between(small(), second).groups
    assert len(group.changes) == 2
    assert " and " in group.name


def test_scenarios_of_different_theatres_are_no_pair() -> None:
    with pytest.raises(ScenarioError, match=r"^places: .* share none: they cannot be compared$"):
        diff(elsewhere(), "as_agreed", replications=0, **HERE)


def test_without_a_common_outcome_there_is_no_gap() -> None:
    other = small(raids=25.0).model_copy(update={"outcomes": {}})
    with pytest.raises(ScenarioError, match=r"^outcomes: .* declare none alike"):
        diff(small(), other, replications=2, **HERE)


def test_a_section_that_only_one_has_is_one_change() -> None:
    """It has no parts that it could be named by."""
    bare = small().model_copy(update={"parameters": {}, "incidents": {}, "outcomes": {}})
    found = changes_between(small(), bare, {"raids": ["incidents"]})
    assert ("incidents",) in [keys for group in found.groups for keys in group.changes]


def test_the_figure_has_a_step_for_each_group() -> None:
    from simlib.plot import attribution

    found = diff(small(), small(raids=25.0, shift=3.0), replications=20, **HERE)
    ax = attribution(found, "all")
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        "first", "parameters raids level", "parameters strikes level", "second",
    ]  # fmt: skip


def test_the_command_lists_splits_and_keeps(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a.yaml", "b.yaml")]
    for file, scenario in zip(files, (small(), small(raids=25.0, name="more")), strict=True):
        file.write_text(resolve(scenario), encoding="utf-8")
    out = tmp_path / "out"
    done = CliRunner().invoke(
        app,
        ["diff", *map(str, files), "--replications", "20", "--jobs", "1", "-o", str(out)],
    )
    assert done.exit_code == 0, done.output
    assert "a gap of +" in done.output
    assert "changes no number: name: small there, more here" in done.output
    assert {path.name for path in out.glob("*.*")} == {
        "changes.csv", "gaps.csv", "gaps.txt", "gap_raids.png", "gap_all.png", ".simlib-written",
    }  # fmt: skip
    same = CliRunner().invoke(app, ["diff", str(files[0]), str(files[0])])
    assert same.output.strip() == "no difference that a number rests on"
    wrong = CliRunner().invoke(app, ["diff", *map(str, files), "--outcome", "raid"])
    assert "no such outcome (got 'raid')" in str(wrong.exception)


def gap_of(n_shares: int) -> OutcomeGap:
    """Return a gap, all of it by the first of some groups."""
    values = 100.0 + np.arange(20.0)
    gap, nothing = (of_number("", "", each, 20) for each in (values, 0.0 * values))
    shares = {f"group {i}": nothing if i else gap for i in range(n_shares)}
    return OutcomeGap(
        column=Column("raids"), label="Raids", unit="raids", is_share=False, before=10.0,
        after=110.0, gap=gap, shares=shares,
    )  # fmt: skip


def test_a_gap_says_no_part_of_nothing_and_no_whole_of_one() -> None:
    assert gap_of(1).sentence().endswith("a gap of +110 (+107 to +112)")
    said = gap_of(3).sentence()
    assert said.startswith("Raids: 10 to 110 raids, a gap of ")
    assert said.endswith("of it 100 % ± 2 % group 0")


def test_a_screen_of_a_diff_is_short_and_all_of_it_is_there() -> None:
    found = diff(small(), small(), replications=0, **HERE)
    many = dataclasses.replace(found, gaps=(gap_of(2),) * 30, n=20)
    assert sum("a gap of" in line for line in many._gap_sentences()) == MOST_TOLD
    assert sum("a gap of" in line for line in many.whole()._gap_sentences()) == 30
