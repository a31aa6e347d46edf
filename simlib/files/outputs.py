"""What a command may replace: what it wrote itself and nobody changed since.

Into a folder of its own a command writes a record of what it wrote (``.simlib-written``): a
line of JSON for each file, ``[sha256, command, name]``. A file that is there is replaced
only when the record says that the same command wrote just this content. A file that stands
alone has no record; it is left as it is when it is the same, and else refused.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from simlib.errors import StoreError
from simlib.files.folders import is_own
from simlib.files.safe_reading import read_regular, refuse_input
from simlib.files.safe_writing import (
    append_line,
    make_folder,
    reason,
    refuse_irregular,
    refuse_root,
    unwritable,
    write_whole,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


RECORD = ".simlib-written"
_MOST_RECORD, _MOST_COMPARED = 2**24, 2**31


@dataclass(frozen=True, slots=True)
class Output:
    """A folder that one command writes tables, figures and pages to; made when it is not there.

    Files of that command may be replaced, and with `force` any regular file but an input.
    """

    folder: Path
    command: str
    force: bool = False

    def write(self, name: str, data: bytes) -> Path:
        """Write a file of the folder, whole or not at all, and return its path.

        Raises
        ------
        StoreError
            A file is there that this command did not write, or that was changed since; or
            it cannot be written.
        """
        path = self.folder / name
        digest = _sha256(data)
        if not self.force:
            refuse_replacing(path, data, lambda digest: digest in self._known(name))
        refuse_input(path)
        make_folder(self.folder)
        # The line comes first: a run that is killed between the two finds its own file again.
        append_line(self.folder / RECORD, json.dumps([digest, self.command, name]))
        write_whole(path, data)
        return path

    def adopt(self, names: Iterable[str]) -> None:
        """Put files on record that a version before the record wrote."""
        for name in names:
            data = read_regular(self.folder / name, _MOST_COMPARED, is_input=False)
            append_line(self.folder / RECORD, json.dumps([_sha256(data), self.command, name]))

    def refuse_unwritable(self) -> None:
        """Refuse a folder that cannot be made or written, before anything is computed for it."""
        refuse_root(self.folder)
        refuse_unwritable(self.folder / RECORD)

    def _known(self, name: str) -> frozenset[str]:
        """The hashes of all that the command ever wrote under a name."""
        record = self.folder / RECORD
        if not record.is_file():
            return frozenset()
        lines = read_regular(record, _MOST_RECORD, is_input=False).decode(errors="replace")
        found = (_parsed(line) for line in lines.splitlines())
        return frozenset(digest for digest, *what in found if what == [self.command, name])


def write_file(path: Path, data: bytes, *, force: bool = False) -> None:
    """Write a file that stands alone, whole or not at all; its folder is made when missing.

    With `force`, what is there is replaced, unless it is an input, a link, a device or a folder.

    Raises
    ------
    StoreError
        Another file is there, or it cannot be written.
    """
    if not force:
        refuse_replacing(path, data)
    refuse_input(path)
    write_whole(path, data)


def refuse_replacing(
    path: Path, data: bytes | None = None, is_known: Callable[[str], bool] | None = None
) -> None:
    """Refuse, as a `StoreError`, to write over something else that is there.

    The same content, where it is known, is no reason to refuse. `is_known` says of a SHA-256
    whether such content may be replaced; it is asked when the file was read, so that what
    another process writes meanwhile is on record by then.
    """
    refuse_irregular(path)
    refuse_input(path)
    if not os.path.exists(path):  # noqa: PTH110  (a name that is too long is no file)
        return
    there = _sha256(read_regular(path, _MOST_COMPARED, is_input=False))
    is_own = is_known is not None and is_known(there)
    if not is_own and (data is None or there != _sha256(data)):
        raise StoreError(
            f"{path}: is there already, and is not what this command wrote; "
            "--force replaces it, or give another name"
        )


def _parsed(line: str) -> list[str]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):  # a line that was cut off
        return [""]
    is_record = isinstance(found, list) and found and all(isinstance(x, str) for x in found)
    return found if is_record else [""]


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


_MANIFEST = "manifest.json"


def refuse_unwritable(
    *paths: str | os.PathLike[str], inputs: Iterable[str | os.PathLike[str]] = ()
) -> None:
    """Refuse files that could not be written, before anything is computed for them.

    The inputs are files that will be read, and directories of results, there or to come, whose
    own files are kept.

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
