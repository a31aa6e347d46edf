"""What an incident does: its marks, its effects on state, its children."""

from __future__ import annotations

import math

import numpy as np

from simlib.chance.compiling import compiled, inlined
from simlib.chance.philox import Block, Word, block, unit
from simlib.journal import MARKS
from simlib.world.kernel import kernel_tables as t
from simlib.world.kernel.channel_intensities import (
    has_crossed,
    note_fault,
    product,
    refresh_dependents,
    renew_factors,
)
from simlib.world.kernel.points import push, row

_NEIGHBOR = MARKS.index("neighbor")
_N_MARKS = len(MARKS)
_ZERO = np.uint64(0)


@inlined
def invert(floats: t.Floats, first: int, length: int, u: float) -> int:
    """The smallest k with u < floats[first + k], or the last k."""
    for k in range(length - 1):
        if u < floats[first + k]:
            return k
    return length - 1


@inlined
def pick(words: Block, number: int) -> Word:
    """One of a block's four words."""
    if number == 0:
        return words[0]
    if number == 1:
        return words[1]
    if number == 2:
        return words[2]
    return words[3]


@inlined
def holds(marks: t.Floats, line: int, condition: int, wanted: int) -> bool:
    """Whether a yes/no mark is as wanted; a condition below 0 always holds."""
    return condition < 0 or (marks[line, condition] > 0.0) == (wanted == 1)


@inlined
def mark_value(floats: t.Floats, ints: t.Integers, mark: int, u: float) -> float:
    """The value of one mark by inversion of its uniform."""
    i, f = row(ints, t.MARK_I, mark), row(ints, t.MARK_F, mark)
    kind = ints[i + t.KIND]
    if kind == t.YES_NO:
        p = product(floats, ints, floats[f + t.LOW], ints[i + t.PART_FROM], ints[i + t.PART_TO])
        if not math.isfinite(p):
            note_fault(floats, ints, t.BAD_CHANCE, mark, p)
        return 1.0 if u < min(max(p, 0.0), 1.0) else 0.0
    if kind == t.COUNT:
        first = row(ints, t.NUMBERS, ints[i + t.TABLE_FROM])
        return float(invert(floats, first, ints[i + t.TABLE_LENGTH], u))
    if kind == t.SHARE:
        return float(floats[f + t.LOW] + (floats[f + t.HIGH] - floats[f + t.LOW]) * u)
    return u


@inlined
def draw_marks(
    floats: t.Floats, ints: t.Integers, words: t.Words, marks: t.Floats, incident: t.Happening
) -> None:
    """Draw an incident's marks, in order of their slots, into its line of the journal.

    Slots 0 and 1 are words 2 and 3 of the incident's own block; the others are words
    of the blocks with draw index 1, 2, ...
    """
    line = incident.line
    for k in range(_N_MARKS):
        marks[line, k] = 0.0
    ready = 0
    drawn = (_ZERO, _ZERO, incident.w2, incident.w3)
    c = row(ints, t.CHANNEL_I, incident.channel)
    for mark in range(ints[c + t.MARK_FROM], ints[c + t.MARK_TO]):
        i = row(ints, t.MARK_I, mark)
        slot = ints[i + t.SLOT]
        if not holds(marks, line, ints[i + t.CONDITION], ints[i + t.WANTED]):
            continue
        # A mark's word depends on its slot alone, never on which marks are drawn before it.
        draw = (slot + 2) >> 2
        if draw != ready:
            a0, a1, a2 = incident.a0, incident.a1, incident.a2
            drawn = block(words[0], words[1], a0, a1, a2, np.uint64(draw))
            ready = draw
        u = unit(pick(drawn, (slot + 2) & 3))
        marks[line, slot] = mark_value(floats, ints, mark, u)


@inlined
def _place(ints: t.Integers, first: int, length: int, u: float) -> int:
    """A state position: `first` itself, or one of a list of neighbors."""
    if length == 0:
        return first
    return int(ints[row(ints, t.INDICES, first + min(int(u * length), length - 1))])


@inlined
def _set(floats: t.Floats, ints: t.Integers, where: int, value: float) -> bool:
    """Set a state variable; tell whether a watch fired."""
    floats[row(ints, t.STATE, where)] = value
    return ints[row(ints, t.IS_WATCHED, where)] == 1 and has_crossed(floats, ints, where)


