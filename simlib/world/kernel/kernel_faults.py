"""What the kernel notes when a number leaves its range: it cannot raise."""

from __future__ import annotations

from simlib.chance.compiling import compiled
from simlib.world.kernel import kernel_tables as t


@compiled
def note_fault(floats: t.Floats, ints: t.Integers, what: int, number: int, value: float) -> None:
    """Note the first fault; whoever called the kernel turns it into an error.

    Parameters
    ----------
    what
        ``BAD_INTENSITY``, ``BAD_STATE`` or ``BAD_CHANCE`` of `simlib.world.kernel.kernel_tables`.
    number
        Number of the channel, position in the state, or number of the mark.
    value
        What it has become.
    """
    if ints[t.FAULT] == t.SOUND:
        ints[t.FAULT], ints[t.FAULT_ROW] = what, number
        floats[t.FAULT_VALUE] = value
