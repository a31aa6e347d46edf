"""The one way simlib compiles: typed, cached by the content of all compiled sources."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from simlib.chance.compile_cache import private_files, usable_folder, warn

F = TypeVar("F", bound=Callable[..., Any])

_PACKAGE = Path(__file__).resolve().parents[1]
_COMPILED = (
    *("chance/compiling.py", "chance/philox.py", "journal.py", "scenario/schema.py"),
    "world/kernel/*.py",
)
"""Every source that compiled code is made from, with what it reads constants from."""


@functools.cache
def sources_digest() -> str:
    """Return a digest of every source that compiled code may be made from, and of its compiler.

    A cached function does not notice that a function it calls was edited in another
    file; a cache folder named by this digest does. Python's -O changes the bytecode that
    is compiled.
    """
    numba = importlib.import_module("numba")
    compiler = f"{sys.implementation.cache_tag} {sys.flags.optimize} {numba.__version__}"
    digest = hashlib.blake2b(compiler.encode(), digest_size=8)
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
    result._cache = _Kept(function)  # type: ignore[attr-defined]  # noqa: SLF001  (no other door)
    return result


class _Kept:
    """What numba asks for what it has compiled of a function, and hands it to.

    Nothing is opened before something is compiled, and no fault of a file stops anything.
    Left to itself, numba opens at once, and falls back on the package's own folder.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    @functools.cached_property
    def _files(self) -> Any:
        folder = cache_folder()
        try:
            return None if folder is None else _files_in(folder, self._function)
        except RuntimeError:  # so numba says that nothing can be written there
            warn("compiled code is not kept", f"{folder}: cannot be written")
            return None

    @property
    def cache_path(self) -> str | None:
        """The folder, for numba's statistics."""
        return None if self._files is None else str(self._files.cache_path)

    def load_overload(self, signature: Any, target_context: Any) -> Any:
        """Return what is kept of a signature, if anything."""
        if self._files is None:
            return None
        try:
            return self._files.load_overload(signature, target_context)
        except Exception:  # noqa: BLE001  (a damaged pickle may raise anything)
            with contextlib.suppress(OSError), private_files():
                self._files.flush()
            return None  # compiled again, which replaces it

    def save_overload(self, signature: Any, data: Any) -> None:
        """Keep what was compiled."""
        if self._files is None:
            return
        try:
            with private_files():
                self._files.save_overload(signature, data)
        except OSError as error:
            warn("compiled code is not kept", error.strerror)


def _files_in(folder: Path, function: Callable[..., Any]) -> Any:
    """Return numba's files of a function in a folder, and nowhere else."""
    config = importlib.import_module("numba.core.config")
    ours = {"CACHE_DIR": str(folder), "CACHE_LOCATOR_CLASSES": ""}
    before = {name: getattr(config, name, "") for name in ours}
    vars(config).update(ours)
    try:
        with private_files():
            return _cache_type()(function)
    finally:
        vars(config).update(before)


@functools.cache
def _cache_type() -> Any:
    caching = importlib.import_module("numba.core.caching")
    place = type(
        "_Place",
        (caching.CompileResultCacheImpl,),
        {"_locator_classes": (caching.UserProvidedCacheLocator,)},
    )
    return type("_Cache", (caching.FunctionCache,), {"_impl_class": place})
