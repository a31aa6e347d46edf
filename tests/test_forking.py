"""Forks: the past is that of the baseline, the whole that of the option, bit for bit."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np
import pytest

import simlib
from simlib.analysis.comparison.forks import refuse_other_past, with_forks
from simlib.errors import ScenarioError, SimulationError, StoreError
from simlib.journal import to_days
from simlib.scenario import load, load_text
from simlib.simulation import assemble, simulate
from support.agents import Watcher
from support.scenarios import TEXT, WATCHED, WATCHED_OUTCOMES
from support.worlds import COLUMNS, decided, differing_columns

if TYPE_CHECKING:
    from pathlib import Path

    from simlib.agents.base import Agent
    from simlib.journal import Run
    from simlib.scenario.schema import Scenario

OPTIONS = """\
options:
  as_planned: {}
  later: {timeline.exit: {shift: 1 months, forced: true}}
  slow: {timeline.exit: {shift: 1 months, announced: 2000-03-15}}
  soon: {timeline.exit: {date: 2000-05-15}}
  crowded: {parameters: {raids: {value: 12, unit: incidents per month, judgement: test}}}
"""
SUMMER = dt.date(2025, 6, 30)


def planned() -> Scenario:
    """Return the small scenario with an agent, and options that change its milestone."""
    head, rest = TEXT.split("options:\n")
    _, outcomes = rest.split("outcomes:\n")
    return load_text(f"{head}{OPTIONS}{WATCHED}outcomes:\n{outcomes}{WATCHED_OUTCOMES}")


def history(scenario: Scenario, option: str, replication: int, *agents: type[Agent]) -> Run:
    return simulate(assemble(scenario, option or None, agents=agents), replication)


def assert_same_past(one: Run, other: Run, at: dt.date) -> None:
    """Hold that incidents, with all their columns, and decisions before a date are equal."""
    until = to_days(at)
    n = int(np.searchsorted(one.incidents.time, until))
    assert n == int(np.searchsorted(other.incidents.time, until))
    for name in COLUMNS:
        columns = (getattr(run.incidents, name)[:n].tobytes() for run in (one, other))
        assert next(columns) == next(columns), name
    assert decided(one, until) == decided(other, until)
    is_past = one.snapshot_times < until
    assert one.snapshots[is_past].tobytes() == other.snapshots[is_past].tobytes()


def assert_same(one: Run, other: Run) -> None:
    """Hold that two runs are equal in everything, to the last bit."""
    assert differing_columns(one, other) == []
    assert decided(one) == decided(other)
    assert one.snapshots.tobytes() == other.snapshots.tobytes()
    assert repr(one.milestones) == repr(other.milestones)
    assert one.postures == other.postures


@pytest.mark.parametrize("at", [dt.date(2025, 6, 1), SUMMER])
def test_a_fork_of_the_reference_scenario_is_past_and_tail(at: dt.date) -> None:
    """Before the date the run as agreed; as a whole the option announced on 30 June 2025.

    On 1 June every agent reviews at the very instant of the fork.
    """
    forked, names = with_forks(load("as_agreed"), at, ["extend_12m"], of="as_agreed")
    assert names == [f"extend_12m_from_{at}"]
    for replication in (0, 1):
        base, whole, fork = (
            history(forked, option, replication) for option in ("as_agreed", "extend_12m", *names)
        )
        assert_same_past(base, fork, at)
        assert_same(fork, whole)
        assert len(fork.incidents) != len(base.incidents)


def test_a_fork_of_a_fork_has_both_pasts() -> None:
    """Up to the first date the base's, up to the second the first fork's; then its own."""
    first, (longer,) = with_forks(load("as_agreed"), SUMMER, ["extend_12m"], of="as_agreed")
    at = dt.date(2025, 9, 15)
    second, (both,) = with_forks(first, at, ["syria_leg_cut_short"], of=longer)
    base, one, two = (history(second, option, 4) for option in ("as_agreed", longer, both))
    assert_same_past(base, two, SUMMER)
    assert_same_past(one, two, at)
    assert len(one.incidents) != len(two.incidents)
    assert two.milestones["iraq_mission_end"] == one.milestones["iraq_mission_end"]
    assert two.milestones["syria_mission_end"].date == to_days(dt.date(2025, 12, 31))


@pytest.mark.parametrize("option", ["as_planned", "later", "slow", "soon"])
def test_a_fork_at_the_start_is_the_option_itself(option: str) -> None:
    forked, (fork,) = with_forks(planned(), dt.date(2000, 1, 1), [option], of="later")
    for replication in range(4):
        assert_same(*(history(forked, o, replication, Watcher) for o in (fork, option)))


@pytest.mark.parametrize("option", ["as_planned", "later", "slow", "soon"])
@pytest.mark.parametrize("day", ["2000-02-10", "2000-03-15", "2000-04-30", "2000-05-31"])
def test_a_fork_under_the_same_option_is_the_full_run(option: str, day: str) -> None:
    """Whatever was announced before, on, or after the date; also on the milestone's day."""
    forked, (fork,) = with_forks(planned(), dt.date.fromisoformat(day), [option], of=option)
    for replication in range(3):
        assert_same(*(history(forked, o, replication, Watcher) for o in (fork, option)))


