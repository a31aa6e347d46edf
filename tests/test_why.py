"""Why two options differ: a planted path is found, and where there is none, nothing is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

import simlib
from simlib.analysis import why
from simlib.analysis.mediation import mediators
from simlib.analysis.mediation.mediators import record
from simlib.analysis.mediation.path_divergence import Side, Tracer
from simlib.errors import ScenarioError, StoreError
from simlib.simulation import Blueprint, assemble, simulate, simulate_recorded
from support.known_answers import (
    DAYS,
    LEVEL,
    PLANTED,
    Bystander,
    Echo,
    Planter,
    Second,
    Waverer,
    planted,
)
from support.worlds import differing_columns

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from simlib.agents.base import Agent
    from simlib.analysis.mediation.explanation import Explanation
    from simlib.analysis.mediation.mediators import By
    from simlib.journal import Run
    from simlib.scenario.schema import Scenario
    from simlib.world.acts import Act

BYS: tuple[By, ...] = ("agent", "mechanism", "place")


def explained(
    outcomes: str | Sequence[str] = "attacks",
    *,
    of: Scenario | None = None,
    options: tuple[str, str] = ("never", "early"),
    agents: tuple[type[Agent], ...] = PLANTED,
    **more: Any,
) -> Explanation:
    """Explain two options of the planted scenario in this process."""
    more = {"replications": 40, "jobs": 1, **more}
    source = planted() if of is None else of
    found: Explanation = why(
        source, outcomes, baseline=options[0], counterfactual=options[1], agents=agents, **more
    )
    return found


# a planted path, and none


@pytest.mark.parametrize(
    ("by", "group"), [("agent", "planter"), ("mechanism", "pressure"), ("place", "North")]
)
def test_a_planted_path_carries_all_of_the_effect(by: By, group: str) -> None:
    """Who plants it carries it all; what only looks as if it did carries exactly nothing."""
    finding = explained(by=by).of("attacks")
    (share,) = finding.shares
    assert share.group == group
    assert share.mean == pytest.approx(finding.effect.mean)
    assert (share.percent, share.percent_low, share.percent_high) == pytest.approx((100, 100, 100))
    # Poisson: LEVEL a day more over DAYS days; within four standard errors.
    assert abs(finding.effect.mean - LEVEL * DAYS) < 4 * math.sqrt(LEVEL * DAYS / 40)


def test_the_path_is_named_and_its_replications_replay(tmp_path: Path) -> None:
    """Every incident that differs leads back to the planter in North; a named run has it."""
    scenario = planted(excites=[{"type": "attack", "ratio": 0.3, "decay_days": 2}])
    ensemble = simlib.run(
        scenario, options=["never", "early"], replications=6, agents=PLANTED, jobs=1,
        directory=tmp_path / "out",
    )  # fmt: skip
    found: Explanation = why(
        ensemble, "attacks", baseline="never", counterfactual="early", agents=PLANTED, jobs=1
    )
    finding = found.of("attacks")
    (path,) = finding.description.paths
    assert (path.agent, path.mechanism, path.place) == ("planter", "pressure", "North")
    assert path.missing == 0.0
    assert path.extra == pytest.approx(6 * finding.effect.mean)
    assert "decision presses in North: yes < milestone exit" in path.example
    command = found.command(path)
    assert command.startswith(f"simlib replay {tmp_path / 'out'} --replication ")
    assert command.endswith("--option early")
    run = ensemble.replay(path.replications[0], option="early", agents=PLANTED)
    assert any(decision.name == "presses" for decision in run.decisions)
    assert any(command in sentence for sentence in found.sentences())


def test_excited_incidents_lead_back_through_their_parents() -> None:
    scenario = planted(excites=[{"type": "attack", "ratio": 0.6, "decay_days": 1}])
    (path,) = explained(of=scenario, replications=4).of("attacks").description.paths
    blueprints = [assemble(scenario, o, agents=PLANTED) for o in ("never", "early")]
    sides = [Side(each, record(each, 0, i)) for i, each in enumerate(blueprints)]
    tracer = Tracer((sides[0], sides[1]))
    parents = sides[1].run.incidents.parent
    rows = [r for r in range(len(parents)) if parents[r] >= 0 and not tracer.is_shared(1, r)]
    tops = [tracer.top(1, row) for row in rows]
    assert max(map(len, tops)) > 1
    sides[0].observe(sides[1].run.incidents.time)
    sides[1].observe(sides[1].run.incidents.time)
    assert sides[1]._seen is not None
    assert not differing_columns(sides[1].run, sides[1]._seen)  # looking changes nothing
    looked = sides[1]._seen
    again = simulate(blueprints[1], 0, observe=looked.snapshot_times.tolist())
    assert looked.snapshots.tobytes() == again.snapshots.tobytes()
    for row, top in zip(rows, tops, strict=True):
        steps = tracer.trace_incident(1, row).steps
        assert sum(step.startswith("attack ") for step in steps) == len(top)
    assert path.agent == "planter"


def test_each_run_of_a_pair_is_recorded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only hybrids, and the runs that are looked at again, are simulated besides; by playing."""
    recorded: list[tuple[str, int]] = []

    def counted(blueprint: Blueprint, replication: int) -> tuple[Run, list[Act]]:
        recorded.append((blueprint.option, replication))
        return simulate_recorded(blueprint, replication)

    monkeypatch.setattr(mediators, "simulate_recorded", counted)
    explained(replications=7)
    assert sorted(recorded) == [(o, r) for o in ("early", "never") for r in range(7)]


