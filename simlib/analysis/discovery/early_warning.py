"""Early warning: rules on published series that tell an event some weeks ahead, or do not."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Unpack

import numpy as np

from simlib.analysis.discovery.alarm_scores import (
    DAYS_PER_WEEK,
    Judgement,
    Reach,
    first_alarms,
    judge,
)
from simlib.analysis.discovery.indicators import (
    TRANSFORMS,
    AlarmRule,
    Indicator,
    Observed,
    Threshold,
    observe,
)
from simlib.errors import Problem, ScenarioError
from simlib.finding import Finding, plot_room
from simlib.scenario.requests import more_needed, n_replications, real
from simlib.scenario.spelling import heading, words
from simlib.statistics.formatting import percent
from simlib.statistics.resampling import is_stratified_half

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from simlib.ensemble.execution import Execution
    from simlib.scenario.schema import Scenario

LEVELS = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.975, 0.99, 0.995)
"""Quantiles of what is seen that serve as thresholds."""
N_PAIRED = 40
"""Rules of one part that are tried in pairs: the best ones."""
MOST_WEEKS = 5200
"""Most weeks that a rule looks ahead: a scenario has at most 100 years."""
LEAST_EVENTS = 20
"""Replications in which an alarm could be right, over both halves."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What an alarm is to tell, and which alarms are acceptable.

    Attributes
    ----------
    ahead_weeks, window_weeks
        An alarm at t is right where the event falls into (t + ahead, t + ahead + window].
    most_false_alarms
        The greatest false-alarm rate that a rule may have where it is searched, 0-1.
    worth
        How many false alarms a right one is worth: rules are searched that have most of
        ``worth * right - false``. Not given: so many that alarms by chance break even, which
        comes to the right alarms beyond those that the base rate at their dates gives.
    """

    ahead_weeks: float = 4.0
    window_weeks: float = 12.0
    most_false_alarms: float = 0.3
    worth: float | None = None

    def __post_init__(self) -> None:
        """Refuse what is out of range."""
        real("ahead_weeks", self.ahead_weeks, 0.0, MOST_WEEKS)
        real("window_weeks", self.window_weeks, 1e-3, MOST_WEEKS)
        real("most_false_alarms", self.most_false_alarms, 0.0, 1.0)
        if self.worth is not None:
            real("worth", self.worth, 1e-9, 1e9)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A rule, and how it did where it was searched and elsewhere."""

    rule: AlarmRule
    score: float
    """Where it was searched, per replication."""
    training: Judgement
    held_out: Judgement

    def row(self) -> dict[str, Any]:
        """The rule and both judgements as columns of a table."""
        judged = self.training.row("") | self.held_out.row("_held_out")
        return {"rule": self.rule.shown, "score": self.score} | judged


FEWEST_LEADS = 10
"""Right alarms whose leads make a histogram; of fewer the sentence says all."""


