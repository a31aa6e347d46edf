"""Writing: a name never stands for a part of a file, and nothing goes through a link."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from simlib.errors import StoreError
from simlib.files.safe_reading import is_full, kind_of

_NEW = (
    os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
)
_MOST_OF_A_NAME = 100
"""Bytes of a name that are kept in that of its temporary file: a file system takes 255."""


class DiskFullError(StoreError):
    """There is no space left to write to."""


def write_whole(path: Path, data: bytes, *, is_flushed: bool = True) -> None:
    """Write a file so that its name never stands for a part of it; replace what is there.

    What must not be replaced is `refuse_replacing`'s to say. A temporary file beside it is
    written, flushed and renamed: a link under the name would be replaced, not followed. Its
    folder is made when it is missing. If `is_flushed`, it and its name have reached the disk on
    return.

    Raises
    ------
    StoreError
        It cannot be written, or no regular file bears the name; no part of it is left behind.
    """
    refuse_irregular(path)
    token = f"{os.getpid()}-{os.urandom(4).hex()}"
    bare = path.name.encode(errors="ignore")[:_MOST_OF_A_NAME].decode(errors="ignore")
    temporary = path.with_name(f".{bare or 'new'}.{token}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(temporary, _NEW, 0o666), "wb") as file:
            file.write(data)
            if is_flushed:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
        if is_flushed:
            _flush_folder(path.parent)
    except (OSError, ValueError) as error:
        _forget(temporary)
        raise unwritable(path, error) from error
    except BaseException:
        _forget(temporary)
        raise


def append_line(path: Path, line: str) -> None:
    """Add a line to one of simlib's own files, in one piece; the file is made if needed.

    Raises `StoreError` where it cannot be written, or is no regular file.
    """
    refuse_irregular(path)
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, flags, 0o666), "ab+") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(end - 1, 0))
            # A line that was cut off, as on a full disk, must not swallow this one.
            cut = b"" if file.read() in {b"", b"\n"} else b"\n"
            file.write(cut + f"{line}\n".encode())
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise unwritable(path, error) from error


def make_folder(path: Path) -> None:
    """Make a folder, with those above it.

    Raises
    ------
    StoreError
        It cannot be made, a file has its name, or it is the root of a file system.
    """
    refuse_root(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise StoreError(f"{path}: is no folder; give another directory") from None
    except (OSError, ValueError) as error:
        raise StoreError(f"{path}: cannot be made ({reason(error)})") from error


def refuse_root(path: Path) -> None:
    """Refuse, as a `StoreError`, the root of all folders: nobody keeps results there."""
    try:
        is_root = path.resolve() == Path(path.resolve().anchor)
    except (OSError, ValueError, RuntimeError):
        return  # it cannot be made either, which is told then
    if is_root:
        raise StoreError(f"{path}: is the root of the file system; give another directory")


def refuse_irregular(path: Path) -> None:
    """Refuse, as a `StoreError`, to write where a folder, link, pipe or device bears the name."""
    try:
        mode = path.lstat().st_mode
    except (OSError, ValueError):
        return  # nothing is there, or writing will say what is wrong
    if not stat.S_ISREG(mode):
        raise StoreError(f"{path}: is {kind_of(mode)}; nothing is written there")


def unwritable(path: Path, error: Exception) -> StoreError:
    """The error of a file that cannot be written."""
    if isinstance(error, OSError) and is_full(error):
        return DiskFullError(f"{path}: the disk is full")
    return StoreError(f"{path}: cannot be written ({reason(error)})")


def reason(error: Exception) -> str:
    """What an error of the system says, without the path."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _forget(temporary: Path) -> None:
    with contextlib.suppress(OSError, ValueError):
        temporary.unlink(missing_ok=True)


def _flush_folder(path: Path) -> None:
    """Let the names in a folder reach the disk, where the system can."""
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
