"""What an incident draws and does: marks by their laws, effects on state."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from support.worlds import BORDER, recurring, run_of, state_at_end, world

if TYPE_CHECKING:
    from simlib.scenario.schema import Scenario


def effects_world(effects: list[dict[str, Any]], **marks: Any) -> Scenario:
    """Return a world of about 200 incidents in North, with a stock of 20 in every place."""
    return world(
        **BORDER,
        state={"stock": {"over": "governorate", "unit": "pieces", "start": 20}},
        incidents={"raid": recurring({"North": 20.0}, effects=effects, marks=marks)},
    )


def test_stock_stops_at_zero() -> None:
    """From 20, by -7 each: 13, 6, 0, 0 ... for as many incidents as there are."""
    run = run_of(effects_world([{"change": "stock", "by": -7}]), observe=range(11))
    expected = [max(0, 20 - 7 * int((run.incidents.time <= day).sum())) for day in range(11)]
    assert run.snapshots[:, run.layout.index("stock", "North")].tolist() == expected
    assert expected[-1] == 0


def test_amount_is_multiplied_by_marks_under_its_condition() -> None:
    """Plain Python over the journal's marks gives the same stock."""
    marks = {
        "success": {"probability": 0.4},
        "killed": {"law": {"poisson": {"mean": 2}}, "when": "success"},
        "detained": {"share": [0.25, 1]},
    }
    effects = [
        {"change": "stock", "by": 2, "marks": ["killed", "detained"], "when": "success"},
        {"change": "stock", "by": -0.5, "when": "not success"},
    ]
    run = run_of(effects_world(effects, **marks))
    stock = 20.0
    columns = [run.incidents.mark(name).tolist() for name in ("success", "killed", "detained")]
    for success, killed, detained in zip(*columns, strict=True):
        amount = 2.0 * killed * detained if success else -0.5
        stock = max(0.0, stock + amount)
    assert state_at_end(run, "stock", "North") == stock
    assert 0.2 < run.incidents.mark("success").mean() < 0.6


@pytest.mark.parametrize("of_stock", [False, True])
@pytest.mark.parametrize("to", ["neighbor", "here"])
def test_move_takes_what_is_there_and_conserves_the_total(to: str, *, of_stock: bool) -> None:
    """From a stock of 20, by 3 (whole numbers: exact) or by 0.375 of it (rounded)."""
    by = 0.375 if of_stock else 3
    move = {"move": "stock", "by": by, "at": "here", "to": to, "of_stock": of_stock}
    run = run_of(effects_world([move]), observe=range(11))
    stocks = run.snapshots[:, run.layout.slice_of("stock")]
    assert (stocks >= 0.0).all()
    assert stocks.sum(axis=1) == pytest.approx([60.0] * 11, rel=0, abs=1e-12 * of_stock)
    north = state_at_end(run, "stock", "North")
    if to == "here":
        assert north == 20.0
    elif of_stock:
        assert north == pytest.approx(20.0 * 0.625 ** len(run.incidents))
    else:
        assert north == 0.0  # six incidents take 3, the seventh what is left


def test_move_to_a_neighbor_goes_to_each_as_often() -> None:
    """North has two neighbors; of n = 200 moves of 1, each gets n/2 within 5 sd, 5 sqrt(n)/2."""
    scenario = world(
        **BORDER,
        state={"stock": {"over": "governorate", "unit": "pieces", "start": {"North": 1e4}}},
        incidents={
            "raid": recurring(
                {"North": 20.0},
                effects=[{"move": "stock", "by": 1, "at": "here", "to": "neighbor"}],
            )
        },
    )
    run = run_of(scenario)
    n = len(run.incidents)
    east, south = (state_at_end(run, "stock", place) for place in ("East", "South"))
    assert east + south == n
    assert abs(east - n / 2) < 5 * math.sqrt(n) / 2
    lower = run.incidents.mark("neighbor") < 0.5
    assert east == lower.sum()


def test_state_below_its_reference_is_read_after_the_effect() -> None:
    """A death rate that reads what deaths change: the last particle is the last incident."""
    scenario = world(
        end="2000-12-31",
        state={"stock": {"unit": "particles", "start": 50}},
        incidents={
            "death": recurring(
                {"North": 0.5},
                factors={"n": {"falling": "stock"}},
                effects=[{"change": "stock", "by": -1}],
            )
        },
    )
    run = run_of(scenario)
    assert len(run.incidents) == 50
    assert state_at_end(run, "stock") == 0.0


def test_marks_follow_their_laws() -> None:
    """Means of n incidents within 5 sd of the law's mean: passed once in two million.

    lethal: Bernoulli 0.3 * 0.5 (a factor). fatalities given lethal: geometric, mean 2, var
    2 * 3 = 6. recaptured: uniform on [0.2, 0.6], mean 0.4, variance 0.16/12. reported: uniform,
    mean 1/2, variance 1/12. Not drawn: 0 throughout.
    """
    marks = {
        "lethal": {"probability": 0.3, "factors": {"x": {"value": "half"}}},
        "fatalities": {"law": {"geometric": {"mean": 2}}, "when": "lethal"},
        "recaptured": {"share": [0.2, 0.6]},
        "crossed": {"probability": 1, "when": "not lethal"},
    }
    scenario = world(
        state={"half": {"unit": "1", "start": 0.5}},
        incidents={"raid": recurring({"North": 400.0}, marks=marks)},
    )
    incidents = run_of(scenario).incidents
    n, lethal = len(incidents), incidents.mark("lethal") == 1
    expectations = [
        (lethal.astype(float), 0.15, 0.15 * 0.85),
        (incidents.mark("fatalities")[lethal], 2.0, 6.0),
        (incidents.mark("recaptured"), 0.4, 0.16 / 12),
        (incidents.mark("reported"), 0.5, 1 / 12),
    ]
    for sample, mean, variance in expectations:
        assert abs(sample.mean() - mean) < 5 * math.sqrt(variance / len(sample))
    assert n > 3000
    assert (incidents.mark("fatalities")[~lethal] == 0).all()
    assert (incidents.mark("crossed") == ~lethal).all()
    assert not incidents.mark("success").any()
    assert abs(expectations[0][0].mean() - 0.3) > 5 * math.sqrt(0.3 * 0.7 / n)
