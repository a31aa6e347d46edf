"""The oracle: the same theatre in plain SimPy, one process per channel layer.

It shares with the shipped engine the addresses and the tables of discrete inversion, and
nothing else: uniforms come from NumPy's own Philox, intensities, marks, effects and
children are interpreted from the scenario in plain Python. The shipped engine must
produce the identical journal.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from simlib.chance.addresses import name_hash
from simlib.chance.inversion_tables import count_table
from simlib.journal import MARKS, Incidents, Run
from simlib.scenario.expressions import compile_quantity
from simlib.scenario.schema import Falling, Gate, Power, Shield, Table, Value
from simlib.simulation import Blueprint, simulate
from simlib.world.branching import _poisson_cumulative
from simlib.world.channels import name_channels
from simlib.world.clock import INCIDENT_RANK
from simlib.world.kernel.kernel_tables import CELL_WIDTH, LAYER_HEIGHT, LAYER_LOW
from simlib.world.state import MONTH, Geography, ar1_name, trend_name
from support.uniforms import MASK, Address, choose_goal, invert, philox, unit

if TYPE_CHECKING:
    import simpy

    from simlib.scenario.schema import Factor, IncidentEffect, IncidentGroup, Mark
    from simlib.simulation import EngineType


class PlainIncidents:
    """Every channel of one replication, as SimPy processes."""

    def __init__(self, blueprint: Blueprint, clock: Any, **given: Any) -> None:
        self.clock, self.blueprint = clock, blueprint
        self.scenario = blueprint.scenario
        self.state, self.watches, self.key = given["state"], given["watches"], given["key"]
        self.floor = given["floor"]
        self.begin_at, self.start, self.horizon = given["span"]
        self.geography = Geography(self.scenario, blueprint.layout)
        self.parameters = blueprint.parameters.draw(self.key[1], {})
        self.channels = name_channels(self.scenario, self.geography)
        self.types = sorted(self.scenario.incidents)
        self.base = given["evaluated"]["channel_f"][:, 0].tolist()
        self.level = given["evaluated"]["channel_f"][:, 2].tolist()
        self.compiled_seconds = 0.0
        self.on_notable: Callable[[int], None] = lambda _row: None
        self.on_crossed: Callable[[list[int]], None] = lambda _watches: None
        self.waiting = [0] * len(self.types)
        self.start_state = self.state.copy()
        n = len(self.channels)
        self.group = [
            self.scenario.incidents[self.channels.types[c]].groups[self.channels.groups[c]]
            for c in range(n)
        ]
        self.factors = [self.all_factors(c) for c in range(n)]
        self.gates = [[*self.group[c].gates, *self.presence(c)] for c in range(n)]
        self.held: set[int] = set()
        self.intensity, self.open, self.opener = [0.0] * n, [True] * n, [-1] * n
        self.asleep: list[dict[int, simpy.Event | None]] = [{} for _ in range(n)]
        self.readers = self.who_reads()
        self.rows: list[tuple[float, int, int, int, Address, list[float]]] = []
        self.quantities: dict[Any, float] = {}

    # the face the world sees

    def begin(self) -> None:
        found = [
            (date, c, address, words)
            for c, level in enumerate(self.level)
            for layer in range(len(LAYER_HEIGHT))
            if LAYER_LOW[layer] < level
            for date, height, address, words in self.points(c, layer, self.begin_at, self.start)
            if height < level
        ]
        for date, c, address, words in sorted(found):
            self.happen(date, c, -1, address, words, in_history=True)
        for c in range(len(self.channels)):
            self.refresh(c, -1)

    def note(self, _where: int, _value: float) -> bool:
        """Leave every variable to `write`."""
        return False

    def write(self, positions: Any, values: Any, opener: int) -> int:
        result = 0
        for i, where in enumerate(positions.tolist()):
            value = max(float(self.floor[where]), float(values[i]))
            if not math.isfinite(values[i]):
                return -1 - i
            if value != self.state[where]:
                self.state[where] = value
                result = max(result, 1)
                if self.watches.is_watched[where] and self.watches.test(where, value):
                    result = 2
                for c in self.readers[where]:
                    self.refresh(c, opener)
        return result

    def hold(self, positions: set[int]) -> None:
        self.held = positions

    def wait(self, types: Any, by: int) -> None:
        for type_ in types:
            self.waiting[type_] += by

    def count(self, channels: Any, since: float, least: Any) -> int:
        return sum(
            row[0] > since
            and bool(channels[row[1]])
            and all(row[5][mark] >= value for mark, value in least)
            for row in self.rows
        )

    def row(self, number: int) -> Any:
        date, channel, _, _, address, marks = self.rows[number]
        return date, channel, address, np.array(marks)

    def incidents(self) -> Incidents:
        dates, channels, parents, openers, addresses, marks = zip(*self.rows, strict=True)
        return Incidents(
            np.array(dates), np.array(channels, dtype=np.int32),
            np.array(parents, dtype=np.int32), np.array(openers, dtype=np.int32),
            np.array(addresses, dtype=np.uint64), np.array(marks), self.channels,
        )  # fmt: skip

    def release(self) -> None:
        """There is nothing to leave."""

    def process(self) -> Iterator[Any]:
        yield self.clock.at(self.horizon, INCIDENT_RANK)

    # intensities

    def value(self, quantity: Any) -> float:
        if quantity not in self.quantities:
            self.quantities[quantity] = compile_quantity(quantity)(self.parameters)
        return self.quantities[quantity]

    def where(self, c: int, variable: str, at: str) -> int:
        return self.geography.position(variable, self.channels.places[c], at)

    def all_factors(self, c: int) -> list[Factor]:
        group, type_ = self.group[c], self.channels.types[c]
        factors = dict(group.factors)
        if group.trend:
            factors["trend"] = Value(value=trend_name(type_, self.channels.groups[c]))
        if group.tempo:
            factors["tempo"] = Value(value=ar1_name(group.tempo.series))
        return [factors[name] for name in sorted(factors)]

    def read_by(self, c: int, factor: Factor | Gate) -> list[int]:
        if isinstance(factor, Shield):
            return [self.where(c, name, factor.at) for name in factor.shield]
        if isinstance(factor, Table):
            return [self.where(c, factor.table, "here")]
        for key in ("power", "falling", "value", "variable"):
            if hasattr(factor, key):
                return [self.where(c, getattr(factor, key), factor.at)]
        raise AssertionError(factor)

    def who_reads(self) -> list[list[int]]:
        readers: list[set[int]] = [set() for _ in self.state]
        for c, factors in enumerate(self.factors):
            for item in [*factors, *self.gates[c]]:
                for where in self.read_by(c, item):
                    readers[where].add(c)
        return [sorted(r) for r in readers]

    def presence(self, c: int) -> list[Gate]:
        """Gates that close while an actor is away."""
        type_, group = self.channels.types[c], self.channels.groups[c]
        return [
            Gate(variable=f"present.{name}")
            for name in sorted(self.scenario.removable())
            if (goes := self.scenario.agents[name].on_removal)
            and (type_ in goes.close or f"{type_}.{group}" in goes.close)
        ]

    def codes(self, variable: str) -> list[str]:
        if variable == MONTH:
            return [str(m) for m in range(1, 13)]
        return sorted(self.scenario.postures[variable].states)

    def factor(self, c: int, factor: Factor) -> float:
        where = self.read_by(c, factor)
        x = float(self.state[where[0]])
        if isinstance(factor, Power):
            given = factor.reference
            if isinstance(given, dict):
                layout = self.geography._layout
                first = layout.slice_of(factor.power).start
                given = given[layout.places_of(factor.power)[where[0] - first]]
            reference = self.start_state[where[0]] if given == "start" else self.value(given)
            ratio = min(max(x / float(reference), 0.05), 20.0)
            return float(ratio ** self.value(factor.elasticity))
        if isinstance(factor, Falling):
            value = x
            for k in range(1, factor.order):
                value *= x - k
            return max(value, 0.0)
        if isinstance(factor, Table):
            return self.value(factor.values[self.codes(factor.table)[int(x)]])
        if isinstance(factor, Shield):
            cover = 1.0
            for position in where:
                cover *= min(max(float(self.state[position]), 0.0), 1.0)
            return 1.0 - self.value(factor.efficacy) * cover
        return x

    def gate(self, c: int, gate: Gate) -> bool:
        x = float(self.state[self.read_by(c, gate)[0]])
        if gate.states is None:
            return x > self.value(gate.above)
        return self.codes(gate.variable)[int(x)] in gate.states

    def refresh(self, c: int, opener: int) -> None:
        was_open = self.intensity[c] > 0.0
        self.open[c] = all(self.gate(c, gate) for gate in self.gates[c])
        intensity = 0.0
        if self.open[c]:
            intensity = self.base[c]
            for factor in self.factors[c]:
                intensity *= self.factor(c, factor)
        self.intensity[c] = intensity
        if intensity > 0.0 and not was_open:
            self.opener[c] = opener
        for layer in itertools.takewhile(lambda i: LAYER_LOW[i] < intensity, itertools.count()):
            if layer not in self.asleep[c]:
                self.asleep[c][layer] = None
                self.clock.process(self.live(c, layer, self.clock.now))
            elif self.asleep[c][layer] is not None:
                event, self.asleep[c][layer] = self.asleep[c][layer], None
                self.clock.put(event, self.clock.now, INCIDENT_RANK)

    # points

    def points(self, c: int, layer: int, after: float, before: float) -> Iterator[Any]:
        """Give the points of a layer in (after, before): date, height, address, words."""
        name = name_hash(
            f"{self.channels.types[c]}|{self.channels.places[c]}|{self.channels.targets[c]}"
        )
        width, tall = float(CELL_WIDTH[layer]), float(LAYER_HEIGHT[layer])
        for cell in itertools.count(math.floor(after / width)):
            date = cell * width
            for k in itertools.count():
                address = (name, (layer << 56) | (cell & (2**56 - 1)), k)
                words = philox(self.key, (*address, 0))
                date += -math.log(1.0 - unit(words[0])) / tall
                if date >= (cell + 1) * width:
                    break
                if date >= before:
                    return
                if date > after:
                    height = float(LAYER_LOW[layer]) + tall * unit(words[1])
                    yield date, height, address, (words[2], words[3])
            if (cell + 1) * width >= before:
                return

    def live(self, c: int, layer: int, now: float) -> Iterator[Any]:
        """Live as one layer of one channel: wake, walk the points, sleep."""
        while True:
            for date, height, address, words in self.points(c, layer, now, math.inf):
                yield self.clock.at(date, INCIDENT_RANK)
                if height < self.intensity[c]:
                    self.happen(date, c, -1, address, words)
                elif self.intensity[c] <= LAYER_LOW[layer]:
                    break
            self.asleep[c][layer] = self.clock.event()
            yield self.asleep[c][layer]
            now = self.clock.now

    # incidents

    def happen(
        self, now: float, c: int, parent: int, address: Address, words: Any,
        *, in_history: bool = False,
    ) -> None:  # fmt: skip
        marks = self.marks(c, address, words)
        number = len(self.rows)
        self.rows.append((now, c, parent, self.opener[c], address, marks))
        if not in_history:
            for effect in self.group[c].effects:
                self.effect(c, effect, marks)
        self.bear(now, c, number, address, in_history=in_history)
        if not in_history:
            if self.is_notable(c, marks) and self.waiting[self.types.index(self.channels.types[c])]:
                self.on_notable(number)
            self.on_crossed(self.watches.take_fired())

    def marks(self, c: int, address: Address, words: Any) -> list[float]:
        group: IncidentGroup = self.group[c]
        result = [0.0] * len(MARKS)
        uses_neighbor = any("neighbor" in (e.at, e.to) for e in group.effects)
        for slot, name in enumerate(MARKS):
            mark = group.marks.get(name)
            if mark is None and name != "reported" and not (name == "neighbor" and uses_neighbor):
                continue
            if slot < 2:
                u = unit(words[slot])
            else:
                u = unit(philox(self.key, (*address, (slot + 2) // 4))[(slot + 2) % 4])
            if mark is None:
                result[slot] = u
            elif self.holds(mark.when, result):
                result[slot] = self.mark(c, mark, u)
        return result

    def holds(self, when: str | None, marks: list[float]) -> bool:
        if when is None:
            return True
        name = when.removeprefix("not ")
        return (marks[MARKS.index(name)] > 0.0) == (name == when)

    def mark(self, c: int, mark: Mark, u: float) -> float:
        if mark.law is not None:
            ((kind, given),) = mark.law.items()
            table = count_table(kind, {name: self.value(q) for name, q in given.items()})
            return float(invert(table.tolist(), u))
        if mark.share is not None:
            low, high = self.value(mark.share[0]), self.value(mark.share[1])
            return low + (high - low) * u
        chance = 1.0 if mark.probability is None else mark.probability
        p = self.value(chance[self.channels.places[c]] if isinstance(chance, dict) else chance)
        for name in sorted(mark.factors):
            p *= self.factor(c, mark.factors[name])
        return 1.0 if u < min(max(p, 0.0), 1.0) else 0.0

    def effect(self, c: int, effect: IncidentEffect, marks: list[float]) -> None:
        if not self.holds(effect.when, marks):
            return
        amount = self.value(effect.by)
        for name in effect.marks:
            amount *= marks[MARKS.index(name)]
        variable = effect.change or effect.move or ""
        source = self.effect_place(c, variable, effect.at, marks)
        if effect.of_stock:
            amount *= float(self.state[source])
        is_held = self.goal_of(c, variable, effect) in self.held
        if amount == 0.0 or is_held:
            return
        if effect.change:
            self.set(source, max(0.0, float(self.state[source]) + amount))
            return
        amount = min(max(amount, 0.0), float(self.state[source]))
        goal = self.effect_place(c, variable, effect.to or effect.at, marks)
        self.set(source, float(self.state[source]) - amount)
        self.set(goal, float(self.state[goal]) + amount)

    def goal_of(self, c: int, variable: str, effect: IncidentEffect) -> int:
        at = effect.to or effect.at
        return -1 if at == "neighbor" else self.where(c, variable, at)

    def effect_place(self, c: int, variable: str, at: str, marks: list[float]) -> int:
        if at != "neighbor":
            return self.where(c, variable, at)
        near = self.geography.neighbor_positions(variable, self.channels.places[c])
        return near[min(int(marks[MARKS.index("neighbor")] * len(near)), len(near) - 1)]

    def set(self, where: int, value: float) -> None:
        self.state[where] = value
        if self.watches.is_watched[where]:
            self.watches.test(where, value)
        for c in self.readers[where]:
            self.refresh(c, -1)

    def is_notable(self, c: int, marks: list[float]) -> bool:
        notable = self.scenario.incidents[self.channels.types[c]].notable
        return not notable or any(
            marks[MARKS.index(name)] >= least for name, least in notable.items()
        )

    # children

    def bear(self, now: float, c: int, number: int, address: Address, *, in_history: bool) -> None:
        for excitation in self.scenario.incidents[self.channels.types[c]].excites:
            own, near, weights = self.goals(c, excitation.type)
            if own < 0 and not near:
                continue
            u = unit(philox(self.key, (*address, name_hash(f"children|{excitation.type}")))[0])
            tag = name_hash(f"child|{excitation.type}")
            for j in range(invert(_poisson_cumulative(self.value(excitation.ratio)), u)):
                a0, a1, a2, _ = philox(self.key, (*address, (tag + j) & MASK))
                words = philox(self.key, (a0, a1, a2, 0))
                delay = self.value(excitation.decay_days)
                date = now + -math.log(1.0 - unit(words[0])) * delay
                if date > self.horizon or (in_history and date < self.start):
                    continue
                goal = choose_goal(own, near, weights, self.value(excitation.own_place), words[1])
                child = (a0, a1, a2)
                self.clock.process(self.arrive(date, goal, number, child, words[2:]))

    def goals(self, c: int, type_: str) -> tuple[int, list[int], list[float]]:
        excitation = self.blueprint.channels.excitation
        place, target = self.channels.places[c], self.channels.targets[c]

        def at(where: str) -> int:
            found = [
                i for i in range(len(self.channels))
                if self.channels.types[i] == type_ and self.channels.places[i] == where
            ]  # fmt: skip
            same = [i for i in found if self.channels.targets[i] == target]
            return (same or found or [-1])[0]

        near = [at(p) for p in self.geography.neighbors(place)]
        near = [i for i in near if i >= 0 and excitation._typical[i] > 0.0]
        total = math.fsum(excitation._typical[i] for i in near)
        weights = list(itertools.accumulate(excitation._typical[i] / total for i in near))
        return at(place), near, weights

    def arrive(self, date: float, c: int, parent: int, address: Address, words: Any) -> Any:
        yield self.clock.at(date, INCIDENT_RANK)
        if self.open[c]:
            self.happen(date, c, parent, address, words)


def simulate_plain(blueprint: Blueprint, replication: int) -> Run:
    """Simulate one replication in plain SimPy."""
    return simulate(
        blueprint, replication, engine=cast("EngineType", partial(PlainIncidents, blueprint))
    )
