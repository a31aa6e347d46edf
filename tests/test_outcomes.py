"""Outcomes against their definitions, on runs made by hand."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest

import simlib
from simlib.analysis.columns import columns_of, reader_of
from simlib.errors import ScenarioError
from simlib.journal import (
    MARKS,
    Channels,
    Decision,
    Incidents,
    Layout,
    MilestoneRecord,
    Run,
)
from simlib.outcomes import OutcomePlan, kind_of, month_edges, plan, unit_of
from simlib.scenario.schema import Scenario
from simlib.simulation import simulate
from support.counting import n_calls
from support.worlds import world

START = 9132.0  # 2025-01-01
HORIZON = 9132.0 + 1095.0  # the end of 2027-12-31
CHANNELS = Channels(
    types=("raid", "raid", "raid", "strike"),
    groups=("g", "g", "g", "g"),
    places=("Anbar", "Diyala", "Homs", "Anbar"),
    targets=("army", "army", "army", "camp"),
    countries=("Iraq", "Iraq", "Syria", "Iraq"),
)
LAYOUT = Layout(
    variables={"fighters": slice(0, 3), "threat": slice(3, 4)},
    places={"fighters": ("Anbar", "Diyala", "Homs"), "threat": ()},
    positions={},
)


def test_runs_end_where_nothing_more_is_read() -> None:
    """Read by itself, each outcome of a shorter run is what it is of the whole, to the last bit."""
    of = simlib.load("as_agreed")
    whole = reader_of(of, "extend_12m")
    values = whole.numbers(simulate(whole.blueprint, 3))
    runs: dict[float, Run] = {}
    for name in of.outcomes:
        reader = reader_of(of, "extend_12m", columns_of(of, [name]))
        horizon = reader.blueprint.horizon
        run = runs[horizon] if horizon in runs else simulate(reader.blueprint, 3)
        assert run.incidents.time.max() <= horizon
        own = values[[whole.columns.index(column) for column in reader.columns]]
        assert own.tobytes() == reader.numbers(run).tobytes(), name
        runs[horizon] = run
    assert len(runs) > 3
    assert max(runs) == whole.blueprint.horizon


def scenario(outcomes: dict[str, object], **more: object) -> Scenario:
    """Return a scenario of three governorates with these outcomes."""
    return Scenario.model_validate(
        {
            "simlib": 1,
            "name": "test",
            "context_of_use": "A test.",
            "start": "2025-01-01",
            "end": "2027-12-31",
            "places": {
                "Anbar": {"country": "Iraq"},
                "Diyala": {"country": "Iraq"},
                "Homs": {"country": "Syria"},
                "Asad": {"kind": "base", "within": "Anbar"},
                "Anbar-Homs": {"kind": "segment", "ends": ["Homs", "Anbar"]},
            },
            "state": {
                "fighters": {"over": "governorate", "unit": "persons"},
                "threat": {"unit": "sd"},
            },
            "outcomes": outcomes,
            **more,
        }
    )


def days(date: str) -> float:
    """Return a date in days since 2000-01-01."""
    return float((dt.date.fromisoformat(date) - dt.date(2000, 1, 1)).days)


def run_of(
    *rows: tuple[float, int, dict[str, float]],
    decisions: tuple[Decision, ...] = (),
    postures: dict[str, tuple[tuple[float, str], ...]] | None = None,
    milestone: MilestoneRecord | None = None,
    channels: Channels = CHANNELS,
    parameters: dict[str, float] | None = None,
) -> Run:
    """Return a run with incidents (time, channel, marks) and what else is given."""
    edges = month_edges(scenario({}))
    snapshots = np.zeros((len(edges), 4))
    snapshots[:, :3] = np.arange(len(edges))[:, None] + np.array([0.0, 100.0, 1000.0])
    marks = [[row[2].get(mark, 0.0) for mark in MARKS] for row in rows]
    n = len(rows)
    return Run(
        scenario="test",
        option="",
        replication=0,
        parameters=parameters or {},
        incidents=Incidents(
            time=np.array([row[0] for row in rows], dtype=np.float64),
            channel=np.array([row[1] for row in rows], dtype=np.int32),
            parent=np.full(n, -1, dtype=np.int32),
            opener=np.full(n, -1, dtype=np.int32),
            address=np.zeros((n, 3), dtype=np.uint64),
            marks=np.array(marks, dtype=np.float64).reshape(n, len(MARKS)),
            channels=channels,
        ),
        decisions=decisions,
        postures=postures or {},
        milestones={"exit": milestone} if milestone else {},
        snapshot_times=edges,
        snapshots=snapshots,
        layout=LAYOUT,
        start=START,
        horizon=HORIZON,
    )


def value(outcome: dict[str, object], run: Run, **more: object) -> float | str:
    """Return one outcome of a run."""
    made = scenario({"it": outcome}, **more)
    return plan(made, run.incidents.channels).evaluate(run)["it"]


INCIDENTS = (
    (days("2025-03-10") + 0.5, 0, {"lethal": 1.0, "fatalities": 4.0, "reported": 0.1}),
    (days("2025-09-30") + 0.99, 1, {"reported": 0.6}),
    (days("2025-10-01"), 2, {"lethal": 1.0, "fatalities": 2.0, "reported": 0.4}),
    (days("2026-01-01"), 3, {"reported": 0.2}),
    (HORIZON, 0, {"reported": 0.9}),
)


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        ({"count": "raid"}, 4),
        ({"count": ["raid", "strike"]}, 5),
        ({"count": "raid", "in": "Iraq"}, 3),
        ({"count": "raid", "in": ["Diyala", "Homs"]}, 2),
        ({"count": ["raid", "strike"], "target": "camp"}, 1),
        ({"count": "raid", "having": {"lethal": 1}}, 2),
        ({"count": "raid", "having": {"fatalities": 3}}, 1),
        ({"count": "raid", "to": "2025-09-30"}, 2),
        ({"count": "raid", "from": "2025-10-01", "to": "2026-12-31"}, 1),
        ({"total": "fatalities", "of": "raid"}, 6),
        ({"total": "fatalities", "of": "raid", "in": "Syria"}, 2),
        ({"total": "fatalities"}, 6),
        ({"count": "strike", "in": "Syria"}, 0),
    ],
)
def test_incidents_are_counted_by_type_place_target_mark_and_window(
    outcome: dict[str, object], expected: float
) -> None:
    assert value(outcome, run_of(*INCIDENTS)) == expected


def test_a_run_without_incidents_counts_none() -> None:
    assert value({"count": "raid"}, run_of()) == 0
    assert value({"total": "fatalities"}, run_of()) == 0


def test_a_scenario_without_incident_types_has_outcomes_all_the_same() -> None:
    found = simlib.run(world(), replications=2, jobs=1)
    assert found.n_failed == 0


def test_incidents_before_the_start_are_history_and_not_counted() -> None:
    assert value({"count": "raid"}, run_of((START - 1, 0, {}), (START, 0, {}))) == 1


def test_bases_lie_in_their_governorate_and_segments_where_they_arrive() -> None:
    channels = Channels(
        types=("raid", "raid"),
        groups=("g", "g"),
        places=("Asad", "Anbar-Homs"),
        targets=("x", "x"),
        countries=("Iraq", "Iraq"),
    )
    run = run_of((START, 0, {}), (START + 1, 1, {}), channels=channels)
    assert value({"count": "raid", "in": "Iraq"}, run) == 2
    assert value({"count": "raid", "in": "Anbar"}, run) == 1
    assert value({"count": "raid", "in": "Syria"}, run) == 0


ROWS = {
    "press": {
        "rows": [
            {"incident": "raid", "in": "Iraq", "having": {"lethal": 1}, "probability": "seen"},
            {"incident": "raid", "below": {"lethal": 1}, "probability": 0.7},
            {"incident": "raid", "probability": 0.0},
        ]
    }
}


def test_a_series_reports_what_its_first_matching_row_lets_through() -> None:
    """Lethal in Iraq: .1 < .5; the two not lethal: .6 < .7 and not .9; in Homs: never."""
    run = run_of(*INCIDENTS, parameters={"seen": 0.5})
    assert value({"series": "press"}, run, series=ROWS) == 2
    assert value({"series": "press", "in": "Diyala"}, run, series=ROWS) == 1
    assert value({"series": "press", "having": {"lethal": 1}}, run, series=ROWS) == 1
    blind = run_of(*INCIDENTS, parameters={"seen": 0.05})
    assert value({"series": "press"}, blind, series=ROWS) == 1


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        # Snapshot k holds k at Anbar, 100 + k at Diyala, 1000 + k at Homs.
        ({"state": "fighters", "on": "2025-02-01"}, 1103),
        ({"state": "fighters", "on": "2025-01-31"}, 1103),
        ({"state": "fighters", "on": "2025-02-01", "in": "Iraq"}, 102),
        ({"state": "fighters", "on": "2025-02-01", "reduce": "max"}, 1001),
        ({"state": "fighters", "on": "2025-02-01", "reduce": "min"}, 1),
        ({"state": "fighters", "on": "2025-02-01", "in": "Iraq", "reduce": "mean"}, 51),
        ({"state": "fighters", "in": "Anbar"}, 36),
        ({"state": "fighters", "in": "Anbar", "on": "2027-12-31"}, 36),
        ({"state": "threat", "on": "2025-01-01"}, 0),
    ],
)
def test_state_is_read_at_a_snapshot(outcome: dict[str, object], expected: float) -> None:
    assert value(outcome, run_of()) == expected


def test_state_within_a_month_is_refused_with_the_path() -> None:
    with pytest.raises(ScenarioError, match=r"outcomes\.it\.on: must be the first or last day"):
        value({"state": "threat", "on": "2025-03-15"}, run_of())


def test_an_unknown_mark_is_refused_with_the_path() -> None:
    with pytest.raises(ScenarioError, match=r"outcomes\.it: unknown mark \(got 'lethl'\)"):
        value({"count": "raid", "having": {"lethl": 1}}, run_of())


CLASSES: dict[str, object] = {"milestone": "exit", "classes": ["met", "slipped"]}


def test_a_milestone_gives_its_class_or_open() -> None:
    met = MilestoneRecord(days("2025-09-30"), days("2025-09-30"), "met", days("2025-09-30"))
    assert value(CLASSES, run_of(milestone=met)) == "met"
    unsettled = MilestoneRecord(days("2025-09-30"), days("2026-09-30"), None, math.nan)
    assert value(CLASSES, run_of(milestone=unsettled)) == "open"


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        ("months_late", 60 / 30.4375),  # counted from the end of the agreed day
        ("months_from_start", 333 / 30.4375),
        ("share_left", 1 - 333 / 1095),
    ],
)
def test_a_milestone_gives_times_and_nan_where_it_is_censored(
    measure: str, expected: float
) -> None:
    done = MilestoneRecord(START + 272, START + 272, "slipped", START + 333)
    outcome: dict[str, object] = {"milestone": "exit", "measure": measure}
    assert value(outcome, run_of(milestone=done)) == pytest.approx(expected)
    unfinished = MilestoneRecord(START + 272, START + 272, "slipped", math.nan)
    assert math.isnan(float(value(outcome, run_of(milestone=unfinished))))


def test_a_posture_is_reached_when_it_holds_at_some_time_in_the_window() -> None:
    history: dict[str, tuple[tuple[float, str], ...]] = {
        "pkk": ((START, "campaign"), (days("2025-06-01"), "talks"))
    }
    run = run_of(postures=history)
    talks: dict[str, object] = {"posture": "pkk", "states": ["talks"]}
    assert value(talks, run) == 1
    assert value({**talks, "to": "2025-05-31"}, run) == 0
    assert value({**talks, "to": "2025-06-01"}, run) == 1
    campaign: dict[str, object] = {"posture": "pkk", "states": ["campaign"]}
    assert value({**campaign, "from": "2025-06-01"}, run) == 0


def decision(time_: float, taken: str, place: str | None = None) -> Decision:
    """Return a decision named ``surge``."""
    return Decision(
        time=time_,
        agent="isf",
        name="surge",
        place=place,
        taken=taken,
        probability=0.5,
        cause_kind="review",
        cause="review 2025-01-01",
        cause_row=-1,
        value=math.nan,
    )


def test_decisions_are_counted_by_answer_place_and_window() -> None:
    run = run_of(
        decisions=(
            decision(START, "yes", "Anbar"),
            decision(START + 10, "no"),
            decision(days("2026-01-01"), "yes", "Homs"),
            decision(days("2026-02-01"), "partly"),
        )
    )
    assert value({"decision": "surge"}, run) == 2
    assert value({"decision": "surge", "in": "Iraq"}, run) == 1
    assert value({"decision": "surge", "to": "2025-12-31"}, run) == 1
    assert value({"decision": "surge", "states": ["partly", "no"]}, run) == 2
    assert value({"decision": "other"}, run) == 0


def test_a_window_past_the_horizon_is_censored() -> None:
    outcome: dict[str, object] = {"count": "raid", "from": "2027-01-01", "to": "2028-01-31"}
    assert math.isnan(float(value(outcome, run_of(*INCIDENTS))))


def test_outcomes_come_in_the_order_of_the_scenario() -> None:
    made = scenario({"z": {"count": "raid"}, "a": {"state": "threat"}, "m": {"count": "strike"}})
    assert list(plan(made, CHANNELS).evaluate(run_of())) == ["z", "a", "m"]


def test_monthly_counts_add_up_and_agree_over_channels_and_cells() -> None:
    made = plan(scenario({}), CHANNELS)
    run = run_of(*INCIDENTS)
    by_channel, by_cell = made.monthly_counts(run), made.monthly_cells(run)
    assert by_channel.shape == (36, 4)
    assert by_channel.sum() == by_cell.sum() == len(INCIDENTS)
    assert by_channel[2, 0] == by_channel[8, 1] == by_channel[9, 2] == by_channel[12, 3] == 1
    assert by_channel[35, 0] == 1
    assert made.cells[1] == ("raid", "Diyala")
    assert by_cell[8, 1] == 1


def test_kinds_and_units_follow_from_what_is_read() -> None:
    made = scenario(
        {
            "count": {"count": "raid"},
            "class": CLASSES,
            "late": {"milestone": "exit", "measure": "months_late"},
            "reached": {"posture": "pkk", "states": ["talks"]},
            "stock": {"state": "fighters"},
            "deaths": {"total": "fatalities"},
        }
    )
    kinds = {name: kind_of(outcome) for name, outcome in made.outcomes.items()}
    assert kinds == {
        "count": "number",
        "class": "class",
        "late": "number",
        "reached": "flag",
        "stock": "number",
        "deaths": "number",
    }
    units = [unit_of(outcome, made) for outcome in made.outcomes.values()]
    assert units == ["incidents", "", "months", "", "persons", "persons"]


def many_outcomes() -> tuple[OutcomePlan, Run]:
    """Return a plan of 40 outcomes and a run of 12,000 incidents."""
    outcomes: dict[str, object] = {}
    for i in range(10):
        outcomes[f"a{i}"] = {"count": "raid", "in": "Iraq", "from": f"2025-{i + 1:02}-01"}
        outcomes[f"b{i}"] = {"count": "raid", "having": {"lethal": 1}, "to": f"2026-{i + 1:02}-28"}
        outcomes[f"c{i}"] = {"series": "press", "in": ["Anbar", "Homs"]}
        outcomes[f"d{i}"] = {"total": "fatalities", "of": "raid", "in": "Diyala"}
    rng = np.random.default_rng(0)
    times = np.sort(rng.uniform(START, HORIZON, 12_000))
    rows = ((t, int(rng.integers(4)), {"reported": 0.5, "lethal": 1.0}) for t in times.tolist())
    run = run_of(*rows, parameters={"seen": 0.5})
    return plan(scenario(outcomes, series=ROWS), CHANNELS), run


def test_forty_outcomes_of_a_long_run_take_no_loop_over_incidents() -> None:
    """Twelve thousand incidents, and fewer calls than one for ten of them."""
    made, run = many_outcomes()
    assert n_calls(made.evaluate, run) < 1_200
