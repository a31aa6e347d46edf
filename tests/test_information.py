"""Values of information against closed forms, and losses that are stated wrongly."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy.special import ndtr, ndtri
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import SplineTransformer

import simlib
from simlib.analysis.selection.deadlines import HELD, Deadline, extension_name
from simlib.analysis.selection.forced_runs import NEVER, GivenAnswer, simulate_answers
from simlib.analysis.value.evppi import (
    EVERYTHING,
    REPORTS,
    ExpectedValue,
    evpi,
    evppi,
    p_incorrect_selection,
    regions,
)
from simlib.analysis.value.information import ALL, value_of_information
from simlib.analysis.value.losses import load_losses
from simlib.chance.addresses import name_hash
from simlib.chance.philox import uniforms
from simlib.errors import ScenarioError
from simlib.journal import to_days
from simlib.outcomes.planning import kind_of
from simlib.scenario import load
from simlib.simulation import assemble, simulate
from simlib.statistics.regression import FOLDS
from simlib.statistics.resampling import folds_of
from simlib.theatre.questions.iraq_mission import DEADLINE, EXTENSION
from simlib.world.quantities import ParameterPlan
from support.commands import call
from support.scenarios import small

if TYPE_CHECKING:
    from simlib.analysis.value.information import Information
    from simlib.scenario.schema import Parameter, Scenario

N = 2000
valued = functools.partial(value_of_information, question=EXTENSION)


def normals(n_columns: int, n: int = N, seed: int = 0) -> np.ndarray:
    """Return independent standard normals, shape (n_columns, n)."""
    names = [name_hash(f"column|{i}") for i in range(n_columns)]
    u = uniforms(seed, 0, np.array(names, dtype=np.uint64), np.arange(n, dtype=np.uint64))
    return np.asarray(ndtri(np.maximum(u, 2.0**-54)))


def expected_value(mean: float, sd: float) -> float:
    """Return min(0, m) - E min(0, m + s Z): what seeing m + s Z is worth against a loss of 0.

    It is s phi(m / s) - |m| Phi(-|m| / s).
    """
    z = abs(mean) / sd
    return sd * math.exp(-(z**2) / 2.0) / math.sqrt(2.0 * math.pi) - abs(mean) * float(ndtr(-z))


def linear(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return theta, something irrelevant, and losses 0 and 1 + 2 theta + noise of sd 2."""
    theta, irrelevant, noise = normals(3, seed=seed)
    return theta, irrelevant, np.column_stack([np.zeros(N), 1.0 + 2.0 * theta + 2.0 * noise])


# closed forms


@pytest.mark.parametrize("seed", [0, 1])
def test_a_linear_gaussian_parameter_has_its_closed_form(seed: int) -> None:
    """EVPPI of theta: s phi(m/s) - m Phi(-m/s), m = 1, s = 2; within 3.3 standard errors."""
    theta, _, losses = linear(seed)
    found = evppi(losses, theta)
    assert 0.0 < found.error < 0.1 * expected_value(1.0, 2.0) * 2.0
    assert abs(found.estimate - expected_value(1.0, 2.0)) < 3.3 * found.error
    assert found.is_clear()


def test_three_options_are_valued_by_the_best_of_them() -> None:
    """Losses 0, theta and -theta: E max(0, |theta|) = sqrt(2 / pi); within 3.3 errors."""
    theta, noise = normals(2)
    losses = np.column_stack([noise, theta + noise, noise - theta])
    found = evppi(losses, theta)
    assert abs(found.estimate - math.sqrt(2.0 / math.pi)) < 3.3 * found.error


def test_a_gaussian_signal_has_its_closed_form() -> None:
    """EVSI of theta + e, e of variance 1: s falls to 2 / sqrt(2); within 3.3 errors."""
    theta, _, losses = linear()
    signal = theta + normals(4)[3]
    found = evppi(losses, signal)
    wanted = expected_value(1.0, 2.0 / math.sqrt(2.0))
    assert abs(found.estimate - wanted) < 3.3 * found.error
    assert found.estimate < evppi(losses, theta).estimate


def test_a_bend_is_found_whatever_the_scale_of_the_parameter() -> None:
    """Loss theta**2 - 1, theta normal, seen as exp(3 theta): phi(1) * 2 = .484 is E(1 - theta^2)+.

    E max(0, 1 - theta**2) = 2 phi(1); the losses have mean 0, so that is the EVPPI; within
    3.3 errors and a tenth, as splines are no parabola.
    """
    theta, noise = normals(2)
    losses = np.column_stack([np.zeros(N), theta**2 - 1.0 + 0.5 * noise])
    wanted = 2.0 * math.exp(-0.5) / math.sqrt(2.0 * math.pi)
    found = evppi(losses, np.exp(3.0 * theta))
    assert abs(found.estimate - wanted) < 3.3 * found.error + 0.1 * wanted


