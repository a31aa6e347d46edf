"""What an incident does: its marks, its effects on state, its children."""

from __future__ import annotations

import math

import numpy as np

from simlib.chance.compiling import compiled, inlined
from simlib.chance.philox import Block, Word, block, unit
from simlib.journal import MARKS
from simlib.world.kernel.faults import note_fault
from simlib.world.kernel.intensities import has_crossed, product, refresh_dependents
from simlib.world.kernel.points import push, row
from simlib.world.kernel.tables import (
    BAD_CHANCE,
    BAD_STATE,
    CHANNEL_I,
    CHILD_CHANNEL,
    CHILD_PARENT,
    CHILD_TAG,
    CONDITION,
    COUNT,
    COUNT_TAG,
    COUNTS_FROM,
    COUNTS_LENGTH,
    DELAY,
    DESTINATION,
    DESTINATION_LENGTH,
    EFFECT_F,
    EFFECT_FROM,
    EFFECT_I,
    EFFECT_TO,
    HIGH,
    HORIZON,
    IF_MARK,
    IF_WANTED,
    IN_HISTORY,
    INDICES,
    IS_WATCHED,
    KIND,
    LINK_F,
    LINK_FROM,
    LINK_I,
    LINK_TO,
    LINK_U,
    LOW,
    MARK_A,
    MARK_B,
    MARK_F,
    MARK_FROM,
    MARK_I,
    MARK_TO,
    MOVES,
    N_CHILDREN,
    N_FREE,
    NEAR_FROM,
    NEAR_LENGTH,
    NEAR_WEIGHTS,
    NOTABLE_F,
    NOTABLE_FROM,
    NOTABLE_I,
    NOTABLE_TO,
    NOW,
    NUMBERS,
    OF_STOCK,
    OWN_CHANNEL,
    OWN_SHARE,
    PART_FROM,
    PART_TO,
    SHARE,
    SLOT,
    SOURCE,
    SOURCE_LENGTH,
    START,
    STATE,
    TABLE_FROM,
    TABLE_LENGTH,
    WANTED,
    YES_NO,
    Floats,
    Integers,
    Words,
)

_NEIGHBOR = MARKS.index("neighbor")
_N_MARKS = len(MARKS)
_ZERO = np.uint64(0)


@inlined
def invert(floats: Floats, first: int, length: int, u: float) -> int:
    """Return the smallest k with u < floats[first + k], or the last k."""
    for k in range(length - 1):
        if u < floats[first + k]:
            return k
    return length - 1


@inlined
def pick(words: Block, number: int) -> Word:
    """Return one of a block's four words."""
    if number == 0:
        return words[0]
    if number == 1:
        return words[1]
    if number == 2:
        return words[2]
    return words[3]


@inlined
def holds(marks: Floats, journal: int, condition: int, wanted: int) -> bool:
    """Whether a yes/no mark is as wanted; a condition below 0 always holds."""
    return condition < 0 or (marks[journal, condition] > 0.0) == (wanted == 1)


@inlined
def mark_value(floats: Floats, ints: Integers, mark: int, u: float) -> float:
    """Return the value of one mark by inversion of its uniform."""
    i, f = row(ints, MARK_I, mark), row(ints, MARK_F, mark)
    kind = ints[i + KIND]
    if kind == YES_NO:
        p = product(floats, ints, floats[f + LOW], ints[i + PART_FROM], ints[i + PART_TO])
        if not math.isfinite(p):
            note_fault(floats, ints, BAD_CHANCE, mark, p)
        return 1.0 if u < min(max(p, 0.0), 1.0) else 0.0
    if kind == COUNT:
        first = ints[NUMBERS] + ints[i + TABLE_FROM]
        return float(invert(floats, first, ints[i + TABLE_LENGTH], u))
    if kind == SHARE:
        return float(floats[f + LOW] + (floats[f + HIGH] - floats[f + LOW]) * u)
    return u


@inlined
def draw_marks(
    floats: Floats,
    ints: Integers,
    words: Words,
    marks: Floats,
    channel: int,
    journal: int,
    a0: Word,
    a1: Word,
    a2: Word,
    w2: Word,
    w3: Word,
) -> None:
    """Draw an incident's marks, in order of their slots, into its journal row.

    Slots 0 and 1 are words 2 and 3 of the incident's own block; the others are words
    of the blocks with draw index 1, 2, ...
    """
    for k in range(_N_MARKS):
        marks[journal, k] = 0.0
    ready = 0
    drawn = (_ZERO, _ZERO, w2, w3)
    c = row(ints, CHANNEL_I, channel)
    for mark in range(ints[c + MARK_FROM], ints[c + MARK_TO]):
        i = row(ints, MARK_I, mark)
        slot = ints[i + SLOT]
        if not holds(marks, journal, ints[i + CONDITION], ints[i + WANTED]):
            continue
        draw = (slot + 2) >> 2
        if draw != ready:
            drawn = block(words[0], words[1], a0, a1, a2, np.uint64(draw))
            ready = draw
        u = unit(pick(drawn, (slot + 2) & 3))
        marks[journal, slot] = mark_value(floats, ints, mark, u)


@inlined
def _place(ints: Integers, first: int, length: int, u: float) -> int:
    """Return a state position: `first` itself, or one of a list of neighbors."""
    if length == 0:
        return first
    return int(ints[ints[INDICES] + first + min(int(u * length), length - 1)])


@inlined
def _set(floats: Floats, ints: Integers, where: int, value: float) -> bool:
    """Set a state variable; tell whether a watch fired."""
    floats[ints[STATE] + where] = value
    return ints[ints[IS_WATCHED] + where] == 1 and has_crossed(floats, ints, where)