def test_what_the_baseline_would_have_announced_later_does_not_hold() -> None:
    """Continued as planned from before the announcement on, the run is the one as planned."""
    before = dt.date(2000, 3, 1)
    forked, (fork,) = with_forks(planned(), before, ["as_planned"], of="slow")
    after, (kept,) = with_forks(planned(), dt.date(2000, 4, 1), ["as_planned"], of="slow")
    for replication in range(4):
        assert_same(*(history(forked, o, replication, Watcher) for o in (fork, "as_planned")))
        assert_same(*(history(after, o, replication, Watcher) for o in (kept, "slow")))


def test_forks_of_one_name_are_told_apart_and_found_again() -> None:
    at = dt.date(2000, 2, 1)
    first, names = with_forks(planned(), at, ["soon"], of="as_planned")
    assert with_forks(first, at, ["soon"], of="as_planned") == (first, names)
    second, others = with_forks(first, at, ["soon"], of="later")
    assert (names, others) == (["soon_from_2000-02-01"], ["soon_from_2000-02-01_2"])
    assert second.options[others[0]].of == "later"


@pytest.fixture(scope="module")
def ensemble(tmp_path_factory: pytest.TempPathFactory) -> simlib.Ensemble:
    """Return six replications of two options, kept."""
    return simlib.run(
        planned(), options=["as_planned", "later"], replications=6, root_seed=3, jobs=1,
        agents=[Watcher], directory=tmp_path_factory.mktemp("kept") / "out",
    )  # fmt: skip


def test_an_ensemble_is_continued_and_its_past_verified(
    ensemble: simlib.Ensemble, tmp_path: Path
) -> None:
    """Scenario, seed and replications are the ensemble's; the same call finds all there."""
    at, phases = dt.date(2000, 3, 15), []
    for _ in range(2):
        found = simlib.fork(
            ensemble, at, ["soon"], of="as_planned", agents=[Watcher], jobs=1,
            directory=tmp_path / "forked", progress=lambda p: phases.append((p.phase, p.n_total)),
        )  # fmt: skip
    assert phases[-1] == ("done", 0)
    assert found.options == ("soon_from_2000-03-15",)
    assert found.n_pairs == {"soon_from_2000-03-15": 6}
    n = int((ensemble.of("as_planned").decisions["time"] < to_days(at)).sum())
    assert found.sentences()[0].startswith(
        "soon_from_2000-03-15: in all 6 replications the past before 2000-03-15 is that of "
        f"as_planned: {n} decisions, "
    )
    replayed = found.ensemble.replay(5, option="soon_from_2000-03-15", agents=[Watcher])
    alone = simlib.fork(
        ensemble, at, ["soon"], of="as_planned", agents=[Watcher], replications=range(5, 6), jobs=1
    )
    again = alone.ensemble.replay(5, option="soon_from_2000-03-15", agents=[Watcher])
    assert_same(replayed, again)
    assert "1 pair of replications" in " ".join(alone.sentences())


def test_a_milestone_that_is_completed_is_told(ensemble: simlib.Ensemble) -> None:
    """Forked after the exit, an option that moves it finds it done where it was met."""
    met = ensemble.of("as_planned").milestones["completed_at"] < to_days(dt.date(2000, 5, 10))
    found = simlib.fork(
        ensemble, dt.date(2000, 5, 10), ["soon"], of="as_planned", agents=[Watcher], jobs=1
    )
    assert 0 < met.sum() < 6
    told = f"exit is completed before 2000-05-10 in {met.sum()} of 6 replications, where nothing"
    assert told in found.sentences()[1]
    for replication in met.index[met]:
        assert (
            found.ensemble.of("as_planned")
            .outcomes.loc[replication]
            .equals(found.ensemble.of(found.options[0]).outcomes.loc[replication])
        )


