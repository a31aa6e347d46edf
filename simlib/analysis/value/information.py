"""Value of information: which unknown, if learnt, would change the ranking, and by how much.

At each date the choice is between the end as agreed and extensions from that date on, all
forced and under common random numbers. Learning a parameter is worth its EVPPI; the
reports published by a date are worth their EVSI; a parameter besides these reports is
worth what it adds to them.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import numpy as np

from simlib._moved import default
from simlib.analysis.selection.forced_ends import HELD, extension_name
from simlib.analysis.selection.forced_runs import known_when_held
from simlib.analysis.selection.observables import Observable, encoded, plan_observables
from simlib.analysis.value.evppi import Sample, value_all
from simlib.analysis.value.informing import Information, Learning, Ranking
from simlib.analysis.value.losses import LossPanel, load_losses
from simlib.analysis.value.valuing import (
    FEWEST,
    FOLDS,
    regions,
    without_learning,
    wrong_ranking,
)
from simlib.ensemble import run
from simlib.ensemble.execution import execution_of
from simlib.errors import Problem, ScenarioError
from simlib.journal import to_days
from simlib.scenario import as_scenario
from simlib.scenario.requests import n_replications
from simlib.scenario.wording import near_or_all
from simlib.simulation import assemble
from simlib.statistics.resampling import folds_of
from simlib.world.quantities import ParameterPlan

if TYPE_CHECKING:
    import datetime as dt
    import os
    from collections.abc import Mapping, Sequence
    from typing import Any

    from numpy.typing import NDArray

    from simlib.analysis.selection.decision_questions import Question
    from simlib.analysis.selection.forced_ends import Deadline
    from simlib.analysis.selection.observables import Public
    from simlib.ensemble import Ensemble
    from simlib.ensemble.execution import Execution
    from simlib.scenario.schema import Scenario

ALL = "all parameters"
MOST_REGIONS = 5
"""Parameters for which it is said where in their range another option is best."""


def value_of_information(
    scenario: Scenario | str | os.PathLike[str],
    losses: LossPanel | Mapping[str, Any] | str | os.PathLike[str] | None = None,
    *,
    question: Question | None = None,
    dates: Sequence[dt.date] = (),
    options: Sequence[str] = (),
    replications: int | None = None,
    **execution: Unpack[Execution],
) -> Information:
    """Value what could be learnt before a deadline is decided on.

    Parameters
    ----------
    scenario
        A scenario with the agent that decides, or the path or bundled name of one.
    losses
        A panel of losses; see `simlib.analysis.value.losses.load_losses`.
    question
        The deadline, and who decides on it; to be given.
    dates
        When it is decided; the scheduled meetings when none is given.
    options
        Options of the scenario that are compared too, at every date.
    replications
        How many; the scenario's number when not given.
    execution
        Where it runs: `simlib.ensemble.execution.Execution`.

    Raises
    ------
    ScenarioError
        Nobody decides, a date lies outside, a loss weighs what is not there, or
        there are too few replications.
    """
    asked: Question = default("value_of_information(question=)") if question is None else question
    loaded = as_scenario(scenario)
    asked.deadline.refuse_without(loaded)
    panel = load_losses(loaded, losses)
    chosen_dates = _dates(loaded, asked.deadline, dates)
    _refuse_options(loaded, options)
    n = n_replications(replications, loaded.replications)
    if n < FEWEST:
        rule = f"must be {FEWEST} or more (got {n})"
        raise ScenarioError([Problem("replications", rule)])
    where = execution_of(execution)
    folder = where.get("directory")
    forked = asked.deadline.with_extensions(loaded, chosen_dates)
    names = {
        at: (HELD, *(extension_name(months, at) for months in asked.deadline.lengths), *options)
        for at in chosen_dates
    }
    ensemble = run(
        forked,
        options=tuple(dict.fromkeys(name for each in names.values() for name in each)),
        replications=n,
        directory=None if folder is None else Path(folder) / "ensemble",
        jobs=where.get("jobs"),
        scheduler=where.get("scheduler"),
        progress=where.get("progress"),
    )
    times = [to_days(at) for at in chosen_dates]
    known = known_when_held(loaded, n, times, asked, **where)
    sample = _sample(loaded, panel, ensemble, names, known, public=asked.public)
    learnings = value_all(sample, where)
    return Information(
        scenario=loaded.name,
        n=len(sample.folds),
        panel=panel,
        options=names,
        rankings=_rankings(sample, names),
        learnings=_with_regions(learnings, sample, names),
        n_unknowns=len(sample.drawn) + len(sample.groups),
    )


def _dates(scenario: Scenario, deadline: Deadline, dates: Sequence[dt.date]) -> tuple[dt.date, ...]:
    agreed = scenario.timeline[deadline.milestone].date
    found = tuple(sorted(set(dates))) or deadline.meetings(scenario)
    for date in found:
        if not scenario.start < date < agreed:
            rule = f"must lie after {scenario.start} and before {agreed} (got {date})"
            raise ScenarioError([Problem("dates", rule)])
    return found


def _refuse_options(scenario: Scenario, options: Sequence[str]) -> None:
    problems = [
        Problem(f"options.{name}", "no such option", near_or_all(name, scenario.options))
        for name in options
        if name not in scenario.options
    ]
    if problems:
        raise ScenarioError(problems)


def _sample(
    scenario: Scenario,
    panel: LossPanel,
    ensemble: Ensemble,
    names: Mapping[dt.date, tuple[str, ...]],
    known: NDArray[np.float64],
    *,
    public: Public,
) -> Sample:
    """Gather what every option has of the replications that failed under none."""
    wanted = list(panel.outcomes())
    tables = {name: ensemble.of(name).outcomes[wanted] for name in ensemble.options}
    shared = next(iter(tables.values())).index
    for table in tables.values():
        shared = shared.intersection(table.index)
    if len(shared) < FEWEST:
        rule = f"only {len(shared)} replications failed under no option"
        raise ScenarioError([Problem("replications", rule, f"{FEWEST} are needed")])
    by_option = {
        name: panel.values(lambda outcome, t=table: t.loc[shared, outcome].to_numpy(float))  # type: ignore[misc]
        for name, table in tables.items()
    }
    losses = {
        (loss, at): np.column_stack([by_option[name][loss] for name in each])
        for loss in panel.losses
        for at, each in names.items()
    }
    parameters = ensemble.of(HELD).parameters.loc[shared]
    drawn = {name: parameters[name].to_numpy(float) for name in ParameterPlan(scenario).drawn}
    observables = _observables(scenario, public)
    reports = {at: _reports(observables, known[shared.to_numpy(), i]) for i, at in enumerate(names)}
    folds = folds_of(len(shared), FOLDS, scenario.root_seed)
    return Sample(losses, drawn, _groups(scenario, tuple(drawn)), reports, folds)


def _observables(scenario: Scenario, public: Public) -> tuple[Observable, ...]:
    return plan_observables(scenario, assemble(scenario).channels.channels, public).all


def _reports(
    observables: tuple[Observable, ...], known: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return reports as columns of one scale; a ridge penalty weighs them alike."""
    _, columns = encoded(observables, known)
    if not columns.shape[1]:
        return columns
    scaled: NDArray[np.float64] = (columns - columns.mean(axis=0)) / columns.std(axis=0)
    return scaled


