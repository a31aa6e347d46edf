"""Faults that the kernel found, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from simlib.errors import SimulationError
from simlib.journal import MARKS
from simlib.world.clock import to_date
from simlib.world.kernel import kernel_tables as t
from simlib.world.state import name_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from simlib.journal import Channels, Layout


def place_of(channels: Channels, channel: int) -> str:
    """Return type, place and target of a channel, for messages."""
    return f"{channels.types[channel]} at {channels.places[channel]} ({channels.targets[channel]})"


def kernel_error(
    fault: tuple[int, int, float],
    now: float,
    views: Mapping[str, NDArray[Any]],
    names: tuple[Channels, Layout],
) -> SimulationError:
    """Return the error that a fault of the kernel is.

    Parameters
    ----------
    fault
        What it is of, number of the channel, position or mark, and what it became.
    now
        Simulated time, in days.
    views
        The kernel's tables by name.
    names
        Channels and layout of the replication.
    """
    what, number, value = fault
    channels, layout = names
    date = str(to_date(now))
    if what == t.BAD_STATE:
        text = f"{name_of(layout, number)} became {value}"
    elif what == t.BAD_INTENSITY:
        text = f"intensity of {place_of(channels, number)} became {value:g} a day"
        if np.isfinite(value):
            text += f", more than {t.LAYER_LOW[t.N_LAYERS]:.2g}"
    else:
        channel = int(np.flatnonzero(views["channel_i"][:, t.MARK_TO] > number)[0])
        mark = MARKS[int(views["mark_i"][number, t.SLOT])]
        text = f"chance of {mark} of {place_of(channels, channel)} became {value}"
    return SimulationError(f"{text} on {date}", "", date)
