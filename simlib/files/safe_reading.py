"""Reading: regular files only, and never more than a bound."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

from simlib.errors import SimlibError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


_FLAGS = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_inputs: set[tuple[int, ...]] = set()
"""Device, inode and time of change of every file that was read as an input: none of them
is ever written over."""


def raising(kind: type[SimlibError]) -> Callable[[Path, str], SimlibError]:
    """What makes an error of a kind, of the path and the rule that is broken."""
    return lambda path, rule: kind(f"{path}: {rule}")


_of_store = raising(StoreError)


def read_regular(
    path: Path,
    most_bytes: int,
    *,
    refuse: Callable[[Path, str], SimlibError] = _of_store,
    is_input: bool = True,
) -> bytes:
    """What a file holds: a pipe, a device or a folder is refused before it is opened.

    Somebody's file `is_input`: a link to it is followed, and it is never written over. Else it
    is one of simlib's own, where no link has any business.

    Raises
    ------
    StoreError
        Or what `refuse` makes of the path and the rule that is broken: it is not there, cannot
        be read, is no regular file, or has more than `most_bytes`.
    """
    try:
        # Opening a pipe waits for its writer and opening a device may do anything: look first.
        before = path.stat(follow_symlinks=is_input)
        if not stat.S_ISREG(before.st_mode):
            raise refuse(path, f"must be a regular file (got {kind_of(before.st_mode)})")
        no_link = 0 if is_input else getattr(os, "O_NOFOLLOW", 0)
        descriptor = os.open(path, _FLAGS | no_link | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise refuse(path, f"must be a regular file (got {kind_of(status.st_mode)})")
            if status.st_size > most_bytes:
                got = f"{status.st_size} bytes"
                raise refuse(path, f"must be at most {most_bytes} bytes (got {got})")
            data = file.read(most_bytes + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise refuse(path, "no such file") from None
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
        raise refuse(path, f"cannot be read ({reason})") from error
    except ValueError as error:  # a path with a NUL in it
        raise refuse(path, f"cannot be read ({error})") from error
    if len(data) > most_bytes:  # it grew while it was read
        raise refuse(path, f"must be at most {most_bytes} bytes")
    if is_input:
        _inputs.add(_identity(status))
    return data


def was_read(path: Path) -> bool:
    """Whether a file was read as an input, under this name or another, and is unchanged."""
    try:
        return _identity(path.stat()) in _inputs
    except (OSError, ValueError):
        return False


def refuse_input(path: Path) -> None:
    """Refuse, as a `StoreError`, to write over a file that was read as an input."""
    if was_read(path):
        raise StoreError(f"{path}: was read as an input and is not written over; give another name")


def kind_of(mode: int) -> str:
    """What is no regular file, in words."""
    kinds = {stat.S_IFDIR: "a directory", stat.S_IFIFO: "a pipe", stat.S_IFLNK: "a link"}
    return kinds.get(stat.S_IFMT(mode), "a device or socket")


def is_full(error: OSError) -> bool:
    """Whether an error says that there is no space left."""
    return error.errno in {errno.ENOSPC, errno.EDQUOT}


def _identity(status: os.stat_result) -> tuple[int, ...]:
    return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size
