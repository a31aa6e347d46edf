"""Hybrids of two options: the ends are exact, and contributions sum to the effect."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

import simlib
from simlib.analysis.mediation.mediators import Mediation, contributions, merged
from simlib.outcomes import plan
from simlib.simulation import Factoring, assemble, simulate
from simlib.statistics.intervals import fieller
from simlib.world.engine import CompiledIncidents
from simlib.world.kernel import kernel_tables as t
from support.known_answers import PLANTED, planted
from test_acts import same

if TYPE_CHECKING:
    from simlib.analysis.mediation.mediators import By

AGREED = ("as_agreed", "leave_early")
BYS: tuple[By, ...] = ("agent", "mechanism", "place")


@pytest.mark.parametrize("by", BYS)
def test_no_group_taken_over_is_the_baseline_and_all_are_the_counterfactual(by: By) -> None:
    """Bit for bit, on the reference scenario, where agents answer incidents and one another."""
    mediation = Mediation(simlib.load("as_agreed"), AGREED, by=by)
    for replication in range(2):
        pair = mediation.record(replication)
        players = mediation.players(pair)
        assert players
        assert same(pair.first.run, mediation.hybrid(pair, frozenset()))
        assert same(pair.second.run, mediation.hybrid(pair, frozenset(players)))
        assert same(pair.second.run, mediation.hybrid(pair, frozenset(mediation.groups)))


@pytest.mark.parametrize("by", BYS)
def test_acts_of_one_option_taken_from_two_recordings_are_its_own(by: By) -> None:
    """Splitting acts by group and merging them again changes nothing.

    Nothing is shared here, so that every act goes through the merge.
    """
    mediation = Mediation(simlib.load("as_agreed"), ("leave_early",) * 2, by=by)
    pair = mediation.record(1)
    assert mediation.players(pair) == []
    apart = replace(pair, acts=merged(pair.first, pair.second, ()))
    for half in (mediation.groups[::2], mediation.groups[1::2]):
        assert same(pair.first.run, mediation.hybrid(apart, frozenset(half)))


@pytest.mark.parametrize("fault", ["lost", "late", "exchanged"])
def test_a_wrong_merge_is_found_out(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control of the two identities above."""
    mediation = Mediation(simlib.load("as_agreed"), AGREED)
    pair = mediation.record(1)
    everybody = frozenset(mediation.groups)
    whole = mediation.acts(pair, everybody)
    wrong = {
        "lost": whole[: -len(whole) // 10],
        "late": [replace(act, at=act.at + 1.0) for act in whole],
        "exchanged": mediation.acts(pair, everybody - {"coalition"}),
    }[fault]
    monkeypatch.setattr(Mediation, "acts", lambda *_: wrong)
    assert not same(pair.second.run, mediation.hybrid(pair, everybody))


def test_a_group_that_does_the_same_is_no_player() -> None:
    mediation = Mediation(planted(), ("never", "early"), PLANTED)
    assert mediation.players(mediation.record(0)) == ["bystander", "planter"]


@pytest.mark.parametrize("by", BYS)
def test_contributions_sum_to_the_effect_in_every_pair(by: By) -> None:
    """Of every outcome that was observed; sums of counts are exact to rounding."""
    mediation = Mediation(simlib.load("as_agreed"), AGREED, by=by)
    found = contributions(mediation, [mediation.record(1)])
    effect = found["counterfactual"] - found["baseline"]
    total = found["shares"].sum(axis=1)
    is_seen = ~np.isnan(total)
    assert is_seen.sum() > 0.9 * is_seen.size
    assert not np.isnan(effect[is_seen]).any()
    assert effect[is_seen].any()
    np.testing.assert_allclose(total[is_seen], effect[is_seen], rtol=1e-9, atol=1e-6)


def test_hybrids_end_where_outcomes_do_and_say_the_same() -> None:
    """Of an outcome of the first year, shares are those of hybrids to the end, to the last bit."""
    of = simlib.load("as_agreed")
    name = "isis_attacks_iraq_year_1"
    every, one = Mediation(of, AGREED), Mediation(of, AGREED, outcomes=(name,))
    pair = one.record(1)
    assert pair.first.run.horizon == every.readers[0].blueprint.horizon
    assert one.hybrid(pair, frozenset({"coalition"})).horizon < pair.first.run.horizon
    at = next(i for i, column in enumerate(every.columns) if column.outcome == name)
    own, whole = (each.shares(pair)[2] for each in (one, every))
    assert own.any()
    assert own[:, 0].tobytes() == whole[:, at].tobytes()


# parts


def test_the_interval_of_a_ratio_covers_it() -> None:
    """Of 400 samples, 95 % cover the ratio: within four standard errors, 0.906 to 0.994."""
    from simlib.chance.philox import uniforms

    covered = 0
    for sample in range(400):
        addresses = np.arange(50, dtype=np.uint64)
        words = uniforms(9, sample, addresses, np.array([0, 1], dtype=np.uint64))
        below = 1.0 + 4.0 * words[:, 0]
        low, high = fieller(0.5 * below + words[:, 1] - 0.5, below)
        covered += low <= 0.5 <= high
    assert 0.906 < covered / 400 < 0.994


def test_the_interval_of_a_ratio_has_no_bound_where_the_effect_may_be_none() -> None:
    assert all(map(math.isnan, fieller(np.array([1.0, 2.0]), np.array([-1.0, 1.5]))))


def test_what_each_incident_adds_sums_to_the_outcome() -> None:
    """Of every outcome of the reference scenario that is counted over incidents."""
    scenario = simlib.load("as_agreed")
    blueprint = assemble(scenario, "as_agreed")
    outcomes = plan(scenario, blueprint.channels.channels)
    run = simulate(blueprint, 3)
    values = outcomes.evaluate(run)
    counted = [name for group in outcomes.incidents.groups for name in group.outcomes]
    assert len(counted) > 20
    for name in counted:  # a window that follows a milestone may not be over
        value = float(values[name])
        assert math.isnan(value) or outcomes.each(run, name).sum() == pytest.approx(value)
    with pytest.raises(KeyError, match="not counted over incidents"):
        outcomes.each(run, "iraq_end_class")


def test_the_parts_of_an_intensity_multiply_to_the_kernels() -> None:
    """Exactly, at the horizon of a world that has every kind of factor and gate."""
    from support.full_world import AGENTS, rich

    engines: list[CompiledIncidents] = []

    class Kept(CompiledIncidents):
        def begin(self) -> None:
            super().begin()
            engines.append(self)

    blueprint = assemble(rich(), "later", agents=AGENTS)
    for replication in range(4):
        run = simulate(blueprint, replication, engine=Kept)
        floats, ints, _ = engines[-1]._memory
        factoring = Factoring(blueprint, run.parameters)
        n_open = 0
        for channel in range(len(run.incidents.channels)):
            at = ints[t.CHANNEL_F] + t.WIDTHS["channel_f"] * channel + t.INTENSITY
            parts = factoring.intensity(channel, run.snapshots[-1])
            assert math.prod(part.value for part in parts) == floats[at]
            n_open += floats[at] > 0.0
        assert n_open > 5
