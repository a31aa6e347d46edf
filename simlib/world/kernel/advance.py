"""The loop: from now to the next decision, or to the first consequential incident."""

from __future__ import annotations

import math

import numpy as np

from simlib.chance.compiling import compiled, inlined
from simlib.chance.philox import block
from simlib.world.kernel import kernel_tables as t
from simlib.world.kernel.channel_intensities import refresh, renew_channel
from simlib.world.kernel.marks_and_effects import (
    apply_effects,
    bear_children,
    draw_marks,
    is_notable,
)
from simlib.world.kernel.points import inside, layer_word, pass_candidate, row, sift_down, wake

SPARE_CHILDREN = 256
"""Free slots for children that one incident may need."""
_ZERO = np.uint64(0)


@inlined
def happen(
    floats: t.Floats,
    ints: t.Integers,
    words: t.Words,
    children: t.Children,
    journal: t.Journal,
    incident: t.Happening,
) -> int:
    """Let one incident happen now; return the stop it calls for, AT_LIMIT for none."""
    line, channel = incident.line, incident.channel
    c = row(ints, t.CHANNEL_I, channel)
    journal.at[line] = floats[t.NOW]
    journal.whose[line, t.CHANNEL] = channel
    journal.whose[line, t.PARENT] = incident.parent
    journal.whose[line, t.OPENED_BY] = ints[c + t.OPENER]
    journal.address[line, 0] = incident.a0
    journal.address[line, 1] = incident.a1
    journal.address[line, 2] = incident.a2
    draw_marks(floats, ints, words, journal.marks, incident)
    ints[t.N_HAPPENED] += 1
    # Without a journal every incident is written to its first line, and no child knows it.
    is_kept = ints[t.KEEP_JOURNAL] == 1
    if is_kept:
        ints[t.N_JOURNAL] = line + 1
    stop = t.AT_LIMIT
    if ints[t.IN_HISTORY] == 0:
        if apply_effects(floats, ints, words, journal.marks, channel, line):
            stop = t.CROSSED
        if ints[row(ints, t.WAITING, ints[c + t.TYPE])] > 0 and is_notable(
            floats, ints, journal.marks, channel, line
        ):
            stop = t.NOTABLE
    bear_children(floats, ints, words, children, incident, line if is_kept else -1)
    return stop if ints[t.FAULT] == t.SOUND else t.FAULTY


@inlined
def is_full(ints: t.Integers, capacity: int) -> bool:
    """Whether a buffer may not hold what one more incident brings."""
    if ints[t.KEEP_JOURNAL] == 1 and ints[t.N_JOURNAL] >= capacity - 1:
        return True
    return bool(ints[t.N_FREE] < SPARE_CHILDREN)


@inlined
def take_child(ints: t.Integers, words: t.Words, children: t.Children) -> t.Happening:
    """Take the next child off its heap; its channel is -1 when a gate there is closed."""
    slot = inside(children.slot[0])
    n = ints[t.N_CHILDREN] - 1
    sift_down(children.at, 0, children.slot, 0, n, children.at[n], children.slot[n])
    ints[t.N_CHILDREN] = n
    children.free[ints[t.N_FREE]] = slot
    ints[t.N_FREE] += 1
    a0, a1, a2 = children.address[slot, 0], children.address[slot, 1], children.address[slot, 2]
    channel, parent = children.whose[slot, t.CHANNEL], children.whose[slot, t.PARENT]
    w2, w3 = _ZERO, _ZERO
    if ints[row(ints, t.CHANNEL_I, channel) + t.IS_OPEN] == 1:
        _, _, w2, w3 = block(words[0], words[1], a0, a1, a2, _ZERO)
    else:
        channel = -1
    return t.Happening(inside(ints[t.N_JOURNAL]), channel, parent, a0, a1, a2, w2, w3)


@inlined
def take_candidate(floats: t.Floats, ints: t.Integers, words: t.Words) -> t.Happening:
    """Take the next candidate off the layers' heap; its channel is -1 when it is none.

    It is an incident when its height lies below its channel's intensity (thinning). A layer
    sleeps when the intensity has fallen below half of its lower edge: with some distance, so
    that an intensity that moves about the edge does not wake it again and again.
    """
    number = inside(ints[row(ints, t.HEAP_ROW, 0)])
    channel = number // t.N_LAYERS
    layer = inside(number - channel * t.N_LAYERS)
    i, u = row(ints, t.LAYER_I, number), row(ints, t.LAYER_U, number)
    a0 = words[row(ints, t.CHANNEL_U, channel) + t.HASH]
    a1, a2 = layer_word(layer, ints[i + t.CELL]), np.uint64(ints[i + t.POINT])
    w2, w3 = words[u], words[u + 1]
    intensity = floats[row(ints, t.CHANNEL_F, channel) + t.INTENSITY]
    asleep = 0
    happens = channel
    if floats[row(ints, t.LAYER_F, number) + t.HEIGHT] >= intensity:
        asleep = 1 if layer > 0 and intensity < 0.5 * t.LAYER_LOW[layer] else 0
        happens = -1
    pass_candidate(floats, ints, words, channel, layer, asleep)
    return t.Happening(inside(ints[t.N_JOURNAL]), happens, -1, a0, a1, a2, w2, w3)


@compiled
def advance(
    floats: t.Floats,
    ints: t.Integers,
    words: t.Words,
    child_at: t.Floats,
    child_slot: t.Integers,
    child_free: t.Integers,
    child_whose: t.Integers,
    child_address: t.Words,
    journal_at: t.Floats,
    journal_whose: t.Integers,
    journal_address: t.Words,
    marks: t.Floats,
) -> int:
    """Advance every channel to the limit or to the first stop.

    Candidates of the layers and children stand in two heaps. A candidate is an incident
    when its height lies below its channel's intensity; a child is one unless its gate is
    closed. (From Python, twelve arrays are passed faster than five tuples of them.)
    """
    children = t.Children(child_at, child_slot, child_free, child_whose, child_address)
    journal = t.Journal(journal_at, journal_whose, journal_address, marks)
    limit, inclusive = floats[t.LIMIT], ints[t.INCLUSIVE] == 1
    while True:
        at_layer = floats[row(ints, t.HEAP_AT, 0)] if ints[t.N_AWAKE] > 0 else math.inf
        at_child = children.at[0] if ints[t.N_CHILDREN] > 0 else math.inf
        now = min(at_layer, at_child)
        if now > limit or (now == limit and not inclusive):
            floats[t.NOW] = limit
            return t.AT_LIMIT
        if is_full(ints, len(journal.at)):
            return t.FULL
        if ints[t.N_HAPPENED] >= ints[t.MOST_HAPPENED]:
            return t.TOO_MANY
        floats[t.NOW] = now
        ints[t.N_CANDIDATES] += 1
        if at_child < at_layer:
            incident = take_child(ints, words, children)
        else:
            incident = take_candidate(floats, ints, words)
        if incident.channel >= 0:
            stop = happen(floats, ints, words, children, journal, incident)
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
        renew_channel(floats, ints, channel)
        refresh(floats, ints, words, channel, -1)
