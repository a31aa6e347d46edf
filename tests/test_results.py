"""The outcome table and the tables of results, against their definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest

import simlib
from simlib.errors import SimlibWarning
from simlib.statistics.formatting import number, with_error
from simlib.statistics.intervals import wilson
from simlib.statistics.summaries import Summary, of_classes, of_flag, of_number
from support.agents import FEW, Failing
from support.scenarios import ensemble_of, small, watched


@pytest.fixture(scope="module")
def ensemble() -> simlib.Ensemble:
    """Return twelve replications of the watched scenario."""
    return ensemble_of(12)


def test_wilson_intervals_are_wilsons() -> None:
    """Newcombe (1998), table I: 81 of 263 gives .2553 to .3662; 0 of 20 gives 0 to .1611."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson(0, 0) == (0.0, 1.0)


def test_a_number_is_summed_up_with_its_monte_carlo_error() -> None:
    """1..5: mean 3, sd sqrt(2.5), so the error is sqrt(2.5 / 5)."""
    row = of_number("x", "persons", np.arange(1.0, 6.0), 6)
    assert (row.n, row.n_asked, row.n_censored) == (5, 6, 0)
    assert row.mean == 3
    assert row.mc_error == pytest.approx(math.sqrt(0.5))
    assert row.low == pytest.approx(3 - 1.959964 * math.sqrt(0.5))
    assert row.q50 == 3


def test_what_is_censored_counts_as_later_than_everything_seen() -> None:
    """Of 1, 2, nan, nan, nan the median is not reached; of 1, 2, 3, nan it is 2."""
    assert of_number("x", "", np.array([1, 2, np.nan, np.nan, np.nan]), 5).q50 == math.inf
    row = of_number("x", "", np.array([3, 1, np.nan, 2]), 4)
    assert (row.q50, row.n, row.n_censored, row.mean) == (2, 3, 1, 2)


def test_nothing_observed_is_said() -> None:
    row = of_number("x", "", np.array([np.nan]), 1)
    assert math.isnan(row.mean)
    assert row.shown == "none observed"


def test_never_seen_is_a_bound_and_not_zero() -> None:
    assert of_flag("x", np.zeros(1000), 1000).shown == "< 3/1000"
    assert of_flag("x", np.array([1.0, 0, 0, 0]), 4).shown == "25 % (5 to 70 %)"


def test_classes_come_as_declared_and_others_after_them() -> None:
    rows = of_classes("x", ["met", "slipped"], ["open", "met", "met"], 4)
    assert [(row.category, row.mean) for row in rows] == [
        ("met", pytest.approx(2 / 3)),
        ("slipped", 0),
        ("open", pytest.approx(1 / 3)),
    ]
    assert all((row.n, row.n_asked) == (3, 4) for row in rows)


def test_numbers_are_shown_to_what_is_known() -> None:
    assert with_error(29.98, 1.17) == "30.0 ± 1.2"
    assert with_error(5.0, math.nan) == "5 ± -"
    assert number(math.nan) == "-"
    assert number(0.0) == "0"


def test_the_table_has_a_line_for_each_number_and_each_class(ensemble: simlib.Ensemble) -> None:
    table = ensemble.table()
    assert table["outcome"].drop_duplicates().tolist() == list(watched().outcomes)
    probabilities = table.loc[table["outcome"] == "exit_class", "mean"]
    assert probabilities.sum() == pytest.approx(1)
    raids = table.set_index("outcome").loc["raids"]
    assert raids["mean"] == pytest.approx(ensemble.outcomes["raids"].mean())
    assert raids["unit"] == "incidents"
    fields = set(Summary.__slots__)
    assert fields <= set(table.columns)


