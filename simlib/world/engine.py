"""The incident process: one SimPy process that lets the kernel run between decisions."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from simlib.chance.philox import uniform, uniform_at, uniforms
from simlib.errors import SimulationError
from simlib.journal import MARKS, Incidents, to_date
from simlib.world.clock import AFTER_RANK, INCIDENT_RANK, OBSERVER_RANK, Process
from simlib.world.kernel import kernel_tables as t
from simlib.world.kernel.advance import advance, begin, begin_history
from simlib.world.kernel.channel_intensities import refresh_all, write

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simlib.journal import Channels, Layout
    from simlib.world.clock import Clock
    from simlib.world.waiting import Watches

MOST_INCIDENTS = 2_000_000
"""Cap on the incidents of one replication: an explosion is an error, not a hang.

The reference scenario has some 10,000. A scenario that expects more than half of the cap is
refused before it runs, and a replication that would reach the cap at the intensities of its
start ends there. The journal of so many takes a second and about half a gigabyte; a cap that
the memory of a machine would reach first is none. A constant, so that a replication fails or
does not wherever it is run.
"""
_FIRST_CAPACITY = 16_384
_CHILD_CAPACITY = 4_096
_MOST_KEPT = 4 * _FIRST_CAPACITY
"""Capacity of the largest journal whose memory is used again: 10 MB."""
_spare: list[tuple[tuple[NDArray[Any], ...], tuple[NDArray[Any], ...]]] = []
"""Buffers that replications of this process have left."""


class CompiledIncidents:
    """Every channel of one replication, advanced by the compiled kernel.

    Parameters
    ----------
    clock, channels, layout
        The replication's clock, and the names of its channels and state variables.
    state, floor
        The state vector at the start (the attribute `state` lives), and its least values.
    evaluated
        Tables of the replication, as `ChannelPlan.evaluate` gives them.
    key
        Root seed and replication.
    watches, n_types
        Thresholds that agents wait for, and how many types of incidents they may wait for.
    span
        Beginning of the history, start and horizon, in days.
    keep_journal
        Whether incidents are kept; without it nothing can be counted afterwards.
    """

    def __init__(  # noqa: PLR0913
        self,
        clock: Clock,
        *,
        channels: Channels,
        layout: Layout,
        state: NDArray[np.float64],
        floor: NDArray[np.float64],
        evaluated: dict[str, NDArray[Any]],
        key: tuple[int, int],
        watches: Watches,
        n_types: int,
        span: tuple[float, float, float],
        keep_journal: bool = True,
    ) -> None:
        self._clock, self._channels, self._watches = clock, channels, watches
        self._layout = layout
        self.on_notable: Callable[[int], None] = lambda _row: None
        self.on_crossed: Callable[[list[int]], None] = lambda _watches: None
        self.compiled_seconds = 0.0
        # One memory for all tables: a call of the kernel passes three arrays, not thirty.
        memory = t.Memory(
            {
                **evaluated,
                **watches.tables,
                **_sleeping_layers(len(channels) * t.N_LAYERS),
                "key": np.array(key, dtype=np.uint64),
                "state": state,
                "floor": floor,
                "waiting": np.zeros(n_types, dtype=np.int64),
            }
        )
        # From here on state and watches live in the memory, where Python and kernel share them.
        self._views = memory.views
        self._effects, self._held = evaluated["effect_f"].copy(), set[int]()
        self.state = memory.views["state"]
        # Those who wait by type: as they stand now, and as the kernel was last told.
        self._n_waiting, self._told = [0] * n_types, [0] * n_types
        starts = memory.views["dependents_from"]
        self._is_read = (starts[1:] > starts[:-1]).tolist()
        self._floor = floor.tolist()
        watches.live_in(memory.views, memory.ints)
        self._control_f, self._control_i = memory.floats, memory.ints
        self._set_control(span, keep_journal=keep_journal)
        self._memory = (memory.floats, memory.ints, memory.words)
        self._children, self._journal = _buffers()
        self._control_i[t.N_FREE] = len(self._children[0])

    def _set_control(self, span: tuple[float, float, float], *, keep_journal: bool) -> None:
        begins, start, horizon = span
        # The clock begins with the history, NOW; its first LIMIT is the start.
        self._control_f[:4] = (begins, start, start, horizon)
        self._control_i[[t.KEEP_JOURNAL, t.MOST_HAPPENED]] = keep_journal, MOST_INCIDENTS
        self._control_i[t.N_CHANNELS] = len(self._channels)

    # what the world and its agents ask for

    def begin(self) -> None:
        """Draw the incidents of the history, then open the channels at the start."""
        self._control_i[t.IN_HISTORY] = 1
        self._call(begin_history)
        self._refuse_explosion(self._control_f[t.START] - self._control_f[t.NOW])
        while self._advance_to(self._control_f[t.START], inclusive=False) != t.AT_LIMIT:
            pass
        self._control_i[t.IN_HISTORY] = 0
        self._call(begin)
        self._check()
        self._refuse_explosion(self._control_f[t.HORIZON] - self._control_f[t.START])

    def note(self, where: int, value: float) -> bool:
        """Set a state variable that no channel reads and nobody watches; else do nothing.

        There is nothing to refresh then, and compiled code is not called for it.
        """
        is_noted = (
            not self._is_read[where]
            and math.isfinite(value)
            and not self._watches.is_watched[where]
        )
        if is_noted:
            self.state[where] = max(self._floor[where], value)
        return is_noted

    def write(self, positions: NDArray[np.int64], values: NDArray[np.float64], opener: int) -> int:
        """Set state variables by the decision of a row, or -1; see the kernel's `write`.

        Raises `SimulationError` where the intensity of a channel leaves its range.
        """
        result = int(self._call(write, positions, values, opener))
        if result == t.FAULTY:
            self._check()
        return result

    def revise(self, evaluated: dict[str, NDArray[Any]], opener: int) -> None:
        """Go on with other numbers of the same tables, by the decision of a row, or -1.

        Raises `SimulationError` where the intensity of a channel leaves its range.
        """
        for name in ("factor_f", "mark_f", "excites_f", "numbers"):
            self._views[name][...] = evaluated[name]
        self._effects = evaluated["effect_f"].copy()
        self.hold(self._held)
        self._views["channel_f"][:, t.BASE] = evaluated["channel_f"][:, t.BASE]
        self._call(refresh_all, opener)
        self._check()

    def hold(self, positions: set[int]) -> None:
        """Let no incident change the state at some positions, and only there."""
        self._held = positions
        goals, lengths = self._views["effect_i"][:, [t.DESTINATION, t.DESTINATION_LENGTH]].T
        is_held = np.isin(goals, list(positions)) & (lengths == 0)
        self._views["effect_f"][...] = np.where(is_held, 0.0, self._effects)

    def wait(self, types: Iterable[int], by: int) -> None:
        """Add to the numbers of those who wait for notable incidents of some types."""
        for type_ in types:
            self._n_waiting[type_] += by

    def count(
        self, channels: NDArray[np.bool_], since: float, least: tuple[tuple[int, float], ...]
    ) -> int:
        """The number of incidents on the channels marked, after a time, with marks of at least so.

        `least` pairs positions of marks with what each must at least be.
        """
        if not self._control_i[t.KEEP_JOURNAL]:
            raise SimulationError("an agent looks back on incidents, but no journal is kept")
        at, whole, _, marks = self._journal
        n = int(self._control_i[t.N_JOURNAL])
        first = int(at[:n].searchsorted(since, side="right"))
        chosen = channels[whole[first:n, t.CHANNEL]]
        for mark, value in least:
            chosen &= marks[first:n, mark] >= value
        return int(np.count_nonzero(chosen))

    def row(self, number: int) -> tuple[float, int, tuple[int, int, int], NDArray[np.float64]]:
        """Time, channel, address and marks of one incident."""
        a0, a1, a2 = self._journal[2][number].tolist()
        time_ = float(self._journal[0][number])
        channel = int(self._journal[1][number, t.CHANNEL])
        return time_, channel, (a0, a1, a2), self._journal[3][number]

    def incidents(self) -> Incidents:
        """The journal of incidents."""
        n = self._control_i[t.N_JOURNAL]
        whole = self._journal[1][:n].astype(np.int32)
        return Incidents(
            time=self._journal[0][:n].copy(),
            channel=whole[:, t.CHANNEL].copy(),
            parent=whole[:, t.PARENT].copy(),
            opener=whole[:, t.OPENED_BY].copy(),
            address=self._journal[2][:n].copy(),
            marks=self._journal[3][:n].copy(),
            channels=self._channels,
        )

    def release(self) -> None:
        """Leave the buffers to a replication to come; nothing can be asked of this one any more."""
        if len(self._journal[0]) <= _MOST_KEPT:
            _spare.append((self._children, self._journal))
        self._children = self._journal = ()

    def process(self) -> Process:
        """Advance to the next decision or consequential incident, sleep until then."""
        while True:
            limit, rank = self._clock.next_scheduled()
            if limit > self._control_f[t.HORIZON]:  # the last observer has looked
                return
            inclusive = rank >= OBSERVER_RANK
            stop = self._advance_to(limit, inclusive=inclusive)
            now = float(self._control_f[t.NOW])
            if stop == t.AT_LIMIT:
                yield self._clock.at(limit, AFTER_RANK if inclusive else INCIDENT_RANK)
                continue
            yield self._clock.at(now, INCIDENT_RANK)
            if stop == t.NOTABLE:
                self.on_notable(max(0, int(self._control_i[t.N_JOURNAL]) - 1))
            self.on_crossed(self._watches.take_fired())
            yield self._clock.at(now, INCIDENT_RANK)

    # the kernel

    def _call(self, function: Callable[..., Any], *more: Any) -> Any:
        began = time.perf_counter()
        result = function(*self._memory, *more)
        self.compiled_seconds += time.perf_counter() - began
        return result

    def _advance_to(self, limit: float, *, inclusive: bool) -> int:
        self._control_f[t.LIMIT] = limit
        self._control_i[t.INCLUSIVE] = inclusive
        if self._told != self._n_waiting:
            self._told = self._n_waiting.copy()
            self._views["waiting"][...] = self._told
        stop = int(self._call(advance, *self._children, *self._journal))
        while stop == t.FULL:
            self._grow()
            stop = int(self._call(advance, *self._children, *self._journal))
        if stop == t.TOO_MANY:
            raise self._too_many("incidents")
        if stop == t.FAULTY:
            self._check()
        return stop

    def _check(self) -> None:
        """Raise what the kernel noted to be wrong, if anything."""
        what, number = self._control_i[t.FAULT : t.FAULT_ROW + 1].tolist()
        if what == t.SOUND:
            return
        value, now = self._control_f[[t.FAULT_VALUE, t.NOW]].tolist()
        if what == t.BAD_STATE:
            text = f"{self._layout.name_of(number)} became {value}"
        elif what == t.BAD_INTENSITY:
            text = f"intensity of {self._channels.describe(number)} became {value:g} a day"
            if np.isfinite(value):
                text += f", more than {t.LAYER_LOW[t.N_LAYERS]:.2g}"
        else:
            channel = int(np.flatnonzero(self._views["channel_i"][:, t.MARK_TO] > number)[0])
            mark = MARKS[int(self._views["mark_i"][number, t.SLOT])]
            text = f"chance of {mark} of {self._channels.describe(channel)} became {value}"
        date = str(to_date(now))
        raise SimulationError(f"{text} on {date}", "", date)

    def _refuse_explosion(self, days: float) -> None:
        """Raise when more would happen than may, were intensities to stay as they are."""
        expected = float(self._views["channel_f"][:, t.INTENSITY].sum() * days)
        if expected > MOST_INCIDENTS:
            date = str(to_date(float(self._control_f[t.NOW])))
            rule = f"must expect at most {MOST_INCIDENTS} incidents in a replication"
            raise SimulationError(f"{rule} (got {expected:.3g} on {date})", "", date)

    def _too_many(self, what: str) -> SimulationError:
        date = str(to_date(float(self._control_f[t.NOW])))
        return SimulationError(f"more than {MOST_INCIDENTS} {what} by {date}", "", date)

    def _grow(self) -> None:
        """Double whichever buffer is full."""
        if self._control_i[t.N_JOURNAL] >= len(self._journal[0]) - 1:
            self._journal = tuple(map(_doubled, self._journal))
            return
        capacity = len(self._children[0])
        if capacity > MOST_INCIDENTS:
            raise self._too_many("incidents to come")
        self._children = tuple(map(_doubled, self._children))
        free = int(self._control_i[t.N_FREE])
        self._children[2][free : free + capacity] = np.arange(capacity, 2 * capacity)
        self._control_i[t.N_FREE] = free + capacity


def _sleeping_layers(n: int) -> dict[str, NDArray[Any]]:
    return {
        "layer_f": np.zeros((n, 3)),
        "layer_i": np.zeros((n, 2), dtype=np.int64),
        "layer_u": np.zeros((n, 2), dtype=np.uint64),
        "heap_at": np.zeros(n),
        "heap_row": np.zeros(n, dtype=np.int64),
    }


def _buffers() -> tuple[tuple[NDArray[Any], ...], tuple[NDArray[Any], ...]]:
    """Room for children and for the journal, used before if possible.

    The system gives memory page by page, each cleared: for a replication's, that takes longer
    than to write to it.
    """
    try:
        children, journal = _spare.pop()
    except IndexError:
        return _no_children(), _empty_journal()
    children[2][:] = np.arange(len(children[2]))[::-1]
    return children, journal


def _no_children() -> tuple[NDArray[Any], ...]:
    """The children's heap (dates, slots), the free slots, and what a slot holds."""
    return (
        np.zeros(_CHILD_CAPACITY),
        np.zeros(_CHILD_CAPACITY, dtype=np.int64),
        np.arange(_CHILD_CAPACITY)[::-1].copy(),
        np.zeros((_CHILD_CAPACITY, 2), dtype=np.int64),
        np.zeros((_CHILD_CAPACITY, 3), dtype=np.uint64),
    )


