"""Points of the Poisson random measure: the layers' next candidates, in one heap.

Layer l of a channel holds a unit-intensity Poisson measure on date x height, cut into
cells of about eight points. A point is addressed by (channel, layer and cell, number in
the cell), so it exists before any scenario does; it happens when its height lies below
the channel's intensity at its date (thinning, Lewis and Shedler 1979,
doi:10.1002/nav.3800260304).
"""

from __future__ import annotations

import math

import numpy as np

from simlib.chance.compiling import compiled, inlined
from simlib.chance.philox import Word, block, unit
from simlib.world.kernel import kernel_tables as t

_INSIDE = 2**40 - 1
_CELL_BITS = np.uint64(56)
_CELL_MASK = np.uint64(2**56 - 1)
_ONE = np.uint64(1)
_ZERO = np.uint64(0)


@inlined
def inside(place: int) -> int:
    """A place in an array, as it is, which the compiler then knows not to be negative.

    Else it looks at each access whether the place counts from the end: a fifth of all time.
    """
    return int(place & _INSIDE)


@inlined
def row(ints: t.Integers, table: int, number: int) -> int:
    """Where a row of a table begins in its array."""
    return inside(ints[table] + number * t.WIDTH_OF[table])


@inlined
def layer_word(layer: int, cell: int) -> Word:
    """The address word of a cell of a layer (cells before 2000 are negative)."""
    return (np.uint64(layer) << _CELL_BITS) | (np.uint64(cell) & _CELL_MASK)


@inlined
def sift_down(
    at: t.Floats, at0: int, what: t.Integers, what0: int, n: int, time: float, item: int
) -> None:
    """Put (time, item) at the top of a binary heap of length n whose top is free.

    The heap's times begin at ``at[at0]``, its items at ``what[what0]``.
    """
    at0, what0 = inside(at0), inside(what0)
    i = 0
    child = 1
    while child < n:
        right = inside(min(child + 1, n - 1))
        # Which child is earlier is a coin toss: an addition is cheaper than a branch.
        child += int(at[at0 + right] < at[at0 + child])
        if at[at0 + child] >= time:
            break
        at[at0 + i] = at[at0 + child]
        what[what0 + i] = what[what0 + child]
        i = child
        child = inside(2 * i + 1)
    at[at0 + i] = time
    what[what0 + i] = item


@inlined
def push(
    at: t.Floats, at0: int, what: t.Integers, what0: int, n: int, time: float, item: int
) -> None:
    """Add (time, item) to a binary heap that holds n items."""
    at0, what0, i = inside(at0), inside(what0), inside(n)
    while i > 0:
        parent = inside((i - 1) >> 1)
        if at[at0 + parent] <= time:
            break
        at[at0 + i] = at[at0 + parent]
        what[what0 + i] = what[what0 + parent]
        i = parent
    at[at0 + i] = time
    what[what0 + i] = item


@inlined
def next_point(
    floats: t.Floats, ints: t.Integers, words: t.Words, channel: int, layer: int
) -> float:
    """Move a layer to its next point and return the point's date.

    Points of a unit-rate measure in a strip of some height are an exponential gap apart, of
    mean 1 / height. As such gaps have no memory, each cell may begin anew at its edge: so a
    point's address needs its cell and its number there, and nothing of what came before.
    """
    number = channel * t.N_LAYERS + layer
    f, i, u = (
        row(ints, t.LAYER_F, number),
        row(ints, t.LAYER_I, number),
        row(ints, t.LAYER_U, number),
    )
    date = floats[f + t.AT]
    point = ints[i + t.POINT] + 1
    key0, key1 = words[0], words[1]
    name = words[row(ints, t.CHANNEL_U, channel) + t.HASH]
    while True:
        place = layer_word(layer, ints[i + t.CELL])
        w0, w1, w2, w3 = block(key0, key1, name, place, np.uint64(point), _ZERO)
        # Inversion of the exponential; 1 - u is never 0.
        date += -math.log(1.0 - unit(w0)) * t.MEAN_GAP[layer]
        if date < floats[f + t.CELL_END]:
            break
        # The point would lie in the next cell: that cell has its own first point.
        date = floats[f + t.CELL_END]
        floats[f + t.CELL_END] = date + t.CELL_WIDTH[layer]
        ints[i + t.CELL] += 1
        point = 0
    floats[f + t.AT] = date
    floats[f + t.HEIGHT] = t.LAYER_LOW[layer] + t.LAYER_HEIGHT[layer] * unit(w1)
    ints[i + t.POINT] = point
    words[u] = w2
    words[u + 1] = w3
    return float(date)