def test_the_first_divergence_is_that_of_the_milestone() -> None:
    """All decide at the milestone; the first of them by rank is the bystander."""
    found = explained(replications=5)
    assert set(found.first) == set(range(5))
    for each in found.first.values():
        assert (each.kind, each.who, each.time) == ("decision", "bystander", 2.0)
        assert each.is_second
        assert each.cause == "milestone exit"
    assert list(found.divergences()["n_pairs"]) == [5]


@pytest.mark.parametrize("by", BYS)
def test_shares_of_two_that_multiply_are_as_shapley_has_them(by: By) -> None:
    """Attacks in North double with the one and triple with the other: 1, 2, 3, 6.

    In units of LEVEL DAYS, North's shares are 2 and 3; South and East add 2 each to the
    second's. Place tells them apart as North (the planter's) and nowhere (the second's).
    Within four standard errors of the mean.
    """
    agents = (Planter, Second)
    finding = explained(agents=agents, by=by, replications=60).of("attacks")
    names = {"agent": ("planter", "second"), "mechanism": ("pressure", "support")}
    first, second = names.get(by, ("North", "(national)"))
    shares = {share.group: share for share in finding.shares}
    assert set(shares) == {first, second}
    for name, units in ((first, 2.0), (second, 7.0)):
        expected = units * LEVEL * DAYS
        assert abs(shares[name].mean - expected) < 4 * shares[name].mc_error
    assert sum(share.percent for share in finding.shares) == pytest.approx(100)


def test_options_that_are_the_same_leave_nothing_to_explain() -> None:
    found = explained(["attacks", "pressure_end"], options=("never", "same"), replications=8)
    assert found.first == {}
    for finding in found.findings:
        assert finding.shares == ()
        assert finding.description.paths == ()
        assert finding.is_same
    text = " ".join(found.sentences())
    assert "there is nothing to explain" in text
    assert "journals of all 8 pairs are the same" in text
    assert "%" not in text.replace("95 %", "")
    assert found.table().empty
    assert found.paths().empty


def test_shares_and_counts_are_told_apart_in_words() -> None:
    """Both answer "through whom", with other numbers: what each means stands beside it."""
    found = explained(agents=(Planter, Waverer), replications=12)
    assert found.of("attacks").has_effect
    text = " ".join(found.sentences())
    assert text.index("A share is what changes") < text.index("no shares of the effect")
    assert "the two need not agree" in text
    assert "extra less missing" in text
    assert all("outcome" not in table.columns for table in found.briefs().values())
    quiet = explained("attacks_syria", agents=(Planter, Waverer), replications=12)
    assert "need not agree" not in " ".join(quiet.sentences())


def test_a_difference_that_moves_nothing_counted_is_no_path() -> None:
    """The bystander alone: the journals part, but no attack differs."""
    found = explained(agents=(Bystander,), replications=8)
    finding = found.of("attacks")
    assert len(found.first) == 8
    assert finding.shares == ()
    assert finding.description.n_differing == 0
    assert not any(" > " in sentence for sentence in found.sentences())


def test_no_share_is_given_of_an_effect_whose_interval_includes_0() -> None:
    """Attacks in Syria go up or down, by the same, as often as not."""
    found = explained("attacks_syria", agents=(Planter, Waverer), replications=12)
    finding = found.of("attacks_syria")
    assert not finding.has_effect
    assert finding.description.n_differing > 0
    assert finding.shares == ()
    assert found.table().empty
    text = " ".join(found.sentences())
    assert "The interval includes 0, so no share is given." in text
    assert "% (" not in text
    assert " > " not in text


def test_what_answers_incidents_is_followed_back_to_them() -> None:
    """Who answers attacks carries what the support adds; it leads back to an attack."""
    found = explained("attacks_syria", agents=(Planter, Echo), replications=40)
    finding = found.of("attacks_syria")
    assert finding.shares[0].group == "echo"
    (path,) = finding.description.paths
    assert (path.agent, path.mechanism, path.place) == ("echo", "support", "(national)")
    assert "decision echoes: yes < attack North" in path.example


# other outcomes


