"""Output and errors: text for people, on streams that can fail without taking the work with them.

What a terminal would take as a command never reaches it.
"""

from __future__ import annotations

import codecs
import contextlib
import errno
import io
import os
import sys
from collections.abc import Iterator
from typing import IO, Any

_MARKING = "simlib.marking"
_STRICT = {"strict", "surrogateescape"}


def clean(text: str) -> str:
    """Text without what would steer a terminal or reorder a line."""
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)


def say(text: str) -> None:
    """Write a line to the output."""
    sys.stdout.write(clean(text) + "\n")


def tell(text: str) -> None:
    """Write a line beside the output: progress, notes, errors."""
    sys.stderr.write(clean(text) + "\n")
    sys.stderr.flush()


class Ends:
    """What became of the output: its failure, and how many characters it could not write."""

    def __init__(self) -> None:
        self.output: _Outlet | None = None
        self.encoding = ""
        self.n_marked = 0

    def mark(self, error: UnicodeError) -> tuple[str, int]:
        """Write a question mark for every character that the encoding does not have."""
        if not isinstance(error, UnicodeEncodeError):
            raise error
        self.n_marked += error.end - error.start
        return "?" * (error.end - error.start), error.end

    def complaint(self) -> str:
        """What went wrong, in words; empty when nothing did.

        Nothing went wrong where the reader of the output has seen enough, as ``head`` has.
        """
        failure = None if self.output is None else self.output.failure
        if failure is None or failure.errno == errno.EPIPE:
            return ""
        return f"output: cannot be written ({failure.strerror})"


class _Outlet(io.RawIOBase):
    """Takes all that is written; a failure is kept, and what comes after it is dropped."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self.failure: OSError | None = None

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return bool(self._raw.isatty())

    def fileno(self) -> int:
        return int(self._raw.fileno())

    def write(self, data: Any) -> int | None:
        if self.failure is None:
            try:
                n: int | None = self._raw.write(data)
            except OSError as error:
                self.failure = error
            else:
                return n
        return len(data)


@contextlib.contextmanager
def guarded() -> Iterator[Ends]:
    """Guard output and errors while a command runs; a closed one is as good as dropped."""
    _open_closed()
    before = sys.stdout, sys.stderr
    ends = Ends()
    codecs.register_error(_MARKING, ends.mark)
    ends.encoding = sys.stdout.encoding or ""
    sys.stdout, ends.output = _guard(sys.stdout)
    sys.stderr, _ = _guard(sys.stderr)
    try:
        yield ends
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        sys.stdout, sys.stderr = before


def _open_closed() -> None:
    """Open descriptors 0 to 2 where they are closed: files would get their numbers."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(number, True)  # noqa: FBT003  (its only argument)
    os.close(number)
    for name, number in (("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            stream = open(number, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
            setattr(sys, name, stream)


def _guard(stream: IO[str]) -> tuple[Any, _Outlet | None]:
    """A stream like one, and where it writes to; one in memory is left as it is."""
    if not (isinstance(stream, io.TextIOWrapper) and hasattr(stream, "buffer")):
        return stream, None
    stream.flush()
    outlet = _Outlet(getattr(stream.buffer, "raw", stream.buffer))
    guarded_one = io.TextIOWrapper(
        io.BufferedWriter(outlet),
        encoding=stream.encoding,
        errors=_MARKING if stream.errors in _STRICT else stream.errors,
        line_buffering=stream.line_buffering or stream.write_through,
    )
    return guarded_one, outlet
