"""Factors and gates of an intensity, as the kernel has it, against plain Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simlib.simulation import assemble
from simlib.simulation.simulating import _build
from simlib.world.engine import CompiledIncidents
from simlib.world.kernel import kernel_tables as t
from support.worlds import BORDER, recurring, world

if TYPE_CHECKING:
    from simlib.scenario.schema import Scenario

LEVEL = 0.75
POSTURES = {
    "talks.posture": {
        "owner": "talker",
        "start": "apart",
        "states": {
            "apart": {"median_months": 1, "next": {"near": 1}},
            "near": {"median_months": 1, "next": {"together": 1}},
            "together": {},
        },
    }
}
TALKER = {"talker": {"active": False}}

values = st.floats(0, 50)


def intensity_of(scenario: Scenario, changes: dict[tuple[str, str | None], float]) -> float:
    """Return the intensity per day of a scenario's only channel, after some changes."""
    blueprint = assemble(scenario)
    built, _ = _build(blueprint, 0, {}, [blueprint.horizon])
    engine = built.engine
    assert isinstance(engine, CompiledIncidents)
    engine.begin()
    for (variable, place), value in changes.items():
        built.change(built.position(variable, place), value, -1)
    engine._advance_to(blueprint.start, inclusive=False)
    floats, ints, _ = engine._memory
    assert ints[t.N_CHANNELS] == 1
    return float(floats[ints[t.CHANNEL_F] + t.INTENSITY])


def one_channel(place: str = "North", **group: Any) -> Scenario:
    """Return a world with a stock everywhere and one channel."""
    return world(
        **BORDER,
        state={
            "stock": {"over": "governorate", "unit": "pieces", "start": 4},
            "other": {"over": "governorate", "unit": "share", "start": 1},
        },
        parameters={"e": {"value": 0.7, "unit": "1", "judgement": "test"}},
        postures=POSTURES,
        agents=TALKER,
        incidents={"raid": recurring({place: LEVEL}, **group)},
    )


@settings(max_examples=40)
@given(x=values, elasticity=st.floats(-3, 3), reference=st.floats(0.1, 40))
def test_power_factor(x: float, elasticity: float, reference: float) -> None:
    """``clip(x / reference, 0.05, 20) ** elasticity``."""
    factor = {"power": "stock", "elasticity": elasticity, "reference": reference}
    got = intensity_of(one_channel(factors={"f": factor}), {("stock", "North"): x})
    assert got == LEVEL * min(max(x / reference, 0.05), 20.0) ** elasticity


@settings(max_examples=20)
@given(x=values)
def test_power_factor_is_one_at_the_start_and_takes_a_parameter(x: float) -> None:
    """Its reference is the variable's start, 4, unless one is given."""
    scenario = one_channel(factors={"f": {"power": "stock", "elasticity": "2 * e"}})
    assert intensity_of(scenario, {}) == LEVEL
    expected = LEVEL * min(max(x / 4.0, 0.05), 20.0) ** 1.4
    assert intensity_of(scenario, {("stock", "North"): x}) == expected


@pytest.mark.parametrize(
    "reference", [{"East": 8, "North": 5, "South": 6}, {"total": 10, "shares": {"East": 0.8,
     "North": 0.2}}, {"Iraq": 5, "Syria": 8}],
)  # fmt: skip
@pytest.mark.parametrize(("at", "read"), [("from", "East"), ("to", "North")])
def test_reference_of_a_power_by_place(reference: dict[str, Any], at: str, read: str) -> None:
    """It is that of the place where the variable stands, and the start does not enter."""
    factor = {"power": "stock", "elasticity": 1, "reference": reference, "at": at}
    wanted = {"East": 8.0, "North": 2.0 if "total" in reference else 5.0}[read]
    assert intensity_of(one_channel("Gap", factors={"f": factor}), {}) == LEVEL * (4.0 / wanted)


@settings(max_examples=40)
@given(x=st.one_of(values, st.integers(0, 9).map(float)), order=st.integers(1, 4))
def test_falling_factor(x: float, order: int) -> None:
    """``x (x - 1) ...``, never negative: 1 particle makes no pair, 2.5 no triple below 0."""
    scenario = one_channel(factors={"f": {"falling": "stock", "order": order}})
    expected = x
    for k in range(1, order):
        expected *= x - k
    assert intensity_of(scenario, {("stock", "North"): x}) == LEVEL * max(expected, 0.0)


