"""Incident types to channels: the kernel's tables, as far as a scenario fixes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from simlib.chance.addresses import name_hash
from simlib.errors import SimulationError
from simlib.journal import DAYS_PER_MONTH, MARKS, Channels
from simlib.scenario.schema import Falling, Gate, Power, Shield, Table, Value
from simlib.world.branching import ExcitationPlan
from simlib.world.kernel import kernel_tables as t
from simlib.world.quantities import CountTables
from simlib.world.state import MONTH, ar1_name, presence_name, trend_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simlib.journal import Layout
    from simlib.scenario.schema import Factor, IncidentEffect, IncidentGroup, Mark, Scenario
    from simlib.world.quantities import Quantities
    from simlib.world.state import Geography

_REPORTED, _NEIGHBOR = MARKS.index("reported"), MARKS.index("neighbor")
_START = -1
"""Number of a reference that is the variable's own value at the start."""


def name_channels(scenario: Scenario, geography: Geography) -> Channels:
    """The channels of a scenario, in order of type, group and place."""
    rows = sorted(
        (type_, name, place, group.target)
        for type_, incident in scenario.incidents.items()
        for name, group in incident.groups.items()
        for place in group.level
    )
    types, groups, places, targets = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Channels(types, groups, places, targets, tuple(map(geography.country, places)))


