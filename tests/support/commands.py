"""The command line in this process, which is as it was when the command has ended."""

from __future__ import annotations

import contextlib
import gc
import io
import os
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from unittest.mock import patch

from simlib.cli import main
from simlib.cli.progress import n_missing, noted

if TYPE_CHECKING:
    from collections.abc import Iterator


class Called(NamedTuple):
    """What a command line came to."""

    returncode: int
    stdout: str
    stderr: str


def call(*arguments: object, where: Path | None = None, **environment: str) -> Called:
    """Run simlib to its end as a process of its own would, without a terminal."""
    line = ["simlib", *map(str, arguments)]
    out, err = io.StringIO(), io.StringIO()
    with (
        _as_it_was(),
        contextlib.chdir(where or Path.cwd()),
        patch.dict(os.environ, environment),
        patch.object(sys, "argv", line),
        patch.object(sys.modules["__main__"], "__package__", "", create=True),
        warnings.catch_warnings(),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        status = _status()
    return Called(status, out.getvalue(), err.getvalue())


def _status() -> int:
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    message = "a command line ends with a status"
    raise AssertionError(message)


@contextlib.contextmanager
def _as_it_was() -> Iterator[None]:
    """Undo what the command line does to a process that is its own."""
    threshold = gc.get_threshold()
    try:
        with patch.dict(os.environ):
            yield
    finally:
        gc.set_threshold(*threshold)
        n_missing.clear()
        noted.clear()
