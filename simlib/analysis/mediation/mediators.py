"""Which mediators carry the effect of an option: hybrids of two options.

A mediator is a group of acts: those of an agent, those on a state variable, posture or
milestone, or those at a place. Both options are recorded; in a hybrid some mediators take
the path they have under the counterfactual and the others keep that of the baseline
(path-specific effects: J. Pearl 2001, "Direct and indirect effects"), while incidents go on
happening by the state they meet. With no mediator taken over the hybrid is the baseline,
with all of them the counterfactual, bit for bit. So the Shapley values of the mediators sum
to the difference of the two.
"""

from __future__ import annotations

import functools
import math
import operator
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np

from simlib.analysis.columns import columns_of, reader_of
from simlib.ensemble.surroundings import is_of_surroundings
from simlib.journal import to_days
from simlib.simulation import simulate_played, simulate_recorded
from simlib.statistics.shapley import shares_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from numpy.typing import NDArray

    from simlib.agents.base import Agent
    from simlib.analysis.columns import Column, OutcomeReader
    from simlib.journal import Decision, Run
    from simlib.scenario.schema import Scenario
    from simlib.simulation import Blueprint
    from simlib.world.acts import Act

By: TypeAlias = Literal["agent", "mechanism", "place"]
KINDS: tuple[str, ...] = get_args(By)

PARAMETERS = "(parameters)"
"""The group of the parameters that the options replace. No name may hold brackets."""
NATIONAL = "(national)"
"""The place of what has no place."""
DECISIONS = "(decisions)"
"""What is counted as decided, where groups are no agents."""

_Order: TypeAlias = tuple[float, bool, int, int]


@dataclass(frozen=True, slots=True)
class Recording:
    """One replication under one option: what came of it, and every act in its order."""

    run: Run
    acts: list[Act]
    orders: list[_Order]
    """Time, whether it answers an incident, place among the acts of that instant, source."""
    decisions: tuple[Decision, ...]
    """Without the rows of incidents, which mean nothing in another run."""


def record(blueprint: Blueprint, replication: int, source: int) -> Recording:
    """Simulate a replication and keep what its agents do; `source` is 0 or 1."""
    run, acts = simulate_recorded(blueprint, replication)
    orders: list[_Order] = []
    for act in acts:
        number = 0
        if orders and orders[-1][:2] == (act.at, act.is_after):
            number = orders[-1][2] + 1
        orders.append((act.at, act.is_after, number, source))
    decisions = tuple(decision._replace(cause_row=-1) for decision in run.decisions)
    return Recording(run, acts, orders, decisions)


@dataclass(frozen=True, slots=True)
class Pair:
    """One replication under both options."""

    first: Recording
    second: Recording
    acts: list[tuple[Act, bool, bool]]
    """Every act in its order, whether it is the second's, and whether it is the same in both and
    done at the same point; then it is there once."""


def paired(first: Recording, second: Recording) -> Pair:
    """Two recordings beside each other."""
    contents = [
        {order[:3]: _content(act) for order, act in zip(each.orders, each.acts, strict=True)}
        for each in (first, second)
    ]
    shared = {order for order, content in contents[0].items() if contents[1].get(order) == content}
    return Pair(first, second, merged(first, second, shared))


def merged(
    first: Recording, second: Recording, shared: Collection[tuple[float, bool, int]]
) -> list[tuple[Act, bool, bool]]:
    """The acts of a pair, of which some are shared; see `Pair`."""
    found = [
        (order, act)
        for each in (first, second)
        for order, act in zip(each.orders, each.acts, strict=True)
        if each is first or order[:3] not in shared
    ]
    # At one instant an answer to an incident comes after what else is done, as it was played.
    found.sort(key=operator.itemgetter(0))
    return [(act, bool(order[-1]), order[:3] in shared) for order, act in found]


