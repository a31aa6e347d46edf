"""How the command line starts and ends: nothing of the current folder, no traceback."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from support.commands import call
from support.scenarios import TEXT

BASH = shutil.which("bash") or "bash"
SIMLIB = str(Path(sys.executable).with_name("simlib"))
MODULE = [sys.executable, "-m", "simlib.cli"]
FIRST = """
import sys
open({mark!r}, "a").write({name!r} + "\\n")
del sys.modules[{name!r}]
before = list(sys.path)
sys.path[:] = [each for each in before if each not in ("", {here!r})]
sys.modules[{name!r}] = __import__({name!r})
sys.path[:] = before
"""
"""A module that leaves a mark, and then steps aside for the one it hides."""

TRAPS = (
    *("pickle", "typing", "json", "shutil", "threading", "multiprocessing", "subprocess", "yaml"),
    *("numpy", "typer", "loky", "numba", "matplotlib", "pandas", "simpy", "__future__", "errno"),
    "lazy_loader",
)


def environment() -> dict[str, str]:
    """Return the environment without what an earlier command line has set in it."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}


def start(line: list[str], where: Path, **more: str) -> subprocess.Popen[str]:
    """Start a command line in a folder."""
    return subprocess.Popen(
        line, cwd=where, env={**environment(), **more}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=hear_signals,  # noqa: PLW1509
    )  # fmt: skip


def hear_signals() -> None:
    """Let a child hear what these tests may have been told to ignore (``nohup``)."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a small scenario."""
    (tmp_path / "small.yaml").write_text(TEXT)
    return tmp_path


@pytest.fixture
def trapped(folder: Path) -> Path:
    """Return a folder in which modules lie that nobody asked for."""
    mark = str(folder / "mark")
    for name in TRAPS:
        text = FIRST.format(mark=mark, name=name, here=str(folder))
        (folder / f"{name}.py").write_text(text)
    return folder


WITH_HELPERS = (
    ("run", "small.yaml", "-o", "out", "--replications", "9", "--jobs", "2", "--no-figures"),
    ("run", "small.yaml", "--replications", "4", "--dask-local", "1", "--no-figures"),
)
ALONE = (
    ("--help",),
    ("check", "small.yaml"),
    ("run", "small.yaml", "-o", "figures", "--replications", "2", "--jobs", "1"),
    ("plot", "figures", "--outcome", "raids", "--force"),
)
"""Only ``python -m`` would look for what these load in the current folder, not the script."""


@pytest.mark.parametrize(
    ("how", "lines"),
    [([SIMLIB], WITH_HELPERS), (MODULE, ALONE + WITH_HELPERS)],
    ids=["simlib", "python -m simlib.cli"],
)
def test_nothing_of_the_current_folder_is_executed(
    how: list[str], lines: tuple[tuple[str, ...], ...], trapped: Path
) -> None:
    (trapped / "nothing.py").touch()
    start([sys.executable, "-m", "nothing"], trapped).communicate(timeout=60)
    of_python_itself = marks(trapped)
    for line in lines:
        done = start([*how, *line], trapped, PYTHONDONTWRITEBYTECODE="1")
        _, errors = done.communicate(timeout=300)
        assert done.returncode == 0, errors
        assert marks(trapped) <= of_python_itself, line


def marks(trapped: Path) -> set[str]:
    """Return which traps were stepped into, and forget them."""
    mark = trapped / "mark"
    found = set(mark.read_text().split()) if mark.exists() else set()
    mark.unlink(missing_ok=True)
    return found


def test_the_trap_catches_who_steps_into_it(trapped: Path) -> None:
    """Negative control: the standard library itself, as a helper process would load it."""
    done = start([sys.executable, "-c", "import pickle"], trapped, PYTHONDONTWRITEBYTECODE="1")
    assert done.communicate(timeout=60)[1] == ""
    assert "pickle" in marks(trapped)


def test_a_checkout_that_is_not_installed_runs_from_its_folder(folder: Path) -> None:
    """Its workers find it too: the current folder is looked at last, not never."""
    (folder / "simlib").symlink_to(Path(__file__).parents[1] / "simlib")
    code = (
        "import sys; sys.argv = ['simlib', '--version']; sys.path.insert(0, sys.argv[0]);"
        f"sys.path[0] = {str(folder)!r}; import runpy; runpy.run_module('simlib.cli', "
        "run_name='__main__', alter_sys=True)"
    )
    code = f"import sys, atexit; atexit.register(lambda: print(sys.path[-1]))\n{code}"
    out, errors = start([sys.executable, "-c", code], folder).communicate(timeout=60)
    assert errors == ""
    assert out.splitlines()[-1] == str(folder)


