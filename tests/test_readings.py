"""Seen to be extended, made to be extended, and what is known beforehand."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import simlib
from simlib.analysis.selection import forced_runs
from simlib.analysis.selection.decision_forecast import forecast
from simlib.analysis.selection.forced_runs import (
    NEVER,
    AnsweredRuns,
    GivenAnswer,
    numbers_of,
    simulate_answers,
)
from simlib.analysis.selection.observables import (
    Observable,
    encoded,
    plan_observables,
)
from simlib.analysis.selection.observational import (
    AS_WRITTEN,
    Readings,
    SelectionEffects,
    assigned,
    readings,
    select,
)
from simlib.chance.addresses import name_hash
from simlib.chance.philox import uniforms
from simlib.ensemble.execution import Execution
from simlib.errors import ScenarioError
from simlib.journal import to_days
from simlib.scenario.schema import Outcome, Scenario
from simlib.simulation import assemble, simulate
from simlib.statistics.regression import normal_scores
from simlib.theatre.agents.committee import SIGNS
from simlib.theatre.questions.iraq_mission import BEFORE, EXTENSION
from simlib.world.quantities import ParameterPlan
from support.commands import call
from support.scenarios import small

if TYPE_CHECKING:
    from simlib.journal import Run
    from simlib.simulation import Blueprint

N = 120
HERE = Execution(jobs=1)
ask = functools.partial(readings, question=EXTENSION)
LIKELY = {
    "committee.pi.formally_extended": 0.5,
    "committee.pi.met": 0.3,
    "committee.pi.relabelled": 0.1,
    "committee.pi.slipped": 0.1,
    "committee.delta_extended": 0.0,
    "committee.intercept_baghdad": 0.5,
    "committee.intercept_washington": 0.5,
}
BLIND = LIKELY | {
    f"committee.{government}_{ground}": 0.0
    for government, signs in SIGNS.items()
    for ground in signs
}
ALARMED = BLIND | {
    "committee.baghdad_threat": 6.0,
    "committee.washington_threat": 6.0,
    "committee.intercept_baghdad": -5.0,
    "committee.intercept_washington": -5.0,
}


@functools.cache
def short() -> Scenario:
    """Return the real scenario to the end of 2025, with a few outcomes."""
    loaded = simlib.load("as_agreed")
    before = Outcome.model_validate(
        {"count": "isis_attack", "in": "Iraq", "to": dt.date(2025, 3, 15), "unit": "attacks"}
    )
    kept = ("isis_attacks_iraq_2025", "troops_federal_bases_end_2025", "iraq_end_class")
    outcomes = {BEFORE: before} | {name: loaded.outcomes[name] for name in kept}
    return loaded.model_copy(update={"end": dt.date(2025, 12, 31), "outcomes": outcomes})


@functools.cache
def selection(which: str) -> SelectionEffects:
    """Return both readings where the committee is blind to its grounds, or heeds threat."""
    given = BLIND if which == "blind" else ALARMED
    natural = simulate_answers(
        short(), [GivenAnswer(r) for r in range(N)], EXTENSION, given=given, **HERE
    )
    return select(natural, short(), EXTENSION, given=given, **HERE)


# the selection gap


def test_without_selection_by_grounds_there_is_no_gap() -> None:
    """All weights 0: who is extended is luck, so both readings have one expectation.

    The gap lies within 3.3 standard errors of 0 (P of more: .001), for attacks before any
    meeting and for what follows.
    """
    for name in (BEFORE, "isis_attacks_iraq_2025", "troops_federal_bases_end_2025"):
        gap = selection("blind").effects[name].gap
        assert gap.error > 0.0
        assert abs(gap.value) < 3.3 * gap.error, name


def test_selection_by_threat_shows_in_attacks_before_the_meetings() -> None:
    """A strong weight of threat: worlds with more attacks are extended (3 errors above 0).

    Negative control: nobody can change attacks before the meetings, so extending by force
    changes none, while a comparison of runs "shows" some.
    """
    gap = selection("alarmed").effects[BEFORE]
    assert gap.gap.value > 3.0 * gap.gap.error
    assert gap.observational.value > 3.0 * gap.observational.error
    assert abs(gap.interventional.value) < 0.3


def test_the_extended_redone_by_force_come_out_alike() -> None:
    """Own meeting and own length by force: the difference is within 3.3 errors of 0.

    So is what is left as mechanics small beside selection: a tenth of the gap's error.
    """
    for which in ("blind", "alarmed"):
        for name in (BEFORE, "isis_attacks_iraq_2025"):
            gap = selection(which).effects[name]
            assert abs(gap.mechanics.value) <= 3.3 * gap.mechanics.error + 0.02
            assert gap.mechanics.error < 0.25 * gap.gap.error
            assert gap.gap.value == pytest.approx(gap.selection.value + gap.mechanics.value)


def test_extending_keeps_troops_and_the_naive_difference_agrees_in_sign() -> None:
    gap = selection("blind").effects["troops_federal_bases_end_2025"]
    assert gap.interventional.value > 3.0 * gap.interventional.error
    assert gap.observational.value > 0.0


def test_meetings_and_lengths_are_dealt_out_as_they_were_observed() -> None:
    """Each donor lends n / n_donors times, up to one; a replication's lot is addressed."""
    months = np.array([0, 6, 12, 0, 24, 6, 0, 0, 0, 0, 0])
    at = np.where(months > 0, 9200.5 + np.arange(11.0), np.nan)
    natural = AnsweredRuns(np.zeros((11, 1)), months, at, np.zeros((11, 0, 0)))
    rows = assigned(natural, 7)
    assert [row.replication for row in rows] == list(range(11))
    donors = Counter(row.at for row in rows)
    assert sorted(donors.values()) == [2, 3, 3, 3]
    assert {(row.at, row.months) for row in rows} == {
        (row.at, row.months) for row in assigned(natural, 8)
    }
    assert rows != assigned(natural, 8)


