"""Measure this tree beside an earlier commit of it, in turns, each in a process of its own.

Run it with ``make bench``, or alone. Options: ``--before COMMIT`` (the release that the present
one is compared with), ``--repeats N`` of each measurement (7), ``--replications N`` of a stored
run (100).
"""

from __future__ import annotations

import argparse
import contextlib
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench import Row, ratios

ROOT = Path(__file__).resolve().parents[1]
BEFORE = "e7cc171"
"""The last commit before the second round of work on speed."""
CHILD = """
import sys, tempfile, time
import simlib
from simlib.scenario import load
from simlib.simulation import assemble, simulate

def replication():
    began = time.process_time()
    runs = [simulate(blueprint, number) for number in range(10)]
    return (time.process_time() - began) / 10 * 1e3

def compiled():
    return sum(simulate(blueprint, number).compiled_seconds for number in range(10)) / 10 * 1e3

def stored(n):
    with tempfile.TemporaryDirectory() as folder:
        began = time.process_time()
        simlib.run("as_agreed", option="as_agreed", replications=n, jobs=1, directory=folder)
        return (time.process_time() - began) / n * 1e3

blueprint = assemble(load("as_agreed"), "as_agreed")
simulate(blueprint, 0)
print(simlib.__file__, flush=True)
for line in sys.stdin:
    print(eval(line), flush=True)
"""


def unpacked(commit: str, folder: str) -> str:
    """Return why the tree of a commit could not be unpacked; empty where it was."""
    command = ["git", "-C", str(ROOT), "archive", commit]
    packed = subprocess.run(command, capture_output=True, check=False)
    if packed.returncode:
        return packed.stderr.decode().strip()
    subprocess.run(["tar", "-x", "-C", folder], input=packed.stdout, check=True)
    return ""


class Tree:
    """A process that imports the package from one folder and measures what it is asked for."""

    def __init__(self, folder: Path) -> None:
        self.environment = os.environ | {"PYTHONPATH": str(folder)}
        self._child = subprocess.Popen(
            [sys.executable, "-c", CHILD],
            cwd=folder,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        found = Path(self._read()).resolve()
        if not found.is_relative_to(folder.resolve()):
            raise RuntimeError(f"imported {found}, not that of {folder}")

    def _read(self) -> str:
        assert self._child.stdout is not None
        return self._child.stdout.readline().strip()

    def ask(self, what: str) -> float:
        """Return one measurement."""
        assert self._child.stdin is not None
        self._child.stdin.write(what + "\n")
        self._child.stdin.flush()
        return float(self._read())

    def help(self) -> float:
        """Return the processor time of ``simlib --help`` in a fresh process, in seconds."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        code = "import sys; sys.argv = ['simlib', '--help']; from simlib.cli import main; main()"
        subprocess.run(
            [sys.executable, "-c", code], env=self.environment, capture_output=True, check=True
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def memory(self) -> float:
        """Return the most memory that the process has held, in MiB."""
        status = Path(f"/proc/{self._child.pid}/status").read_text(encoding="ascii")
        return float(status.partition("VmHWM:")[2].split()[0]) / 2**10

    def close(self) -> None:
        """End the process."""
        self._child.kill()
        self._child.wait()


def compared(now: Tree, before: Tree, repeats: int, replications: int) -> Iterator[Row]:
    """Yield each measurement of both trees, and the ratios of those taken in turn."""
    wanted = {
        "a replication of as_agreed, processor time": ("ms", "replication()"),
        "  of it in compiled calls": ("ms", "compiled()"),
        f"a replication of {replications}, stored, one worker": ("ms", f"stored({replications})"),
        "simlib --help, processor time": ("s", ""),
    }
    for what, (unit, question) in wanted.items():
        pairs = [
            [tree.ask(question) if question else tree.help() for tree in (now, before)]
            for _ in range(repeats)
        ]
        ours, theirs = (tuple(values) for values in zip(*pairs, strict=True))
        yield Row(what, unit, ours)
        yield Row("  before", unit, theirs)
        yield Row("  now / before", "x", ratios(ours, theirs))
    yield Row("memory of that process", "MiB", (now.memory(),))
    yield Row("  before", "MiB", (before.memory(),))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", default=BEFORE)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--replications", type=int, default=100)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        if reason := unpacked(given.before, folder):
            print(Row(f"beside {given.before}", "", skipped=reason))
            return
        now, before = Tree(ROOT), Tree(Path(folder))
        stack.callback(now.close)
        stack.callback(before.close)
        for row in compared(now, before, given.repeats, given.replications):
            print(row, flush=True)


if __name__ == "__main__":
    main()
