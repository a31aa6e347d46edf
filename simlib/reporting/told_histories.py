"""Three of the histories told: a typical one, a good one and a bad one, and why these."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from simlib.analysis.value.losses import load_losses
from simlib.ensemble import Ensemble
from simlib.errors import ScenarioError
from simlib.journal import to_date
from simlib.scenario.spelling import words
from simlib.statistics.formatting import number

if TYPE_CHECKING:
    import datetime as dt

    import pandas as pd
    from numpy.typing import NDArray

    from simlib.scenario.schema import Scenario

_PLACES = {"good": 0.1, "typical": 0.5, "bad": 0.9}
"""How many histories are better: extremes are nobody's future, so none is taken."""
SURPRISE = 1.0 / 3.0
"""A decision that had no more than this chance is told among the turns."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What happened on a day, in words."""

    date: dt.date
    who: str
    what: str
    chance: float


@dataclass(frozen=True, slots=True)
class ToldHistory:
    """One replication: its turns, every decision taken, and incidents by month."""

    kind: str
    replication: int
    option: str
    turns: tuple[Turn, ...]
    decisions: tuple[Turn, ...]
    months: dict[str, list[int]]
    """By type of incident."""
    facts: tuple[tuple[str, str], ...]
    """Outcomes by which it was chosen, with their values."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Histories, and how they were chosen."""

    rule: str
    histories: tuple[ToldHistory, ...]


def chosen_histories(ensemble: Ensemble, scenario: Scenario, outcomes: tuple[str, ...]) -> Chosen:
    """Choose three replications of one option and tell them.

    Parameters
    ----------
    ensemble
        The results of one option.
    outcomes
        Numbers by which they are ranked where the panel of losses is of another scenario.
    """
    table = ensemble.outcomes
    if len(table) < len(_PLACES):
        return Chosen(f"Told are three histories; there are {len(table)}.", ())
    columns, weighed, rule = _ranked_by(table, scenario, outcomes)
    ranks = np.mean([_ranks(values) for values in columns.values()], axis=0)
    order = np.argsort(ranks, kind="stable")
    index = {kind: order[round(share * (len(order) - 1))] for kind, share in _PLACES.items()}
    told = tuple(_told(ensemble, kind, int(table.index[index[kind]]), weighed)
                 for kind in ("typical", "good", "bad"))  # fmt: skip
    return Chosen(rule, told)


def _ranked_by(
    table: pd.DataFrame, scenario: Scenario, outcomes: tuple[str, ...]
) -> tuple[dict[str, NDArray[np.float64]], tuple[str, ...], str]:
    """What orders replications, the outcomes in it, and the sentence that says so."""
    where = "good: one in ten is better; bad: one in ten is worse; typical: the one in the middle"
    try:
        panel = load_losses(scenario)
    except ScenarioError:
        # The panel weighs outcomes that only its own theatre has.
        columns = {name: _open_last(table[name]) for name in outcomes}
        names = ", ".join(words(name) for name in columns)
        rule = f"Ranked by the mean of their ranks in {names}, less being good ({where})."
        return columns, tuple(columns), rule
    losses = {
        name: sum(term.weight * _open_last(table[each]) for each, term in loss.terms.items())
        for name, loss in panel.losses.items()
    }
    names = ", ".join(words(name) for name in losses)
    rule = (
        f"Ranked by the mean of their ranks in the losses of the illustrative panel ({names}), "
        f"which takes no side ({where}). What is not settled by the end counts as later than all."
    )
    columns = {name: np.asarray(values, dtype=np.float64) for name, values in losses.items()}
    return columns, panel.outcomes(), rule


def _open_last(values: Any) -> NDArray[np.float64]:
    numbers = np.asarray(values, dtype=np.float64)
    return np.where(np.isnan(numbers), np.inf, numbers)


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks from 0 on; those that are equal share their mean."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    middle: NDArray[np.float64] = (last - (counts + 1) / 2.0)[inverse]
    return middle


def _told(
    ensemble: Ensemble, kind: str, replication: int, outcomes: tuple[str, ...]
) -> ToldHistory:
    alone = _alone(ensemble, replication)
    decisions = _rows_of(alone.decisions, replication)
    taken = [_turn(row) for row in decisions if row["taken"] != "no"]
    is_turn = [row["taken"] != "yes" or row["probability"] <= SURPRISE
               for row in decisions if row["taken"] != "no"]  # fmt: skip
    turns = [turn for turn, is_told in zip(taken, is_turn, strict=True) if is_told]
    turns += _completed(alone, replication)
    row: Any = ensemble.outcomes.loc[replication].to_dict()
    about = ensemble.manifest["outcomes"]
    facts = [(ensemble.labels[n], _fact(row[n], about[n]["unit"])) for n in outcomes]
    return ToldHistory(
        kind, replication, ensemble.options[0],
        tuple(sorted(turns, key=lambda turn: turn.date)), tuple(taken),
        _months(alone, replication), tuple(facts),
    )  # fmt: skip


def _alone(ensemble: Ensemble, replication: int) -> Ensemble:
    """The one stored chunk that holds a replication: the others need not be read."""
    entry = next(e for e in ensemble.entries() if e.first <= replication < e.stop)
    (option,) = ensemble.options
    return Ensemble(ensemble.directory, (option,), chunks={option: (entry,)})


def _rows_of(table: pd.DataFrame, replication: int) -> list[dict[str, Any]]:
    rows = table[table.index == replication].to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]


def _turn(row: dict[str, Any]) -> Turn:
    place = f" in {row['place']}" if isinstance(row["place"], str) and row["place"] else ""
    taken = "" if row["taken"] == "yes" else f": {words(str(row['taken']))}"
    what = f"{words(str(row['name']))}{place}{taken}"
    return Turn(to_date(row["time"]), words(str(row["agent"])), what, row["probability"])


def _completed(ensemble: Ensemble, replication: int) -> list[Turn]:
    rows = _rows_of(ensemble.milestones, replication)
    return [
        Turn(to_date(row["completed_at"]), "", f"{words(str(row['milestone']))}: completed", 1.0)
        for row in rows
        if not math.isnan(row["completed_at"])
    ]


def _months(ensemble: Ensemble, replication: int) -> dict[str, list[int]]:
    months = [str(month)[:7] for month in ensemble.months()]
    found: dict[str, list[int]] = {}
    for row in _rows_of(ensemble.monthly, replication):
        counts = found.setdefault(str(row["type"]), [0] * len(months))
        counts[months.index(str(row["month"])[:7])] += int(row["count"])
    return {name: found[name] for name in ensemble.manifest["types"] if name in found}


def _fact(value: float, unit: str) -> str:
    return "not settled by the end" if math.isnan(value) else f"{number(float(value))} {unit}"
