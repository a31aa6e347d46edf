"""The arrays the kernel works on: tables by name, their columns by name, all in three arrays.

The kernel owns no memory and keeps nothing between calls: all there is stands in a few
arrays, so returning and being called again changes no number. Tables of one type lie one
after the other in one array; a directory in ``ints`` says where each begins. (Compiled
functions that pass forty arrays on are fifty times slower.)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Words = NDArray[np.uint64]

N_LAYERS = 48
"""Layers of the ladder: intensities up to 2^34 a day."""

LAYER_LOW = np.array([0.0] + [2.0 ** (layer - 13) for layer in range(1, N_LAYERS + 1)])
"""Lower edge of each layer, per day (one more than there are layers: the upper end)."""
LAYER_HEIGHT = np.array([2.0**-12] + [2.0 ** (layer - 13) for layer in range(1, N_LAYERS)])
MEAN_GAP = 1.0 / LAYER_HEIGHT
"""Mean days between points; heights are powers of two, so this is exact."""
CELL_WIDTH = 8.0 / LAYER_HEIGHT
"""Days of a cell: the power of two that makes eight points expected."""

# control of floats: its first places
NOW, LIMIT, START, HORIZON, FAULT_VALUE = range(5)
# control of ints: its first places
(
    INCLUSIVE,
    IN_HISTORY,
    N_JOURNAL,
    KEEP_JOURNAL,
    N_CHILDREN,
    N_FREE,
    N_AWAKE,
    N_WATCHES,
    N_HAPPENED,
    MOST_HAPPENED,
    N_CANDIDATES,
    N_CHANNELS,
    FAULT,
    FAULT_ROW,
) = range(14)
_CONTROL = 16
# stops
AT_LIMIT, NOTABLE, CROSSED, FULL, TOO_MANY, FAULTY = range(6)
# what a fault is of
SOUND, BAD_INTENSITY, BAD_STATE, BAD_CHANCE = range(4)
# channel_f
BASE, INTENSITY, START_LEVEL = range(3)
# channel_i
(
    IS_OPEN,
    TOP,
    OPENER,
    TYPE,
    FACTOR_FROM,
    FACTOR_TO,
    GATE_FROM,
    GATE_TO,
    MARK_FROM,
    MARK_TO,
    EFFECT_FROM,
    EFFECT_TO,
    EXCITES_FROM,
    EXCITES_TO,
    NOTABLE_FROM,
    NOTABLE_TO,
) = range(16)
# channel_u
HASH, AWAKE = range(2)
# factor_i, factor_f
KIND, WHERE, FIRST, LENGTH = range(4)
REFERENCE, EXPONENT = range(2)
POWER, FALLING, VALUE, TABLE, SHIELD = range(5)
# gate_i: WHERE, FIRST, LENGTH as in factors; without states, FIRST is of the least number
# mark_i (KIND first), mark_f
SLOT, CONDITION, WANTED, PART_FROM, PART_TO, TABLE_FROM, TABLE_LENGTH = range(1, 8)
LOW, HIGH = range(2)
YES_NO, COUNT, SHARE, UNIFORM = range(4)
# effect_i
(
    MOVES,
    IF_MARK,
    IF_WANTED,
    MARK_A,
    MARK_B,
    OF_STOCK,
    SOURCE,
    DESTINATION,
    SOURCE_LENGTH,
    DESTINATION_LENGTH,
) = range(10)
# excites_i, excites_f, excites_u
OWN_CHANNEL, NEAR_FROM, NEAR_LENGTH, NEAR_WEIGHTS, COUNTS_FROM, COUNTS_LENGTH = range(6)
DELAY, OWN_SHARE = range(2)
COUNT_TAG, CHILD_TAG = range(2)
# layer_f, layer_i, layer_u
AT, HEIGHT, CELL_END = range(3)
CELL, POINT = range(2)
# whose: of a child, or of a line of the journal
CHANNEL, PARENT, OPENED_BY = range(3)
# watch_i
WATCH_STATE, ARMED, WAITED, FIRED = range(4)
# what a write comes to (or FAULTY)
UNCHANGED, CHANGED, FIRED_WATCH = range(3)


FLOAT_TABLES = {
    "state": 1, "channel_f": 3, "factor_f": 2, "mark_f": 2, "effect_f": 1, "excites_f": 2,
    "notable_f": 1, "numbers": 1, "layer_f": 3, "heap_at": 1, "watch_f": 1, "floor": 1,
    "factor_now": 1,
}  # fmt: skip
INTEGER_TABLES = {
    "channel_i": 16, "factor_i": 4, "gate_i": 4, "mark_i": 8, "effect_i": 10, "excites_i": 6,
    "notable_i": 1, "waiting": 1, "indices": 1, "dependents_from": 1, "dependents": 1,
    "layer_i": 2, "heap_row": 1, "watch_i": 4, "is_watched": 1, "readers_from": 1, "readers": 1,
}  # fmt: skip
WORD_TABLES = {"key": 1, "channel_u": 2, "excites_u": 2, "layer_u": 2}
WIDTHS = FLOAT_TABLES | INTEGER_TABLES | WORD_TABLES
"""Every table of the directory, in order, with the width of its rows."""

(
    STATE, CHANNEL_F, FACTOR_F, MARK_F, EFFECT_F, EXCITES_F,
    NOTABLE_F, NUMBERS, LAYER_F, HEAP_AT, WATCH_F, FLOOR, FACTOR_NOW,
    CHANNEL_I, FACTOR_I, GATE_I, MARK_I, EFFECT_I, EXCITES_I,
    NOTABLE_I, WAITING, INDICES, DEPENDENTS_FROM, DEPENDENTS,
    LAYER_I, HEAP_ROW, WATCH_I, IS_WATCHED, READERS_FROM, READERS,
    KEY, CHANNEL_U, EXCITES_U, LAYER_U,
) = range(_CONTROL, _CONTROL + len(WIDTHS))  # fmt: skip
"""Where the directory has each table's beginning."""