@dataclass(frozen=True)
class Mediation:
    """Two options of a scenario, and the mediators that the effect is split over.

    The options are baseline and counterfactual; empty for the scenario as it is written. In
    each replication so many pairs of orders, each with its reverse, are drawn. Outcomes are those
    that are looked at; all where none is named.
    """

    scenario: Scenario
    options: tuple[str, str]
    agents: tuple[type[Agent], ...] = ()
    without: tuple[str, ...] = ()
    by: By = "agent"
    n_pairs: int = 1
    outcomes: tuple[str, ...] = ()

    def __getstate__(self) -> dict[str, Any]:
        """What is packed for a worker, which assembles both options faster than it unpacks them."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @functools.cached_property
    def readers(self) -> tuple[OutcomeReader, OutcomeReader]:
        """Both options, ready to run as far as outcomes look."""
        columns = columns_of(self.scenario, self.outcomes or None)
        first, second = (
            reader_of(self.scenario, option, columns, agents=self.agents, without=self.without)
            for option in self.options
        )
        return first, second

    @functools.cached_property
    def blueprints(self) -> tuple[Blueprint, Blueprint]:
        """Both options to the end: a pair is recorded whole, to know all in which it differs."""
        horizon = to_days(self.scenario.end) + 1.0
        first, second = (replace(each.blueprint, horizon=horizon) for each in self.readers)
        return first, second

    @property
    def columns(self) -> tuple[Column, ...]:
        """The outcomes that are looked at, as columns."""
        return self.readers[0].columns

    @functools.cached_property
    def groups(self) -> tuple[str, ...]:
        """The name of every mediator, whether or not the options differ in it."""
        layout = self.readers[0].blueprint.layout
        if self.by == "agent":
            return (*self._agents, PARAMETERS)
        if self.by == "mechanism":
            mechanisms = sorted({*layout.variables, *self.scenario.timeline})
            return (*mechanisms, DECISIONS, PARAMETERS)
        return (*self._places, DECISIONS, PARAMETERS)

    @functools.cached_property
    def _agents(self) -> list[str]:
        return sorted({agent.name for each in self.readers for agent in each.blueprint.agents})

    @functools.cached_property
    def _places(self) -> tuple[str, ...]:
        return (*sorted(self.scenario.places), NATIONAL)

    @functools.cached_property
    def _place_at(self) -> NDArray[np.intp]:
        """The place of each position of the state, as its number in `_places`."""
        positions = self.readers[0].blueprint.layout.positions
        found = np.empty(len(positions), dtype=np.intp)
        for (_, place), position in positions.items():
            found[position] = self._places.index(place or NATIONAL)
        return found

    def record(self, replication: int) -> Pair:
        """Simulate a replication under both options."""
        first, second = (
            record(blueprint, replication, i) for i, blueprint in enumerate(self.blueprints)
        )
        return paired(first, second)

    def record_all(self, replications: range) -> list[Pair | None]:
        """Simulate replications under both options; None where an agent raised under one."""
        pairs: list[Pair | None] = []
        for replication in replications:
            try:
                pairs.append(self.record(replication))
            except Exception as error:
                if is_of_surroundings(error):  # else whatever an agent raises is data
                    raise
                pairs.append(None)
        return pairs

    def worth(self, run: Run) -> NDArray[np.float64]:
        """The outcomes of a run, in the order of `columns`."""
        return self.readers[0].numbers(run)

    # groups

    def players(self, pair: Pair) -> list[str]:
        """The groups that differ between two recordings; the others change nothing."""
        first, second = (self._contents(recording) for recording in (pair.first, pair.second))
        names = first.keys() | second.keys()
        found = {name for name in names if first.get(name) != second.get(name)}
        before, after = (each.blueprint.scenario.parameters for each in self.readers)
        return sorted(found | ({PARAMETERS} if before != after else set()))

    def _contents(self, recording: Recording) -> dict[str, Any]:
        """All that each group does, in a form that can be compared."""
        if self.by == "place":
            return self._contents_by_place(recording.acts)
        found: dict[str, list[Any]] = {}
        for act in recording.acts:
            found.setdefault(self._group_of(act), []).append(_content(act))
        if self.by == "agent":
            for d in recording.decisions:  # no outcome reads more of one
                found.setdefault(d.agent, []).append((d.time, d.name, d.place, d.taken))
        return found

    def _contents_by_place(self, acts: Sequence[Act]) -> dict[str, Any]:
        """Sort the changes of all acts by place at once: there are many to one act."""
        agents = self._agents
        rows = [
            np.column_stack(
                [
                    np.broadcast_to([act.at, act.is_after, agents.index(act.agent)], (n, 3)),
                    act.positions, act.before, act.values,
                ]
            )
            for act in acts if (n := len(act.positions))
        ]  # fmt: skip
        changes = np.concatenate([np.zeros((0, 6)), *rows])
        places = self._place_at[changes[:, 3].astype(np.intp)]
        found: dict[str, Any] = {
            self._places[place]: changes[places == place].tobytes() for place in np.unique(places)
        }
        bare = tuple(_content(act) for act in acts if not len(act.positions))
        found[NATIONAL] = (found.get(NATIONAL, b""), bare)
        return found

    def _group_of(self, act: Act) -> str:
        """The group of a whole act."""
        if self.by == "agent":
            return act.agent
        if act.kind == "revise" and self.by == "mechanism":
            return PARAMETERS
        return act.what if self.by == "mechanism" else NATIONAL

    # hybrids

    def acts(self, pair: Pair, chosen: frozenset[str]) -> list[Act]:
        """The acts of a hybrid: some groups' from the second, the others' from the first.

        At one instant they come in the order they had where they are taken from.
        """
        is_chosen = np.array([place in chosen for place in self._places])
        is_split = self.by == "place"
        kept: list[Act | None] = []
        for act, is_second, is_shared in pair.acts:
            if is_shared:  # in every hybrid
                kept.append(act)
            elif is_split and len(act.positions):
                # One act may change several places: each part follows its own place.
                kept.append(act.part(is_chosen[self._place_at[act.positions]] == is_second))
            elif (self._group_of(act) in chosen) == is_second:
                kept.append(act)
        return [act for act in kept if act is not None]

    def hybrid(self, pair: Pair, chosen: frozenset[str]) -> Run:
        """Simulate a replication in which some groups take the path of the second option."""
        first, second = pair.first, pair.second
        blueprint = self.readers[PARAMETERS in chosen].blueprint
        decisions: Iterable[Decision] = first.decisions
        if self.by == "agent":
            decisions = sorted(
                [d for d in first.decisions if d.agent not in chosen]
                + [d for d in second.decisions if d.agent in chosen],
                key=lambda decision: decision.time,
            )
        acts = self.acts(pair, chosen)
        return simulate_played(blueprint, first.run.replication, acts, decisions=decisions)

    def shares(self, pair: Pair) -> tuple[NDArray[np.float64], ...]:
        """Outcomes of both options, and what each group adds from one to the other.

        Outcomes have shape (n_columns,), and are nan where not observed; what groups add,
        shape (n_groups, n_columns), are Shapley values, which sum to the difference.
        """
        baseline, counterfactual = (self.worth(each.run) for each in (pair.first, pair.second))
        # Who does the same under both options is a null player: its Shapley value is 0, and
        # each one fewer halves the sets that are valued.
        players = self.players(pair)
        everybody = frozenset(players)
        # Where groups are no agents, decisions are counted by themselves: they change nothing.
        outcomes = self.scenario.outcomes
        apart = np.array(
            [self.by != "agent" and outcomes[c.outcome].decision is not None for c in self.columns]
        )
        goal = np.where(apart, baseline, counterfactual)

        # The two ends are known bit for bit and cost no simulation.
        def value(chosen: frozenset[str]) -> NDArray[np.float64]:
            if not chosen:
                return baseline
            return goal if chosen == everybody else self.worth(self.hybrid(pair, chosen))

        # Exact over all sets where players are few, else over drawn orders and their
        # reverses: efficiency (shares sum to the difference) holds in either case.
        shares = np.zeros((len(self.groups), len(self.columns)))
        found = shares_of(
            players,
            value,
            n_pairs=self.n_pairs,
            root_seed=self.scenario.root_seed,
            replication=pair.first.run.replication,
        )
        for name, share in found.items():
            shares[self.groups.index(name)] = share
        if apart.any():
            at = self.groups.index(DECISIONS)
            shares[at, apart] = (counterfactual - baseline)[apart]
        return baseline, counterfactual, shares


def _content(act: Act) -> tuple[Any, ...]:
    arrays = (act.positions, act.before, act.values)
    contents = tuple(array.tobytes() for array in arrays)
    return (act.at, act.is_after, act.agent, act.kind, act.what, act.text, act.number, *contents)


def contributions(
    mediation: Mediation, pairs: Sequence[Pair | None]
) -> dict[str, NDArray[np.float64] | NDArray[np.bool_]]:
    """Split the effect in each pair.

    ``baseline`` and ``counterfactual`` have shape (n, n_columns), ``shares`` (n, n_groups,
    n_columns). Where ``failed``, shape (n,), there is no pair or a hybrid left its range, and
    all is nan.
    """
    n, n_columns = len(pairs), len(mediation.columns)
    baseline, counterfactual = np.full((2, n, n_columns), math.nan)
    shares = np.full((n, len(mediation.groups), n_columns), math.nan)
    failed = np.array([pair is None for pair in pairs])
    for row, pair in enumerate(pairs):
        if pair is None:
            continue
        try:
            found = mediation.shares(pair)
        except Exception as error:
            if is_of_surroundings(error):  # else whatever an agent raises is data
                raise
            failed[row] = True
        else:
            baseline[row], counterfactual[row], shares[row] = found
    return {
        "baseline": baseline,
        "counterfactual": counterfactual,
        "shares": shares,
        "failed": failed,
    }
