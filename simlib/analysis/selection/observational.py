"""Two readings of "extended", and what is known beforehand of an extension.

P(extension | observables at a date) is asked of runs in which an agent decides. The
selection gap E[Y | A = extended] - E[Y | do(A = extended)] says how far these runs are
from what an extension does; it is asked again for fixed weights of a ground.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Unpack

import numpy as np

from simlib._moved import default
from simlib.analysis.selection.decision_forecast import Forecast, forecast
from simlib.analysis.selection.forced_runs import decided, numbers_of
from simlib.analysis.selection.observables import plan_observables
from simlib.analysis.selection.selection_effect import CONTRASTS, Gap, Selection, select
from simlib.errors import Problem, ScenarioError
from simlib.journal import to_days
from simlib.outcomes.planning import unit_of
from simlib.scenario import as_scenario
from simlib.scenario.requests import n_replications
from simlib.scenario.schema import Parameter, Scenario
from simlib.scenario.wording import near_or_all
from simlib.simulation import assemble
from simlib.statistics.formatting import number, with_error

if TYPE_CHECKING:
    import datetime as dt
    import os
    from collections.abc import Sequence

    import pandas as pd

    from simlib.analysis.selection.decision_questions import Question, Slope
    from simlib.ensemble.execution import Execution

AS_WRITTEN = "as written"
MEANS = ("extended", "others", "redone", "made_extended", "made_held")


@dataclass(frozen=True, slots=True)
class Readings:
    """Both readings of "extended" for one scenario.

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
    units
        Unit of each outcome; empty for a yes/no.
    headlines
        Outcomes that sentences speak of.
    """

    scenario: str
    agent: str
    forecast: Forecast
    selections: dict[str, Selection]
    slopes: dict[str, float]
    units: dict[str, str]
    headlines: tuple[str, ...]

    def gap(self, outcome: str, version: str = AS_WRITTEN) -> Gap:
        """Return both readings of one outcome.

        Raises
        ------
        ScenarioError
            There is no such outcome.
        """
        gaps = self.selections[version].gaps
        if outcome not in gaps:
            rule = f"no number or yes/no of that name (got {outcome!r})"
            raise ScenarioError([Problem("outcome", rule, near_or_all(outcome, gaps))])
        return gaps[outcome]

    def table(self) -> pd.DataFrame:
        """Return a row for each slope and outcome: means, contrasts, errors and intervals.

        All in the unit of the outcome; nan where it is not settled by the horizon in some run.
        """
        import pandas as pd

        rows = []
        for version, selection in self.selections.items():
            for name, gap in selection.gaps.items():
                row: dict[str, object] = {
                    "threat_slope": self.slopes[version],
                    "version": version,
                    "outcome": name,
                    "unit": self.units[name],
                    "n": selection.n,
                    "n_extended": selection.n_extended,
                }
                for key in (*MEANS, *CONTRASTS):
                    estimate = getattr(gap, key)
                    row |= {key: estimate.value, f"{key}_error": estimate.error}
                    if key in CONTRASTS:
                        row |= {f"{key}_low": estimate.low, f"{key}_high": estimate.high}
                rows.append(row)
        return pd.DataFrame(rows)

    def brief(self) -> pd.DataFrame:
        """Return the headlines' readings as text, ± Monte Carlo standard error."""
        import pandas as pd

        rows = []
        for name in self.headlines:
            for version in self.selections:
                gap = self.gap(name, version)
                cells = {
                    key: with_error(getattr(gap, key).value, getattr(gap, key).error)
                    for key in ("extended", "redone", "made_extended", *CONTRASTS)
                }
                rows.append({"outcome": name, "threat slope": version, **cells})
        return pd.DataFrame(rows)

    def sentences(self) -> list[str]:
        """Return what was found, in words."""
        return [*_on_forecast(self.forecast), *_on_gaps(self)]


