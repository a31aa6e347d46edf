"""The process of the command line, from its first signal to its status."""

from __future__ import annotations

import functools
import sys
import warnings
from collections.abc import Callable
from typing import Any

from simlib.cli.signals import asked
from simlib.cli.streams import Ends, guarded, tell
from simlib.errors import SimlibError, SimlibWarning

WRONG = 2


def run() -> int:
    """Run the command line and return its status."""
    asked.begin()
    warnings.simplefilter("default", SimlibWarning)
    warnings.showwarning = functools.partial(_warned, warnings.showwarning)
    try:
        with guarded() as ends:
            status = _run()
            sys.stdout.flush()
            return _final(status, ends)
    finally:
        asked.end()


def _warned(others: Callable[..., None], message: Warning | str, *where: Any) -> None:
    """Tell what whoever calls should know in a line, unless it was told as it happened."""
    if not isinstance(message, SimlibWarning):
        others(message, *where)
        return
    from simlib.cli.progress import noted

    if str(message) not in noted:
        tell(f"warning: {message}")


def _run() -> int:
    try:
        status = _called()
    except Exception:
        if asked.stop is None:
            raise
        status = WRONG  # a library made something else of the interruption
    if asked.stop is None or not status:
        return status
    if not asked.stop.is_told:
        tell("interrupted")
    return asked.stop.status


def _called() -> int:
    try:
        from simlib.cli.app import app
        from simlib.cli.old_spellings import respelled

        app(args=respelled(sys.argv[1:]))
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except SimlibError as error:
        tell(str(error))
    except MemoryError as error:
        tell(f"memory: there is not enough of it ({_first_line(error) or 'it ran out'})")
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        tell(where + (error.strerror or _first_line(error)))
    return WRONG


def _final(status: int, ends: Ends) -> int:
    """The status of a command, with what became of its output."""
    if ends.n_marked:
        tell(f"output: {ends.n_marked} characters that {ends.encoding} does not have stand as ?")
    if complaint := ends.complaint():
        tell(complaint)
    if complaint:
        return status or WRONG
    from simlib.cli.progress import n_missing  # it loads what was loaded by now

    # Tables of what there is were shown; not all is there.
    return status or int(any(n_missing))


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]
