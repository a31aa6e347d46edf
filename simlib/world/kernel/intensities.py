"""Intensities: base x factors in name order, closed by gates; thresholds on state."""

from __future__ import annotations

import math

from simlib.chance.compiling import compiled, inlined
from simlib.scenario.schema import LEAST_RATIO, MOST_RATIO
from simlib.world.kernel.faults import note_fault
from simlib.world.kernel.points import row, wake
from simlib.world.kernel.tables import (
    ARMED,
    BAD_INTENSITY,
    BASE,
    CHANGED,
    CHANNEL_F,
    CHANNEL_I,
    DEPENDENTS,
    DEPENDENTS_FROM,
    EXPONENT,
    FACTOR_F,
    FACTOR_FROM,
    FACTOR_I,
    FACTOR_TO,
    FALLING,
    FAULT,
    FAULTY,
    FIRED,
    FIRED_WATCH,
    FIRST,
    FLOOR,
    GATE_FROM,
    GATE_I,
    GATE_TO,
    INDICES,
    INTENSITY,
    IS_OPEN,
    IS_WATCHED,
    KIND,
    LAYER_LOW,
    LENGTH,
    N_LAYERS,
    N_WATCHES,
    NUMBERS,
    OPENER,
    POWER,
    REFERENCE,
    SHIELD,
    SOUND,
    STATE,
    TABLE,
    UNCHANGED,
    WAITED,
    WATCH_F,
    WATCH_I,
    WATCH_STATE,
    WHERE,
    Floats,
    Integers,
    Words,
)

MOST_INTENSITY = LAYER_LOW[N_LAYERS]
"""Upper end of the ladder, per day: nothing above it could be drawn."""


@inlined
def factor_value(floats: Floats, ints: Integers, factor: int) -> float:
    """Return one factor at the present state."""
    i, f = row(ints, FACTOR_I, factor), row(ints, FACTOR_F, factor)
    kind = ints[i + KIND]
    x = floats[ints[STATE] + ints[i + WHERE]]
    if kind == POWER:
        ratio = x / floats[f + REFERENCE]
        ratio = min(max(ratio, LEAST_RATIO), MOST_RATIO)
        return float(ratio ** floats[f + EXPONENT])
    if kind == FALLING:
        value = x
        for k in range(1, ints[i + LENGTH]):
            value = value * (x - k)
        return float(max(value, 0.0))
    if kind == TABLE:
        return float(floats[ints[NUMBERS] + ints[i + FIRST] + int(x)])
    if kind == SHIELD:
        cover = 1.0
        first = ints[INDICES] + ints[i + FIRST]
        for k in range(first, first + ints[i + LENGTH]):
            cover = cover * min(max(floats[ints[STATE] + ints[k]], 0.0), 1.0)
        return float(1.0 - floats[f + EXPONENT] * cover)
    return float(x)


@inlined
def product(floats: Floats, ints: Integers, value: float, first: int, last: int) -> float:
    """Multiply a value by factors first to last - 1, in their order."""
    for factor in range(first, last):
        value = value * factor_value(floats, ints, factor)
    return value


@inlined
def is_open(floats: Floats, ints: Integers, channel: int) -> bool:
    """Whether every gate of a channel is open."""
    c = row(ints, CHANNEL_I, channel)
    for gate in range(ints[c + GATE_FROM], ints[c + GATE_TO]):
        g = row(ints, GATE_I, gate)
        x = floats[ints[STATE] + ints[g + WHERE]]
        first, length = ints[INDICES] + ints[g + FIRST], ints[g + LENGTH]
        if length == 0:
            if x <= 0.0:
                return False
        else:
            found = False
            for k in range(first, first + length):
                found = found or ints[k] == int(x)
            if not found:
                return False
    return True


@inlined
def refresh(floats: Floats, ints: Integers, words: Words, channel: int, opener: int) -> None:
    """Recompute a channel's intensity and wake the layers it reaches."""
    f, c = row(ints, CHANNEL_F, channel), row(ints, CHANNEL_I, channel)
    was_open = floats[f + INTENSITY] > 0.0
    opened = is_open(floats, ints, channel)
    ints[c + IS_OPEN] = 1 if opened else 0
    intensity = 0.0
    if opened:
        first, last = ints[c + FACTOR_FROM], ints[c + FACTOR_TO]
        intensity = product(floats, ints, floats[f + BASE], first, last)
        if not intensity <= MOST_INTENSITY:  # this finds nan too
            note_fault(floats, ints, BAD_INTENSITY, channel, intensity)
            intensity = 0.0
    floats[f + INTENSITY] = intensity
    if intensity > 0.0 and not was_open:
        ints[c + OPENER] = opener
    wake(floats, ints, words, channel)


@inlined
def refresh_dependents(
    floats: Floats, ints: Integers, words: Words, where: int, opener: int
) -> None:
    """Recompute the channels that read one state variable."""
    starts = ints[DEPENDENTS_FROM] + where
    for k in range(ints[starts], ints[starts + 1]):
        refresh(floats, ints, words, ints[ints[DEPENDENTS] + k], opener)


@compiled
def has_crossed(floats: Floats, ints: Integers, where: int) -> bool:
    """Test the watches on one state variable; fire those waited for, re-arm below."""
    fired = False
    x = floats[ints[STATE] + where]
    for watch in range(ints[N_WATCHES]):
        w = row(ints, WATCH_I, watch)
        if ints[w + WATCH_STATE] != where:
            continue
        if x < floats[ints[WATCH_F] + watch]:
            ints[w + ARMED] = 1
        elif ints[w + ARMED] == 1 and ints[w + WAITED] == 1:
            ints[w + ARMED] = 0
            ints[w + FIRED] = 1
            fired = True
    return fired


@compiled
def write(
    floats: Floats,
    ints: Integers,
    words: Words,
    positions: Integers,
    values: Floats,
    opener: int,
) -> int:
    """Set state variables and refresh what reads them; tell what it comes to.

    Values below a variable's floor become the floor. A value that is not finite is not
    written: the result is then -1 less its index. It is `FAULTY` when an intensity leaves
    its range.
    """
    result = UNCHANGED
    state, floor = ints[STATE], ints[FLOOR]
    for i in range(len(positions)):
        where = positions[i]
        value = max(floats[floor + where], values[i])
        if not math.isfinite(values[i]):
            return -1 - i
        if value != floats[state + where]:
            floats[state + where] = value
            result = max(result, CHANGED)
            if ints[ints[IS_WATCHED] + where] == 1 and has_crossed(floats, ints, where):
                result = FIRED_WATCH
            refresh_dependents(floats, ints, words, where, opener)
    return result if ints[FAULT] == SOUND else FAULTY