def test_python_m_keeps_what_a_safe_path_begins_with(folder: Path) -> None:
    code = "import sys, atexit; before = list(sys.path); import runpy\n"
    code += "atexit.register(lambda: print(before == sys.path))\nsys.argv = ['', '--version']\n"
    code += "runpy.run_module('simlib.cli', run_name='__main__', alter_sys=True)"
    out, _ = start([sys.executable, "-P", "-c", code], folder).communicate(timeout=60)
    assert out.splitlines()[-1] == "True"


SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
IMPORTS = """
import os, signal, sys, time
class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), {number})
            {more}
            time.sleep(5)
sys.meta_path.insert(0, Slow())
from simlib.cli import main
sys.argv = ["simlib", "check", "small.yaml"]
main()
"""


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("module", ["typer", "simlib.cli.explore_commands", "numpy", "yaml"])
def test_a_signal_while_something_loads_is_one_line(
    number: signal.Signals, module: str, folder: Path
) -> None:
    code = IMPORTS.format(number=int(number), module=module, more="")
    process = start([sys.executable, "-c", code], folder)
    assert process.communicate(timeout=60) == ("", "interrupted\n")
    assert process.returncode == 128 + number


def test_a_signal_that_a_library_makes_something_else_of_is_no_traceback(folder: Path) -> None:
    code = IMPORTS.format(number=2, module="yaml", more="").replace(
        "os.kill(os.getpid(), 2)",
        "\n            try: os.kill(os.getpid(), 2); time.sleep(5)"
        "\n            except BaseException: raise ValueError('half loaded') from None",
    )
    process = start([sys.executable, "-c", code], folder)
    assert process.communicate(timeout=60) == ("", "interrupted\n")
    assert process.returncode == 130


LINGERING = """
import os, signal, sys
from simlib.cli import signals
from simlib.cli.progress import interrupted
import simlib.cli.progress as progress
signals.asked.begin()
def slow(last, output):
    for _ in range({n}):
        os.kill(os.getpid(), signal.SIGINT)
    return "told"
progress._how_to_go_on = slow
import typer
try:
    with progress.stopping(None):
        os.kill(os.getpid(), signal.SIGHUP)
except typer.Exit as end:
    sys.exit(end.exit_code)
"""


def test_a_second_signal_does_not_break_into_the_message(folder: Path) -> None:
    process = start([sys.executable, "-c", LINGERING.format(n=1)], folder)
    assert process.communicate(timeout=60) == ("", "told\n")
    assert process.returncode == 129


def test_who_insists_is_out_at_once(folder: Path) -> None:
    process = start([sys.executable, "-c", LINGERING.format(n=2)], folder)
    assert process.communicate(timeout=60) == ("", "")
    assert process.returncode == 130


def test_a_run_whose_terminal_goes_away_says_how_to_go_on(folder: Path) -> None:
    """As after Ctrl-C and a request to end, of which `test_cli` holds more."""
    line = [SIMLIB, "run", "small.yaml", "-o", "out", "--replications", "4000", "--jobs", "2"]
    with start(line, folder) as process:
        assert process.stderr is not None
        while "/s, " not in process.stderr.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGHUP)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGHUP
    assert errors.splitlines()[-1].startswith("interrupted: ")
    assert "to go on: simlib run small.yaml" in errors
    assert "Traceback" not in errors


BETWEEN_RUNS = """
import os, sys, typer
from pathlib import Path
from simlib.cli.progress import Generations, stopping_between_runs
def run(values, seed):
    os.kill(os.getpid(), {number})
    print("whole", flush=True)  # what is begun is finished
try:
    with stopping_between_runs(Generations(Path("out"))) as stop:
        for _ in range(3):
            stop.unless_asked(run)({{}}, 1)
except typer.Exit as end:
    sys.exit(end.exit_code)
"""


@pytest.mark.parametrize("number", SIGNALS)
def test_an_inversion_ends_between_runs(number: signal.Signals, folder: Path) -> None:
    process = start([sys.executable, "-c", BETWEEN_RUNS.format(number=int(number))], folder)
    out, errors = process.communicate(timeout=60)
    assert (out, process.returncode) == ("whole\n", 128 + number)
    assert errors.startswith("interrupted: no generation kept in out; to go on:")


def test_a_hangup_that_is_ignored_stays_so(folder: Path) -> None:
    """As ``nohup`` asks for."""
    code = IMPORTS.format(number=int(signal.SIGHUP), module="numpy", more="return")
    code = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n" + code
    process = start([sys.executable, "-c", code], folder)
    assert process.communicate(timeout=60) == ("small.yaml: no mistake found\n", "")
    assert process.returncode == 0


CHECK = [SIMLIB, "check", "small.yaml"]
RUN = [SIMLIB, "run", "small.yaml", "-o", "out", "--replications", "2", "--jobs", "1"]


