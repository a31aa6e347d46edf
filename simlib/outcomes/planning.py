"""From the outcomes a scenario declares to a plan that reads them off any run."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from simlib.errors import Problem, ScenarioError, SimulationError
from simlib.journal import MARKS, to_days
from simlib.outcomes.following import Following, following
from simlib.outcomes.incident_counts import IncidentOutcomes, cell_of, plan_incidents
from simlib.outcomes.recorded import (
    DecisionOutcome,
    PostureOutcome,
    Recorded,
    has_snapshot,
    plan_recorded,
)
from simlib.outcomes.windows import month_edges, window
from simlib.scenario.schema import several
from simlib.scenario.spelling import heading, words

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simlib.journal import Channels, Run
    from simlib.scenario.schema import Outcome, Scenario

Kind: TypeAlias = Literal["number", "flag", "class"]
"""A number, a yes/no kept as 1/0, or the name of a class."""

_PERSONS = ("fatalities", "killed", "detained", "displaced", "escaped", "recaptured", "crossed")


@dataclass(frozen=True, slots=True)
class OutcomePlan:
    """What is read off every run of one scenario.

    Names are in the order of the scenario; the cells are the pairs (incident type, place) that
    monthly counts are kept for.
    """

    names: tuple[str, ...]
    cells: tuple[tuple[str, str], ...]
    incidents: IncidentOutcomes
    recorded: dict[str, Recorded]
    censored: frozenset[str]
    """Outcomes whose window or date lies past the horizon: always nan."""
    waited_for: frozenset[str]
    """Outcomes that are nan while a milestone is not completed, or a window after it not over."""
    following: dict[str, Following]
    """Outcomes whose window follows a milestone; elsewhere they are planned over the whole run."""
    edges: NDArray[np.float64]
    cell_of_channel: NDArray[np.intp]

    def evaluate(self, run: Run) -> dict[str, float | str]:
        """The value of each outcome: a number, or a class as text.

        Times of milestones that are not completed by the horizon are nan; a milestone
        that is not settled by then has the class ``open``. So nan means "not seen", and
        nothing else: an outcome that is always seen and no finite number is a `SimulationError`.
        """
        values: dict[str, float | str] = dict.fromkeys(self.censored, math.nan)
        values.update(self.incidents.evaluate(run))
        for name, outcome in self.recorded.items():
            values[name] = outcome.evaluate(run)
        for name, follows in self.following.items():
            values[name] = self._in_window(run, name, follows)
        for name, value in values.items():
            if isinstance(value, float) and not math.isfinite(value):
                self._refuse_unless_unseen(name, value)
        return {name: values[name] for name in self.names}

    def _in_window(self, run: Run, name: str, follows: Following) -> float | str:
        window = follows.window(run)
        if window is None:
            return math.nan
        outcome = self.recorded.get(name)
        if isinstance(outcome, PostureOutcome | DecisionOutcome):
            return replace(outcome, first=window[0], last=window[1]).evaluate(run)
        return float(self.each(run, name).sum())

    def each(self, run: Run, name: str) -> NDArray[np.float64]:
        """The share of each incident in one outcome, shape (n,); they sum to its value.

        Raises `KeyError` where it is not counted over incidents.
        """
        added = self.incidents.each(run, name)
        follows = self.following.get(name)
        if follows is None:
            return added
        first, last = follows.window(run) or (math.inf, math.inf)
        time = run.incidents.time
        inside: NDArray[np.float64] = added * ((time >= first) & (time < last))
        return inside

    def _refuse_unless_unseen(self, name: str, value: float) -> None:
        if math.isnan(value) and (name in self.censored or name in self.waited_for):
            return
        raise SimulationError(f"outcome {name}: no finite number (got {value})")

    def monthly_counts(self, run: Run) -> NDArray[np.int32]:
        """Incidents by month and channel, shape (n_months, n_channels)."""
        channel = run.incidents.channel
        return self._monthly(run, channel, len(run.incidents.channels))

    def monthly_cells(self, run: Run) -> NDArray[np.int32]:
        """Incidents by month and (type, place), shape (n_months, len(cells))."""
        column = self.cell_of_channel[run.incidents.channel]
        return self._monthly(run, column, len(self.cells))

    def _monthly(
        self, run: Run, column: NDArray[np.int32] | NDArray[np.intp], n_columns: int
    ) -> NDArray[np.int32]:
        n_months = len(self.edges) - 1
        _, key = cell_of(run.incidents, self.edges, column, n_columns)
        counts = np.bincount(key, minlength=n_months * n_columns)
        return counts.astype(np.int32).reshape(n_months, n_columns)


def plan(scenario: Scenario, channels: Channels) -> OutcomePlan:
    """Prepare the outcomes of a scenario.

    Raises `ScenarioError` where one names what does not exist.
    """
    horizon = to_days(scenario.end) + 1.0
    censored = {
        name
        for name, outcome in scenario.outcomes.items()
        if window(outcome, scenario)[1] > horizon
        or (outcome.on is not None and to_days(outcome.on) > horizon)
    }
    _refuse(scenario)
    seen = {name: o for name, o in scenario.outcomes.items() if name not in censored}
    counted = {name: outcome for name, outcome in seen.items() if _is_counted(outcome)}
    cells, cell_of_channel = _cells(channels)
    follows = {name: found for name, o in seen.items() if (found := following(o)) is not None}
    return OutcomePlan(
        names=tuple(scenario.outcomes),
        cells=cells,
        incidents=plan_incidents(scenario, channels, counted),
        recorded={
            name: plan_recorded(scenario, outcome)
            for name, outcome in seen.items()
            if name not in counted
        },
        censored=frozenset(censored),
        waited_for=frozenset(n for n, o in seen.items() if o.milestone is not None)
        | follows.keys(),
        following=follows,
        edges=month_edges(scenario),
        cell_of_channel=cell_of_channel,
    )


def kind_of(outcome: Outcome) -> Kind:
    """Whether an outcome is a number, a yes/no or a class."""
    if outcome.posture is not None:
        return "flag"
    if outcome.milestone is None:
        return "number"
    return "class" if outcome.classes or outcome.measure in (None, "class") else "number"


def unit_of(outcome: Outcome, scenario: Scenario) -> str:
    """The unit of an outcome; empty for classes, yes/no and shares."""
    if outcome.unit or kind_of(outcome) != "number":
        return outcome.unit
    if outcome.state is not None:
        variable = scenario.state.get(outcome.state)
        return variable.unit if variable else ""
    if outcome.milestone is not None:
        return "" if outcome.measure == "share_left" else "months"
    if outcome.total is not None:
        return "persons" if outcome.total in _PERSONS else ""
    return "decisions" if outcome.decision is not None else "incidents"


def label_of(name: str, label: str = "", ending: str = "") -> str:
    """What people read in the place of an outcome's name: its label, or else the name in words.

    Of a class it says which: a word for it, or else the class in words.

    Examples
    --------
    >>> label_of("raids_2025"), label_of("raids_2025", "All raids, 2025")
    ('Raids 2025', 'All raids, 2025')
    >>> label_of("end_class", "How it ends", "not_yet")
    'How it ends: not yet'
    """
    whole = label or heading(name)
    return f"{whole}: {words(ending)}" if ending else whole


def _refuse(scenario: Scenario) -> None:
    """Raise what a plan would stumble over, with the path of the outcome."""
    problems = []
    for name, outcome in scenario.outcomes.items():
        marks = (*outcome.having, *several(outcome.total))
        problems += [
            Problem(
                f"outcomes.{name}", f"unknown mark (got {mark!r})", f"one of {', '.join(MARKS)}"
            )
            for mark in marks
            if mark not in MARKS
        ]
        if outcome.state is not None and not has_snapshot(scenario, outcome.on):
            rule = f"must be the first or last day of a month (got {outcome.on})"
            problems.append(Problem(f"outcomes.{name}.on", rule))
    if problems:
        raise ScenarioError(problems)


def _is_counted(outcome: Outcome) -> bool:
    counted = (outcome.count, outcome.total, outcome.series)
    return any(key is not None for key in counted)


def _cells(channels: Channels) -> tuple[tuple[tuple[str, str], ...], NDArray[np.intp]]:
    pairs = list(zip(channels.types, channels.places, strict=True))
    cells = tuple(sorted(set(pairs)))
    position = {cell: index for index, cell in enumerate(cells)}
    return cells, np.array([position[pair] for pair in pairs], dtype=np.intp)
