"""Figures that are arithmetic on others are what the arithmetic gives."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from simlib.errors import ScenarioError
from simlib.evidence.register import figures
from simlib.evidence.register.figures import (
    Derivation,
    Derivations,
    figure_value,
    figures_named,
    load_derivations,
    owner,
    rederive,
)
from simlib.scenario import load
from simlib.scenario.bundled import seed_table
from simlib.scenario.expressions import compile_quantity
from simlib.scenario.register_rows import RegisterRow, register_rows
from simlib.world.quantities import ParameterPlan

if TYPE_CHECKING:
    from simlib.scenario.schema import Scenario


@pytest.fixture(scope="module")
def theatre() -> Scenario:
    return load("theatre")


@pytest.fixture(scope="module")
def known() -> Derivations:
    return load_derivations()


def _wrong(known: Derivations, scenario: Scenario) -> dict[str, str]:
    """Return the figures that differ from their arithmetic, or agree though told apart."""
    worked = [rederive(each, scenario) for each in known.derivations]
    return {
        each.derivation.figure: each.sentence()
        for each in worked
        if each.agrees == each.derivation.apart
    }


def test_every_figure_follows_from_its_arithmetic(known: Derivations, theatre: Scenario) -> None:
    """Within half of its last digit, or the tolerance its derivation gives.

    What is told apart must differ: once it agrees, the mark is stale.
    """
    assert _wrong(known, theatre) == {}
    assert sum(not each.apart for each in known.derivations) > 200


def test_every_derived_row_is_rederived_or_says_why_not(
    known: Derivations, theatre: Scenario
) -> None:
    """Each of the rows of basis D once: 39 central values by arithmetic, 3 with a reason."""
    derived = {name for name, row in register_rows().items() if row.basis == "D"}
    arithmetic = {each.figure for each in known.derivations if not each.apart} & derived
    excused = {name for each in known.underived for name in each.rows}
    assert arithmetic | excused == derived
    assert not arithmetic & excused
    assert (len(arithmetic), len(excused)) == (39, 3)


def test_a_figure_is_derived_once(known: Derivations) -> None:
    named = [each.figure for each in known.derivations]
    assert len(named) == len(set(named))


def test_no_figure_stands_on_itself(known: Derivations) -> None:
    """No circle: a row's own ends, or points of what it draws, may give its central value."""
    gives = {each.figure: figures_named(each) for each in known.derivations}

    def above(figure: str, seen: tuple[str, ...]) -> None:
        assert figure not in seen, (*seen, figure)
        for other in gives.get(figure, ()):
            above(other, (*seen, figure))

    for figure in gives:
        above(figure, ())


TOTALS = {
    "isis.fighters": "isis.stock",
    "isis.detainees": "isis.detained_syria + isis.detained_iraq",
    "isis.camp_population": "isis.camps",
    "coalition.combat": "coalition.us_iraq * coalition.roles.combat + coalition.us_syria",
    "coalition.trainers": "coalition.us_iraq * coalition.roles.trainers",
    "coalition.technicians": "coalition.us_iraq * coalition.roles.technicians",
    "coalition.france": "coalition.french",
    "coalition.uk": "coalition.british",
    "coalition.other": "coalition.other_contingents",
    "coalition.troops": (
        "coalition.us_iraq + coalition.us_syria + coalition.french + coalition.british"
        " + coalition.australian + coalition.other_contingents + coalition.nato_mission"
    ),
    "isf.strength": "isf.armed_forces + isf.pmf_members",
    "border.guards": "border.guard_command / 4",
    "pkk.fighters": "pkk.stock",
    "turkiye.troops": "turkiye.troops_iraq",
    "turkiye.bases": "turkiye.sites",
    "sdf.strength": "sdf.stock",
    "hts.strength": "hts.stock",
}
"""State -> what its places sum to; the Syrian border has a quarter of the guards."""

SPLIT = (
    ("israeli_overflight", "iraq"),
    ("militia_attack", "bases"),
    ("isis_infiltration", "border"),
    ("detention_break", "sites"),
    ("coalition_strike", "syria"),
    ("counter_isis_operation", "government"),
)
"""Groups whose level is split over places by shares."""


def _lost(scenario: Scenario) -> dict[str, float]:
    """Return what the split of totals over places adds or loses, relative, where it does."""
    values = ParameterPlan(scenario).draw(0, {})
    lost = {}
    for name, total in TOTALS.items():
        start = scenario.state[name].start
        assert isinstance(start, dict)
        split = math.fsum(compile_quantity(quantity)(values) for quantity in start.values())
        lost[name] = split / compile_quantity(total)(values) - 1
    for kind, group in SPLIT:
        places = scenario.incidents[kind].groups[group].level
        shares = (figure_value(f"level:{kind}/{group}/{place}", scenario) for place in places)
        lost[f"{kind}.{group}"] = math.fsum(shares) - 1
    return {name: gap for name, gap in lost.items() if abs(gap) > 1e-9}


def test_shares_of_a_total_sum_to_it(theatre: Scenario) -> None:
    """Splitting people and levels over places adds none and loses none."""
    assert _lost(theatre) == {}