@dataclass(frozen=True, slots=True)
class EarlyWarning(Finding):
    """Rules on published series that tell an event ahead, as judged where none was searched.

    The best rule of each indicator, the best pair, and the rule chosen among them.

    Attributes
    ----------
    chosen
        The rule with the highest score where rules were searched; a pair only where it is
        better than the best single one by a standard error (that of its right alarms, a
        Poisson number). None where no rule with few enough false alarms has a score above 0.
    candidates
        The chosen rule, then the others by score.
    n_rules
        How many rules were searched.
    """

    stem: ClassVar[str] = "tripwires"

    scenario: str
    option: str
    event: str
    terms: Terms
    n_rules: int
    training: Judgement
    held_out: Judgement
    """What no alarm at all comes to, on either half: the counts and the base rate."""
    candidates: tuple[Candidate, ...]

    @property
    def chosen(self) -> Candidate | None:
        """The rule chosen where rules were searched."""
        return self.candidates[0] if self.candidates else None

    @property
    def is_found(self) -> bool:
        """Whether the chosen rule is better than chance on the other half."""
        return self.chosen is not None and self.chosen.held_out.is_better_than_chance

    def table(self) -> pd.DataFrame:
        """The candidates: a row each; rates are 0-1, leads in weeks."""
        import pandas as pd

        rows = [each.row() for each in self.candidates]
        judged = {**self.training.row(""), **self.held_out.row("_held_out")}
        return pd.DataFrame(rows, columns=["rule", "score", *judged])

    def briefs(self) -> dict[str, pd.DataFrame]:
        """None: sentences say it all."""
        return {}

    def figures(self) -> dict[str, Callable[[], Axes]]:
        """Hit rate against false-alarm rate, and how long ahead right alarms came, where many."""
        drawn = {"tripwire": lambda: plot_room().tripwire(self)}
        leads = () if self.chosen is None else self.chosen.held_out.lead_weeks
        if len(leads) >= FEWEST_LEADS:
            drawn["lead"] = lambda: plot_room().lead_times(self)
        return drawn

    def sentences(self) -> list[str]:
        """Say what was found, on which replications, and what it is not."""
        lines = [self._on_event(), self._on_search()]
        if self.chosen is None:
            lines.append(
                "No rule has a score above 0 at the price of so few false alarms: no tripwire."
            )
        else:
            lines += [
                f"Chosen: {words(self.chosen.rule.shown)}.",
                *self.chosen.held_out.sentences(),
            ]
        lines.append(
            "An alarm is right if the event falls into the window; only the first alarm of a "
            "replication counts, and none after the event. The hit rate is of replications in "
            "which the event falls into the window of some week, the false-alarm rate of those "
            "that had a week without it. All of it is about this model's published series."
        )
        return lines

    def _on_event(self) -> str:
        n = self.training.n + self.held_out.n
        n_hit = self.training.n_can_be_hit + self.held_out.n_can_be_hit
        terms = self.terms
        return (
            f"{heading(self.event)}: could be told {terms.ahead_weeks:g} to "
            f"{terms.ahead_weeks + terms.window_weeks:g} weeks ahead in {n_hit:,} of {n:,} "
            f"replications; base rate of such a window {percent(self.held_out.base_rate)}."
        )

    def _on_search(self) -> str:
        worth = self.terms.worth
        score = (
            "right alarms beyond those of the base rate at their dates"
            if worth is None
            else f"{worth:g} x right alarms less false ones"
        )
        return (
            f"{self.n_rules:,} rules searched on {self.training.n:,} replications for most "
            f"{score}, at a false-alarm rate up to {percent(self.terms.most_false_alarms)}; judged "
            f"on the other {self.held_out.n:,}."
        )


def tripwires(
    scenario: Scenario | str | os.PathLike[str],
    event: str,
    *,
    option: str | None = None,
    terms: Terms | None = None,
    replications: int | None = None,
    **execution: Unpack[Execution],
) -> EarlyWarning:
    """Search rules on published series that tell an event ahead, and judge them.

    At one date a week a rule sees the months of each series that have been published by
    then. Rules are searched on one half of the replications, drawn by lot, and judged on
    the other. `simlib.analysis.discovery.alarm_scores.Judgement` says what each rate is a share of.

    Parameters
    ----------
    scenario
        A scenario, or the path or bundled name of one; it declares series.
    event
        ``jailbreak escaped >= 100``, ``truce.posture = collapse``,
        ``raid in North >= 30 a month``, ``handover = slipped``, ...
    option
        One of its options; as it is written when not given.
    terms
        How far ahead, in which window, at the price of how many false alarms.
    replications
        How many, of both halves; the scenario's number when not given.
    execution
        Where it runs: `simlib.ensemble.execution.Execution`.

    Raises
    ------
    ScenarioError
        The event cannot be read or is too rare, the scenario has no series or no such
        option, or the window does not fit into it.
    """
    if replications is not None:
        n_replications(replications, LEAST_EVENTS, LEAST_EVENTS)
    observed = observe(scenario, event, option=option, replications=replications, **execution)
    return search(observed, terms)


def search(observed: Observed, terms: Terms | None = None) -> EarlyWarning:
    """Search rules on one half of what was observed, and judge them on the other.

    Raises
    ------
    ScenarioError
        The event is too rare, or the window does not fit into the scenario.
    """
    terms = terms or Terms()
    everyone = _reach(observed, terms)
    _refuse_rare(observed, everyone, terms)
    replications = np.arange(len(observed.event_at))
    is_training = is_stratified_half(
        observed.root_seed, replications, everyone.can_be_hit, "tripwires"
    )
    halves = [observed.part(rows) for rows in (is_training, ~is_training)]
    reaches = [_reach(half, terms) for half in halves]
    found, n_rules = _best(halves[0], reaches[0], terms)
    candidates = []
    for rule, score in found:
        training, held_out = (
            judge(half.raised(rule, reach.dates), reach)
            for half, reach in zip(halves, reaches, strict=True)
        )
        candidates.append(Candidate(rule, score, training, held_out))
    silent, silent_held_out = (judge(np.zeros_like(reach.is_at_risk), reach) for reach in reaches)
    return EarlyWarning(
        observed.scenario,
        observed.option,
        observed.event,
        terms,
        n_rules,
        silent,
        silent_held_out,
        tuple(_ranked(candidates, terms)),
    )


