"""Intensities: base x factors in name order, closed by gates; thresholds on state."""

from __future__ import annotations

import math

from simlib.chance.compiling import compiled, inlined
from simlib.scenario.schema import LEAST_RATIO, MOST_RATIO
from simlib.world.kernel import kernel_tables as t
from simlib.world.kernel.points import row, wake

MOST_INTENSITY = t.LAYER_LOW[t.N_LAYERS]
"""Upper end of the ladder, per day: nothing above it could be drawn."""


@compiled
def note_fault(floats: t.Floats, ints: t.Integers, what: int, number: int, value: float) -> None:
    """Note the first fault: compiled code cannot raise, but whoever called it does.

    The number is that of a channel (``BAD_INTENSITY``) or mark (``BAD_CHANCE``), or a
    position in the state (``BAD_STATE``).
    """
    if ints[t.FAULT] == t.SOUND:
        ints[t.FAULT], ints[t.FAULT_ROW] = what, number
        floats[t.FAULT_VALUE] = value


@inlined
def factor_value(floats: t.Floats, ints: t.Integers, factor: int) -> float:
    """One factor at the present state."""
    i, f = row(ints, t.FACTOR_I, factor), row(ints, t.FACTOR_F, factor)
    kind = ints[i + t.KIND]
    x = floats[row(ints, t.STATE, ints[i + t.WHERE])]
    if kind == t.POWER:
        # Stocks near 0 or far above the reference would give intensities of no meaning.
        ratio = x / floats[f + t.REFERENCE]
        ratio = min(max(ratio, LEAST_RATIO), MOST_RATIO)
        return float(ratio ** floats[f + t.EXPONENT])
    if kind == t.FALLING:  # x (x - 1) (x - 2) ...: ways to choose so many of a stock
        value = x
        for k in range(1, ints[i + t.LENGTH]):
            value = value * (x - k)
        return float(max(value, 0.0))
    if kind == t.TABLE:
        return float(floats[row(ints, t.NUMBERS, ints[i + t.FIRST] + int(x))])
    if kind == t.SHIELD:  # 1 - efficacy x the product of the covers, each within [0, 1]
        cover = 1.0
        first = row(ints, t.INDICES, ints[i + t.FIRST])
        for k in range(first, first + ints[i + t.LENGTH]):
            cover = cover * min(max(floats[row(ints, t.STATE, ints[k])], 0.0), 1.0)
        return float(1.0 - floats[f + t.EXPONENT] * cover)
    return float(x)


@inlined
def product(floats: t.Floats, ints: t.Integers, value: float, first: int, last: int) -> float:
    """Multiply a value by factors first to last - 1, in their order."""
    for factor in range(first, last):
        value = value * factor_value(floats, ints, factor)
    return value


@inlined
def is_open(floats: t.Floats, ints: t.Integers, channel: int) -> bool:
    """Whether every gate of a channel is open."""
    c = row(ints, t.CHANNEL_I, channel)
    for gate in range(ints[c + t.GATE_FROM], ints[c + t.GATE_TO]):
        g = row(ints, t.GATE_I, gate)
        x = floats[row(ints, t.STATE, ints[g + t.WHERE])]
        first, length = row(ints, t.INDICES, ints[g + t.FIRST]), ints[g + t.LENGTH]
        if length == 0:
            if x <= floats[row(ints, t.NUMBERS, ints[g + t.FIRST])]:
                return False
        else:
            found = False
            for k in range(first, first + length):
                found = found or ints[k] == int(x)
            if not found:
                return False
    return True


@inlined
def renew_factors(floats: t.Floats, ints: t.Integers, where: int) -> None:
    """Compute anew what channels' factors are worth that read one state variable.

    They are kept: most changes touch one of a channel's factors, and powers are dear.
    """
    starts = row(ints, t.READERS_FROM, where)
    for k in range(ints[starts], ints[starts + 1]):
        factor = ints[row(ints, t.READERS, k)]
        floats[row(ints, t.FACTOR_NOW, factor)] = factor_value(floats, ints, factor)