def test_a_lost_share_is_found(theatre: Scenario) -> None:
    """Negative control: a hundredth of the PKK's people nowhere."""
    state = theatre.state["pkk.fighters"]
    assert isinstance(state.start, dict)
    start = {**state.start, "Nineveh": "0.07 * pkk.stock"}
    changed = {**theatre.state, "pkk.fighters": state.model_copy(update={"start": start})}
    lost = _lost(theatre.model_copy(update={"state": changed}))
    assert lost == {"pkk.fighters": pytest.approx(-0.01)}


def _with_row(monkeypatch: pytest.MonkeyPatch, name: str, *, central: str) -> None:
    moved = dataclasses.replace(register_rows()[name], central=central)
    changed: Mapping[str, RegisterRow] = {**register_rows(), name: moved}
    monkeypatch.setattr(figures, "register_rows", lambda: changed)


def test_a_changed_row_is_found(
    known: Derivations, theatre: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control: a total moved by 100 contradicts all that rests on it, and nothing else."""
    _with_row(monkeypatch, "B4-2024", central="1648")
    assert set(_wrong(known, theatre)) == {
        *("B4-2024-RATE", "B4-2024-RATE.low", "B4-2024-RATE.high"),
        *("turkiye.strike_level.mode", "initial:turkish_strike/IQ/all"),
    }


def test_a_last_digit_is_found(
    known: Derivations, theatre: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control: 30 killed in 137 operations are 0.22 each, not 0.23."""
    _with_row(monkeypatch, "B3b-KILLED-IQ", central="0.23")
    assert set(_wrong(known, theatre)) == {"B3b-KILLED-IQ"}


def test_a_changed_parameter_is_found(known: Derivations, theatre: Scenario) -> None:
    """Negative control: a mode of the scenario moved by one."""
    parameter = theatre.parameters["turkiye.strike_level"].model_copy(
        update={"distribution": {"triangular": {"low": 80.0, "mode": 99.0, "high": 150.0}}}
    )
    parameters = {**theatre.parameters, "turkiye.strike_level": parameter}
    moved = theatre.model_copy(update={"parameters": parameters})
    assert set(_wrong(known, moved)) == {"turkiye.strike_level.mode"}


def test_an_agreement_told_apart_is_found(theatre: Scenario) -> None:
    """Negative control: a stale mark."""
    stale = Derivation(figure="A2b", expression="[A2] - [A2a]", apart=True)
    assert set(_wrong(Derivations(derivations=(stale,)), theatre)) == {"A2b"}


@pytest.mark.parametrize(
    ("figure", "value"),
    [
        ("A27", 2500.0),
        ("A27.high", 5000.0),
        ("C3-P-MET.mean", 2 / 5),
        ("turkiye.strike_level.mode", 98.0),
        ("isf.usual_crossings", 8.0),
        ("initial:hts_sdf_clash/SY/all", 2.0 + 1.2 + 0.6 + 0.2),
        ("initial:turkish_strike/Nineveh/lethal", 0.375),
        ("postures:turkiye_pkk/talks/median_months", 8.0),
        ("postures:israel_iran/tension/next.quiet", 0.2),
        ("ucdp:259/lethal_events", 53.0),
        ("mark:pkk_attack/turkiye/lethal", 0.25),
        ("mark:isis_attack/iraq/fatalities/mean", 3.64),
        ("level:militia_attack/bases/Harir", 0.14),
    ],
)
def test_figures_are_found_by_name(figure: str, value: float, theatre: Scenario) -> None:
    """Values read off the files by eye."""
    assert figure_value(figure, theatre) == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize(
    "figure",
    [
        *("A27x", "A27.middle", "A27a", "isis.stock", "isis.stock.median", "initial:raid/IQ/all"),
        *("postures:x/y/z", "ucdp:1/deaths", "mark:isis_attack/iraq/none", "other:x"),
        *("mark:turkish_strike/pkk/lethal/Basra", "level:isis_attack/iraq/Basra", "initial:"),
    ],
)
def test_a_figure_that_is_not_there_is_named(figure: str, theatre: Scenario) -> None:
    with pytest.raises(ScenarioError, match="no such figure"):
        figure_value(figure, theatre)


def test_a_near_name_is_guessed(theatre: Scenario) -> None:
    with pytest.raises(ScenarioError, match=r"did you mean 'isis\.stock'"):
        figure_value("isis.stok", theatre)


@pytest.mark.parametrize("expression", ["[A2] +", "2 / ([A2] - [A2])", "open('x')", "[A2] [A27]"])
def test_a_bad_expression_is_refused(expression: str, theatre: Scenario) -> None:
    with pytest.raises(ScenarioError, match="derivations: A2b"):
        rederive(Derivation(figure="A2b", expression=expression), theatre)


def test_a_file_with_an_unknown_key_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text('derivations:\n  - {figure: A2b, expression: "1", tolerence: 2}\n')
    with pytest.raises(ScenarioError, match=r"mine\.yaml:2"):
        load_derivations(file)


def test_owners(theatre: Scenario) -> None:
    assert owner("A27.low", theatre) == "A27"
    assert owner("pkk.talks_next.ceasefire", theatre) == "pkk.talks_next"
    assert owner("isf.usual_crossings", theatre) == "isf.usual_crossings"
    assert owner("ucdp:259/deaths", theatre) == ""


def test_next_states_sum_to_one() -> None:
    """Of every row of the posture seeds."""
    for line in seed_table("posture_hazards.csv"):
        assert sum(figures.next_states(line).values()) == pytest.approx(1.0)
