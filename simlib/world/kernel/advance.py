"""The loop: from now to the next decision, or to the first consequential incident."""

from __future__ import annotations

import math

import numpy as np

from simlib.chance.compiling import compiled, inlined
from simlib.chance.philox import Word, block
from simlib.world.kernel.happening import apply_effects, bear_children, draw_marks, is_notable
from simlib.world.kernel.intensities import refresh
from simlib.world.kernel.points import layer_word, pass_candidate, row, sift_down, wake
from simlib.world.kernel.tables import (
    AT_LIMIT,
    CELL,
    CHANNEL_F,
    CHANNEL_I,
    CHANNEL_U,
    CHILD_CHANNEL,
    CHILD_PARENT,
    CROSSED,
    FAULT,
    FAULTY,
    FULL,
    HASH,
    HEAP_AT,
    HEAP_ROW,
    HEIGHT,
    IN_HISTORY,
    INCLUSIVE,
    INTENSITY,
    IS_OPEN,
    J_CHANNEL,
    J_OPENER,
    J_PARENT,
    KEEP_JOURNAL,
    LAYER_F,
    LAYER_I,
    LAYER_LOW,
    LAYER_U,
    LIMIT,
    MOST_HAPPENED,
    N_AWAKE,
    N_CANDIDATES,
    N_CHANNELS,
    N_CHILDREN,
    N_FREE,
    N_HAPPENED,
    N_JOURNAL,
    N_LAYERS,
    NOTABLE,
    NOW,
    OPENER,
    POINT,
    SOUND,
    START_LEVEL,
    TOO_MANY,
    TYPE,
    WAITING,
    Floats,
    Integers,
    Words,
)

SPARE_CHILDREN = 256
"""Free slots for children that one incident may need."""
_ZERO = np.uint64(0)


@inlined
def happen(
    floats: Floats,
    ints: Integers,
    words: Words,
    child_at: Floats,
    child_slot: Integers,
    child_free: Integers,
    child_i: Integers,
    child_u: Words,
    journal_at: Floats,
    journal_i: Integers,
    journal_u: Words,
    marks: Floats,
    channel: int,
    parent: int,
    a0: Word,
    a1: Word,
    a2: Word,
    w2: Word,
    w3: Word,
) -> int:
    """Let one incident happen now; return the stop it calls for, AT_LIMIT for none."""
    journal = ints[N_JOURNAL]
    c = row(ints, CHANNEL_I, channel)
    journal_at[journal] = floats[NOW]
    journal_i[journal, J_CHANNEL] = channel
    journal_i[journal, J_PARENT] = parent
    journal_i[journal, J_OPENER] = ints[c + OPENER]
    journal_u[journal, 0] = a0
    journal_u[journal, 1] = a1
    journal_u[journal, 2] = a2
    draw_marks(floats, ints, words, marks, channel, journal, a0, a1, a2, w2, w3)
    ints[N_HAPPENED] += 1
    own = -1
    if ints[KEEP_JOURNAL] == 1:
        ints[N_JOURNAL] = journal + 1
        own = journal
    stop = AT_LIMIT
    if ints[IN_HISTORY] == 0:
        if apply_effects(floats, ints, words, marks, channel, journal):
            stop = CROSSED
        if ints[ints[WAITING] + ints[c + TYPE]] > 0 and is_notable(
            floats, ints, marks, channel, journal
        ):
            stop = NOTABLE
    bear_children(
        floats, ints, words, child_at, child_slot, child_free, child_i, child_u,
        channel, own, a0, a1, a2,
    )  # fmt: skip
    return stop if ints[FAULT] == SOUND else FAULTY


@inlined
def is_full(ints: Integers, capacity: int) -> bool:
    """Whether a buffer may not hold what one more incident brings."""
    if ints[KEEP_JOURNAL] == 1 and ints[N_JOURNAL] >= capacity - 1:
        return True
    return bool(ints[N_FREE] < SPARE_CHILDREN)


