"""The one way simlib compiles: typed, cached by the content of all compiled sources."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from simlib.chance.caching import private_files, usable_folder, warn

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
def cache_folder() -> Path | None:
    """Return the folder compiled code is kept in, if any; ``SIMLIB_CACHE_DIR`` overrides it."""
    return usable_folder("compiled", sources_digest())


def is_cached(function_name: str) -> bool:
    """Whether a compiled function of that name lies in the cache."""
    folder = cache_folder()
    return folder is not None and any(folder.rglob(f"*.{function_name}-*.nbc"))


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
    compile_it = numba.njit(error_model="numpy", fastmath=False, _nrt=False, **options)
    result: F = compile_it(function)
    folder = cache_folder()
    if folder is not None:
        _keep(result, function, folder)
    return result


def _keep(result: Any, function: Callable[..., Any], folder: Path) -> None:
    """Let a compiled function be kept in a folder and nowhere else.

    Left to itself, numba puts it into the package where that can be written.
    """
    config = importlib.import_module("numba.core.config")
    ours = {"CACHE_DIR": str(folder), "CACHE_LOCATOR_CLASSES": ""}
    before = {name: getattr(config, name, "") for name in ours}
    vars(config).update(ours)
    try:
        with private_files():
            result._cache = _cache_type()(function)  # noqa: SLF001  (numba has no other door)
    except RuntimeError:  # no place in that folder
        warn("compiled code is not kept", f"{folder}: cannot be written")
    finally:
        vars(config).update(before)


@functools.cache
def _cache_type() -> Any:
    """Return numba's cache of a function, such that no fault of a file stops anything."""
    caching = importlib.import_module("numba.core.caching")

    class _Place(caching.CompileResultCacheImpl):  # type: ignore[misc, name-defined]
        _locator_classes = (caching.UserProvidedCacheLocator,)

    class _Cache(caching.FunctionCache):  # type: ignore[misc, name-defined]
        _impl_class = _Place

        def load_overload(self, sig: Any, target_context: Any) -> Any:
            try:
                return super().load_overload(sig, target_context)
            except Exception:  # noqa: BLE001  (a damaged pickle may raise anything)
                with contextlib.suppress(OSError), private_files():
                    self.flush()
                return None  # compiled again, which replaces it

        def save_overload(self, sig: Any, data: Any) -> None:
            try:
                with private_files():
                    super().save_overload(sig, data)
            except OSError as error:
                warn("compiled code is not kept", error.strerror)

    return _Cache