def test_what_is_irrelevant_is_worth_nothing_and_noise_is_no_value() -> None:
    """Nothing to do with the losses: 0 within 2 errors, for two options of nearly equal mean.

    Negative control: the same losses regressed on 20 splines, with no penalty, and read off
    the sample that they were fitted on, "find" a value many times as large.
    """
    irrelevant, noise, other = normals(3, 300)
    losses = np.column_stack([3.0 * noise, 3.0 * other + 0.05])
    found = evppi(losses, irrelevant)
    assert found.estimate <= 2.0 * found.error
    assert not found.is_clear()
    inputs = SplineTransformer(n_knots=18).fit_transform(irrelevant[:, None])
    gap = losses[:, 1] - losses[:, 0]
    said = LinearRegression().fit(inputs, gap).predict(inputs)
    in_sample = min(0.0, float(gap.mean())) - float(np.minimum(0.0, said).mean())
    assert in_sample > 0.15
    assert in_sample > 5.0 * max(found.estimate, 0.0)


def test_what_is_irrelevant_is_worth_nothing_where_options_tie_exactly() -> None:
    """Equal sample means, forty irrelevant columns: the mean of estimate / error is at most .5.

    Each estimate is centered at 0 or below, with unit variance at most; the columns share
    their losses, so the mean of forty is allowed half a standard error. Negative control:
    against the best option of the other folds, which is the worse one of each fold, the
    same choices would "gain" more than that.
    """
    columns = normals(42, 300)
    gap = columns[0] - columns[0].mean()
    losses = np.column_stack([np.zeros(300), gap])
    found = [evppi(losses, column) for column in columns[2:]]
    scaled = [each.estimate / each.error if each.error else 0.0 for each in found]
    assert float(np.mean(scaled)) < 0.5
    folds = folds_of(300, 5, 0)
    worse = np.array([int(gap[folds != fold].mean() < 0.0) for fold in folds])
    rows = np.arange(300)
    assert losses[rows, worse].mean() > max(0.0, float(np.mean([x.estimate for x in found])))


def test_no_parameter_is_worth_more_than_foreseeing_everything() -> None:
    theta, irrelevant, losses = linear()
    everything = evpi(losses)
    for what in (theta, irrelevant, np.column_stack([theta, irrelevant])):
        assert evppi(losses, what).estimate <= everything.estimate


def test_two_equal_options_leave_nothing_to_learn() -> None:
    theta, _, losses = linear()
    alike = np.column_stack([losses[:, 1], losses[:, 1]])
    assert evppi(alike, theta) == ExpectedValue(0.0, 0.0, 0.0)
    assert evpi(alike).estimate == 0.0
    assert p_incorrect_selection(alike, 0) == 0.0


def test_a_parameter_that_does_not_vary_is_worth_nothing() -> None:
    _, _, losses = linear()
    assert evppi(losses, np.ones(N)).estimate == 0.0


def test_the_range_in_which_another_option_is_best_is_named() -> None:
    """Loss 1 + 2 theta is below 0 for theta < -1/2: up to the 31 % point, within .05."""
    theta, _, losses = linear()
    (region,) = regions(losses, theta, 0)
    assert region[0] == 0.0
    assert region[1] == pytest.approx(float(ndtr(-0.5)), abs=0.05)
    assert region[2] == 1


def test_a_ranking_is_as_sure_as_its_paired_difference() -> None:
    """Difference .2 with sd 1 over 100: two errors, Phi(-2) = .023."""
    z = np.resize([-1.0, 1.0], 100) * math.sqrt(99.0 / 100.0)
    losses = np.column_stack([np.zeros(100), z + 0.2])
    assert p_incorrect_selection(losses, 0) == pytest.approx(float(ndtr(-2.0)), rel=1e-6)


def test_folds_are_even_and_addressed() -> None:
    folds = folds_of(103, 5, 1)
    assert np.ptp(np.bincount(folds, minlength=FOLDS)) <= 1
    assert not np.array_equal(folds, folds_of(103, 5, 2))


def test_too_few_replications_are_refused() -> None:
    with pytest.raises(ValueError, match=r"at least 50 replications are needed \(got 10\)"):
        evppi(np.zeros((10, 2)), np.arange(10.0))


def test_the_old_name_of_evppi_works_and_warns() -> None:
    old = "value_of_learning"
    with pytest.warns(DeprecationWarning, match="from simlib.analysis import evppi"):
        assert getattr(simlib.analysis, old) is evppi


# losses

