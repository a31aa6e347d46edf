"""Observational and interventional readings of "extended", and what is known beforehand.

P(extension | observables at a date) is asked of runs in which an agent decides. Of the same
runs, E[Y | A = extended] is taken over replications in which the agent extends by itself;
E[Y | do(A = extended)] over all replications, each forked at a meeting and with a length that
are drawn from the extended ones' joint distribution, the agent frozen after. J. Pearl, "Causal
diagrams for empirical research", Biometrika 82 (1995), doi:10.1093/biomet/82.4.669. The gap
between them says how far these runs are from what an extension does. The extended ones forced
to what they chose themselves tell selection (who is extended) from mechanics (how an extension
comes about in the program). It is all asked again for fixed weights of a ground.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Unpack

import numpy as np

from simlib._moved import default
from simlib.analysis.columns import Column, labels_of
from simlib.analysis.selection.decision_forecast import DecisionForecast, forecast
from simlib.analysis.selection.forced_runs import (
    NEVER,
    AnsweredRuns,
    GivenAnswer,
    numbers_of,
    simulate_answers,
)
from simlib.analysis.selection.observables import plan_observables
from simlib.chance.addresses import name_hash
from simlib.chance.philox import uniform
from simlib.errors import Problem, ScenarioError
from simlib.files import distinct
from simlib.finding import Finding, plot_room
from simlib.journal import to_date, to_days
from simlib.outcomes.planning import unit_of
from simlib.scenario import as_scenario
from simlib.scenario.requests import day, more_needed, n_replications
from simlib.scenario.schema import Parameter, Scenario
from simlib.scenario.spelling import words
from simlib.scenario.wording import near_or_all
from simlib.simulation import assemble
from simlib.statistics.formatting import number, with_error
from simlib.statistics.intervals import Z95, standard_error

if TYPE_CHECKING:
    import datetime as dt
    import os
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from simlib.analysis.selection.deadlines import DecisionQuestion, GroundWeight
    from simlib.ensemble.execution import Execution

AS_WRITTEN = "as written"
FEWEST_EXTENDED = 10
"""With fewer extended replications there is no error to be stated."""
MEANS = ("extended", "others", "redone", "do_extended", "do_held")
CONTRASTS = ("gap", "selection", "mechanics", "observational", "interventional")


@dataclass(frozen=True, slots=True)
class MeanEstimate:
    """A mean or a difference of means with its Monte Carlo error; normal 95 % interval."""

    value: float
    error: float

    @property
    def low(self) -> float:
        """Lower end of the interval."""
        return self.value - Z95 * self.error

    @property
    def high(self) -> float:
        """Upper end of the interval."""
        return self.value + Z95 * self.error

    @property
    def shown(self) -> str:
        """The difference with its interval."""
        places = 1 if np.isfinite(self.value) and self.high - self.low >= 1.0 else 3
        value, low, high = (f"{x:+.{places}f}" for x in (self.value, self.low, self.high))
        return f"{value} ({low} to {high})"


@dataclass(frozen=True, slots=True)
class SelectionEffect:
    """What one outcome comes to, observed and by intervention.

    Attributes
    ----------
    extended
        E[Y | A = extended], over replications that were extended.
    others
        E[Y | A = not extended].
    redone
        The extended ones forced at their own meeting, by their own length.
    do_extended
        E[Y | do(A = extended)], over all replications.
    do_held
        E[Y | do(A = end as agreed)], over all replications.
    gap
        `extended` less `do_extended`: how wrong it is to read the first as the second.
    selection
        `redone` less `do_extended`: that other worlds are extended than not.
    mechanics
        `extended` less `redone`: what is left if the same worlds are extended by force.
    observational
        `extended` less `others`: what a comparison of runs shows.
    interventional
        `do_extended` less `do_held`: what extending does.
    """

    extended: MeanEstimate
    others: MeanEstimate
    redone: MeanEstimate
    do_extended: MeanEstimate
    do_held: MeanEstimate
    gap: MeanEstimate
    selection: MeanEstimate
    mechanics: MeanEstimate
    observational: MeanEstimate
    interventional: MeanEstimate


@dataclass(frozen=True, slots=True)
class SelectionEffects:
    """The effect of selection on every outcome, from one set of replications.

    Attributes
    ----------
    n, n_extended
        Replications, and how many of them were extended.
    effects
        By outcome.
    """

    n: int
    n_extended: int
    effects: dict[str, SelectionEffect]


@dataclass(frozen=True, slots=True)
class Readings(Finding):
    """Observational and interventional readings of "extended" for one scenario.

    Attributes
    ----------
    scenario
        Its name.
    agent
        Who decides.
    forecast
        What is known at the date says of an extension.
    selections
        The selection gap of every outcome: ``as written``, then for each fixed slope.
    slopes
        The slope of each of them; nan where it is drawn.
    units, labels
        Unit of each outcome, empty for a yes/no; what people read in the place of its name.
    headlines
        Outcomes that sentences speak of.
    """

    stem: ClassVar[str] = "selection_gap"

    scenario: str
    agent: str
    forecast: DecisionForecast
    selections: dict[str, SelectionEffects]
    slopes: dict[str, float]
    units: dict[str, str]
    labels: dict[str, str]
    headlines: tuple[str, ...]

    def gap(self, outcome: str, version: str = AS_WRITTEN) -> SelectionEffect:
        """The effect of selection on one outcome.

        Raises
        ------
        ScenarioError
            There is no such outcome.
        """
        gaps = self.selections[version].effects
        if outcome not in gaps:
            rule = f"no number or yes/no of that name (got {outcome!r})"
            raise ScenarioError([Problem("outcome", rule, near_or_all(outcome, gaps))])
        return gaps[outcome]

    def table(self) -> pd.DataFrame:
        """A row for each slope and outcome: means, contrasts, errors and intervals.

        All in the unit of the outcome; nan where it is not settled by the horizon in some run.
        """
        import pandas as pd

        rows = []
        for version, selection in self.selections.items():
            for name, effect in selection.effects.items():
                row: dict[str, object] = {
                    "threat_slope": self.slopes[version],
                    "version": version,
                    "outcome": name,
                    "unit": self.units[name],
                    "n": selection.n,
                    "n_extended": selection.n_extended,
                }
                for key in (*MEANS, *CONTRASTS):
                    estimate = getattr(effect, key)
                    row |= {key: estimate.value, f"{key}_error": estimate.error}
                    if key in CONTRASTS:
                        row |= {f"{key}_low": estimate.low, f"{key}_high": estimate.high}
                rows.append(row)
        return pd.DataFrame(rows)

    def brief(self) -> pd.DataFrame:
        """The headlines' readings as text, ± Monte Carlo standard error."""
        import pandas as pd

        rows = []
        for name in self.headlines:
            for version in self.selections:
                effect = self.gap(name, version)
                cells = {
                    key: with_error(getattr(effect, key).value, getattr(effect, key).error)
                    for key in ("extended", "redone", "do_extended", *CONTRASTS)
                }
                rows.append({"outcome": self.labels[name], "threat slope": version, **cells})
        return pd.DataFrame(rows)

    def briefs(self) -> dict[str, pd.DataFrame]:
        """The headlines, then what is known at the date says of an extension."""
        return {"± Monte Carlo standard error": self.brief(), **self.forecast.briefs()}

    def tables(self) -> dict[str, pd.DataFrame]:
        """The selection gap of every outcome, and the tables of the forecast."""
        return {self.stem: self.table(), **self.forecast.tables()}

    def figures(self) -> dict[str, Callable[[], Axes]]:
        """The selection gap of each headline, and P(extension) by what is known."""
        gaps: dict[str, Callable[[], Axes]] = {
            f"selection_gap-{name}": partial(plot_room().readings, self, outcome)
            for outcome, name in distinct(self.headlines, as_they_are=True).items()
        }
        return gaps | self.forecast.figures()

    def sentences(self) -> list[str]:
        """Say what forecasts an extension, what a comparison of runs shows and what it does."""
        lines = self.forecast.sentences()
        for name in self.headlines:
            gaps = [self.gap(name, version).gap.value for version in self.selections]
            if any(map(math.isnan, gaps)):
                why = "not settled by the horizon in some runs; no gap is taken"
                lines.append(f"{self.labels[name]}: {why}.")
            else:
                lines += [self._on_gap(name, version) for version in self.selections]
        lines.append(
            "Intervals are 95 %, normal, from each replication's influence on the difference; "
            "replications are shared by what is compared."
        )
        return lines

    def _on_gap(self, name: str, version: str) -> str:
        effect, unit = self.gap(name, version), self.units[name]
        at = "slope drawn" if version == AS_WRITTEN else f"slope {version}"
        return (
            f"{self.labels[name]}, {at}: {number(effect.extended.value)} {unit} where the "
            f"{words(self.agent)} extends, {number(effect.do_extended.value)} where it is made "
            f"to; gap {effect.gap.shown}, of which mechanics {effect.mechanics.shown}. A "
            f"comparison of runs shows {effect.observational.shown}, extending does "
            f"{effect.interventional.shown}."
        )