@inlined
def apply_effect(
    floats: t.Floats, ints: t.Integers, words: t.Words, marks: t.Floats, effect: int, line: int
) -> bool:
    """Apply one effect and refresh what reads it; tell whether a watch fired."""
    e = row(ints, t.EFFECT_I, effect)
    if not holds(marks, line, ints[e + t.IF_MARK], ints[e + t.IF_WANTED]):
        return False
    # The amount is by x mark x mark x stock, as far as the effect names them.
    amount = floats[row(ints, t.EFFECT_F, effect)]
    if ints[e + t.MARK_A] >= 0:
        amount = amount * marks[line, ints[e + t.MARK_A]]
    if ints[e + t.MARK_B] >= 0:
        amount = amount * marks[line, ints[e + t.MARK_B]]
    u = marks[line, _NEIGHBOR]
    source = _place(ints, ints[e + t.SOURCE], ints[e + t.SOURCE_LENGTH], u)
    stock = floats[row(ints, t.STATE, source)]
    if ints[e + t.OF_STOCK] == 1:
        amount = amount * stock
    if amount == 0.0:
        return False
    if not math.isfinite(stock + amount):  # max and min below would hide nan
        note_fault(floats, ints, t.BAD_STATE, source, stock + amount)
        return False
    if ints[e + t.MOVES] == 0:
        fired = _set(floats, ints, source, max(0.0, stock + amount))
        refresh_dependents(floats, ints, words, source, -1)
        return fired
    # No more can be moved than is there, so that what moves is neither lost nor made.
    amount = min(max(amount, 0.0), stock)
    goal = _place(ints, ints[e + t.DESTINATION], ints[e + t.DESTINATION_LENGTH], u)
    fired = _set(floats, ints, source, stock - amount)
    reached = floats[row(ints, t.STATE, goal)] + amount
    if not math.isfinite(reached):
        note_fault(floats, ints, t.BAD_STATE, goal, reached)
        return False
    fired = _set(floats, ints, goal, reached) or fired
    renew_factors(floats, ints, goal)  # who reads both is refreshed once with both
    refresh_dependents(floats, ints, words, source, -1)
    refresh_dependents(floats, ints, words, goal, -1)
    return fired


@inlined
def apply_effects(
    floats: t.Floats, ints: t.Integers, words: t.Words, marks: t.Floats, channel: int, line: int
) -> bool:
    """Apply an incident's effects in order; tell whether a watch fired."""
    c = row(ints, t.CHANNEL_I, channel)
    fired = False
    for effect in range(ints[c + t.EFFECT_FROM], ints[c + t.EFFECT_TO]):
        fired = apply_effect(floats, ints, words, marks, effect, line) or fired
    return fired


@compiled
def child_channel(floats: t.Floats, ints: t.Integers, excited: int, u: float) -> int:
    """Where a child falls: its parent's place, else a neighbor by weight."""
    i, f = row(ints, t.EXCITES_I, excited), row(ints, t.EXCITES_F, excited)
    own, near = ints[i + t.OWN_CHANNEL], ints[i + t.NEAR_LENGTH]
    share = floats[f + t.OWN_SHARE]
    if near == 0 or (own >= 0 and u < share):
        return int(own)
    if own >= 0:
        u = (u - share) / (1.0 - share)
    k = invert(floats, row(ints, t.NUMBERS, ints[i + t.NEAR_WEIGHTS]), near, u)
    return int(ints[row(ints, t.INDICES, ints[i + t.NEAR_FROM] + k)])


@compiled
def bear_children(
    floats: t.Floats,
    ints: t.Integers,
    words: t.Words,
    children: t.Children,
    incident: t.Happening,
    parent: int,
) -> None:
    """Draw the incidents this one excites: how many, when and where.

    A Hawkes process as a branching process (A. G. Hawkes and D. Oakes, 1974,
    doi:10.2307/3212693): a Poisson number of children, each after an exponential delay.
    """
    key0, key1 = words[0], words[1]
    a0, a1, a2 = incident.a0, incident.a1, incident.a2
    c = row(ints, t.CHANNEL_I, incident.channel)
    for excited in range(ints[c + t.EXCITES_FROM], ints[c + t.EXCITES_TO]):
        i, f = row(ints, t.EXCITES_I, excited), row(ints, t.EXCITES_F, excited)
        u = row(ints, t.EXCITES_U, excited)
        # How many: the inverse of the cumulative Poisson table at a word of the parent's.
        drawn = block(key0, key1, a0, a1, a2, words[u + t.COUNT_TAG])
        first = row(ints, t.NUMBERS, ints[i + t.COUNTS_FROM])
        for j in range(invert(floats, first, ints[i + t.COUNTS_LENGTH], unit(drawn[0]))):
            # Three words of a block under the parent's address are the child's own address.
            tag = words[u + t.CHILD_TAG] + np.uint64(j)
            child = block(key0, key1, a0, a1, a2, tag)
            drawn = block(key0, key1, child[0], child[1], child[2], _ZERO)
            date = floats[t.NOW] + -math.log(1.0 - unit(drawn[0])) * floats[f + t.DELAY]
            # The history is drawn at the level of the start, which counts excited incidents
            # in: its children that fall into it would be there twice.
            if date > floats[t.HORIZON] or (ints[t.IN_HISTORY] == 1 and date < floats[t.START]):
                continue
            ints[t.N_FREE] -= 1
            slot = children.free[ints[t.N_FREE]]
            children.whose[slot, t.CHANNEL] = child_channel(floats, ints, excited, unit(drawn[1]))
            children.whose[slot, t.PARENT] = parent
            children.address[slot, 0] = child[0]
            children.address[slot, 1] = child[1]
            children.address[slot, 2] = child[2]
            push(children.at, 0, children.slot, 0, ints[t.N_CHILDREN], date, slot)
            ints[t.N_CHILDREN] += 1


@compiled
def is_notable(
    floats: t.Floats, ints: t.Integers, marks: t.Floats, channel: int, line: int
) -> bool:
    """Whether an incident is of note: no condition, or any of its marks is reached."""
    c = row(ints, t.CHANNEL_I, channel)
    first, last = ints[c + t.NOTABLE_FROM], ints[c + t.NOTABLE_TO]
    if first == last:
        return True
    for k in range(first, last):
        if marks[line, ints[row(ints, t.NOTABLE_I, k)]] >= floats[row(ints, t.NOTABLE_F, k)]:
            return True
    return False