def test_outcomes_have_a_row_a_replication(ensemble: simlib.Ensemble) -> None:
    assert ensemble.outcomes.index.name == "replication"
    assert ensemble.outcomes.index.tolist() == list(range(12))
    assert set(ensemble.outcomes["exit_class"]) <= {"met", "slipped", "open"}
    late = ensemble.outcomes.loc[ensemble.outcomes["exit_class"] == "slipped", "months_late"]
    assert late.isna().all()
    assert ensemble.parameters["raids"].between(5, 15).all()


def test_counts_agree_between_outcomes_months_and_cube(ensemble: simlib.Ensemble) -> None:
    total = ensemble.outcomes["raids"].to_numpy()
    assert (ensemble.monthly_counts("raid").sum(axis=1) == total).all()
    by_country = sum(ensemble.monthly_counts("raid", land).sum() for land in ensemble.countries())
    assert by_country == total.sum()
    cube = ensemble.to_xarray()
    assert cube.dims == ("replication", "month", "place", "type")
    assert cube.shape == (12, 6, 3, 2)
    assert (cube.sel(type="raid").sum(("month", "place")).to_numpy() == total).all()
    monthly = ensemble.monthly
    assert monthly.loc[monthly["type"] == "raid", "count"].sum() == total.sum()


def test_decisions_keep_their_causes(ensemble: simlib.Ensemble) -> None:
    decisions = ensemble.decisions
    assert set(decisions["agent"]) == {"watcher"}
    alarms = decisions[(decisions["name"] == "alarm") & (decisions["taken"] == "yes")]
    per_run = alarms.groupby("replication").size().reindex(range(12), fill_value=0)
    assert (per_run == ensemble.outcomes["alarms"]).all()
    assert set(alarms["cause_kind"]) == {"review"}


def test_a_replication_that_fails_is_data_and_the_rest_go_on() -> None:
    with pytest.warns(SimlibWarning, match=r"\d+ of \d+ replications failed; the first is "):
        found = simlib.run(watched(), replications=20, root_seed=3, jobs=1, agents=[Failing])
    failed = set(found.failures.index)
    drawn = found.parameters["raids"]
    assert failed
    assert len(drawn) == 20 - len(failed) == found.n - found.n_failed
    assert (drawn >= FEW).all()
    assert failed.isdisjoint(drawn.index)
    first = found.failures.iloc[0]
    assert first["agent"] == "watcher"
    assert first["date"] == "2000-03-31"
    assert "ZeroDivisionError: nothing to watch" in first["error"]
    assert "Traceback" in first["traceback"]
    assert set(found.table()["n"]) <= {len(drawn), 0}
    assert set(found.table()["n_asked"]) == {20}


def test_replay_regenerates_a_replication_exactly() -> None:
    ensemble = simlib.run(small(), replications=3, jobs=1)
    run = ensemble.replay(2)
    raids = [run.incidents.channels.types[c] == "raid" for c in run.incidents.channel]
    inside = run.incidents.time >= run.start
    assert np.count_nonzero(inside & raids) == ensemble.outcomes.loc[2, "raids"]
    assert run.parameters["raids"] == ensemble.parameters.loc[2, "raids"]
    with pytest.raises(simlib.StoreError, match="holds no replication 3"):
        ensemble.replay(3)


def test_replay_asks_for_the_agents_that_were_added(ensemble: simlib.Ensemble) -> None:
    with pytest.raises(simlib.StoreError, match="give the agents that were added: watcher"):
        ensemble.replay(0)


def test_several_options_are_told_apart_and_share_their_luck() -> None:
    both = simlib.run(small(), options="all", replications=4, jobs=1)
    assert both.options == ("as_planned", "later")
    assert both.outcomes.index.names == ["option", "replication"]
    one, other = both.of("as_planned"), both.of("later")
    assert one.outcomes["raids"].tolist() == other.outcomes["raids"].tolist()
    assert both.to_xarray().dims[0] == "option"
    assert both.digest != one.digest
    with pytest.raises(simlib.StoreError, match="no results of option 'sooner'"):
        both.of("sooner")