def _empty_journal() -> tuple[NDArray[Any], ...]:
    """The columns of the journal: dates, references, addresses, marks."""
    return (
        np.empty(_FIRST_CAPACITY),
        np.empty((_FIRST_CAPACITY, 3), dtype=np.int64),
        np.empty((_FIRST_CAPACITY, 3), dtype=np.uint64),
        np.empty((_FIRST_CAPACITY, len(MARKS))),
    )


def _doubled(array: NDArray[Any]) -> NDArray[Any]:
    """An array of twice the length; memory it does not use yet is not touched."""
    longer = np.empty((2 * len(array), *array.shape[1:]), array.dtype)
    longer[: len(array)] = array
    return longer


def compile_kernel() -> None:
    """Compile every entry of the kernel, or load it from the cache, before it is needed."""
    kinds = ((float, t.FLOAT_TABLES), (np.int64, t.INTEGER_TABLES), (np.uint64, t.WORD_TABLES))
    memory = t.Memory(
        {name: np.zeros((2, w), kind) for kind, tables in kinds for name, w in tables.items()}
    )
    arrays = (memory.floats, memory.ints, memory.words)
    begin_history(*arrays)
    begin(*arrays)
    refresh_all(*arrays, -1)
    write(*arrays, np.zeros(0, dtype=np.int64), np.zeros(0), -1)
    whole, pairs = np.zeros(2, dtype=np.int64), np.zeros((2, 3), dtype=np.int64)
    words, marks = np.zeros((2, 3), dtype=np.uint64), np.zeros((2, len(MARKS)))
    advance(*arrays, np.zeros(2), whole, whole, pairs, words, np.zeros(2), pairs, words, marks)
    uniform(0, 0, 0)
    uniform_at(np.zeros(5, dtype=np.uint64))
    uniforms(0, 0, np.zeros(1, dtype=np.uint64), np.zeros(1, dtype=np.uint64))
