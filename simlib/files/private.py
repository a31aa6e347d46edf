"""Folders that are the user's alone: what is read back from them is run."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import tempfile
from pathlib import Path

from simlib.errors import StoreError

_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def private_folder(base: Path, *names: str) -> Path:
    """Return a folder below a base, made where it is not there, that is the user's alone.

    Raises
    ------
    StoreError
        Something in it is a link, another user's or writable by others, or it cannot be
        written.
    """
    folder = base
    try:
        base.mkdir(parents=True, exist_ok=True)
        for name in names:
            folder /= name
            with contextlib.suppress(FileExistsError):
                folder.mkdir(mode=0o700)
            _refuse_foreign(folder)
        for parent, folders, files in os.walk(folder, onerror=_fail):
            for name in (*folders, *files):
                _refuse_foreign(Path(parent, name))
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        where = error.filename or folder
        why = "is no folder" if isinstance(error, FileExistsError) else error.strerror
        raise StoreError(f"{where}: cannot be used ({why})") from None
    return folder


def _fail(error: OSError) -> None:
    raise error


def _refuse_foreign(path: Path) -> None:
    try:
        found = path.lstat()
    except FileNotFoundError:  # another process has replaced it
        return
    if stat.S_ISLNK(found.st_mode):
        raise StoreError(f"{path}: is a link; remove it")
    if sys.platform == "win32":  # where files have no owner and no mode to look at
        return
    if found.st_uid != os.geteuid():
        raise StoreError(f"{path}: belongs to another user")
    if found.st_mode & _WRITABLE_BY_OTHERS:
        raise StoreError(f"{path}: is writable by others; say chmod -R go-w {path}")