@inlined
def renew_channel(floats: t.Floats, ints: t.Integers, channel: int) -> None:
    """Compute anew what all factors of a channel are worth."""
    c = row(ints, t.CHANNEL_I, channel)
    for factor in range(ints[c + t.FACTOR_FROM], ints[c + t.FACTOR_TO]):
        floats[row(ints, t.FACTOR_NOW, factor)] = factor_value(floats, ints, factor)


@inlined
def refresh(floats: t.Floats, ints: t.Integers, words: t.Words, channel: int, opener: int) -> None:
    """Recompute a channel's intensity and wake the layers it reaches."""
    f, c = row(ints, t.CHANNEL_F, channel), row(ints, t.CHANNEL_I, channel)
    was_open = floats[f + t.INTENSITY] > 0.0
    opened = is_open(floats, ints, channel)
    ints[c + t.IS_OPEN] = 1 if opened else 0  # also for children, which ask for nothing else
    intensity = 0.0
    if opened:
        intensity = floats[f + t.BASE]
        for factor in range(ints[c + t.FACTOR_FROM], ints[c + t.FACTOR_TO]):
            intensity = intensity * floats[row(ints, t.FACTOR_NOW, factor)]
        if not intensity <= MOST_INTENSITY:  # this finds nan too
            note_fault(floats, ints, t.BAD_INTENSITY, channel, intensity)
            intensity = 0.0
    floats[f + t.INTENSITY] = intensity
    # Who lets a closed channel open is named as the cause of what happens there from now on.
    if intensity > 0.0 and not was_open:
        ints[c + t.OPENER] = opener
    wake(floats, ints, words, channel)


@inlined
def refresh_dependents(
    floats: t.Floats, ints: t.Integers, words: t.Words, where: int, opener: int
) -> None:
    """Recompute the channels that read one state variable."""
    renew_factors(floats, ints, where)
    starts = row(ints, t.DEPENDENTS_FROM, where)
    for k in range(ints[starts], ints[starts + 1]):
        refresh(floats, ints, words, ints[row(ints, t.DEPENDENTS, k)], opener)


@compiled
def refresh_all(floats: t.Floats, ints: t.Integers, words: t.Words, opener: int) -> None:
    """Recompute every channel's intensity."""
    for channel in range(ints[t.N_CHANNELS]):
        renew_channel(floats, ints, channel)
        refresh(floats, ints, words, channel, opener)


@compiled
def has_crossed(floats: t.Floats, ints: t.Integers, where: int) -> bool:
    """Test the watches on one state variable; fire those waited for, re-arm below."""
    fired = False
    x = floats[row(ints, t.STATE, where)]
    for watch in range(ints[t.N_WATCHES]):
        w = row(ints, t.WATCH_I, watch)
        if ints[w + t.WATCH_STATE] != where:
            continue
        if x < floats[row(ints, t.WATCH_F, watch)]:
            ints[w + t.ARMED] = 1
        elif ints[w + t.ARMED] == 1 and ints[w + t.WAITED] == 1:
            ints[w + t.ARMED] = 0
            ints[w + t.FIRED] = 1
            fired = True
    return fired


@compiled
def write(
    floats: t.Floats,
    ints: t.Integers,
    words: t.Words,
    positions: t.Integers,
    values: t.Floats,
    opener: int,
) -> int:
    """Set state variables and refresh what reads them; tell what it comes to.

    Values below a variable's floor become the floor. A value that is not finite is not
    written: the result is then -1 less its index. It is `FAULTY` when an intensity leaves
    its range.
    """
    result = t.UNCHANGED
    for i in range(len(positions)):
        where = positions[i]
        here = row(ints, t.STATE, where)
        value = max(floats[row(ints, t.FLOOR, where)], values[i])
        if not math.isfinite(values[i]):
            return -1 - i
        if value != floats[here]:
            floats[here] = value
            result = max(result, t.CHANGED)
            if ints[row(ints, t.IS_WATCHED, where)] == 1 and has_crossed(floats, ints, where):
                result = t.FIRED_WATCH
            refresh_dependents(floats, ints, words, where, opener)
    return result if ints[t.FAULT] == t.SOUND else t.FAULTY