WIDTH_OF = np.array([0] * _CONTROL + list(WIDTHS.values()))
"""Width of a table's rows, by its place in the directory."""

_CONTROL_FLOATS = 5
_DIRECTORY_END = STATE + len(WIDTHS)


class Children(NamedTuple):
    """Incidents to come: a heap of dates and slots, the free slots, and what a slot holds."""

    at: Floats
    slot: Integers
    free: Integers
    whose: Integers
    address: Words


class Journal(NamedTuple):
    """Incidents that have happened, a line each."""

    at: Floats
    whose: Integers
    address: Words
    marks: Floats


class Happening(NamedTuple):
    """An incident that happens now."""

    line: int
    """Of the journal."""
    channel: int
    parent: int
    a0: np.uint64
    a1: np.uint64
    a2: np.uint64
    """The address of all its draws is a0, a1, a2."""
    w2: np.uint64
    w3: np.uint64
    """Words of its own block that its date and height have left over."""


class Memory:
    """The kernel's three arrays, and a copy of every table laid out in them.

    The first places of `floats` and `ints` are control numbers; `views` has each table by name.
    """

    def __init__(self, contents: Mapping[str, NDArray[Any]]) -> None:
        sizes = {"f": _CONTROL_FLOATS, "i": _DIRECTORY_END, "u": 0}
        places: dict[str, int] = {}
        for name in WIDTHS:
            kind = contents[name].dtype.kind
            places[name] = sizes[kind]
            sizes[kind] += contents[name].size
        self.floats: Floats = np.zeros(sizes["f"])
        self.ints: Integers = np.zeros(sizes["i"], dtype=np.int64)
        self.words: Words = np.zeros(sizes["u"], dtype=np.uint64)
        self.views: dict[str, NDArray[Any]] = {}
        arrays: dict[str, NDArray[Any]] = {"f": self.floats, "i": self.ints, "u": self.words}
        for number, name in enumerate(WIDTHS):
            table = contents[name]
            first = places[name]
            view = arrays[table.dtype.kind][first : first + table.size].reshape(table.shape)
            view[...] = table
            self.views[name] = view
            width = table.shape[1] if table.ndim > 1 else 1
            assert width == WIDTHS[name]  # noqa: S101  (else the kernel reads other rows)
            self.ints[STATE + number] = first
