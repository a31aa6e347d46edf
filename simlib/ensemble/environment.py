"""What simulates: libraries, machine and simlib's own sources."""

from __future__ import annotations

import functools
import hashlib
import platform
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from simlib._version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

_PACKAGES = ("numpy", "numba", "simpy", "scipy", "pyarrow")


@functools.cache
def versions() -> dict[str, str]:
    """The versions of what simulates in this process.

    ``source`` is a digest of simlib's own modules: two versions under one number differ.
    """
    found = {name: metadata.version(name) for name in _PACKAGES}
    return {
        "simlib": __version__,
        "source": _source_digest(),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        **found,
    }


def changes(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    """What differs between two environments, in words; empty when nothing does."""
    names = sorted(before.keys() | now.keys())
    return ", ".join(
        f"{name} {_short(before.get(name))} there, {_short(now.get(name))} here"
        for name in names
        if before.get(name) != now.get(name)
    )


def _short(version: str | None) -> str:
    return "none" if version is None else version[:20]


def _source_digest() -> str:
    package = Path(__file__).parents[1]
    total = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        total.update(f"{path.relative_to(package).as_posix()}\n".encode())
        total.update(path.read_bytes())
    return total.hexdigest()[:16]