def test_errors_are_those_of_the_influence_of_each_replication() -> None:
    """The error of a mean given an event: bootstrap over replications within a quarter."""
    u = uniforms(1, 0, np.array([name_hash(x) for x in "ab"], dtype=np.uint64),
                 np.arange(400, dtype=np.uint64))  # fmt: skip
    is_in, y = u[0] < 0.3, u[1] + (u[0] < 0.3)
    from simlib.analysis.selection.observational import _estimate, _influence

    mean, influence = _influence(y, is_in)
    places = np.arange(400, dtype=np.uint64)
    means = []
    for k in range(400):
        draw = uniforms(2, k, np.array([name_hash("r")], dtype=np.uint64), places)[0]
        rows = (draw * 400).astype(int)
        means.append(float(y[rows][is_in[rows]].mean()))
    assert _estimate(mean, influence).error == pytest.approx(np.std(means), rel=0.25)


# what is known


@functools.cache
def known() -> tuple[np.ndarray, AnsweredRuns]:
    """Return what is known of six replications, held and as the committee decides."""
    times = [to_days(dt.date(2025, 2, 20)), to_days(dt.date(2025, 6, 30))]
    held, natural = (
        simulate_answers(
            short(), [GivenAnswer(r, months) for r in range(6)], EXTENSION, times=times, **HERE
        )
        for months in (NEVER, None)
    )
    return held.known, natural


