"""The one way simlib compiles, and where it keeps what is compiled: with the user alone.

numba reads what it has compiled back as pickles: whoever can write there can run code. So
below the folder that the user chose nothing may be a link, belong to somebody else or be
writable by others. Where no such folder can be had, what is compiled is kept for this
process and its workers in a temporary folder, and one line says so. Below it, a folder is
named by the content of all compiled sources.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import hashlib
import importlib
import logging
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from simlib.errors import StoreError
from simlib.files import private_folder, remove_folder, temporary_folder

F = TypeVar("F", bound=Callable[..., Any])

SETTING = "SIMLIB_CACHE_DIR"
"""The environment variable that names the folder; workers are told their parent's by it."""
NOWHERE = "none"
"""Its value that keeps nothing."""
_PACKAGE = Path(__file__).resolve().parents[1]
_COMPILED = (
    *("chance/compiling.py", "chance/philox.py", "journal.py", "scenario/schema.py"),
    "world/kernel/*.py",
)
"""Every source that compiled code is made from, with what it reads constants from."""


@functools.cache
def sources_digest() -> str:
    """A digest of every source that compiled code may be made from, and of its compiler.

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
    """The folder compiled code is kept in, if any; ``SIMLIB_CACHE_DIR`` overrides it."""
    return usable_folder("compiled", sources_digest())


@contextlib.contextmanager
def private_files() -> Iterator[None]:
    """Make files that nobody else can write, whatever the user's mask."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def usable_folder(*names: str) -> Path | None:
    """The folder below the user's choice, or a temporary one; none without either."""
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
    """A new folder that is removed when this process ends."""
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
        """The compiled code that is kept of a signature, if any."""
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
    """Numba's files of a function in a folder, and nowhere else."""
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
