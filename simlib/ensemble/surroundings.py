"""What the surroundings lack: memory, disk, files, processes. It is never a result.

An error of an agent comes out again wherever the replication is simulated, and is data. An
error of the machine is not of the replication: what it struck is tried again.
"""

from __future__ import annotations

import errno
import gc
import re
import time
from typing import TYPE_CHECKING, Any, TypeAlias

from simlib.errors import SimulationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MOST_TRIES = 3
"""How often in all something is tried that the surroundings let down."""
PAUSE_SECONDS = 0.5
"""Between two tries in one process, for what is missing to come back."""

Lack: TypeAlias = tuple[str, str]
"""What is missing, and what to do about it."""
_MEMORY = ("out of memory", "free memory or give fewer --jobs")
_DISK = ("the disk is full", "free some space")
_FILES = ("too many open files", "raise ulimit -n or give fewer --jobs")
_PROCESSES = ("no more processes or threads", "raise ulimit -u or give fewer --jobs")
_BROKEN = ("a disk that cannot be used", "see to the disk")
_DEAD = ("a worker died", "free memory or give fewer --jobs")
_OF_CODE = {
    errno.ENOMEM: _MEMORY,
    errno.ENOBUFS: _MEMORY,
    errno.ENOSPC: _DISK,
    errno.EDQUOT: _DISK,
    errno.EMFILE: _FILES,
    errno.ENFILE: _FILES,
    errno.ENOLCK: _FILES,
    errno.EAGAIN: _PROCESSES,
    errno.EIO: _BROKEN,
    errno.EROFS: _BROKEN,
    errno.ESTALE: _BROKEN,
}
_OF_WORDS = {
    "can't start new thread": _PROCESSES,
    "can't allocate lock": _MEMORY,
    "failed to map segment": _MEMORY,
    "cannot allocate memory": _MEMORY,
    "too many open files": _FILES,
    "no space left on device": _DISK,
}
"""What Python and the loader say where no number is given."""
_BEFORE = r"^(?:SimulationError: )?(?:agent [^:\n]+: )*(?:[A-Za-z_][\w.]*\.)?"
"""The beginning of a line that tells an error, in a table of failures or a traceback."""
_TEXT = re.compile(
    _BEFORE + r"(?:(?P<memory>\w*MemoryError)\b|(?P<died>WorkerDied)\b"
    r"|\w+: \[Errno (?P<code>\d+)\]"
    rf"|(?:RuntimeError|ImportError|OSError): .*?(?P<words>{'|'.join(_OF_WORDS)}))",
    re.MULTILINE | re.IGNORECASE,
)


class ShortageError(SimulationError):
    """The surroundings lacked something; nothing is known of what was being done.

    It says what is missing and what to do about it, over what (such as ``replication 5``; may
    be empty), and the machine's own words as the cause.
    """

    def __init__(self, lack: Lack, cause: str, where: str = "") -> None:
        self.lack, self.cause, self.where = lack, cause, where
        what, remedy = lack
        over = f"{where}: " if where else ""
        super().__init__(
            f"{over}{what} ({cause}); that is no result, and what is finished is kept; "
            f"{remedy}, and run again to go on"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.lack, self.cause, self.where)

    def over(self, where: str) -> ShortageError:
        """The same with its place, where it has none yet."""
        return ShortageError(self.lack, self.cause, self.where or where)


def is_of_surroundings(error: BaseException | str) -> bool:
    """Whether an error, or one of its causes, is of the machine and not of what ran on it.

    It may be the text of one: what a table of failures keeps, or a traceback.

    Examples
    --------
    >>> is_of_surroundings(OSError(12, "Cannot allocate memory"))
    True
    >>> is_of_surroundings("SimulationError: agent guards on 2026-03-01: MemoryError: ")
    True
    >>> is_of_surroundings("ValueError: the agent told of a MemoryError")
    False
    """
    return _found(error) is not None


def shortage(error: BaseException, where: str = "") -> ShortageError | None:
    """What was missing, where an error is of the surroundings; else none."""
    found = _found(error)
    if found is None:
        return None
    # A new one: what the error still refers to may be what fills the memory.
    if isinstance(error, ShortageError):
        return error.over(where)
    return ShortageError(*found, where)


def once_more(call: Callable[..., Any], *arguments: Any) -> Any:
    """Call, and call again where the surroundings lacked something.

    Raises `ShortageError` where they did each time.
    """
    for i in range(MOST_TRIES):
        if i:
            time.sleep(PAUSE_SECONDS)
        try:
            return watched(call, *arguments)
        except ShortageError as error:
            last = error.with_traceback(None)
    raise last


def watched(call: Callable[..., Any], *arguments: Any) -> Any:
    """Call; what the surroundings lack is a `ShortageError`, which travels between processes.

    What the call held is free again by then.
    """
    try:
        return call(*arguments)
    except Exception as error:
        found = shortage(error)
        if found is None:
            raise
    gc.collect()
    raise found.with_traceback(None)


def _found(error: BaseException | str) -> tuple[Lack, str] | None:
    """What was missing and what was said of it."""
    if isinstance(error, str):
        return _in_text(error)
    return next((found for each in _chain(error) if (found := _of(each))), None)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Iterate over an error and all its causes, those of a group included."""
    waiting, seen = [error], set[int]()
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        inner = each.exceptions if isinstance(each, BaseExceptionGroup) else ()
        waiting += [e for e in (each.__cause__, each.__context__, *inner) if e is not None]


def _of(error: BaseException) -> tuple[Lack, str] | None:
    if isinstance(error, ShortageError):
        return error.lack, error.cause
    said = _said(error)
    if isinstance(error, MemoryError):
        return _MEMORY, said
    if isinstance(error, OSError) and error.errno is not None:
        lack = _OF_CODE.get(error.errno)
        return lack and (lack, said)
    if isinstance(error, RuntimeError | ImportError | OSError | SimulationError):
        return _in_text(said)
    return None


def _said(error: BaseException) -> str:
    try:
        text = str(error).partition("\n")[0]
    except Exception:  # noqa: BLE001  (its class is the agent's own)
        text = ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _in_text(text: str) -> tuple[Lack, str] | None:
    for match in _TEXT.finditer(text):
        said = text[match.start() :].partition("\n")[0]
        if match["memory"]:
            return _MEMORY, said
        if match["died"]:
            return _DEAD, said
        if match["words"]:
            return _OF_WORDS[match["words"].lower()], said
        if int(match["code"]) in _OF_CODE:
            return _OF_CODE[int(match["code"])], said
    return None