@compiled
def wake_layer(
    floats: t.Floats, ints: t.Integers, words: t.Words, channel: int, layer: int
) -> None:
    """Put a sleeping layer's first point after now into the heap.

    It sleeps while its channel's intensity lies below it: its points are there, but none
    can be an incident. Waking, it walks from the beginning of the cell that now lies in, so
    that it finds the points it would have had, had it never slept.
    """
    now = floats[0]
    number = channel * t.N_LAYERS + layer
    f, i = row(ints, t.LAYER_F, number), row(ints, t.LAYER_I, number)
    width = t.CELL_WIDTH[layer]
    cell = math.floor(now / width)
    ints[i + t.CELL] = cell
    ints[i + t.POINT] = -1
    floats[f + t.AT] = cell * width
    floats[f + t.CELL_END] = cell * width + width
    date = next_point(floats, ints, words, channel, layer)
    while date <= now:
        date = next_point(floats, ints, words, channel, layer)
    push(floats, ints[t.HEAP_AT], ints, ints[t.HEAP_ROW], ints[t.N_AWAKE], date, number)
    ints[t.N_AWAKE] += 1
    words[row(ints, t.CHANNEL_U, channel) + t.AWAKE] |= _ONE << np.uint64(layer)


@inlined
def wake(floats: t.Floats, ints: t.Integers, words: t.Words, channel: int) -> None:
    """Wake every layer of a channel that lies below its intensity."""
    # `top` is the layer the intensity lies in; it moves by a step or two at a time.
    intensity = floats[row(ints, t.CHANNEL_F, channel) + t.INTENSITY]
    where = row(ints, t.CHANNEL_I, channel) + t.TOP
    top = inside(ints[where])
    while top + 1 < t.N_LAYERS and t.LAYER_LOW[top + 1] < intensity:
        top = inside(top + 1)
    while top > 0 and t.LAYER_LOW[top] >= intensity:
        top = inside(top - 1)
    ints[where] = top
    # A bit for each layer: those from 0 to top are to be awake; what is awake above stays so
    # until its next point is passed.
    wanted = (_ONE << np.uint64(top + 1)) - _ONE
    missing = wanted & ~words[row(ints, t.CHANNEL_U, channel) + t.AWAKE]
    layer = 0
    while missing != _ZERO:
        if missing & _ONE:
            wake_layer(floats, ints, words, channel, layer)
        missing >>= _ONE
        layer += 1


@inlined
def pass_candidate(
    floats: t.Floats, ints: t.Integers, words: t.Words, channel: int, layer: int, asleep: int
) -> None:
    """Replace the top candidate by its layer's next, or (asleep = 1) let the layer sleep."""
    at0, what0 = ints[t.HEAP_AT], ints[t.HEAP_ROW]
    n = ints[t.N_AWAKE]
    if asleep == 1:
        words[row(ints, t.CHANNEL_U, channel) + t.AWAKE] &= ~(_ONE << np.uint64(layer))
        last_at, last = floats[at0 + n - 1], ints[what0 + n - 1]
        sift_down(floats, at0, ints, what0, n - 1, last_at, last)
        ints[t.N_AWAKE] = n - 1
    else:
        date = next_point(floats, ints, words, channel, layer)
        sift_down(floats, at0, ints, what0, n, date, channel * t.N_LAYERS + layer)
