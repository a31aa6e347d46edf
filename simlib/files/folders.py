"""Folders that simlib keeps: no link inside is followed, and only its own files are removed.

One that what is run is read from (`private_folder`) is the user's alone.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
import sys
import tempfile
from pathlib import Path

from simlib.errors import StoreError
from simlib.files.safe_reading import kind_of
from simlib.files.safe_writing import reason

_RANGE = r"(0\d{7}|10000000)-(0\d{7}|10000000)"
"""Replications, or rows: at most ten million, so that no dates are taken for them."""
_CHUNK = rf"{_RANGE}\.(json|parquet|npz)"
"""A chunk's tables and sidecar, a piece."""
_OWN = re.compile(
    rf"{_CHUNK}"
    rf"|\.({_CHUNK}|manifest\.json|\.holder)\.\d+(-[0-9a-f]{{8}})?\.tmp"  # being written
)
"""Names that simlib gives to files it may remove again."""


def refuse_links(folder: Path) -> None:
    """Refuse a folder in which anything is no file and no folder: a link above all.

    The folder itself may be a link: that is its owner's choice. What is in it is simlib's. It is
    a `StoreError`, too, where a folder cannot be listed.
    """
    try:
        _refuse_links(folder)
    except OSError as error:
        raise StoreError(f"{folder}: cannot be read ({reason(error)})") from error


def _refuse_links(folder: Path | str) -> None:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                _refuse_links(entry.path)
            elif not entry.is_file(follow_symlinks=False):
                what = kind_of(entry.stat(follow_symlinks=False).st_mode)
                raise StoreError(
                    f"{entry.path}: is {what}; nothing in a folder of results may be one, and "
                    "nothing was touched: remove it and run again"
                )


def is_own(name: str) -> bool:
    """Whether simlib gives such names to files of its own."""
    return _OWN.fullmatch(name) is not None


def own_names(folder: Path) -> list[str]:
    """The names of the files directly in a folder that simlib named, in order."""
    try:
        with os.scandir(folder) as entries:
            names = [e.name for e in entries if e.is_file(follow_symlinks=False)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(filter(is_own, names))


def own_files(folder: Path) -> list[Path]:
    """The files directly in a folder that simlib gave their names, in order."""
    return [folder / name for name in own_names(folder)]


def remove_own(folder: Path, also: tuple[str, ...] = ()) -> None:
    """Remove what simlib wrote into a folder and those in it, and what is then empty.

    No link in it is followed. `also` names more files that are simlib's there.
    """
    for where, _folders, files in os.walk(folder, topdown=False, followlinks=False):
        for name in files:
            path = Path(where, name)
            if (name in also or is_own(name)) and stat.S_ISREG(path.lstat().st_mode):
                path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # what somebody else put there stays
            Path(where).rmdir()


def remove_file(path: Path) -> None:
    """Remove a file of simlib's own, if it is there; anything else of its name stays."""
    with contextlib.suppress(OSError):
        if stat.S_ISREG(path.lstat().st_mode):
            path.unlink()


def move_file(path: Path, to: Path) -> None:
    """Give a file of simlib's own another name, in a folder that is made if needed.

    Raises `StoreError` where it cannot be moved.
    """
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        path.replace(to)
    except OSError as error:
        raise StoreError(f"{path}: cannot be moved ({reason(error)})") from error


def temporary_folder(prefix: str) -> Path:
    """A new folder of the system's temporary ones; whoever asked for it removes it.

    Raises `StoreError` where it cannot be made.
    """
    try:
        return Path(tempfile.mkdtemp(prefix=prefix))
    except OSError as error:
        raise StoreError(f"no temporary folder can be made ({reason(error)})") from error


def remove_folder(path: Path) -> None:
    """Remove a temporary folder with all that is in it; a link in it is not followed."""
    shutil.rmtree(path, ignore_errors=True)


_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def private_folder(base: Path, *names: str) -> Path:
    """A folder below a base, made where it is not there, that is the user's alone.

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
