"""What tripwires tell, in words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from simlib.statistics.formatting import percent

if TYPE_CHECKING:
    from simlib.analysis.discovery.alarm_scores import Judgement
    from simlib.analysis.discovery.early_warning import Candidate, Tripwires


def tripwire_sentences(found: Tripwires) -> list[str]:
    """Return what a search for tripwires found, on which replications, and what it is not."""
    said = [_event(found), _search(found)]
    if found.chosen is None:
        said.append("No rule has a score above 0 at the price of so few false alarms: no tripwire.")
    else:
        said += _chosen(found.chosen)
    said.append(
        "An alarm is right if the event falls into the window; only the first alarm of a "
        "replication counts, and none after the event. The hit rate is of replications in which "
        "the event falls into the window of some week, the false-alarm rate of those that had a "
        "week without it. All of it is about this model's published series."
    )
    return said


def _event(found: Tripwires) -> str:
    n = found.training.n + found.held_out.n
    n_hit = found.training.n_can_be_hit + found.held_out.n_can_be_hit
    terms = found.terms
    return (
        f"{found.event}: could be told {terms.ahead_weeks:g} to "
        f"{terms.ahead_weeks + terms.window_weeks:g} weeks ahead in {n_hit:,} of {n:,} "
        f"replications; base rate of such a window {percent(found.held_out.base_rate)}."
    )


def _search(found: Tripwires) -> str:
    worth = found.terms.worth
    score = (
        "right alarms beyond those of the base rate at their dates"
        if worth is None
        else f"{worth:g} x right alarms less false ones"
    )
    return (
        f"{found.n_rules:,} rules searched on {found.training.n:,} replications for most {score}, "
        f"at a false-alarm rate up to {percent(found.terms.most_false_alarms)}; judged on the "
        f"other {found.held_out.n:,}."
    )


def _chosen(chosen: Candidate) -> list[str]:
    judged = chosen.held_out
    said = [f"Chosen: {chosen.rule.shown}."]
    if not judged.n_alarms:
        return [*said, "It raised no alarm on the other half: nothing beats the base rate."]
    low, high = judged.predictive_interval
    said.append(
        f"Hit rate {percent(judged.hit_rate)} ({judged.n_right:,} of {judged.n_can_be_hit:,}), "
        f"false-alarm rate {percent(judged.false_alarm_rate)} "
        f"({judged.n_alarms - judged.n_right:,} of {judged.n_can_be_false:,}). An alarm is right "
        f"with {percent(judged.predictive_value)} ({percent(low)} to {percent(high)}), against "
        f"a base rate of {percent(judged.base_rate_at_alarms)} at the same dates: {_lift(judged)}."
    )
    if judged.lead_weeks:
        first, middle, last = (f"{weeks:.1f}" for weeks in judged.lead_quartiles())
        said.append(f"Lead of right alarms: median {middle} weeks, half of them {first} to {last}.")
    if judged.is_better_than_luck:
        said.append(
            "Better than luck, by which so many right alarms or more would come with a "
            f"probability of {judged.p_by_luck:.3f}."
        )
    else:
        said.append(
            "Nothing beats the base rate on replications that were not searched: the interval "
            "reaches down to what alarms at those dates would be right by luck."
        )
    return said


def _lift(judged: Judgement) -> str:
    return "no lift is known" if math.isnan(judged.lift) else f"{judged.lift:.1f} times as often"