def test_without_outcomes_runs_end_with_what_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Value of information asks only what is known at the meetings."""
    horizons: list[float] = []

    def noted(blueprint: Blueprint, replication: int, **more: Any) -> Run:
        horizons.append(blueprint.horizon)
        return simulate(blueprint, replication, **more)

    monkeypatch.setattr(forced_runs, "simulate", noted)
    bare = short().model_copy(update={"outcomes": {}})
    held = [GivenAnswer(r, NEVER) for r in range(6)]
    times = [to_days(dt.date(2025, 2, 20)), to_days(dt.date(2025, 6, 30))]
    found = simulate_answers(bare, held, EXTENSION, times=times, **HERE)
    assert set(horizons) == {times[1] + 1.0}
    assert found.known.tobytes() == known()[0].tobytes()


def test_what_is_known_early_is_the_same_whatever_the_committee_does_later() -> None:
    held, natural = known()
    early = ~(natural.decided_at <= to_days(dt.date(2025, 2, 20)))
    assert early.any()
    assert np.array_equal(held[early, 0], natural.known[early, 0])


def test_only_months_that_are_published_are_counted() -> None:
    """On 20 February a series with a lag of 7 days has January; one of 45 days has nothing."""
    scenario = short()
    blueprint = assemble(scenario)
    plan = plan_observables(scenario, blueprint.channels.channels, EXTENSION.public)
    names = [observable.name for observable in plan.all]
    time = to_days(dt.date(2025, 2, 20))
    run = simulate(blueprint, 0, observe=[time])
    values = dict(zip(names, plan.at(run, time), strict=True))
    january = run.incidents.time < to_days(dt.date(2025, 2, 1))
    channels = run.incidents.channels
    is_attack = np.array(
        [
            type_ == "isis_attack" and country == "Iraq"
            for type_, country in zip(channels.types, channels.countries, strict=True)
        ]
    )[run.incidents.channel]
    is_in = january & (run.incidents.time >= run.start) & is_attack
    assert values["monitors_isis_iraq"] == np.count_nonzero(is_in)
    assert values["partnered_operations"] == 0.0
    assert values["troops Victoria"] > 0.0


def test_columns_leave_out_what_does_not_vary() -> None:
    observables = (Observable("a", "x"), Observable("b", "x"), Observable("c", "state", ("p", "q")))
    values = np.array([[1.0, 5.0, 0.0], [3.0, 5.0, 0.0], [7.0, 5.0, 1.0], [0.0, 5.0, 1.0],
                       [2.0, 5.0, 0.0]])  # fmt: skip
    names, columns = encoded(observables, values)
    assert names == ["a", "c is q"]
    assert columns[:, 1].tolist() == [0.0, 0.0, 1.0, 1.0, 0.0]


def test_normal_scores_are_monotone_and_share_ties() -> None:
    scores = normal_scores(np.array([10.0, 1000.0, 10.0, -3.0]))
    assert scores[0] == scores[2]
    assert scores[3] < scores[0] < scores[1]


def test_a_regression_beats_the_base_rate_only_where_something_is_known() -> None:
    """What comes depends on the first of three inputs: its forecasts gain (2 errors above 0).

    Negative control: inputs that have nothing to do with it do not gain 2 errors. P by
    thirds of the first rises, and only its coefficient stands out.
    """
    names = np.array([name_hash(f"known|{i}") for i in range(4)], dtype=np.uint64)
    u = uniforms(3, 0, names, np.arange(600, dtype=np.uint64))
    inputs = np.floor(100.0 * u[:3]).T
    is_extended = u[3] < 1.0 / (1.0 + np.exp(-4.0 * (u[0] - 0.7)))
    observables = tuple(Observable(name, "x") for name in ("first", "second", "third"))
    is_open = np.ones(600, dtype=bool)
    date = dt.date(2025, 6, 30)
    found = forecast(date, observables, inputs, is_extended, is_open=is_open, root_seed=3)
    assert all(score.gain > 2.0 * score.gain_error for score in found.scores)
    first = found.groups.query("observable == 'first'")["p_extension"].to_numpy()
    assert first[0] < first[1] < first[2]
    top = found.coefficients.iloc[0]
    assert top["input"] == "first"
    assert top["low"] > 0.0
    assert (found.calibration["share_extended"].diff().dropna() > -0.1).all()
    noise = forecast(
        date, observables[1:], inputs[:, 1:], is_extended, is_open=is_open, root_seed=3
    )
    assert all(score.gain < 2.0 * score.gain_error for score in noise.scores)


def test_too_few_extensions_are_refused() -> None:
    is_open = np.ones(40, dtype=bool)
    is_extended = np.arange(40) < 3
    with pytest.raises(ScenarioError, match="3 of 40 open replications are extended"):
        forecast(dt.date(2025, 6, 30), (Observable("a", "x"),), np.arange(40.0)[:, None],
                 is_extended, is_open=is_open, root_seed=0)  # fmt: skip


# the whole


@functools.cache
def whole() -> Readings:
    """Return both readings of the short scenario with a committee that often extends."""
    scenario = short()
    typical = ParameterPlan(scenario).typical()
    parameters = {
        name: parameter
        if name.startswith("committee.") or name not in typical or parameter.distribution is None
        else parameter.model_copy(update={"distribution": None, "value": typical[name]})
        for name, parameter in scenario.parameters.items()
    }
    for name in ("committee.delta_extended", "committee.extension_6"):
        parameters[name] = parameters[name].model_copy(
            update={"distribution": None, "value": 1.5 if "delta" in name else 0.5}
        )
    scenario = scenario.model_copy(update={"parameters": parameters})
    return ask(scenario, dt.date(2025, 4, 15), slopes=[1.2], replications=80, **HERE)


def test_tables_and_sentences_say_what_was_found() -> None:
    found = whole()
    table = found.table()
    assert set(table["version"]) == {AS_WRITTEN, "1.2"}
    assert set(table["outcome"]) == {BEFORE, *short().outcomes} - {"iraq_end_class"}
    row = table[(table["version"] == AS_WRITTEN) & (table["outcome"] == BEFORE)].iloc[0]
    assert row["gap"] == pytest.approx(row["extended"] - row["do_extended"])
    assert row["gap_low"] < row["gap"] < row["gap_high"]
    said = " ".join(found.sentences())
    assert "By 2025-04-15 an extension was agreed in" in said
    assert f"{found.forecast.n_decided} of 80" in said
    assert found.forecast.n_decided + found.forecast.n_open == 80
    assert "mechanics" in said


def test_figures_name_units_and_slopes() -> None:
    ax = simlib.plot.readings(whole())
    assert "attacks" in ax.get_xlabel()
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["drawn,\nas written", "1.2"]
    other = simlib.plot.extension_forecast(whole().forecast)
    assert "%" in other.get_xlabel()
    with pytest.raises(ScenarioError, match="no number or yes/no of that name"):
        simlib.plot.readings(whole(), "nothing")


def test_what_cannot_be_asked_is_refused() -> None:
    with pytest.raises(ScenarioError, match="must have the milestone iraq_mission_end"):
        ask(small(), dt.date(2000, 3, 1))
    with pytest.raises(ScenarioError, match="must lie after 2025-01-01"):
        ask(short(), dt.date(2024, 3, 1))
    with pytest.raises(ScenarioError, match=r"outcome: no number or yes/no \(got 'x'\)"):
        ask(short(), dt.date(2025, 3, 1), outcomes=["x"])
    with pytest.raises(ScenarioError, match="the committee extends in"):
        select(_two(), short(), EXTENSION, **HERE)


def test_forced_rows_do_not_depend_on_their_company() -> None:
    rows = assigned(_two(), 7)
    together = simulate_answers(short(), rows, EXTENSION, **HERE).outcomes
    alone = simulate_answers(short(), rows[1:], EXTENSION, **HERE).outcomes
    assert np.array_equal(together[1:], alone)
    assert together.shape == (2, len(numbers_of(short())))


def _two() -> AnsweredRuns:
    at = np.array([to_days(dt.date(2025, 6, 15)), np.nan])
    return AnsweredRuns(np.zeros((2, 1)), np.array([12, 0]), at, np.zeros((2, 0, 0)))


def test_estimates_are_plain_numbers() -> None:
    gap = selection("blind").effects[BEFORE]
    assert all(
        isinstance(value, str) or np.isfinite([value["value"], value["error"]]).all()
        for value in dataclasses.asdict(gap).values()
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--date", "tomorrow"), "date: must be YYYY-MM-DD (got 'tomorrow')"),
        (("--date", "2025-06-30", "--slope", "a"), "slope: must be numbers"),
        (("--date", "2025-06-30", "--outcome", "isis_attack"), "outcome: no number or yes/no"),
    ],
)
def test_mistakes_are_one_line_and_status_2(
    arguments: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    done = call("readings", "as_agreed", *arguments, "-o", tmp_path / "out")
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()