@settings(max_examples=20)
@given(x=values)
def test_value_factor(x: float) -> None:
    scenario = one_channel(factors={"f": {"value": "stock"}})
    assert intensity_of(scenario, {("stock", "North"): x}) == LEVEL * x


@settings(max_examples=30)
@given(x=st.floats(0, 3), y=st.floats(0, 3), efficacy=st.floats(0, 1))
def test_shield_factor(x: float, y: float, efficacy: float) -> None:
    """``1 - efficacy x y`` with both clipped to 1."""
    scenario = one_channel(factors={"f": {"shield": ["stock", "other"], "efficacy": efficacy}})
    got = intensity_of(scenario, {("stock", "North"): x, ("other", "North"): y})
    assert got == LEVEL * (1.0 - efficacy * (min(x, 1.0) * min(y, 1.0)))


@pytest.mark.parametrize(("code", "value"), [(0, 0.5), (1, 1.4), (2, 3.0)])
def test_table_factor_by_posture(code: int, value: float) -> None:
    table = {"table": "talks.posture", "values": {"together": 3.0, "apart": 0.5, "near": "2 * e"}}
    scenario = one_channel(factors={"f": table})
    assert intensity_of(scenario, {("talks.posture", None): code}) == LEVEL * value


@pytest.mark.parametrize("month", range(12))
def test_table_factor_by_month(month: int) -> None:
    table = {"table": "calendar.month", "values": {str(m): float(m * m) for m in range(1, 13)}}
    scenario = one_channel(factors={"f": table})
    expected = LEVEL * (month + 1.0) ** 2
    assert intensity_of(scenario, {("calendar.month", None): month}) == expected


@settings(max_examples=20)
@given(x=values, y=values)
def test_factors_multiply_in_order_of_names(x: float, y: float) -> None:
    """The order decides the last bit: ((level b) a) and ((level a) b) are not the same."""
    power = {"power": "other", "elasticity": 1.3, "reference": 7}
    scenario = one_channel(factors={"b": {"value": "stock"}, "a": power})
    got = intensity_of(scenario, {("stock", "North"): x, ("other", "North"): y})
    assert got == LEVEL * min(max(y / 7.0, 0.05), 20.0) ** 1.3 * x


@pytest.mark.parametrize(
    ("place", "at", "read"),
    [("Gap", "from", "East"), ("Gap", "to", "North"), ("Fort", "within", "North"),
     ("Fort", "here", "North"), ("South", "here", "South")],
)  # fmt: skip
def test_factor_reads_the_place_it_names(place: str, at: str, read: str) -> None:
    scenario = one_channel(place, factors={"f": {"value": "stock", "at": at}})
    assert intensity_of(scenario, {("stock", read): 9.0}) == LEVEL * 9.0
    for other in {"East", "North", "South"} - {read}:
        assert intensity_of(scenario, {("stock", other): 9.0}) == LEVEL * 4.0


@pytest.mark.parametrize(
    ("gates", "changes", "is_open"),
    [
        ([{"variable": "stock"}], {("stock", "North"): 0.001}, True),
        ([{"variable": "stock"}], {("stock", "North"): 0.0}, False),
        ([{"variable": "stock", "above": 100}], {("stock", "North"): 100.0}, False),
        ([{"variable": "stock", "above": "2 * e"}], {("stock", "North"): 1.5}, True),
        ([{"variable": "stock", "above": "2 * e"}], {("stock", "North"): 1.3}, False),
        ([{"variable": "talks.posture", "states": ["near", "together"]}], {}, False),
        ([{"variable": "talks.posture", "states": ["near", "together"]}],
         {("talks.posture", None): 2.0}, True),
        ([{"variable": "stock"}, {"variable": "other"}], {("other", "North"): 0.0}, False),
        ([{"variable": "stock"}, {"variable": "other"}], {("stock", "North"): 0.0}, False),
    ],
)  # fmt: skip
def test_gate(
    gates: list[dict[str, Any]], changes: dict[tuple[str, str | None], float], *, is_open: bool
) -> None:
    """Open above 0 or a quantity, or while the posture is in a state; every gate counts."""
    assert intensity_of(one_channel(gates=gates), changes) == (LEVEL if is_open else 0.0)