@compiled
def advance(
    floats: Floats,
    ints: Integers,
    words: Words,
    child_at: Floats,
    child_slot: Integers,
    child_free: Integers,
    child_i: Integers,
    child_u: Words,
    journal_at: Floats,
    journal_i: Integers,
    journal_u: Words,
    marks: Floats,
) -> int:
    """Advance every channel to the limit or to the first stop.

    Candidates of the layers and children stand in two heaps. A candidate is an incident
    when its height lies below its channel's intensity; a child is one unless its gate is
    closed.
    """
    limit, inclusive = floats[LIMIT], ints[INCLUSIVE] == 1
    at0, what0 = ints[HEAP_AT], ints[HEAP_ROW]
    while True:
        at_layer = floats[at0] if ints[N_AWAKE] > 0 else math.inf
        at_child = child_at[0] if ints[N_CHILDREN] > 0 else math.inf
        now = min(at_layer, at_child)
        if now > limit or (now == limit and not inclusive):
            floats[NOW] = limit
            return AT_LIMIT
        if is_full(ints, len(journal_at)):
            return FULL
        if ints[N_HAPPENED] >= ints[MOST_HAPPENED]:
            return TOO_MANY
        floats[NOW] = now
        ints[N_CANDIDATES] += 1
        if at_child < at_layer:
            slot = child_slot[0]
            n = ints[N_CHILDREN] - 1
            sift_down(child_at, 0, child_slot, 0, n, child_at[n], child_slot[n])
            ints[N_CHILDREN] = n
            child_free[ints[N_FREE]] = slot
            ints[N_FREE] += 1
            channel = child_i[slot, CHILD_CHANNEL]
            if ints[row(ints, CHANNEL_I, channel) + IS_OPEN] == 0:
                continue
            parent = child_i[slot, CHILD_PARENT]
            a0, a1, a2 = child_u[slot, 0], child_u[slot, 1], child_u[slot, 2]
            _, _, w2, w3 = block(words[0], words[1], a0, a1, a2, _ZERO)
        else:
            number = ints[what0]
            channel = number // N_LAYERS
            layer = number - channel * N_LAYERS
            intensity = floats[row(ints, CHANNEL_F, channel) + INTENSITY]
            if floats[row(ints, LAYER_F, number) + HEIGHT] >= intensity:
                asleep = 1 if layer > 0 and intensity < 0.5 * LAYER_LOW[layer] else 0
                pass_candidate(floats, ints, words, channel, layer, asleep)
                continue
            parent = -1
            a0 = words[row(ints, CHANNEL_U, channel) + HASH]
            i, u = row(ints, LAYER_I, number), row(ints, LAYER_U, number)
            a1, a2 = layer_word(layer, ints[i + CELL]), np.uint64(ints[i + POINT])
            w2, w3 = words[u], words[u + 1]
            pass_candidate(floats, ints, words, channel, layer, 0)
        stop = happen(
            floats, ints, words, child_at, child_slot, child_free, child_i, child_u,
            journal_at, journal_i, journal_u, marks, channel, parent, a0, a1, a2, w2, w3,
        )  # fmt: skip
        if stop != AT_LIMIT:
            return stop


@compiled
def begin_history(floats: Floats, ints: Integers, words: Words) -> None:
    """Hold every channel at its level of the start, from now on."""
    for channel in range(ints[N_CHANNELS]):
        f = row(ints, CHANNEL_F, channel)
        floats[f + INTENSITY] = floats[f + START_LEVEL]
        ints[row(ints, CHANNEL_I, channel) + IS_OPEN] = 1
        wake(floats, ints, words, channel)


@compiled
def begin(floats: Floats, ints: Integers, words: Words) -> None:
    """Compute every channel's intensity from the state, at now."""
    for channel in range(ints[N_CHANNELS]):
        floats[row(ints, CHANNEL_F, channel) + INTENSITY] = 0.0
        refresh(floats, ints, words, channel, -1)