def _groups(scenario: Scenario, drawn: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Return groups of parameters: by the first part of their names, by what they rest on."""
    found: dict[str, list[str]] = {}
    for name in drawn:
        found.setdefault(f"{name.partition('.')[0]}.*", []).append(name)
        owner = name if name in scenario.parameters else name.rpartition(".")[0]
        is_sourced = scenario.parameters[owner].register is not None
        found.setdefault(f"of {'the register' if is_sourced else 'judgement'}", []).append(name)
    several = {group: tuple(members) for group, members in found.items() if len(members) > 1}
    return several | {ALL: drawn}


def _rankings(sample: Sample, names: Mapping[dt.date, tuple[str, ...]]) -> list[Ranking]:
    found = []
    for (loss, date), losses in sample.losses.items():
        means = losses.mean(axis=0)
        best = without_learning(losses)
        less_best = losses - losses[:, [best]]
        errors = np.std(less_best, axis=0, ddof=1) / np.sqrt(len(losses))
        found.append(
            Ranking(
                loss=loss,
                date=date,
                options=names[date],
                means=tuple(means.tolist()),
                above_best=tuple((means - means[best]).tolist()),
                errors=tuple(errors.tolist()),
                best=names[date][best],
                p_wrong=wrong_ranking(losses, best),
            )
        )
    return found


def _with_regions(
    learnings: list[Learning], sample: Sample, names: Mapping[dt.date, tuple[str, ...]]
) -> list[Learning]:
    """Say of the parameters worth most where in their range another option is best."""
    told: dict[tuple[str, dt.date, str], tuple[tuple[float, float, str], ...]] = {}
    for (loss, date), losses in sample.losses.items():
        best = without_learning(losses)
        those = [
            each
            for each in learnings
            if (each.loss, each.date, each.kind) == (loss, date, "parameter")
        ]
        those.sort(key=lambda each: -each.worth.estimate)
        for each in those[:MOST_REGIONS]:
            found = regions(losses, sample.drawn[each.name], best)
            told[loss, date, each.name] = tuple((a, b, names[date][d]) for a, b, d in found)
    return [
        dataclasses.replace(each, regions=told.get((each.loss, each.date, each.name), ()))
        for each in learnings
    ]