@inlined
def apply_effect(
    floats: Floats, ints: Integers, words: Words, marks: Floats, effect: int, journal: int
) -> bool:
    """Apply one effect and refresh what reads it; tell whether a watch fired."""
    e = row(ints, EFFECT_I, effect)
    if not holds(marks, journal, ints[e + IF_MARK], ints[e + IF_WANTED]):
        return False
    amount = floats[row(ints, EFFECT_F, effect)]
    if ints[e + MARK_A] >= 0:
        amount = amount * marks[journal, ints[e + MARK_A]]
    if ints[e + MARK_B] >= 0:
        amount = amount * marks[journal, ints[e + MARK_B]]
    u = marks[journal, _NEIGHBOR]
    source = _place(ints, ints[e + SOURCE], ints[e + SOURCE_LENGTH], u)
    stock = floats[ints[STATE] + source]
    if ints[e + OF_STOCK] == 1:
        amount = amount * stock
    if amount == 0.0:
        return False
    if not math.isfinite(stock + amount):  # max and min below would hide nan
        note_fault(floats, ints, BAD_STATE, source, stock + amount)
        return False
    if ints[e + MOVES] == 0:
        fired = _set(floats, ints, source, max(0.0, stock + amount))
        refresh_dependents(floats, ints, words, source, -1)
        return fired
    amount = min(max(amount, 0.0), stock)
    goal = _place(ints, ints[e + DESTINATION], ints[e + DESTINATION_LENGTH], u)
    fired = _set(floats, ints, source, stock - amount)
    reached = floats[ints[STATE] + goal] + amount
    if not math.isfinite(reached):
        note_fault(floats, ints, BAD_STATE, goal, reached)
        return False
    fired = _set(floats, ints, goal, reached) or fired
    refresh_dependents(floats, ints, words, source, -1)
    refresh_dependents(floats, ints, words, goal, -1)
    return fired


@inlined
def apply_effects(
    floats: Floats, ints: Integers, words: Words, marks: Floats, channel: int, journal: int
) -> bool:
    """Apply an incident's effects in order; tell whether a watch fired."""
    c = row(ints, CHANNEL_I, channel)
    fired = False
    for effect in range(ints[c + EFFECT_FROM], ints[c + EFFECT_TO]):
        fired = apply_effect(floats, ints, words, marks, effect, journal) or fired
    return fired


@compiled
def child_channel(floats: Floats, ints: Integers, link: int, u: float) -> int:
    """Return where a child falls: its parent's place, else a neighbor by weight."""
    i, f = row(ints, LINK_I, link), row(ints, LINK_F, link)
    own, near = ints[i + OWN_CHANNEL], ints[i + NEAR_LENGTH]
    share = floats[f + OWN_SHARE]
    if near == 0 or (own >= 0 and u < share):
        return int(own)
    if own >= 0:
        u = (u - share) / (1.0 - share)
    k = invert(floats, ints[NUMBERS] + ints[i + NEAR_WEIGHTS], near, u)
    return int(ints[ints[INDICES] + ints[i + NEAR_FROM] + k])


@compiled
def bear_children(
    floats: Floats,
    ints: Integers,
    words: Words,
    child_at: Floats,
    child_slot: Integers,
    child_free: Integers,
    child_i: Integers,
    child_u: Words,
    channel: int,
    journal: int,
    a0: Word,
    a1: Word,
    a2: Word,
) -> None:
    """Draw the incidents this one excites: how many, when and where."""
    key0, key1 = words[0], words[1]
    c = row(ints, CHANNEL_I, channel)
    for link in range(ints[c + LINK_FROM], ints[c + LINK_TO]):
        i, f, t = row(ints, LINK_I, link), row(ints, LINK_F, link), row(ints, LINK_U, link)
        drawn = block(key0, key1, a0, a1, a2, words[t + COUNT_TAG])
        first = ints[NUMBERS] + ints[i + COUNTS_FROM]
        for j in range(invert(floats, first, ints[i + COUNTS_LENGTH], unit(drawn[0]))):
            tag = words[t + CHILD_TAG] + np.uint64(j)
            child = block(key0, key1, a0, a1, a2, tag)
            drawn = block(key0, key1, child[0], child[1], child[2], _ZERO)
            date = floats[NOW] + -math.log(1.0 - unit(drawn[0])) * floats[f + DELAY]
            if date > floats[HORIZON] or (ints[IN_HISTORY] == 1 and date < floats[START]):
                continue
            ints[N_FREE] -= 1
            slot = child_free[ints[N_FREE]]
            child_i[slot, CHILD_CHANNEL] = child_channel(floats, ints, link, unit(drawn[1]))
            child_i[slot, CHILD_PARENT] = journal
            child_u[slot, 0] = child[0]
            child_u[slot, 1] = child[1]
            child_u[slot, 2] = child[2]
            push(child_at, 0, child_slot, 0, ints[N_CHILDREN], date, slot)
            ints[N_CHILDREN] += 1


@compiled
def is_notable(floats: Floats, ints: Integers, marks: Floats, channel: int, journal: int) -> bool:
    """Whether an incident is of note: no condition, or any of its marks is reached."""
    c = row(ints, CHANNEL_I, channel)
    first, last = ints[c + NOTABLE_FROM], ints[c + NOTABLE_TO]
    if first == last:
        return True
    for k in range(first, last):
        if marks[journal, ints[ints[NOTABLE_I] + k]] >= floats[ints[NOTABLE_F] + k]:
            return True
    return False
