"""Published series by month: what they count, and when it is known."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

import simlib
from simlib.journal import to_days
from simlib.outcomes import plan
from simlib.outcomes.incident_counts import plan_published
from simlib.simulation import assemble, simulate


def test_months_of_a_series_sum_to_the_outcome_that_counts_it() -> None:
    """Of every series of the reference scenario that an outcome counts over a year."""
    scenario = simlib.load("as_agreed")
    blueprint = assemble(scenario)
    channels = blueprint.channels.channels
    published = plan_published(scenario, channels)
    run = simulate(blueprint, 2)
    values = plan(scenario, channels).evaluate(run)
    monthly = published.monthly(run)
    assert monthly.shape == (36, len(published.names))
    named = {o.series: name for name, o in scenario.outcomes.items() if o.series}
    assert len(named) > 4
    for series, outcome in named.items():
        column = published.names.index(str(series))
        assert monthly[:12, column].sum() == values[outcome]


def test_a_month_is_known_when_its_lag_is_over() -> None:
    """UCDP's March is known 30 days after its end, and not a moment before."""
    scenario = simlib.load("as_agreed")
    channels = assemble(scenario).channels.channels
    published = plan_published(scenario, channels, ["ucdp_259", "monitors_isis_iraq"])
    assert published.names == ("monitors_isis_iraq", "ucdp_259")
    due = to_days(dt.date(2025, 5, 1))
    assert np.array_equal(published.n_known(due), [3, 3])
    assert np.array_equal(published.n_known(np.nextafter(due, 0.0)), [3, 2])
    with pytest.raises(KeyError, match="nobody"):
        plan_published(scenario, channels, ["nobody"])