def test_replaced_parameters_are_a_group_of_their_own() -> None:
    finding = explained(options=("never", "busier"), replications=12).of("attacks")
    (share,) = finding.shares
    assert share.group == "(parameters)"
    assert share.percent == pytest.approx(100)
    assert {path.agent for path in finding.description.paths} == {"(parameters)"}


@pytest.mark.parametrize("by", BYS)
def test_states_and_decisions_are_explained_too(by: By) -> None:
    """The planter alone moves pressure, by one; decisions stand apart where groups are none."""
    found = explained(["pressure_end", "presses"], by=by, replications=4)
    state, decided = found.of("pressure_end"), found.of("presses")
    assert state.effect.mean == pytest.approx(1.0)
    group = {"agent": "planter", "mechanism": "pressure", "place": "North"}[by]
    assert [share.group for share in state.shares] == [group]
    (path,) = state.description.paths
    assert (path.agent, path.mechanism, path.place) == ("planter", "pressure", "North")
    assert path.net == pytest.approx(4.0)
    (share,) = decided.shares
    assert share.group == ("planter" if by == "agent" else "(decisions)")
    assert [(p.agent, p.mechanism, p.place) for p in decided.description.paths] == [
        ("planter", "presses", "North")
    ]


def test_what_is_not_observed_is_left_out_and_counted() -> None:
    """Nobody completes the milestone: no pair has a date of it."""
    found = explained("exit_months", replications=4)
    finding = found.of("exit_months")
    assert finding.n == 0
    assert not finding.has_effect
    assert "4 more pairs are left out: not observed" in " ".join(found.sentences())
    assert list(found.effects()["n_open"]) == [4]


def test_a_class_that_is_asked_for_is_looked_at_class_by_class() -> None:
    """Nobody settles it: it is open under both options, and no class differs."""
    found = explained("exit_class", replications=4)
    assert [finding.outcome for finding in found.findings] == ["exit_class.open"]
    assert found.findings[0].is_same


def test_a_pair_that_fails_is_left_out_and_counted() -> None:
    class Failing(Planter):
        def live(self) -> Any:
            yield self.wait(milestone="exit")
            if self._world.replication % 4 == 1:
                raise ZeroDivisionError
            self.change("pressure", "North", to=2.0)

    found = explained(agents=(Failing,), replications=8)
    assert found.n_failed == 2
    assert found.of("attacks").n == 6
    assert found.sentences()[0].startswith("2 of 8 pairs failed")


# asking


@pytest.mark.parametrize(
    ("more", "line"),
    [
        (
            {"outcomes": "atacks"},
            "outcomes: no such outcome (got 'atacks'); did you mean 'attacks'",
        ),
        ({"options": ("never", "erly")}, "options: undefined option (got 'erly')"),
        ({"by": "mood"}, "by: must be one of agent, mechanism, place (got 'mood')"),
        ({"n_pairs": 0}, "n_pairs: must be a whole number from 1 to 1000 (got 0)"),
        ({"replications": 0}, "replications: must be a whole number from 1 to 10000000 (got 0)"),
    ],
)
def test_what_cannot_be_asked_is_one_line(more: dict[str, Any], line: str) -> None:
    with pytest.raises(ScenarioError) as raised:
        explained(**more)
    assert str(raised.value).startswith(line)
    assert "\n" not in str(raised.value)


def test_results_that_do_not_serve_are_refused(tmp_path: Path) -> None:
    ensemble = simlib.run(planted(), options=["never", "early"], replications=2,
                          agents=PLANTED, jobs=1, directory=tmp_path / "out")  # fmt: skip
    with pytest.raises(StoreError, match="give the agents that were added"):
        why(ensemble, "attacks", baseline="never", counterfactual="early", jobs=1)
    with pytest.raises(ScenarioError, match="the results have 2 of both options"):
        why(ensemble, "attacks", baseline="never", counterfactual="early", agents=PLANTED,
            replications=3, jobs=1)  # fmt: skip
    with pytest.raises(StoreError, match="no results of option 'same'"):
        why(ensemble, "attacks", baseline="never", counterfactual="same", agents=PLANTED, jobs=1)


def test_a_stopped_run_goes_on_from_its_pieces(tmp_path: Path) -> None:
    """Pieces that are there are not written again, and give the same answer."""
    first = explained(replications=16, directory=tmp_path)
    pieces = sorted(tmp_path.rglob("*.npz"))
    assert len(pieces) > 3
    pieces[1].unlink()
    before = {piece: piece.stat().st_mtime_ns for piece in pieces if piece.exists()}
    again = explained(replications=16, directory=tmp_path)
    assert all(piece.stat().st_mtime_ns == at for piece, at in before.items())
    assert pieces[1].exists()
    assert again.sentences() == first.sentences()
    assert again.table().equals(first.table())


def test_workers_change_no_number() -> None:
    assert explained(replications=12, jobs=2).sentences() == explained(replications=12).sentences()
