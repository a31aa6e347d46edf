"""The one way simlib compiles: typed, cached by the content of all compiled sources."""

from __future__ import annotations

import functools
import hashlib
import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

_PACKAGE = Path(__file__).resolve().parents[1]
_COMPILED = ("chance/compiling.py", "chance/philox.py", "journal.py", "world/kernel/*.py")
"""Every source that compiled code is made from, with what it reads constants from."""


@functools.cache
def sources_digest() -> str:
    """Return a digest of every source that compiled code may be made from.

    A cached function does not notice that a function it calls was edited in another
    file; a cache folder named by this digest does.
    """
    digest = hashlib.blake2b(digest_size=8)
    for pattern in _COMPILED:
        for file in sorted(_PACKAGE.glob(pattern)):
            digest.update(file.name.encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()


@functools.cache
def cache_folder() -> Path:
    """Return the folder compiled code is kept in; ``SIMLIB_CACHE_DIR`` overrides it."""
    given = os.environ.get("SIMLIB_CACHE_DIR")
    if given:
        base = Path(given)
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home())) / "simlib"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "simlib"
    return base / "compiled" / sources_digest()


def is_cached(function_name: str) -> bool:
    """Whether a compiled function of that name lies in the cache."""
    return any(cache_folder().rglob(f"*.{function_name}-*.nbc"))


def inlined(function: F) -> F:
    """Compile a function into those that call it, with the options of `compiled`.

    A call passes every array as seven numbers; what runs for every incident pays for it.
    """
    return _compile(function, forceinline=True)


def compiled(function: F) -> F:
    """Compile a function with simlib's options: IEEE results, no fast math, cached.

    ``error_model="numpy"`` keeps division as hardware does it; without SVML (simlib
    never calls vector functions in what decides a branch) scalar log, exp and power
    agree with Python's to the last bit. Without numba's reference counting (nothing is
    allocated in compiled code) no time goes into counting who holds an array: that took
    three quarters of it.
    """
    return _compile(function)


def _compile(function: F, **options: bool) -> F:
    numba = importlib.import_module("numba")
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(cache_folder())
    try:
        decorate = numba.njit(
            cache=True, error_model="numpy", fastmath=False, _nrt=False, **options
        )
        result: F = decorate(function)
    finally:
        numba.config.CACHE_DIR = before
    return result