class ChannelPlan:
    """The kernel's tables for a scenario.

    Whole numbers are fixed; real numbers are held as numbers of quantities, which each
    replication evaluates with its own parameters.
    """

    def __init__(
        self, scenario: Scenario, layout: Layout, geography: Geography, quantities: Quantities
    ) -> None:
        self._layout, self._geography, self._quantities = layout, geography, quantities
        self._scenario = scenario
        self._removable = sorted(scenario.removable() & scenario.agents.keys())
        self._rows: dict[str, list[Any]] = {
            name: []
            for name in ("factor_i", "factor_q", "gate_i", "mark_i", "mark_q", "effect_i",
                         "effect_q", "notable_i", "notable_f", "indices", "reads")
        }  # fmt: skip
        self._numbers: list[int] = []
        self.counts = CountTables(quantities)
        self.channels = name_channels(scenario, geography)
        self.types = tuple(sorted(scenario.incidents))
        self._columns = np.zeros((len(self.channels), 16), dtype=np.int64)
        self._levels: list[int] = []
        self._per_day: list[float] = []
        for channel in range(len(self.channels)):
            self._add_channel(channel)
        self.excitation = ExcitationPlan(scenario, self.channels, geography, quantities)
        self._finish()

    # one channel after the other

    def _add_channel(self, channel: int) -> None:
        type_, place = self.channels.types[channel], self.channels.places[channel]
        incident = self._scenario.incidents[type_]
        group = incident.groups[self.channels.groups[channel]]
        self._levels.append(self._quantities.number(group.level[place]))
        self._per_day.append(1.0 if group.per == "day" else 1.0 / DAYS_PER_MONTH)
        self._rows["reads"].append(set())
        row = self._columns[channel]
        row[t.OPENER] = -1
        row[t.TYPE] = self.types.index(type_)
        factors = self._group_factors(group, type_, self.channels.groups[channel])
        row[t.FACTOR_FROM], row[t.FACTOR_TO] = self._add_factors(factors, place, read=True)
        row[t.GATE_FROM], row[t.GATE_TO] = self._add_gates(
            (*group.gates, *self._presence(type_, self.channels.groups[channel])), place
        )
        row[t.MARK_FROM], row[t.MARK_TO] = self._add_marks(group, place)
        row[t.EFFECT_FROM], row[t.EFFECT_TO] = self._add_effects(group.effects, place)
        first = len(self._rows["notable_i"])
        for mark, least in sorted(incident.notable.items()):
            self._rows["notable_i"].append(MARKS.index(mark))
            self._rows["notable_f"].append(least)
        row[t.NOTABLE_FROM], row[t.NOTABLE_TO] = first, len(self._rows["notable_i"])

    def _presence(self, type_: str, group: str) -> list[Gate]:
        """Gates that close where an agent without which nothing recurs there is removed."""
        removals = {name: self._scenario.agents[name].on_removal for name in self._removable}
        return [
            Gate(variable=presence_name(name))
            for name, removal in removals.items()
            if removal is not None and removal.closes(type_, group)
        ]

    @staticmethod
    def _group_factors(group: IncidentGroup, type_: str, name: str) -> dict[str, Factor]:
        factors = dict(group.factors)
        if group.trend:
            factors["trend"] = Value(value=trend_name(type_, name))
        if group.tempo:
            factors["tempo"] = Value(value=ar1_name(group.tempo.series))
        return factors

    def _read(self, variable: str, place: str, at: str, *, read: bool) -> int:
        position = self._geography.position(variable, place, at)
        if read:
            self._rows["reads"][-1].add(position)
        return position

    def _codes(self, variable: str) -> list[str]:
        if variable == MONTH:
            return [str(month) for month in range(1, 13)]
        return sorted(self._scenario.postures[variable].states)

    def _add_factors(
        self, factors: dict[str, Factor], place: str, *, read: bool
    ) -> tuple[int, int]:
        first = len(self._rows["factor_i"])
        for name in sorted(factors):
            row, quantities = self._factor(factors[name], place, read=read)
            self._rows["factor_i"].append(row)
            self._rows["factor_q"].append(quantities)
        return first, len(self._rows["factor_i"])

    def _factor(
        self, factor: Factor, place: str, *, read: bool
    ) -> tuple[Sequence[int], Sequence[int]]:
        one = self._quantities.number(1.0)
        if isinstance(factor, Power):
            where = self._read(factor.power, place, factor.at, read=read)
            given = factor.reference
            if isinstance(given, dict):
                given = given[self._place_of(factor.power, where)]
            reference = _START if given == "start" else self._quantities.number(given)
            return (t.POWER, where, 0, 0), (reference, self._quantities.number(factor.elasticity))
        if isinstance(factor, Falling):
            where = self._read(factor.falling, place, factor.at, read=read)
            return (t.FALLING, where, 0, factor.order), (one, one)
        if isinstance(factor, Table):
            where = self._read(factor.table, place, "here", read=read)
            first = len(self._numbers)
            self._numbers.extend(
                self._quantities.number(factor.values[code]) for code in self._codes(factor.table)
            )
            return (t.TABLE, where, first, len(self._numbers) - first), (one, one)
        if isinstance(factor, Shield):
            cover = [self._read(name, place, factor.at, read=read) for name in factor.shield]
            first = self._index_list(cover)
            efficacy = self._quantities.number(factor.efficacy)
            return (t.SHIELD, cover[0], first, len(cover)), (one, efficacy)
        where = self._read(factor.value, place, factor.at, read=read)
        return (t.VALUE, where, 0, 0), (one, one)

    def _place_of(self, variable: str, position: int) -> str:
        first: int = self._layout.slice_of(variable).start
        return self._layout.places_of(variable)[position - first]

    def _index_list(self, items: Sequence[int]) -> int:
        first = len(self._rows["indices"])
        self._rows["indices"].extend(items)
        return first

    def _add_gates(self, gates: Sequence[Gate], place: str) -> tuple[int, int]:
        first = len(self._rows["gate_i"])
        for gate in gates:
            where = self._read(gate.variable, place, gate.at, read=True)
            codes = [self._codes(gate.variable).index(state) for state in gate.states or ()]
            begin = self._index_list(codes)
            if not codes:
                begin = len(self._numbers)
                self._numbers.append(self._quantities.number(gate.above))
            self._rows["gate_i"].append((0, where, begin, len(codes)))
        return first, len(self._rows["gate_i"])

    def _add_marks(self, group: IncidentGroup, place: str) -> tuple[int, int]:
        first = len(self._rows["mark_i"])
        drawn = {MARKS.index(name): (name, mark) for name, mark in group.marks.items()}
        slots = {*drawn, _REPORTED}
        if any("neighbor" in (effect.at, effect.to) for effect in group.effects):
            slots.add(_NEIGHBOR)
        zero = self._quantities.number(0.0)
        for slot in sorted(slots):
            if slot in drawn:
                self._add_mark(slot, *drawn[slot], place)
            else:
                self._rows["mark_i"].append((t.UNIFORM, slot, -1, 1, 0, 0, 0, 0))
                self._rows["mark_q"].append((zero, zero))
        return first, len(self._rows["mark_i"])

    def _add_mark(self, slot: int, name: str, mark: Mark, place: str) -> None:
        condition, wanted = _condition(mark.when)
        if condition >= slot:
            raise SimulationError(f"mark {name!r} is drawn before {mark.when!r}, its condition")
        parts = self._add_factors(dict(mark.factors), place, read=False)
        low = high = self._quantities.number(0.0)
        table = (0, 0)
        if mark.law is not None:
            kind = t.COUNT
            table = self.counts.add(mark.law)
        elif mark.share is not None:
            kind = t.SHARE
            low, high = (self._quantities.number(end) for end in mark.share)
        else:
            kind = t.YES_NO
            given = mark.probability if mark.probability is not None else 1.0
            probability = given[place] if isinstance(given, dict) else given
            low = self._quantities.number(probability)
        self._rows["mark_i"].append((kind, slot, condition, wanted, *parts, *table))
        self._rows["mark_q"].append((low, high))

    def _effect_place(self, variable: str, place: str, at: str) -> tuple[int, int]:
        if at != "neighbor":
            return self._geography.position(variable, place, at), 0
        near = self._geography.neighbor_positions(variable, place)
        if not near:
            raise SimulationError(f"{variable}: {place!r} has no neighbor that has it")
        return self._index_list(near), len(near)

    def _add_effects(self, effects: Sequence[IncidentEffect], place: str) -> tuple[int, int]:
        first = len(self._rows["effect_i"])
        for effect in effects:
            variable = effect.change or effect.move or ""
            source, n_sources = self._effect_place(variable, place, effect.at)
            goal, n_goals = self._effect_place(variable, place, effect.to or effect.at)
            marks = [MARKS.index(name) for name in effect.marks] + [-1, -1]
            stock = int(effect.of_stock)
            self._rows["effect_i"].append(
                (int(effect.move is not None), *_condition(effect.when), *marks[:2], stock,
                 source, goal, n_sources, n_goals)
            )  # fmt: skip
            self._rows["effect_q"].append(self._quantities.number(effect.by))
        return first, len(self._rows["effect_i"])

    # all channels together

    def _finish(self) -> None:
        # Lists of different owners lie in one vector of indices: the neighbors that children may
        # fall on go behind what factors and effects refer to.
        self._columns[:, t.EXCITES_FROM : t.EXCITES_TO + 1] = self.excitation.ranges
        for row in self.excitation.rows:
            row[t.NEAR_FROM] += len(self._rows["indices"])
        self._rows["indices"].extend(self.excitation.destinations)
        self._static = {
            "channel_i": self._columns,
            "channel_u": self._addresses(),
            "factor_i": _table(self._rows["factor_i"], 4),
            "gate_i": _table(self._rows["gate_i"], 4),
            "mark_i": _table(self._rows["mark_i"], 8),
            "effect_i": _table(self._rows["effect_i"], 10),
            "excites_i": _table(self.excitation.rows, 6),
            "excites_u": np.array(self.excitation.tags, dtype=np.uint64).reshape(-1, 2),
            "notable_i": np.array(self._rows["notable_i"], dtype=np.int64),
            "notable_f": np.array(self._rows["notable_f"], dtype=np.float64),
            "indices": np.array(self._rows["indices"], dtype=np.int64),
            **self._dependents(),
        }
        # So it is with numbers: quantities, then tables of counts, then neighbors' weights, then
        # Poisson tables of children (see `evaluate`); what was counted from 0 moves behind.
        n_numbers = len(self._numbers)
        mark_i = self._static["mark_i"]
        mark_i[mark_i[:, t.KIND] == t.COUNT, t.TABLE_FROM] += n_numbers
        excites_i = self._static["excites_i"]
        excites_i[:, t.NEAR_WEIGHTS] += n_numbers + self.counts.length
        excites_i[:, t.COUNTS_FROM] += n_numbers + self.counts.length + len(self.excitation.weights)
        # What a replication evaluates is held as the numbers of its quantities.
        self._factor_q = _table(self._rows["factor_q"], 2)
        self._mark_q = _table(self._rows["mark_q"], 2)
        self._effect_q = np.array(self._rows["effect_q"], dtype=np.int64)
        self._number_q = np.array(self._numbers, dtype=np.int64)
        self._level_q = np.array(self._levels, dtype=np.int64)
        self._rate = np.array(self._per_day)
        self._own_start = self._factor_q[:, t.REFERENCE] == _START
        del self._rows, self._numbers

    def _addresses(self) -> NDArray[np.uint64]:
        """A channel's chance is addressed by its name, so that another channel moves no draw."""
        words = np.zeros((len(self.channels), 2), dtype=np.uint64)
        names = (self.channels.types, self.channels.places, self.channels.targets)
        for row, key in zip(words, zip(*names, strict=True), strict=True):
            row[t.HASH] = name_hash("|".join(key))
        return words

    def _dependents(self) -> dict[str, NDArray[np.int64]]:
        """Who reads each state variable: channels, and the factors of channels."""
        factors: list[set[int]] = [set() for _ in self._rows["factor_i"]]
        for channel in self._columns:
            for factor in range(channel[t.FACTOR_FROM], channel[t.FACTOR_TO]):
                kind, where, first, length = self._rows["factor_i"][factor]
                covers = self._rows["indices"][first : first + length]
                factors[factor] = set(covers) if kind == t.SHIELD else {where}
        found = {}
        for name, all_reads in ("dependents", self._rows["reads"]), ("readers", factors):
            readers: list[list[int]] = [[] for _ in self._layout.positions]
            for number, reads in enumerate(all_reads):
                for position in reads:
                    readers[position].append(number)
            starts = np.concatenate([[0], np.cumsum([len(r) for r in readers])])
            found[f"{name}_from"] = starts.astype(np.int64)
            found[name] = np.array([n for r in readers for n in r], dtype=np.int64)
        return found

    def evaluate(
        self, values: NDArray[np.float64], state: NDArray[np.float64]
    ) -> dict[str, NDArray[Any]]:
        """The tables of one replication, from its quantities and its state at the start.

        Raises `SimulationError` where a number is none that the kernel can work with.
        """
        # (x / reference) ** elasticity: where the reference is the start, it is x as it is now.
        factor_f = values[self._factor_q]
        where = self._static["factor_i"][:, t.WHERE]
        factor_f[self._own_start, t.REFERENCE] = state[where[self._own_start]]
        empty = ~(factor_f[:, t.REFERENCE] > 0.0)
        if empty.any():
            row = int(np.flatnonzero(empty)[0])
            self._refuse_reference(int(where[row]), row, float(factor_f[row, t.REFERENCE]))
        # The history is drawn at the level stated, children and all; from the start on, the base
        # is what is not excited, mu = (I - N') level, and children come on top of it.
        level = values[self._level_q] * self._rate
        channel_f = np.zeros((len(level), 3))
        channel_f[:, t.START_LEVEL] = level
        channel_f[:, t.BASE] = self.excitation.immigrant_level(level, values)
        if not np.isfinite(channel_f).all():
            channel = int(np.flatnonzero(~np.isfinite(channel_f).all(axis=1))[0])
            got = channel_f[channel, t.BASE]
            raise SimulationError(f"level of {self.channels.describe(channel)} became {got}")
        numbers = [
            values[self._number_q],
            self.counts.evaluate(values),
            self.excitation.weights,
            self.excitation.child_counts(values),
        ]
        # Rows of channels change during a run (open, opener, layers awake): a copy for each.
        return {
            **self._static,
            "factor_now": np.zeros(len(factor_f)),
            "channel_i": self._static["channel_i"].copy(),
            "channel_u": self._static["channel_u"].copy(),
            "channel_f": channel_f,
            "factor_f": factor_f,
            "mark_f": values[self._mark_q],
            "effect_f": values[self._effect_q],
            "excites_f": self.excitation.evaluate(values),
            "numbers": np.concatenate(numbers),
        }

    def _refuse_reference(self, position: int, row: int, got: float) -> None:
        variable = self._layout.name_of(position)
        if self._own_start[row]:
            raise SimulationError(
                f"{variable} is 0 at the start and so cannot be the "
                "reference of a power factor; give `reference` a number"
            )
        raise SimulationError(f"{variable}: reference of a power factor must be > 0 (got {got})")


def _condition(when: str | None) -> tuple[int, int]:
    if when is None:
        return -1, 1
    name = when.removeprefix("not ")
    return MARKS.index(name), int(name == when)


def _table(rows: Sequence[Sequence[int]], width: int) -> NDArray[np.int64]:
    return np.array(rows, dtype=np.int64).reshape(-1, width)