GOOD: dict[str, Any] = {
    "losses": {
        "attacks": {
            "unit": "attacks",
            "terms": {"isis_attacks_iraq_2025": {"weight": 1, "per": "attacks"}},
        },
        "stay": {
            "unit": "months",
            "terms": {
                "isis_attacks_iraq_2025": {"weight": 0.1, "per": "attacks"},
                "troops_federal_bases_end_2025": {"weight": 0.01, "per": "persons"},
            },
        },
    }
}


def broken(**change: Any) -> dict[str, Any]:
    """Return a panel of one loss with one term, changed."""
    term = {"isis_attacks_iraq_2025": {"weight": 1, "per": "attacks"} | change}
    return {"losses": {"attacks": {"unit": "attacks", "terms": term}}}


@functools.cache
def real() -> Scenario:
    """Return the real scenario."""
    return simlib.load("as_agreed")


def test_the_panel_that_comes_with_simlib_holds_and_says_what_it_is() -> None:
    panel = load_losses(real())
    assert len(panel.losses) >= 3
    assert "llustrative" in panel.note
    assert {kind_of(real().outcomes[name]) for name in panel.outcomes()} == {"number"}


@pytest.mark.parametrize(
    ("panel", "message"),
    [
        (broken(weight=math.nan), "weight: must be a finite number (got nan)"),
        (broken(weight=0), "must weigh at least one outcome"),
        (broken(weight="much"), "weight: must be a number (got 'much')"),
        (broken(per="deaths"), "must be the unit of the outcome, 'attacks' (got 'deaths')"),
        ({"losses": {}}, "losses: must hold at least one loss"),
        (
            {"losses": {"a": {"unit": "x", "terms": {"isis_attack": {"weight": 1, "per": "x"}}}}},
            "losses.a.terms.isis_attack: undefined outcome (got 'isis_attack')",
        ),
        (
            {"losses": {"a": {"unit": "x", "terms": {"iraq_end_class": {"weight": 1, "per": ""}}}}},
            "must be a number or a yes/no (is a class)",
        ),
    ],
)
def test_a_loss_that_is_stated_wrongly_is_one_line(panel: dict[str, Any], message: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        load_losses(real(), panel)
    assert message in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_file_of_losses_is_read_and_its_line_named(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.yaml"
    good.write_text(json.dumps(GOOD))
    assert load_losses(real(), good) == load_losses(real(), GOOD)
    bad.write_text("losses:\n  a:\n    unit: x\n    terms:\n      riads: {weight: 1, per: x}\n")
    with pytest.raises(ScenarioError, match=r"bad.yaml:5:\d+: losses.a.terms.riads: undefined"):
        load_losses(real(), bad)


def test_a_loss_is_the_weighted_sum_and_refuses_what_is_open() -> None:
    panel = load_losses(real(), GOOD)
    columns = {
        "isis_attacks_iraq_2025": np.array([10.0, 20.0]),
        "troops_federal_bases_end_2025": np.array([100.0, 0.0]),
    }
    assert panel.values(columns.__getitem__)["stay"].tolist() == [2.0, 2.0]
    columns["isis_attacks_iraq_2025"][0] = math.nan
    with pytest.raises(ScenarioError, match="not settled by the horizon in 1 of 2 replications"):
        panel.values(columns.__getitem__)


# the whole


@functools.cache
def short() -> Scenario:
    """Return the real scenario to the end of 2025, with a few outcomes."""
    kept = ("isis_attacks_iraq_2025", "troops_federal_bases_end_2025")
    outcomes = {name: real().outcomes[name] for name in kept}
    changes = {"end": dt.date(2025, 12, 31), "outcomes": outcomes, "parameters": few_drawn()}
    return real().model_copy(update=changes)


def few_drawn() -> dict[str, Parameter]:
    """Return the parameters, all but a few at their medians: fewer unknowns to value."""
    typical = ParameterPlan(real()).typical()
    kept = ("withdrawal.", "isis.", "structure.", "committee.pi")
    return {
        name: parameter
        if name.startswith(kept) or name not in typical or parameter.distribution is None
        else parameter.model_copy(update={"distribution": None, "value": typical[name]})
        for name, parameter in real().parameters.items()
    }


MARCH = dt.date(2025, 3, 16)


@functools.cache
def whole() -> Information:
    """Return the value of information at the first meeting, on sixty replications."""
    return valued(short(), GOOD, dates=[MARCH], replications=60, jobs=1)


def test_every_parameter_and_group_is_valued_for_every_loss() -> None:
    found = whole()
    table = found.table()
    assert set(table["loss"]) == {"attacks", "stay"}
    each = table[table["loss"] == "attacks"]
    drawn = set(assemble(short()).parameters.drawn)
    assert set(each.loc[each["kind"] == "parameter", "unknown"]) == drawn
    assert {ALL, REPORTS, EVERYTHING, "structure.*", "of judgement"} <= set(each["unknown"])
    assert (table["value"] >= 0.0).all()
    most = table[table["kind"] == "everything"].set_index("loss")["estimate"]
    assert (table["estimate"] <= table["loss"].map(most) + 1e-9).all()


def test_troops_make_an_extension_the_worst_for_who_counts_them() -> None:
    """Loss "stay" counts troops: the end as agreed is best, and nothing can flip that."""
    found = whole()
    best = found.ranking.query("loss == 'stay' and is_best").iloc[0]
    assert best["option"] == HELD
    assert best["p_incorrect"] < 1e-6
    stay = found.table().query("loss == 'stay' and kind == 'parameter'")
    assert (stay["value"] == 0.0).all()
    said = " ".join(found.sentences())
    assert "Stay, 2025-03-16: held has the least loss" in said
    assert "no unknown looked at stands out from 0" in said


def test_forks_share_their_past_and_leave_it_at_the_date() -> None:
    scenario = DEADLINE.with_extensions(short(), DEADLINE.meetings(short()))
    at = to_days(MARCH)
    name = extension_name(12, MARCH)
    runs = [simulate(assemble(scenario, o), 4) for o in (HELD, name)]
    before = [run.incidents.time[run.incidents.time < at] for run in runs]
    assert np.array_equal(before[0], before[1])
    assert runs[1].milestones["iraq_mission_end"].date - runs[0].milestones[
        "iraq_mission_end"
    ].date == 365.0  # fmt: skip
    held = [GivenAnswer(replication, NEVER) for replication in range(2)]
    known = simulate_answers(short(), held, EXTENSION, times=[at], jobs=1).known
    assert known.shape[:2] == (2, 1)


def test_a_deadline_of_another_scenario_is_held_and_extended_too() -> None:
    """Nothing but what the deadline says is taken for granted: not its name, agent or dates."""
    deadline = Deadline("exit", "council", "extended", "months", leads=(30.0, 10.0), lengths=(1,))
    dates = deadline.meetings(small())
    assert dates == (dt.date(2000, 3, 31), dt.date(2000, 4, 20))
    scenario = deadline.with_extensions(small(), dates)
    names = [extension_name(1, date) for date in dates]
    assert set(scenario.options) == {*small().options, HELD, *names}
    options = (HELD, "later", *names)
    ends = [simulate(assemble(scenario, name), 1).milestones["exit"].date for name in options]
    assert ends[0] == to_days(dt.date(2000, 4, 30))
    assert ends[1:] == [to_days(dt.date(2000, 5, 31))] * 3
    with pytest.raises(ScenarioError, match="must have the agent council, active"):
        deadline.refuse_without(small())
    other = dataclasses.replace(deadline, milestone="handover")
    with pytest.raises(ScenarioError, match=r"must have the milestone handover \(has exit\)"):
        other.refuse_without(small())


def test_leads_are_those_that_the_scenario_says() -> None:
    """The committee meets in March, June and September; a scenario without leads is refused."""
    scenario = load("as_agreed")
    months = [date.month for date in EXTENSION.deadline.meetings(scenario)]
    assert months == [3, 6, 9]
    lead = scenario.parameters["committee.lead_first"].model_copy(update={"value": 230.0})
    earlier = {**scenario.parameters, "committee.lead_first": lead}
    moved = scenario.model_copy(update={"parameters": earlier})
    assert EXTENSION.deadline.meetings(moved)[0] == dt.date(2025, 2, 12)
    left = {name: p for name, p in earlier.items() if name != "committee.lead_first"}
    with pytest.raises(ScenarioError, match=r"parameters: must have committee\.lead_first"):
        EXTENSION.deadline.refuse_without(scenario.model_copy(update={"parameters": left}))


def test_the_figure_names_unit_dates_and_the_best_option() -> None:
    ax = simlib.plot.information(whole(), "attacks")
    assert "attacks" in ax.get_xlabel()
    legend = ax.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["2025-03-16"]
    assert any("is best" in text.get_text() for text in ax.texts)


def test_what_cannot_be_asked_is_refused() -> None:
    with pytest.raises(ScenarioError, match="must lie after 2025-01-01 and before 2025-09-30"):
        valued(short(), GOOD, dates=[dt.date(2026, 1, 1)])
    with pytest.raises(ScenarioError, match=r"options.never: no such option"):
        valued(short(), GOOD, options=["never"])
    with pytest.raises(ScenarioError, match=r"too few .* \(got 20\); give at least 50"):
        valued(short(), GOOD, replications=20)


def test_a_wrong_panel_is_one_line_and_status_2(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("losses: {a: {unit: x, terms: {raids: {weight: 1, per: x}}}}")
    done = call("voi", "as_agreed", "--losses", file)
    assert done.returncode == 2
    assert "mine.yaml:1:" in done.stderr
    assert "undefined outcome (got 'raids')" in done.stderr
    assert "Traceback" not in done.stderr
