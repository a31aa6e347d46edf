"""Early warning: a planted sign is found, nothing is made of none, and no month is read early."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

import simlib
from simlib.analysis.discovery.alarm_scores import Reach, first_alarms, judge
from simlib.analysis.discovery.early_warning import EarlyWarning, Terms, search
from simlib.analysis.discovery.indicators import (
    TRANSFORMS,
    AlarmRule,
    Indicator,
    Observed,
    Threshold,
    by_month,
    observe,
    seen_at,
)
from simlib.analysis.discovery.outcome_events import read_event
from simlib.chance.addresses import name_hash
from simlib.chance.philox import uniforms
from simlib.scenario import load_text
from simlib.statistics.intervals import wilson
from support.agents import Watcher
from support.commands import call
from support.known_answers import OMENS, omens
from support.scenarios import watched
from support.worlds import times_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

N = 240
TERMS = Terms(ahead_weeks=1, window_weeks=12)
OMEN = AlarmRule((Threshold(Indicator("omens", "level"), "at_least", 1.0),))


@functools.cache
def observed(lag_days: int = 10) -> Observed:
    return observe(omens(lag_days), "blow", replications=N, jobs=1)


@functools.cache
def found() -> EarlyWarning:
    return search(observed(), TERMS)


def test_a_planted_sign_is_found_and_beats_the_base_rate() -> None:
    """Blows come of omens alone: after an omen one comes within 12 weeks more often than not."""
    chosen = found().chosen
    assert chosen is not None
    assert {part.indicator.series for part in chosen.rule.parts} == {"omens"}
    judged = chosen.held_out
    assert judged.is_better_than_chance
    assert found().is_found
    assert judged.lift > 2
    assert judged.predictive_interval == wilson(judged.n_right, judged.n_alarms)


def test_right_alarms_lead_by_what_is_asked_for() -> None:
    """Every lead lies in (ahead, ahead + window]; a blow is 40 days after its omen on average.

    The delay is exponential, so at whatever date it is seen 40 days are still left on
    average; between 1 and 13 weeks the mean is about 40 - 5 + 7 days = 6 weeks.
    """
    chosen = found().chosen
    assert chosen is not None
    leads = np.array(chosen.held_out.lead_weeks)
    assert (leads > 1).all()
    assert (leads <= 13).all()
    assert 3 < leads.mean() < 9


def test_an_event_that_no_series_knows_of_is_not_told() -> None:
    """Dates drawn by lot: of 6 searches at most 1 beats luck (.15 are expected)."""
    n_found = 0
    for seed in range(6):
        lots = uniforms(seed, 0, np.array([name_hash("event")], dtype=np.uint64), rows(N))[0]
        at_random = np.where(lots < 0.6, observed().start + lots / 0.6 * 730.0, np.inf)
        result = search(dataclasses.replace(observed(), event_at=at_random), TERMS)
        n_found += result.is_found
        said = " ".join(result.sentences())
        is_silent = "beats the base rate" in said or "no tripwire" in said
        assert is_silent != result.is_found
    assert n_found <= 1


def rows(n: int) -> NDArray[np.uint64]:
    return np.arange(n, dtype=np.uint64)


def test_a_longer_lag_shifts_what_is_seen_and_shortens_the_lead() -> None:
    """A lag that is four weeks longer shows each month four weeks later, in the same runs.

    So an alarm comes exactly 4 weeks later or not at all, and fewer events are told.
    """
    soon, late = observed(10), observed(38)
    assert (soon.counts == late.counts).all()
    assert (soon.event_at == late.event_at).all()
    reach = Reach.of(soon, 7.0, 84.0)
    raised = [each.raised(OMEN, reach.dates) for each in (soon, late)]
    assert (raised[1][:, 4:] == raised[0][:, :-4]).all()
    first = [first_alarms(each, reach) for each in raised]
    both = (first[0] >= 0) & (first[1] >= 0)
    assert both.sum() > 20
    assert (first[1][both] - first[0][both] == 4).all()
    judged = [judge(each, reach) for each in raised]
    assert judged[1].n_right < judged[0].n_right


@pytest.mark.parametrize("transform", sorted(TRANSFORMS))
def test_no_month_is_read_before_it_is_published(transform: str) -> None:
    """Other counts in months not yet published change nothing; in the last published they do."""
    known_at = observed().known_at[:, 0]
    counts = observed().counts[:20, :, 1]
    date = known_at[16] + 3.0
    dates = np.array([date])
    usual = seen_at(by_month(counts, transform), known_at, dates)
    assert np.isfinite(usual).all()
    later, sooner = counts.copy(), counts.copy()
    later[:, 17:] += 1000
    assert (seen_at(by_month(later, transform), known_at, dates) == usual).all()
    sooner[:, 16] += 1000
    assert (seen_at(by_month(sooner, transform), known_at, dates) != usual).all()


def test_transforms_are_what_they_are_called() -> None:
    counts = np.arange(20)[None, :] ** 2
    last = 19
    values = {name: by_month(counts, name)[0, last] for name in TRANSFORMS}
    three = [sum((last - back - i) ** 2 for i in range(3)) + 0.5 for back in (0, 6, 12)]
    assert values["level"] == 361
    assert values["sum_3"] == three[0] - 0.5
    assert values["change"] == 361 - 324
    assert values["ratio_6"] == pytest.approx(three[0] / three[1])
    assert values["ratio_12"] == pytest.approx(three[0] / three[2])
    assert np.isnan(by_month(counts, "ratio_12")[0, :14]).all()


def reach_of(event_at: list[float]) -> Reach:
    """Return the reach of events in a scenario of 70 days: 1 week ahead, windows of 2."""
    few = dataclasses.replace(
        observed(), start=0.0, horizon=70.0, event_at=np.array(event_at, dtype=np.float64)
    )
    return Reach.of(few, 7.0, 14.0)


def test_dates_are_those_whose_window_ends_before_the_horizon() -> None:
    assert reach_of([np.inf]).dates.tolist() == [0, 7, 14, 21, 28, 35, 42, 49]


def test_only_the_first_alarm_counts() -> None:
    """At 40 the event is in the windows of 21 and 28; an alarm at 7 spoils those after it."""
    reach = reach_of([40.0, 40.0, 40.0, np.inf])
    assert np.flatnonzero(reach.is_inside[0]).tolist() == [3, 4]
    raised = np.zeros((4, 8), dtype=np.bool_)
    raised[0, [1, 3]] = True  # too early, then right
    raised[1, [3, 4]] = True  # right at once
    raised[2, [5, 6]] = True  # at 35 and 42 the event is less than a week away, or past
    raised[3, 2] = True
    judged = judge(raised, reach)
    assert (judged.n_alarms, judged.n_right) == (3, 1)
    assert (judged.n_can_be_hit, judged.n_can_be_false) == (3, 4)
    assert judged.hit_rate == pytest.approx(1 / 3)
    assert judged.false_alarm_rate == pytest.approx(2 / 4)
    assert judged.predictive_value == pytest.approx(1 / 3)
    assert judged.lead_weeks == ((40.0 - 21.0) / 7.0,)


def test_the_base_rate_is_of_the_same_dates() -> None:
    """At 21 three of four at risk have the event ahead, at 7 and 14 none: mean of alarms."""
    reach = reach_of([40.0, 40.0, 40.0, np.inf])
    raised = np.zeros((4, 8), dtype=np.bool_)
    raised[0, 1] = raised[1, 3] = raised[3, 2] = True
    assert judge(raised, reach).base_rate_at_alarms == pytest.approx((0 + 0.75 + 0) / 3)
    # Three are watched at five dates each, with the event ahead at two; one at eight.
    assert judge(raised, reach).base_rate == pytest.approx(6 / (3 * 5 + 8))


def test_the_same_replications_give_the_same_tripwires() -> None:
    again = search(observed(), TERMS)
    assert again.sentences() == found().sentences()
    assert again.table().equals(found().table())


def test_a_price_of_false_alarms_is_kept_where_rules_are_searched() -> None:
    for cap in (0.05, 0.5):
        result = search(observed(), dataclasses.replace(TERMS, most_false_alarms=cap))
        assert all(each.training.false_alarm_rate <= cap for each in result.candidates)


def test_a_rare_event_and_wrong_terms_are_refused() -> None:
    rare = dataclasses.replace(observed(), event_at=np.full(N, np.inf))
    with pytest.raises(simlib.ScenarioError, match="could be told in 0 of 240 replications"):
        search(rare, TERMS)
    with pytest.raises(simlib.ScenarioError, match="do not fit into the scenario"):
        search(observed(), Terms(window_weeks=500))
    with pytest.raises(simlib.ScenarioError, match=r"window_weeks: must be a number from 0.001"):
        search(observed(), Terms(window_weeks=0))
    with pytest.raises(simlib.ScenarioError, match=r"ahead_weeks: must be a number from 0 to"):
        search(observed(), Terms(ahead_weeks=1e308))


def test_events_are_dated_as_the_journal_has_them() -> None:
    scenario = watched()
    blueprint = simlib.assemble(scenario, agents=[Watcher])
    n_seen = 0
    for replication in range(8):
        run = simlib.simulate(blueprint, replication)
        raids = times_of(run, "raid", "South")
        raids = raids[raids >= run.start]
        assert read_event("raid in South", scenario).first_at(run) == raids[0]
        of_month = np.searchsorted(run.snapshot_times[1:-1], raids, side="right")
        fourth = [t for i, t in enumerate(raids) if (of_month[: i + 1] == of_month[i]).sum() == 4]
        event = read_event("raid in South >= 4 a month", scenario)
        assert event.first_at(run) == (fourth[0] if fourth else np.inf)
        deadly = run.incidents.mark("fatalities") >= 5
        deadly &= run.incidents.time >= run.start
        deadly &= np.array([t == "raid" for t in run.incidents.channels.types])[
            run.incidents.channel
        ]
        event = read_event("raid fatalities >= 5", scenario)
        assert event.first_at(run) == min(run.incidents.time[deadly], default=np.inf)
        entered = [t for t, state in run.postures["talks.posture"] if state == "together"]
        event = read_event("talks.posture = together", scenario)
        assert event.first_at(run) == (entered[0] if entered else np.inf)
        exit_ = run.milestones["exit"]
        is_met = exit_.classification == "met"
        event = read_event("exit = met", scenario)
        assert event.first_at(run) == (exit_.completed_at if is_met else np.inf)
        alarms = [d.time for d in run.decisions if (d.name, d.taken) == ("alarm", "yes")]
        event = read_event("alarm = yes", scenario)
        assert event.first_at(run) == (alarms[0] if alarms else np.inf)
        n_seen += is_met
    assert 0 < n_seen < 8


@pytest.mark.parametrize(
    ("event", "rule"),
    [
        ("riad", "no incident type 'riad'"),
        ("raid in Nowhere", "no place or country 'Nowhere'"),
        ("raid height >= 3", "unknown mark 'height'"),
        ("raid >= 0 a month", "at least 1 a month"),
        ("talks.posture = over", "has no state 'over'"),
        ("exit = relabelled", "has no class 'relabelled'"),
        ("exit = open", "has no date"),
        ("what = ever", "no posture, milestone or decision 'what'"),
        ("raid fatalities > 3", "no incident type"),
    ],
)
def test_a_wrong_event_is_told_in_one_line(event: str, rule: str) -> None:
    with pytest.raises(simlib.ScenarioError) as caught:
        read_event(event, watched())
    assert rule in str(caught.value)
    assert "\n" not in str(caught.value)


def test_figures_mark_the_chosen_rule_and_the_leads() -> None:
    ax = simlib.plot.tripwire(found())
    legend = ax.get_legend()
    assert legend is not None
    assert "chosen" in [text.get_text() for text in legend.get_texts()]
    assert "%" in ax.get_xlabel()
    assert "weeks" in simlib.plot.lead_times(found()).get_xlabel()


def _with_leads(leads: tuple[float, ...]) -> EarlyWarning:
    """Return what was found, with other leads of right alarms."""
    best, *others = found().candidates
    judged = dataclasses.replace(best.held_out, lead_weeks=leads)
    candidates = (dataclasses.replace(best, held_out=judged), *others)
    return dataclasses.replace(found(), candidates=candidates)


def test_leads_of_few_alarms_are_told_and_not_drawn() -> None:
    """A histogram of one alarm says nothing that a sentence does not."""
    assert set(_with_leads((3.0,)).figures()) == {"tripwire"}
    assert set(_with_leads((3.0,) * 20).figures()) == {"tripwire", "lead"}
    assert "The one right alarm came 3.0 weeks ahead." in _with_leads((3.0,)).sentences()


def test_the_command_writes_a_table_and_figures_and_goes_on(tmp_path: Path) -> None:
    """A second call finds the pieces that were kept, and says the same."""
    scenario = tmp_path / "omens.yaml"
    scenario.write_text(OMENS)
    arguments = ("--ahead", "1", "--replications", str(N), "--jobs", "1", "-o", str(tmp_path / "w"))
    done, again = (call("tripwires", str(scenario), "blow", *arguments) for _ in range(2))
    assert done.returncode == 0, done.stderr
    assert done.stdout == again.stdout
    assert "Chosen: omens" in done.stdout
    assert "of 240, " in done.stderr
    assert "of 240, " not in again.stderr
    written = {path.name for path in (tmp_path / "w").iterdir()}
    pictures = {"tripwire.png", "lead.png"}
    assert written == {"tripwires.csv", "tripwires.txt", *pictures, "pieces", ".simlib-written"}
    wrong = call("tripwires", str(scenario), "blew")
    assert wrong.returncode == 2
    assert "no incident type 'blew'; did you mean 'blow'?" in wrong.stderr


def test_without_series_there_is_no_tripwire() -> None:
    silent = load_text(OMENS[: OMENS.index("series:")] + OMENS[OMENS.index("outcomes:") :])
    with pytest.raises(simlib.ScenarioError, match="has no published series"):
        observe(silent, "blow", replications=2, jobs=1)