def readings(
    scenario: Scenario | str | os.PathLike[str],
    date: dt.date | str,
    *,
    question: DecisionQuestion | None = None,
    outcomes: Sequence[str] = (),
    slopes: Sequence[float] | None = None,
    replications: int | None = None,
    **execution: Unpack[Execution],
) -> Readings:
    """Compare both readings of "extended", and ask what is known of it at a date.

    Parameters
    ----------
    scenario
        A scenario with the agent that decides, or the path or bundled name of one; taken as
        it is written, so that the agent does decide.
    date
        What is known by its first instant is used; after the start and before the end.
    question
        The deadline, who decides, and what is asked of it; to be given.
    outcomes
        Numbers and yes/no's that sentences speak of; the question's headlines where none is
        given. The table has all.
    slopes
        Weights of the question's slope for which the gap is taken again, what goes along
        with them solved anew; the question's own when not given.
    replications
        How many; the scenario's number when not given.
    execution
        Where it runs: `simlib.ensemble.execution.Execution`.

    Raises
    ------
    ScenarioError
        Nobody decides, there is no such outcome, or too few extensions to say anything.
    """
    question = default("readings(question=)") if question is None else question
    loaded = as_scenario(scenario)
    question.deadline.refuse_without(loaded)
    date = day("date", date)
    _refuse_date(loaded, date)
    slopes = question.slope.weights if slopes is None else slopes
    _refuse_slopes(loaded, question.slope, slopes)
    loaded = question.with_before(loaded)
    headlines = _known(loaded, outcomes, question.headlines)
    n = n_replications(replications, loaded.replications, FEWEST_EXTENDED + 1)
    deciding = [GivenAnswer(replication) for replication in range(n)]
    natural = simulate_answers(loaded, deciding, question, times=[to_days(date)], **execution)
    selections = {AS_WRITTEN: select(natural, loaded, question, **execution)}
    # The same replications at every slope: what differs between them is the slope's, not luck.
    for slope in slopes:
        given = _given(loaded, question.slope, float(slope))
        runs = simulate_answers(loaded, deciding, question, given=given, **execution)
        selections[f"{slope:g}"] = select(runs, loaded, question, given=given, **execution)
    return Readings(
        scenario=loaded.name,
        agent=question.deadline.agent,
        forecast=_forecast(natural, loaded, question, date),
        selections=selections,
        slopes={AS_WRITTEN: math.nan} | {f"{slope:g}": float(slope) for slope in slopes},
        units={name: unit_of(loaded.outcomes[name], loaded) for name in numbers_of(loaded)},
        labels=labels_of(loaded, map(Column, numbers_of(loaded))),
        headlines=headlines,
    )


