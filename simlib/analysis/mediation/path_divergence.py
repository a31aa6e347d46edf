"""Where two options part, and by which chain of causes: description, not attribution.

Of each pair of replications: the first decision or incident that one journal has and the
other has not, and, for what an outcome counts, the way back from each incident that only
one of them has. An excited incident leads to its parent; one of its own to the part of its
channel's intensity that is most in favor of it, evaluated at the instant before; that to
whoever changed the variable, and to what woke them. A way ends at something both journals
have, or where nothing is named.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import numpy as np

from simlib.analysis.mediation.mediators import NATIONAL, PARAMETERS
from simlib.journal import to_date
from simlib.scenario.wording import AS_WRITTEN
from simlib.simulation import Factoring, simulate_played

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from simlib.analysis.mediation.mediators import Recording
    from simlib.journal import Run
    from simlib.simulation import Blueprint, IntensityPart
    from simlib.world.acts import Act

INCIDENTS = "(incidents)"
"""What changed a variable when no agent did."""
UNTRACED = "(not traced)"

Key: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Trace:
    """One way back: who, through what, where; then in words, from effect to cause."""

    agent: str
    mechanism: str
    place: str
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Divergence:
    """The first decision or incident that only one of two journals has."""

    time: float
    is_second: bool
    """Whether the counterfactual has it."""
    kind: Literal["decision", "incident"]
    who: str
    """The agent, or the type of the incident."""
    what: str
    """The decision and what was taken, or the target of the incident."""
    place: str
    cause: str

    def __str__(self) -> str:
        at = "" if self.place == NATIONAL else f" in {self.place}"
        date = to_date(self.time)
        if self.kind == "decision":
            return f"a decision of {self.who} ({self.what}{at}, {date}; {self.cause})"
        return f"an incident ({self.who}{at}, {date})"


class Write(NamedTuple):
    """One change of one variable by an agent: when, from what, to what, in which act."""

    at: float
    before: float
    after: float
    act: Act


class Side:
    """One run of a pair, with what is needed to follow causes through it."""

    def __init__(self, blueprint: Blueprint, recording: Recording) -> None:
        self.blueprint = blueprint
        self.run, self.acts = recording.run, recording.acts
        incidents = self.run.incidents
        columns = (incidents.channel.tolist(), *incidents.address.T.tolist())
        self.keys: list[Key] = list(zip(*columns, strict=True))
        self.rows = {key: row for row, key in enumerate(self.keys)}
        # A decision of which this is equal in two journals is the same.
        self.decision_keys: list[Key] = [
            (d.time, d.agent, d.name, d.place, d.taken, repr(d.value)) for d in self.run.decisions
        ]
        self.decision_set = set(self.decision_keys)
        self.factoring = Factoring(blueprint, self.run.parameters)
        self.revisions = [act for act in self.acts if act.kind == "revise"]
        """Acts that changed parameters."""
        self._seen: Run | None = None

    def factoring_at(self, time: float) -> Factoring:
        """The parts of intensities under the parameters of a time."""
        changes = {act.what: act.number for act in self.revisions if act.at <= time}
        return self.factoring.revised(changes) if changes else self.factoring

    @functools.cached_property
    def writes(self) -> dict[int, list[Write]]:
        """What agents changed, by position."""
        floor = self.blueprint.start_state.floor
        found: dict[int, list[Write]] = {}
        for act in self.acts:
            values = np.maximum(floor[act.positions], act.values)
            changes = zip(act.positions.tolist(), act.before.tolist(), values.tolist(), strict=True)
            for position, before, value in changes:
                if value != before:
                    found.setdefault(position, []).append(Write(act.at, before, value, act))
        return found

    def observe(self, times: Iterable[float]) -> None:
        """Play the run again, looking at the state at the instant before each time."""
        before = {max(self.run.start, math.nextafter(time, -math.inf)) for time in times}
        self._seen = simulate_played(
            self.blueprint, self.run.replication, self.acts, observe=sorted(before)
        )

    def state_before(self, time: float) -> NDArray[np.float64]:
        """The state at the instant before a time that was observed."""
        assert self._seen is not None  # noqa: S101  (it has been observed)
        at = max(self.run.start, math.nextafter(time, -math.inf))
        row = int(np.searchsorted(self._seen.snapshot_times, at))
        return np.asarray(self._seen.snapshots[row])

    def incident(self, row: int) -> str:
        """An incident in words."""
        incidents = self.run.incidents
        channel = int(incidents.channel[row])
        date = to_date(float(incidents.time[row]))
        return f"{incidents.channels.types[channel]} {incidents.channels.places[channel]} ({date})"


class Tracer:
    """Follows causes through the journals of a pair."""

    def __init__(self, sides: tuple[Side, Side]) -> None:
        self.sides = sides
        positions = sides[0].run.layout.positions
        self.names = {at: (name, place or NATIONAL) for (name, place), at in positions.items()}
        """Variable and place of each position of the state."""

    def is_shared(self, side: int, row: int) -> bool:
        """Whether the other run has an incident too."""
        return self.sides[side].keys[row] in self.sides[1 - side].rows

    def is_shared_decision(self, side: int, row: int) -> bool:
        """Whether the other run has a decision too."""
        return self.sides[side].decision_keys[row] in self.sides[1 - side].decision_set

    def first(self) -> Divergence | None:
        """Where the two journals part; None where they do not."""
        found: list[tuple[tuple[float, bool, int], Divergence]] = []
        for side in (1, 0):  # what the counterfactual has comes first, at one instant
            rows = range(len(self.sides[side].keys))
            row = next((row for row in rows if not self.is_shared(side, row)), None)
            if row is not None:
                each = self._diverging_incident(side, row)
                found.append(((each.time, False, 1 - side), each))
            rows = range(len(self.sides[side].decision_keys))
            row = next((row for row in rows if not self.is_shared_decision(side, row)), None)
            if row is not None:
                each = self._diverging_decision(side, row)
                found.append(((each.time, True, 1 - side), each))
        return min(found, key=lambda item: item[0])[1] if found else None

    def _diverging_incident(self, side: int, row: int) -> Divergence:
        incidents = self.sides[side].run.incidents
        channel, channels = int(incidents.channel[row]), incidents.channels
        kind, target = channels.types[channel], channels.targets[channel]
        cause = incidents.caused_by(row).split(" ")[0] or "immigrant"
        time = float(incidents.time[row])
        return Divergence(
            time, bool(side), "incident", kind, target, channels.places[channel], cause
        )

    def _diverging_decision(self, side: int, row: int) -> Divergence:
        d = self.sides[side].run.decisions[row]
        what = f"{d.name}: {d.taken}"
        return Divergence(
            d.time, bool(side), "decision", d.agent, what, d.place or NATIONAL, d.cause
        )

    # the way back from an incident

    def top(self, side: int, row: int) -> list[int]:
        """An incident and those that led to it, up to one that both runs have."""
        parent = self.sides[side].run.incidents.parent
        rows = [row]
        while parent[rows[-1]] >= 0 and not self.is_shared(side, int(parent[rows[-1]])):
            rows.append(int(parent[rows[-1]]))
        return rows

    def trace_incident(self, side: int, row: int) -> Trace:
        """The way back from an incident; the instant before its top is observed."""
        here = self.sides[side]
        if self.is_shared(side, row):  # in both, but with other marks
            rows, parts = [row], Factoring.marks
        else:
            rows = self.top(side, row)
            is_excited = here.run.incidents.parent[rows[-1]] >= 0
            parts = Factoring.gates if is_excited else Factoring.intensity
        steps = [here.incident(each) for each in rows]
        time = float(here.run.incidents.time[rows[-1]])
        channel = int(here.run.incidents.channel[rows[-1]])
        place = here.run.incidents.channels.places[channel]
        if time < here.run.start:
            return Trace(PARAMETERS, PARAMETERS, place, (*steps, "parameters"))
        own, other = (
            parts(each.factoring_at(time), channel, each.state_before(time))
            for each in (here, self.sides[1 - side])
        )
        opened = self._opening(side, rows[-1], other)
        if opened is not None:
            return self._from_act(side, opened, steps)
        position = self._telling(side, time, own, other)
        if position is None:
            revised = self._last_revision(side, time)
            if revised is not None:
                return self.trace_act(*revised, place, (*steps, revised[1].what))
            is_same = here.run.parameters == self.sides[1 - side].run.parameters
            why = UNTRACED if is_same else PARAMETERS
            return Trace(why, why, place, (*steps, why.strip("()")))
        return self._from_variable(side, position, time, steps)

    def _last_revision(self, side: int, time: float) -> tuple[int, Act] | None:
        """The last act before a time by which one run has other parameters."""
        for at in (side, 1 - side):
            known = {(a.at, a.what, a.number) for a in self.sides[1 - at].revisions}
            for act in reversed(self.sides[at].revisions):
                if act.at <= time and (act.at, act.what, act.number) not in known:
                    return at, act
        return None

    def _opening(
        self, side: int, row: int, other: Sequence[IntensityPart]
    ) -> tuple[int, Act] | None:
        """Find the act that opened a channel which is closed in the other run."""
        here = self.sides[side]
        opener = int(here.run.incidents.opener[row])
        if opener < 0 or self.is_shared_decision(side, opener):
            return None
        closed = {at for part in other if part.value <= 0.0 for at in part.positions}
        for act in reversed(here.acts):
            if act.decision == opener:
                touched = [at for at in act.positions.tolist() if at in closed]
                if touched:
                    return touched[0], act
        return None

    def _telling(
        self, side: int, time: float, own: Sequence[IntensityPart], other: Sequence[IntensityPart]
    ) -> int | None:
        """The variable that is most in favor of an incident; None: no variable is."""
        # An intensity is a product of parts: their log ratios sum to that of the whole.
        ratios = [_log_ratio(a.value, b.value) for a, b in zip(own, other, strict=True)]
        if not ratios or not max(map(abs, ratios)):
            return None
        best = max(range(len(ratios)), key=lambda i: (ratios[i], abs(ratios[i])))
        if ratios[best] <= 0.0:  # of marks: one that is less likely here
            best = max(range(len(ratios)), key=lambda i: abs(ratios[i]))
        here, there = (self.sides[s].state_before(time) for s in (side, 1 - side))
        # A part may read several variables; the one that differs most stands for it.
        moved = [at for at in own[best].positions if here[at] != there[at]]
        if not moved:
            return None
        return max(moved, key=lambda at: abs(float(here[at] - there[at])))

    def _from_variable(self, side: int, position: int, time: float, steps: list[str]) -> Trace:
        variable, place = self.names[position]
        steps = [*steps, variable if place == NATIONAL else f"{variable} in {place}"]
        who = self._who_moved(side, position, time)
        found = self._last_act(side, position, time, who) if who != INCIDENTS else None
        if found is None:
            why = PARAMETERS if who == PARAMETERS else INCIDENTS
            return Trace(why, variable, place, (*steps, why.strip("()")))
        return self._from_act(found[0], (position, found[1]), steps)

    def _last_act(self, side: int, position: int, time: float, who: str) -> tuple[int, Act] | None:
        """The last act of an agent on a variable that the other run has not."""
        for at in (side, 1 - side):
            known = {(w.at, w.after) for w in self.sides[1 - at].writes.get(position, ())}
            for w in reversed(self.sides[at].writes.get(position, [])):
                if w.at < time and w.act.agent == who and (w.at, w.after) not in known:
                    return at, w.act
        return None

    def _who_moved(self, side: int, position: int, time: float) -> str:
        """Whose changes make up most of what a variable differs by at a time.

        What it differs by is the difference at the start, plus that of the changes of each
        agent, plus that of incidents, which is the rest.
        """
        here, there = self.sides[side], self.sides[1 - side]
        difference = float(here.state_before(time)[position] - there.state_before(time)[position])
        # Changes of the own run count up, those of the other down: what both made cancels.
        sums: dict[str, float] = {}
        for sign, each in ((1.0, here), (-1.0, there)):
            for w in each.writes.get(position, ()):
                if w.at < time:
                    sums[w.act.agent] = sums.get(w.act.agent, 0.0) + sign * (w.after - w.before)
        start = float(here.factoring.start_state[position] - there.factoring.start_state[position])
        rest = difference - start - math.fsum(sums.values())
        scenario, variable = here.blueprint.scenario, self.names[position][0]
        if variable not in scenario.state and variable not in scenario.postures:
            start, rest = start + rest, 0.0  # the calendar's: nobody and no incident moves it
        # Most toward the difference, not the largest: changes that work against it explain none.
        sums[PARAMETERS], sums[INCIDENTS] = start, rest
        toward = math.copysign(1.0, difference)
        return max(sums, key=lambda name: toward * sums[name])

    # the way back from an act or a decision

    def _from_act(self, side: int, what: tuple[int, Act], steps: list[str]) -> Trace:
        position, act = what
        variable, place = self.names[position]
        text = variable if place == NATIONAL else f"{variable} in {place}"
        return self.trace_act(side, act, place, steps if text in steps else (*steps, text))

    def trace_act(self, side: int, act: Act, place: str, steps: Sequence[str] = ()) -> Trace:
        """The way back from what an agent did."""
        done = f"{act.agent} on {to_date(act.at)}"
        option = self.sides[side].blueprint.option or AS_WRITTEN
        more = self._journalled(side, act.decision)
        whole = (*steps, f"{done} under {option}", *more)
        return Trace(act.agent, act.what, place, whole)

    def trace_decision(self, side: int, row: int) -> Trace:
        """The way back from a decision."""
        d = self.sides[side].run.decisions[row]
        return Trace(d.agent, d.name, d.place or NATIONAL, tuple(self._journalled(side, row)))

    def _journalled(self, side: int, row: int) -> list[str]:
        """Follow the journal from a decision: its cause, what led to that, what opened it."""
        here, steps = self.sides[side], list[str]()
        incidents = here.run.incidents
        while row >= 0:
            decision = here.run.decisions[row]
            at = f" in {decision.place}" if decision.place else ""
            steps.append(f"decision {decision.name}{at}: {decision.taken}")
            if self.is_shared_decision(side, row):
                return [*steps, "taken in both"]
            if decision.cause_row < 0:
                return [*steps, decision.cause]
            rows = self.top(side, decision.cause_row)
            steps += [here.incident(each) for each in rows]
            if self.is_shared(side, rows[-1]) or incidents.parent[rows[-1]] >= 0:
                return [*steps, "happened in both"]
            row = int(incidents.opener[rows[-1]])
        return steps


def _log_ratio(own: float, other: float) -> float:
    if own == other:
        return 0.0
    if own <= 0.0 or other <= 0.0:
        return math.inf if own > other else -math.inf
    return math.log(own / other)
