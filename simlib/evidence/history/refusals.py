"""Why a history is refused."""

from __future__ import annotations

from simlib.errors import SimlibError


class HistoryError(SimlibError):
    """An event file, or what is asked of it, is wrong."""


class LeakError(SimlibError):
    """Something was not known yet: it is dated or published after the date of the forecast."""