def _forecast(
    natural: AnsweredRuns, scenario: Scenario, question: DecisionQuestion, date: dt.date
) -> DecisionForecast:
    channels = assemble(scenario).channels.channels
    return forecast(
        date,
        plan_observables(scenario, channels, question.public).all,
        natural.known[:, 0],
        natural.is_extended,
        # An extension agreed at the very instant is known, so it is no longer open.
        is_open=~(natural.decided_at <= to_days(date)),
        root_seed=scenario.root_seed,
    )


def _refuse_date(scenario: Scenario, date: dt.date) -> None:
    if not scenario.start < date <= scenario.end:
        rule = f"must lie after {scenario.start} and not after {scenario.end} (got {date})"
        raise ScenarioError([Problem("date", rule)])


def _refuse_slopes(scenario: Scenario, slope_of: GroundWeight, slopes: Sequence[float]) -> None:
    if slopes and slope_of.parameter not in scenario.parameters:
        rule = f"must have {slope_of.parameter} to give it slopes"
        raise ScenarioError([Problem("parameters", rule)])
    for slope in slopes:
        if not math.isfinite(slope):
            raise ScenarioError([Problem("slopes", f"must be finite numbers (got {slope})")])


def _given(scenario: Scenario, slope: GroundWeight, value: float) -> dict[str, float]:
    """A value of the slope with what goes along with it."""
    fixed = Parameter(value=value, unit=scenario.parameters[slope.parameter].unit)
    parameters = scenario.parameters | {slope.parameter: fixed}
    return {slope.parameter: value} | slope.along(
        scenario.model_copy(update={"parameters": parameters})
    )


def _known(
    scenario: Scenario, outcomes: Sequence[str], headlines: Sequence[str]
) -> tuple[str, ...]:
    numbers = numbers_of(scenario)
    problems = [
        Problem("outcome", f"no number or yes/no (got {name!r})", near_or_all(name, numbers))
        for name in outcomes
        if name not in numbers
    ]
    if problems:
        raise ScenarioError(problems)
    return tuple(outcomes) or tuple(name for name in headlines if name in numbers)


