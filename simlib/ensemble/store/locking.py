"""Who writes a results directory: one process at a time, which the lock goes with."""

from __future__ import annotations

import contextlib
import os
import platform
import re
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from simlib.errors import StoreError
from simlib.files import read_regular, remove_file, write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOCK, HOLDER = ".lock", ".holder"


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a folder for writing; the lock goes with the process that holds it.

    Where another run holds it, the `StoreError` names that one.
    """
    lock, holder = FileLock(path / LOCK, timeout=0), path / HOLDER
    try:
        lock.acquire()
    except Timeout:
        raise StoreError(f"{path}: is being written by {_named(holder)}") from None
    except OSError as error:
        raise StoreError(f"{path}: cannot be written ({error.strerror})") from error
    try:
        write_whole(holder, f"process {os.getpid()} on {platform.node()}".encode())
        yield
    finally:
        remove_file(holder)
        lock.release()


def is_being_written(path: Path) -> bool:
    """Whether a run holds a folder now; nothing is written to find out."""
    try:
        import fcntl
    except ImportError:  # Windows: a lock cannot be looked at without taking it
        return is_holder(path / HOLDER)
    try:
        descriptor = os.open(path / LOCK, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def is_holder(path: Path) -> bool:
    """Whether a file says which process holds a folder, as `locked` writes it."""
    return re.fullmatch(r"process \d+ on .*", _named(path)) is not None


def lock_of(path: Path) -> tuple[int, int] | None:
    """What tells the lock of a folder from another of its name; none where none is."""
    try:
        status = (path / LOCK).lstat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _named(holder: Path) -> str:
    try:
        return read_regular(holder, 1000, is_input=False).decode(errors="replace")
    except StoreError:
        return "another process"