def readings(
    scenario: Scenario | str | os.PathLike[str],
    date: dt.date,
    *,
    question: Question | None = None,
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
    asked: Question = default("readings(question=)") if question is None else question
    loaded = as_scenario(scenario)
    asked.deadline.refuse_without(loaded)
    _refuse_date(loaded, date)
    slopes = asked.slope.weights if slopes is None else slopes
    _refuse_slopes(loaded, asked.slope, slopes)
    loaded = asked.with_before(loaded)
    headlines = _known(loaded, outcomes, asked.headlines)
    n = n_replications(replications, loaded.replications)
    time = to_days(date)
    natural = decided(loaded, n, asked, given={}, times=[time], **execution)
    blueprint = assemble(loaded)
    # An extension agreed at the very instant is known, so it is no longer open.
    is_open = ~(natural.decided_at <= time)
    found = forecast(
        date,
        plan_observables(loaded, blueprint.channels.channels, asked.public).all,
        natural.known[:, 0],
        natural.is_extended,
        is_open=is_open,
        root_seed=loaded.root_seed,
    )
    selections = {AS_WRITTEN: select(loaded, n, asked, given={}, natural=natural, **execution)}
    for slope in slopes:
        given = _given(loaded, asked.slope, float(slope))
        selections[f"{slope:g}"] = select(loaded, n, asked, given=given, **execution)
    units = {name: unit_of(loaded.outcomes[name], loaded) for name in numbers_of(loaded)}
    values = {AS_WRITTEN: math.nan} | {f"{slope:g}": float(slope) for slope in slopes}
    return Readings(
        scenario=loaded.name,
        agent=asked.deadline.agent,
        forecast=found,
        selections=selections,
        slopes=values,
        units=units,
        headlines=headlines,
    )


def _refuse_date(scenario: Scenario, date: dt.date) -> None:
    if not scenario.start < date <= scenario.end:
        rule = f"must lie after {scenario.start} and not after {scenario.end} (got {date})"
        raise ScenarioError([Problem("date", rule)])


def _refuse_slopes(scenario: Scenario, slope_of: Slope, slopes: Sequence[float]) -> None:
    if slopes and slope_of.parameter not in scenario.parameters:
        rule = f"must have {slope_of.parameter} to give it slopes"
        raise ScenarioError([Problem("parameters", rule)])
    for slope in slopes:
        if not math.isfinite(slope):
            raise ScenarioError([Problem("slopes", f"must be finite numbers (got {slope})")])


def _given(scenario: Scenario, slope: Slope, value: float) -> dict[str, float]:
    """Return a value of the slope with what goes along with it."""
    fixed = Parameter(value=value, unit=scenario.parameters[slope.parameter].unit)
    parameters = scenario.parameters | {slope.parameter: fixed}
    return {slope.parameter: value} | slope.along(
        scenario.model_copy(update={"parameters": parameters})
    )


def _known(
    scenario: Scenario, outcomes: Sequence[str], headlines: Sequence[str]
) -> tuple[str, ...]:
    numbers = numbers_of(scenario)
    wrong = [name for name in outcomes if name not in numbers]
    if wrong:
        raise ScenarioError(
            [
                Problem(
                    "outcome", f"no number or yes/no (got {name!r})", near_or_all(name, numbers)
                )
                for name in wrong
            ]
        )
    return tuple(outcomes) or tuple(name for name in headlines if name in numbers)


def _on_forecast(found: Forecast) -> list[str]:
    share = found.n_decided / found.n
    rate = found.n_extended / found.n_open
    said = []
    said.append(
        f"By {found.date} an extension was agreed in {found.n_decided} of {found.n} replications "
        f"({share:.1%}). Of the other {found.n_open}, {found.n_extended} ({rate:.1%}) were "
        "extended later."
    )
    for score in found.scores:
        is_better = score.gain > 2.0 * score.gain_error
        verdict = "better than" if is_better else "not clearly better than"
        said.append(
            f"{score.name} score of forecasts from what is known on that day, over "
            f"{found.n_judged} replications that they were not fitted on: {score.model:.4f} "
            f"against {score.base:.4f} of the base rate (gain "
            f"{with_error(score.gain, score.gain_error)}): {verdict} the base rate."
        )
    clear = found.coefficients.query("low > 0 or high < 0").head(5)
    inputs = [f"{r.input} ({r.log_odds_per_sd:+.2f})" for r in clear.itertuples()]
    text = ", ".join(inputs) or "none"
    said.append(
        "Inputs whose coefficient's interval excludes 0 (log odds per standard deviation, shrunk; "
        f"of {len(found.coefficients)} inputs some do by luck): {text}."
    )
    return said


def _on_gaps(result: Readings) -> list[str]:
    said = []
    for name in result.headlines:
        unit = result.units[name]
        for version in result.selections:
            gap = result.gap(name, version)
            if math.isnan(gap.gap.value):
                said.append(f"{name}: not settled by the horizon in some runs; no gap is taken.")
                break
            at = "slope drawn" if version == AS_WRITTEN else f"slope {version}"
            said.append(
                f"{name}, {at}: {number(gap.extended.value)} {unit} where the {result.agent} "
                "extends, "
                f"{number(gap.made_extended.value)} where it is made to; gap "
                f"{_with_interval(gap.gap)}, of which mechanics {_with_interval(gap.mechanics)}. "
                f"A comparison of runs shows {_with_interval(gap.seen)}, extending does "
                f"{_with_interval(gap.made)}."
            )
    said.append(
        "Intervals are 95 %, normal, from each replication's influence on the difference; "
        "replications are shared by what is compared."
    )
    return said


def _with_interval(estimate: object) -> str:
    value, low, high = (float(getattr(estimate, key)) for key in ("value", "low", "high"))
    places = 1 if np.isfinite(value) and high - low >= 1.0 else 3
    return f"{value:+.{places}f} ({low:+.{places}f} to {high:+.{places}f})"
