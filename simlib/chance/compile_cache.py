"""Where compiled code is kept: in a folder that is the user's alone.

numba reads what it has compiled back as pickles: whoever can write there can run code. So
below the folder that the user chose nothing may be a link, belong to somebody else or be
writable by others. Where no such folder can be had, what is compiled is kept for this
process and its workers in a temporary folder, and one line says so.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from simlib.errors import StoreError
from simlib.files import private_folder, remove_folder, temporary_folder

SETTING = "SIMLIB_CACHE_DIR"
"""The environment variable that names the folder; workers are told their parent's by it."""
NOWHERE = "none"
"""Its value that keeps nothing."""


@contextlib.contextmanager
def private_files() -> Iterator[None]:
    """Make files that nobody else can write, whatever the user's mask."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def usable_folder(*names: str) -> Path | None:
    """Return the folder below the user's choice, or a temporary one; none without either."""
    if os.environ.get(SETTING) == NOWHERE:
        return None
    try:
        return private_folder(_base(), *names)
    except StoreError as error:
        reason = error
    try:
        base = _temporary()
        folder = private_folder(base, *names)
    except (OSError, StoreError):
        warn("compiled code is not kept", reason)
        os.environ[SETTING] = NOWHERE
        return None
    warn("compiled code is kept for this process only", reason)
    os.environ[SETTING] = str(base)
    return folder


@functools.cache
def warn(what: str, reason: object) -> None:
    """Say once that compiled code is not kept, why, and what to do."""
    line = "%s: %s; set %s to a folder of your own that can be written"
    logging.getLogger("simlib").warning(line, what, reason, SETTING)


def _base() -> Path:
    if given := os.environ.get(SETTING):
        return Path(given)
    name = "LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME"
    caches = Path(os.environ.get(name, ""))
    if caches.is_absolute():  # as the XDG specification has it, a relative one is none
        return caches / "simlib"
    try:
        home = Path.home()
    except RuntimeError:
        raise StoreError("there is no home folder") from None
    if not (home.is_absolute() and home.is_dir()):
        raise StoreError(f"{home}: there is no such home folder")
    return home / ("" if sys.platform == "win32" else ".cache") / "simlib"


def _temporary() -> Path:
    """Return a new folder that is removed when this process ends."""
    system = Path(tempfile.gettempdir())
    named = {os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP")}
    if system == Path.cwd() and not {str(system)} & {*named, "/tmp", "/var/tmp", "/usr/tmp"}:  # noqa: S108
        raise StoreError("there is no temporary folder")  # but where one stands
    folder = temporary_folder("simlib-compiled-")
    atexit.register(_remove, folder, os.getpid())
    return folder


def _remove(folder: Path, owner: int) -> None:
    if os.getpid() == owner:  # and no process that was forked from it
        remove_folder(folder)
