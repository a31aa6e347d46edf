"""From a run to a ledger: what the replications say of every question, once and for all."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from simlib._version import __version__
from simlib.ensemble import run, store
from simlib.ensemble.execution import execution_of
from simlib.ensemble.manifest import scenario_digest
from simlib.ensemble.results import open_results
from simlib.evidence.ledger.base_rates import LARGEST, LEVELS
from simlib.evidence.ledger.forecast_questions import (
    ForecastQuestion,
    Questionnaire,
    load_questions,
)
from simlib.evidence.ledger.ledger_scores import stated
from simlib.evidence.ledger.sealing import LedgerError, sealed
from simlib.scenario import as_scenario
from simlib.scenario.context import CLASSES
from simlib.statistics.summaries import of_classes, of_flag, of_number

if TYPE_CHECKING:
    import datetime as dt
    import os
    from collections.abc import Iterator, Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from simlib.ensemble.execution import Execution
    from simlib.ensemble.results import Ensemble
    from simlib.scenario.schema import Outcome, Scenario
    from simlib.statistics.summaries import Summary

DIGITS = 6
"""Significant digits that are kept of a number."""
OBSERVED = "observed"
"""What a question is conditional on that is asked under no option: on nothing."""


def freeze(
    scenario: Scenario | str | os.PathLike[str],
    questions: Questionnaire | Mapping[str, Any] | str | os.PathLike[str] | None = None,
    *,
    replications: int | None = None,
    dated: dt.date | None = None,
    results: str | os.PathLike[str] | None = None,
    **execution: Unpack[Execution],
) -> dict[str, Any]:
    """A ledger: dated, hashed questions with what a run says of each.

    Parameters
    ----------
    scenario
        A scenario, or the path or bundled name of one.
    questions
        As `simlib.evidence.ledger.forecast_questions.load_questions` takes them.
    replications
        How many; the scenario's number, or those of the results, when not given.
    dated
        The day of writing. It is kept beside the hashes, not under them.
    results
        The name of `directory` in the release before.
    execution
        Where it runs: `simlib.ensemble.execution.Execution`. A results directory that holds
        every outcome the questions read, and no other number of replications than is asked
        for, is frozen as it is; else the run is kept, or gone on with, there, and all that is
        there then is frozen.

    Raises
    ------
    ScenarioError
        The scenario or a question is wrong.
    StoreError
        The results are of another scenario.
    LedgerError
        Every replication failed.
    """
    if results is not None:
        warnings.warn("results= is directory=", DeprecationWarning, stacklevel=2)
        execution["directory"] = results
    loaded = as_scenario(scenario)
    questionnaire = load_questions(loaded, questions)
    where = execution_of(execution)
    ensemble = _ensemble(loaded, questionnaire, replications, where)
    if ensemble.n == ensemble.n_failed:
        raise LedgerError("every replication failed: there is nothing to freeze")
    branches = {
        option: _branch(loaded, questionnaire, option, ensemble.n, where)
        for option in questionnaire.options()
    }
    head = {
        "scenario": loaded.name,
        "scenario_digest": scenario_digest(loaded),
        "result_digest": ensemble.digest,
        "root_seed": ensemble.root_seed,
        "replications": ensemble.n,
        "failed": ensemble.n_failed,
        "as_of": str(loaded.as_of or loaded.start),
        "simlib": __version__,
        "context_of_use": loaded.context_of_use,
        "note": questionnaire.note,
        "levels": LEVELS.tolist(),
        "dated": None if dated is None else str(dated),
    }
    if branches:
        head["branches"] = {option: branch.digest for option, branch in branches.items()}
    return sealed(head, list(_all_frozen(loaded, questionnaire, {OBSERVED: ensemble, **branches})))


def frozen_table(ledger: Mapping[str, Any]) -> pd.DataFrame:
    """A row a question: what is forecast, what the base rate says, when it resolves.

    Probabilities of a yes or of classes; of numbers the median with its 90 % interval.
    """
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "id": question["id"],
                "kind": question["kind"],
                "forecast": stated(question["forecast"]),
                "base rate": stated(question["base"]),
                "resolves on": question["resolves_on"],
            }
            for question in ledger["questions"]
        ]
    )


def _ensemble(
    scenario: Scenario,
    questions: Questionnaire,
    replications: int | None,
    execution: Execution,
) -> Ensemble:
    """Take results that have all the questions read, or simulate them."""
    whole = questions.extended(scenario)
    directory = execution.get("directory")
    path = None if directory is None else Path(directory)
    if path is not None and not store.is_free(path):
        held = open_results(path)
        names = [name for name, _ in questions.outcomes_of(scenario).values()]
        same = held.manifest["scenario_digest"] in map(scenario_digest, (scenario, whole))
        has_all = all(name in held.manifest["outcomes"] for name in names)
        if same and has_all and held.options == ("",) and replications in {None, held.n}:
            return held
    return run(whole, replications=replications, **execution)


def _branch(
    scenario: Scenario, questions: Questionnaire, option: str, n: int, execution: Execution
) -> Ensemble:
    """The same replications under an option; kept beside the directory of the others."""
    where = execution.copy()
    directory = execution.get("directory")
    if directory is not None:
        where["directory"] = f"{directory}.{option}"
    return run(questions.extended(scenario), option=option, replications=n, **where)


def _all_frozen(
    scenario: Scenario, questions: Questionnaire, runs: Mapping[str, Ensemble]
) -> Iterator[dict[str, Any]]:
    """Iterate over frozen questions: each as observed, then under its options."""
    read = questions.outcomes_of(scenario)
    for name, question in questions.questions.items():
        outcome, how = read[name]
        for under in (OBSERVED, *question.under):
            values = _seen(name, runs[under].values(outcome))
            entry = _frozen(name, question, how, values)
            if questions.options():
                entry["under"] = under
            if under != OBSERVED:
                entry["id"] = f"{name}.{under}"
                entry["text"] = f"{questions.conditions[under]} If so: {question.text}"
            yield entry


def _seen(name: str, values: NDArray[Any]) -> NDArray[Any]:
    """Values of an outcome of which at least one is settled."""
    if values.dtype.kind == "f" and np.isnan(values).all():
        raise LedgerError(f"question {name}: its outcome is not settled by the horizon")
    if values.dtype.kind == "f" and np.nanmax(np.abs(values)) > LARGEST:
        got = f"got {np.nanmax(np.abs(values)):g}"
        raise LedgerError(f"question {name}: its outcome must be at most {LARGEST:g} ({got})")
    return values


def _frozen(
    name: str, question: ForecastQuestion, outcome: Outcome, values: NDArray[Any]
) -> dict[str, Any]:
    entry = {
        "id": name,
        "text": question.text,
        "kind": question.kind,
        "resolves_on": str(question.resolves_on),
        "earliest": str(question.earliest or question.resolves_on),
        "source": question.source,
    }
    forecast, base = {
        "binary": _of_flag,
        "classes": _of_classes,
        "number": _of_number,
    }[question.kind](question, outcome, values)
    base["source"] = question.base.source
    return {**entry, "forecast": forecast, "base": base}


def _of_flag(
    question: ForecastQuestion, _outcome: Outcome, values: NDArray[np.float64]
) -> tuple[dict[str, Any], dict[str, Any]]:
    if question.at_least is not None:
        values = np.where(np.isnan(values), np.nan, values >= question.at_least)
    seen = of_flag("", values, len(values))
    forecast = {**_probability(seen), "n": seen.n}
    return forecast, {"probability": _rounded(question.base.probability or 0.0)}


def _of_classes(
    question: ForecastQuestion, outcome: Outcome, values: NDArray[Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    known = dict.fromkeys([*outcome.classes, *CLASSES])
    rows = of_classes("", tuple(known), [str(value) for value in values], len(values))
    forecast = {"classes": {row.category: _probability(row) for row in rows}, "n": len(values)}
    base = question.base.classes or {}
    return forecast, {
        "classes": {row.category: _rounded(base.get(row.category, 0.0)) for row in rows}
    }


def _of_number(
    question: ForecastQuestion, _outcome: Outcome, values: NDArray[np.float64]
) -> tuple[dict[str, Any], dict[str, Any]]:
    base = question.base.quantiles()
    if question.cap is not None:
        # fmin: what is not settled by the horizon counts as the cap.
        values, base = np.fmin(values, question.cap), np.fmin(base, question.cap)
    seen = of_number("", "", values, len(values))
    quantiles = np.quantile(values[~np.isnan(values)], LEVELS, method="inverted_cdf")
    forecast = {
        "mean": _rounded(seen.mean),
        "mc_error": None if seen.n < 2 else _rounded(seen.mc_error),
        "n": seen.n,
        "cap": question.cap,
        "quantiles": _all_rounded(quantiles),
    }
    return forecast, {"quantiles": _all_rounded(base)}


def _probability(row: Summary) -> dict[str, Any]:
    return {
        "probability": _rounded(row.mean),
        "interval": [_rounded(row.low), _rounded(row.high)],
    }


def _all_rounded(values: NDArray[np.float64]) -> list[float]:
    return [_rounded(value) for value in values.tolist()]


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
