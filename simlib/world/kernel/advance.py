"""The loop: from now to the next decision, or to the first consequential incident."""

from __future__ import annotations

import math

import numpy as np

from simlib.chance.compiling import compiled, inlined
from simlib.chance.philox import Word, block
from simlib.world.kernel import kernel_tables as t
from simlib.world.kernel.channel_intensities import refresh
from simlib.world.kernel.marks_and_effects import (
    apply_effects,
    bear_children,
    draw_marks,
    is_notable,
)
from simlib.world.kernel.points import layer_word, pass_candidate, row, sift_down, wake

SPARE_CHILDREN = 256
"""Free slots for children that one incident may need."""
_ZERO = np.uint64(0)


@inlined
def happen(
    floats: t.Floats,
    ints: t.Integers,
    words: t.Words,
    child_at: t.Floats,
    child_slot: t.Integers,
    child_free: t.Integers,
    child_i: t.Integers,
    child_u: t.Words,
    journal_at: t.Floats,
    journal_i: t.Integers,
    journal_u: t.Words,
    marks: t.Floats,
    channel: int,
    parent: int,
    a0: Word,
    a1: Word,
    a2: Word,
    w2: Word,
    w3: Word,
) -> int:
    """Let one incident happen now; return the stop it calls for, AT_LIMIT for none."""
    journal = ints[t.N_JOURNAL]
    c = row(ints, t.CHANNEL_I, channel)
    journal_at[journal] = floats[t.NOW]
    journal_i[journal, t.J_CHANNEL] = channel
    journal_i[journal, t.J_PARENT] = parent
    journal_i[journal, t.J_OPENER] = ints[c + t.OPENER]
    journal_u[journal, 0] = a0
    journal_u[journal, 1] = a1
    journal_u[journal, 2] = a2
    draw_marks(floats, ints, words, marks, channel, journal, a0, a1, a2, w2, w3)
    ints[t.N_HAPPENED] += 1
    own = -1
    if ints[t.KEEP_JOURNAL] == 1:
        ints[t.N_JOURNAL] = journal + 1
        own = journal
    stop = t.AT_LIMIT
    if ints[t.IN_HISTORY] == 0:
        if apply_effects(floats, ints, words, marks, channel, journal):
            stop = t.CROSSED
        if ints[ints[t.WAITING] + ints[c + t.TYPE]] > 0 and is_notable(
            floats, ints, marks, channel, journal
        ):
            stop = t.NOTABLE
    bear_children(
        floats, ints, words, child_at, child_slot, child_free, child_i, child_u,
        channel, own, a0, a1, a2,
    )  # fmt: skip
    return stop if ints[t.FAULT] == t.SOUND else t.FAULTY


@inlined
def is_full(ints: t.Integers, capacity: int) -> bool:
    """Whether a buffer may not hold what one more incident brings."""
    if ints[t.KEEP_JOURNAL] == 1 and ints[t.N_JOURNAL] >= capacity - 1:
        return True
    return bool(ints[t.N_FREE] < SPARE_CHILDREN)


@compiled
def advance(
    floats: t.Floats,
    ints: t.Integers,
    words: t.Words,
    child_at: t.Floats,
    child_slot: t.Integers,
    child_free: t.Integers,
    child_i: t.Integers,
    child_u: t.Words,
    journal_at: t.Floats,
    journal_i: t.Integers,
    journal_u: t.Words,
    marks: t.Floats,
) -> int:
    """Advance every channel to the limit or to the first stop.

    Candidates of the layers and children stand in two heaps. A candidate is an incident
    when its height lies below its channel's intensity; a child is one unless its gate is
    closed.
    """
    limit, inclusive = floats[t.LIMIT], ints[t.INCLUSIVE] == 1
    at0, what0 = ints[t.HEAP_AT], ints[t.HEAP_ROW]
    while True:
        at_layer = floats[at0] if ints[t.N_AWAKE] > 0 else math.inf
        at_child = child_at[0] if ints[t.N_CHILDREN] > 0 else math.inf
        now = min(at_layer, at_child)
        if now > limit or (now == limit and not inclusive):
            floats[t.NOW] = limit
            return t.AT_LIMIT
        if is_full(ints, len(journal_at)):
            return t.FULL
        if ints[t.N_HAPPENED] >= ints[t.MOST_HAPPENED]:
            return t.TOO_MANY
        floats[t.NOW] = now
        ints[t.N_CANDIDATES] += 1
        if at_child < at_layer:
            slot = child_slot[0]
            n = ints[t.N_CHILDREN] - 1
            sift_down(child_at, 0, child_slot, 0, n, child_at[n], child_slot[n])
            ints[t.N_CHILDREN] = n
            child_free[ints[t.N_FREE]] = slot
            ints[t.N_FREE] += 1
            channel = child_i[slot, t.CHILD_CHANNEL]
            if ints[row(ints, t.CHANNEL_I, channel) + t.IS_OPEN] == 0:
                continue
            parent = child_i[slot, t.CHILD_PARENT]
            a0, a1, a2 = child_u[slot, 0], child_u[slot, 1], child_u[slot, 2]
            _, _, w2, w3 = block(words[0], words[1], a0, a1, a2, _ZERO)
        else:
            number = ints[what0]
            channel = number // t.N_LAYERS
            layer = number - channel * t.N_LAYERS
            intensity = floats[row(ints, t.CHANNEL_F, channel) + t.INTENSITY]
            if floats[row(ints, t.LAYER_F, number) + t.HEIGHT] >= intensity:
                asleep = 1 if layer > 0 and intensity < 0.5 * t.LAYER_LOW[layer] else 0
                pass_candidate(floats, ints, words, channel, layer, asleep)
                continue
            parent = -1
            a0 = words[row(ints, t.CHANNEL_U, channel) + t.HASH]
            i, u = row(ints, t.LAYER_I, number), row(ints, t.LAYER_U, number)
            a1, a2 = layer_word(layer, ints[i + t.CELL]), np.uint64(ints[i + t.POINT])
            w2, w3 = words[u], words[u + 1]
            pass_candidate(floats, ints, words, channel, layer, 0)
        stop = happen(
            floats, ints, words, child_at, child_slot, child_free, child_i, child_u,
            journal_at, journal_i, journal_u, marks, channel, parent, a0, a1, a2, w2, w3,
        )  # fmt: skip
        if stop != t.AT_LIMIT:
            return stop


@compiled
def begin_history(floats: t.Floats, ints: t.Integers, words: t.Words) -> None:
    """Hold every channel at its level of the start, from now on."""
    for channel in range(ints[t.N_CHANNELS]):
        f = row(ints, t.CHANNEL_F, channel)
        floats[f + t.INTENSITY] = floats[f + t.START_LEVEL]
        ints[row(ints, t.CHANNEL_I, channel) + t.IS_OPEN] = 1
        wake(floats, ints, words, channel)


@compiled
def begin(floats: t.Floats, ints: t.Integers, words: t.Words) -> None:
    """Compute every channel's intensity from the state, at now."""
    for channel in range(ints[t.N_CHANNELS]):
        floats[row(ints, t.CHANNEL_F, channel) + t.INTENSITY] = 0.0
        refresh(floats, ints, words, channel, -1)
