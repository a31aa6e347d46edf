"""Laws of the field: the border, the sky, detention, Türkiye and the PKK, Damascus and Israel."""

from __future__ import annotations

import datetime as dt
import functools
import math
from collections import Counter
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pytest

from simlib.agents.semi_markov import tilted as tilted_by
from simlib.journal import DAYS_PER_MONTH, to_days
from simlib.scenario import load
from simlib.scenario.schema import Event, MilestoneChange, Option, Posture, Power, Scenario
from simlib.simulation import Blueprint, Factoring, assemble, simulate
from simlib.theatre.agents.cover import SEAM

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simlib.journal import Run

N = 40
State: TypeAlias = dict[tuple[str, str | None], float]
SEGMENTS = ("Anbar-Deir ez-Zor", "Anbar-Homs", "Nineveh-Deir ez-Zor", "Nineveh-Hasakah")


@functools.cache
def _scenario() -> Scenario:
    return load("as_agreed")


@functools.cache
def _blueprint() -> Blueprint:
    return assemble(_scenario(), "as_agreed")


@functools.cache
def _run(replication: int) -> Run:
    return simulate(_blueprint(), replication)


def _times(run: Run, type_: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return when incidents of a type happened, since the start."""
    types = np.array(run.incidents.channels.types)[run.incidents.channel]
    return np.asarray(run.incidents.time[(types == type_) & (run.incidents.time >= run.start)])


def _marks(run: Run, type_: str, mark: str) -> list[float]:
    types = np.array(run.incidents.channels.types)[run.incidents.channel]
    chosen = (types == type_) & (run.incidents.time >= run.start)
    return [float(x) for x in run.incidents.mark(mark)[chosen]]


def _count(type_: str, replication: int, given: Mapping[str, float]) -> int:
    return len(_times(simulate(_blueprint(), replication, parameters=given), type_))


# what a channel's multipliers say of a state


def _product(
    key: tuple[str, str, str],
    changes: State,
    given: Mapping[str, float],
    *,
    of_marks: bool = False,
) -> float:
    """Return the intensity of a channel (type, target, place), or its chance of a success."""
    blueprint = _blueprint()
    factoring = Factoring(blueprint, blueprint.parameters.draw(1, given))
    channels = blueprint.channels.channels
    keys = list(zip(channels.types, channels.targets, channels.places, strict=True))
    state = factoring.start_state.copy()
    for (variable, place), value in changes.items():
        state[blueprint.layout.index(variable, place)] = value
    what = factoring.marks if of_marks else factoring.intensity
    # A count has no probability: its part is 0.
    return math.prod(
        part.value for part in what(keys.index(key), state) if part.value or not of_marks
    )


def _passing(segment: str, changes: State, given: Mapping[str, float]) -> float:
    return _product(("isis_infiltration", "iraq", segment), changes, given, of_marks=True)


LAYERED = {"infiltration.guards": 0.3, "infiltration.forces": 0.1, "infiltration.barrier": 0.5}


@pytest.mark.parametrize("what", ["border.guard_command", "isf.pmf_members", "isf.armed_forces"])
def test_half_the_people_let_more_through(what: str) -> None:
    """Guards, PMF and army count in absolute terms, so that halving them from the start shows."""
    usual = {"border.guard_command": 45000.0, "isf.pmf_members": 238000.0,
             "isf.armed_forces": 193000.0}  # fmt: skip
    for segment in SEGMENTS:
        full, half = (
            _passing(segment, {}, {**LAYERED, **usual, what: usual[what] * share})
            for share in (1.0, 0.5)
        )
        assert half > 1.01 * full


@pytest.mark.parametrize("layer", ["border.wall", "border.sensors"])
def test_each_layer_of_the_border_stops_somebody_by_itself(layer: str) -> None:
    """Sensors do so without a wall, and the wall without sensors; both together most."""
    for segment in SEGMENTS:
        bare: State = {("border.wall", segment): 0.0, ("border.sensors", segment): 0.0}
        both: State = dict.fromkeys(bare, 1.0)
        none = _passing(segment, bare, LAYERED)
        one = _passing(segment, {**bare, (layer, segment): 1.0}, LAYERED)
        assert one < none
        assert _passing(segment, both, LAYERED) == pytest.approx(0.5 * none)


@pytest.mark.parametrize("variable", ["border.guards", "isf.isr", "coalition.isr", "isf.strength"])
def test_more_of_a_layer_lets_no_more_through(variable: str) -> None:
    for segment in SEGMENTS:
        place = segment if variable == "border.guards" else segment.split("-")[0]
        shares = [
            _passing(segment, {(variable, place): x}, LAYERED)
            for x in ((0.0, 0.3, 0.9) if "isr" in variable else (0.0, 1e3, 1e4, 1e5))
        ]
        assert shares == sorted(shares, reverse=True)


def test_fewer_turkish_troops_make_no_more_strikes() -> None:
    """From 10,000 to none, in every paired replication, and fewer by far without any."""
    for replication in range(4):
        counts = [
            _count("turkish_strike", replication,
                   {"turkiye.troops_iraq": troops, "turkiye.strike_troops": 0.3})
            for troops in (10000.0, 5000.0, 400.0, 0.0)
        ]  # fmt: skip
        assert counts == sorted(counts, reverse=True)
        assert counts[-1] < 0.8 * counts[1]


def test_without_turkish_troops_nobody_attacks_them() -> None:
    assert _count("pkk_attack", 0, {}) > 0
    assert _count("pkk_attack", 0, {"turkiye.troops_iraq": 0.0}) == 0


def test_growth_of_turkish_bases_is_in_sites() -> None:
    """A campaign adds so many sites, and troops with them, however few there were."""
    given = {"turkiye.new_bases": 10.0, "turkiye.troops_iraq": 1000.0, "turkiye.sites": 20.0}
    run = simulate(_blueprint(), 0, parameters=given)
    opened = sum(d.name == "opens_campaign" and d.taken == "yes" for d in run.decisions)
    drawn_down = sum(d.name == "draws_down" and d.taken == "yes" for d in run.decisions)
    sites = run.snapshots[-1, run.layout.slice_of("turkiye.bases")].sum()
    assert opened > 0
    assert drawn_down == 0
    assert sites == pytest.approx(20.0 + 10.0 * opened)


def test_turkiye_leaves_after_a_settlement() -> None:
    """It gives up a part in a quarter, and who are few go home."""
    given = {"turkiye.drawdown": 0.6, "turkiye.troops_iraq": 2000.0}
    ended = load("pkk_settlement").model_copy(update={"postures": _with_pkk("dissolved")})
    left = []
    for replication in range(4):
        run = simulate(assemble(ended, "as_agreed"), replication, parameters=given)
        troops = run.snapshots[:, run.layout.slice_of("turkiye.troops")].sum(axis=1)
        drawn = sum(d.name == "draws_down" and d.taken == "yes" for d in run.decisions)
        assert (np.diff(troops) <= 1e-9).all()
        left.append(troops[-1])
        assert (drawn >= 2) == (troops[-1] == 0.0)
    assert 0.0 in left


def _with_pkk(state: str) -> dict[str, Posture]:
    posture = _scenario().postures["pkk.posture"]
    return {
        **_scenario().postures,
        "pkk.posture": posture.model_copy(update={"start": state, "age_months": 0.0}),
    }


ATTACKED = ("isis_attack", "isf", "Kirkuk")


@pytest.mark.parametrize(
    "variable", ["coalition.isr", "isf.isr", "coalition.air_support", "isf.readiness"]
)
def test_more_surveillance_or_readiness_brings_no_more_attacks(variable: str) -> None:
    """The sign is fixed: elasticities are drawn on one side of 0, and are above it here."""
    given = {f"attack.{name}": 0.1 for name in ("isr", "own_isr", "air", "readiness")}
    rates = [_product(ATTACKED, {(variable, "Kirkuk"): x}, given) for x in (0.1, 0.3, 0.6, 1.0)]
    assert rates == sorted(rates, reverse=True)
    assert rates[0] > rates[-1]
    for name in ("isr", "own_isr", "air", "readiness", "isr_syria"):
        (law,) = (_scenario().parameters[f"attack.{name}"].distribution or {}).values()
        assert isinstance(law, dict)
        assert law["low"] >= 0.0


@pytest.mark.parametrize("effect", [-0.4, 0.0, 0.4])
def test_the_parts_of_the_withdrawal_effect_add_up_to_it(effect: float) -> None:
    """With what is left after a full exit, mediators and presence give what is to be carried."""
    p = _blueprint().parameters.draw(1, {"withdrawal.log_effect": effect})
    mediated = (
        p["attack.readiness"] * p["withdrawal.path_readiness"]
        - p["attack.isr"] * math.log(p["coalition.remainder_isr"])
        - p["attack.air"] * math.log(p["coalition.remainder_air"])
        - p["attack.own_isr"] * math.log(1.0 - p["isf.isr_technicians"])
    )
    wanted = (effect - p["withdrawal.indirect"]) / p["withdrawal.carried"]
    assert mediated + p["withdrawal.presence"] == pytest.approx(wanted)
    assert mediated >= 0.0


def test_trainers_that_are_not_needed_divide_nothing() -> None:
    run = simulate(_blueprint(), 2, parameters={"readiness.loss": 0.0})
    assert np.isfinite(run.snapshots).all()
    assert math.isfinite(run.parameters["withdrawal.presence"])


def test_a_partnership_makes_up_a_part_of_what_trainers_gave() -> None:
    """Readiness and Iraq's own surveillance fall less where one is signed."""
    for variable in ("isf.readiness", "isf.isr"):
        signed, unsigned = (
            simulate(
                assemble(_scenario(), "leave_early"),
                1,
                parameters={"committee.partnership": chance, "isf.partnership_spares": 0.7},
            )
            for chance in (1.0, 0.0)
        )
        at = signed.layout.index(variable, "Kirkuk")
        assert signed.snapshots[20, at] > unsigned.snapshots[20, at]


ARMED = {"isf.air_defense_months": 0.0, "isf.air_defense_delivery": 0.1,
         "israel.overflight_rate": 1.0}  # fmt: skip


def _with_event(**event: object) -> Blueprint:
    """Return the reference scenario with an event on 15 February 2025."""
    happens = Event.model_validate({"on": dt.date(2025, 2, 15), **event})
    changed = _scenario().model_copy(update={"events": {"change": happens}})
    return assemble(changed, "as_agreed")


def _at_end_of_2025(run: Run, variable: str, place: str | None = None) -> float:
    row = int(np.searchsorted(run.snapshot_times, to_days(dt.date(2026, 1, 1))))
    return float(run.snapshots[row, run.layout.index(variable, place)])


@pytest.mark.parametrize(
    ("variable", "place"),
    [
        ("isf.isr", "Kirkuk"),
        ("border.wall", "Anbar-Homs"),
        ("border.sensors", "Anbar-Homs"),
        ("isf.drone_radar", None),
        ("isf.air_defense", None),
    ],
)
def test_what_an_event_gives_iraq_stays_given(variable: str, place: str | None) -> None:
    """Iraq goes on from there with its plan, and not back to it."""
    amount = 1.0 if place is None else {"each": 1.0}
    given = {"isf.isr_technicians": 0.0, "border.completion": 600.0}
    with_it = simulate(_with_event(set={variable: amount}), 0, parameters=given)
    assert _at_end_of_2025(simulate(_blueprint(), 0, parameters=given), variable, place) < 1.0
    assert _at_end_of_2025(with_it, variable, place) == 1.0


def test_aircraft_fly_less_without_technicians() -> None:
    """Contractors keep them in repair; who guides and arms them is gone."""
    kept = {"coalition.contractors_flee": 0.0, "isf.partnership_support": 0.0}
    gone = _with_event(set={"coalition.technicians": 0})
    share = 1.0 - _run(0).parameters["isf.f16_technicians"]
    full = simulate(_blueprint(), 0, parameters=kept | {"isf.f16_technicians": 0.0})
    less = simulate(gone, 0, parameters=kept)
    row = int(np.searchsorted(full.snapshot_times, to_days(dt.date(2025, 9, 1))))
    at = full.layout.index("isf.f16_available")
    assert less.snapshots[row, at] == pytest.approx(share * full.snapshots[row, at], rel=1e-3)


@functools.cache
def _with_seam(seam: float) -> tuple[Run, ...]:
    blueprint = _with_event(set={"krg.seam": seam})
    return tuple(simulate(blueprint, r, parameters={"krg.seam_step": 0.0}) for r in range(12))


def _deployed_to_seam(runs: tuple[Run, ...]) -> float:
    taken = [d for run in runs for d in run.decisions if d.name == "deploys" and d.place in SEAM]
    return sum(decision.value for decision in taken) / max(1, len(taken))


def test_who_reads_the_seam_answers_it() -> None:
    """An open seam gives the PKK room and keeps federal forces off the line."""
    closed, opened = _with_seam(0.05), _with_seam(0.95)
    fighters = [_at_end_of_2025(runs[0], "pkk.fighters", "Dohuk") for runs in (closed, opened)]
    assert fighters[0] < fighters[1]
    assert 0.0 < _deployed_to_seam(opened) < 0.5 * _deployed_to_seam(closed)


def test_an_interception_has_consequences() -> None:
    """Where half of the flights are intercepted there are fewer, and the track may turn."""
    fewer = answered = 0
    for replication in range(6):
        none, half = (
            simulate(_blueprint(), replication, parameters={**ARMED, "air.intercept": chance})
            for chance in (0.0, 0.5)
        )
        fewer += len(_times(half, "israeli_overflight")) < len(_times(none, "israeli_overflight"))
        answered += any(
            d.name == "answers_interception" and d.taken == "yes" for d in half.decisions
        )
        assert not any(d.name == "answers_interception" for d in none.decisions)
    assert fewer >= 5
    assert answered >= 3


def test_iraq_protests_monthly_at_most() -> None:
    pause = 1.0
    for replication in range(6):
        run = simulate(_blueprint(), replication, parameters={"israel.overflight_rate": 20.0})
        asked = sorted(d.time for d in run.decisions if d.name == "protests_overflight")
        assert len(asked) > 10
        assert np.diff(asked).min() >= pause * DAYS_PER_MONTH - 1e-9


def test_every_break_is_one_of_a_hundred_or_more() -> None:
    """Also where sites hold few, and breaks are far more frequent than they are."""
    sizes = []
    for replication in range(6):
        run = simulate(_blueprint(), replication, parameters={"breaks.level": 3.0})
        sizes += _marks(run, "detention_break", "escaped")
    assert len(sizes) > 20
    assert min(sizes) >= 100.0


def test_a_break_hardens_the_sites() -> None:
    """The chance of another falls at once, and half of that is lost in months."""
    given = {"breaks.level": 1.0, "sdf.lockdown_size": 0.2, "sdf.lockdown_halving": 6.0}
    hardened, open_ = (
        np.mean([_count("detention_break", r, {**given, "sdf.lockdown_size": x}) for r in range(6)])
        for x in (0.2, 1.0)
    )
    assert hardened < 0.6 * open_
    guarded = ("detention_break", "sdf", "Hasakah")
    assert _product(guarded, {("sdf.lockdown", None): 0.2}, {}) == pytest.approx(
        0.2 * _product(guarded, {}, {})
    )


def test_no_break_where_fewer_than_a_hundred_are_held() -> None:
    held = ("isis.detainees", "Raqqa")
    assert _product(("detention_break", "sdf", "Raqqa"), {held: 100.0}, {}) == 0.0
    assert _product(("detention_break", "sdf", "Raqqa"), {held: 101.0}, {}) > 0.0


def test_the_journal_has_the_tilted_probability() -> None:
    """What follows talks while the SDF is attacked is journalled as it was drawn."""
    given = {"sdf.tilt_offensive": 2.0, "sdf.tilt_bargain": 0.0, "sdf.tilt_exit": 0.0}
    run = simulate(assemble(_with_track("offensive"), "as_agreed"), 0, parameters=given)
    (first, *_) = [d for d in run.decisions if d.name == "sdf_damascus.posture"]
    plain = {
        name: run.parameters[f"sdf_damascus.contact_next.{name}"]
        for name in ("framework", "fighting", "stalled")
    }
    tilted = tilted_by(plain, {"fighting": 2.0})
    assert first.probability == pytest.approx(tilted[first.taken])
    assert first.probability != pytest.approx(plain[first.taken])


def test_pkk_and_turkiye_turn_one_another() -> None:
    """An offensive on the SDF ends talks of the PKK; its ceasefire speaks for a truce."""

    def after_talks(tilt: float) -> int:
        given = {
            "pkk.tilt_offensive": tilt,
            "pkk.tilt_deal": 0.0,
            "turkiye_sdf.offensive_months": 99.0,
        }
        runs = [simulate(_blueprint(), r, parameters=given) for r in range(8)]
        return sum(states[1][1] == "campaign" for run in runs
                   if len(states := run.postures["pkk.posture"]) > 1)  # fmt: skip

    assert after_talks(20.0) > after_talks(0.0)

    def settled(tilt: float) -> int:
        given = {"turkiye.tilt_peace": tilt, "pkk.talks_months": 0.5, "pkk.tilt_deal": 20.0,
                 "pkk.tilt_offensive": 0.0}  # fmt: skip
        runs = [simulate(_blueprint(), r, parameters=given) for r in range(8)]
        return sum("settled" in {s for _, s in run.postures["turkiye_sdf.posture"]} for run in runs)

    assert settled(20.0) > settled(-20.0)


def test_attacks_of_militias_draw_israel_and_iran_on() -> None:
    """While nothing is a truce, an exchange or a war is what follows."""

    def exchanges(tilt: float) -> int:
        given = {"israel.tilt_militias": tilt, "militia.truce_months": 0.2}
        runs = [simulate(_blueprint(), r, parameters=given) for r in range(6)]
        return sum(
            sum(state in {"exchange", "war"} for _, state in run.postures["israel_iran.posture"])
            for run in runs
        )

    assert exchanges(20.0) > exchanges(0.0)


@pytest.mark.parametrize(
    ("agent", "names"),
    [
        ("hts", {"raises_forces", "fights_isis", "bargains_with_sdf"}),
        ("israel", {"eases_strikes", "takes_positions"}),
        ("krg", {"joins_seam"}),
    ],
)
def test_who_decided_once_decides_again_each_quarter(agent: str, names: set[str]) -> None:
    times = Counter(d.name for d in _run(0).decisions if d.agent == agent)
    assert all(times[name] >= 10 for name in names)


def _chances(run: Run, name: str) -> dict[int, float]:
    """Return how likely a yes was by day, whatever was drawn."""
    return {
        round(d.time): d.probability if d.taken == "yes" else 1.0 - d.probability
        for d in run.decisions
        if d.name == name
    }


def _with_track(state: str) -> Scenario:
    """Return the scenario with the track of Türkiye and the SDF in a state for good."""
    posture = _scenario().postures["turkiye_sdf.posture"]
    ended = posture.states[state].model_copy(update={"median_months": None, "next": {}})
    fixed = posture.model_copy(update={"start": state, "states": {**posture.states, state: ended}})
    postures = {**_scenario().postures, "turkiye_sdf.posture": fixed}
    return _scenario().model_copy(update={"postures": postures})


def test_iraq_watches_the_fighting_in_syria() -> None:
    """The border is reinforced more readily while the SDF is at war, all else the same."""
    quiet, war = (
        _chances(simulate(assemble(_with_track(state), "as_agreed"), 3), "reinforces_border")
        for state in ("truce", "incursion")
    )
    first = min(quiet)
    assert first == min(war)
    assert war[first] > quiet[first]


def test_attacks_wear_down_who_is_attacked() -> None:
    """With nothing made up, each lethal attack leaves fewer people and less ready ones."""
    given = {"attack.wear_readiness": 0.002, "isf.forces_return": 0.0}
    run = simulate(_blueprint(), 1, parameters=given)
    killed = sum(
        x for x, y in zip(_marks(run, "isis_attack", "fatalities"),
                          _marks(run, "isis_attack", "lethal"), strict=True) if y
    )  # fmt: skip
    assert killed > 0
    effects = _scenario().incidents["isis_attack"].groups
    assert {e.change for e in effects["iraq"].effects} == {"isf.strength", "isf.readiness"}
    ready = run.snapshots[3, run.layout.index("isf.readiness", "Kirkuk")]
    assert ready < 1.0


def test_an_announced_exit_is_read_before_it_comes() -> None:
    """ISIS sees an end that is announced for soon, and one that is moved away no more."""

    def chance(date: dt.date) -> float:
        change = MilestoneChange(date=date, forced=True)
        options = {"given": Option(timeline={"iraq_mission_end": change})}
        scenario = _scenario().model_copy(update={"options": options})
        seen = _chances(simulate(assemble(scenario, "given"), 0), "turns_to_iraq")
        return seen[round(to_days(dt.date(2025, 4, 1)))]

    assert chance(dt.date(2025, 6, 15)) > chance(dt.date(2025, 9, 30)) - 1e-12
    assert chance(dt.date(2025, 6, 15)) > chance(dt.date(2026, 9, 30))


def test_families_return_to_iraq_until_none_is_left() -> None:
    given = {"sdf.camp_returns": 0.0, "isf.camp_returns": 700.0, "isf.camp_share": 0.3}
    run = simulate(_blueprint(), 0, parameters=given)
    camps = run.snapshots[:, run.layout.slice_of("isis.camp_population")].sum(axis=1)
    assert camps[3] < camps[0]
    assert camps[-1] == pytest.approx(0.7 * camps[0])


def test_references_are_the_starts_at_the_figures_of_2024() -> None:
    """What a power is measured by is what stands there at the central figures, place by place."""
    figures = {
        "isf.armed_forces": "isf.army_2024", "isf.pmf_members": "isf.pmf_2024",
        "border.guard_command": "border.guards_2024", "turkiye.troops_iraq": "turkiye.troops_2024",
        "turkiye.sites": "turkiye.sites_2024", "sdf.stock": "sdf.strength_2024",
        "hts.stock": "hts.strength_2024", "isis.detained_syria": "isis.detained_2024",
    }  # fmt: skip
    blueprint = _blueprint()
    drawn = blueprint.parameters.draw(0, {})
    values = blueprint.parameters.draw(0, {name: drawn[of] for name, of in figures.items()})
    start = blueprint.start_state.evaluate(blueprint.quantities.evaluate(values))
    n_checked = 0
    for incident in _scenario().incidents.values():
        for group in incident.groups.values():
            marks = [f for mark in group.marks.values() for f in mark.factors.values()]
            for factor in (*group.factors.values(), *marks):
                if not isinstance(factor, Power) or not isinstance(factor.reference, dict):
                    continue
                for place, quantity in factor.reference.items():
                    number = blueprint.quantities.number(quantity)
                    met = blueprint.quantities.evaluate(values)[number]
                    assert met == pytest.approx(start[blueprint.layout.index(factor.power, place)])
                    n_checked += 1
    assert n_checked > 50


def test_tails_are_bounded() -> None:
    """Breaks, protests and crossings over N replications stay within what could be believed."""
    runs = [_run(r) for r in range(N)]
    assert max(len(_times(run, "detention_break")) for run in runs) <= 8
    years = (runs[0].horizon - runs[0].start) / 365.25
    protests = [sum(d.name == "protests_overflight" and d.taken == "yes" for d in run.decisions)
                for run in runs]  # fmt: skip
    assert max(protests) <= 12 * years