def _reach(observed: Observed, terms: Terms) -> Reach:
    ahead, window = terms.ahead_weeks * DAYS_PER_WEEK, terms.window_weeks * DAYS_PER_WEEK
    return Reach.of(observed, ahead, window)


def _ranked(candidates: list[Candidate], terms: Terms) -> list[Candidate]:
    """Candidates with the chosen one first, the others by score."""
    ranked = sorted(candidates, key=lambda each: -each.score)
    singles = [each for each in ranked if len(each.rule.parts) == 1]
    if singles and ranked[0] is not singles[0]:
        trained = ranked[0].training
        error = (terms.worth or 1.0) * math.sqrt(trained.n_right) / trained.n
        if ranked[0].score - singles[0].score < error:
            ranked.remove(singles[0])
            ranked.insert(0, singles[0])
    return ranked


def _refuse_rare(observed: Observed, reach: Reach, terms: Terms) -> None:
    if not len(reach.dates):
        weeks = terms.ahead_weeks + terms.window_weeks
        rule = f"{weeks:g} weeks ahead do not fit into the scenario"
        raise ScenarioError([Problem("window_weeks", rule)])
    n_events, n = int(reach.can_be_hit.sum()), len(observed.event_at)
    if n_events < LEAST_EVENTS:
        rule = f"could be told in {n_events} of {n} replications; at least {LEAST_EVENTS} must be"
        hint = f"take a commoner event, or {more_needed(LEAST_EVENTS, n_events, n)}"
        raise ScenarioError([Problem(f"event {observed.event!r}", rule, hint)])


def _score(is_raised: NDArray[np.bool_], reach: Reach, terms: Terms) -> tuple[float, float]:
    """The score of a rule per replication, and its false-alarm rate."""
    first = first_alarms(is_raised, reach)
    rows = np.flatnonzero(first >= 0)
    n_right = int(reach.is_inside[rows, first[rows]].sum())
    n_false = len(rows) - n_right
    if terms.worth is None:  # beyond what the base rate gives at the dates of these alarms
        gain = n_right - float(reach.base_rates[first[rows]].sum())
    else:
        gain = terms.worth * n_right - n_false
    return gain / len(first), n_false / max(1, int(reach.can_be_false.sum()))


def _best(
    observed: Observed, reach: Reach, terms: Terms
) -> tuple[list[tuple[AlarmRule, float]], int]:
    """The best rule of each indicator, and the best pair; and how many were tried."""
    best: dict[Indicator, tuple[Threshold, float]] = {}
    tried: list[tuple[float, Threshold]] = []
    for series, transform in itertools.product(observed.series, TRANSFORMS):
        indicator = Indicator(series, transform)
        seen = observed.seen(indicator, reach.dates)
        for part in _parts(indicator, seen[reach.is_at_risk]):
            score, false_rate = _score(part.holds(seen), reach, terms)
            tried.append((score, part))
            is_best = indicator not in best or score > best[indicator][1]
            if false_rate <= terms.most_false_alarms and score > 0 and is_best:
                best[indicator] = part, score
    singles = [(AlarmRule((part,)), score) for part, score in best.values()]
    pair, n_pairs = _best_pair(tried, observed, reach, terms)
    return singles + pair, len(tried) + n_pairs


def _parts(indicator: Indicator, values: NDArray[np.float64]) -> list[Threshold]:
    """An indicator with thresholds at quantiles of what is seen, either way."""
    values = values[~np.isnan(values)]
    if not len(values):
        return []
    high = np.unique(np.quantile(values, LEVELS, method="higher"))
    low = np.unique(np.quantile(values, [1.0 - q for q in LEVELS], method="lower"))
    parts = [Threshold(indicator, "at_least", x) for x in high.tolist() if x > values.min()]
    return parts + [Threshold(indicator, "at_most", x) for x in low.tolist() if x < values.max()]


def _best_pair(
    tried: list[tuple[float, Threshold]], observed: Observed, reach: Reach, terms: Terms
) -> tuple[list[tuple[AlarmRule, float]], int]:
    """The best pair of the best thresholds on two indicators, and how many were tried."""
    parts = [part for _, part in sorted(tried, key=lambda each: -each[0])[:N_PAIRED]]
    held = [observed.raised(AlarmRule((part,)), reach.dates) for part in parts]
    best: list[tuple[AlarmRule, float]] = []
    n_pairs = 0
    for i, j in itertools.combinations(range(len(parts)), 2):
        if parts[i].indicator == parts[j].indicator:
            continue
        n_pairs += 1
        score, false_rate = _score(held[i] & held[j], reach, terms)
        if false_rate <= terms.most_false_alarms and score > (best[0][1] if best else 0.0):
            best = [(AlarmRule((parts[i], parts[j])), score)]
    return best, n_pairs