def shell(line: list[str], how: str, where: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command line in a shell, with its streams turned somewhere."""
    return subprocess.run(
        [BASH, "-o", "pipefail", "-c", f'"$@" {how}', "bash", *line], cwd=where, text=True,
        env={**environment(), **more}, capture_output=True, check=False,
    )  # fmt: skip


FULL = "output: cannot be written (No space left on device)"


STREAMS = [
    (">&-", 0, ""),
    ("> /dev/full", 2, FULL),
    ("| true", 0, ""),
    ("2>&-", 0, ""),
    ("<&- >&- 2>&-", 0, ""),
    ("2> /dev/full", 0, ""),
    ("> /dev/full 2>&1", 2, ""),
]


@pytest.mark.parametrize(
    ("line", "how", "status", "last"),
    [
        *((CHECK, *each) for each in STREAMS),
        *((RUN, *each) for each in STREAMS[:3]),
        ([SIMLIB, "resolve", "small.yaml"], *STREAMS[1]),
        ([SIMLIB, "--help"], *STREAMS[1]),
    ],
)
def test_no_stream_takes_the_work_with_it(
    line: list[str], how: str, status: int, last: str, folder: Path
) -> None:
    done = shell(line, how, folder)
    assert done.returncode == status
    said = [each for each in done.stderr.splitlines() if "output" in each or "rror" in each]
    assert said == ([last] if last else [])
    if line is RUN:
        assert (folder / "out" / "manifest.json").is_file()
        assert (folder / "out" / "figures" / "outcomes.png").is_file()


def test_a_closed_stream_lends_its_number_to_no_file(folder: Path) -> None:
    """Or what is printed would go into the results."""
    line = [*RUN, "--no-figures"]
    shell(line, ">&- 2>&-", folder)
    whole = shell(line, "", folder)
    assert "all replications are there already" in whole.stderr
    assert shell([SIMLIB, "verify", "out"], "", folder).returncode == 0


@pytest.mark.parametrize("encoding", ["ascii", "iso8859-1", "cp1252"])
def test_what_an_encoding_does_not_have_is_replaced_and_counted(
    encoding: str, folder: Path
) -> None:
    text = TEXT.replace("Tests of the library.", "'\u0416\u0416 \u00e9.'")
    (folder / "small.yaml").write_text(text, encoding="utf-8")
    done = shell([SIMLIB, "resolve", "small.yaml"], "> out.yaml", folder, PYTHONIOENCODING=encoding)
    n = 3 if encoding == "ascii" else 2
    assert done.returncode == 0
    assert done.stderr == f"output: {n} characters that {encoding} does not have stand as ?\n"
    assert "?? " in (folder / "out.yaml").read_text(encoding=encoding)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("MemoryError()", "memory: there is not enough of it (it ran out)"),
        ("MemoryError('Unable to allocate 8 GiB')", "enough of it (Unable to allocate 8 GiB)"),
        ("OSError(28, 'No space left on device', 'a/b')", "a/b: No space left on device"),
        ("OSError('one\\ntwo')", "one"),
        ("PermissionError(13, 'Permission denied')", "Permission denied"),
    ],
)
def test_what_the_system_refuses_is_one_line_and_status_2(
    error: str, said: str, folder: Path
) -> None:
    code = (
        "import sys, simlib.scenario\ndef fail(*_): raise " + error + "\n"
        "simlib.scenario.examined = fail\nfrom simlib.cli import main\n"
        "sys.argv = ['simlib', 'check', 'small.yaml']\nmain()"
    )
    process = start([sys.executable, "-c", code], folder)
    out, errors = process.communicate(timeout=60)
    assert (out, process.returncode) == ("", 2)
    assert len(errors.splitlines()) == 1
    assert said in errors


def test_importing_loads_nothing_that_could_be_trapped() -> None:
    """What `python -m` imports before it can be told that the current folder is not meant."""
    code = (
        "import sys; before = set(sys.modules); import simlib.cli; "
        "print(sorted(set(sys.modules) - before))"
    )
    line = [sys.executable, "-c", code]
    out = subprocess.check_output(line, cwd=Path(__file__).parents[1], text=True)
    assert out == "['simlib', 'simlib._version', 'simlib.cli']\n"


@pytest.mark.parametrize(("given", "expected"), [("", "1"), ("2", "2")])
def test_linear_algebra_has_one_thread_unless_somebody_wants_more(
    given: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if given:
        monkeypatch.setenv("OPENBLAS_NUM_THREADS", given)
    else:
        monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    seen: list[str | None] = []

    def looking() -> int:
        seen.append(os.environ.get("OPENBLAS_NUM_THREADS"))
        return 0

    monkeypatch.setattr("simlib.cli.process.run", looking)
    assert call("list").returncode == 0
    assert seen == [expected]
