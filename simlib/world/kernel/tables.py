"""The arrays the kernel works on: tables by name, their columns by name.

The kernel owns no memory and keeps nothing between calls: all there is stands in a few
arrays, so returning and being called again changes no number. Tables of one type lie one
after the other in one array; a directory in ``ints`` says where each begins and how wide
its rows are. (Compiled functions that pass forty arrays on are fifty times slower.)
"""

from __future__ import annotations

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
CELL_WIDTH = 8.0 / LAYER_HEIGHT
"""Days of a cell: the power of two that makes eight points expected."""

# control of floats: its first places
NOW, LIMIT, START, HORIZON = range(4)
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
) = range(12)
_CONTROL = 16
# stops
AT_LIMIT, NOTABLE, CROSSED, FULL, TOO_MANY = range(5)
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
    LINK_FROM,
    LINK_TO,
    NOTABLE_FROM,
    NOTABLE_TO,
) = range(16)
# channel_u
HASH, AWAKE = range(2)
# factor_i, factor_f
KIND, WHERE, FIRST, LENGTH = range(4)
REFERENCE, EXPONENT = range(2)
POWER, FALLING, VALUE, TABLE, SHIELD = range(5)
# gate_i: WHERE, FIRST, LENGTH as in factors
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
# link_i, link_f, link_u
OWN_CHANNEL, NEAR_FROM, NEAR_LENGTH, NEAR_WEIGHTS, COUNTS_FROM, COUNTS_LENGTH = range(6)
DELAY, OWN_SHARE = range(2)
COUNT_TAG, CHILD_TAG = range(2)
# layer_f, layer_i, layer_u
AT, HEIGHT, CELL_END = range(3)
CELL, POINT = range(2)
# child_i
CHILD_CHANNEL, CHILD_PARENT = range(2)
# journal_i
J_CHANNEL, J_PARENT, J_OPENER = range(3)
# watch_i
WATCH_STATE, ARMED, WAITED, FIRED = range(4)
# what a write comes to
UNCHANGED, CHANGED, FIRED_WATCH = range(3)


TABLES = (
    "state", "channel_f", "factor_f", "mark_f", "effect_f", "link_f", "notable_f", "numbers",
    "layer_f", "heap_at", "watch_f", "floor",
    "channel_i", "factor_i", "gate_i", "mark_i", "effect_i", "link_i", "notable_i", "waiting",
    "indices", "dependents_from", "dependents", "layer_i", "heap_row", "watch_i", "is_watched",
    "key", "channel_u", "link_u", "layer_u",
)  # fmt: skip
"""Every table of the directory, in order."""

(
    STATE, CHANNEL_F, FACTOR_F, MARK_F, EFFECT_F, LINK_F, NOTABLE_F, NUMBERS,
    LAYER_F, HEAP_AT, WATCH_F, FLOOR,
    CHANNEL_I, FACTOR_I, GATE_I, MARK_I, EFFECT_I, LINK_I, NOTABLE_I, WAITING,
    INDICES, DEPENDENTS_FROM, DEPENDENTS, LAYER_I, HEAP_ROW, WATCH_I, IS_WATCHED,
    KEY, CHANNEL_U, LINK_U, LAYER_U,
) = range(_CONTROL, _CONTROL + 2 * len(TABLES), 2)  # fmt: skip
"""Where the directory has each table's beginning; the width of its rows stands next."""
