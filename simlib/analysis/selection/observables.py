"""What of a run is publicly known at a date: published counts, postures, attacks, troops."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simlib.outcomes.incident_counts import Published, plan_published

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simlib.journal import Channels, Run
    from simlib.scenario.schema import Scenario

MONTHS = 3
"""Published counts are summed over so many months, the latest that are known."""
ROUNDING = 1e-9
"""Numbers that lie relatively nearer are the same."""
RAREST = 0.02
"""A state of a posture that fewer runs are in is not told apart from the others."""


class Public(NamedTuple):
    """What everyone knows at once, besides published series and postures.

    Attributes
    ----------
    heard
        Incidents that are heard of, counted from the start of the run.
    troops
        State variable over bases: how many stand there; empty where there is none.
    """

    heard: tuple[str, ...] = ()
    troops: str = ""


@dataclass(frozen=True, slots=True)
class Observable:
    """One thing that is known, with its unit or, of a posture, its states."""

    name: str
    unit: str
    states: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Observables:
    """What is read off runs of one scenario at a date."""

    all: tuple[Observable, ...]
    published: Published
    heard: tuple[NDArray[np.bool_], ...]
    """Which channels each of the incidents that are heard of recurs in."""
    troops: str
    """The state variable of troops at bases."""

    def at(self, run: Run, time: float) -> NDArray[np.float64]:
        """Read off what is known at an instant, shape (len(all),); a posture by its state's index.

        The run was observed at that instant (see `simlib.simulation.simulate`), in days since
        2000-01-01; what happens at the instant itself is seen.
        """
        counts = self.published.monthly(run)
        known = self.published.n_known(time)
        values = [float(counts[max(0, n - MONTHS) : n, i].sum()) for i, n in enumerate(known)]
        before = run.incidents.channel[
            (run.incidents.time >= run.start) & (run.incidents.time <= time)
        ]
        values += [float(np.count_nonzero(mask[before])) for mask in self.heard]
        row = int(np.searchsorted(run.snapshot_times, time))
        for observable in self.all[len(values) :]:
            values.append(self._standing(run, observable, time, row))
        return np.array(values)

    def _standing(self, run: Run, observable: Observable, time: float, row: int) -> float:
        """The troops of a base, or the index of the state a posture is in."""
        if not observable.states:
            place = observable.name.removeprefix("troops ")
            return float(run.snapshots[row, run.layout.index(self.troops, place)])
        states = [state for began, state in run.postures[observable.name] if began <= time]
        return float(observable.states.index(states[-1]))


def plan_observables(scenario: Scenario, channels: Channels, public: Public) -> Observables:
    """Prepare all observables of a scenario: every series, posture and base it has."""
    published = plan_published(scenario, channels)
    counted = [Observable(name, f"in {MONTHS} months") for name in published.names]
    heard = [name for name in public.heard if name in scenario.incidents]
    counted += [Observable(f"{name} so far", "incidents") for name in heard]
    types = np.array(channels.types)
    variable = scenario.state.get(public.troops)
    is_known = variable is not None and variable.over == "base"
    bases = [name for name, place in scenario.places.items() if is_known and place.kind == "base"]
    standing = [Observable(f"troops {base}", "persons") for base in bases]
    standing += [
        Observable(name, "state", tuple(posture.states))
        for name, posture in scenario.postures.items()
    ]
    masks = tuple(types == name for name in heard)
    return Observables((*counted, *standing), published, masks, public.troops)


def encoded(
    observables: tuple[Observable, ...], values: NDArray[np.float64]
) -> tuple[list[str], NDArray[np.float64]]:
    """Observables as columns of a regression, with a name for each; values as of `Observables.at`.

    Numbers as ``log(1 + x)``; postures as 0 or 1 for each state but the commonest. What is
    the same in all runs, and states that hardly any is in, are left out.
    """
    names: list[str] = []
    columns: list[NDArray[np.float64]] = []
    fewest = max(2, math.ceil(RAREST * len(values)))
    for observable, column in zip(observables, values.T, strict=True):
        if not observable.states:
            if np.ptp(column) > ROUNDING * np.abs(column).max():
                names.append(observable.name)
                columns.append(np.log1p(column))
            continue
        sizes = np.bincount(column.astype(np.intp), minlength=len(observable.states))
        for index, state in enumerate(observable.states):
            if index != int(np.argmax(sizes)) and sizes[index] >= fewest:
                names.append(f"{observable.name} is {state}")
                columns.append((column == index).astype(np.float64))
    return names, np.column_stack(columns) if columns else np.empty((len(values), 0))
