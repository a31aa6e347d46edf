"""What asks the command line to end: Ctrl-C, a request to end, a terminal that goes away."""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import TypeAlias

Handler: TypeAlias = Callable[[int, FrameType | None], None] | signal.Handlers

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
_SIGNALS = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]


class Stopped(KeyboardInterrupt):
    """A signal asked to end."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.status = status_of(number)
        self.is_told = False


def status_of(number: int) -> int:
    """The exit status of what a signal ended, as a shell counts it."""
    return 128 + number


class _Asked:
    """Raises `Stopped` at the first signal; the second must not break into what that ends."""

    def __init__(self) -> None:
        self.stop: Stopped | None = None
        self._n = 0

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        """Take a signal; whoever insists is out at once."""
        self._n += 1
        if self._n == 1:
            self.stop = Stopped(number)
            raise self.stop
        if self._n > 2 or number == signal.SIGTERM:
            os._exit(status_of(number))

    def begin(self) -> None:
        """Hear signals from now on."""
        self.stop, self._n = None, 0
        hear(self)
        atexit.register(hear, signal.SIG_IGN)

    def end(self) -> None:
        """Note that what could be stopped has ended."""
        self._n = max(1, self._n)

    def heed(self) -> None:
        """Raise again what was asked: a library that was called back may have lost it."""
        if self.stop is not None:
            raise self.stop


asked = _Asked()
"""What this process was asked."""


def hear(handler: Handler) -> dict[int, object]:
    """Let a handler hear what asks to end; return who heard it before.

    What is ignored stays so: ``nohup``, or what a shell starts in the background.
    """
    if threading.current_thread() is not threading.main_thread():
        return {}
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    heard = {number: was for number, was in before.items() if was is not signal.SIG_IGN}
    for number in heard:
        signal.signal(number, handler)
    return dict(heard)


@contextlib.contextmanager
def heard_by(handler: Handler) -> Iterator[None]:
    """Let a handler hear what asks to end, for a while."""
    before = hear(handler)
    try:
        yield
    finally:
        for number, was in before.items():
            signal.signal(number, was)  # type: ignore[arg-type]
