"""Files that are whole or not there, and names that no text escapes from."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
from typing import TYPE_CHECKING, Any

from simlib.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path

MAX_FILE = 2**31
"""Size cap in bytes of any file that is read back."""
_RESERVED = {"con", "prn", "aux", "nul", "_"} | {
    f"{port}{i}" for port in ("com", "lpt") for i in range(10)
}
"""Names that are devices on Windows, where no folder can bear them; and our own."""
_FULL = {errno.ENOSPC, errno.EDQUOT}


class DiskFullError(StoreError):
    """There is no space left to write to."""


def slug(option: str) -> str:
    """Return a folder name for an option: plain where the name is, else with a hash.

    Examples
    --------
    >>> slug("extend_12m"), slug("")
    ('extend_12m', '_')
    >>> slug("../Con")
    'con-d586e099'
    """
    plain = re.sub(r"[^a-z0-9_]+", "-", option.lower()).strip("-")[:40]
    if plain == option and plain and plain not in _RESERVED:
        return plain
    if not option:
        return "_"
    return f"{plain}-{hashlib.blake2b(option.encode(), digest_size=4).hexdigest()}"


def write_whole(path: Path, data: bytes, *, is_flushed: bool = True) -> None:
    """Write a file so that its name never stands for a part of it.

    Parameters
    ----------
    path
        Its final name; its folder is made when it is missing.
    data
        All of it.
    is_flushed
        Whether it and its name have reached the disk on return.

    Raises
    ------
    StoreError
        It cannot be written; no part of it is left behind.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(data)
            if is_flushed:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
        if is_flushed:
            _flush_folder(path.parent)
    except OSError as error:
        _forget(temporary)
        if error.errno in _FULL:
            raise DiskFullError(f"{path}: the disk is full") from error
        raise StoreError(f"{path}: cannot be written ({error.strerror or error})") from error
    except BaseException:
        _forget(temporary)
        raise


def read_bytes(path: Path) -> bytes:
    """Return what a file holds.

    Raises
    ------
    StoreError
        It cannot be read, or is larger than `MAX_FILE`.
    """
    try:
        if path.stat().st_size > MAX_FILE:
            raise StoreError(f"{path}: is larger than {MAX_FILE} bytes")
        return path.read_bytes()
    except OSError as error:
        raise StoreError(f"{path}: cannot be read ({error.strerror})") from error


def read_json(path: Path) -> dict[str, Any]:
    """Return the mapping that a JSON file holds.

    Raises
    ------
    StoreError
        It cannot be read, or holds anything else.
    """
    try:
        found = json.loads(read_bytes(path))
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{path}: is no JSON ({error})") from error
    if not isinstance(found, dict):
        raise StoreError(f"{path}: holds no mapping")
    return found


def as_json(content: dict[str, Any]) -> bytes:
    """Return a mapping as JSON text."""
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()


def size(n_bytes: float) -> str:
    """Return a number of bytes as short text.

    Examples
    --------
    >>> size(1_536), size(9_400_000_000)
    ('2 kB', '9.4 GB')
    """
    for unit, scale in (("GB", 1e9), ("MB", 1e6)):
        if n_bytes >= scale:
            return f"{n_bytes / scale:.1f} {unit}"
    return f"{max(1, round(n_bytes / 1e3))} kB"


def _forget(temporary: Path) -> None:
    with contextlib.suppress(OSError):
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
