"""What differs between the pairs of two options, gathered and ranked; see `path_divergence`.

Described are, of an outcome counted over incidents, the incidents that add to it in one
run of a pair and not (or less) in the other. Of a state variable: by how much acts on it
that differ changed it, and incidents all together. Of a posture or a milestone: the acts on
it that differ; of a decision: the decisions that differ.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from simlib.analysis.mediation.mediators import NATIONAL
from simlib.analysis.mediation.path_divergence import INCIDENTS, Divergence, Side, Trace, Tracer
from simlib.outcomes.recorded import (
    DecisionOutcome,
    MilestoneOutcome,
    PostureOutcome,
    Recorded,
    StateOutcome,
)
from simlib.scenario.spelling import words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from simlib.analysis.mediation.mediators import Mediation, Pair
    from simlib.outcomes import OutcomePlan

MOST_TRACED = 200
"""Incidents followed back in one pair; of more, these are drawn by their addresses."""
_ROUNDING = 1e-9
N_SHOWN = 3
"""Replications named for each path."""


@dataclass(frozen=True, slots=True)
class Path:
    """What takes one way from cause to outcome, over all pairs.

    Attributes
    ----------
    agent, mechanism, place
        Who changed what, and where, as close to the outcome as the journal shows.
    extra, missing
        What only the counterfactual has, and what only the baseline has: what it adds to a
        counted outcome, by how much it changes a state variable, else how often it is met.
    n_pairs
        Pairs of replications in which it is met.
    replications
        Those in which it weighs most, at most three.
    is_second
        Whether it is to be seen in the counterfactual (else in the baseline).
    example
        One way in words, from the effect to where it ends.
    """

    agent: str
    mechanism: str
    place: str
    extra: float
    missing: float
    n_pairs: int
    replications: tuple[int, ...]
    is_second: bool
    example: str

    @property
    def net(self) -> float:
        """Extra less missing."""
        return self.extra - self.missing

    @property
    def way(self) -> str:
        """Who, through what and where, in words."""
        return " > ".join(words(x.strip("()")) for x in (self.agent, self.mechanism, self.place))


@dataclass(frozen=True, slots=True)
class Description:
    """What differs in one outcome between the pairs.

    Attributes
    ----------
    paths
        Ranked by their net weight, then by what they move in all.
    n_differing, n_traced
        What differs in all pairs, and how much of it was followed back.
    """

    paths: tuple[Path, ...]
    n_differing: int
    n_traced: int


@dataclass(frozen=True, slots=True)
class _Difference:
    """Something that one run of a pair has and the other has not."""

    side: int
    weight: float
    trace: Callable[[], Trace]
    """Follows it back."""
    incident: int = -1
    """Its row, where it is an incident."""


# one pair


def describe_pairs(mediation: Mediation, pairs: Sequence[Pair | None]) -> NDArray[np.bytes_]:
    """Describe where pairs differ in outcomes, as JSON.

    Each is a mapping with ``first`` and, by outcome, ``traces``; empty where there is no pair.
    """
    first, second = mediation.blueprints
    outcomes = mediation.readers[0].outcomes
    names = mediation.outcomes or outcomes.names
    texts = []
    for pair in pairs:
        text = ""
        if pair is not None:
            sides = Side(first, pair.first), Side(second, pair.second)
            text = json.dumps(_pair(Tracer(sides), outcomes, names))
        texts.append(text)
    return np.array(texts, dtype=np.bytes_)


def _pair(tracer: Tracer, outcomes: OutcomePlan, names: Sequence[str]) -> dict[str, Any]:
    items = {name: list(_items(tracer, outcomes, name)) for name in names}
    kept = {name: _drawn(tracer, found) for name, found in items.items()}
    incidents = [item for found in kept.values() for item in found if item.incident >= 0]
    times = {_time(tracer, item) for item in incidents}
    if times:
        for side in tracer.sides:
            side.observe(times)
    first = tracer.first()
    traces = {name: _gathered(found, len(items[name])) for name, found in kept.items()}
    return {"first": first and [getattr(first, key) for key in _FIRST], "traces": traces}


def _gathered(items: Sequence[_Difference], n: int) -> dict[str, Any]:
    """The weight of each way and one that goes it; `n` items stand behind those given."""
    scale = n / max(1, len(items))
    ways: dict[tuple[str, str, str, int], tuple[float, tuple[str, ...]]] = {}
    for item in items:
        trace = item.trace()
        key = (trace.agent, trace.mechanism, trace.place, item.side)
        weight, steps = ways.get(key, (0.0, trace.steps))
        ways[key] = (weight + item.weight * scale, steps)
    return {"n": n, "n_traced": len(items), "ways": [[*key, *way] for key, way in ways.items()]}


_FIRST = ("time", "is_second", "kind", "who", "what", "place", "cause")


def _drawn(tracer: Tracer, items: list[_Difference]) -> list[_Difference]:
    """All, or so many of the incidents whose mixed addresses are smallest."""
    if len(items) <= MOST_TRACED or items[0].incident < 0:
        return items

    def mixed(item: _Difference) -> int:
        a, b, c = map(int, tracer.sides[item.side].run.incidents.address[item.incident])
        x = (a ^ (b * 0x9E3779B97F4A7C15) ^ (c * 0xC2B2AE3D27D4EB4F)) & (2**64 - 1)
        return ((x ^ (x >> 31)) * 0xD6E8FEB86659FD93) & (2**64 - 1)

    return sorted(items, key=mixed)[:MOST_TRACED]


def _time(tracer: Tracer, item: _Difference) -> float:
    """When the incident happened that an incident leads back to."""
    is_shared = tracer.is_shared(item.side, item.incident)
    top = item.incident if is_shared else tracer.top(item.side, item.incident)[-1]
    return float(tracer.sides[item.side].run.incidents.time[top])


# what differs


def _items(tracer: Tracer, outcomes: OutcomePlan, name: str) -> Iterator[_Difference]:
    if name in outcomes.censored:
        return
    if name not in outcomes.recorded:
        yield from _counted(tracer, outcomes, name)
        return
    recorded: Recorded = outcomes.recorded[name]
    for side in (0, 1):
        if isinstance(recorded, StateOutcome):
            yield from _changes(tracer, side, recorded)
        elif isinstance(recorded, PostureOutcome):
            yield from _acts(tracer, side, recorded.posture, "enter")
        elif isinstance(recorded, MilestoneOutcome):
            kind = "settle" if recorded.measure == "class" else "complete"
            yield from _acts(tracer, side, recorded.milestone, kind)
        else:
            yield from _decisions(tracer, side, recorded)


def _counted(tracer: Tracer, outcomes: OutcomePlan, name: str) -> Iterator[_Difference]:
    """Iterate over incidents that add more to an outcome in one run than in the other."""
    added = [outcomes.each(side.run, name) for side in tracer.sides]
    weights: dict[Any, float] = {}
    for sign, side, each in zip((-1.0, 1.0), tracer.sides, added, strict=True):
        for row in np.flatnonzero(each).tolist():
            key = side.keys[row]
            weights[key] = weights.get(key, 0.0) + sign * float(each[row])
    for key, weight in weights.items():
        if weight:
            side_of = int(weight > 0.0)
            row = tracer.sides[side_of].rows[key]
            follow = partial(tracer.trace_incident, side_of, row)
            yield _Difference(side_of, abs(weight), follow, row)


def _changes(tracer: Tracer, side: int, outcome: StateOutcome) -> Iterator[_Difference]:
    """Iterate over the changes of a variable up to a date that the other run has not.

    What acts did not change since the start, incidents did.
    """
    here, there = tracer.sides[side], tracer.sides[1 - side]
    layout = here.run.layout
    row = int(np.searchsorted(here.run.snapshot_times, outcome.time))
    span = layout.slice_of(outcome.variable)
    for position in range(span.start, span.stop):
        variable, place = tracer.names[position]
        if layout.places_of(outcome.variable) and place not in outcome.places:
            continue
        known = {w[:3] for w in there.writes.get(position, ())}
        own = [w for w in here.writes.get(position, ()) if w.at <= outcome.time]
        for w in own:
            if w[:3] not in known:
                follow = partial(tracer.trace_act, side, w.act, place)
                yield _Difference(side, w.after - w.before, follow)
        moved = float(here.run.snapshots[row, position] - here.factoring.start_state[position])
        rest = moved - math.fsum(w.after - w.before for w in own)
        if abs(rest) > _ROUNDING * abs(moved):
            follow = partial(Trace, INCIDENTS, variable, place, ("incidents",))
            yield _Difference(side, rest, follow)


def _acts(tracer: Tracer, side: int, what: str, kind: str) -> Iterator[_Difference]:
    here, there = tracer.sides[side], tracer.sides[1 - side]
    known = {(act.at, act.text) for act in there.acts if (act.what, act.kind) == (what, kind)}
    for act in here.acts:
        if (act.what, act.kind) == (what, kind) and (act.at, act.text) not in known:
            yield _Difference(side, 1.0, partial(tracer.trace_act, side, act, NATIONAL))


def _decisions(tracer: Tracer, side: int, outcome: DecisionOutcome) -> Iterator[_Difference]:
    run = tracer.sides[side].run
    for row, decision in enumerate(run.decisions):
        if outcome.counts(decision, run) and not tracer.is_shared_decision(side, row):
            yield _Difference(side, 1.0, partial(tracer.trace_decision, side, row))


# all pairs together


def first_divergences(texts: Sequence[bytes]) -> dict[int, Divergence]:
    """Where each pair parts, by replication; pairs that do not are left out."""
    found = {}
    for replication, text in enumerate(texts):
        first = json.loads(text)["first"] if text else None
        if first:
            found[replication] = Divergence(**dict(zip(_FIRST, first, strict=True)))
    return found


def describe_outcome(texts: Sequence[bytes], outcome: str) -> Description:
    """The paths to one outcome over all pairs, ranked."""
    gathered: dict[tuple[str, str, str], dict[int, list[tuple[int, float, list[str]]]]] = {}
    n_differing = n_traced = 0
    for replication, text in enumerate(texts):
        if not text:
            continue
        found = json.loads(text)["traces"][outcome]
        n_differing += found["n"]
        n_traced += found["n_traced"]
        for agent, mechanism, place, side, weight, steps in found["ways"]:
            by_pair = gathered.setdefault((agent, mechanism, place), {})
            by_pair.setdefault(replication, []).append((side, weight, steps))
    paths = [_path(*key, by_pair) for key, by_pair in sorted(gathered.items())]
    paths.sort(key=lambda path: (-abs(path.net), -abs(path.extra) - abs(path.missing)))
    return Description(tuple(paths), n_differing, n_traced)


def _path(
    agent: str,
    mechanism: str,
    place: str,
    by_pair: dict[int, list[tuple[int, float, list[str]]]],
) -> Path:
    def weight(side: int, ways: list[tuple[int, float, list[str]]]) -> float:
        return sum(w for at, w, _ in ways if at == side)

    missing, extra = (sum(weight(side, ways) for ways in by_pair.values()) for side in (0, 1))
    sides = {at for ways in by_pair.values() for at, _, _ in ways}
    side = int(abs(extra) >= abs(missing)) if len(sides) == 2 else min(sides)
    seen = [r for r, ways in by_pair.items() if any(at == side for at, _, _ in ways)]
    shown = sorted(seen, key=lambda r: (-abs(weight(side, by_pair[r])), r))[:N_SHOWN]
    example = next(steps for at, _, steps in by_pair[shown[0]] if at == side)
    return Path(
        agent, mechanism, place, extra, missing, len(by_pair), tuple(shown), bool(side),
        " < ".join(example),
    )  # fmt: skip
