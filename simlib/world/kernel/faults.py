"""What the kernel notes when a number leaves its range: it cannot raise."""

from __future__ import annotations

from simlib.chance.compiling import compiled
from simlib.world.kernel.tables import FAULT, FAULT_ROW, FAULT_VALUE, SOUND, Floats, Integers


@compiled
def note_fault(floats: Floats, ints: Integers, what: int, number: int, value: float) -> None:
    """Note the first fault; whoever called the kernel turns it into an error.

    Parameters
    ----------
    what
        ``BAD_INTENSITY``, ``BAD_STATE`` or ``BAD_CHANCE`` of `simlib.world.kernel.tables`.
    number
        Number of the channel, position in the state, or number of the mark.
    value
        What it has become.
    """
    if ints[FAULT] == SOUND:
        ints[FAULT], ints[FAULT_ROW] = what, number
        floats[FAULT_VALUE] = value