def test_another_past_is_found(ensemble: simlib.Ensemble) -> None:
    """Negative control: 'later' leaves the common path on 30 April, and is found out then."""
    pair = (ensemble, "as_planned", ensemble, "later")
    assert "are the same to the last bit" in refuse_other_past(*pair, dt.date(2000, 4, 30))
    with pytest.raises(SimulationError, match=r"replication \d: decisions before 2000-05-15"):
        refuse_other_past(*pair, dt.date(2000, 5, 15))
    other = simlib.run(
        planned(), option="as_planned", replications=6, root_seed=4, jobs=1, agents=[Watcher]
    )
    with pytest.raises(SimulationError, match="replication 0: parameters before"):
        refuse_other_past(ensemble, "as_planned", other, "as_planned", dt.date(2000, 1, 15))


def test_a_changed_order_or_number_is_another_past() -> None:
    """Negative control: fingerprints see a swapped row, a changed number and a lost row."""
    import pandas as pd

    from simlib.analysis.comparison.forks import _prints_of

    index = pd.Index([7, 7, 8], name="replication")
    rows = pd.DataFrame({"time": [1.0, 2.0, 1.0], "name": ["a", "b", "a"]}, index=index)
    whole = _prints_of(rows)
    assert whole.equals(_prints_of(rows.copy()))
    swapped = rows.iloc[[1, 0, 2]]
    changed = rows.assign(time=[1.0, np.nextafter(2.0, 3.0), 1.0])
    for other in (swapped, changed, rows.iloc[1:]):
        found = _prints_of(other)
        assert [*whole.loc[7]] != [*found.loc[7]]
        assert [*whole.loc[8]] == [*found.loc[8]]


def test_stored_replications_that_do_not_come_out_again_are_refused(
    ensemble: simlib.Ensemble,
) -> None:
    """An agent of the same name that decides otherwise is another past, and named."""

    class Other(Watcher):
        """Reviews as the watcher does, and agrees to other things."""

        def agrees(self, name: str, probability: float, **more: object) -> bool:
            return super().agrees(f"{name}_too", probability, **more)  # type: ignore[arg-type]

    with pytest.raises(SimulationError, match="its replications do not come out again: repl"):
        simlib.fork(
            ensemble, dt.date(2000, 3, 1), ["soon"], of="as_planned", agents=[Other], jobs=1
        )


@pytest.mark.parametrize(
    ("day", "options", "of", "line"),
    [
        ("2000-02-01", ["crowded"], "as_planned", "options.crowded.parameters: cannot be replaced"),
        ("2000-06-01", ["soon"], "as_planned", "timeline.exit.date: must not move to before it"),
        (
            "2001-02-01",
            ["as_planned"],
            "as_planned",
            "from_2001-02-01.at: must be from the start to",
        ),
        ("2000-02-01", ["son"], "as_planned", "no such option (got 'son'); did you mean 'soon'?"),
        ("2000-02-01", ["soon"], "planned", "no such option (got 'planned')"),
        ("2000-02-01", [], "as_planned", "options: name one or more to continue under"),
    ],
)
def test_what_cannot_be_forked_is_one_line(
    day: str, options: list[str], of: str, line: str
) -> None:
    with pytest.raises(ScenarioError) as caught:
        with_forks(planned(), dt.date.fromisoformat(day), options, of=of)
    assert line in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_an_ensemble_says_what_is_missing(ensemble: simlib.Ensemble) -> None:
    at = dt.date(2000, 3, 1)
    with pytest.raises(ScenarioError, match="of: say whose past; one of as_planned, later"):
        simlib.fork(ensemble, at, ["soon"], agents=[Watcher])
    with pytest.raises(StoreError, match="give the agents that were added: watcher"):
        simlib.fork(ensemble, at, ["soon"], of="later")
    for absent in (range(99_999, 100_000), range(10**14, 10**14 + 1)):
        with pytest.raises(ScenarioError, match=r"^replications: .* holds 0 to .*got "):
            simlib.fork(ensemble, at, ["soon"], of="later", agents=[Watcher], replications=absent)
    with pytest.raises(StoreError, match="no results of option 'slow'"):
        simlib.fork(ensemble, at, ["soon"], of="slow", agents=[Watcher])


def test_a_date_may_be_text_and_what_is_none_is_refused() -> None:
    with pytest.raises(ScenarioError, match=r"at: must be YYYY-MM-DD \(got .*summer"):
        simlib.fork("as_agreed", "summer", ["extend_12m"], replications=2)
    with pytest.raises(ScenarioError, match="nowhere"):
        simlib.fork("as_agreed", "2025-06-30", ["nowhere"], replications=2)
