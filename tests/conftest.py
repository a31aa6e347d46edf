"""What every test stands on: no display, repeatable property tests."""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
import pytest
from hypothesis import settings

# A shell that runs tests in the background lets them ignore Ctrl-C, which children inherit.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
mpl.use("Agg")
# The same examples each time, and no deadline on a busy machine.
settings.register_profile("simlib", derandomize=True, deadline=None)
settings.load_profile("simlib")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest first, so that no worker ends alone with them."""
    items.sort(key=lambda item: "verification" not in item.path.parts)


@pytest.fixture(scope="module", autouse=True)
def _ensembles_go_with_their_module(request: pytest.FixtureRequest) -> Iterator[None]:
    """Forget what functions of a test module have cached: hundreds of runs, a megabyte each."""
    yield
    is_test = request.path.name.startswith("test_")  # and no module with examples in its texts
    for each in vars(request.module).values() if is_test else ():
        if hasattr(each, "cache_clear") and each.__module__ == request.module.__name__:
            each.cache_clear()


@contextlib.contextmanager
def _mounted(where: Path, options: str) -> Iterator[Path]:
    where.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(where)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:  # noqa: PLW1510
        pytest.skip("mounting takes privileges")
    try:
        yield where
    finally:
        subprocess.run(["umount", str(where)], check=True)  # noqa: S607


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a folder on a file system of 300 kB."""
    with _mounted(tmp_path / "disk", "size=300k") as where:
        yield where


@pytest.fixture
def read_only_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a folder that nobody can write to, root included."""
    with _mounted(tmp_path / "read_only", "size=300k,ro") as where:
        yield where
