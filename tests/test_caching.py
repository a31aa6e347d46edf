"""Where compiled code is kept: with the user alone, never in the package, or not at all."""

from __future__ import annotations

import ast
import importlib
import logging
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import simlib
from simlib.chance import compiling
from simlib.chance.compiling import SETTING, usable_folder
from simlib.errors import StoreError
from simlib.files import private_folder

NAMES = ("compiled", "0123")
COMPILE = """
import os, sys
from simlib.chance.compiling import cache_folder
from simlib.chance.philox import uniform
assert uniform(1, 2, 3) == uniform(1, 2, 3)
print(os.environ.get("SIMLIB_CACHE_DIR"), cache_folder(), flush=True)
"""


def start(code: str, **environment: str) -> subprocess.Popen[str]:
    """Start Python on code, with nothing said of caches but what is given."""
    names = (SETTING, "XDG_CACHE_HOME", "HOME", "TMPDIR")
    kept = {name: value for name, value in os.environ.items() if name not in names}
    return subprocess.Popen(
        [sys.executable, "-c", code], env={**kept, **environment},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def end(process: subprocess.Popen[str]) -> tuple[list[str], list[str]]:
    """Wait for a process; return the words of its output and the lines beside it."""
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    return output.split(), errors.splitlines()


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """Return a base folder that has been used."""
    folder = private_folder(tmp_path / "base", *NAMES)
    (folder / "kernel").mkdir(mode=0o700)
    for name in ("f.nbi", "f.1.nbc"):
        file = folder / "kernel" / name
        file.touch(0o600)
    return tmp_path / "base"


@pytest.fixture
def unset() -> Iterator[None]:
    """Leave the environment and what was said already as they were."""
    before = os.environ.get(SETTING)
    compiling.warn.cache_clear()
    yield
    os.environ.pop(SETTING, None)
    if before is not None:
        os.environ[SETTING] = before


def test_what_is_the_users_alone_is_used_again(base: Path) -> None:
    assert private_folder(base, *NAMES) == base / "compiled" / "0123"
    assert (base / "compiled").stat().st_mode & 0o777 == 0o700


def test_the_base_may_be_a_link(base: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(base)
    assert private_folder(tmp_path / "link", *NAMES).is_dir()


@pytest.mark.parametrize(
    "name",
    ["compiled", "compiled/0123", "compiled/0123/kernel", "compiled/0123/kernel/f.nbi"],
)
@pytest.mark.parametrize("fault", ["a link", "for all", "for a group", "of another user"])
def test_what_others_may_have_written_is_refused(
    base: Path, tmp_path: Path, name: str, fault: str
) -> None:
    path = base / name
    if fault == "a link":
        path.rename(tmp_path / "elsewhere")
        path.symlink_to(tmp_path / "elsewhere")
        said = "is a link"
    elif fault == "of another user":
        if os.geteuid() != 0:
            pytest.skip("only root gives files away")
        os.chown(path, 12345, -1)
        said = "belongs to another user"
    else:
        path.chmod(path.stat().st_mode | (0o002 if fault == "for all" else 0o020))
        said = "is writable by others"
    with pytest.raises(StoreError, match=f"^{path}: {said}"):
        private_folder(base, *NAMES)


def test_an_unusable_cache_is_one_line_and_a_temporary_folder(
    base: Path, unset: None, caplog: pytest.LogCaptureFixture
) -> None:
    (base / "compiled").chmod(0o777)
    os.environ[SETTING] = str(base)
    folder = usable_folder(*NAMES)
    assert folder is not None
    assert folder.is_relative_to(tempfile.gettempdir())
    assert os.environ[SETTING] == str(folder.parents[1])  # which workers are told
    assert usable_folder(*NAMES) == folder
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "for this process only" in record.getMessage()
    assert SETTING in record.getMessage()


@pytest.mark.parametrize("where", ["none", "the folder one stands in"])
def test_without_a_temporary_folder_nothing_is_kept(
    unset: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture, where: str,
) -> None:  # fmt: skip
    def nowhere() -> str:
        if where == "none":
            raise FileNotFoundError(2, "No usable temporary directory found")
        return str(tmp_path)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "gettempdir", nowhere)
    os.environ[SETTING] = "/dev/null/cache"
    assert usable_folder(*NAMES) is None
    assert usable_folder(*NAMES) is None
    assert os.environ[SETTING] == compiling.NOWHERE
    (record,) = caplog.records
    assert record.getMessage().startswith("compiled code is not kept: /dev/null")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "environment",
    [
        {SETTING: "{file}"},
        {SETTING: "/proc/nowhere"},
        {"HOME": "{file}/nowhere"},
        {"HOME": "{folder}/nowhere"},
        {"HOME": "nowhere"},
        {"XDG_CACHE_HOME": "{file}"},
    ],
    ids=str,
)
def test_it_runs_where_nothing_can_be_written(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder is gone when the process is, and neither package nor home was written."""
    file = tmp_path / "file"
    file.touch()
    monkeypatch.chdir(tmp_path)
    given = {k: v.format(file=file, folder=tmp_path) for k, v in environment.items()}
    before = compiled_files()
    (named, folder), errors = end(start(COMPILE, **{"HOME": str(file), **given}))
    assert len(errors) == 1
    assert "compiled code is kept for this process only" in errors[0]
    assert folder.startswith(named)
    assert not Path(named).exists()
    assert compiled_files() == before
    assert list(tmp_path.iterdir()) == [file]


def compiled_files() -> set[Path]:
    """Return what numba has put into the package."""
    package = Path(simlib.__file__).parent
    return {*package.rglob("*.nbi"), *package.rglob("*.nbc")}


def test_the_package_is_never_written(tmp_path: Path) -> None:
    """Not even when the folder goes away before anything is compiled."""
    code = COMPILE.replace(
        "assert",
        f"cache_folder(); import shutil; shutil.rmtree({str(tmp_path)!r}); "
        f"open({str(tmp_path)!r}, 'w').close()\nassert",
    )
    before = compiled_files()
    _, errors = end(start(code, **{SETTING: str(tmp_path / "cache"), "HOME": str(tmp_path)}))
    assert errors == [errors[0]]
    assert errors[0].startswith("compiled code is not kept: ")
    assert compiled_files() == before


@pytest.mark.parametrize("damage", [b"", b"\x80\x04nonsense", b"\x80"])
def test_a_damaged_cache_is_compiled_anew(tmp_path: Path, damage: bytes) -> None:
    given = {SETTING: str(tmp_path), "HOME": str(tmp_path)}
    for pattern in ("*.nbi", "*.nbc"):
        _, errors = end(start(COMPILE, **given))
        assert errors == []
        files = sorted(tmp_path.rglob(pattern))
        assert files
        for file in files:
            file.write_bytes(damage)
    assert end(start(COMPILE, **given))[1] == []
    assert all(file.stat().st_size > 100 for file in tmp_path.rglob("*.nb?"))


def test_files_are_the_users_alone_under_any_mask(tmp_path: Path) -> None:
    code = "import os\nos.umask(0)\n" + COMPILE + "open('made', 'w').close()"
    code = f"import os; os.chdir({str(tmp_path)!r})\n" + code
    for _ in range(2):
        _, errors = end(start(code, **{SETTING: str(tmp_path / "cache"), "HOME": "/"}))
        assert errors == []
    below = [*(tmp_path / "cache" / "compiled").rglob("*")]
    assert len(below) > 3
    assert not any(path.stat().st_mode & 0o077 for path in below)
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o666  # the user's own are not touched


def test_the_temporary_folder_goes_with_ctrl_c() -> None:
    code = COMPILE + "import time; time.sleep(60)"
    with start(code, HOME="/proc/nowhere") as process:
        assert process.stdout is not None
        named = Path(process.stdout.readline().split()[0])
        assert named.is_dir()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert not named.exists()


def test_workers_neither_warn_nor_compile_alone(tmp_path: Path) -> None:
    """Both read what the parent compiled, and the folder outlives neither."""
    code = """
import os
from simlib.ensemble.executors import Task, completed, pool
from simlib.simulation import needs_compiling
from collections import deque
def look():
    from simlib.chance.compiling import cache_folder
    return str(cache_folder())
assert needs_compiling()
with pool(2) as crew:
    tasks = deque(Task(str(i), look, ()) for i in range(4))
    found = {result for _, result in completed(crew, tasks)}
from simlib.chance.compiling import cache_folder
assert found == {str(cache_folder())}, found
print(os.environ["SIMLIB_CACHE_DIR"])
"""
    (named,), errors = end(start(code, HOME=str(tmp_path / "nowhere")))
    assert len(errors) == 1
    assert not Path(named).exists()


def test_what_compiled_sources_import_counts_as_a_source() -> None:
    """A constant that was compiled in from a file that does not count would never change."""
    package = Path(simlib.__file__).parent
    sources = {file for pattern in compiling._COMPILED for file in package.glob(pattern)}
    compiled = [file for file in sources if "@compiled" in file.read_text()]
    imported = {
        importlib.import_module(str(node.module))
        for file in compiled
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("simlib.")
    }
    assert len(compiled) > 4
    assert {Path(str(module.__file__)) for module in imported} <= sources


@pytest.mark.parametrize("flag", ["-O", "-OO"])
def test_what_is_compiled_in_another_way_is_not_taken_for_compiled(flag: str) -> None:
    code = "from simlib.chance.compiling import sources_digest; print(sources_digest())"
    run: Callable[..., bytes] = subprocess.check_output
    assert run([sys.executable, "-c", code]) != run([sys.executable, flag, "-c", code])


LOADED = """
import sys
from simlib.cli import main
sys.argv = ["simlib", *{command!r}]
try:
    main()
except SystemExit as end:
    loaded = [name for name in ("numba", "matplotlib", "pyarrow") if name in sys.modules]
    print(end.code, *loaded, file=sys.stderr)
"""


@pytest.mark.parametrize(
    "command",
    [["--help"], ["--version"], ["run", "--help"], ["check", "as_agreed"], ["resolve", "fitted"]],
    ids=str,
)
def test_commands_that_compile_nothing_touch_no_cache(command: list[str], tmp_path: Path) -> None:
    code = LOADED.format(command=command)
    _, errors = end(start(code, HOME=str(tmp_path), TMPDIR=str(tmp_path)))
    assert errors == ["0"]
    assert list(tmp_path.iterdir()) == []
    assert end(start(code, HOME=str(tmp_path / "nowhere")))[1] == ["0"]  # and says nothing
