"""What can be refused of a file before anything is computed for it."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from simlib.errors import StoreError
from simlib.files.folders import is_own
from simlib.files.reading import refuse_input
from simlib.files.writing import reason, refuse_irregular, unwritable

if TYPE_CHECKING:
    from collections.abc import Iterable

_MANIFEST = "manifest.json"


def refuse_unwritable(
    *paths: str | os.PathLike[str], inputs: Iterable[str | os.PathLike[str]] = ()
) -> None:
    """Refuse files that could not be written, before anything is computed for them.

    Parameters
    ----------
    paths
        What is to be written.
    inputs
        Files that will be read, and directories of results, there or to come, whose own files
        are kept.

    Raises
    ------
    StoreError
        A folder, a link, a pipe or a device bears a name, or an input does; two are one file;
        a name is too long; or its folder can neither be made nor written.
    """
    given = [Path(each) for each in inputs]
    seen: set[Path] = set()
    for path in map(Path, paths):
        refuse_irregular(path)
        refuse_input(path)
        if any(_is_input(path, each) for each in given):
            raise StoreError(f"{path}: is an input and is not written over; give another name")
        _refuse_name(path)
        _refuse_folder(path)
        absolute = Path(os.path.abspath(path))  # noqa: PTH100  (no link in it is followed)
        if absolute in seen:
            raise StoreError(f"{path}: is asked for twice; give another name")
        seen.add(absolute)


def _is_input(path: Path, given: Path) -> bool:
    try:
        if given.is_file() and path.exists():
            return path.samefile(given)
        # Results may be there only when they are run: then by name.
        there, inside = given.resolve(), path.resolve()
    except (OSError, ValueError, RuntimeError):  # no name of a file: reading says what is wrong
        return False
    is_kept = path.name == _MANIFEST or is_own(path.name)
    return inside == there or (is_kept and inside.is_relative_to(there))


def _refuse_name(path: Path) -> None:
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return  # nothing is there; what its folder is comes next
    except (OSError, ValueError) as error:
        raise unwritable(path, error) from error


def _refuse_folder(path: Path) -> None:
    for folder in path.parents:
        try:
            mode = folder.stat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            continue  # it would be made
        except OSError as error:
            raise StoreError(f"{folder}: cannot be used ({reason(error)})") from error
        if not stat.S_ISDIR(mode):
            raise StoreError(f"{folder}: is no folder; give another directory")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise StoreError(f"{folder}: nothing can be written there; give another directory")
        return