def assigned(natural: AnsweredRuns, root_seed: int) -> list[GivenAnswer]:
    """Deal out meetings and lengths of the extended replications to all of them.

    Replications are put in the order of a uniform each and dealt out evenly, so that every
    extended one lends its meeting and length equally often, up to one.
    """
    n = len(natural.months)
    donors = np.flatnonzero(natural.is_extended)
    address = name_hash("readings|assigned")
    order = np.argsort([uniform(root_seed, r, address) for r in range(n)], kind="stable")
    chosen = np.empty(n, dtype=np.intp)
    chosen[order] = donors[np.arange(n) * len(donors) // n]
    return [_as_in(natural, r, int(donor)) for r, donor in enumerate(chosen)]


def _as_in(natural: AnsweredRuns, replication: int, donor: int) -> GivenAnswer:
    at = to_date(float(natural.decided_at[donor]))
    return GivenAnswer(replication, int(natural.months[donor]), at)


def select(
    natural: AnsweredRuns,
    scenario: Scenario,
    question: DecisionQuestion,
    *,
    given: Mapping[str, float] | None = None,
    **execution: Unpack[Execution],
) -> SelectionEffects:
    """Compare observational with interventional means of every outcome.

    The agent decides in the runs given, one of each replication from 0 on; all else is as
    they were simulated by `simulate_answers`.

    Raises
    ------
    ScenarioError
        Fewer than `FEWEST_EXTENDED` replications are extended.
    """
    n = len(natural.months)
    own = np.flatnonzero(natural.is_extended)
    if not FEWEST_EXTENDED <= len(own) < n:
        rule = f"the {question.deadline.agent} extends in {len(own)} of {n} replications"
        more = more_needed(FEWEST_EXTENDED, min(len(own), n - len(own)), n)
        hint = f"at least {FEWEST_EXTENDED}, and not all, are needed: {more}"
        raise ScenarioError([Problem("replications", rule, hint)])
    everyone = assigned(natural, scenario.root_seed)
    holding = [GivenAnswer(r, NEVER) for r in range(n)]
    redone = [_as_in(natural, int(r), int(r)) for r in own]
    answers = [*everyone, *holding, *redone]
    found = simulate_answers(scenario, answers, question, given=given, **execution).outcomes
    parts = found[:n], found[n : 2 * n], found[2 * n :]
    effects = {
        name: _effect(natural.is_extended, natural.outcomes[:, i], [p[:, i] for p in parts])
        for i, name in enumerate(numbers_of(scenario))
    }
    return SelectionEffects(n, len(own), effects)


def _effect(
    is_extended: NDArray[np.bool_],
    natural: NDArray[np.float64],
    parts: list[NDArray[np.float64]],
) -> SelectionEffect:
    """Estimate the effect on one outcome from influence values, one a replication."""
    made, kept, own = parts
    # Only extended replications were redone; the zeros of the others have no influence.
    redone = np.zeros(len(natural))
    redone[is_extended] = own
    means = {
        "extended": _influence(natural, is_extended),
        "others": _influence(natural, ~is_extended),
        "redone": _influence(redone, is_extended),
        "do_extended": _influence(made, np.ones_like(is_extended)),
        "do_held": _influence(kept, np.ones_like(is_extended)),
    }

    def less(one: str, other: str) -> MeanEstimate:
        # Influences are subtracted by replication, so that luck both means share cancels.
        (a, of_a), (b, of_b) = means[one], means[other]
        return _estimate(a - b, of_a - of_b)

    return SelectionEffect(
        **{key: _estimate(*mean) for key, mean in means.items()},
        gap=less("extended", "do_extended"),
        selection=less("redone", "do_extended"),
        mechanics=less("extended", "redone"),
        observational=less("extended", "others"),
        interventional=less("do_extended", "do_held"),
    )


def _influence(
    values: NDArray[np.float64], is_in: NDArray[np.bool_]
) -> tuple[float, NDArray[np.float64]]:
    """The mean over some replications, and the influence of each replication on it.

    The influence of a mean given an event is 1{in} (y - mean) / P(in); the mean of its
    square over n is the variance of the ratio of sums (delta method).
    """
    mean = float(np.mean(values[is_in]))
    return mean, np.where(is_in, values - mean, 0.0) / np.mean(is_in)


def _estimate(value: float, influence: NDArray[np.float64]) -> MeanEstimate:
    return MeanEstimate(value, standard_error(influence))
